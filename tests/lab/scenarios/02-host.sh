# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: the host is as the options say: topology, NUMA nodes, scheduler, dom0's
# vCPUs, instruction counters; a guest with settings of its own. (PVH guests
# need SVM, which the Intel processor of a host with threads has not: 10-path.)
# lab: --topology sockets=2,cores=1,threads=2 --sched credit --dom0-vcpus 1
# lab: --count-instructions

info=$(xl info -n)
expect() {
    grep -Eq "$1" <<<"$info" || fail "xl info lacks \"$1\":"$'\n'"$info"
}
expect '^nr_cpus *: 4$'
expect '^threads_per_core *: 2$'
expect '^cores_per_socket *: 1$'
expect '^nr_nodes *: 2$'
expect '^xen_scheduler *: credit$'
[ "$(nproc)" = 1 ] || fail "dom0 has $(nproc) vCPUs"

note "a guest with settings of its own"
boot_guest vm3 memory=352 cpus=2
xl list vm3 | awk '$3 == 352 { ok = 1 } END { exit !ok }' || fail "vm3's memory"
xl vcpu-list vm3 | awk '$7 == 2 { ok = 1 } END { exit !ok }' ||
    fail "vm3 is not pinned"
# Its vif may still be coming up.
wait_for 30 guest vm1 "ping -c 1 -W 2 $(guest_ip vm3)" >/dev/null || fail "ping"

note "the counters tell work from idleness"
total() { awk '{ for (i = 2; i <= NF; i++) n += $i; print n }' <<<"$1"; }
a=$(mark idle)
sleep 2
b=$(mark busy)
guest vm1 "netperf -P 0 -H $(guest_ip vm2) -t TCP_STREAM -l 2" >/dev/null
c=$(mark end)
[ "$(wc -w <<<"$c")" = 5 ] || fail "not one counter per pCPU: $c"
idle=$(($(total "$b") - $(total "$a")))
busy=$(($(total "$c") - $(total "$b")))
note "idle: $idle instructions, busy: $busy"
[ "$idle" -gt 0 ] && [ "$busy" -gt "$idle" ] || fail "the counters"

note "a guest lives on over save and restore, with its command"
LAB_GUEST_TIMEOUT=180 guest vm2 'echo begin; sleep 12; echo end' >/tmp/lived &
wait_for 20 grep -q begin /tmp/lived || fail "no output while it runs"
xl save vm2 /tmp/vm2.save
xl restore /tmp/vm2.save
rm -f /tmp/vm2.save
wait $! || fail "the command was lost"
grep -q end /tmp/lived || fail "its output was lost"
