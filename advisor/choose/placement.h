/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_CHOOSE_PLACEMENT_H
#define SHMLINK_CHOOSE_PLACEMENT_H

#include "choose/model.h"

#define CHOOSE_NOWHERE UINT32_MAX

/* What is bound to a slot or core. */
struct choose_load {
    double demand;
    double home;		/* of those that are there now already */
    double afloat;		/* what floats there, without level */
    uint32_t count, moved;	/* moved: not there now */
    uint32_t isolated;
};

/*
 * The places of all entities, with sums that make a change cheap.  slot[] is
 * read by all; changed only by choose_placement_move(), to CHOOSE_NOWHERE while
 * an entity is lifted off the host (choose_cost_at() wants all of them placed).
 */
struct choose_placement {
    struct arena arena;		/* of all arrays below */
    const struct choose_model *model;
    uint32_t *slot;		/* of each entity, or choose_afloat() */
    struct choose_load *slots, *cores;
    /* Of each cpupool, for what may float on all its slots: */
    double *level;		/* run * norm of all such; a slot has its
				   share of that */
    double *exposed;		/* what one with run * norm 1 makes wait */
    double *node_demand;
    uint32_t *slot_head;	/* lists of entities on a slot */
    uint32_t *next, *previous;
    double *field;		/* work space of choose_field() */
    double *group_add, *core_add, *slot_add, *some_cost;
    double move_cost;		/* for each entity away from home */
    uint32_t nr_moved;
};

/* For each entity that is bound to a slot. */
#define CHOOSE_FOR_SLOT(i, state, slot) \
    for (i = (state)->slot_head[slot]; i != CHOOSE_NOWHERE; \
         i = (state)->next[i])

int choose_placement_new(struct choose_placement **state_r,
                         const struct choose_model *model, double move_cost);
void choose_placement_free(struct choose_placement *state);
void choose_placement_move(struct choose_placement *state, uint32_t entity,
                           uint32_t slot);

/* Take out of the sums (sign -1) or put in (+1), at its slot; its place in
 * the lists stays. */
void choose_placement_account(struct choose_placement *state, uint32_t entity,
                              int sign);

/* All that floats on a slot. */
static inline double choose_floating(const struct choose_placement *state,
                                     uint32_t slot)
{
    const struct choose_slot *s = &state->model->slots[slot];

    return state->slots[slot].afloat + state->level[s->pool] * s->share;
}

#endif
