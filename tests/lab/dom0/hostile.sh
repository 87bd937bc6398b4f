# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A peer that keeps to nothing: vm2, against vm1. Sourced by the scenarios that
# need one, after link.sh.

# The attacks after which the victim closes the link by itself; the other ones
# it bears until dom0 ends the link.
closing=' prod back garbage rewrite closed states vanish grefs revoke '

# hostile_begin ATTACK...: vm2 attacks from now on, each link in another way.
hostile_begin() {
    log_lines=$(guest vm1 'dmesg | wc -l')
    guest vm2 'rmmod shmlink' || fail "rmmod in vm2"
    trap hostile_end EXIT
    # All that vm1 has to do with vm3 goes on meanwhile.
    guest vm1 "ping -D -n -i 0.2 $(guest_ip vm3)" >"$RESULTS/ping-vm3" &
    guest vm2 "python3 /lab/hostile.py --seed ${SEED:-1} $*" \
        >"$lab_dir/hostile" 2>&1 &
    hostile=$!
}

hostile_end() {
    trap - EXIT
    guest vm1 'killall -q -INT ping' || true
    stop_python vm2
    guest vm2 '[ -e /sys/module/shmlink ] || insmod /lab/shmlink.ko'
    cat "$lab_dir/hostile"
}

is_waiting() { [ "$(tail -n 1 "$lab_dir/hostile")" = waits ]; }
is_done() { [ "$(tail -n 1 "$lab_dir/hostile")" = "done" ]; }

seconds_since() {
    awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'
}
# at_most SECONDS LIMIT WHAT: on a slow machine LAB_PATIENCE times as long.
at_most() {
    awk -v t="$1" -v l="$2" -v p="${LAB_PATIENCE:-1}" \
        'BEGIN { exit !(t <= l * p) }' || fail "$3 takes $1 s"
}

# Run in vm1 with "closing" or not and vm2's address: wait until the link is
# closed, where it is to be, and vm2 is reached; then some TCP. Prints how long
# each took, and how long the log is.
# shellcheck disable=SC2016
victim='
closed() { [ "$(ls -d /sys/class/net/shm* | wc -l)" = 1 ]; }
begin=${EPOCHREALTIME/.}
until [ "$1" != closing ] || closed; do
    [ "$SECONDS" -lt "$3" ] || { echo "the link is not closed"; exit 1; }
    sleep 0.1
done
closed=${EPOCHREALTIME/.}
until ping -q -c 1 -W 1 "$2" >/dev/null; do
    [ "$SECONDS" -lt "$3" ] || { echo "vm2 is not reached"; exit 1; }
done
reached=${EPOCHREALTIME/.}
timeout "$3" netperf -P 0 -v 0 -H "$2" -l -100000 >/dev/null ||
    { echo "no TCP to vm2"; exit 1; }
echo $(((closed - begin) / 1000)) $(((reached - begin) / 1000)) $(dmesg | wc -l)
'

# attack NAME ROLE: the next one, of that name, with vm1 in that role.
attack() {
    local name=$1 ends=(vm1 vm2) is_closing=no found rc=0
    local limit=$((10 * ${LAB_PATIENCE:-1})) begin=$EPOCHREALTIME lines
    [ "$2" = back ] || ends=(vm2 vm1)
    [ "${closing/ $name /}" = "$closing" ] || is_closing=closing
    wait_for 20 is_waiting || fail "$name: vm2 does not attack"
    timeout $((6 * limit)) xl shmlink enable -s 128K "${ends[@]}" \
        >"$lab_dir/enable" 2>&1 || rc=$?
    [ "$rc" -le 1 ] || fail "enable: $rc: $(<"$lab_dir/enable")"
    note "$name, vm1 is $2: after $(seconds_since "$begin") s: $(tail -n 1 "$lab_dir/enable")"
    found=$(guest vm1 bash -c "$victim" victim "$is_closing" \
        "$(guest_ip vm2)" "$limit") || fail "$name: $found"
    begin=$EPOCHREALTIME
    # A front end that does not close is waited for as long as that.
    xl shmlink disable -w 2 vm1 vm2 >"$lab_dir/disable" 2>&1 || true
    read -r -a found <<<"$found"
    lines=$((found[2] - log_lines)) log_lines=${found[2]}
    note "closed after ${found[0]} ms, on the vif after ${found[1]} ms, $lines lines; disabled in $(seconds_since "$begin") s"
    at_most "$((found[0] / 1000))" 5 "$name: closing"
    # Those of the last one's end, too.
    [ "$lines" -le 8 ] ||
        fail "$name: $lines lines in vm1's log: $(guest vm1 "dmesg | tail -n $lines")"
}

# expect_unharmed: what vm1 and vm3 had to do with each other meanwhile.
expect_unharmed() {
    local pause answers
    wait_for 20 is_done || fail "vm2 is not done"
    hostile_end
    wait "$hostile" || fail "vm2's program"
    guest vm1 '[ "$(ls -d /sys/class/net/shm* | wc -l)" = 1 ]' ||
        fail "a link of vm1's is not closed"
    pause=$(awk -F'[][]' '/bytes from/ {
            if (last && $2 - last > most) most = $2 - last
            last = $2
        } END { printf "%.1f", most }' "$RESULTS/ping-vm3")
    note "longest pause of ping from vm1 to vm3: $pause s"
    at_most "$pause" 2 "a pause of ping to vm3"
    answers=$(grep -c 'bytes from' "$RESULTS/ping-vm3")
    [ "$(link_sum tx_packets vm1 vm3)" -ge "$answers" ] ||
        fail "vm1 and vm3 do not use their link"
}
