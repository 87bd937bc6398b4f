/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random changes that the search then mends, to leave local optima. */
#include "choose/local.h"

#include "choose/field.h"

#include <math.h>

/* Entities that change nodes together, at most. */
#define CLUSTER_MAX 24U

/* xorshift64*, Vigna 2014; a fixed seed keeps plans the same everywhere. */
uint32_t choose_shake_draw(struct choose_local *search, uint32_t below)
{
    search->random ^= search->random >> 12;
    search->random ^= search->random << 25;
    search->random ^= search->random >> 27;
    return (uint32_t)((search->random * 0x2545f4914f6cdd1dU) >> 33) % below;
}

/* An entity that may move, at random; they are not few among all. */
static uint32_t draw_entity(struct choose_local *search)
{
    uint32_t entity, tries;

    for (tries = 0; tries < 64; tries++) {
        entity = choose_shake_draw(search, search->model->nr_entities);
        if (choose_local_movable(search, entity))
            return entity;
    }
    while (!choose_local_movable(search, entity))
        entity = (entity + 1) % search->model->nr_entities;
    return entity;
}

static void kick_to(struct choose_local *search, uint32_t entity, uint32_t slot)
{
    const struct choose_entity *e = &search->model->entities[entity];
    uint32_t from = search->state->slot[entity];
    double delta;

    if (slot == from || !choose_local_movable(search, entity) ||
        !choose_local_allowed(search, entity, slot) ||
        (from == e->home && search->state->nr_moved >= search->max_moves))
        return;
    delta = choose_cost_change(search->state, entity, slot);
    choose_local_change(search, entity, slot, delta);
}

/* Near a neighbour: somewhere in its cache group, by drawing. */
static void kick_near(struct choose_local *search, uint32_t entity)
{
    const struct choose_model *model = search->model;
    const struct choose_entity *e = &model->entities[entity];
    uint32_t to, slot, core;

    if (!e->nr_edges)
        return;
    to = model->edges[e->first_edge +
                      choose_shake_draw(search, e->nr_edges)].to;
    slot = search->state->slot[to];
    if (slot == choose_afloat(model))
        slot = choose_shake_draw(search, model->nr_slots);
    core = model->slots[slot].core;
    /* One of the nine cores around. */
    core = (core + choose_shake_draw(search, 9) + model->nr_cores -
            4 % model->nr_cores) % model->nr_cores;
    slot = model->core_first[core] +
           choose_shake_draw(search, model->core_first[core + 1] -
                             model->core_first[core]);
    kick_to(search, entity, slot);
}

/* The cheapest slot of a node that it may have; its own if none is. */
static uint32_t best_in_node(struct choose_local *search, uint32_t entity,
                             uint32_t node)
{
    const struct choose_model *model = search->model;
    uint32_t best = search->state->slot[entity], slot;
    double least = INFINITY;

    choose_field(search->state, entity, search->cost);
    for (slot = 0; slot < model->nr_slots; slot++) {
        if (model->slots[slot].node != node || search->cost[slot] >= least ||
            !choose_local_allowed(search, entity, slot))
            continue;
        least = search->cost[slot];
        best = slot;
    }
    return best;
}

/* On one node; what floats is on any. */
static bool together(const struct choose_local *search, uint32_t a, uint32_t b)
{
    const struct choose_model *model = search->model;
    uint32_t s = search->state->slot[a], t = search->state->slot[b];

    return s == choose_afloat(model) || t == choose_afloat(model) ||
           model->slots[s].node == model->slots[t].node;
}

/* An entity and what it talks to on its node, nearest first. */
static uint32_t gather(struct choose_local *search, uint32_t entity,
                       uint32_t *list, uint32_t limit)
{
    const struct choose_model *model = search->model;
    const struct choose_edge *edge;
    uint32_t nr = 1, i, k;

    list[0] = entity;
    for (i = 0; i < nr; i++)
        CHOOSE_FOR_EDGES(edge, model, &model->entities[list[i]]) {
            if (nr == limit)
                return nr;
            for (k = 0; k < nr && list[k] != edge->to; k++)
                ;
            if (k == nr && choose_local_movable(search, edge->to) &&
                together(search, edge->to, entity))
                list[nr++] = edge->to;
        }
    return nr;
}

/*
 * An entity and some of what it talks to, to another node together: single
 * moves do not get there, since the first has a longer way to the others.
 */
static void kick_cluster(struct choose_local *search, uint32_t entity)
{
    const struct choose_model *model = search->model;
    uint32_t node = choose_shake_draw(search, model->nr_nodes);
    uint32_t list[CLUSTER_MAX], slot, from, i, nr;

    nr = gather(search, entity, list,
                1 + choose_shake_draw(search, CLUSTER_MAX));
    for (i = 0; i < nr; i++) {
        from = search->state->slot[list[i]];
        if (model->entities[list[i]].home == from &&
            search->state->nr_moved >= search->max_moves)
            continue;
        if (!choose_local_spend(search, choose_local_effort(search, list[i])))
            return;
        slot = best_in_node(search, list[i], node);
        if (slot != from)
            choose_local_change(search, list[i], slot, search->cost[slot] -
                                                       search->cost[from]);
    }
}

static void kick_slots(struct choose_local *search, uint32_t a, uint32_t b)
{
    uint32_t i, next, limit = 64;

    if (a == choose_afloat(search->model))
        return;
    for (i = search->state->slot_head[a]; i != CHOOSE_NOWHERE && limit;
         i = next, limit--) {
        next = search->state->next[i];
        kick_to(search, i, b);
    }
}

void choose_shake(struct choose_local *search)
{
    const struct choose_model *model = search->model;
    uint32_t a = draw_entity(search), b = draw_entity(search), i, slot;

    choose_local_spend(search, 4 * model->entities[a].nr_edges +
                  4 * model->entities[b].nr_edges + 64);
    switch (choose_shake_draw(search, model->nr_nodes > 1 ? 8 : 6)) {
    case 0:
        kick_to(search, a, choose_shake_draw(search, model->nr_slots));
        break;
    case 1:
        slot = search->state->slot[a];
        kick_to(search, a, search->state->slot[b]);
        kick_to(search, b, slot);
        break;
    case 2:
        kick_near(search, a);
        break;
    case 3:
        kick_to(search, a, model->entities[a].home);
        kick_to(search, b, choose_shake_draw(search, model->nr_slots));
        break;
    case 4:
        /* The first list is walked before the second is longer. */
        slot = choose_shake_draw(search, model->nr_slots);
        kick_slots(search, search->state->slot[a], slot);
        break;
    case 6:
    case 7:
        kick_cluster(search, a);
        break;
    default:
        /* All of a VM, side by side. */
        slot = choose_shake_draw(search, model->nr_slots);
        CHOOSE_FOR_DOMAIN(i, model, model->entities[a].domain)
            kick_to(search, i, slot++ % model->nr_slots);
        break;
    }
}
