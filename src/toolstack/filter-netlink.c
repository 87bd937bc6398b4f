// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/classifier.h>
#include <netlink/route/qdisc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "toolstack/filter-netlink.h"
#include "base/parse.h"
#include "collect/sampler.h"

struct tables_read {
    const struct vif *const *vifs;
    const struct filter_bridge_nf *bridge_nf;
    char *text;
    bool found;
};

/* nf_tables speaks big-endian. */
static uint32_t attr_be32(const struct nlattr *attr)
{
    uint32_t value = 0;

    if (nla_len(attr) >= (int)sizeof(value))
        memcpy(&value, nla_data(attr), sizeof(value));
    return ntohl(value);
}

static void attr_text(const struct nlattr *attr, char *text_r, size_t size)
{
    char raw[64];

    nla_strlcpy(raw, attr, sizeof(raw));
    parse_sanitise(raw, text_r, size);
}

static bool device_is_vif(struct nlattr *attr, const struct vif *const vifs[2])
{
    char name[IF_NAMESIZE];

    nla_strlcpy(name, attr, sizeof(name));
    return !strcmp(name, vifs[0]->ifname) || !strcmp(name, vifs[1]->ifname);
}

static void chain_read_hook(struct nlattr *hook,
                            const struct vif *const vifs[2],
                            struct filter_chain *chain)
{
    struct nlattr *attr, *device;
    int left, devices_left;

    nla_for_each_nested(attr, hook, left) {
        switch (nla_type(attr)) {
        case NFTA_HOOK_HOOKNUM:
            chain->hook = attr_be32(attr);
            break;
        case NFTA_HOOK_DEV:
            chain->on_vif |= device_is_vif(attr, vifs);
            break;
        case NFTA_HOOK_DEVS:
            nla_for_each_nested(device, attr, devices_left)
                chain->on_vif |= device_is_vif(device, vifs);
            break;
        }
    }
}

static int chain_message(struct nl_msg *msg, void *opaque)
{
    struct nlmsghdr *header = nlmsg_hdr(msg);
    struct nfgenmsg *generic = nlmsg_data(header);
    struct nlattr *attrs[NFTA_CHAIN_MAX + 1];
    struct filter_chain chain = { 0 };
    struct tables_read *read = opaque;

    if (header->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN) ||
        nlmsg_parse(header, sizeof(*generic), attrs, NFTA_CHAIN_MAX, NULL))
        return NL_OK;
    chain.family = generic->nfgen_family;
    if (attrs[NFTA_CHAIN_TABLE])
        attr_text(attrs[NFTA_CHAIN_TABLE], chain.table, sizeof(chain.table));
    if (attrs[NFTA_CHAIN_NAME])
        attr_text(attrs[NFTA_CHAIN_NAME], chain.name, sizeof(chain.name));
    if (attrs[NFTA_CHAIN_TYPE])
        chain.type_filter = !nla_strcmp(attrs[NFTA_CHAIN_TYPE], "filter");
    chain.has_rules = (attrs[NFTA_CHAIN_USE] &&
                       attr_be32(attrs[NFTA_CHAIN_USE]) > 0) ||
                      (attrs[NFTA_CHAIN_POLICY] &&
                       attr_be32(attrs[NFTA_CHAIN_POLICY]) == NF_DROP);
    if (attrs[NFTA_CHAIN_HOOK]) {
        chain.base = true;
        chain_read_hook(attrs[NFTA_CHAIN_HOOK], read->vifs, &chain);
    }
    if (!read->found && filter_chain_matters(&chain, read->bridge_nf)) {
        read->found = true;
        snprintf(read->text, FILTER_TEXT_BYTES,
                 "nftables (chain '%s' of table '%s' has rules)", chain.name,
                 chain.table);
    }
    return NL_OK;
}

static int chains_request(struct nl_sock *sock)
{
    struct nfgenmsg generic = { .nfgen_family = NFPROTO_UNSPEC,
                                .version = NFNETLINK_V0 };
    struct nl_msg *msg;
    int r;

    msg = nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN,
                             NLM_F_REQUEST | NLM_F_DUMP);
    if (!msg)
        return -NLE_NOMEM;
    r = nlmsg_append(msg, &generic, sizeof(generic), NLMSG_ALIGNTO);
    if (!r)
        r = nl_send_auto(sock, msg);
    nlmsg_free(msg);
    return r < 0 ? r : 0;
}

/*
 * Rules that change meanwhile interrupt the dump, and what came of it is not
 * to be relied on; libnl has read it to its end.
 */
static int chains_read(struct nl_sock *sock, struct tables_read *read)
{
    enum { TRIES = 5, PAUSE_NS = 20 * 1000 * 1000 };
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    int r = 0, try;

    for (try = 0; try < TRIES; try++) {
        if (try)
            nanosleep(&pause, NULL);
        read->found = false;
        r = chains_request(sock);
        if (!r)
            r = nl_recvmsgs_default(sock);
        if (r != -NLE_DUMP_INTR)
            break;
    }
    return r;
}

