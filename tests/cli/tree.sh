#!/bin/bash
# Goal: the folders of src/ and advisor/ stand on each other without a circle,
# a header that is private to its folder is included from there only, and
# advisor/ has nothing at its top but the front door.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"
cd "$srcdir" || exit 1

# "FOLDER HEADER" of each include that names a folder.
includes() {
    grep -roE --include='*.[ch]' '#include "[a-z]+/[^"]+"' src/base \
        src/toolstack advisor/*/ |
        sed -nE 's,^(src|advisor)/([a-z]+)/[^:]*:#include "(.*)",\2 \3,p'
}

includes | sed 's,/.*,,' | awk '$1 != $2' | sort -u >"$work/edges"
[ "$(wc -l <"$work/edges")" -ge 8 ] || fail "includes are not found"
tsort "$work/edges" >/dev/null 2>"$work/circle" ||
    fail "a circle of folders: $(cat "$work/circle")"
includes | awk '$2 ~ /-priv\.h$/ && index($2, $1 "/") != 1' >"$work/private"
[ ! -s "$work/private" ] || fail "another folder's: $(cat "$work/private")"
grep -rlE --include='*.[ch]' '#include "[a-z]+/[^"]+-priv\.h"' xl-plugin \
    >"$work/private" && fail "private headers: $(cat "$work/private")"
top=$(cd advisor && find . -maxdepth 1 -type f -name '*.[ch]')
[ "$top" = ./advisor.h ] || fail "at the top of advisor/: $top"

exit "$failed"
