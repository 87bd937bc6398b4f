#!/bin/bash
# Goal: advise from a file: the same text, JSON and picture every time, no
# change, no Xen; a host where nothing is to be gained gets that answer; bad
# input has its message.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"

# status TEXT ARGUMENTS...: its exit status, and what it prints has TEXT.
expect() {
    local status=$1 text=$2 have=0
    shift 2
    "$program" "$@" >out 2>&1 || have=$?
    [ "$have" = "$status" ] || fail "$*: exit status $have: $(cat out)"
    grep -q -- "$text" out || fail "$*: no '$text' in: $(cat out)"
}

advise=(advise -c /dev/null --from)

"$program" "${advise[@]}" "$data/busy-pair.json" --svg one.svg >one.txt ||
    fail "advise"
"$program" "${advise[@]}" "$data/busy-pair.json" -j --svg two.svg >plan.json ||
    fail "advise -j"
cmp one.svg two.svg || fail "the picture is not the same again"
"$program" "${advise[@]}" "$data/busy-pair.json" -j >again.json
cmp plan.json again.json || fail "the plan is not the same again"
grep -q 'web vCPU 0 waits 44 %' one.txt || fail "the wait is not named"
grep -q 'xl vcpu-pin' one.txt || fail "no step"
for text in '</svg>' 'What would be done' 'After the plan' 'Socket 1'; do
    grep -q "$text" one.svg || fail "no '$text' in the picture"
done
if command -v rsvg-convert >/dev/null; then
    rsvg-convert one.svg -o one.png || fail "the picture is not SVG"
elif command -v xmllint >/dev/null; then
    xmllint --noout one.svg || fail "the picture is not XML"
fi

"$program" "${advise[@]}" "$data/quiet.json" --svg quiet.svg >quiet.txt ||
    fail "quiet"
grep -q 'Nothing is to be gained' quiet.txt || fail "quiet: $(cat quiet.txt)"
grep -q 'Nothing is to be gained' quiet.svg || fail "quiet.svg"
grep -q 'After the plan' quiet.svg && fail "quiet.svg has an after"

# What goes by a link has its own line, and a step that links names the vifs.
two=$srcdir/tests/unit/hosts/two-vifs.json
"$program" "${advise[@]}" "$two" >two.txt || fail "two vifs"
for text in '^web .* db .* 114.00 .* vif$' '^web .* db .* 0.00 .* link$' \
    'xl shmlink enable web:1 db:1 '; do
    grep -q "$text" two.txt || fail "two vifs: no '$text' in $(cat two.txt)"
done
# Neither is on this machine.
expect 0 'xl shmlink enable 0000.*02:1 0000.*03:1 ' apply -N \
    <("$program" "${advise[@]}" "$two" -j)

# A plan is shown, never done, with -N; and needs Xen without.
db=00000000-0000-0000-0000-000000000003
expect 0 'Nothing was changed' -N apply plan.json
expect 0 'Nothing was changed' apply -N plan.json
sed 's/"command": *"xl vcpu-pin[^"]*"/"command": "xl a-lie"/' plan.json >lie.json
expect 0 "xl vcpu-pin $db 0 - 0" -N apply lie.json
grep -q 'a-lie' out && fail "a plan's own word for its steps is believed"
# Nor is its word for a VM, which may be a command, or another VM's name.
sed 's/"name": *"db"/"name": "$(touch pwned)"/' plan.json >name.json
expect 0 "xl vcpu-pin $db 0 - 0" apply -N name.json
grep -q 'touch' out && fail "a plan's name of a VM: $(cat out)"
expect 0 'has no steps' apply <("$program" "${advise[@]}" "$data/quiet.json" -j)
expect 1 . apply --state-dir "$work/state" plan.json
expect 1 'No such file' "${advise[@]}" /nowhere.json

# What would be ignored is refused.
expect 2 'are for --apply' advise --settle 30
expect 2 'are for --apply' advise -f
expect 2 '-t is for a measurement' "${advise[@]}" "$data/quiet.json" -t 5
expect 2 '-t is for a measurement' record --from "$data/quiet.json" -t 5
expect 2 '--from makes none' rebalance --settle 30 --from "$data/quiet.json"
expect 2 "unknown option '-c'" apply -c /dev/null plan.json

# What was held back by a wish of the administrator's, who may have mistyped.
expect 0 'gained on this host within these limits' "${advise[@]}" \
    "$data/quiet.json" --set max-moves=0
grep -q 'max-moves is 0' out || fail "max-moves: $(cat out)"
expect 0 'gained on this host within these limits' "${advise[@]}" \
    "$data/busy-pair.json" --set banned-pcpus=0-3 --set max-links=0
