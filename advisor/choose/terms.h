/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terms of the model for one entity or pair, as model.h defines them;
 * inline, since choosing does little else than compute them.
 */
#ifndef SHMLINK_CHOOSE_TERMS_H
#define SHMLINK_CHOOSE_TERMS_H

#include "choose/model.h"

/* Of collisions on a slot, how much is believed: a and b, or one and what
 * floats, are at home there. */
static inline double choose_belief(const struct choose_model *model,
                                   uint32_t slot, bool at_home)
{
    return at_home ? model->slots[slot].belief : 1;
}

/* Two that talk on one slot: collisions beyond those by chance. */
static inline double choose_meeting(const struct choose_model *model,
                                    const struct choose_entity *entity,
                                    const struct choose_edge *edge,
                                    uint32_t slot)
{
    return (double)edge->meeting *
           choose_belief(model, slot, slot == entity->home &&
                         slot == model->entities[edge->to].home);
}

/* All that an edge costs while both its ends are on that slot. */
static inline double choose_together(const struct choose_model *model,
                                     const struct choose_entity *entity,
                                     const struct choose_edge *edge,
                                     uint32_t slot)
{
    return (double)edge->storm + choose_meeting(model, entity, edge, slot);
}

/* Beyond what a core or node may be asked for; one alone never is. */
static inline double choose_excess(double load, double limit, uint32_t nr)
{
    return nr > 1 && load > limit ? CHOOSE_OVERLOAD * (load - limit) : 0;
}

/* Two VMs bound to sibling threads by doing of the plan. */
static inline double choose_barred(const struct choose_model *model,
                                   const struct choose_entity *a,
                                   uint32_t a_slot,
                                   const struct choose_entity *b,
                                   uint32_t b_slot)
{
    return a->domain != b->domain && !model->settings->smt_sharing &&
           (a_slot != a->home || b_slot != b->home) ? CHOOSE_BARRED : 0;
}

#endif
