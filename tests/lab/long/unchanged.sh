# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tells how far neighbouring measurements of a load that nobody has changed are
# apart, as --settle measures (advisor/settle.h): in five parts, of which the
# differences give the error. What is far above SETTLE_SIGMAS and the margins
# would be taken for an effect. It measures and judges nothing.
# lab: --guests 3 --pcpus 4 --topology sockets=2,cores=2 --timeout 3600

. /lab/advise.sh

parts=5
seconds=2       # each part
series=6

# sums FILE...: of the snapshots: throughput, waiting and VM switches of vm1 and
# vm2, a line each.
sums() {
    jq -r '[.domains[] | select(.name == "vm1" or .name == "vm2") |
        .vcpus[] | select(.online)] as $v |
        def sum(f): [$v[] | f.value // 0] | add;
        [([.traffic[].bytes.value // 0] | add) * 8e-6, sum(.wait),
         sum(.switches)] | @tsv' "$@"
}

# apart: of lines of sums, how far neighbouring series are apart at most.
apart() {
    awk -v parts="$parts" '
        function finish(i,   mean, error, d, s) {
            mean = sum[i] / parts
            error = (squares[i] / parts - mean * mean) / (parts - 1)
            error = error > 0 ? sqrt(error) : 0
            d = mean - was[i]
            d = d < 0 ? -d : d
            s = sqrt(error ^ 2 + was_error[i] ^ 2)
            if (NR > parts && d > far[i]) far[i] = d
            if (NR > parts && s && d / s > errors[i]) errors[i] = d / s
            was[i] = mean; was_error[i] = error
            all[i] += mean; sum[i] = squares[i] = 0
        }
        { for (i = 1; i <= 3; i++) { sum[i] += $i; squares[i] += $i ^ 2 } }
        NR % parts == 0 { for (i = 1; i <= 3; i++) finish(i); n++ }
        function tell(i, what, digits) {
            printf "%s: %.*f in the mean, apart %.*f (%.0f %%), %.1f errors\n",
                what, digits, all[i] / n, digits, far[i],
                all[i] ? 100 * far[i] * n / all[i] : 0, errors[i]
        }
        END {
            tell(1, "throughput, Mb/s", 0)
            tell(2, "waiting, pCPUs", 3)
            tell(3, "VM switches, 1/s", 0)
        }'
}

unchanged() { # NAME
    local i j
    note "$1"
    for ((i = 0; i < series; i++)); do
        for ((j = 0; j < parts; j++)); do
            xl shmlink snapshot -q -t "$seconds" "$RESULTS/$1-$i-$j.json" ||
                fail "snapshot"
        done
    done
    sums "$RESULTS/$1"-?-?.json | tee "$RESULTS/$1.sums" | apart
}

place vm3 3
hog_start vm3
place vm1 1
place vm2 1
stream_start vm1 vm2
unchanged "one-pcpu"
stream_stop vm1

place vm2 2
stream_start vm1 vm2
unchanged "two-pcpus"
xl shmlink enable vm1 vm2 || fail "enable"
unchanged "linked"
stream_stop vm1

guest vm1 "netperf -H $(guest_ip vm2) -t TCP_RR -l 3000 </dev/null \
    >/dev/null 2>&1 &"
sleep 2
unchanged "round-trips"
