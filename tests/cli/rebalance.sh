#!/bin/bash
# Goal: a recorded day with a busy afternoon, replayed: rebalance at a quiet
# moment plans for the afternoon, and says what it decides in lines.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"
export TZ=UTC

# at TIME FILE: FILE as if it had been measured then.
at() { sed "s/\"time\": *[0-9]*/\"time\": $1/" "$data/$2"; }

midnight=$(($(date +%s) / 86400 * 86400))
rebalance=(rebalance -c /dev/null --state-dir "$work/state" --from now.json)
at "$midnight" quiet.json >now.json

"$program" "${rebalance[@]}" >none.txt || fail "no history: $?"
grep -q 'nothing done: fewer than 12 records' none.txt || fail "$(cat none.txt)"

day() { # START: one record every half hour, busy from 13 to 17 o'clock
    local hour half file
    for hour in {0..23}; do
        file=quiet.json
        [ "$hour" -lt 13 ] || [ "$hour" -ge 17 ] || file=busy-pair.json
        for half in 0 1800; do
            at $(($1 + hour * 3600 + half + 60)) "$file" >record.json
            "$program" record -q --state-dir "$work/state" --from record.json ||
                fail "record"
        done
    done
}

day $((midnight - 86400))
"$program" "${rebalance[@]}" >plan.txt || fail "rebalance"
cat plan.txt
grep -q 'planning for 13:00-17:00, the busy hours of 1 recorded day' plan.txt ||
    fail "not for the afternoon"
grep -q 'would do xl shmlink enable web db: ' plan.txt ||
    fail "nothing is planned, or it is told as done"
grep -q '^rebalance: predicted: ' plan.txt || fail "no prediction"
grep -qv '^rebalance: ' plan.txt && fail "a line is no decision"
"$program" "${rebalance[@]}" >again.txt
cmp plan.txt again.txt || fail "not the same again"
[ -z "$("$program" "${rebalance[@]}" -q)" ] || fail "-q is not quiet"

# The pair without a link is moved, and limits leave nothing to do.
no_link=("${rebalance[@]}" --set link-bytes=1e12)
"$program" "${no_link[@]}" >out
grep -q 'xl vcpu-pin' out || fail "no move without a link: $(cat out)"
"$program" "${no_link[@]}" --min-gain 100 >out
grep -q 'nothing done: nothing is to be gained' out || fail "--min-gain"
"$program" "${no_link[@]}" --max-moves 0 >out
grep -q 'nothing done: nothing is to be gained' out || fail "--max-moves"

# A later day without the busy afternoon: one day alone decides nothing.
at "$((midnight + 86400))" quiet.json >now.json
for hour in {0..23}; do
    at $((midnight + hour * 3600 + 60)) quiet.json >record.json
    "$program" record -q --state-dir "$work/state" --from record.json
done
"$program" "${rebalance[@]}" >later.txt
grep -q 'nothing done: the last day alone does not ask for it' later.txt ||
    fail "later: $(cat later.txt)"

"$program" record --state-dir "$work/state" --from record.json >out
grep -qE 'Recorded .* 73 records in [0-9]+ KiB. Cost: [0-9.]+ s of CPU' out ||
    fail "$(cat out)"
# What a line is of: nobody left the data alone.
sed 's/"notes": *\[[^]]*\]/"notes": [{"source": "psample", "text": "gone"}]/' \
    now.json >noted.json
grep -q psample noted.json || fail "noted.json has no note"
"$program" "${rebalance[@]}" --from noted.json --set banned-pcpus=3 \
    --set link-bytes=1e12 --max-moves 0 >out
grep -q '^rebalance: on the data: psample: gone$' out || fail "$(cat out)"
grep -q '^rebalance: left alone: nothing is put on pCPUs 3' out ||
    fail "$(cat out)"
# Its first page is sound, the others are not: one line, and no success.
cp -r state torn
dd if=/dev/urandom of=torn/history.db bs=4096 seek=1 count=64 conv=notrunc \
    status=none
"$program" "${rebalance[@]}" --state-dir "$work/torn" >out 2>&1 &&
    fail "a torn history"
[ "$(grep -c 'is damaged' out)$(wc -l <out)" = 11 ] || fail "torn: $(cat out)"
echo no database >state/history.db
"$program" "${rebalance[@]}" >out 2>&1 && fail "a damaged history"
grep -q 'is damaged' out || fail "$(cat out)"

exit "$failed"
