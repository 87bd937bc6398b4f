# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: what dom0's administrator decides holds for a link: enable refuses, and
# the advisor knows it of the same function; what is decided later list marks,
# and the next command that changes links closes the link, or leaves it where it
# was forced.  A plan's link that is refused leaves the rest of the plan.
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
    xl shmlink snapshot -t 0 /tmp/now.json 2>/dev/null || fail "snapshot"
    found=$(jq -r '.domains[] | select(.name == "vm2").vifs[0].no_link' \
        /tmp/now.json)
    [ "$found" = "$1" ] || fail "no_link: '$found', not '$1'"
}
# forbids TEXT: enable and the advisor have the same reason.
forbids() {
    local said
    said=$(xl shmlink enable -N vm1 vm2 2>&1) && fail "$1: would be linked"
    [[ $said = *"$1, which a link would bypass"* ]] || fail "$1: $said"
    no_link "$1"
}
allowed() { expect_exit 0 'would be linked' xl shmlink enable -N vm1 vm2; }

note "what dom0 does now"
no_link null
bridge link set dev "$vif" state 0
forbids "$vif of vm2 is a disabled port of its bridge"
bridge link set dev "$vif" state 3
bridge link set dev "$vif" locked on
forbids "$vif of vm2 is a locked port of its bridge"
bridge link set dev "$vif" locked off
tc qdisc add dev "$vif" root tbf rate 10mbit burst 100k latency 50ms
forbids "$vif of vm2 is limited by traffic control (qdisc 'tbf')"
tc qdisc del dev "$vif" root
for qdisc in fq_pie cake fq; do
    tc qdisc add dev "$vif" root "$qdisc" || fail "no $qdisc in this kernel"
    allowed
    tc qdisc del dev "$vif" root
done
tc qdisc add dev "$vif" root cake bandwidth 10mbit
forbids "$vif of vm2 is limited by traffic control (qdisc 'cake')"
tc qdisc del dev "$vif" root
tc qdisc add dev "$vif" clsact
tc filter add dev "$vif" ingress matchall action drop
forbids "$vif of vm2 is filtered by traffic control (filter 'matchall')"
tc qdisc del dev "$vif" clsact
nft add table bridge guard
nft add chain bridge guard forward '{ type filter hook forward priority 0; }'
allowed
nft add rule bridge guard forward ip protocol icmp counter
forbids "dom0 filters by nftables (chain 'forward' of table 'guard' has rules)"
nft delete table bridge guard
# A name that begins as this project's own is no pass.
nft add table netdev shmlink-guard
nft add chain netdev shmlink-guard in \
    "{ type filter hook ingress device $vif priority 0; policy drop; }"
forbids "$vif of vm2 is filtered by nftables (chain 'in' of table \
'shmlink-guard' has rules)"
nft delete table netdev shmlink-guard
nft add table inet wall
nft add chain inet wall forward \
    '{ type filter hook forward priority 0; policy drop; }'
if modprobe br_netfilter 2>/dev/null; then
    sysctl -q net.bridge.bridge-nf-call-iptables=0 \
        net.bridge.bridge-nf-call-ip6tables=0
    allowed
    sysctl -q net.bridge.bridge-nf-call-iptables=1
    forbids "dom0 filters by nftables (chain 'forward' of table 'wall' has \
rules)"
    sysctl -q net.bridge.bridge-nf-call-iptables=0
else
    note "no br_netfilter in this dom0"
fi
nft delete table inet wall
bridge vlan add dev "$vif" vid 10 pvid untagged
ip link set xenbr0 type bridge vlan_filtering 1
expect_exit 1 'different VLANs of bridge xenbr0' xl shmlink enable -N vm1 vm2
no_link null
[ "$(jq -r '[.domains[] | select(.domid != 0).vifs[0].vlans] | unique |
    length' /tmp/now.json)" = 2 ] || fail "no VLANs in the snapshot"
bridge vlan del dev "$vif" vid 10
bridge vlan add dev "$vif" vid 1 pvid untagged
allowed
ip link set xenbr0 type bridge vlan_filtering 0

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
[ "$(xl shmlink list -j | jq length)" = 0 ] || fail "a link is left"
! reaches || fail "vm2 is reached all the same"

note "a plan from before it"
# As if the two talked, and a pin besides.
jq --argjson a "$(xl domid vm1)" --argjson b "$(xl domid vm2)" '
    def v(x): { value: x, error: 0, source: "sampling" };
    .duration = 10 | .links = [] | .domains[].vifs[].no_link = null |
    .traffic = [
        { from: $a, to: $b, via: "vif", bytes: v(5e7), packets: v(2000) },
        { from: $b, to: $a, via: "vif", bytes: v(1e6), packets: v(1000) }]' \
    /tmp/now.json >/tmp/talk.json
soft=$(jq -r '.domains[] | select(.name == "vm1").vcpus[0].soft' /tmp/now.json)
xl shmlink advise --from /tmp/talk.json --state-dir=/tmp/state -j |
    jq --arg soft "$soft" '
        .steps = [.steps[] | select(.kind == "link-enable")] |
        .steps = [.steps[0] + { kind: "pin-soft", vcpuid: 0, from: $soft,
            to: "3", subjects: [.steps[0].subjects[] |
                select(.name == "vm1")] }] + .steps' >/tmp/plan
[ "$(jq '.steps | length' /tmp/plan)" = 2 ] || {
    xl shmlink advise --from /tmp/talk.json
    fail "no link is advised"
}
status=0
xl shmlink apply --state-dir=/tmp/state /tmp/plan >/tmp/said 2>&1 || status=$?
cat /tmp/said
[ "$status" = 1 ] || fail "exit status $status"
grep -q "is refused, the rest of the plan stands: $vif of vm2 is down" \
    /tmp/said || fail "does not say that the link is refused"
grep -q '^1 change made' /tmp/said || fail "the pin does not stand"
xl vcpu-list vm1 | has -E ' / 3$' || fail "vm1 is not pinned"
# That advice then leaves it alone is test-choose's to see: none is given here,
# where nothing talks, and the past is not asked for a file.
xl shmlink history -l --state-dir=/tmp/state | has refused ||
    fail "the journal does not know: $(xl shmlink history -l \
        --state-dir=/tmp/state)"
expect_exit 0 '^1 change taken back' xl shmlink undo --state-dir=/tmp/state
ip link set "$vif" up
wait_for 40 reaches || fail "vm2 is not reached again"

note "forced"
expect_exit 0 'are linked' xl shmlink enable vm1 vm2
listed .forced false
ip link set xenbr0 down
expect_exit 0 'are linked already' xl shmlink enable --force vm1 vm2
listed .forced true
[[ $(xl shmlink list -j | jq -r '.[].bypasses') = *'bridge xenbr0 is down'* ]] ||
    fail "not marked"
expect_exit 0 'forced, and bypasses' xl shmlink list
expect_exit 0 'are linked already' xl shmlink enable vm2 vm1
listed .state connected
ip link set xenbr0 up
expect_exit 0 'not linked any more' xl shmlink disable vm1 vm2
