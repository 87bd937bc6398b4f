# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: traffic falls back to the vif, and reaches who is to get it, when the
# peer's MAC address is taken over by another guest, also while the peer hangs,
# when its vif goes down, rests in a bond, leaves for a network namespace or is
# unplugged; and enable refuses a guest that has another MAC address than its
# configuration.
# lab: --guests 3 --timeout 600

. /lab/link.sh

m2=$(guest_mac vm2) m3=$(guest_mac vm3) ip2=$(guest_ip vm2) ip3=$(guest_ip vm3)

# set_mac DOM MAC IP
set_mac() {
    guest "$1" "ip addr flush dev eth0; ip link set eth0 down &&
        ip link set eth0 address $2 && ip link set eth0 up &&
        ip addr add $3/24 dev eth0 && ping -c 2 -W 2 10.77.0.1 >/dev/null" ||
        fail "$1 cannot take $2 and $3"
}
give_back() { set_mac vm3 "$m3" "$ip3"; set_mac vm2 "$m2" "$ip2"; }
reaches() { guest vm1 "ping -n -q -c 4 -i 0.2 -W 1 $ip2" >/dev/null; }
expect_reached() { wait_for "$1" reaches || { show_link vm1 vm2; fail "$2"; }; }

# expect_held DOM WORD: list says why it uses its vif; no WORD: it does not.
held() {
    xl shmlink list -j | jq -e --arg dom "$1" --arg word "${2:-}" '
        [.[0].ends[] | select(.name == $dom) | .held[]] |
        if $word == "" then . == [] else index($word) != null end' >/dev/null
}
expect_held() {
    wait_for 5 held "$@" || { xl shmlink list; fail "$1 is not held by '${2:-}'"; }
}

# expect_link WHAT: by the link again, in both directions.
expect_link() {
    local before
    expect_held vm1
    expect_held vm2
    before=$(link_sum tx_packets vm1 vm2)
    expect_reached 5 "$1"
    [ $(($(link_sum tx_packets vm1 vm2) - before)) -ge 6 ] ||
        fail "$1: the link is not used"
    note "ok: $1"
}

# plug_in MAC NAME: another vif for vm2. libxl gives dom0's script 10 seconds.
plug_in() {
    wait_for 60 xl network-attach vm2 "mac=$1" bridge=xenbr0 ||
        fail "network-attach"
    wait_for 20 guest vm2 "ip link show $2 >/dev/null 2>&1" || fail "no $2"
}

enable vm1 vm2
expect_link "linked"

note "a standby takes over"
set_mac vm2 02:00:00:00:00:02 10.77.0.99
set_mac vm3 "$m2" "$ip2"
expect_reached 5 "the standby has the MAC of vm2, and vm1 does not reach it"
expect_held vm1 peer
expect_held vm2 mac
give_back
expect_link "the active one has its address again"

note "a standby takes over from one that hangs"
xl pause vm2
set_mac vm3 "$m2" "$ip2"
expect_reached 5 "vm2 hangs, and vm1 does not reach the standby with its MAC"
set_mac vm3 "$m3" "$ip3"
xl unpause vm2
guest vm2 "ping -c 2 -W 2 10.77.0.1 >/dev/null"
expect_link "it hangs no more"

# As the bridge does, who has sent last has it: vm2 may send at any time.
used_by_vm3() {
    guest vm3 'ip neigh flush all; ping -c 1 -W 2 10.77.0.1 >/dev/null'
    held vm2 moved && held vm1 peer
}

note "another guest uses the same address"
set_mac vm3 "$m2" "$ip3"
wait_for 20 used_by_vm3 || {
    xl shmlink list
    fail "vm2's address is used by vm3, and vm2 is not held by 'moved'"
}
set_mac vm3 "$m3" "$ip3"
guest vm2 "ping -c 2 -W 2 10.77.0.1 >/dev/null"
expect_link "it has its address for itself again"

note "the vif goes down and comes back"
guest vm2 'ip link set eth0 down'
expect_held vm1 peer
expect_held vm2 down
guest vm2 "ip link set eth0 up; ip addr replace $ip2/24 dev eth0"
expect_link "up again"

note "another MAC address than the configuration's"
disable vm1 vm2
set_mac vm2 02:00:00:00:00:02 "$ip2"
for pair in 'vm1 vm2' 'vm2 vm1'; do
    # shellcheck disable=SC2086
    if xl shmlink enable $pair 2>/tmp/said; then
        fail "linked, though vm2 has another MAC address"
    fi
    cat /tmp/said
    grep -q 'vm2.* another MAC address' /tmp/said || fail "no word of why"
done
expect_nothing_left
set_mac vm2 "$m2" "$ip2"

note "a bond chooses its other leg"
plug_in 00:16:3e:77:01:02 eth1
guest vm2 'modprobe bonding max_bonds=0' || fail "no bonding"
enable vm1 vm2
guest vm2 "ip link add bond0 type bond mode active-backup miimon 100 &&
    for dev in eth0 eth1; do ip addr flush dev \$dev; ip link set \$dev down &&
        ip link set \$dev master bond0; done
    ip link set bond0 type bond active_slave eth0; ip link set bond0 up &&
    ip addr add $ip2/24 dev bond0 && ping -c 2 -W 2 10.77.0.1 >/dev/null" ||
    fail "no bond"
expect_link "by the bond's leg"
guest vm2 'ip link set bond0 type bond active_slave eth1'
expect_reached 5 "not reached by the bond's other leg"
expect_held vm2 backup
guest vm2 'ip link set bond0 type bond active_slave eth0'
expect_link "by the first leg again"
guest vm2 "ip link del bond0; ip link set eth0 up; ip addr add $ip2/24 dev eth0"
xl network-detach vm2 1 || fail "network-detach"
expect_link "without the bond"

no_link() { [ -z "$(xl shmlink list -j | jq -r '.[].state')" ]; }
note "the vif leaves for a namespace"
guest vm2 "ip netns add box && ip link set eth0 netns box &&
    ip -n box addr add $ip2/24 dev eth0 && ip -n box link set eth0 up" ||
    fail "no namespace"
expect_reached 5 "not reached in the namespace"
wait_for 5 no_link || fail "the link has not gone: $(xl shmlink list)"
guest vm2 "ip -n box link set eth0 netns 1; ip netns del box
    ip link set eth0 up; ip addr add $ip2/24 dev eth0"
enable vm1 vm2
expect_link "back from the namespace"

note "the vif is unplugged"
xl network-detach vm2 0 || fail "network-detach"
wait_for 5 no_link || fail "the link has not gone: $(xl shmlink list)"
expect_nothing_left
plug_in "$m2" eth0
guest vm2 "ip link set eth0 up; ip addr add $ip2/24 dev eth0
    ip addr add $(guest_ip6 vm2)/64 dev eth0 nodad"
enable vm1 vm2
expect_link "plugged in again"
disable vm1 vm2
