/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/local.h"

#include "base/jsonio.h"
#include "choose/field.h"

#include <errno.h>
#include <math.h>

/* Up to this size an exchange tries every slot, and the one that is put out
 * goes to its best place, not only to the other's. */
#define SMALL_SLOTS 64U
#define SWAP_SLOTS 6U
#define SWAP_EACH 4U

bool choose_local_spend(struct choose_local *search, uint64_t effort)
{
    if (search->effort < effort) {
        search->effort = 0;
        return false;
    }
    search->effort -= effort;
    return true;
}

bool choose_local_movable(const struct choose_local *search, uint32_t entity)
{
    return search->model->entities[entity].fixed == CHOOSE_MOVABLE;
}

bool choose_local_allowed(const struct choose_local *search, uint32_t entity,
                      uint32_t slot)
{
    return slot == search->model->entities[entity].home ||
           choose_allowed(search->model, entity, slot);
}

void choose_local_enqueue(struct choose_local *search, uint32_t entity)
{
    if (search->queued[entity] || !choose_local_movable(search, entity))
        return;
    search->queued[entity] = true;
    search->queue[(search->head + search->nr_queued++) %
                  search->model->nr_entities] = entity;
}

static void enqueue_core(struct choose_local *search, uint32_t slot)
{
    const struct choose_model *model = search->model;
    uint32_t s, i;

    if (slot == choose_afloat(model))
        return;
    CHOOSE_FOR_CORE(s, model, model->slots[slot].core)
        CHOOSE_FOR_SLOT(i, search->state, s)
            choose_local_enqueue(search, i);
}

static void enqueue_around(struct choose_local *search, uint32_t entity)
{
    const struct choose_model *model = search->model;
    const struct choose_edge *edge;

    CHOOSE_FOR_EDGES(edge, model, &model->entities[entity])
        choose_local_enqueue(search, edge->to);
}

void choose_local_change(struct choose_local *search, uint32_t entity,
                         uint32_t slot, double delta)
{
    uint32_t from = search->state->slot[entity];
    struct choose_change *was = JSONIO_ADD(search, log, SIZE_MAX);

    if (!was) {
        search->rc = -ENOMEM;
        return;
    }
    *was = (struct choose_change) { entity, from };
    choose_placement_move(search->state, entity, slot);
    search->total += delta;
    enqueue_core(search, from);
    enqueue_core(search, slot);
    enqueue_around(search, entity);
}

void choose_local_rollback(struct choose_local *search, size_t nr_log,
                           double total)
{
    while (search->nr_log > nr_log) {
        struct choose_change *last = &search->log[--search->nr_log];

        choose_placement_move(search->state, last->entity, last->slot);
    }
    search->total = total;
}

uint64_t choose_local_effort(const struct choose_local *search, uint32_t entity)
{
    const struct choose_entity *e = &search->model->entities[entity];

    return search->model->nr_slots + 4 * e->nr_edges +
           4 * (search->model->domain_end[e->domain] -
                search->model->domain_first[e->domain]);
}

uint32_t choose_local_best(const struct choose_local *search, uint32_t entity,
                          const double *cost)
{
    const struct choose_entity *e = &search->model->entities[entity];
    uint32_t current = search->state->slot[entity], slot;
    uint32_t best = current == CHOOSE_NOWHERE ? e->home : current;
    double least = cost[best] - CHOOSE_EPSILON;
    bool full;

    full = current == e->home &&
           search->state->nr_moved >= search->max_moves;
    if (full)
        return best;
    for (slot = 0; slot < search->model->nr_slots; slot++) {
        if (cost[slot] < least && choose_local_allowed(search, entity, slot)) {
            least = cost[slot] - CHOOSE_EPSILON;
            best = slot;
        }
    }
    return cost[e->home] < least ? e->home : best;
}

/*
 * Put entity on slot and what is there elsewhere; kept if it pays, also for
 * the number of moves.  search->cost is that of entity.
 */
static bool try_eject(struct choose_local *search, uint32_t entity,
                      uint32_t slot, uint32_t victim)
{
    struct choose_placement *state = search->state;
    uint32_t from = state->slot[entity], to = from;
    double delta, first = search->cost[slot] - search->cost[from];

    choose_placement_move(state, entity, slot);
    if (search->model->nr_slots <= SMALL_SLOTS) {
        if (!choose_local_spend(search, choose_local_effort(search, victim)))
            goto back;
        choose_field(state, victim, search->other_cost);
        to = choose_local_best(search, victim, search->other_cost);
        delta = search->other_cost[to] - search->other_cost[slot];
    } else {
        if (!choose_local_allowed(search, victim, from) ||
            !choose_local_spend(search,
                                choose_local_effort(search, victim) / 4))
            goto back;
        delta = choose_cost_change(state, victim, from);
    }
    if (to == slot || first + delta >= -CHOOSE_EPSILON)
        goto back;

    choose_placement_move(state, victim, to);
    if (state->nr_moved > search->max_moves) {
        choose_placement_move(state, victim, slot);
        goto back;
    }
    /* Once more, as changes that are remembered. */
    choose_placement_move(state, victim, slot);
    choose_placement_move(state, entity, from);
    choose_local_change(search, entity, slot, first);
    choose_local_change(search, victim, to, delta);
    return true;

 back:
    choose_placement_move(state, entity, from);
    return false;
}

