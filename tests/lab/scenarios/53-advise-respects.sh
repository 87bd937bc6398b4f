# lab: --guests 3 --pcpus 4 --topology sockets=2,cores=2 --timeout 900
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: the administrator's pins, a cpupool and banned pCPUs are left alone,
# and advise says so.

. /lab/advise.sh

advise() {
    xl shmlink advise -t 6 --set cooldown-sec=0 --set link-headroom=0 \
        --all "$@" >/tmp/out 2>&1 || fail "advise: $(cat /tmp/out)"
    cat /tmp/out
}

# What an earlier scenario's journal set is not the administrator's.
rm -f /var/lib/shmlink/journal.db
note "pinned by the administrator, both on one pCPU"
xl vcpu-pin vm1 0 1
xl vcpu-pin vm2 0 1
stream_start vm1 vm2
advise >"$RESULTS/pins.txt"
sed -n '/^What is wrong/,$p' "$RESULTS/pins.txt"
grep -qE '(vm1 and vm2|vm2 and vm1) .*share pCPU 1' "$RESULTS/pins.txt" ||
    fail "it is not even said"
grep -qE 'xl vcpu-pin vm[12] ' "$RESULTS/pins.txt" && fail "pins are touched"
sed -n '/^Left alone/,$p' "$RESULTS/pins.txt" | has 'vm1' ||
    fail "not said that vm1's pin is kept"

note "banned pCPUs"
xl vcpu-pin vm1 0 all
advise --set hard-affinity=yes --set banned-pcpus=0,2 >"$RESULTS/banned.txt"
sed -n '/^What to do/,$p' "$RESULTS/banned.txt"
grep -qE 'xl vcpu-pin vm[13] 0 [02] ' "$RESULTS/banned.txt" &&
    fail "a banned pCPU is used"
sed -n '/^Left alone/,$p' "$RESULTS/banned.txt" | has -i 'banned' ||
    fail "banned pCPUs are not named"

note "a cpupool"
xl cpupool-cpu-remove Pool-0 3
xl cpupool-create name='"night"' sched='"credit"' cpus='["3"]' ||
    fail "cpupool"
xl cpupool-migrate vm3 night
advise --set hard-affinity=yes >"$RESULTS/pool.txt"
sed -n '/^What to do/,$p' "$RESULTS/pool.txt"
grep -qE 'xl vcpu-pin vm3 0 [012] ' "$RESULTS/pool.txt" &&
    fail "vm3 is sent out of its pool"
grep -qE 'xl vcpu-pin vm[12] 0 3 ' "$RESULTS/pool.txt" &&
    fail "others are sent into the pool"
xl cpupool-migrate vm3 Pool-0
xl cpupool-destroy night
xl cpupool-cpu-add Pool-0 3
stream_stop vm1
