# lab: --guests 3 --pcpus 4 --topology sockets=2,cores=2 --timeout 600
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: a day of recorded load with a busy afternoon, replayed: rebalance at a
# quiet moment plans for the afternoon and does it; a second run changes
# nothing; what cron runs says nothing.

. /lab/advise.sh

rm -f /var/lib/shmlink/history.db
note "cron's line records in dom0, and says nothing"
[ -z "$(sed -n 's/^\*\/5 .* root //p' /etc/cron.d/shmlink | sh 2>&1)" ] ||
    fail "cron would mail"
[ -s /var/lib/shmlink/history.db ] || fail "cron's line does not record"
rm -f /var/lib/shmlink/history.db
xl shmlink rebalance "${advise_set[@]}" >/tmp/out || fail "rebalance"
grep -q 'fewer than 12 records' /tmp/out || fail "$(cat /tmp/out)"

note "the afternoon: vm1 and vm2 talk, both on pCPU 1"
place vm1 1
place vm2 1
stream_start vm1 vm2
xl shmlink snapshot -t 8 /tmp/busy.json || fail "snapshot"
stream_stop vm1
note "what a record costs"
time xl shmlink record -t 3 --state-dir /tmp/cost
xl shmlink snapshot -t 3 /tmp/quiet.json || fail "snapshot"

note "a day of it"
midnight=$(($(date +%s) / 86400 * 86400 - 86400))
for hour in {0..23}; do
    file=/tmp/quiet.json
    [ "$hour" -lt 13 ] || [ "$hour" -ge 17 ] || file=/tmp/busy.json
    sed "s/\"time\": *[0-9]*/\"time\": $((midnight + hour * 3600 + 600))/" \
        "$file" >/tmp/record.json
    xl shmlink record -q --from /tmp/record.json || fail "record"
done

note "rebalance, now that all is quiet"
xl shmlink rebalance -N "${advise_set[@]}" --days 2 \
    --set link-headroom=0 >"$RESULTS/dry.txt" || fail "rebalance -N"
cat "$RESULTS/dry.txt"
grep -q 'planning for 13:00-17:00' "$RESULTS/dry.txt" ||
    fail "not for the afternoon"
grep -q 'would do xl vcpu-pin' "$RESULTS/dry.txt" || fail "nothing to do"
[ "$(hard_of vm1 0)$(hard_of vm2 0)" = 11 ] || fail "-N changed something"
xl shmlink rebalance "${advise_set[@]}" --days 2 \
    --set link-headroom=0 >"$RESULTS/done.txt" || fail "rebalance"
cat "$RESULTS/done.txt"
[ "$(hard_of vm1 0)" != "$(hard_of vm2 0)" ] || fail "still on one pCPU"
xl vcpu-list >/tmp/placed

note "again: nothing"
xl shmlink rebalance "${advise_set[@]}" --days 2 \
    --set link-headroom=0 >/tmp/out || fail "second rebalance"
cat /tmp/out
grep -q 'nothing done' /tmp/out || fail "the second run did something"
xl shmlink history | grep -c rebalance | has -x 1 || fail "two runs"
[ -z "$(xl shmlink rebalance -q "${advise_set[@]}" --days 2 2>&1)" ] ||
    fail "-q says something"
xl shmlink undo || fail "undo"
[ "$(hard_of vm1 0)$(hard_of vm2 0)" = 11 ] || fail "not undone"
xl shmlink undo && xl shmlink undo
rm -f /var/lib/shmlink/history.db
