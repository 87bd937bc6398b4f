# shellcheck shell=bash
# lab: --guests 2 --topology sockets=1,cores=2,threads=2 --sched credit
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: two busy VMs on the sibling threads of one core, beside a core that is
# idle, are named and taken apart.

. /lab/advise.sh

core_of() { jq -r --argjson p "$1" '.pcpus[] | select(.pcpu == $p) | .core' \
    "$RESULTS/host.json"; }

note "vm1 and vm2 on the threads of one core"
place vm1 2
place vm2 3
# A stream by dom0's bridge alone keeps neither busy enough to be in the way.
hog_start vm1
hog_start vm2
stream_start vm1 vm2
xl shmlink snapshot -t 6 "$RESULTS/host.json" || fail "snapshot"
[ "$(core_of 2)" = "$(core_of 3)" ] || fail "pCPUs 2 and 3 are no siblings"

xl shmlink advise "${advise_set[@]}" --from "$RESULTS/host.json" --all \
    >"$RESULTS/advise.txt" || fail "advise"
cat "$RESULTS/advise.txt"
grep -qE '(vm1 and vm2|vm2 and vm1) .*sibling threads' "$RESULTS/advise.txt" ||
    fail "advise does not name the pair"

note "--apply takes them apart"
xl shmlink advise "${advise_set[@]}" -t 6 --apply --settle 6 \
    >"$RESULTS/apply.txt" || fail "apply: $(cat "$RESULTS/apply.txt")"
sed -n '/^\[/,$p' "$RESULTS/apply.txt"
[ "$(core_of "$(hard_of vm1 0)")" != "$(core_of "$(hard_of vm2 0)")" ] ||
    fail "still on one core: $(xl vcpu-list)"
stream_stop vm1
hog_stop vm1
hog_stop vm2
