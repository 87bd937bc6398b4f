#!/bin/sh
# Goal: every input that a fuzzer ever found to matter runs clean again.
# SPDX-License-Identifier: GPL-2.0-or-later
set -u
: "${srcdir:=.}" "${builddir:=.}"
status=77
for target in "$builddir"/tests/fuzz/fuzz-*; do
    case $target in *.c | *.o | *'*') continue ;; esac
    name=${target##*/fuzz-}
    set -- "$srcdir/tests/fuzz/corpus/$name"/*
    if [ ! -e "$1" ]; then
        echo "fuzz-$name: no corpus in $srcdir/tests/fuzz/corpus/$name"
        exit 1
    fi
    if "$target" "$@" >replay.out 2>&1; then
        echo "fuzz-$name: $# inputs"
        [ $status = 77 ] && status=0
    else
        cat replay.out
        echo "fuzz-$name: failed"
        status=1
    fi
    rm -f replay.out
done
[ $status = 77 ] && echo "no fuzz target was built"
exit $status
