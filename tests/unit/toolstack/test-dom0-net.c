// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is made of the kernel's answers about bridges, traffic control and
 * nf_tables: a kernel made here that is asked for them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <net/if.h>
#include <netinet/in.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_arp.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "toolstack/dom0-net.h"

static unsigned int sees(unsigned int family, unsigned int hook)
{
    const struct dom0_chain chain = { family, hook, true };
    const struct dom0_chain empty = { family, hook, false };

    assert_int_equal(dom0_chains_see(&empty), 0);
    return dom0_chains_see(&chain);
}

static void test_chains(void **state)
{
    const unsigned int ip = DOM0_NF_IPV4 | DOM0_NF_IPV6;

    (void)state;
    assert_int_equal(sees(NFPROTO_BRIDGE, NF_INET_FORWARD), DOM0_CHAIN_ALL);
    assert_int_equal(sees(NFPROTO_BRIDGE, NF_INET_PRE_ROUTING),
                     DOM0_CHAIN_ALL);
    assert_int_equal(sees(NFPROTO_BRIDGE, NF_INET_LOCAL_IN), 0);
    assert_int_equal(sees(NFPROTO_BRIDGE, NF_INET_LOCAL_OUT), 0);
    /* Translation of addresses redirects: the type is not asked. */
    assert_int_equal(sees(NFPROTO_IPV4, NF_INET_PRE_ROUTING), DOM0_NF_IPV4);
    assert_int_equal(sees(NFPROTO_IPV4, NF_INET_FORWARD), DOM0_NF_IPV4);
    assert_int_equal(sees(NFPROTO_IPV4, NF_INET_LOCAL_IN), 0);
    assert_int_equal(sees(NFPROTO_IPV6, NF_INET_POST_ROUTING), DOM0_NF_IPV6);
    assert_int_equal(sees(NFPROTO_INET, NF_INET_FORWARD), ip);
    assert_int_equal(sees(NFPROTO_ARP, NF_ARP_FORWARD), DOM0_NF_ARP);
    assert_int_equal(sees(NFPROTO_ARP, NF_ARP_IN), 0);
    assert_int_equal(sees(NFPROTO_NETDEV, 0), DOM0_CHAIN_DEVICES);
    assert_int_equal(sees(NFPROTO_INET, NF_INET_INGRESS), DOM0_CHAIN_DEVICES);
}

/* A discipline with one option: a number of 4 or 8 bytes. */
static bool limits_with(const char *kind, int type, uint64_t value,
                        size_t bytes)
{
    struct nl_msg *msg = nlmsg_alloc();
    uint32_t narrow = (uint32_t)value;
    struct nlattr *options;
    bool limits;

    assert_non_null(nlmsg_put(msg, 0, 0, RTM_NEWQDISC, 0, 0));
    options = nla_nest_start(msg, TCA_OPTIONS);
    nla_put(msg, type, (int)bytes, bytes == 8 ? (void *)&value
                                              : (void *)&narrow);
    nla_nest_end(msg, options);
    limits = dom0_tc_limits(kind, options);
    nlmsg_free(msg);
    return limits;
}

static void test_qdiscs(void **state)
{
    static const char *const harmless[] = {
        "pfifo_fast", "fq_codel", "fq_pie", "codel", "pie", "sfq", "prio",
        "red", "mq", "clsact", "ingress", "noqueue",
    }, *const harmful[] = {
        "tbf", "htb", "hfsc", "netem", "cbq", "plug", "blackhole", "taprio",
        "drr", "qfq", "somebody's", "",
    };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        assert_false(dom0_tc_limits(harmless[i], NULL));
    for (i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++)
        assert_true(dom0_tc_limits(harmful[i], NULL));
    assert_false(limits_with("cake", TCA_CAKE_BASE_RATE64, 0, 8));
    assert_true(limits_with("cake", TCA_CAKE_BASE_RATE64, 1ULL << 32, 8));
    assert_false(limits_with("fq", TCA_FQ_FLOW_MAX_RATE, UINT32_MAX, 4));
    assert_true(limits_with("fq", TCA_FQ_FLOW_MAX_RATE, 125000, 4));
}

/* --- a kernel --------------------------------------------------------------- */

enum { BRIDGE = 3, VIF = 7 };

