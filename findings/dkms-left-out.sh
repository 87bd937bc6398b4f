#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DKMS: a module that BUILD_EXCLUSIVE_KERNEL leaves out for a kernel counts as
# one that failed: `dkms autoinstall`, which the kernel package's postinst runs,
# exits 11, so installing that kernel fails although there is nothing to build. A
# package that means "not on this kernel" must not lean on it alone.
#
# Seen with DKMS 3.0.10; no headers of such a kernel are needed to see it.
# shellcheck source=findings/lib.bash
. "$(dirname "$0")/lib.bash"

packages dkms=3.0.10-8+deb12u1
mkdir -p "$work/src" "$work/state" "$work/modules/9.9.9/build"
add() { # NAME [LINE]: a module whose build is to copy a file
    mkdir "$work/src/$1-1.0"
    : >"$work/src/$1-1.0/$1.ko"
    cat >"$work/src/$1-1.0/dkms.conf" <<C
PACKAGE_NAME="$1"
PACKAGE_VERSION="1.0"
BUILT_MODULE_NAME[0]="$1"
DEST_MODULE_LOCATION[0]="/updates/dkms"
MAKE[0]="true"
CLEAN="true"
AUTOINSTALL="yes"
${2:-}
C
    dkms add "$1/1.0" >/dev/null
}
dkms() {
    "$root/usr/sbin/dkms" --dkmstree "$work/state" --sourcetree "$work/src" \
        --installtree "$work/modules" --no-depmod "$@"
}
autoinstall() {
    local status=0
    dkms -k 9.9.9 autoinstall >"$work/said" 2>&1 || status=$?
    echo "$status"
}

add aside 'BUILD_EXCLUSIVE_KERNEL="^6\."'
expect "exit status with a module for 6.* only, on 9.9.9" "$(autoinstall)" 11
expect "it is called a failure" \
    "$(grep -c 'modules failed to install' "$work/said")" 1
finish
