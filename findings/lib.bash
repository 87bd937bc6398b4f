# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the findings share. Sourced by them.
#
#   packages NAME=VERSION...   unpack them in $root
#   compile FILE [FLAGS...]    build FILE.c against $root, into $work/FILE
#   run COMMAND...             with the libraries in $root
#   expect WHAT SEEN WANTED    print it; note where it is something else
#   finish                     fail where an expect did
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
libraries=$root/usr/lib/$(gcc -print-multiarch)
changed=0

packages() {
    local deb
    printf 'packages: %s\n' "$*"
    (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$@") || {
        echo "these versions are not to be had here any more" >&2
        exit 1
    }
    for deb in "$work"/*.deb; do
        dpkg -x "$deb" "$root"
    done
}

compile() {
    local file=$1
    shift
    gcc -Wall -o "$work/$file" "$work/$file.c" -I"$root/usr/include" \
        -L"$libraries" "$@"
}

run() { LD_LIBRARY_PATH=$libraries "$@"; }

expect() {
    printf '%s: %s\n' "$1" "$2"
    [ "$2" = "$3" ] || { echo "  it was $3"; changed=1; }
}

finish() {
    [ "$changed" = 0 ] || { echo "CHANGED"; exit 1; }
    echo "as it was"
}
