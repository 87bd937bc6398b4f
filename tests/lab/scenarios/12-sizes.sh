# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: messages from 1 byte to 64 KB cross the link unharmed: ping, UDP and
# TCP, IPv4 and IPv6, odd and unaligned, with and without TSO. SIZES=every
# takes each single size.
# lab: --timeout 1800

. /lab/link.sh

# Around powers of 2, pages, segments and fragments, then a stride.
borders=$(for n in 2048 4096 8192 16384 32768 65535 2896 4344 5792 7240 8688 \
              2960 4440 5920 7400 8880 65160
          do
              echo "$((n - 9))-$((n + 9 > 65507 ? 65507 : n + 9))"
          done | awk -F- '$1 <= $2' | paste -sd,)
most=1-1600,1601-65507/37,65500-65507,$borders
few=1-1600,1601-65507/499,65507
[ "${SIZES:-}" = every ] && most=1-65507 few=1-65507

# run SIZES WHAT: over both versions of IP.
run() {
    local host
    for host in "$(guest_ip vm2)" "$(guest_ip6 vm2)"; do
        guest vm1 "python3 /lab/sizes.py run $host 5002 $2 $1" ||
            fail "$2 to $host"
    done
}

start_echo vm2
enable vm1 vm2
link=$(link_sum tx_packets vm1 vm2)
vif=$(vif_bytes vm1)
for what in icmp udp tcp; do
    run "$most" "$what"
done
note "without TSO"
for dom in vm1 vm2; do
    guest "$dom" ethtool -K eth0 tso off gso off || fail "ethtool in $dom"
done
for what in icmp udp tcp; do
    run "$few" "$what"
done
note "without scatter-gather and checksum offload"
for dom in vm1 vm2; do
    guest "$dom" ethtool -K eth0 sg off tx off >/dev/null ||
        note "$dom cannot switch them off"
done
for what in udp tcp; do
    run "$few" "$what"
done
vif=$(($(vif_bytes vm1) - vif))
note "$(($(link_sum tx_packets vm1 vm2) - link)) packets by link," \
    "$vif bytes by vif"
[ "$vif" -lt 100000 ] || fail "not all went by the link"
[ "$(link_sum rx_drops vm1 vm2)" = 0 ] || fail "the link dropped frames"
for dom in vm1 vm2; do
    guest "$dom" ethtool -K eth0 sg on tx on gso on tso on >/dev/null || true
done
disable vm1 vm2
stop_python vm2
