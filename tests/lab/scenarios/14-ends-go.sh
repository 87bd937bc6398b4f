# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: when one end is destroyed, or its driver is unloaded, the other falls
# back to the vif within 2 s, the next command leaves nothing in xenstore, a
# new enable works, and no zombie domain stays. In both roles, under traffic.
# lab: --timeout 900

. /lab/link.sh

# The guest's driver has no link device any more.
no_shm() { guest "$1" 'test -z "$(ls /sys/class/net | grep "^shm")"'; }

# within SECONDS COMMAND...: and say how long it took.
within() {
    local limit=$1 begin=$EPOCHREALTIME took
    shift
    wait_for 10 "$@" || fail "never: $*"
    took=$(awk -v a="$begin" -v b="$EPOCHREALTIME" \
        'BEGIN { printf "%.2f", b - a }')
    note "after $took s: $*"
    awk -v t="$took" -v l="$limit" 'BEGIN { exit !(t <= l) }' ||
        fail "took $took s: $*"
}

state_closed() {
    local state
    state=$(xenstore-read "$1" 2>/dev/null) || return 0
    [ "$state" = 6 ]
}

# state_node BACK FRONT END: where the state of an end of their link is.
state_node() {
    local back front number
    back=/local/domain/$(xl domid "$1")/backend/shmlink/$(xl domid "$2")
    front=/local/domain/$(xl domid "$2")/device/shmlink
    number=$(xenstore-list "$back") || fail "no link of $1 and $2"
    [ "$3" = "$1" ] && echo "$back/$number/state" ||
        echo "$front/$number/state"
}

# keep_busy: one TCP stream both ways that will break when an end goes.
keep_busy() {
    guest vm2 "netperf -P 0 -H $(guest_ip vm1) -t TCP_STREAM -l 30" \
        >/dev/null 2>&1 &
    guest vm1 "netperf -P 0 -H $(guest_ip vm2) -t TCP_STREAM -l 30" \
        >/dev/null 2>&1 &
    sleep 2
}
end_busy() { guest "$1" 'killall -q -9 netperf; true'; }

# destroy_end BACK FRONT DEAD: the other closes by itself, without a command.
destroy_end() {
    local back=$1 front=$2 dead=$3 other=$1 role=back node
    [ "$dead" = "$back" ] && other=$front || role=front
    note "destroy $dead, the link's $role end"
    enable "$back" "$front"
    node=$(state_node "$back" "$front" "$other")
    keep_busy
    xl destroy "$dead"
    within 2 state_closed "$node"
    wait_for 3 no_shm "$other" || fail "$other still has its link device"
    end_busy "$other"
    xl shmlink list
    expect_nothing_left
    expect_no_zombies
    boot_guest "$dead"
    expect_path vif "$back" "$front"
    enable "$back" "$front"
    expect_path link "$back" "$front"
    disable "$back" "$front"
    expect_nothing_left
}

# unload DOM: xenbus holds a driver's module while it has devices: unbind them.
unload() {
    guest "$1" 'for end in /sys/bus/xen/drivers/shmlink/shmlink-* \
            /sys/bus/xen-backend/drivers/shmlink-back/shmlink-*; do
        [ ! -e "$end" ] || echo "${end##*/}" >"${end%/*}/unbind"
    done; rmmod shmlink' || fail "rmmod in $1"
}

# unload_end BACK FRONT WHERE: ping goes on, with a pause of 2 s at most.
unload_end() {
    local back=$1 front=$2 where=$3 other=$1 pause ping
    [ "$where" != "$back" ] || other=$front
    note "unload the driver in $where"
    enable "$back" "$front"
    guest "$other" "ping -D -n -i 0.1 -W 1 -w 12 $(guest_ip "$where")" \
        >"$RESULTS/ping-$where" &
    ping=$!
    keep_busy
    unload "$where"
    wait_for 3 no_shm "$other" || fail "$other still has its link device"
    wait "$ping" || fail "ping to $where"
    pause=$(awk -F'[][]' '/bytes from/ {
            if (last && $2 - last > most) most = $2 - last
            last = $2
        } END { printf "%.2f", most }' "$RESULTS/ping-$where")
    note "longest pause of ping: $pause s"
    awk -v t="$pause" 'BEGIN { exit !(t > 0 && t <= 2) }' ||
        fail "ping paused for $pause s"
    end_busy vm1
    end_busy vm2
    xl shmlink list
    expect_nothing_left
    if xl shmlink enable "$back" "$front" 2>"$RESULTS/refusal"; then
        fail "enabled without the driver in $where"
    fi
    cat "$RESULTS/refusal"
    guest "$where" insmod /lab/shmlink.ko || fail "insmod in $where"
    enable "$back" "$front"
    expect_path link "$back" "$front"
    disable "$back" "$front"
    expect_nothing_left
}

unload_end vm1 vm2 vm1
unload_end vm1 vm2 vm2
destroy_end vm1 vm2 vm2
destroy_end vm1 vm2 vm1
