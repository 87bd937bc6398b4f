# lab: --guests 3 --pcpus 4 --topology sockets=2,cores=2 --timeout 900
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: when the host is worse after applying, it is undone by itself, and the
# same plan is refused until forced. A crash in the middle is told, and undone.

. /lab/advise.sh

xl shmlink history >/dev/null || fail "history"
note "a good plan, and a load that turns against it"
place vm1 1
place vm2 1
stream_start vm1 vm2
xl shmlink advise "${advise_set[@]}" -t 8 -j --set link-bytes=1e12 \
    --set max-moves=1 >/tmp/plan.json || fail "advise"
jq -e '.steps | length > 0' /tmp/plan.json >/dev/null || fail "no steps"
jq -r '.steps[].command' /tmp/plan.json
# When the plan is applied, the one that it moves meets a hog there.
moved=$(jq -r '.steps[0].subjects[0].name' /tmp/plan.json)
to=$(jq -r '.steps[0].to' /tmp/plan.json)
place vm3 "$to"
(
    # The measurement before it lasts 8 s; then the load changes.
    sleep 9
    hog_start vm3
    hog_start "$moved"
    hog_start vm3
) &
rc=0
xl shmlink apply --settle 8 /tmp/plan.json >"$RESULTS/worse.txt" 2>&1 || rc=$?
wait
cat "$RESULTS/worse.txt"
[ "$rc" = 1 ] || fail "exit status $rc"
grep -q 'worse than before, so it is taken back' "$RESULTS/worse.txt" ||
    fail "not seen as worse"
[ "$(hard_of "$moved" 0)" = 1 ] || fail "$moved is not back"
xl shmlink history | tee "$RESULTS/history.txt"
grep -q 'reverted, was worse' "$RESULTS/history.txt" || fail "history"

note "the same plan again"
rc=0
xl shmlink apply /tmp/plan.json >/tmp/out 2>&1 || rc=$?
cat /tmp/out
[ "$rc" = 1 ] && grep -q 'undone before' /tmp/out || fail "it is not refused"
xl shmlink apply -f /tmp/plan.json || fail "--force"
xl shmlink undo || fail "undo"

note "killed in the middle"
hog_stop vm3; hog_stop "$moved"
d1=$(xl domid vm1)
gdb -q -batch -ex 'set breakpoint pending on' \
    -ex 'break journal_step_set' -ex run -ex 'kill' \
    --args "$(command -v xl-shmlink)" apply -f /tmp/plan.json >/tmp/gdb 2>&1 ||
    true
[ "$(hard_of "$moved" 0)" = "$to" ] || { cat /tmp/gdb; fail "not moved"; }
xl shmlink history >/tmp/out 2>&1
cat /tmp/out
grep -q 'was interrupted' /tmp/out || fail "the next command does not say so"
rc=0
xl shmlink apply /tmp/place-vm1.json >/tmp/out 2>&1 || rc=$?
[ "$rc" = 1 ] && grep -q 'undo that first' /tmp/out || fail "apply goes on"
xl shmlink undo || fail "undo"
[ "$(hard_of "$moved" 0)" = 1 ] || fail "$moved is not back"
xl shmlink history 2>&1 | has 'was interrupted' && fail "still told"
stream_stop vm1

note "two at once"
exec 8>/run/shmlink-advisor.lock
flock 8
rc=0
xl shmlink undo >/tmp/out 2>&1 || rc=$?
exec 8>&-
[ "$rc" = 1 ] && grep -q 'another xl shmlink' /tmp/out || fail "no lock"

note "a journal that is damaged, or a disk that is full"
mkdir -p /tmp/state
head -c 8192 /dev/urandom >/tmp/state/journal.db
rc=0
xl shmlink history --state-dir /tmp/state >/tmp/out 2>&1 || rc=$?
[ "$rc" = 1 ] && grep -q 'is damaged' /tmp/out || fail "$(cat /tmp/out)"
xl shmlink advise -t 2 --state-dir /tmp/state >/tmp/out 2>&1 ||
    fail "no advice without a journal: $(cat /tmp/out)"
grep -q 'is damaged' /tmp/out || fail "advise does not say so"
mkdir -p /tmp/full
mount -t tmpfs -o size=16k none /tmp/full
head -c 16384 /dev/zero >/tmp/full/ballast 2>/dev/null || true
rc=0
xl shmlink apply -f --state-dir /tmp/full /tmp/place-vm1.json >/tmp/out 2>&1 ||
    rc=$?
umount /tmp/full
cat /tmp/out
[ "$rc" = 1 ] && grep -qi 'no space' /tmp/out || fail "full disk"
[ "$d1" = "$(xl domid vm1)" ] || fail "vm1 is another one"