int filter_netlink_tables(const struct vif *const vifs[2],
                          const struct filter_bridge_nf *bridge_nf,
                          char text_r[FILTER_TEXT_BYTES])
{
    struct tables_read read = { vifs, bridge_nf, text_r, false };
    struct nl_sock *sock = nl_socket_alloc();
    int r, rc = -EIO;

    if (!sock)
        return -ENOMEM;
    nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, chain_message,
                        &read);
    r = nl_connect(sock, NETLINK_NETFILTER);
    if (r) {
        /* No netfilter at all in this kernel. */
        rc = r == -NLE_PROTO_MISMATCH || r == -NLE_AF_NOSUPPORT ? 0 : -EIO;
        goto out;
    }
    r = chains_read(sock, &read);
    if (r >= 0)
        rc = read.found;
    else if (r == -NLE_DUMP_INTR)
        rc = -EAGAIN;
    else if (r == -NLE_OPNOTSUPP || r == -NLE_INVAL || r == -NLE_OBJ_NOTFOUND)
        rc = 0;     /* no nf_tables in this kernel */
 out:
    nl_socket_free(sock);
    return rc;
}

/* Disciplines that order packets, or only hold filters. */
static bool kind_limits(const char *kind)
{
    static const char *const harmless[] = {
        "noqueue", "pfifo", "pfifo_fast", "bfifo", "fq", "fq_codel", "mq",
        "sfq", "clsact",
    };
    size_t i;

    for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (!strcmp(kind, harmless[i]))
            return false;
    return true;
}

struct shaping_read {
    const struct vif *const *vifs;
    int ifindex[2];
    int asked;          /* whose classifiers are read */
    char *text;
    bool found;
};

static void shaping_look(struct nl_object *object, void *opaque)
{
    struct shaping_read *read = opaque;
    struct rtnl_tc *tc = TC_CAST(object);
    const char *kind = rtnl_tc_get_kind(tc);
    int i;

    for (i = 0; i < 2 && kind && !read->found; i++) {
        if (rtnl_tc_get_ifindex(tc) != read->ifindex[i] || !kind_limits(kind))
            continue;
        read->found = true;
        snprintf(read->text, FILTER_TEXT_BYTES,
                 "traffic control (qdisc '%s' on %s)", kind,
                 read->vifs[i]->ifname);
    }
}

/* What a filter of a clsact does is its own affair: each one may drop. */
static void classifier_look(struct nl_object *object, void *opaque)
{
    struct shaping_read *read = opaque;
    struct rtnl_tc *tc = TC_CAST(object);
    uint32_t handle = rtnl_tc_get_handle(tc);
    const char *kind = rtnl_tc_get_kind(tc);

    /* The head of a chain has no handle; samples are the advisor's. */
    if (read->found || !handle || !kind ||
        (sampler_is_handle(handle) && !strcmp(kind, "matchall")))
        return;
    read->found = true;
    snprintf(read->text, FILTER_TEXT_BYTES,
             "traffic control (filter '%s' on %s)", kind,
             read->vifs[read->asked]->ifname);
}

/* Of both vifs, in both directions. */
static int classifiers_read(struct nl_sock *sock, struct shaping_read *read)
{
    static const uint32_t parents[] = {
        TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
        TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
    };
    struct nl_cache *cache;
    int i, r;

    for (i = 0; i < 4 && !read->found; i++) {
        read->asked = i / 2;
        if (!read->ifindex[read->asked])
            continue;
        r = rtnl_cls_alloc_cache(sock, read->ifindex[read->asked],
                                 parents[i % 2], &cache);
        if (r == -NLE_OPNOTSUPP)
            return 0;       /* no classifiers in this kernel */
        if (r)
            return r;
        nl_cache_foreach(cache, classifier_look, read);
        nl_cache_free(cache);
    }
    return 0;
}

int filter_netlink_shaping(const struct vif *const vifs[2],
                           char text_r[FILTER_TEXT_BYTES])
{
    struct shaping_read read = {
        .vifs = vifs,
        .ifindex = { (int)if_nametoindex(vifs[0]->ifname),
                     (int)if_nametoindex(vifs[1]->ifname) },
        .text = text_r,
    };
    struct nl_sock *sock = nl_socket_alloc();
    struct nl_cache *cache = NULL;
    int r;

    if (!sock)
        return -ENOMEM;
    r = nl_connect(sock, NETLINK_ROUTE);
    if (!r)
        r = rtnl_qdisc_alloc_cache(sock, &cache);
    if (!r) {
        nl_cache_foreach(cache, shaping_look, &read);
        nl_cache_free(cache);
        r = classifiers_read(sock, &read);
    }
    nl_socket_free(sock);
    return r ? -EIO : read.found;
}
