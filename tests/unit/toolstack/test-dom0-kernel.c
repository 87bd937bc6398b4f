// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What dom0's kernel is asked, of this machine's own kernel: a bridge in a
 * network namespace, with everything on it that tc and ip can do here.
 */
#include "config.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "toolstack/ctx.h"
#include "toolstack/obstacle.h"
#include "toolstack/vif.h"

static struct shmlink_ctx ctx = { .paths = { "/sys", "/proc", "", "" } };
static const struct vif one = {
    .ifname = "vif1.0", .bridge = "xenbr0", .mac = "00:16:3e:00:00:01",
}, other = {
    .ifname = "vif2.0", .bridge = "xenbr0", .mac = "00:16:3e:00:00:02",
};

static bool can(const char *command)
{
    char line[320];

    snprintf(line, sizeof(line), "{ %s; } >/dev/null 2>&1", command);
    return system(line) == 0;
}

/* A port takes a state only once its interface is up, which takes a moment. */
static void must(const char *command)
{
    int tries = 100;

    while (!can(command)) {
        if (!tries--)
            fail_msg("%s", command);
        usleep(50000);
    }
}

/* The obstacles between the two, in one line. */
static const char *between(void)
{
    static const char *const guest[2] = { "web", "db" };
    const struct vif *const vif[2] = { &one, &other };
    struct obstacle list[OBSTACLES_MAX];
    struct obstacles *obstacles = NULL;
    static char text[2048];
    size_t nr;

    if (obstacles_read(&ctx, &obstacles))
        fail_msg("%s", ctx.why);
    nr = obstacles_between(obstacles, vif, guest, list);
    obstacles_join(list, nr, text, sizeof(text));
    obstacles_free(obstacles);
    return text;
}

/* What a command brings, and another takes away again. */
static void brings(const char *make, const char *text, const char *take)
{
    const char *found;

    if (!can(make)) {
        print_message("not here: %s\n", make);
        return;
    }
    found = between();
    if (strcmp(found, text))
        fail_msg("%s: '%s', not '%s'", make, found, text);
    must(take);
    assert_string_equal(between(), "");
}

static int set_up(void **state)
{
    (void)state;
    must("ip link add xenbr0 up type bridge");
    must("ip link add vif1.0 up type veth peer name guest1");
    must("ip link add vif2.0 up type veth peer name guest2");
    must("ip link set guest1 up; ip link set guest2 up");
    must("ip link set vif1.0 master xenbr0; ip link set vif2.0 master xenbr0");
    must("bridge link set dev vif1.0 state 3; "
         "bridge link set dev vif2.0 state 3");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    must("ip link del xenbr0; ip link del vif1.0; ip link del vif2.0");
    return 0;
}

static void test_ports(void **state)
{
    (void)state;
    assert_string_equal(between(), "");
    brings("ip link set vif2.0 down", "vif2.0 of db is down",
           "ip link set vif2.0 up; bridge link set dev vif2.0 state 3");
    brings("bridge link set dev vif1.0 state 0",
           "vif1.0 of web is a disabled port of its bridge",
           "bridge link set dev vif1.0 state 3");
    brings("bridge link set dev vif1.0 isolated on",
           "vif1.0 of web is an isolated port of its bridge",
           "bridge link set dev vif1.0 isolated off");
    brings("bridge link set dev vif1.0 locked on",
           "vif1.0 of web is a locked port of its bridge",
           "bridge link set dev vif1.0 locked off");
    brings("ip link set xenbr0 down", "vif1.0 of web is a disabled port of "
           "its bridge; vif2.0 of db is a disabled port of its bridge; bridge "
           "xenbr0 is down",
           "ip link set xenbr0 up");
    /* Without carrier the bridge disables a port by itself. */
    must("ip link set guest1 down");
    assert_string_equal(between(), "");
}

static void test_vlans(void **state)
{
    (void)state;
    if (!can("ip link set xenbr0 type bridge vlan_filtering 1")) {
        print_message("not here: VLANs\n");
        return;
    }
    brings("bridge vlan add dev vif1.0 vid 10-12",
           "vif1.0 of web and vif2.0 of db are in different VLANs of bridge "
           "xenbr0", "bridge vlan add dev vif2.0 vid 10-12");
    brings("bridge vlan del dev vif2.0 vid 11",
           "vif1.0 of web and vif2.0 of db are in different VLANs of bridge "
           "xenbr0", "bridge vlan del dev vif1.0 vid 11");
    must("bridge vlan del dev vif1.0 vid 10-12; "
         "bridge vlan del dev vif2.0 vid 10-12");
    must("bridge vlan del dev vif2.0 vid 1");
    assert_string_equal(between(), "vif2.0 of db is in no VLAN of its bridge; "
                        "vif1.0 of web and vif2.0 of db are in different VLANs "
                        "of bridge xenbr0");
}

