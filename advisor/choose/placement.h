/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_CHOOSE_PLACEMENT_H
#define SHMLINK_CHOOSE_PLACEMENT_H

#include "choose/model.h"

#define CHOOSE_NOWHERE UINT32_MAX

/*
 * The places of all entities, with sums that make a change cheap.  slot[] is
 * read by all; changed only by choose_placement_move(), to CHOOSE_NOWHERE while
 * an entity is lifted off the host (choose_placement_at() wants all of them
 * placed).
 */
struct choose_placement {
    const struct choose_model *model;
    uint32_t *slot;		/* of each entity */
    double *slot_weight;
    uint32_t *slot_count;
    double *core_weight;
    double *slot_foreign, *core_foreign;	/* weight and presence */
    uint32_t *core_count, *core_isolated;
    uint32_t *slot_bound, *core_bound;	/* by affinity or moved there */
    uint32_t *slot_moved, *core_moved;	/* of these the latter */
    double *node_demand;
    uint32_t *slot_head;	/* lists of entities on a slot */
    uint32_t *next, *previous;
    double *field;		/* work space of choose_placement_field() */
    double *group_add, *core_add, *slot_add;
    double move_cost;		/* for each entity away from home */
    uint32_t nr_moved;
};

int choose_placement_new(struct choose_placement **state_r,
                         const struct choose_model *model, double move_cost);
void choose_placement_free(struct choose_placement *state);
void choose_placement_move(struct choose_placement *state, uint32_t entity,
                           uint32_t slot);

/*
 * What the entity costs on each slot with all others where they are, whatever
 * is allowed; costs differ between slots as the whole cost does.
 */
void choose_placement_field(struct choose_placement *state, uint32_t entity,
                            double *cost_r);

/* The same for one slot, and by terms. */
struct choose_parts {
    double waiting, sibling, core, node, storm, distance, memory, isolation;
    double move;
};
void choose_placement_parts(struct choose_placement *state, uint32_t entity,
                            uint32_t slot, struct choose_parts *parts_r);
double choose_placement_at(struct choose_placement *state, uint32_t entity,
                           uint32_t slot);

#endif
