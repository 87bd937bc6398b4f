/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terms of the model for one entity or pair, as model.h defines
 * them; inline, since choosing does little else than compute them.
 */
#ifndef SHMLINK_CHOOSE_TERMS_H
#define SHMLINK_CHOOSE_TERMS_H

#include "choose/model.h"

static inline double choose_weight_at(const struct choose_entity *entity,
                                      uint32_t slot)
{
    return slot == entity->home ? entity->weight : entity->demand;
}

/* What it is to another VM's on a sibling thread. */
static inline double choose_foreign_at(const struct choose_entity *entity,
                                       uint32_t slot)
{
    return slot == entity->home ? entity->weight + entity->presence
                                : entity->demand + CHOOSE_PRESENCE;
}

/* Two that talk on one slot: collisions beyond those by chance. */
static inline double choose_meeting(const struct choose_model *model,
                                    const struct choose_entity *entity,
                                    const struct choose_edge *edge,
                                    uint32_t slot)
{
    return slot == entity->home && slot == model->entities[edge->to].home
               ? (double)edge->meeting_home : (double)edge->meeting;
}

/* All that an edge costs while both its ends are on that slot. */
static inline double choose_together(const struct choose_model *model,
                                     const struct choose_entity *entity,
                                     const struct choose_edge *edge,
                                     uint32_t slot)
{
    return (double)edge->storm + choose_meeting(model, entity, edge, slot);
}

static inline double choose_excess(double load, double limit)
{
    return load > limit ? CHOOSE_OVERLOAD * (load - limit) : 0;
}

static inline double choose_node_limit(const struct choose_model *model,
                                       uint32_t node)
{
    return model->settings->node_cap * model->node_cores[node];
}

/* Does it run on that slot only, by its affinity or by the plan's? */
static inline bool choose_bound_at(const struct choose_entity *entity,
                                   uint32_t slot)
{
    return slot != entity->home || entity->bound;
}

/* Two VMs on sibling threads by doing of the plan. */
static inline double choose_barred(const struct choose_entity *a,
                                   uint32_t a_slot,
                                   const struct choose_entity *b,
                                   uint32_t b_slot)
{
    return (a_slot != a->home || b_slot != b->home) &&
           choose_bound_at(a, a_slot) && choose_bound_at(b, b_slot)
           ? CHOOSE_BARRED : 0;
}

/* The same, with all that they lose there. */
static inline double choose_foreign(const struct choose_entity *a,
                                    uint32_t a_slot,
                                    const struct choose_entity *b,
                                    uint32_t b_slot)
{
    return CHOOSE_FOREIGN * choose_foreign_at(a, a_slot) *
           choose_foreign_at(b, b_slot) + choose_barred(a, a_slot, b, b_slot);
}

/* Two entities on sibling threads of a core. */
static inline double choose_sibling(const struct settings *settings,
                                    const struct choose_entity *a,
                                    uint32_t a_slot,
                                    const struct choose_entity *b,
                                    uint32_t b_slot)
{
    if (a->domain == b->domain || settings->smt_sharing)
        return settings->sibling_slowdown * choose_weight_at(a, a_slot) *
               choose_weight_at(b, b_slot);
    return choose_foreign(a, a_slot, b, b_slot);
}

#endif