/*
 * interrupted: so many dumps; filtered: dumps have a chain with rules, the
 * first one and later ones.  device: that it is on, as an attribute of this
 * type and length; NULL: a chain of the bridge.
 */
static struct {
    unsigned int interrupted, dumps;
    bool filtered_first, filtered;
    const char *device;
    int device_type, device_len;
    unsigned int port_state, operstate, xdp;
    bool port_down;
} kernel;
static int asked;
static nl_recvmsg_msg_cb_t see;
static void *see_opaque;

int nl_socket_modify_cb(struct nl_sock *sock, enum nl_cb_type type,
                        enum nl_cb_kind kind, nl_recvmsg_msg_cb_t callback,
                        void *opaque)
{
    (void)sock, (void)kind;
    assert_int_equal(type, NL_CB_VALID);
    see = callback;
    see_opaque = opaque;
    return 0;
}

int nl_connect(struct nl_sock *sock, int protocol)
{
    (void)sock, (void)protocol;
    return 0;
}

int nl_send_auto(struct nl_sock *sock, struct nl_msg *msg)
{
    (void)sock;
    asked = nlmsg_hdr(msg)->nlmsg_type;
    return 0;
}

static void put_chain(void)
{
    struct nl_msg *msg = nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 |
                                            NFT_MSG_NEWCHAIN, 0);
    struct nfgenmsg generic = {
        .nfgen_family = kernel.device ? NFPROTO_NETDEV : NFPROTO_BRIDGE,
    };
    struct nlattr *hook, *devices;

    assert_int_equal(nlmsg_append(msg, &generic, sizeof(generic),
                                  NLMSG_ALIGNTO), 0);
    /* A name that begins as our own is no pass. */
    nla_put_string(msg, NFTA_CHAIN_TABLE, "shmlink-guard");
    nla_put_string(msg, NFTA_CHAIN_NAME, "c");
    nla_put_string(msg, NFTA_CHAIN_TYPE, "filter");
    nla_put_u32(msg, NFTA_CHAIN_USE, htonl(1));
    hook = nla_nest_start(msg, NFTA_CHAIN_HOOK);
    nla_put_u32(msg, NFTA_HOOK_HOOKNUM,
                kernel.device ? 0 : htonl(NF_INET_FORWARD));
    if (kernel.device) {
        devices = nla_nest_start(msg, NFTA_HOOK_DEVS);
        nla_put(msg, kernel.device_type, kernel.device_len, kernel.device);
        nla_nest_end(msg, devices);
    }
    nla_nest_end(msg, hook);
    assert_int_equal(see(msg, see_opaque), NL_OK);
    nlmsg_free(msg);
}

/* vif1.0, a port of a bridge. */
static void put_port(void)
{
    struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
    struct ifinfomsg info = {
        .ifi_index = VIF, .ifi_flags = kernel.port_down ? 0 : IFF_UP,
    };
    struct nlattr *outer, *inner;

    assert_int_equal(nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO),
                     0);
    nla_put_string(msg, IFLA_IFNAME, "vif1.0");
    nla_put_u32(msg, IFLA_MASTER, BRIDGE);
    nla_put_u8(msg, IFLA_OPERSTATE, (uint8_t)kernel.operstate);
    outer = nla_nest_start(msg, IFLA_XDP);
    nla_put_u8(msg, IFLA_XDP_ATTACHED, (uint8_t)kernel.xdp);
    nla_nest_end(msg, outer);
    outer = nla_nest_start(msg, IFLA_LINKINFO);
    nla_put_string(msg, IFLA_INFO_SLAVE_KIND, "bridge");
    inner = nla_nest_start(msg, IFLA_INFO_SLAVE_DATA);
    nla_put_u8(msg, IFLA_BRPORT_STATE, (uint8_t)kernel.port_state);
    nla_nest_end(msg, inner);
    nla_nest_end(msg, outer);
    assert_int_equal(see(msg, see_opaque), NL_OK);
    nlmsg_free(msg);
}

int nl_recvmsgs_default(struct nl_sock *sock)
{
    (void)sock;
    kernel.dumps++;
    if (asked == RTM_GETLINK)
        put_port();
    else if (kernel.dumps == 1 ? kernel.filtered_first : kernel.filtered)
        put_chain();
    return kernel.dumps <= kernel.interrupted ? -NLE_DUMP_INTR : 0;
}

/* --- and what it is asked ---------------------------------------------------- */

