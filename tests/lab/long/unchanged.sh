# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tells how far neighbouring measurements of a load that nobody has changed are
# apart, which is what the margins of advisor/settle.h are to be compared with.
# It measures and judges nothing.
# lab: --guests 3 --pcpus 4 --topology sockets=2,cores=2 --timeout 3600

. /lab/advise.sh

seconds=10

# spread FILE...: of the snapshots, how far neighbours are apart at most.
spread() {
    local file
    for file; do
        jq -r '[.domains[] | select(.name == "vm1" or .name == "vm2") |
            .vcpus[] | select(.online)] as $v |
            def sum(f): [$v[] | f.value // 0] | add;
            def sigma(f): [$v[] | f.error // 0 | . * .] | add | sqrt;
            ([.traffic[].bytes.value // 0] | add) as $b |
            ([.traffic[].bytes.error // 0 | . * .] | add | sqrt) as $e |
            [$b, $e, sum(.wait), sigma(.wait), sum(.switches),
             sigma(.switches)] | @tsv' "$file"
    done | awk '
        function apart(i, scale,   d, s) {
            d = $i * scale - was[i]
            d = d < 0 ? -d : d
            s = sqrt($(i + 1) ^ 2 + error[i] ^ 2)
            if (d > far[i]) far[i] = d
            if (s && d / s > sigmas[i]) sigmas[i] = d / s
            sum[i] += $i
        }
        NR > 1 { apart(1, 1); apart(3, 1); apart(5, $1 ? was[1] / $1 : 1) }
        { for (i = 1; i < 6; i += 2) { was[i] = $i; error[i] = $(i + 1) } }
        END {
            n = NR - 1
            printf "throughput %.0f Mb/s, apart %.1f %% (%.1f errors)\n",
                sum[1] * 8e-6 / n, sum[1] ? 100 * far[1] * n / sum[1] : 0,
                sigmas[1]
            printf "waiting %.3f pCPUs, apart %.3f (%.1f errors)\n",
                sum[3] / n, far[3], sigmas[3]
            printf "VM switches %.0f /s, apart %.0f (%.1f errors)\n",
                sum[5] / n, far[5], sigmas[5]
        }'
}

unchanged() { # NAME
    local i
    note "$1"
    for i in 1 2 3 4 5 6 7 8; do
        xl shmlink snapshot -q -t "$seconds" "$RESULTS/$1-$i.json" ||
            fail "snapshot"
    done
    spread "$RESULTS/$1"-?.json
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
