# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scenarios of the data path share. Sourced by them.

enable() { xl shmlink enable "$@" || fail "xl shmlink enable $*"; }
disable() { xl shmlink disable "$@" || fail "xl shmlink disable $*"; }

# link_sum FIELD DOM1 DOM2: counter FIELD of their links' ends, added.
link_sum() {
    xl shmlink list -j | jq -e --arg f "$1" --arg a "$2" --arg b "$3" '
        map(select([.ends[].name] | sort == ([$a, $b] | sort))) |
        if length > 0 then [.[].ends[].counters[$f]] | add else error end' ||
        fail "no counters of $2 and $3: $(xl shmlink list -j)"
}

link_state() {
    xl shmlink list -j | jq -r --arg a "$1" --arg b "$2" '
        map(select([.ends[].name] | sort == ([$a, $b] | sort))) |
        .[0].state // "none"'
}

# show_link DOM1 DOM2: what there is to see after a failure.
show_link() {
    local dom
    xl shmlink list -l || true
    xenstore-ls -f / | grep shmlink || true
    for dom; do
        note "$dom:"
        guest "$dom" 'ip -s -d link; ip neigh; for d in /sys/class/net/shm*; do
            ethtool -S "${d##*/}"; tc -s qdisc show dev "${d##*/}"; done
            grep -i shmlink /proc/interrupts; dmesg | tail -n 15' || true
    done
}

# vif_bytes DOM: bytes both ways that its vif has counted in dom0.
vif_bytes() {
    local at
    at=/sys/class/net/$(vif_of "$1")/statistics
    echo $(($(<"$at/rx_bytes") + $(<"$at/tx_bytes")))
}

# transfer DOM1 DOM2 BYTES [netperf options]: TCP from one to the other.
transfer() {
    local from=$1 to=$2 bytes=$3
    shift 3
    guest "$from" netperf -P 0 -v 0 -H "$(guest_ip "$to")" -t TCP_STREAM \
        -l "-$bytes" "$@" >"$lab_dir/netperf" && return
    cat "$lab_dir/netperf"
    show_link "$from" "$to"
    fail "netperf from $from to $to"
}

# expect_path link|vif DOM1 DOM2: where a transfer between them is counted.
expect_path() {
    local path=$1 a=$2 b=$3 bytes=8000000 vif_a vif_b link=0
    vif_a=$(vif_bytes "$a") vif_b=$(vif_bytes "$b")
    [ "$path" = vif ] || link=$(link_sum tx_bytes "$a" "$b")
    transfer "$a" "$b" "$bytes"
    transfer "$b" "$a" "$bytes"
    vif_a=$(($(vif_bytes "$a") - vif_a)) vif_b=$(($(vif_bytes "$b") - vif_b))
    if [ "$path" = vif ]; then
        note "$a, $b by vif: $vif_a and $vif_b bytes on the vifs"
        [ "$vif_a" -gt $((2 * bytes)) ] && [ "$vif_b" -gt $((2 * bytes)) ] ||
            fail "$a and $b do not use their vifs"
        return
    fi
    link=$(($(link_sum tx_bytes "$a" "$b") - link))
    note "$a, $b by link: $link bytes on the link, $vif_a and $vif_b on the vifs"
    [ "$link" -gt $((2 * bytes)) ] || fail "$a and $b do not use their link"
    [ "$vif_a" -lt $((bytes / 50)) ] && [ "$vif_b" -lt $((bytes / 50)) ] ||
        fail "$a and $b use their vifs in spite of the link"
}

# Nothing of links is left in xenstore; what drivers say of themselves stays.
expect_nothing_left() {
    local left
    left=$(xenstore-ls -f / | grep shmlink | grep -v '/data/shmlink' || true)
    [ -z "$left" ] || fail "left in xenstore: $left"
}

# Domains that are only held by references, which xl shows without a name.
zombies() { xl list | awk 'NR > 1 && ($1 == "(null)" || $5 ~ /d/)'; }
no_zombies() { [ -z "$(zombies)" ]; }
expect_no_zombies() {
    wait_for 20 no_zombies || fail "zombie: $(zombies)"
}

# start_echo DOM: sizes.py's other end; stop_python DOM ends it and the like.
start_echo() {
    guest "$1" 'python3 /lab/sizes.py serve 5002 </dev/null >/dev/null 2>&1 &'
    wait_for 20 guest "$1" 'ss -ltn | grep -q :5002' ||
        fail "no echo service in $1"
}
stop_python() { guest "$1" 'killall -q python3 || pkill python3 || true'; }
