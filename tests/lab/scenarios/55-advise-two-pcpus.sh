# shellcheck shell=bash
# lab: --alone --guests 2 --pcpus 2 --sched credit --timeout 900
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: with credit and no more than two pCPUs, which dom0 uses too, a busy pair
# on one of them is named, taken apart and linked: more throughput, and neither
# takes the other's pCPU any more; undo brings it back. What can be gained is
# less than in 50-advise, since dom0 had the other pCPU to itself.

. /lab/advise.sh

# each_other SNAPSHOT: switches a second from vm1 to vm2 and back.
each_other() {
    jq '[.domains[] | select(.name == "vm1" or .name == "vm2")] |
        map(.domid) as $pair | [.[].vcpus[].switched_by[] |
        select(.domid as $d | $pair | index($d)) | .per_second] | add // 0' \
        "$RESULTS/$1.json"
}

note "vm1 and vm2 on pCPU 1"
place vm1 1
place vm2 1
pair_badly
jq -e '.pools[0].scheduler == "credit" and (.pcpus | length == 2)' \
    "$RESULTS/before.json" >/dev/null || fail "not this scenario's host"

pair_apply
cat "$RESULTS/apply.txt"
grep -qE '(vm1 and vm2|vm2 and vm1) .*share pCPU 1' "$RESULTS/apply.txt" ||
    fail "the pair is not named"
pair_gained 1.2
# dom0 takes either's pCPU at times; they take each other's no more.
[ "$(each_other before)" != 0 ] || fail "they did not take each other's pCPU"
[ "$(each_other after)" = 0 ] || fail "they still take each other's pCPU"

note "undo"
xl shmlink undo || fail "undo"
[ "$(hard_of vm1 0)$(hard_of vm2 0)" = 11 ] ||
    fail "not as before: $(xl vcpu-list)"
if xl shmlink list | has vm1; then fail "the link is still there"; fi
