# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: three guests with all pairs linked; one pair disabled leaves the others
# unharmed. Broadcast, multicast and traffic to others go by the vif always.
# lab: --guests 3 --timeout 900

. /lab/link.sh

enable vm1 vm2
enable vm1 vm3
enable vm2 vm3
xl shmlink list
expect_path link vm1 vm2
expect_path link vm1 vm3
expect_path link vm2 vm3

note "a stream on vm2-vm3 while vm1-vm2 goes"
guest vm3 "python3 /lab/stream.py serve 5000" >"$RESULTS/vm3.json" &
serve=$!
guest vm2 rm -f /tmp/stop
guest vm2 "python3 /lab/stream.py run $(guest_ip vm3) 5000 20000000 /tmp/stop" \
    >"$RESULTS/vm2.json" &
run=$!
sleep 3
disable vm1 vm2
sleep 3
guest vm2 touch /tmp/stop
wait "$run" || fail "the stream broke in vm2"
wait "$serve" || fail "the stream broke in vm3"
jq -s -e '.[0].sent_sha256 == .[1].received_sha256 and
          .[1].sent_sha256 == .[0].received_sha256' \
    "$RESULTS/vm2.json" "$RESULTS/vm3.json" >/dev/null || fail "sha256 differ"
expect_path vif vm1 vm2
expect_path link vm1 vm3
expect_path link vm2 vm3

# expect_cast ADDRESS [GROUP]: from vm1 to vm2, vm3 and dom0, by the vif.
expect_cast() {
    local address=$1 group=${2:-} vif link pids=() dom
    vif=$(vif_bytes vm1) link=$(link_sum tx_packets vm1 vm3)
    for dom in vm2 vm3; do
        guest "$dom" "python3 /lab/datagrams.py receive 5003 20 $group" \
            >"$RESULTS/cast-$dom.json" &
        pids+=($!)
    done
    timeout 25 tcpdump -Z root -i xenbr0 -n -c 50 "udp dst port 5003" \
        >"$RESULTS/cast-dom0" 2>&1 &
    pids+=($!)
    wait_for 20 guest vm2 "ss -lun | grep -q :5003" &&
        wait_for 20 guest vm3 "ss -lun | grep -q :5003" || fail "no receivers"
    wait_for 20 grep -q '^listening' "$RESULTS/cast-dom0" || fail "no tcpdump"
    guest vm1 "python3 /lab/datagrams.py send $address 5003 40 2 200" >/dev/null ||
        fail "sending to $address"
    wait "${pids[0]}" "${pids[1]}" || fail "a receiver failed"
    wait "${pids[2]}" ||
        fail "dom0 does not see what is sent to $address: $(tail -n 3 "$RESULTS/cast-dom0")"
    for dom in vm2 vm3; do
        jq -e '.received > 60 and .duplicates == 0 and .corrupt == 0' \
            "$RESULTS/cast-$dom.json" >/dev/null ||
            fail "$address in $dom: $(<"$RESULTS/cast-$dom.json")"
    done
    [ $(($(vif_bytes vm1) - vif)) -gt 16000 ] ||
        fail "$address did not go by the vif"
    [ $(($(link_sum tx_packets vm1 vm3) - link)) -lt 40 ] ||
        fail "$address went by the link"
}

note "broadcast and multicast"
expect_cast 10.77.0.255
expect_cast 239.1.2.3 239.1.2.3
expect_cast ff02::4242 ff02::4242

note "to dom0"
vif=$(vif_bytes vm1)
guest vm1 "ping -c 10 -i 0.1 -s 1000 -W 2 10.77.0.1" >/dev/null || fail "ping dom0"
[ $(($(vif_bytes vm1) - vif)) -gt 20000 ] || fail "not by the vif"

disable vm1 vm3
expect_path link vm2 vm3
disable -a
expect_path vif vm2 vm3
expect_nothing_left
