# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: on Debian 12's Xen, guests of the oldest and of the newest kernel are
# linked again and again, in both roles, and xenbus resets no state; what dom0's
# commands ask of that Xen works.
# lab: --suite bookworm --guests 1 --guest-kernel 6.1,7.3

. /lab/link.sh
. /lab/kernels.sh

boot_guest vm2 kernel=7.3
kernel_is vm1 6.1
kernel_is vm2 7.3
for pair in "vm1 vm2" "vm2 vm1"; do
    read -r back front <<<"$pair"
    enable "$back" "$front"
    expect_path link "$back" "$front"
    disable "$back" "$front"
    flip_link "$back" "$front" 5
done
no_reset vm1
no_reset vm2
expect_path vif vm1 vm2
expect_nothing_left

note "measure and advise"
xl info | grep -q '^xen_version *: 4.17' || fail "not Debian 12's Xen"
xl shmlink snapshot -q -t 3 /tmp/s.json || fail "snapshot"
jq -e '[.domains[] | select(.name == "vm1" or .name == "vm2") |
    .vcpus[0].wait.source] == ["trace", "trace"]' /tmp/s.json >/dev/null ||
    fail "no trace: $(jq -c '.domains[].vcpus[0].wait' /tmp/s.json)"
xl shmlink advise --from /tmp/s.json >/dev/null || fail "advise"