/* Exchange with something on a slot that would be good if it were empty. */
static bool try_swap(struct choose_local *search, uint32_t entity)
{
    const struct choose_model *model = search->model;
    double demand = model->entities[entity].demand, value;
    uint32_t best[SMALL_SLOTS], nr = 0, limit, slot, i, j, next, tries;

    limit = model->nr_slots <= SMALL_SLOTS ? model->nr_slots : SWAP_SLOTS;
    for (slot = 0; slot < model->nr_slots; slot++) {
        if (slot == search->state->slot[entity] ||
            !search->state->slots[slot].count ||
            !choose_local_allowed(search, entity, slot))
            continue;
        /* Keep the best few, by cost without waiting. */
        value = search->cost[slot] - demand *
                search->state->slots[slot].demand;
        for (j = nr; j > 0; j--) {
            if (search->cost[best[j - 1]] - demand *
                search->state->slots[best[j - 1]].demand <= value)
                break;
            if (j < limit)
                best[j] = best[j - 1];
        }
        if (j < limit)
            best[j] = slot;
        if (nr < limit)
            nr++;
    }
    for (j = 0; j < nr; j++) {
        tries = 0;
        for (i = search->state->slot_head[best[j]];
             i != CHOOSE_NOWHERE && tries < SWAP_EACH; i = next) {
            next = search->state->next[i];
            if (!choose_local_movable(search, i))
                continue;
            tries++;
            if (try_eject(search, entity, best[j], i))
                return true;
        }
    }
    return false;
}

/* The floating one that it talks to most; CHOOSE_NOWHERE: none. */
static uint32_t partner(const struct choose_local *search, uint32_t entity)
{
    const struct choose_model *model = search->model;
    const struct choose_edge *edge;
    uint32_t best = CHOOSE_NOWHERE;
    float most = 0;

    CHOOSE_FOR_EDGES(edge, model, &model->entities[entity])
        if (edge->bytes > most &&
            search->state->slot[edge->to] == choose_afloat(model) &&
            choose_local_movable(search, edge->to)) {
            most = edge->bytes;
            best = edge->to;
        }
    return best;
}

double choose_local_pair(struct choose_local *search, uint32_t entity,
                         struct choose_change pair[2])
{
    struct choose_placement *state = search->state;
    uint32_t afloat = choose_afloat(search->model), slot, best = afloat;
    uint32_t other = partner(search, entity);
    double gain;

    if (state->slot[entity] != afloat || other == CHOOSE_NOWHERE ||
        state->nr_moved + 2 > search->max_moves ||
        !choose_local_spend(search, choose_local_effort(search, other)))
        return 0;
    gain = search->cost[afloat];
    search->cost[afloat] = INFINITY;
    for (slot = 0; slot < afloat; slot++)
        if (search->cost[slot] < search->cost[best] - CHOOSE_EPSILON &&
            choose_local_allowed(search, entity, slot))
            best = slot;
    if (best == afloat)
        return 0;
    gain -= search->cost[best];
    choose_placement_move(state, entity, best);
    choose_field(state, other, search->other_cost);
    slot = choose_local_best(search, other, search->other_cost);
    gain += search->other_cost[afloat] - search->other_cost[slot];
    choose_placement_move(state, entity, afloat);
    pair[0] = (struct choose_change) { entity, best };
    pair[1] = (struct choose_change) { other, slot };
    return slot == afloat ? 0 : gain;
}

void choose_local_improve(struct choose_local *search)
{
    struct choose_change pair[2];
    uint32_t entity, slot;
    double gain;

    while (search->nr_queued && !search->rc) {
        entity = search->queue[search->head];
        search->head = (search->head + 1) % search->model->nr_entities;
        search->nr_queued--;
        search->queued[entity] = false;
        if (!choose_local_spend(search, choose_local_effort(search, entity)))
            continue;
        choose_field(search->state, entity, search->cost);
        slot = choose_local_best(search, entity, search->cost);
        if (slot != search->state->slot[entity])
            choose_local_change(search, entity, slot, search->cost[slot] -
                   search->cost[search->state->slot[entity]]);
        else if (!try_swap(search, entity)) {
            gain = choose_local_pair(search, entity, pair);
            if (gain <= CHOOSE_EPSILON)
                continue;
            choose_local_change(search, pair[0].entity, pair[0].slot, -gain);
            choose_local_change(search, pair[1].entity, pair[1].slot, 0);
        }
    }
}
