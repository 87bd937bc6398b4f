# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: what a guest's administrator puts on his own vif holds with a link as
# without: queueing disciplines that delay or limit, filters at tc's egress and
# ingress, netfilter's egress and ingress, XDP programs. The link is used again
# when it goes, and list says why it is not used.
# lab: --guests 2 --timeout 600

. /lab/link.sh

ip2=$(guest_ip vm2)

# Mean round trip in ms of a few echoes, 0 where nothing came back.
rtt() {
    guest vm1 "ping -n -q -c 4 -i 0.2 -W 2 $ip2" 2>/dev/null |
        awk -F/ '/^(rtt|round-trip)/ { t = int($5) + 1 } END { print t + 0 }' || true
}
passes() { [ "$(rtt)" -gt 0 ]; }

# expect_held DOM [WORD...]: why it uses its vif, as list says.
expect_held() {
    local dom=$1 words
    shift
    words=$(xl shmlink list -j | jq -r --arg dom "$dom" \
        '[.[0].ends[] | select(.name == $dom) | .held[]] | join(" ")')
    [ "$words" = "$*" ] || fail "$dom is held by '$words', not '$*'"
}

# What vm1 itself has sent by the link: answers may go another way.
sent() {
    xl shmlink list -j | jq '.[0].ends[] | select(.name == "vm1") |
        .counters.tx_packets'
}
# uses link|vif: where vm1's frames for vm2 go, which are answered.
uses() {
    local path=vif before
    before=$(sent)
    passes || return 1
    [ $(($(sent) - before)) -lt 4 ] || path="link"
    [ "$path" = "$1" ]
}
expect_use() { uses "$1" || fail "does not use the $1"; }

# kept WHAT SET UNSET: in vm1, no frame of it goes by the link meanwhile.
kept() {
    guest vm1 "$2" || fail "$1"
    expect_use vif
    expect_held vm1 "${4:-qdisc}"
    note "$1: ok"
    guest vm1 "$3"
}

# dropped DOM WHAT SET UNSET: with it there is no answer by the link.
dropped() {
    guest "$1" "$3" || fail "$2 in $1"
    ! passes || fail "$2 in $1 does not see what the link carries"
    note "$2 in $1: ok"
}

# Two queues, so that there is mq, whose leaves can be replaced.
boot_guest vm1 vcpus=2 wait=no
wait_for 120 guest vm1 true || fail "vm1 does not come up"
for dom in vm1 vm2; do
    guest "$dom" 'modprobe -a sch_netem sch_tbf sch_ingress cls_u32 act_gact \
        nf_tables 2>/dev/null' || true
done
enable vm1 vm2
expect_use link
expect_held vm1
guest vm1 'tc qdisc show dev eth0'

note "queueing disciplines"
guest vm1 'tc qdisc add dev eth0 root netem delay 200ms' || fail "netem"
t=$(rtt)
[ "$t" -ge 200 ] || fail "round trip of $t ms with 200 ms of netem"
xl shmlink list
expect_held vm1 qdisc
expect_held vm2
guest vm1 'tc qdisc del dev eth0 root'
expect_use link
kept tbf 'tc qdisc add dev eth0 root tbf rate 1mbit burst 10k latency 400ms' \
    'tc qdisc del dev eth0 root'
kept 'netem in a leaf of mq' 'tc qdisc replace dev eth0 root handle 1: mq &&
    tc qdisc replace dev eth0 parent 1:2 netem delay 1ms' \
    'tc qdisc replace dev eth0 parent 1:2 fq_codel'
expect_use link
expect_held vm1
guest vm1 'tc qdisc del dev eth0 root'

note "filters"
guest vm1 'tc qdisc add dev eth0 clsact' || fail "clsact"
expect_use link
drop='tc filter add dev eth0 %s protocol ip u32 match ip protocol 1 0xff action drop'
# shellcheck disable=SC2059
dropped vm1 "a filter at egress" "$(printf "$drop" egress)"
expect_held vm1 filter
guest vm1 'tc qdisc del dev eth0 clsact'
expect_use link
# shellcheck disable=SC2059
dropped vm2 "a filter at ingress" "tc qdisc add dev eth0 clsact && $(printf "$drop" ingress)"
expect_held vm2
guest vm2 'tc qdisc del dev eth0 clsact'
for place in 'vm1 egress' 'vm2 ingress'; do
    dropped "${place% *}" "netfilter's ${place#* }" "nft add table netdev f &&
        nft 'add chain netdev f c { type filter hook ${place#* } device eth0 priority 0; }' &&
        nft add rule netdev f c ip protocol icmp drop"
    guest "${place% *}" 'nft delete table netdev f'
done
expect_use link

note "XDP"
for mode in native generic; do
    # shellcheck disable=SC2016
    dropped vm2 "an XDP program, $mode" "python3 /lab/xdp-drop.py eth0 $mode \
        </dev/null >/tmp/xdp 2>&1 & for i in {1..60}; do
        grep -q attached /tmp/xdp && exit; sleep 0.3; done; cat /tmp/xdp; exit 1"
    if [ "$mode" = native ]; then
        expect_held vm1 peer
        expect_held vm2 xdp
        xl shmlink list -l
    else
        expect_held vm2
    fi
    stop_python vm2
    wait_for 5 passes || fail "nothing passes after XDP, $mode"
    wait_for 3 uses link || fail "the link is not used after XDP, $mode"
done
disable vm1 vm2
