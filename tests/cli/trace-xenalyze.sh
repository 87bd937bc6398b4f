#!/bin/sh
# Goal: our metrics of a recorded trace are xenalyze's, within its rounding.
# SPDX-License-Identifier: GPL-2.0-or-later
set -u
: "${srcdir:=.}" "${builddir:=.}"
file=$srcdir/tests/data/two-pcpus.trace
if ! command -v xenalyze >/dev/null; then
    echo "no xenalyze (package xen-utils-common)"
    exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
"$builddir/xl-shmlink" trace-report "$file" >"$work/us" || exit 1
xenalyze --summary "$file" >"$work/xenalyze" 2>/dev/null || exit 1
awk '
    NR == FNR { if (/^d/) { us[$1 "running:"] = $3; us[$1 "runnable:"] = $4
                            us[$1 "blocked:"] = $5 }
                next }
    /^\|-- Domain/ { d = $3; v = "" }
    /^-- v/ { v = substr($2, 2) }
    v != "" && d != 32767 && /^ *(running|runnable|blocked):/ {
        x = $2 * $4
        e = us["d" d "v" v $1] / x - 1
        e = e < 0 ? -e : e
        printf "d%sv%s %s %.0f, off by %.1g\n", d, v, $1, x, e
        n++
        if (e > 1e-4) bad = 1 }
    END { exit bad || n != 12 }' "$work/us" "$work/xenalyze"
