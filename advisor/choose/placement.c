/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/placement.h"

#include <errno.h>
#include <stdlib.h>

#define NOWHERE CHOOSE_NOWHERE

int choose_placement_new(struct choose_placement **state_r,
                         const struct choose_model *model, double move_cost)
{
    struct choose_placement *state;
    struct arena *arena;
    uint32_t i;

    state = calloc(1, sizeof *state);
    if (!state)
        return -ENOMEM;
    arena = &state->arena;
    state->model = model;
    state->move_cost = move_cost;
    state->slot = arena_get(arena, model->nr_entities, sizeof(uint32_t));
    state->next = arena_get(arena, model->nr_entities, sizeof(uint32_t));
    state->previous = arena_get(arena, model->nr_entities, sizeof(uint32_t));
    state->slots = arena_get(arena, model->nr_slots, sizeof *state->slots);
    state->cores = arena_get(arena, model->nr_cores, sizeof *state->cores);
    state->slot_head = arena_get(arena, model->nr_slots, sizeof(uint32_t));
    state->node_demand = arena_get(arena, model->nr_nodes, sizeof(double));
    state->field = arena_get(arena, 3 * model->nr_nodes, sizeof(double));
    state->group_add = arena_get(arena, model->nr_groups, sizeof(double));
    state->core_add = arena_get(arena, model->nr_cores, sizeof(double));
    state->slot_add = arena_get(arena, model->nr_slots, sizeof(double));
    state->some_cost = arena_get(arena, model->nr_slots + 1, sizeof(double));
    state->level = arena_get(arena, model->snapshot->nr_pools, sizeof(double));
    state->exposed = arena_get(arena, model->snapshot->nr_pools,
                               sizeof(double));
    if (arena->failed) {
        choose_placement_free(state);
        return -ENOMEM;
    }
    for (i = 0; i < model->nr_slots; i++) {
        state->slot_head[i] = NOWHERE;
        state->slots[i].afloat = model->slots[i].base;
    }
    for (i = 0; i < model->nr_entities; i++) {
        state->slot[i] = NOWHERE;
        choose_placement_move(state, i, model->entities[i].home);
    }
    *state_r = state;
    return 0;
}

void choose_placement_free(struct choose_placement *state)
{
    if (!state)
        return;
    arena_free(&state->arena);
    free(state);
}

/* Spread it over where it may run (run > 0), or take it away (run < 0). */
static void drift(struct choose_placement *state, uint32_t index, double run)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index];
    uint32_t slot;

    if (entity->everywhere) {
        state->level[entity->pool] += run * entity->norm;
        return;
    }
    for (slot = 0; slot < model->nr_slots; slot++)
        if (choose_in(model, model->roams, index, slot))
            state->slots[slot].afloat += run * entity->norm *
                                         model->slots[slot].share;
}

/* What is bound to a slot waits for what floats there, and is slowed down by
 * what floats on its core's other threads. */
static void expose(struct choose_placement *state, uint32_t slot,
                   double demand, bool home)
{
    const struct choose_model *model = state->model;
    const struct choose_slot *slots = model->slots;
    double slowed = demand * model->settings->sibling_slowdown;
    uint32_t t;

    CHOOSE_FOR_CORE(t, model, slots[slot].core)
        state->exposed[slots[t].pool] += slots[t].share *
            (t != slot ? slowed : home ? demand * slots[t].belief : demand);
}

static void add(struct choose_load *load, const struct choose_entity *entity,
                bool home, int sign)
{
    load->demand += sign * entity->demand;
    load->home += home ? sign * entity->demand : 0;
    load->count += (uint32_t)sign;
    load->moved += home ? 0 : (uint32_t)sign;
    load->isolated += entity->isolated ? (uint32_t)sign : 0;
    /* No residue of cancelled sums where nothing is left. */
    if (!load->count)
        load->demand = load->home = 0;
}

void choose_placement_account(struct choose_placement *state, uint32_t index,
                              int sign)
{
    const struct choose_entity *entity = &state->model->entities[index];
    uint32_t slot = state->slot[index];
    const struct choose_slot *s = &state->model->slots[slot];

    if (slot == choose_afloat(state->model)) {
        drift(state, index, sign * entity->run);
        return;
    }
    expose(state, slot, sign * entity->demand, slot == entity->home);
    add(&state->slots[slot], entity, slot == entity->home, sign);
    add(&state->cores[s->core], entity, slot == entity->home, sign);
    state->node_demand[s->node] += entity->demand * sign;
    state->nr_moved += slot == entity->home ? 0 : (uint32_t)sign;
}

void choose_placement_move(struct choose_placement *state, uint32_t entity,
                           uint32_t slot)
{
    uint32_t afloat = choose_afloat(state->model);
    uint32_t old = state->slot[entity], next;

    if (old != NOWHERE)
        choose_placement_account(state, entity, -1);
    if (old != NOWHERE && old != afloat) {
        next = state->next[entity];
        if (next != NOWHERE)
            state->previous[next] = state->previous[entity];
        if (state->previous[entity] != NOWHERE)
            state->next[state->previous[entity]] = next;
        else
            state->slot_head[old] = next;
    }
    state->slot[entity] = slot;
    if (slot == NOWHERE)
        return;
    choose_placement_account(state, entity, 1);
    if (slot == afloat)
        return;
    state->previous[entity] = NOWHERE;
    state->next[entity] = state->slot_head[slot];
    if (state->next[entity] != NOWHERE)
        state->previous[state->next[entity]] = entity;
    state->slot_head[slot] = entity;
}
