# shellcheck shell=bash
# For the scripts here: where the program is, an empty folder to work in, and
# what to do when something is wrong. A script ends with: exit "$failed"
# SPDX-License-Identifier: GPL-2.0-or-later
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${srcdir:-.}" && pwd)
program=$builddir/xl-shmlink
data=$srcdir/tests/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

fail() {
    printf 'FAIL: %s\n' "$*"
    failed=1
}
