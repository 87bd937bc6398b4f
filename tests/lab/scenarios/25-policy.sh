# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: what dom0's administrator decides later holds for a link too: list marks
# it, the next command that changes links closes it, or leaves it where it was
# forced; and the advisor knows of it what enable knows.
# lab: --guests 2 --timeout 900

. /lab/commands.sh

vif=$(vif_of vm2)
ip2=$(guest_ip vm2)
reaches() { guest vm1 "ping -n -q -c 3 -i 0.5 -W 1 $ip2" >/dev/null; }
# listed JQ-FILTER TEXT: of the only link.
listed() {
    local found
    found=$(xl shmlink list -j | jq -r ".[] | $1")
    [ "$found" = "$2" ] || fail "$1: '$found', not '$2'"
}
# no_link TEXT: what the snapshot says of vm2's vif.
no_link() {
    local found
    xl shmlink snapshot -t 0 /tmp/now.json || fail "snapshot"
    found=$(jq -r '.domains[] | select(.name == "vm2").vifs[0].no_link' \
        /tmp/now.json)
    [ "$found" = "$1" ] || fail "no_link: '$found', not '$1'"
}

note "a quarantine, after the link"
wait_for 20 reaches || fail "vm2 is not reached before"
no_link null
expect_exit 0 'are linked' xl shmlink enable vm1 vm2
listed .bypasses null
reaches || fail "vm2 is not reached by the link"
ip link set "$vif" down
listed .bypasses "$vif of vm2 is down"
listed .state connected
expect_exit 0 "forbidden by now: $vif of vm2 is down" xl shmlink list
no_link "$vif of vm2 is down"
status=0
xl shmlink enable vm1 vm2 >/tmp/said 2>&1 || status=$?
cat /tmp/said
[ "$status" = 1 ] || fail "exit status $status"
grep -q "closing the link of vm1 and vm2, .*: $vif of vm2 is down" /tmp/said ||
    fail "does not say that it closes the link"
grep -q "$vif of vm2 is down, which a link would bypass" /tmp/said ||
    fail "does not say why it refuses"
expect_exit 0 '^Domain 1' xl shmlink list
[ "$(xl shmlink list -j | jq length)" = 0 ] || fail "a link is left"
! reaches || fail "vm2 is reached all the same"
ip link set "$vif" up
wait_for 40 reaches || fail "vm2 is not reached again"

note "forced"
expect_exit 0 'are linked' xl shmlink enable vm1 vm2
listed .forced false
tc qdisc add dev "$vif" root tbf rate 10mbit burst 100k latency 50ms
expect_exit 0 'are linked already' xl shmlink enable --force vm1 vm2
listed .forced true
limit="$vif of vm2 is limited by traffic control (qdisc 'tbf')"
listed .bypasses "$limit"
no_link "$limit"
expect_exit 0 'forced, and bypasses' xl shmlink list
expect_exit 0 'are linked already' xl shmlink enable vm2 vm1
listed .state connected
tc qdisc del dev "$vif" root
expect_exit 0 'not linked any more' xl shmlink disable vm1 vm2

note "what the advisor knows"
bridge vlan add dev "$vif" vid 10 pvid untagged
ip link set xenbr0 type bridge vlan_filtering 1
no_link null
[ "$(jq -r '[.domains[] | select(.domid != 0).vifs[0].vlans] | unique |
    length' /tmp/now.json)" = 2 ] || fail "no VLANs in the snapshot"
ip link set xenbr0 type bridge vlan_filtering 0
bridge vlan del dev "$vif" vid 10
bridge vlan add dev "$vif" vid 1 pvid untagged
nft add table bridge guard
nft add chain bridge guard forward \
    '{ type filter hook forward priority 0; policy drop; }'
no_link "dom0 filters by nftables (chain 'forward' of table 'guard' has rules)"
nft delete table bridge guard
no_link null
