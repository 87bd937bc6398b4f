# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: a link takes the traffic and the vifs stand still; without it the vifs
# count again. PV and PV, PVH and PVH, one of each, in both roles.
# lab: --guests 2 --timeout 900

. /lab/link.sh

check_pair() {
    note "$1 and $2"
    expect_path vif "$1" "$2"
    enable "$1" "$2"
    [ "$(link_state "$1" "$2")" = connected ] || fail "not connected"
    expect_path link "$1" "$2"
    guest "$1" "ping -c 3 -i 0.2 -W 2 $(guest_ip "$2")" >/dev/null ||
        fail "ping over the link"
    guest "$2" "ping -c 3 -i 0.2 -W 2 $(guest_ip6 "$1")" >/dev/null ||
        fail "ping over the link, IPv6"
    xl shmlink list
    disable "$1" "$2"
    expect_path vif "$1" "$2"
    expect_nothing_left
}

boot_guest vm3 type=pvh wait=no
boot_guest vm4 type=pvh
guest vm3 true

check_pair vm1 vm2
check_pair vm3 vm4
check_pair vm1 vm3
check_pair vm4 vm2
destroy_guest vm3
destroy_guest vm4
expect_no_zombies
