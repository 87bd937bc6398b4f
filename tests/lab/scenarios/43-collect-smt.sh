# shellcheck shell=bash
# lab: --guests 1 --sched credit --topology sockets=1,cores=2,threads=2
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: SMT siblings, a second cpupool and the credit scheduler are seen as
# they are.

xl-shmlink snapshot -q -t 3 /tmp/s.json
jq -c '.pcpus' /tmp/s.json
jq -e '[.pcpus[] | "\(.socket) \(.core)"] | group_by(.) | map(length) ==
    [2, 2]' /tmp/s.json >/dev/null || fail "siblings"
jq -e '.pools[0] | .scheduler == "credit" and .pcpus == "0-3" and
    .granularity == "cpu"' /tmp/s.json >/dev/null || fail "pool"
jq -e '.domains[] | select(.name == "vm1") | .vcpus[0].wait.source ==
    "trace"' /tmp/s.json >/dev/null || fail "no trace with credit"

note "a second cpupool, a cap, a weight"
xl cpupool-cpu-remove Pool-0 3
xl cpupool-create name='"other"' sched='"credit2"' cpus='["3"]' >/dev/null
xl cpupool-migrate vm1 other
xl sched-credit2 -d vm1 -w 512 -c 40
xl vcpu-pin Domain-0 1 all 0
xl-shmlink snapshot -q -t 0 /tmp/s.json
jq -e '.pools | length == 2 and .[1].name == "other" and .[1].pcpus == "3"
    and .[1].scheduler == "credit2" and .[0].pcpus == "0-2"' /tmp/s.json ||
    fail "pools: $(jq -c .pools /tmp/s.json)"
jq -e '.domains[] | select(.name == "vm1") | .pool == 1 and .weight == 512
    and .cap == 40 and .vcpus[0].hard_effective == "3"' /tmp/s.json ||
    fail "vm1 in its pool"
jq -e '.domains[0].vcpus[1] | .soft == "0" and .soft_owner == "admin"' \
    /tmp/s.json || fail "dom0's soft affinity"
xl vcpu-pin Domain-0 1 all all
xl cpupool-migrate vm1 Pool-0
xl cpupool-destroy other
xl cpupool-cpu-add Pool-0 3
