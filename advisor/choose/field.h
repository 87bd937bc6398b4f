/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one entity costs on each slot, quickly. */
#ifndef SHMLINK_CHOOSE_FIELD_H
#define SHMLINK_CHOOSE_FIELD_H

#include "choose/placement.h"

/*
 * What the entity costs on each slot with all others where they are, penalties
 * included, whatever is allowed; costs differ between slots as the whole does.
 * cost_r has room for nr_slots + 1: the last is for one that floats at home,
 * else INFINITY.
 */
void choose_field(struct choose_placement *state, uint32_t entity,
                            double *cost_r);

/* All that runs on a core, bound and afloat. */
double choose_core_busy(const struct choose_placement *state, uint32_t core);

/* The same for one place, and what moving there adds to the whole. */
double choose_cost_at(struct choose_placement *state, uint32_t entity,
                      uint32_t slot);
double choose_cost_change(struct choose_placement *state, uint32_t entity,
                          uint32_t slot);

/* The same by terms.  choose_parts_cost(): without penalties and move. */
struct choose_parts {
    double waiting, sibling, storm, distance, memory;
    double isolation, overload;		/* penalties */
    double move;
};
void choose_parts(struct choose_placement *state, uint32_t entity,
                  uint32_t slot, struct choose_parts *parts_r);
double choose_parts_cost(const struct choose_parts *parts);

#endif