static void test_qdiscs(void **state)
{
    static const char *const harmless[] = {
        "cake", "codel", "fq", "fq_codel", "fq_pie", "pfifo", "pie", "prio",
        "red limit 400000 avpkt 1000 burst 30", "sfq", "noqueue",
    };
    static const char *const harmful[] = {
        "cake bandwidth 10mbit", "fq maxrate 10mbit", "htb", "netem delay 1ms",
        "tbf rate 10mbit burst 100k latency 50ms",
    };
    char make[160], text[160];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
        snprintf(make, sizeof(make), "tc qdisc add dev vif1.0 root handle 7: "
                 "%s", harmless[i]);
        brings(make, "", "tc qdisc del dev vif1.0 root");
    }
    for (i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++) {
        snprintf(make, sizeof(make), "tc qdisc add dev vif1.0 root handle 7: "
                 "%s", harmful[i]);
        snprintf(text, sizeof(text), "vif1.0 of web is limited by traffic "
                 "control (qdisc '%.*s')", (int)strcspn(harmful[i], " "),
                 harmful[i]);
        brings(make, text, "tc qdisc del dev vif1.0 root");
    }
    /* Below one that limits nothing. */
    if (can("tc qdisc add dev vif2.0 root handle 7: prio"))
        brings("tc qdisc add dev vif2.0 parent 7:1 tbf rate 10mbit burst 100k "
               "latency 50ms", "vif2.0 of db is limited by traffic control "
               "(qdisc 'tbf')", "tc qdisc del dev vif2.0 root");
}

static void test_filters(void **state)
{
    static const char *const filtered = "vif2.0 of db is filtered by traffic "
        "control (filter 'matchall')";

    (void)state;
    if (can("tc qdisc add dev vif2.0 clsact")) {
        assert_string_equal(between(), "");
        brings("tc filter add dev vif2.0 ingress matchall action drop",
               filtered, "tc filter del dev vif2.0 ingress");
        brings("tc filter add dev vif2.0 egress matchall action drop",
               filtered, "tc filter del dev vif2.0 egress");
        /* The advisor's handle alone is no pass. */
        brings("tc filter add dev vif2.0 egress handle 0x73686d6c matchall "
               "action drop", filtered, "tc filter del dev vif2.0 egress");
        brings("tc filter add dev vif2.0 egress handle 0x73686d6c matchall "
               "action sample rate 64 group 1", "",
               "tc filter del dev vif2.0 egress");
        must("tc qdisc del dev vif2.0 clsact");
    }
    if (can("tc qdisc add dev vif2.0 ingress"))
        brings("tc filter add dev vif2.0 ingress matchall action drop",
               filtered, "tc qdisc del dev vif2.0 ingress");
    if (can("tc qdisc add dev vif2.0 root handle 7: prio"))
        brings("tc filter add dev vif2.0 parent 7: matchall action drop",
               filtered, "tc qdisc del dev vif2.0 root");
}

static int load(unsigned int type, int returns)
{
    const struct bpf_insn code[] = {
        { BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, returns },
        { BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
    };
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.prog_type = type;
    attr.insn_cnt = 2;
    attr.insns = (uintptr_t)code;
    attr.license = (uintptr_t)"GPL";
    return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

static void test_programs(void **state)
{
    enum { TCX_INGRESS = 46, TCX_EGRESS = 47 };
    int where, fd = load(BPF_PROG_TYPE_SCHED_CLS, 0);
    union bpf_attr attr;

    (void)state;
    for (where = TCX_INGRESS; where <= TCX_EGRESS; where++) {
        memset(&attr, 0, sizeof(attr));
        attr.target_fd = if_nametoindex("vif2.0");
        attr.attach_bpf_fd = (uint32_t)fd;
        attr.attach_type = (uint32_t)where;
        if (fd < 0 || syscall(SYS_bpf, BPF_PROG_ATTACH, &attr,
                              sizeof(attr))) {
            print_message("not here: tcx\n");
            continue;
        }
        assert_string_equal(between(), "vif2.0 of db has a BPF program of "
                            "tcx");
        assert_int_equal(syscall(SYS_bpf, BPF_PROG_DETACH, &attr,
                                 sizeof(attr)), 0);
        assert_string_equal(between(), "");
    }
    if (fd >= 0)
        close(fd);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vlans, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_qdiscs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_filters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_programs, set_up, tear_down),
    };

    if (unshare(CLONE_NEWNET) ||
        !can("ip link add probe type bridge && tc qdisc show && "
             "bridge link show && ip link del probe")) {
        puts("SKIP: needs root, network namespaces, bridges, and ip, tc and "
             "bridge");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
