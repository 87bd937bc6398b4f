# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: an HVM guest, whose devices dom0's QEMU emulates, is linked to a PV
# guest in both roles, and over a save and restore of it.
# lab: --guests 1 --timeout 900
# Last result: passed in 130 s on Debian 13 (Xen 4.20.4, QEMU 10.0 in dom0, Linux
# 6.12), 2026-11-28, on a busy machine.

. /lab/link.sh

boot_guest vm2 type=hvm
for pair in "vm1 vm2" "vm2 vm1"; do
    read -r back front <<<"$pair"
    expect_path vif "$back" "$front"
    enable "$back" "$front"
    expect_path link "$back" "$front"
    disable "$back" "$front"
done
enable vm1 vm2
xl save vm2 /tmp/vm2.save || fail "save"
xl restore /tmp/vm2.save || fail "restore"
rm -f /tmp/vm2.save
expect_path link vm1 vm2
disable vm1 vm2
expect_path vif vm1 vm2
expect_nothing_left
