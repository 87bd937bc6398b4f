/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What links cost and save, and the steps that change them. */
#include "choose/prices.h"

#include "choose/pairs.h"
#include "model/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

double choose_link_gain(const struct choose_pair *pair,
                        const struct settings *settings)
{
    return 1e-9 * (pair->carried_bytes *
                   (settings->vif_byte_ns - settings->link_byte_ns) +
                   pair->carried_packets *
                   (settings->vif_packet_ns - settings->link_packet_ns));
}

double choose_vif_cost(const struct settings *settings, double bytes,
                       double packets)
{
    return 1e-9 * (bytes * settings->vif_byte_ns +
                   packets * settings->vif_packet_ns);
}

double choose_path(const struct choose_pairs *pairs,
                   const struct settings *settings, bool after)
{
    const struct choose_pair *pair;
    double cost = 0;
    size_t i;

    for (i = 0; i < pairs->nr_pairs; i++) {
        pair = &pairs->pairs[i];
        cost += choose_vif_cost(settings, choose_pair_bytes(pair),
                                choose_pair_packets(pair));
        if (choose_pair_linked(pair, after))
            cost -= choose_link_gain(pair, settings);
    }
    return cost;
}
