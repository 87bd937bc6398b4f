/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_CHOOSE_COST_H
#define SHMLINK_CHOOSE_COST_H

#include <stdint.h>

struct choose_edge;
struct choose_model;
struct plan_cost;

/* What a pair's traffic costs between two slots; 0 on one core. */
double choose_edge_distance(const struct choose_model *model,
                            const struct choose_edge *edge, uint32_t from,
                            uint32_t to);

/* All terms that depend on places, from the definition; for reports and to
 * check the above.  path and starved are 0. */
void choose_cost(const struct choose_model *model, const uint32_t *slot,
                 struct plan_cost *cost_r);

#endif
