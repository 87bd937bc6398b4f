# shellcheck shell=bash
# lab: --guests 3
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: the traffic matrix agrees with exact counters of each pair within its
# stated error, also beside others' filters; only our filters and the clsact
# made for them come and go, also after a kill.

v1=$(vif_of vm1) v2=$(vif_of vm2) v3=$(vif_of vm3)
domid() { xl domid "$1"; }

filters() { # ours, on all interfaces
    local v
    for v in "$v1" "$v2" "$v3"; do
        tc filter show dev "$v" egress | grep -c "matchall .*handle 0x73686d6[cd]" || true
    done | awk '{ n += $1 } END { print n }'
}

cleanup() {
    nft delete table bridge lab
    tc qdisc del dev "$v2" clsact
    tc qdisc del dev "$v3" clsact
} 2>/dev/null
trap cleanup EXIT

filters_are() { [ "$(filters)" = "$1" ]; }
all_is_gone() {
    filters_are 0 && ! tc qdisc show dev "$v1" | has clsact
}

note "exact counters of each pair"
{
    echo 'table bridge lab {'
    for a in "$v1" "$v2" "$v3"; do
        for b in "$v1" "$v2" "$v3"; do
            [ "$a" = "$b" ] || echo "counter c_${a/./_}_${b/./_} { }"
        done
    done
    echo 'chain f { type filter hook forward priority 0;'
    for a in "$v1" "$v2" "$v3"; do
        for b in "$v1" "$v2" "$v3"; do
            [ "$a" = "$b" ] || echo \
                "iifname $a oifname $b counter name c_${a/./_}_${b/./_}"
        done
    done
    printf '}\n}\n'
} >/tmp/lab.nft
nft -f /tmp/lab.nft || fail "nft"

note "somebody else's filters: one that lets all through, one at our preference"
tc qdisc add dev "$v2" clsact
tc filter add dev "$v2" egress pref 7 matchall action pass
tc qdisc add dev "$v3" clsact
tc filter add dev "$v3" egress pref 1 protocol all u32 match u8 0 0 action continue

note "traffic of three kinds, all of it while it is measured"
xl-shmlink snapshot -t 24 --no-trace "$RESULTS/traffic.json" &
pid=$!
wait_for 20 filters_are 3 || fail "filters: $(filters) of 3"
guest vm1 "iperf3 -c $(guest_ip vm2) -t 9 >/dev/null" &
guest vm3 "netperf -P 0 -H $(guest_ip vm2) -t TCP_RR -l 9 -- -r 800,200" &
guest vm3 "netperf -P 0 -H $(guest_ip vm1) -t UDP_STREAM -l 6 -- -m 1000" &
wait "$pid" || fail "snapshot"
wait

# nft counts from the network header on: 14 bytes less in each packet.
nft -j list counters table bridge lab >"$RESULTS/exact.json"
tc filter show dev "$v2" egress | has 'pref 7 ' ||
    fail "another's filter is gone"
all_is_gone || fail "our filters or our clsact are left"
tc qdisc show dev "$v2" | has clsact || fail "another's clsact is gone"
tc filter show dev "$v3" egress | has 'pref 1 ' ||
    fail "another's first filter is gone"
jq -e --arg v "$v3" '.notes[] | select(.text | contains($v) and
    contains("filters come first"))' "$RESULTS/traffic.json" >/dev/null ||
    fail "not said that a filter comes first"

check() { # FROM TO: difference in stated errors
    local exact a=$1 b=$2 from to va vb
    from=$(domid "$a") to=$(domid "$b") va=$(vif_of "$a") vb=$(vif_of "$b")
    exact=$(jq "[.nftables[].counter | select(. != null) | select(.name ==
        \"c_${va/./_}_${vb/./_}\") | .bytes + 14 * .packets] | add" \
        "$RESULTS/exact.json")
    jq -r --argjson from "$from" --argjson to "$to" --argjson e "$exact" \
        --arg pair "$a $b" '.duration as $d | (first(.traffic[] |
        select(.from == $from and .to == $to)) //
        {bytes: {value: 0, error: 0}}) |
        "\($pair) exact \($e) estimate \(.bytes.value * $d | floor) error \(
        .bytes.error * $d | floor)"' "$RESULTS/traffic.json"
}

for pair in "vm1 vm2" "vm3 vm2" "vm3 vm1" "vm2 vm1" "vm2 vm3" "vm1 vm3"; do
    # shellcheck disable=SC2086
    check $pair
done | tee "$RESULTS/pairs" | awk '
    { d = $4 > $6 ? $4 - $6 : $6 - $4; sigma = $8 > 0 ? d / $8 : 0
      printf "%s  off by %.2f %%, %.1f stated errors\n", $0,
             $4 ? 100 * d / $4 : 0, sigma
      # Small change of ARP and the like apart, within three errors.
      if (d > 3 * $8 + 3000) bad = 1 }
    END { exit bad }' || fail "an estimate is off by more than it says"
jq -r '.notes[] | "\(.source): \(.text)"' "$RESULTS/traffic.json"

note "a killed snapshot leaves no filter"
xl-shmlink snapshot -q -t 60 /tmp/k.json &
pid=$!
wait_for 20 filters_are 3 || fail "no filters yet"
kill -9 "$pid"
wait "$pid" || true
wait_for 10 all_is_gone || fail "filters are left"

note "killed together with its cleaner: the next one finds them"
xl-shmlink snapshot -q -t 60 /tmp/k.json &
pid=$!
wait_for 20 filters_are 3 || fail "no filters yet"
# shellcheck disable=SC2046
kill -9 $(cat "/proc/$pid/task/$pid/children") "$pid"
wait "$pid" || true
filters_are 3 || fail "nothing to find"
xl-shmlink snapshot -t 1 /tmp/k.json 2>&1 | tee /tmp/said
grep -q 'removed 3 filters' /tmp/said || fail "not said"
all_is_gone || fail "filters are left"

note "an interrupted snapshot ends at once and cleanly; two at once do not go"
xl-shmlink snapshot -q -t 60 /tmp/k2.json &
pid=$!
wait_for 20 filters_are 3 || fail "no filters yet"
rc=0
xl-shmlink snapshot -t 1 /tmp/k3.json 2>/tmp/said || rc=$?
[ "$rc" = 1 ] || fail "two at once: $rc"
grep -q 'already' /tmp/said || fail "two at once: $(cat /tmp/said)"
kill -TERM "$pid"
rc=0
wait "$pid" || rc=$?
[ "$rc" = 1 ] || fail "interrupted: $rc"
[ ! -e /tmp/k2.json ] || fail "an interrupted snapshot left a file"
all_is_gone || fail "filters are left"