expect 0 'unmanaged: no VM here has the name or UUID web2' "${advise[@]}" \
    "$data/busy-pair.json" --set unmanaged=web,web2 --set isolated=none
grep -q 'isolated: no VM' out && fail "none is taken for a VM"
grep -q 'UUID web$' out && fail "a VM that is there is not found"
expect 0 'link-group: no VM here has the name or UUID web2' "${advise[@]}" \
    "$data/busy-pair.json" --set link-group=web,db --set link-group=web2,db
grep -q 'xl shmlink enable web db' out || fail "a group keeps its own apart"

# A name that is cut has a mark, and a number stands beside it; a command that
# has a number says whose it is.
sed 's/"name": "web"/"name": "web server of the shop"/
    s/"name": "db"/"name": "web server of the mail"/' \
    "$data/busy-pair.json" >long.json
expect 0 '^web server of t~ *1  web server of t~ *2 ' "${advise[@]}" long.json
grep -q '^ *1 is web server of the shop$' out || fail "whose number? $(cat out)"

# Usage.
expect 2 'needs a measurement here' "${advise[@]}" "$data/quiet.json" --apply
expect 2 'is not a number' advise -t never
expect 2 'is not a number' advise -t 0
# Where nothing is measured for so long, it must not look as if it were.
expect 2 "unknown option '-t'" apply -t 5 plan.json
expect 2 "unknown option '--time=5'" apply --time=5 --settle 5 plan.json
expect 2 'is not a number from 5 to 3600' apply --settle=3 plan.json
expect 2 "unknown option '-t'" rebalance -N -t 5
expect 2 'NAME=VALUE' advise --set boo
expect 1 'boo' advise --from "$data/quiet.json" -c /dev/null --set boo=1
expect 2 'one plan' apply
expect 2 'not a number' undo x
expect 2 'one number at most' undo 1 2
expect 2 'days' rebalance --days 0
expect 1 'out.of.range\|min-gain' rebalance --min-gain -1 --from \
    "$data/quiet.json" --state-dir "$work/state" -c /dev/null
expect 0 'Usage: xl shmlink advise' help advise

# Bad input.
head -c 700 "$data/busy-pair.json" >short.json
expect 1 'short.json' "${advise[@]}" short.json
sed 's/"schema": *1/"schema": 99/' "$data/busy-pair.json" >future.json
expect 1 'future.json.*\(newer\|99\)' "${advise[@]}" future.json
sed 's/"uuid": *"0/"uuid": "x/' "$data/busy-pair.json" >uuid.json
expect 1 'uuid' "${advise[@]}" uuid.json
: >empty.json
expect 1 'empty.json' "${advise[@]}" empty.json
expect 1 . apply short.json
# A name that would be markup, in the picture.
sed 's/"name": "web"/"name": "<b>\&amp"/' "$data/busy-pair.json" >markup.json
"$program" "${advise[@]}" markup.json --svg markup.svg >/dev/null ||
    fail "markup"
grep -q '<b>' markup.svg && fail "a name is not escaped"
expect 1 'No space' "${advise[@]}" "$data/quiet.json" --svg /dev/full

# The journal.
expect 0 'Nothing was changed yet' history --state-dir "$work/new"
expect 0 '\[' history -j --state-dir "$work/new"
# With -N nothing is undone, and what cannot be told of is not done either.
expect 0 'Nothing was changed' apply -N plan.json
expect 0 'nothing to undo' -N undo --state-dir "$work/new"
expect 1 'no run 7' undo -N --state-dir "$work/new" 7
expect 2 'settle' record --settle=5 --state-dir "$work/new"
expect 2 'there is no -N for it' -N record --state-dir "$work/new" \
    --from "$data/quiet.json"
if command -v sqlite3 >/dev/null; then
    cp -r new undo
    sqlite3 undo/journal.db "INSERT INTO run(id, started_s, pid, pid_start,
        command, plan_id, state) VALUES(7, 1, 1, 1, 'apply', 'p', 2);
        INSERT INTO step(run, n, uuid, what, state)
        VALUES(7, 0, 'u', 'xl vcpu-set web 2', 2)"
    expect 0 'would be taken back: xl vcpu-set web 2' undo -N \
        --state-dir "$work/undo"
    expect 0 '1/1 .* done' history --state-dir "$work/undo"
fi
mkdir bad
echo no database >bad/journal.db
expect 1 'is damaged' history --state-dir "$work/bad"
expect 1 'No such file\|cannot' history --state-dir /nowhere/at/all
# Its first page is sound, the others are not.
mkdir torn
cp new/journal.db torn
dd if=/dev/urandom of=torn/journal.db bs=4096 seek=1 count=8 conv=notrunc \
    status=none
expect 1 'is damaged' history --state-dir "$work/torn"

exit "$failed"
