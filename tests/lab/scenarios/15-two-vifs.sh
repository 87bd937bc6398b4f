# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: two guests with a vif each on a front network and on a storage network
# (bridge xenbr1) have a link for either, made and taken down one by one or
# together; a limit on one is no reason to refuse the other.
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
vif0=$(vif_of vm1) vif1=vif$(xl domid vm1).1
wait_for 30 guest vm1 'ping -c 1 -W 3 10.78.0.12 >/dev/null' ||
    fail "the storage network does not work"

# storage link|vif: where the bytes of a transfer on that network go.
storage() {
    local at=/sys/class/net/$vif1/statistics n
    n=$(($(<"$at/rx_bytes") + $(<"$at/tx_bytes")))
    guest vm1 'netperf -P 0 -v 0 -H 10.78.0.12 -t TCP_STREAM -l -8000000' \
        >/dev/null || fail "netperf on the storage network"
    n=$(($(<"$at/rx_bytes") + $(<"$at/tx_bytes") - n))
    note "$n bytes of 8 MB on $vif1"
    case $1 in
    link) [ "$n" -lt 160000 ] || fail "storage traffic is not by the link" ;;
    vif) [ "$n" -gt 8000000 ] || fail "storage traffic is not by the vif" ;;
    esac
}

note "one for each pair of vifs"
expect_exit 0 '^vm1:0 and vm2:0 are linked on xenbr0$' \
    xl shmlink enable vm1 vm2
expect_exit 0 '^vm1:0 and vm2:0 are linked already' xl shmlink enable vm2 vm1
expect_path link vm1 vm2
storage vif
expect_exit 0 '^vm1:1 and vm2:1 are linked on xenbr1$' \
    xl shmlink enable -b xenbr1 vm1 vm2
xl shmlink list
storage link
expect_path link vm1 vm2

note "one goes, the other stays"
expect_exit 0 'not linked any more' xl shmlink disable vm2 vm1:0
storage link
expect_exit 0 '^vm1:1 and vm2:1 are linked already' xl shmlink enable vm1 vm2
expect_exit 0 '^vm2:0 and vm1:0 are linked on' xl shmlink enable vm2:0 vm1
expect_path link vm1 vm2

note "both go and come back for a save"
xl shmlink hold -q vm1 || fail "xl shmlink hold"
storage vif
expect_exit 0 '2 links brought back' xl shmlink relink
storage link
expect_path link vm1 vm2
expect_exit 0 '^1 link on xenbr1 disabled' xl shmlink disable -a -b xenbr1
storage vif
expect_exit 0 'not linked any more' xl shmlink disable vm1 vm2
expect_nothing_left

note "a limit on one"
tc qdisc add dev "$vif0" root tbf rate 10mbit burst 100k latency 50ms
expect_exit 0 '^vm1:1 and vm2:1 are linked on' xl shmlink enable vm1 vm2
refused "qdisc 'tbf' on $vif0" xl shmlink enable vm1:0 vm2
refused 'vm2 .* has no vif 4' xl shmlink enable vm1 vm2:4
refused "$vif0 of vm1 is not on bridge xenbr1" \
    xl shmlink enable -b xenbr1 vm1:0 vm2
storage link
disable vm1 vm2
tc qdisc del dev "$vif0" root

xl network-detach vm1 1
xl network-detach vm2 1
ip link del xenbr1
expect_nothing_left
