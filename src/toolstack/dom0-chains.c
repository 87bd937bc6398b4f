// SPDX-License-Identifier: GPL-2.0-or-later
/* Which chains of nf_tables see frames between two ports of a bridge. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_arp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "toolstack/dom0-net.h"
#include "toolstack/netlink.h"

/* From Linux 6.18 on: how the names begin. */
enum { DEVICE_PREFIX = 2 };

struct reading {
    struct dom0_net *net;
    size_t nr_facts;        /* before this dump */
};

unsigned int dom0_chains_see(const struct dom0_chain *chain)
{
    const bool forwarded = chain->hook == NF_INET_FORWARD ||
                           chain->hook == NF_INET_PRE_ROUTING ||
                           chain->hook == NF_INET_POST_ROUTING;

    if (!chain->has_rules)
        return 0;
    switch (chain->family) {
    case NFPROTO_BRIDGE:
        /* Local in and out concern dom0's own traffic. */
        return chain->hook != NF_INET_LOCAL_IN &&
               chain->hook != NF_INET_LOCAL_OUT ? DOM0_CHAIN_ALL : 0;
    case NFPROTO_NETDEV:
        return DOM0_CHAIN_DEVICES;
    case NFPROTO_INET:
        if (chain->hook == NF_INET_INGRESS)
            return DOM0_CHAIN_DEVICES;
        return forwarded ? DOM0_NF_IPV4 | DOM0_NF_IPV6 : 0;
    case NFPROTO_IPV4:
        return forwarded ? DOM0_NF_IPV4 : 0;
    case NFPROTO_IPV6:
        return forwarded ? DOM0_NF_IPV6 : 0;
    case NFPROTO_ARP:
        return chain->hook == NF_ARP_FORWARD ? DOM0_NF_ARP : 0;
    default:
        return 0;
    }
}

/* nf_tables speaks big-endian. */
static uint32_t attr_be32(const struct nlattr *attr)
{
    uint32_t value = 0;

    if (attr && nla_len(attr) >= (int)sizeof(value))
        memcpy(&value, nla_data(attr), sizeof(value));
    return ntohl(value);
}

static void attr_text(const struct nlattr *attr, char *text_r, size_t size)
{
    char raw[64] = "";

    if (attr)
        nla_strlcpy(raw, attr, sizeof(raw));
    parse_sanitise(raw, text_r, size);
}

/* A name without the zero at its end is how names begin, too. */
static int add_device(struct dom0_net *net, const struct nlattr *device,
                      const char *text)
{
    int len = nla_len(device);
    bool prefix = nla_type(device) == DEVICE_PREFIX ||
                  !memchr(nla_data(device), '\0', len > 0 ? (size_t)len : 0);
    char name[IF_NAMESIZE];

    nla_strlcpy(name, device, sizeof(name));
    return dom0_net_add(net, name, prefix, "is filtered by %s", text);
}

static int add_devices(struct dom0_net *net, struct nlattr *hook[],
                       const char *text)
{
    struct nlattr *device;
    int left, rc = 0;

    if (hook[NFTA_HOOK_DEVS]) {
        nla_for_each_nested(device, hook[NFTA_HOOK_DEVS], left)
            if (!rc)
                rc = add_device(net, device, text);
        return rc;
    }
    /* Of before there could be several. */
    return hook[NFTA_HOOK_DEV] ? add_device(net, hook[NFTA_HOOK_DEV], text)
                               : 0;
}

static int add_chain(struct dom0_net *net, unsigned int sees,
                     struct nlattr *hook[], const char *text)
{
    size_t i;
    int rc = 0;

    if (sees & DOM0_CHAIN_DEVICES)
        return add_devices(net, hook, text);
    if (sees & (DOM0_CHAIN_ALL | net->bridge_nf))
        return dom0_net_add(net, "", false, "filters by %s", text);
    for (i = 0; i < net->nr_ports && !rc; i++)
        if (net->ports[i].bridge && (sees & net->ports[i].bridge_nf))
            rc = dom0_net_add(net, net->ports[i].name, false,
                              "is filtered by %s", text);
    return rc;
}

static int see_chain(void *opaque, struct nlmsghdr *message)
{
    struct nlattr *attrs[NFTA_CHAIN_MAX + 1] = { NULL };
    struct nlattr *hook[NFTA_HOOK_MAX + 1] = { NULL };
    char table[64], name[64], text[192];
    struct reading *reading = opaque;
    struct dom0_chain chain;

    if (!message) {
        reading->net->nr_facts = reading->nr_facts;
        return 0;
    }
    if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 |
                                NFT_MSG_NEWCHAIN) ||
        nlmsg_parse(message, sizeof(struct nfgenmsg), attrs, NFTA_CHAIN_MAX,
                    NULL) || !attrs[NFTA_CHAIN_HOOK] ||
        nla_parse_nested(hook, NFTA_HOOK_MAX, attrs[NFTA_CHAIN_HOOK], NULL))
        return 0;
    chain = (struct dom0_chain){
        .family = ((struct nfgenmsg *)nlmsg_data(message))->nfgen_family,
        .hook = attr_be32(hook[NFTA_HOOK_HOOKNUM]),
        .has_rules = attr_be32(attrs[NFTA_CHAIN_USE]) > 0 ||
                     (attrs[NFTA_CHAIN_POLICY] &&
                      attr_be32(attrs[NFTA_CHAIN_POLICY]) == NF_DROP),
    };
    attr_text(attrs[NFTA_CHAIN_TABLE], table, sizeof(table));
    attr_text(attrs[NFTA_CHAIN_NAME], name, sizeof(name));
    snprintf(text, sizeof(text), "nftables (chain '%s' of table '%s' has "
             "rules)", name, table);
    return add_chain(reading->net, dom0_chains_see(&chain), hook, text);
}

int dom0_chains_read(struct dom0_net *net)
{
    struct nfgenmsg ask = { .nfgen_family = NFPROTO_UNSPEC,
                            .version = NFNETLINK_V0 };
    struct reading reading = { net, net->nr_facts };
    int rc = netlink_dump(NETLINK_NETFILTER,
                          NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, &ask,
                          sizeof(ask), see_chain, &reading);

    /* Not in this kernel: no netfilter, or no nf_tables. */
    return rc == -EOPNOTSUPP || rc == -ENODEV ? 0 : rc;
}
