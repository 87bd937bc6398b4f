/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What dom0 does to frames between two ports of a bridge, and would no longer
 * do to frames that a link carries: packet filters and traffic control.
 */
#ifndef SHMLINK_TOOLSTACK_FILTER_H
#define SHMLINK_TOOLSTACK_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/vif.h"

enum { FILTER_TEXT_BYTES = 192 };

/*
 * 1: something is active, text_r names it; 0: nothing; else -errno where the
 * kernel would not say.
 */
int filter_find(struct shmlink_ctx *ctx, const struct vif *const vifs[2],
                char text_r[FILTER_TEXT_BYTES]);

/*
 * One chain of nf_tables, as far as it matters here: devices[] is for family
 * netdev.  has_rules: rules, or a policy that drops.
 */
struct filter_chain {
    uint8_t family;
    bool base;
    bool has_rules;
    bool type_filter;
    uint32_t hook;
    bool on_vif;
    char table[64];
    char name[64];
};

/* What goes through iptables and the like besides, by br_netfilter. */
struct filter_bridge_nf {
    bool ipv4;
    bool ipv6;
    bool arp;
};

/* Pure: does this chain see frames between the two ports? */
bool filter_chain_matters(const struct filter_chain *chain,
                          const struct filter_bridge_nf *bridge_nf);

#endif /* SHMLINK_TOOLSTACK_FILTER_H */
