// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter_arp.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "toolstack/ctx.h"
#include "toolstack/filter.h"
#include "toolstack/filter-netlink.h"

/* The advisor counts pairs in a table of its own, which filters nothing. */
#define OWN_TABLE "shmlink"

bool filter_chain_matters(const struct filter_chain *chain,
                          const struct filter_bridge_nf *bridge_nf)
{
    if (!chain->base || !chain->has_rules ||
        !strncmp(chain->table, OWN_TABLE, strlen(OWN_TABLE)))
        return false;
    switch (chain->family) {
    case NFPROTO_BRIDGE:
        /* Local in and out concern dom0's own traffic. */
        return chain->hook != NF_INET_LOCAL_IN &&
               chain->hook != NF_INET_LOCAL_OUT;
    case NFPROTO_NETDEV:
        return chain->on_vif;
    case NFPROTO_INET:
        if (chain->hook == NF_INET_INGRESS)
            return chain->on_vif;
        if (!bridge_nf->ipv4 && !bridge_nf->ipv6)
            return false;
        break;
    case NFPROTO_IPV4:
        if (!bridge_nf->ipv4)
            return false;
        break;
    case NFPROTO_IPV6:
        if (!bridge_nf->ipv6)
            return false;
        break;
    case NFPROTO_ARP:
        return bridge_nf->arp && chain->hook == NF_ARP_FORWARD;
    default:
        return false;
    }
    /* Address translation is no filter. */
    return chain->type_filter && (chain->hook == NF_INET_FORWARD ||
                                  chain->hook == NF_INET_PRE_ROUTING ||
                                  chain->hook == NF_INET_POST_ROUTING);
}

static bool filter_switch(struct shmlink_ctx *ctx,
                          const struct vif *const vifs[2], const char *what)
{
    char value[16];
    int i;

    if (!file_line(value, sizeof(value),
                       "%s/sys/net/bridge/bridge-nf-call-%s",
                       ctx->paths.procfs, what) && strcmp(value, "0"))
        return true;
    for (i = 0; i < 2; i++)
        if (!file_line(value, sizeof(value),
                           "%s/class/net/%s/bridge/nf_call_%s", ctx->paths.sysfs,
                           vifs[i]->bridge, what) && strcmp(value, "0"))
            return true;
    return false;
}

/*
 * The tables of before nf_tables cannot be read without their own tools; one
 * that is loaded counts as used.
 */
static bool filter_legacy(struct shmlink_ctx *ctx,
                          const struct filter_bridge_nf *bridge_nf,
                          char text_r[FILTER_TEXT_BYTES])
{
    static const char *const ebtables[] = {
        "ebtable_filter", "ebtable_nat", "ebtable_broute",
    };
    const struct {
        bool on;
        const char *file, *tool;
    } tables[] = {
        { bridge_nf->ipv4, "ip_tables_names", "iptables" },
        { bridge_nf->ipv6, "ip6_tables_names", "ip6tables" },
        { bridge_nf->arp, "arp_tables_names", "arptables" },
    };
    char value[64];
    size_t i;

    for (i = 0; i < sizeof(ebtables) / sizeof(ebtables[0]); i++) {
        if (file_line(value, sizeof(value), "%s/module/%s/initstate",
                          ctx->paths.sysfs, ebtables[i]))
            continue;
        snprintf(text_r, FILTER_TEXT_BYTES, "ebtables (module %s is loaded)",
                 ebtables[i]);
        return true;
    }
    for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (!tables[i].on ||
            file_line(value, sizeof(value), "%s/net/%s", ctx->paths.procfs,
                          tables[i].file) || !value[0])
            continue;
        snprintf(text_r, FILTER_TEXT_BYTES,
                 "%s by bridge-nf-call-%s=1 (legacy table '%s' is loaded)",
                 tables[i].tool, tables[i].tool, value);
        return true;
    }
    return false;
}

int filter_find(struct shmlink_ctx *ctx, const struct vif *const vifs[2],
                char text_r[FILTER_TEXT_BYTES])
{
    const struct filter_bridge_nf bridge_nf = {
        .ipv4 = filter_switch(ctx, vifs, "iptables"),
        .ipv6 = filter_switch(ctx, vifs, "ip6tables"),
        .arp = filter_switch(ctx, vifs, "arptables"),
    };
    int rc;

    if (filter_legacy(ctx, &bridge_nf, text_r))
        return 1;
    rc = filter_netlink_tables(vifs, &bridge_nf, text_r);
    if (rc)
        return rc;
    return filter_netlink_shaping(vifs, text_r);
}
