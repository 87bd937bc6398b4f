# lab: --guests 2 --pcpus 4 --topology sockets=2,cores=2 --timeout 900
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: a CPU-bound sender with a vCPU to spare gets it, verified from Xen;
# where the guest does not follow, all is taken back and the rule is named;
# undo takes the vCPU away again. The udev rule brings online what Xen adds, and
# nothing that the administrator took offline.

. /lab/advise.sh

plan() { # VCPUS: a plan that gives vm1 one more, from what advise says
    xl shmlink advise "${advise_set[@]}" -t 8 -j --set link-bytes=1e12 \
        --set bound-bytes=1000 --set bound-utilisation=0.6 \
        --set bound-share=0 >/tmp/plan.json ||
        fail "advise"
    jq -e '.steps[] | select(.kind == "set-vcpus")' /tmp/plan.json
}

note "vm1: one of two vCPUs, busy, and it sends"
boot_guest vm1 vcpus=1 maxvcpus=2
hog_start vm1
# So little that the emulated dom0 leaves a pCPU for one more vCPU.
guest vm1 "python3 /lab/datagrams.py send $(guest_ip vm2) 5001 50 /tmp/stop \
    </dev/null >/dev/null 2>&1 &"
wait_for 60 plan >"$RESULTS/step.json" || {
    cat /tmp/plan.json
    fail "no vCPU is advised"
}
cat "$RESULTS/step.json"

note "the guest does not bring it online: taken back, and why"
rc=0
xl shmlink apply /tmp/plan.json >/tmp/out 2>&1 || rc=$?
cat /tmp/out
[ "$rc" = 1 ] || fail "exit status $rc"
grep -q '99-shmlink-vcpu.rules' /tmp/out || fail "the rule is not named"
[ "$(online_vcpus vm1)" = 1 ] || fail "not taken back"

note "a guest with what the rule does"
guest vm1 'sh -c "while sleep 0.2; do
    for c in /sys/devices/system/cpu/cpu[0-9]*/online; do
        [ \$(cat \$c) = 1 ] || [ -e /tmp/no ] || echo 1 >\$c; done; done" \
    </dev/null >/dev/null 2>&1 &'
xl shmlink apply /tmp/plan.json || fail "apply"
[ "$(online_vcpus vm1)" = 2 ] || fail "one vCPU online: $(xl vcpu-list vm1)"
[ "$(guest vm1 nproc)" = 2 ] || fail "the guest sees $(guest vm1 nproc)"

note "undo takes it back"
guest vm1 'touch /tmp/no'
xl shmlink undo || fail "undo"
[ "$(online_vcpus vm1)" = 1 ] || fail "two vCPUs: $(xl vcpu-list vm1)"
[ "$(guest vm1 nproc)" = 1 ] || fail "the guest has $(guest vm1 nproc)"
guest vm1 touch /tmp/stop
hog_stop vm1

note "the rule itself, in dom0, which is a guest with udev"
[ "$(online_vcpus 0)" = 2 ] || skip "dom0 has not two vCPUs"
pgrep -f udevd >/dev/null || /lib/systemd/systemd-udevd --daemon
xl vcpu-set 0 1
wait_for 10 test "$(nproc)" = 1 || true
wait_for 10 eval '[ "$(online_vcpus 0)" = 1 ]' || fail "dom0 keeps 2 vCPUs"
xl vcpu-set 0 2
sleep 3
[ "$(online_vcpus 0)" = 1 ] || note "dom0 brings it online by itself"
xl vcpu-set 0 1
wait_for 10 eval '[ "$(online_vcpus 0)" = 1 ]' || fail "dom0 keeps 2 vCPUs"
cp /usr/local/share/shmlink/99-shmlink-vcpu.rules /etc/udev/rules.d/ 2>/dev/null ||
    skip "the rule is not in this lab"
udevadm control --reload
trap 'rm /etc/udev/rules.d/99-shmlink-vcpu.rules
    echo 1 >/sys/devices/system/cpu/cpu1/online' EXIT
xl vcpu-set 0 2
wait_for 15 eval '[ "$(online_vcpus 0)" = 2 ]' || fail "the rule does nothing"
echo 0 >/sys/devices/system/cpu/cpu1/online
# As at each boot, and what a reload asks for.
udevadm trigger --type=devices --action=add
udevadm trigger --action=add --subsystem-match=cpu --settle
udevadm settle
[ "$(cat /sys/devices/system/cpu/cpu1/online)" = 0 ] ||
    fail "the rule undoes what the administrator did"
