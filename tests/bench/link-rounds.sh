# SPDX-License-Identifier: GPL-2.0-or-later
# The lab's part of tests/bench/link, which sets ROUNDS, SECONDS_EACH, BYTES,
# PLACEMENTS, PATHS and TESTS: one line of rounds.csv for each measurement.
# lab: --guests 2 --count-instructions --timeout 3600

stock_ip=$(guest_ip vm2)
direct_ip=10.78.0.2
read -r pcpus < <(xl info | awk '$1 == "nr_cpus" { print $3 }')

# pin DOM PCPUS: all its vCPUs.
pin() { xl vcpu-pin "$1" all "$2" all >/dev/null || fail "pin $1 to $2"; }

place() {
    local dom0=$((pcpus > 2 ? 2 : 0))-$((pcpus - 1))
    case $1 in
    separate) pin vm1 0; pin vm2 1 ;;
    shared) pin vm1 0; pin vm2 0; dom0=1-$((pcpus - 1)) ;;
    esac
    pin Domain-0 "$dom0"
}

# A vif of vm1 whose back end is vm2 and not dom0.
add_direct_vif() {
    local node ko front back
    ko=$(modinfo -n xen-netback)
    front=$(xl domid vm1) back=$(xl domid vm2)
    guest -i vm2 'cat >/tmp/xen-netback.ko' <"$ko"
    guest vm2 insmod /tmp/xen-netback.ko || fail "no netback in vm2"
    node=/local/domain/$back/backend/vif/$front/1
    xl network-attach vm1 mac=00:16:3e:78:00:01 backend=vm2 \
        script=/bin/true || fail "no vif with its back end in vm2"
    # Nobody in vm2 runs hotplug scripts: this says that it is plugged. Not
    # sooner, or xl misses the state that it waits for.
    xenstore-write "$node/hotplug-status" connected
    wait_for 20 guest vm2 "ip link show vif$front.1" >/dev/null ||
        fail "vm2 has no back end: $(xenstore-ls -f | grep "$node")"
    guest vm2 "ip addr add $direct_ip/24 dev vif$front.1 &&
        ip link set vif$front.1 up"
    guest vm1 "ip addr add 10.78.0.1/24 dev eth1 && ip link set eth1 up"
    wait_for 20 guest vm1 "ping -c 1 -W 1 $direct_ip" >/dev/null ||
        fail "the direct vif does not work"
}

# measure ROUND PLACEMENT PATH HOST TEST SIZE
measure() {
    local round=$1 placement=$2 path=$3 host=$4 test=$5 size=$6 out i try
    local -a options=() before after deltas=()
    local ELAPSED_TIME LOCAL_BYTES_SENT REMOTE_BYTES_RECVD TRANSACTION_RATE
    local THROUGHPUT
    case $test in
    TCP_STREAM) options=(-l "-$((BYTES < 60000 * size ? BYTES : 60000 * size))") ;;
    UDP_STREAM) options=(-l "$SECONDS_EACH") ;;
    TCP_RR) options=(-l "$SECONDS_EACH") ;;
    null) options=(-l -1) ;;
    esac
    options+=(-t "${test/null/TCP_RR}" -- -k
        ELAPSED_TIME,LOCAL_BYTES_SENT,REMOTE_BYTES_RECVD,TRANSACTION_RATE,THROUGHPUT)
    case $test in
    *_STREAM) options+=(-m "$size") ;;
    TCP_RR) options+=(-r "$size,$size") ;;
    esac
    for try in 1 2 3; do
        before=($(mark "$round-$placement-$path-$test-$size"))
        out=$(guest vm1 timeout 120 netperf -P 0 -H "$host" "${options[@]}") &&
            break
        note "netperf: $out"
        [ "$try" -lt 3 ] || fail "$test $size by $path, $placement"
    done
    after=($(mark end))
    eval "$(grep -E '^[A-Z_]+=[0-9.]+$' <<<"$out")"
    for ((i = 1; i < ${#after[@]}; i++)); do
        deltas+=($((after[i] - before[i])))
    done
    (IFS=,; echo "$round,$placement,$path,$test,$size,$ELAPSED_TIME,$(
        )$LOCAL_BYTES_SENT,$REMOTE_BYTES_RECVD,$TRANSACTION_RATE,$(
        )$THROUGHPUT,${deltas[*]}") >>"$RESULTS/rounds.csv"
}

# tests ROUND PLACEMENT PATH HOST
tests() {
    local test
    measure "$@" null 0
    for test in $TESTS; do
        measure "$@" "${test%-*}" "${test#*-}"
    done
    note "round $1, $2, $3: done"
}

# by_path ROUND PLACEMENT PATH: link-SIZE is a link with rings of that size.
by_path() {
    local -a options=()
    case $3 in
    stock) tests "$@" "$stock_ip" ;;
    direct) tests "$@" "$direct_ip" ;;
    loopback) tests "$@" 127.0.0.1 ;;
    link*)
        [ "$3" = link ] || options=(-s "${3#link-}")
        xl shmlink enable "${options[@]}" vm1 vm2 || fail "enable"
        tests "$@" "$stock_ip"
        xl shmlink disable vm1 vm2 || fail "disable" ;;
    *) fail "no path \"$3\"" ;;
    esac
}

[[ " $PATHS " != *" direct "* ]] || add_direct_vif
: >"$RESULTS/rounds.csv"
for ((round = 1; round <= ROUNDS; round++)); do
    for placement in $PLACEMENTS; do
        place "$placement"
        for path in $PATHS; do
            # Inside one guest it does not matter where the other one is.
            [ "$path" != loopback ] || [ "$placement" = "${PLACEMENTS%% *}" ] ||
                continue
            by_path "$round" "$placement" "$path"
        done
    done
done
# Before vm2, whose netback would wait for a front end that is gone.
destroy_guest vm1
destroy_guest vm2
