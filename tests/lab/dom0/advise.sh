# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the advisor's scenarios share. Sourced by them.

# Emulated guests come and go: nothing here waits for a real cooldown. The
# prices are this host's: by dom0's bridge 16 MB/s took vm1, vm2 and dom0 1.74
# emulated pCPUs, 1.09 of them dom0's; a link 0.38 of the instructions.
# shellcheck disable=SC2034
advise_set=(--set hard-affinity=yes --set cooldown-sec=0
    --set vif-byte-ns=100 --set link-byte-ns=40 --set dom0-share=0.6)

# place DOM PCPU...: put vCPU 0 there as the advisor would have, so that it is
# not taken for the administrator's pin.
place() {
    local dom=$1 cpus=$2
    jq -n --arg uuid "$(xl vm-list | awk -v d="$dom" '$3 == d { print $1 }')" \
        --arg name "$dom" --argjson domid "$(xl domid "$dom")" \
        --arg from "$(hard_of "$dom" 0)" --arg to "$cpus" '
        {before: {total: 0}, after: {total: 0}} as $none |
        {format: "shmlink-plan", schema: 1, time: 0, id: "0000000000000000",
         findings: [], notes: [], places: [],
         steps: [{kind: "pin-hard", subjects: [{$uuid, $domid, $name}],
                  vcpuid: 0, $from, $to, reason: "room", gain: 0,
                  text: "placed by the scenario", command: "-"}]} + $none' \
        >"/tmp/place-$dom.json"
    xl shmlink apply -f "/tmp/place-$dom.json" >/dev/null ||
        fail "cannot place $dom on $cpus: $(cat "/tmp/place-$dom.json")"
}

# hard_of DOM VCPU, soft_of DOM VCPU: the affinity as `xl vcpu-list` has it.
hard_of() { vcpu_line "$1" "$2" | sed 's/ *\/.*//; s/.* //'; }
soft_of() { vcpu_line "$1" "$2" | sed 's/.*\/ *//; s/ *$//'; }
vcpu_line() { xl vcpu-list "$1" | awk -v v="$2" '$3 == v'; }
cpu_of() { vcpu_line "$1" "$2" | awk '{ print $4 }'; }
online_vcpus() { xl vcpu-list "$1" | awk 'NR > 1 && $5 != "--p"' | wc -l; }

# netperf_mbps FROM TO: TCP throughput with 16 KB messages, median of three.
netperf_mbps() {
    local i
    for i in 1 2 3; do
        guest "$1" "netperf -H $(guest_ip "$2") -t TCP_STREAM -l 2 -P 0 -- \
            -m 16384" | awk 'NF >= 5 { print $5 }'
    done | sort -g | sed -n 2p
}

# stream_start FROM TO [TEST]: netperf's TEST, a stream of 16 KB messages if not
# given, for as long as it takes; stream_stop FROM.
stream_start() {
    local test=${3:-TCP_STREAM -- -m 16384}
    guest "$1" "netperf -H $(guest_ip "$2") -l 3000 -t $test \
        </dev/null >/dev/null 2>&1 &"
    sleep 2
    guest "$1" pidof netperf >/dev/null || fail "no stream from $1"
}
stream_stop() { guest "$1" 'killall netperf; true' 2>/dev/null; }
# hog_start DOM: a program that only computes; hog_stop DOM ends all of them.
hog_start() { guest "$1" 'sha256sum /dev/zero </dev/null >/dev/null 2>&1 &'; }
hog_stop() { guest "$1" 'killall sha256sum; true' 2>/dev/null; }

# per_mb SNAPSHOT A B: VM switches of A and B per MB between them.
per_mb() {
    jq -r --arg a "$2" --arg b "$3" '
        ([.domains[] | select(.name == $a or .name == $b)]) as $d |
        ($d | map(.domid)) as $ids |
        ([$d[].vcpus[] | .switches.value // 0] | add) as $switches |
        ([.traffic[] | select((.from as $f | $ids | index($f)) and
            (.to as $t | $ids | index($t))) | .bytes.value // 0] | add) as $b |
        "\($switches) \($b * 8e-6) \($switches / ($b / 1e6))"' "$1"
}

# pair_badly: measure vm1 and vm2, placed badly, and leave a stream between them.
pair_badly() {
    before=$(netperf_mbps vm1 vm2)
    stream_start vm1 vm2
    xl shmlink snapshot -t 6 "$RESULTS/before.json" || fail "snapshot"
    read -r _ _ switches_before <<<"$(per_mb "$RESULTS/before.json" vm1 vm2)"
}

# pair_apply: --apply has to link them and take them apart.
pair_apply() {
    xl shmlink advise "${advise_set[@]}" -t 6 --apply --settle 6 \
        >"$RESULTS/apply.txt" || fail "apply: $(cat "$RESULTS/apply.txt")"
    [ "$(hard_of vm1 0)" != "$(hard_of vm2 0)" ] || fail "still on one pCPU"
    xl shmlink list | has vm1 || fail "no link"
}

# pair_gained TIMES: after it TIMES the throughput or more.
pair_gained() {
    local after
    xl shmlink snapshot -t 6 "$RESULTS/after.json" || fail "snapshot"
    read -r _ _ switches_after <<<"$(per_mb "$RESULTS/after.json" vm1 vm2)"
    stream_stop vm1
    after=$(netperf_mbps vm1 vm2)
    note "RESULT throughput $before -> $after Mb/s, VM switches per MB" \
        "$switches_before -> $switches_after"
    awk -v t="$1" -v b="$before" -v a="$after" 'BEGIN { exit !(a >= t * b) }' ||
        fail "throughput $before -> $after Mb/s is not $1 times as much"
}
