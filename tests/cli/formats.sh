#!/bin/bash
# Goal: man/shmlink-snapshot.5 names every key and word that snapshots and
# plans are written with, at the object that has it, and none that is not
# written; and its examples are accepted.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"
page=$srcdir/man/shmlink-snapshot.5

# "OBJECT KEY" lines of the page's part $1; the root's OBJECT is "root".
documented() {
    awk -v part="$1" '
        /^\.Sh/ { on = $0 ~ part || /DESCRIPTION/; object = "root" }
        /^\.Ss/ && !/Format|accepted/ { object = substr($0, 5) }
        /^\.It Va/ && on {
            for (i = 3; i <= NF; i++)
                if ($i != ",") print object, $i
        }' "$page" | LC_ALL=C sort -u
}

# The same of JSON files, with one name for objects that stand at many places.
written() {
    jq -r 'def object:
            if . == [] then "root"
            elif .[-2:-1] == ["subjects"] then "subjects[]"
            elif . == ["before"] or . == ["after"] then "before, after"
            elif .[-1] | type == "string" then "Values"
            else map(if type == "number" then "[]" else "." + . end) |
                add[1:] end;
        paths | select(.[-1] | type == "string") |
        "\(.[:-1] | object) \(.[-1])"' "$@" | LC_ALL=C sort -u
}

same() {
    diff page.txt file.txt >diff.txt ||
        fail "$1: the page (<) and what is written (>): $(cat diff.txt)"
}

# All keys in the sources: a new one need not be in a file yet. In them a
# string of this form is a key.
cd "$srcdir/advisor/model" || exit 1
{ printf '%s\n' format schema
  grep -ohE '"[a-z_]+"' snapshot-save.c plan-save.c | tr -d '"'
  sed -nE 's/^ +PUT_RATE\(([a-z_]+)\);/\1/p' snapshot-save.c
} | LC_ALL=C sort -u >"$work/file.txt"
grep -ohE '"[a-z-]+"' snapshot-priv.h plan.c | tr -d '"' |
    grep -v '^shmlink-' | LC_ALL=C sort -u >"$work/words.txt"
cd "$work" || exit 1
{ documented SNAPSHOT; documented PLAN; } | sed 's/.* //' |
    LC_ALL=C sort -u >page.txt
same sources
sed -nE 's/^\.(It )?Cm //p' "$page" | tr -s ' ,' '\n\n' | LC_ALL=C sort -u |
    LC_ALL=C comm -23 words.txt - >missing.txt
[ ! -s missing.txt ] || fail "words not in the page: $(cat missing.txt)"

# The examples, in order: a snapshot and a plan.
sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$page" |
    sed -n '/^{/,/^}/p' | csplit -sz -f example - '/^{/' '{*}'
"$program" advise -c /dev/null --from example00 >out 2>&1 ||
    fail "the page's snapshot: $(cat out)"
grep -q 'share pCPU 1' out || fail "the page's snapshot: $(cat out)"
"$program" apply -N example01 >out 2>&1 || fail "the page's plan: $(cat out)"
grep -q 'xl vcpu-pin db 0 - 2' out || fail "the page's plan: $(cat out)"

command -v jq >/dev/null || { echo "no jq: half of it"; exit "$failed"; }
# Everything that a snapshot can have, and that advice has for it.
jq '.domains[1].vcpus[0].switched_by = [{"domid": 2, "per_second": 7.5}] |
    .domains[1].node_memory_bytes = [1, 2] |
    .notes = [{"source": "trace", "text": "busy"}] |
    .traffic[0] += {"from_vif": 0, "to_vif": 0} |
    .links = [{"nonce": "00112233445566778899aabbccddeeff", "up": true,
        "since": 1, "ring_bytes": 131072, "ends": [1, 2 | {"domid": .,
        "vif": 0, "counters_ok": true, "tx_bytes": 1, "tx_packets": 1,
        "rx_bytes": 1, "rx_packets": 1, "tx_notifications": 1,
        "rx_notifications": 1, "tx_stalls": 1, "tx_drops": 1,
        "rx_drops": 1}]}]' "$data/busy-pair.json" >full.json
"$program" advise -c /dev/null -j --from full.json >plan.json ||
    fail "advise"
documented SNAPSHOT >page.txt
written full.json "$data/quiet.json" example00 >file.txt
same snapshot
documented PLAN >page.txt
written plan.json "$data/busy-pair.plan.json" example01 >file.txt
same plan

exit "$failed"
