// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which nf_tables chains see frames between two ports of a bridge, and a kernel
 * made here that is asked for them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_arp.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "toolstack/filter-netlink.h"

static const struct filter_bridge_nf off, ipv4 = { .ipv4 = true },
    ipv6 = { .ipv6 = true }, arp = { .arp = true };

static struct filter_chain chain(uint8_t family, uint32_t hook)
{
    return (struct filter_chain){
        .family = family, .hook = hook, .base = true, .has_rules = true,
        .type_filter = true, .table = "t", .name = "c",
    };
}

static void test_bridge(void **state)
{
    struct filter_chain c = chain(NFPROTO_BRIDGE, NF_INET_FORWARD);

    (void)state;
    assert_true(filter_chain_matters(&c, &off));
    c.hook = NF_INET_PRE_ROUTING;
    assert_true(filter_chain_matters(&c, &off));
    c.hook = NF_INET_LOCAL_IN;
    assert_false(filter_chain_matters(&c, &off));
    c = chain(NFPROTO_BRIDGE, NF_INET_FORWARD);
    c.has_rules = false;
    assert_false(filter_chain_matters(&c, &off));
    c = chain(NFPROTO_BRIDGE, NF_INET_FORWARD);
    c.base = false;
    assert_false(filter_chain_matters(&c, &off));
}

static void test_own_table(void **state)
{
    struct filter_chain c = chain(NFPROTO_BRIDGE, NF_INET_FORWARD);
    struct filter_chain other = { .table = "shmlink-pairs" };

    (void)state;
    for (size_t i = 0; i < sizeof(c.table); i++)
        c.table[i] = other.table[i];
    assert_false(filter_chain_matters(&c, &off));
}

static void test_ip(void **state)
{
    struct filter_chain c = chain(NFPROTO_IPV4, NF_INET_FORWARD);

    (void)state;
    assert_false(filter_chain_matters(&c, &off));
    assert_false(filter_chain_matters(&c, &ipv6));
    assert_true(filter_chain_matters(&c, &ipv4));
    c.type_filter = false;      /* address translation */
    assert_false(filter_chain_matters(&c, &ipv4));
    c = chain(NFPROTO_IPV4, NF_INET_LOCAL_IN);
    assert_false(filter_chain_matters(&c, &ipv4));
    c = chain(NFPROTO_IPV6, NF_INET_FORWARD);
    assert_true(filter_chain_matters(&c, &ipv6));
    assert_false(filter_chain_matters(&c, &ipv4));
    c = chain(NFPROTO_INET, NF_INET_FORWARD);
    assert_true(filter_chain_matters(&c, &ipv6));
    assert_true(filter_chain_matters(&c, &ipv4));
    assert_false(filter_chain_matters(&c, &arp));
    c = chain(NFPROTO_ARP, NF_ARP_FORWARD);
    assert_true(filter_chain_matters(&c, &arp));
    assert_false(filter_chain_matters(&c, &ipv4));
}

static void test_device(void **state)
{
    struct filter_chain c = chain(NFPROTO_NETDEV, 0);

    (void)state;
    assert_false(filter_chain_matters(&c, &off));
    c.on_vif = true;
    assert_true(filter_chain_matters(&c, &off));
    c = chain(NFPROTO_INET, NF_INET_INGRESS);
    assert_false(filter_chain_matters(&c, &ipv4));
    c.on_vif = true;
    assert_true(filter_chain_matters(&c, &off));
}

/* So many dumps are interrupted; which of all have a chain with rules. */
static struct {
    unsigned int interrupted, dumps;
    bool filtered_first, filtered;
} kernel;
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
    assert_int_equal(nlmsg_hdr(msg)->nlmsg_type,
                     NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN);
    return 0;
}

static void put_chain(void)
{
    struct nl_msg *msg = nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 |
                                            NFT_MSG_NEWCHAIN, 0);
    struct nfgenmsg generic = { .nfgen_family = NFPROTO_BRIDGE };
    struct nlattr *hook;

    assert_int_equal(nlmsg_append(msg, &generic, sizeof(generic),
                                  NLMSG_ALIGNTO), 0);
    nla_put_string(msg, NFTA_CHAIN_TABLE, "t");
    nla_put_string(msg, NFTA_CHAIN_NAME, "c");
    nla_put_string(msg, NFTA_CHAIN_TYPE, "filter");
    nla_put_u32(msg, NFTA_CHAIN_USE, htonl(1));
    hook = nla_nest_start(msg, NFTA_CHAIN_HOOK);
    nla_put_u32(msg, NFTA_HOOK_HOOKNUM, htonl(NF_INET_FORWARD));
    nla_nest_end(msg, hook);
    assert_int_equal(see(msg, see_opaque), NL_OK);
    nlmsg_free(msg);
}

int nl_recvmsgs_default(struct nl_sock *sock)
{
    (void)sock;
    kernel.dumps++;
    if (kernel.dumps == 1 ? kernel.filtered_first : kernel.filtered)
        put_chain();
    return kernel.dumps <= kernel.interrupted ? -NLE_DUMP_INTR : 0;
}

static int tables(unsigned int interrupted, bool filtered_first, bool filtered)
{
    static const struct vif one = { .ifname = "vif1.0" },
        other = { .ifname = "vif2.0" };
    const struct vif *const vifs[2] = { &one, &other };
    char text[FILTER_TEXT_BYTES] = "";
    int rc;

    memset(&kernel, 0, sizeof(kernel));
    kernel.interrupted = interrupted;
    kernel.filtered_first = filtered_first;
    kernel.filtered = filtered;
    rc = filter_netlink_tables(vifs, &off, text);
    assert_true(rc != 1 || strstr(text, "chain 'c' of table 't'"));
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bridge),
        cmocka_unit_test(test_own_table),
        cmocka_unit_test(test_ip),
        cmocka_unit_test(test_device),
        cmocka_unit_test(test_interrupted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
