#!/bin/bash
# Goal: man/shmlink-snapshot.5 names every key and word of the tables that
# snapshots and plans are read and written by, at the object that has it, and
# none that is not there; and its examples are accepted.
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

# The same of the tables, with one name for objects that stand at many places.
tables() {
    "$builddir/tests/cli/fields" "$1" | sed -E 's/^.*subjects\[\]/subjects[]/
        s/^(before|after) /before, after /
        s/^[^ ,]*[^], ] (value|error|source)$/Values \1/' | LC_ALL=C sort -u
}

for part in snapshot plan; do
    documented "${part^^}" >"$work/page.txt"
    tables "$part" >"$work/tables.txt"
    diff "$work/page.txt" "$work/tables.txt" >"$work/diff.txt" ||
        fail "$part: the page (<) and the tables (>): $(cat "$work/diff.txt")"
done
"$builddir/tests/cli/fields" words | LC_ALL=C sort -u >"$work/words.txt"
sed -nE 's/^\.(It )?Cm //p' "$page" | tr -s ' ,' '\n\n' | LC_ALL=C sort -u |
    LC_ALL=C comm -23 "$work/words.txt" - >"$work/missing.txt"
[ ! -s "$work/missing.txt" ] ||
    fail "words not in the page: $(cat "$work/missing.txt")"

cd "$work" || exit 1
# The examples, in order: a snapshot and a plan.
sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$page" |
    sed -n '/^{/,/^}/p' | csplit -sz -f example - '/^{/' '{*}'
"$program" advise -c /dev/null --from example00 >out 2>&1 ||
    fail "the page's snapshot: $(cat out)"
grep -q 'web vCPU 0 waits 44 %' out || fail "the page's snapshot: $(cat out)"
"$program" apply -N example01 >out 2>&1 || fail "the page's plan: $(cat out)"
grep -q 'xl vcpu-pin 00000000-0000-0000-0000-000000000003 0 - 2' out || fail "the page's plan: $(cat out)"

exit "$failed"
