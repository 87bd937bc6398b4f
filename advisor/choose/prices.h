/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the network paths cost, in pCPUs. */
#ifndef SHMLINK_CHOOSE_PRICES_H
#define SHMLINK_CHOOSE_PRICES_H

#include <stdbool.h>

struct choose_pair;
struct choose_pairs;
struct settings;

/*
 * pCPUs that a link saves (or costs, below 0) for what goes by it, or where
 * there is none for what would.
 */
double choose_link_gain(const struct choose_pair *pair,
                        const struct settings *settings);
/* By dom0's bridge; bytes and packets per second. */
double choose_vif_cost(const struct settings *settings, double bytes,
                       double packets);
/* What all pairs' traffic costs on its way, now or after. */
double choose_path(const struct choose_pairs *pairs,
                   const struct settings *settings, bool after);

#endif
