# shellcheck shell=bash
# lab: --guests 2 --pcpus 2 --sched credit --timeout 900
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: with credit and no more than two pCPUs, which dom0 uses too, a busy pair
# on one of them is named, taken apart and linked: more throughput, a fraction
# of the VM switches per MB; undo brings it back. What can be gained is less than
# in 50-advise, since dom0 had the other pCPU to itself.

. /lab/advise.sh

note "vm1 and vm2 on pCPU 1"
place vm1 1
place vm2 1
before=$(netperf_mbps vm1 vm2)
stream_start vm1 vm2
xl shmlink snapshot -t 10 "$RESULTS/before.json" || fail "snapshot"
read -r _ _ switches_before <<<"$(per_mb "$RESULTS/before.json" vm1 vm2)"
jq -e '.pools[0].scheduler == "credit" and (.pcpus | length == 2)' \
    "$RESULTS/before.json" >/dev/null || fail "not this scenario's host"

xl shmlink advise "${advise_set[@]}" -t 10 --apply --settle 10 \
    >"$RESULTS/apply.txt" || fail "apply: $(cat "$RESULTS/apply.txt")"
cat "$RESULTS/apply.txt"
grep -qE '(vm1 and vm2|vm2 and vm1) .*share pCPU 1' "$RESULTS/apply.txt" ||
    fail "the pair is not named"
[ "$(hard_of vm1 0)" != "$(hard_of vm2 0)" ] || fail "still on one pCPU"
xl shmlink list | grep -q vm1 || fail "no link"
xl shmlink snapshot -t 10 "$RESULTS/after.json" || fail "snapshot"
read -r _ _ switches_after <<<"$(per_mb "$RESULTS/after.json" vm1 vm2)"
stream_stop vm1
after=$(netperf_mbps vm1 vm2)
expect_gain 1.2 4 "$before" "$after" "$switches_before" "$switches_after"

note "undo"
xl shmlink undo || fail "undo"
[ "$(hard_of vm1 0)$(hard_of vm2 0)" = 11 ] ||
    fail "not as before: $(xl vcpu-list)"
if xl shmlink list | grep -q vm1; then fail "the link is still there"; fi
