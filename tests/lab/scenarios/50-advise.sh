# lab: --alone --guests 3 --pcpus 4 --topology sockets=2,cores=2 --timeout 900
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: a busy pair on one core is named by advise and put right by --apply:
# at least twice the throughput, at most a tenth of the VM switches per MB;
# undo brings back exactly what was there.

. /lab/advise.sh

note "vm1 and vm2 on pCPU 1, a hog in vm3 on pCPU 3"
all_hard() { echo "$(hard_of vm1 0) $(hard_of vm2 0) $(hard_of vm3 0)"; }
at_first=$(all_hard)
place vm1 1
place vm2 1
place vm3 3
hog_start vm3
xl vcpu-list | tee "$RESULTS/vcpus-badly.txt"
pair_badly

note "advise names it and changes nothing"
xl vcpu-list | awk '{ print $1, $3, $NF, $(NF - 2) }' >/tmp/affinity
xl shmlink advise "${advise_set[@]}" --all -t 6 --svg "$RESULTS/advise.svg" \
    >"$RESULTS/advise.txt" || fail "advise"
cat "$RESULTS/advise.txt"
grep -qE '(vm1 and vm2|vm2 and vm1) .*share pCPU 1' "$RESULTS/advise.txt" ||
    fail "advise does not name the pair"
grep -qE 'xl vcpu-pin vm[12] 0' "$RESULTS/advise.txt" ||
    fail "advise pins neither"
xl vcpu-list | awk '{ print $1, $3, $NF, $(NF - 2) }' | cmp - /tmp/affinity ||
    fail "advise changed something"

note "--apply puts it right"
pair_apply
sed -n '/^\[/,$p' "$RESULTS/apply.txt"
xl shmlink history -l
xl vcpu-list | tee "$RESULTS/vcpus-well.txt"
pair_gained 2
awk -v b="$switches_before" -v a="$switches_after" \
    'BEGIN { exit !(a <= b / 10) }' ||
    fail "VM switches per MB $switches_before -> $switches_after"

note "undo"
xl shmlink undo || fail "undo"
[ "$(all_hard)" = "1 1 3" ] || fail "not as before: $(xl vcpu-list)"
xl shmlink list | has vm1 && fail "the link is still there"
for placed in vm3 vm2 vm1; do
    xl shmlink undo || fail "undo of the placing of $placed"
done
[ "$(all_hard)" = "$at_first" ] || fail "not as at first: $(xl vcpu-list)"
hog_stop vm3
