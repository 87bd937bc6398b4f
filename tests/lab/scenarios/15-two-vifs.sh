# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: two guests with a vif each on a front network and on a storage network
# (bridge xenbr1) have a link for either, made and taken down one by one or
# together; a limit on one is no reason to refuse the other. Advice links the
# network that is busy, although the other one has a link.
# lab: --guests 2 --timeout 900

. /lab/link.sh
. /lab/commands.sh

ip link add xenbr1 type bridge forward_delay 0 mcast_snooping 0
ip link set xenbr1 up
for n in 1 2; do
    xl network-attach "vm$n" "mac=00:16:3e:77:01:0$n" bridge=xenbr1 ||
        fail "xl network-attach vm$n"
    wait_for 30 guest "vm$n" "ip link show eth1 >/dev/null 2>&1" ||
        fail "no second vif in vm$n"
    guest "vm$n" "ip addr add 10.78.0.1$n/24 dev eth1 && ip link set eth1 up"
done
front=$(vif_of vm1) storage=${front%.0}.1
wait_for 30 guest vm1 'ping -c 1 -W 3 10.78.0.12 >/dev/null' ||
    fail "the storage network does not work"

counted() { echo $(($(<"/sys/class/net/$1/statistics/rx_bytes"))); }

# go_by PATH PATH: link or vif, by which 2 MB go on the front and the storage
# network.
go_by() {
    local want have a b
    want="$1 $2"
    a=$(counted "$front") b=$(counted "$storage")
    guest vm1 "netperf -P 0 -v 0 -H $(guest_ip vm2) -t TCP_STREAM -l -2000000 &
        netperf -P 0 -v 0 -H 10.78.0.12 -t TCP_STREAM -l -2000000; wait" \
        >/dev/null || fail "netperf"
    a=$(($(counted "$front") - a)) b=$(($(counted "$storage") - b))
    have="$([ "$a" -lt 100000 ] && echo link || echo vif)"
    have+=" $([ "$b" -lt 100000 ] && echo link || echo vif)"
    note "of 2 MB each $a bytes on $front, $b on $storage: $have"
    [ "$have" = "$want" ] || fail "not by $want"
}

note "one for each pair of vifs"
expect_exit 0 '^vm1:0 and vm2:0 are linked on xenbr0$' \
    xl shmlink enable vm1 vm2
expect_exit 0 '^vm1:0 and vm2:0 are linked already' xl shmlink enable vm2 vm1
go_by link vif

note "advice sees what goes beside the link"
guest vm1 'netperf -H 10.78.0.12 -t TCP_STREAM -l 3000 -- -m 16384 \
    </dev/null >/dev/null 2>&1 &'
xl shmlink advise -t 5 --set max-moves=0 --set cooldown-sec=0 \
    --set link-bytes=1e5 --apply --settle 5 >/tmp/advice ||
    fail "$(</tmp/advice)"
guest vm1 'killall netperf; true' 2>/dev/null
sed -n '/What/,$p' /tmp/advice
grep -q 'xl shmlink enable vm1:1 vm2:1' /tmp/advice || fail "no such advice"
xl shmlink list
go_by link link

note "one goes, the other stays, and all come back for a save"
expect_exit 0 'not linked any more' xl shmlink disable vm2 vm1:0
expect_exit 0 '^vm1:1 and vm2:1 are linked already' xl shmlink enable vm1 vm2
expect_exit 0 '^vm2:0 and vm1:0 are linked on' xl shmlink enable vm2:0 vm1
xl shmlink hold -q vm1 || fail "xl shmlink hold"
go_by vif vif
expect_exit 0 '2 links brought back' xl shmlink relink
xl shmlink undo || fail "undo"
go_by link vif
expect_exit 0 '^1 link on xenbr0 disabled' xl shmlink disable -a -b xenbr0

note "a limit on one"
tc qdisc add dev "$front" root tbf rate 10mbit burst 100k latency 50ms
expect_exit 0 '^vm1:1 and vm2:1 are linked on' xl shmlink enable vm1 vm2
refused "$front of vm1 is limited by traffic control" xl shmlink enable vm1:0 vm2
refused 'vm2 .* has no vif 4' xl shmlink enable vm1 vm2:4
refused "$front of vm1 is not on bridge xenbr1" \
    xl shmlink enable -b xenbr1 vm1:0 vm2
disable vm1 vm2
tc qdisc del dev "$front" root

for n in 1 2; do
    xl network-detach "vm$n" 1
done
ip link del xenbr1
expect_nothing_left
