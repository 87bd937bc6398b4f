# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: a peer that takes nothing any more, as one that is paused, stops no
# socket: what waits for it goes by the vif after some seconds, so that a UDP
# socket that sends to it and to others goes on. The link is used again when
# the peer runs.
# lab: --guests 3 --timeout 300

. /lab/link.sh

# held_by DOM WORD: whether list says that DOM is held by that.
held_by() {
    xl shmlink list -j | jq -e --arg dom "$1" --arg word "$2" \
        '[.[0].ends[] | select(.name == $dom) | .held[]] | index($word)' \
        >/dev/null
}
not_held() { ! held_by "$@"; }

enable vm1 vm2
expect_path link vm1 vm2
# So that it goes on sending to a peer that does not answer ARP.
guest vm1 "ip neigh replace $(guest_ip vm2) lladdr $(guest_mac vm2) \
    nud permanent dev eth0"

note "one socket of vm1 sends to vm2, which is paused, and to vm3"
xl pause vm2
# netback itself holds what a paused guest does not take, and whose it is, for 10 s.
vif=$(vif_of vm2)
ip link set "$vif" down
seconds=$((20 * ${LAB_PATIENCE:-1}))
gaps=$(guest -i vm1 "python3 - $(guest_ip vm2) $(guest_ip vm3) $seconds" <<'END'
import socket, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setblocking(False)
begin = last = now = time.monotonic()
longest = 0
while now < begin + int(sys.argv[3]):
    try:
        for _ in range(10):
            sock.sendto(bytes(1400), (sys.argv[1], 9))
    except OSError:
        pass
    now = time.monotonic()
    longest = max(longest, now - last)
    try:
        sock.sendto(bytes(1400), (sys.argv[2], 9))
        last = now
    except OSError:
        pass
    time.sleep(0.01)
print("%.1f %.1f" % (longest, now - last))
END
) || fail "the sender in vm1"
ip link set "$vif" up
note "of $seconds s vm3 got nothing for ${gaps% *} s at once, and for ${gaps#* } s at the end"
held_by vm1 stalled || fail "list does not say that vm2 has stalled: $(xl shmlink list -j)"
xl unpause vm2
awk -v longest="${gaps% *}" -v last="${gaps#* }" -v all="$seconds" \
    'BEGIN { exit !(longest < all / 2 && last < all / 4) }' ||
    fail "the socket waits for vm2"

note "vm2 runs again"
wait_for 20 not_held vm1 stalled || fail "vm1 does not use the link again"
expect_path link vm1 vm2
guest vm1 "ip neigh del $(guest_ip vm2) dev eth0"
disable vm1 vm2
expect_nothing_left
