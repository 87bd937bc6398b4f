# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: enable and disable again and again under one TCP connection and under
# numbered UDP datagrams: every byte arrives, no datagram twice, no more of them
# lost than without; how long a flip stalls traffic. long/flips-100.sh does it
# 100 times in 1 GB.
# lab: --alone --timeout 1800

. /lab/link.sh

# Some flips under all that the guests can send, which leaves an emulated dom0
# little time for its commands; the others under a steady stream.
fast_flips=${FAST_FLIPS:-6}
flips=${FLIPS:-24}
rate=2000000          # bytes a second, each way
least=${LEAST:-$((100 << 20))}  # each way
to=$(guest_ip vm2)

# drops: how many packets others than the driver have dropped so far: the vifs
# and their queues in dom0, the guests' interfaces, their UDP sockets.
drops() {
    local dom vif
    for dom in vm1 vm2; do
        vif=$(vif_of "$dom")
        cat "/sys/class/net/$vif/statistics/"{rx,tx}_dropped
        tc -s qdisc show dev "$vif" | sed -n 's/.*(dropped \([0-9]*\),.*/\1/p'
        guest "$dom" 'cat /sys/class/net/eth0/statistics/?x_dropped
            tc -s qdisc show dev eth0 | sed -n "s/.*(dropped \([0-9]*\),.*/\1/p"
            sed -n "s/^Udp: [0-9]* [0-9]* \([0-9]*\) .*/\1/p" /proc/net/snmp'
    done | jq -s add
}

# load NAME BYTES RATE COMMAND...: run COMMAND under both kinds of traffic.
load() {
    local name=$1 least=$2 rate=$3 serve receive run send drops
    shift 3
    drops=$(drops)
    guest vm1 rm -f /tmp/stop
    guest vm2 "python3 /lab/stream.py serve 5000" >"$RESULTS/$name-vm2.json" &
    serve=$!
    guest vm2 "python3 /lab/datagrams.py receive 5001 1700" \
        >"$RESULTS/$name-received.json" &
    receive=$!
    wait_for 20 guest vm2 'ss -lun | grep -q :5001' || fail "no receiver"
    guest vm1 "python3 /lab/stream.py run $to 5000 $least /tmp/stop $rate" \
        >"$RESULTS/$name-vm1.json" &
    run=$!
    guest vm1 "python3 /lab/datagrams.py send $to 5001 40 /tmp/stop" \
        >"$RESULTS/$name-sent.json" &
    send=$!
    "$@"
    guest vm1 touch /tmp/stop
    wait "$run" || fail "$name: the stream broke in vm1"
    wait "$serve" || fail "$name: the stream broke in vm2"
    wait "$send" || fail "$name: the datagrams' sender failed"
    wait "$receive" || fail "$name: the datagrams' receiver failed"
    echo "$(($(drops) - drops))" >"$RESULTS/$name-dropped.json"
}

flip() {
    local n begin
    for ((n = 0; n < $1; n++)); do
        begin=$EPOCHREALTIME
        enable vm1 vm2 >/dev/null
        echo "enable $begin $EPOCHREALTIME" >>"$RESULTS/flips"
        sleep 0.2
        begin=$EPOCHREALTIME
        disable vm1 vm2 >/dev/null
        echo "disable $begin $EPOCHREALTIME" >>"$RESULTS/flips"
        sleep 0.2
    done
}

clock() { guest "$1" python3 -c 'import time; print(time.time())'; }

note "clocks: dom0 $EPOCHREALTIME, vm1 $(clock vm1)," \
    "vm2 $(clock vm2), dom0 $EPOCHREALTIME"
mkdir -p "$RESULTS"
note "without flips, by vif"
load vif 1000000 "$rate" sleep 5
enable vm1 vm2
note "without flips, by link"
load link 1000000 "$rate" sleep 5
disable vm1 vm2
note "$fast_flips flips at full speed"
: >"$RESULTS/flips"
load fast 1000000 0 flip "$fast_flips"
mv "$RESULTS/flips" "$RESULTS/fast-flips"
note "$flips flips"
load flips "$least" "$rate" flip "$flips"
for dom in vm1 vm2; do
    guest "$dom" dmesg | grep -E 'frames (may be lost|in the queue)' &&
        fail "$dom: a link was closed too early"
done
python3 /lab/flips.py "$RESULTS" "$((2 * least))" || fail "see above"
expect_nothing_left
