# shellcheck shell=bash
# lab: --guests 2
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: hosts that lack something: no psample module, no bridge, a cpupool, an
# affinity of the administrator's, a full disk; what can be known is known.

. /lab/advise.sh

v1=$(vif_of vm1) v2=$(vif_of vm2)

note "pins, pools and owners"
xl vcpu-pin vm1 0 1 1-2
xl-shmlink snapshot -q -t 0 /tmp/s.json
jq -e '.domains[] | select(.name == "vm1") | .vcpus[0] |
    .hard == "1" and .hard_owner == "admin" and .soft == "1-2" and
    .soft_owner == "admin" and .hard_effective == "1" and
    .soft_effective == "1"' /tmp/s.json || fail "vm1's affinity"
jq -e '.domains[] | select(.name == "vm2") | .vcpus[0] |
    .hard == "all" and .hard_owner == "none" and .soft_owner == "none"' \
    /tmp/s.json || fail "vm2: libxl's own placement counts as none"
xl vcpu-pin vm1 0 all all
jq -e '.pcpus | length == 4' /tmp/s.json >/dev/null || fail "pCPUs"
jq -e '[.pcpus[].socket] | unique | length == 2' /tmp/s.json >/dev/null ||
    fail "sockets"
jq -e '.nodes[0].distances == [10, 20]' /tmp/s.json >/dev/null ||
    fail "distances"
jq -e '.pools[0].scheduler == "credit2"' /tmp/s.json >/dev/null ||
    fail "scheduler"
jq -e '.domains[] | select(.name == "vm1") | .vifs[0] |
    .bridge == "xenbr0" and .mac == "'"$(guest_mac vm1)"'"' /tmp/s.json ||
    fail "vif"
xl-shmlink advise --from /tmp/s.json >/dev/null || fail "advise --from"

note "no bridge"
ip link set "$v1" nomaster
ip link set "$v2" nomaster
xl-shmlink snapshot -t 2 --no-trace /tmp/n.json 2>&1 | tee /tmp/said
grep -q 'no Linux bridge' /tmp/said || fail "not said"
ip link set "$v1" master xenbr0
ip link set "$v2" master xenbr0

note "no psample"
modprobe -r act_sample psample 2>/dev/null || true
dir=$(dirname "$(modinfo -n act_sample)")
mv "$dir/act_sample.ko" /tmp/
stream_start vm1 vm2
xl-shmlink snapshot -t 4 --no-trace /tmp/p.json 2>&1 | tee /tmp/said
mv /tmp/act_sample.ko "$dir/"
stream_stop vm1
grep -q 'act_sample' /tmp/said || fail "not said"
jq -e '[.traffic[] | select(.from == '"$(xl domid vm1)"' and .to == null and
    .bytes.source == "counter")] | length == 1' /tmp/p.json ||
    fail "counters are missing"
tc qdisc show dev "$v1" | has clsact && fail "clsact is left"

note "a full disk"
mkdir -p /tmp/full
mount -t tmpfs -o size=4k tmpfs /tmp/full
rc=0
xl-shmlink snapshot -q -t 0 /tmp/full/s.json 2>/tmp/said || rc=$?
umount /tmp/full
if [ "$rc" != 1 ] || ! grep -q "No space" /tmp/said; then
    fail "$rc: $(cat /tmp/said)"
fi
