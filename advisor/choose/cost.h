/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_CHOOSE_COST_H
#define SHMLINK_CHOOSE_COST_H

#include <stdint.h>

struct choose_edge;
struct choose_model;
struct plan_cost;

/* What a pair's traffic costs between two places, choose_afloat() included;
 * 0 on one core. */
double choose_edge_distance(const struct choose_model *model, uint32_t entity,
                            const struct choose_edge *edge, uint32_t from,
                            uint32_t to);

/* How much of that, 0..1, goes from one node to another. */
double choose_edge_across(const struct choose_model *model, uint32_t a,
                          uint32_t b, uint32_t a_place, uint32_t b_place);

/* The share of its demand that an entity loses by its memory at a place. */
double choose_memory(const struct choose_model *model, uint32_t entity,
                     uint32_t place);

/* The share of its time there that it runs on other nodes than those that are
 * best for its memory. */
double choose_memory_away(const struct choose_model *model, uint32_t entity,
                          uint32_t place);

/* All terms that depend on places, from the definition; for reports and to
 * check placement.h.  path and starved are 0.  *penalty_r may be NULL. */
void choose_cost(const struct choose_model *model, const uint32_t *slot,
                 struct plan_cost *cost_r, double *penalty_r);

#endif