/* The only fact, or "". */
static const char *port(unsigned int port_state, unsigned int operstate,
                        unsigned int xdp, bool down)
{
    static char text[256];
    struct dom0_net net = { 0 };

    memset(&kernel, 0, sizeof(kernel));
    kernel.port_state = port_state;
    kernel.operstate = operstate;
    kernel.xdp = xdp;
    kernel.port_down = down;
    assert_int_equal(dom0_ports_read(&net), 0);
    assert_int_equal(net.nr_ports, 1);
    assert_true(net.nr_facts <= 1);
    text[0] = '\0';
    if (net.nr_facts) {
        assert_string_equal(net.facts[0].on, "vif1.0");
        strcpy(text, net.facts[0].text);
    }
    dom0_net_dispose(&net);
    return text;
}

static void test_ports(void **state)
{
    enum { UNKNOWN = 0, DOWN = 2, UP = 6 };

    (void)state;
    assert_string_equal(port(BR_STATE_FORWARDING, UP, 0, false), "");
    assert_string_equal(port(BR_STATE_LEARNING, UP, 0, false), "");
    assert_string_equal(port(BR_STATE_LISTENING, UP, 0, false), "");
    assert_string_equal(port(BR_STATE_BLOCKING, UP, 0, false),
                        "is a blocked port of its bridge");
    assert_string_equal(port(BR_STATE_DISABLED, UP, 0, false),
                        "is a disabled port of its bridge");
    assert_string_equal(port(BR_STATE_DISABLED, UNKNOWN, 0, false),
                        "is a disabled port of its bridge");
    /* The guest has not brought its end up, or does not read. */
    assert_string_equal(port(BR_STATE_DISABLED, DOWN, 0, false), "");
    assert_string_equal(port(BR_STATE_DISABLED, DOWN, 0, true), "is down");
    assert_string_equal(port(BR_STATE_FORWARDING, UP, 2, false),
                        "has an XDP program");
}

static int tables(unsigned int interrupted, bool filtered_first, bool filtered)
{
    struct dom0_net net = { 0 };
    int rc;

    memset(&kernel, 0, sizeof(kernel));
    kernel.interrupted = interrupted;
    kernel.filtered_first = filtered_first;
    kernel.filtered = filtered;
    rc = dom0_chains_read(&net);
    if (!rc && net.nr_facts) {
        assert_int_equal(net.nr_facts, 1);
        assert_string_equal(net.facts[0].on, "");
        assert_non_null(strstr(net.facts[0].text,
                               "chain 'c' of table 'shmlink-guard'"));
        rc = 1;
    }
    dom0_net_dispose(&net);
    return rc;
}

/* A dump during which rules change is made again, and not counted. */
static void test_interrupted(void **state)
{
    (void)state;
    assert_int_equal(tables(0, false, false), 0);
    assert_int_equal(tables(0, true, true), 1);
    assert_int_equal(kernel.dumps, 1);
    assert_int_equal(tables(1, true, false), 0);
    assert_int_equal(kernel.dumps, 2);
    assert_int_equal(tables(3, false, true), 1);
    assert_int_equal(kernel.dumps, 4);
    assert_int_equal(tables(1000, true, true), -EAGAIN);
    assert_int_equal(kernel.dumps, 5);
}

static void device(const char *name, int type, int len, const char *on,
                   bool prefix)
{
    struct dom0_net net = { 0 };

    memset(&kernel, 0, sizeof(kernel));
    kernel.filtered_first = true;
    kernel.device = name;
    kernel.device_type = type;
    kernel.device_len = len;
    assert_int_equal(dom0_chains_read(&net), 0);
    assert_int_equal(net.nr_facts, 1);
    assert_string_equal(net.facts[0].on, on);
    assert_int_equal(net.facts[0].prefix, prefix);
    dom0_net_dispose(&net);
}

/* "vif1.0", "vif*" as Linux 6.16 tells it, and as 6.18 does. */
static void test_devices(void **state)
{
    (void)state;
    device("vif1.0", NFTA_DEVICE_NAME, 7, "vif1.0", false);
    device("vif1.0", NFTA_DEVICE_NAME, 3, "vif", true);
    device("vif1.0", 2, 4, "vif1", true);
    device("vif", 2, 4, "vif", true);
    device("", 2, 1, "", true);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_qdiscs),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_devices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
