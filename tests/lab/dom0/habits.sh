# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What people do with the vifs of VMs, one function for each; vm1 and vm2 are
# linked, vm3 is not. Sourced by the scenarios about it, after link.sh, which
# end with end_of_habits.
#
# TRY=ok: it works by the link; TRY=both: by the vif first, and what the bridge
# does not do need not work by the link.

TRY=${TRY:-ok}
bad=()
ip1=$(guest_ip vm1) ip2=$(guest_ip vm2)

try() { "$TRY" "$@"; } # WHAT COMMAND...
ok() {
    local what=$1
    shift
    if wait_for 8 "$@"; then note "ok: $what"; else
        note "BAD: $what"
        bad+=("$what")
    fi
}
both() {
    local by_vif=
    disable vm1 vm2 >/dev/null
    wait_for 8 "${@:2}" && by_vif=1
    enable vm1 vm2 >/dev/null
    if [ "$by_vif" ]; then ok "$@"; else note "not by the bridge either: $1"; fi
}
end_of_habits() {
    xl shmlink list -l
    disable vm1 vm2
    expect_nothing_left
    [ "${#bad[@]}" = 0 ] || fail "$(printf '%s; ' "${bad[@]}")"
}

pings() { # DOM ADDRESS [OPTIONS]
    guest "$1" "ping -n -q -c 4 -i 0.3 -W 2 ${*:3} $2" >/dev/null 2>&1
}
tcp() { # ADDRESS [BYTES]
    guest vm1 "timeout 40 netperf -P 0 -v 0 -H $1 -t TCP_STREAM -l -${2:-3000000}" \
        >/dev/null
}

vlans() {
    local n
    for n in 1 2; do
        guest "vm$n" "modprobe 8021q
            ip link add link eth0 name eth0.5 type vlan id 5 &&
            ip addr add 10.5.0.$n/24 dev eth0.5 && ip link set eth0.5 up &&
            ip link add link eth0.5 name qinq type vlan id 6 &&
            ip addr add 10.6.0.$n/24 dev qinq && ip link set qinq up" ||
            fail "VLAN"
    done
    try "VLAN, large" pings vm1 10.5.0.2 -s 8000
    try "VLAN in a VLAN" pings vm1 10.6.0.2 -s 4000
    try "TCP by VLAN" tcp 10.5.0.2
    try "TCP by VLAN in a VLAN" tcp 10.6.0.2
    for n in 1 2; do guest "vm$n" 'ip link del eth0.5'; done
}

macvlan() {
    local n
    for n in 1 2; do
        guest "vm$n" "modprobe macvlan
            ip link add link eth0 name mv0 type macvlan mode bridge &&
            ip addr add 10.7.0.$n/24 dev mv0 && ip link set mv0 up" ||
            fail "macvlan"
    done
    try "macvlan" pings vm1 10.7.0.2
    for n in 1 2; do guest "vm$n" 'ip link del mv0'; done
}

from_box() {
    guest vm1 'ip netns exec box ping -n -q -c 3 -W 2 10.77.0.22' >/dev/null
}
bridged() {
    local n
    note "eth0 in a bridge with a container"
    for n in 1 2; do
        guest "vm$n" "modprobe -a bridge veth
            ip netns add box; ip link add br0 type bridge forward_delay 0 &&
            ip link set br0 address $(guest_mac "vm$n") &&
            ip addr flush dev eth0 && ip link set eth0 master br0 &&
            ip link set br0 up && ip addr add 10.77.0.1$n/24 dev br0 &&
            ip link add vb type veth peer name eth9 netns box &&
            ip link set vb master br0 up &&
            ip -n box addr add 10.77.0.2$n/24 dev eth9 &&
            ip -n box link set eth9 up" || fail "bridge in vm$n"
    done
    try "from bridge to bridge" pings vm1 "$ip2"
    try "to the container" pings vm1 10.77.0.22
    try "TCP to the container's guest" tcp "$ip2"
    try "container to container" from_box
    for n in 1 2; do
        guest "vm$n" "ip link set eth0 nomaster; ip link del vb
            ip link del br0; ip netns del box
            ip addr add 10.77.0.1$n/24 dev eth0" || fail "no bridge"
    done
    ok "without the bridge again" pings vm1 "$ip2"
}

offloads() {
    local o
    note "offloads"
    for o in 'rx off' 'tx off' 'tso off gso off gro off' 'sg off'; do
        guest vm1 "ethtool -K eth0 $o" >/dev/null 2>&1 || true
        ok "ping with $o" pings vm1 "$ip2" -s 9000
        ok "TCP with $o" tcp "$ip2"
    done
    guest vm1 'ethtool -K eth0 rx on sg on tx on tso on gso on gro on' \
        >/dev/null 2>&1 || true
}

jumbo() {
    local n
    guest vm1 'ip link set eth0 mtu 9000'
    ok "MTU 9000 here, 1500 there: ping" pings vm1 "$ip2" -s 1400
    ok "MTU 9000 here, 1500 there: TCP" tcp "$ip2"
    guest vm2 'ip link set eth0 mtu 9000'
    ok "MTU 9000: ping" pings vm1 "$ip2" -s 8972 -M 'do'
    ok "MTU 9000: TCP" tcp "$ip2"
    for n in 1 2; do guest "vm$n" 'ip link set eth0 mtu 1500'; done
}

moved_address() {
    note "an address moves from vm2 to vm3"
    guest vm2 'ip addr add 10.77.0.50/24 dev eth0'
    ok "at vm2" pings vm1 10.77.0.50
    guest vm2 'ip addr del 10.77.0.50/24 dev eth0'
    guest vm3 'ip addr add 10.77.0.50/24 dev eth0; for i in 1 2 3; do
        arping -U -c 1 -I eth0 10.77.0.50 2>/dev/null || ip neigh flush dev eth0
        done; true'
    ok "at vm3" pings vm1 10.77.0.50
    guest vm3 'ip addr del 10.77.0.50/24 dev eth0'
}

