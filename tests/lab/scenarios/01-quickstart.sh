# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: the main job, as ./quickstart shows it: two guests measured over the
# stock path, linked, measured again, listed, and unlinked.

peer=$(guest_ip vm2)

# measure: set tcp, udp and rr for vm1 to vm2.
measure() {
    # The last number of netperf's table: Mbit/s as received.
    tcp=$(guest vm1 "netperf -P 0 -H $peer -t TCP_STREAM -l 5" |
        awk 'NF { n = $NF } END { print n }')
    udp=$(guest vm1 "netperf -P 0 -H $peer -t UDP_STREAM -l 4 -- -m 1400" |
        awk 'NF { n = $NF } END { print n }')
    rr=$(guest vm1 "netperf -P 0 -v 0 -H $peer -t TCP_RR -l 4" |
        awk 'NF { n = $NF } END { print n }')
    note "TCP_STREAM $tcp Mb/s, UDP_STREAM $udp Mb/s, TCP_RR $rr /s"
}

row() {
    awk -v what="$1" -v a="$2" -v b="$3" 'BEGIN {
        printf "%-32s %10.1f %10.1f %8.1fx\n", what, a, b, a ? b / a : 0 }'
}

note "netperf from vm1 to vm2 over the stock path (netfront, dom0's bridge)"
measure
tcp_before=$tcp udp_before=$udp rr_before=$rr

note "xl shmlink enable vm1 vm2"
xl shmlink enable vm1 vm2
note "the same over the link"
measure
note "xl shmlink list"
xl shmlink list
note "xl shmlink disable vm1 vm2"
xl shmlink disable vm1 vm2

echo
printf '%-32s %10s %10s %9s\n' '' before after ratio
row "TCP_STREAM, Mb/s" "$tcp_before" "$tcp"
row "UDP_STREAM 1400 B, Mb/s received" "$udp_before" "$udp"
row "TCP_RR, round trips/s" "$rr_before" "$rr"
echo "The host was emulated (QEMU without KVM): compare the ratios only."

awk -v a="$tcp_before" -v b="$tcp" 'BEGIN { exit !(b > a) }' ||
    fail "TCP is not faster over the link"
