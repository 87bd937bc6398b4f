# shellcheck shell=bash
# lab: --guests 3
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: the metrics from a trace are xenalyze's within 1 %, on our own file and
# on xentrace's; a running xentrace is left alone, and sampling is used.

. /lab/advise.sh

# What xenalyze says: "dDvV STATE CYCLES COUNT" per line.
by_xenalyze() {
    xenalyze --summary "$1" 2>"$1.err" | awk '
        /^\|-- Domain/ { d = $3 }
        /^-- v/ { v = substr($2, 2) }
        /^\|-- Domain/ { v = "" }
        v != "" && ($1 == "running:" || $1 == "runnable:" ||
            $1 == "blocked:") {
            n = $2; avg = $4
            printf "d%sv%s %s %.0f %d\n", d, v, substr($1, 1,
                length($1) - 1), n * avg, n }'
}

by_us() {
    xl-shmlink trace-report "$1" | awk '
        /^d/ { printf "%s running %.0f\n%s runnable %.0f\n%s blocked %.0f\n",
               $1, $3, $1, $4, $1, $5 }
        /^span/ { print "span", "all", $2 }'
}

# Each state of each vCPU that makes up a thousandth of the trace.
compare() {
    by_xenalyze "$1" >"$1.xenalyze"
    by_us "$1" >"$1.us"
    [ -s "$1.xenalyze" ] || { head -5 "$1.err"; fail "xenalyze reads nothing"; }
    awk '
        NR == FNR { if ($1 == "span") span = $3; us[$1 " " $2] = $3; next }
        $1 ~ /^d32767/ || $3 < span / 1000 { next }
        { x = us[$1 " " $2]; e = ($3 > x ? $3 - x : x - $3) / $3
          worst = e > worst ? e : worst; n++
          printf "%-6s %-9s xenalyze %13d us %13d  %.4f %%\n", $1, $2, $3, x,
                 100 * e }
        END { printf "%d states, worst %.4f %%\n", n, 100 * worst
              exit !(n >= 6 && worst < 0.01) }' "$1.us" "$1.xenalyze" ||
        fail "$1 differs from xenalyze"
}

note "vm1 and vm2 share a pCPU and talk, vm3 computes"
xl vcpu-pin vm1 0 3
xl vcpu-pin vm2 0 3
hog_start vm3
stream_start vm1 vm2 TCP_RR

note "our own trace"
time xl-shmlink snapshot -t 6 --no-traffic --keep-trace="$RESULTS/ours.trace" \
    "$RESULTS/traced.json"
compare "$RESULTS/ours.trace"

note "xentrace's trace"
xentrace -D -T 4 -e 0x21000 "$RESULTS/xentrace.trace" || true
compare "$RESULTS/xentrace.trace"

value() { # FILE VM FIELD: of its first vCPU
    jq -r ".domains[] | select(.name == \"$2\") | .vcpus[0].$3" "$1"
}

note "xentrace is running"
xentrace -D -e 0x21000 /tmp/other.trace &
xentrace=$!
sleep 1
xl-shmlink snapshot -t 8 --no-traffic "$RESULTS/sampled.json" 2>&1 |
    tee /tmp/said
grep -q 'another program reads' /tmp/said || fail "xentrace not noticed"
kill -0 "$xentrace" || fail "xentrace was disturbed"
size=$(stat -c %s /tmp/other.trace)
sleep 1
[ "$(stat -c %s /tmp/other.trace)" -gt "$size" ] || fail "xentrace stopped"
kill -INT "$xentrace"
wait "$xentrace" || true
[ "$(value "$RESULTS/sampled.json" vm3 wait.source)" = sampling ] ||
    fail "source of wait is not said"
[ "$(value "$RESULTS/traced.json" vm3 wait.source)" = trace ] ||
    fail "source of wait is not said"

note "after a kill, tracing is off again and xentrace can run"
xl-shmlink snapshot -q -t 20 /tmp/killed.json &
pid=$!
sleep 4
kill -9 "$pid"
wait "$pid" || true
sleep 1
timeout 20 xentrace -D -T 1 -e 0x21000 /tmp/after.trace 2>/dev/null || true
[ -s /tmp/after.trace ] || fail "no trace after a killed snapshot"

for vm in vm1 vm2 vm3; do
    for f in traced sampled; do
        printf '%s %s: run %.3f wait %.3f +- %.3f block %.3f\n' "$vm" "$f" \
            "$(value "$RESULTS/$f.json" "$vm" utilisation.value)" \
            "$(value "$RESULTS/$f.json" "$vm" wait.value)" \
            "$(value "$RESULTS/$f.json" "$vm" wait.error)" \
            "$(value "$RESULTS/$f.json" "$vm" block.value)"
    done
done

# Over the time that was sampled, and a second more at both ends.
exact_wait() {
    by_us /tmp/other.trace | awk -v v="d$(xl domid "$1")v0" '
        $1 == v { t[$2] = $3; sum += $3 }
        END { print sum ? t["runnable"] / sum : "null" }'
}

note "the sampled waits are those of xentrace's trace of that time"
for vm in vm1 vm2 vm3; do
    exact=$(exact_wait "$vm")
    sampled=$(value "$RESULTS/sampled.json" "$vm" wait)
    echo "$vm: exact $exact, sampled $(jq -c . <<<"$sampled")"
    jq -n --argjson t "$exact" --argjson s "$sampled" \
        -e '($t - $s.value | fabs) < 2 * $s.error + 0.03' >/dev/null ||
        fail "$vm's wait"
done
stream_stop vm1
hog_stop vm3
for vm in vm1 vm2; do
    xl vcpu-pin "$vm" 0 all || fail "unpin $vm"
done