by_router() {
    guest vm3 'timeout 60 netperf -P 0 -v 0 -H 10.99.0.2 -L 10.88.0.3 \
        -t TCP_STREAM -l -3000000' >/dev/null
}
routed() {
    note "vm1 routes for vm3, whose peer is vm2"
    guest vm1 'sysctl -qw net.ipv4.ip_forward=1
        ip addr add 10.88.0.1/24 dev eth0
        sysctl -qw net.ipv4.conf.eth0.send_redirects=0 \
            net.ipv4.conf.all.send_redirects=0'
    guest vm3 'ip addr add 10.88.0.3/24 dev eth0
        ip route add 10.99.0.2/32 via 10.88.0.1'
    guest vm2 "ip addr add 10.99.0.2/32 dev lo
        ip route add 10.88.0.3/32 via $ip1"
    guest vm1 "ip route add 10.99.0.2/32 via $ip2"
    try "by a router" pings vm3 10.99.0.2 -I 10.88.0.3
    try "TCP by a router" by_router
    guest vm1 'ip route del 10.99.0.2/32; ip addr del 10.88.0.1/24 dev eth0'
    guest vm2 'ip route del 10.88.0.3/32; ip addr del 10.99.0.2/32 dev lo'
    guest vm3 'ip route del 10.99.0.2/32; ip addr del 10.88.0.3/24 dev eth0'
}

# arrives DOM RECEIVER READY SENDER: what the one prints while vm1 runs the
# other, as soon as READY succeeds in DOM.
arrives() {
    local pid
    guest "$1" 'rm -f /tmp/ready'
    guest "$1" "$2" >/tmp/arrives &
    pid=$!
    wait_for 20 guest "$1" "$3" || note "not ready: $2"
    guest vm1 "$4"
    guest "$1" 'sleep 1; killall -q tcpdump; true'
    wait "$pid" || true
}
# dumps N DOM FILTER SENDER: whether tcpdump in DOM shows N frames of it.
dumps() {
    arrives "$2" "timeout 60 tcpdump -Z root -i eth0 -n -e $3 2>/tmp/ready" \
        'grep -q listening /tmp/ready' "$4"
    [ "$(grep -c ethertype /tmp/arrives)" = "$1" ] || {
        cat /tmp/arrives
        guest "$2" cat /tmp/ready
        return 1
    }
}

segments() {
    arrives vm2 'python3 /lab/sockets.py count 5012' \
        'ss -uln | grep -q :5012' "python3 /lab/sockets.py segments $ip2 5012"
    note "$(</tmp/arrives) of 600 segments"
    [ "$(</tmp/arrives)" -ge 500 ]
}
raw() {
    dumps 5 vm2 'ether proto 0x88b5' \
        "python3 /lab/sockets.py raw $(guest_mac vm2) $(guest_mac vm1)"
}
dumped() {
    dumps 8 vm1 icmp "ping -n -q -c 4 -i 0.3 $ip2 >/dev/null"
}
frames() {
    try "UDP segmentation" segments
    try "raw frames of 14 to 1514 bytes, and tcpdump sees each once" raw
    try "tcpdump at the sender sees requests and replies, once" dumped
}

stamps() {
    local said
    said=$(guest vm1 "python3 /lab/sockets.py stamps $ip2 5011")
    note "of 20 datagrams, told when queued and when sent: $said"
    read -r -a said <<<"$said"
    [ "${said[0]}" -ge 18 ] && [ "${said[0]}" -le 20 ] && [ "${said[1]}" -ge 18 ]
}
transmit_times() {
    guest vm2 'python3 /lab/datagrams.py receive 5011 120 </dev/null >/dev/null 2>&1 &'
    try "a program is told when its datagrams left, once" stamps
    stop_python vm2
}

neighbours() {
    local n
    for n in 1 2; do guest "vm$n" 'ip neigh flush all'; done
    ok "after a flush of neighbours" pings vm1 "$ip2"
    try "IPv6 after it" pings vm1 "$(guest_ip6 vm2)"
}

lease() {
    guest vm1 'printf "#!/bin/sh\necho \$1 \$ip >>/tmp/lease\n" >/tmp/s
        chmod 755 /tmp/s; rm -f /tmp/lease
        timeout 12 udhcpc -f -q -n -t 4 -T 2 -i eth0 -s /tmp/s >/dev/null 2>&1
        grep -q "bound 10.77.0.60" /tmp/lease'
}
dhcp() {
    guest vm2 "cat >/tmp/d.conf <<D
interface eth0
start 10.77.0.60
end 10.77.0.60
max_leases 1
lease_file /tmp/leases
option lease 60
option subnet 255.255.255.0
D
>/tmp/leases; udhcpd -f /tmp/d.conf </dev/null >/tmp/d.log 2>&1 &"
    try "DHCP" lease
    guest vm2 'killall -q udhcpd || true'
}

other_mac() {
    local ends
    note "one guest gets another MAC, and its own back"
    for ends in '02:00:00:00:00:01 another' "$(guest_mac vm1) its own"; do
        guest vm1 "ip link set eth0 down; ip link set eth0 address ${ends%% *}
            ip link set eth0 up; ip addr replace $ip1/24 dev eth0"
        ok "with ${ends#* } MAC" pings vm1 "$ip2"
        ok "TCP with ${ends#* } MAC" tcp "$ip2"
    done
}
