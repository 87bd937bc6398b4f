/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/placement.h"

#include "choose/cost.h"
#include "choose/terms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOWHERE CHOOSE_NOWHERE

int choose_placement_new(struct choose_placement **state_r,
                         const struct choose_model *model, double move_cost)
{
    struct choose_placement *state;
    uint32_t i;

    state = calloc(1, sizeof *state);
    if (!state)
        return -ENOMEM;
    state->model = model;
    state->move_cost = move_cost;
    state->slot = calloc(model->nr_entities + 1, sizeof(uint32_t));
    state->next = calloc(model->nr_entities + 1, sizeof(uint32_t));
    state->previous = calloc(model->nr_entities + 1, sizeof(uint32_t));
    state->slot_weight = calloc(model->nr_slots, sizeof(double));
    state->slot_count = calloc(model->nr_slots, sizeof(uint32_t));
    state->slot_head = calloc(model->nr_slots, sizeof(uint32_t));
    state->core_weight = calloc(model->nr_cores, sizeof(double));
    state->slot_foreign = calloc(model->nr_slots, sizeof(double));
    state->core_foreign = calloc(model->nr_cores, sizeof(double));
    state->core_count = calloc(model->nr_cores, sizeof(uint32_t));
    state->core_isolated = calloc(model->nr_cores, sizeof(uint32_t));
    state->slot_bound = calloc(model->nr_slots, sizeof(uint32_t));
    state->core_bound = calloc(model->nr_cores, sizeof(uint32_t));
    state->slot_moved = calloc(model->nr_slots, sizeof(uint32_t));
    state->core_moved = calloc(model->nr_cores, sizeof(uint32_t));
    state->node_demand = calloc(model->nr_nodes, sizeof(double));
    state->field = calloc(3 * model->nr_nodes, sizeof(double));
    state->group_add = calloc(model->nr_groups, sizeof(double));
    state->core_add = calloc(2 * model->nr_cores, sizeof(double));
    state->slot_add = calloc(model->nr_slots, sizeof(double));
    if (!state->slot || !state->next || !state->previous ||
        !state->slot_weight || !state->slot_count || !state->slot_head ||
        !state->slot_foreign || !state->core_foreign ||
        !state->core_weight || !state->core_count || !state->core_isolated ||
        !state->slot_bound || !state->core_bound || !state->slot_moved ||
        !state->core_moved ||
        !state->node_demand || !state->field || !state->group_add ||
        !state->core_add || !state->slot_add) {
        choose_placement_free(state);
        return -ENOMEM;
    }
    memset(state->slot_head, 0xff, model->nr_slots * sizeof(uint32_t));
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
    free(state->slot);
    free(state->next);
    free(state->previous);
    free(state->slot_weight);
    free(state->slot_count);
    free(state->slot_head);
    free(state->core_weight);
    free(state->slot_foreign);
    free(state->core_foreign);
    free(state->core_count);
    free(state->core_isolated);
    free(state->slot_bound);
    free(state->core_bound);
    free(state->slot_moved);
    free(state->core_moved);
    free(state->node_demand);
    free(state->field);
    free(state->group_add);
    free(state->core_add);
    free(state->slot_add);
    free(state);
}

/* Take out (sign -1) or put in (+1) at its slot. */
static void account(struct choose_placement *state, uint32_t index, int sign)
{
    const struct choose_entity *entity = &state->model->entities[index];
    uint32_t slot = state->slot[index];
    const struct choose_slot *s = &state->model->slots[slot];
    double weight = choose_weight_at(entity, slot) * sign;
    double foreign = choose_foreign_at(entity, slot) * sign;

    state->slot_weight[slot] += weight;
    state->core_weight[s->core] += weight;
    state->slot_foreign[slot] += foreign;
    state->core_foreign[s->core] += foreign;
    state->node_demand[s->node] += entity->demand * sign;
    state->slot_count[slot] += (uint32_t)sign;
    state->core_count[s->core] += (uint32_t)sign;
    state->core_isolated[s->core] += entity->isolated ? (uint32_t)sign : 0;
    if (choose_bound_at(entity, slot)) {
        state->slot_bound[slot] += (uint32_t)sign;
        state->core_bound[s->core] += (uint32_t)sign;
    }
    if (slot != entity->home) {
        state->slot_moved[slot] += (uint32_t)sign;
        state->core_moved[s->core] += (uint32_t)sign;
        state->nr_moved += (uint32_t)sign;
    }
    /* No residue of cancelled sums where nothing is left. */
    if (!state->slot_count[slot])
        state->slot_weight[slot] = state->slot_foreign[slot] = 0;
    if (!state->core_count[s->core])
        state->core_weight[s->core] = state->core_foreign[s->core] = 0;
}

void choose_placement_move(struct choose_placement *state, uint32_t entity,
                           uint32_t slot)
{
    uint32_t old = state->slot[entity], next;

    if (old != NOWHERE) {
        account(state, entity, -1);
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
    state->previous[entity] = NOWHERE;
    state->next[entity] = state->slot_head[slot];
    if (state->next[entity] != NOWHERE)
        state->previous[state->next[entity]] = entity;
    state->slot_head[slot] = entity;
    account(state, entity, 1);
}

/*
 * The traffic's part, for all slots at once: what every neighbour costs from
 * each node, less what is saved in its cache group, core and on its slot.
 */
static void edge_field(struct choose_placement *state,
                       const struct choose_entity *entity)
{
    const struct choose_model *model = state->model;
    const struct choose_edge *edge = &model->edges[entity->first_edge];
    const struct choose_edge *end = edge + entity->nr_edges;
    double *bytes = state->field + model->nr_nodes;
    double *packets = bytes + model->nr_nodes;
    const struct choose_slot *slot;
    uint32_t node, to;
    double local;

    memset(state->field, 0, 3 * model->nr_nodes * sizeof(double));
    for (; edge < end; edge++) {
        if (state->slot[edge->to] == NOWHERE)
            continue;
        slot = &model->slots[state->slot[edge->to]];
        bytes[slot->node] += (double)edge->bytes;
        packets[slot->node] += (double)edge->packets;
        local = model->byte_cost[slot->node * model->nr_nodes + slot->node];
        state->group_add[slot->group] -= (double)edge->bytes *
                                         (local - model->group_cost);
        state->core_add[slot->core] -= (double)edge->bytes *
                                       model->group_cost;
        state->slot_add[state->slot[edge->to]] +=
            choose_together(model, entity, edge, state->slot[edge->to]);
    }
    for (node = 0; node < model->nr_nodes; node++)
        for (to = 0; to < model->nr_nodes; to++)
            if (bytes[to] > 0 || packets[to] > 0)
                state->field[node] +=
                    bytes[to] * model->byte_cost[node * model->nr_nodes +
                                                 to] +
                    packets[to] * model->packet_cost[node * model->nr_nodes +
                                                     to];
}

static void edge_field_clear(struct choose_placement *state,
                             const struct choose_entity *entity)
{
    const struct choose_model *model = state->model;
    const struct choose_edge *edge = &model->edges[entity->first_edge];
    const struct choose_edge *end = edge + entity->nr_edges;
    uint32_t slot;

    for (; edge < end; edge++) {
        slot = state->slot[edge->to];
        if (slot == NOWHERE)
            continue;
        state->group_add[model->slots[slot].group] = 0;
        state->core_add[model->slots[slot].core] = 0;
        state->slot_add[slot] = 0;
    }
}

/* How many of another VM's would be on its core against isolation. */
static double crowd(const struct choose_placement *state,
                    const struct choose_entity *entity, uint32_t core,
                    uint32_t own)
{
    return CHOOSE_BARRED * (entity->isolated ?
                               state->core_count[core] - own :
                               state->core_isolated[core]);
}

/* Own domain's entities were counted as strangers; put that right. */
static void own_domain(struct choose_placement *state, uint32_t index,
                       double *cost)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index], *other;
    uint32_t i, slot, core, s;

    for (i = model->domain_first[entity->domain];
         i < model->domain_first[entity->domain + 1]; i++) {
        slot = state->slot[i];
        if (i == index || slot == NOWHERE)
            continue;
        other = &model->entities[i];
        core = model->slots[slot].core;
        for (s = model->core_first[core]; s < model->core_first[core + 1];
             s++) {
            if (entity->isolated)
                cost[s] -= CHOOSE_BARRED;
            if (s == slot || model->settings->smt_sharing)
                continue;
            cost[s] += choose_sibling(model->settings, entity, s, other, slot) -
                       choose_foreign(entity, s, other, slot);
        }
    }
}

/* As if all on the sibling threads were of other VMs. */
static double siblings_at(const struct choose_placement *state,
                          const struct choose_entity *entity, uint32_t slot)
{
    uint32_t core = state->model->slots[slot].core, barred = 0;

    if (state->core_count[core] == state->slot_count[slot])
        return 0;
    if (state->model->settings->smt_sharing)
        return state->model->settings->sibling_slowdown *
               choose_weight_at(entity, slot) *
               (state->core_weight[core] - state->slot_weight[slot]);
    if (slot != entity->home)
        barred = state->core_bound[core] - state->slot_bound[slot];
    else if (entity->bound)
        barred = state->core_moved[core] - state->slot_moved[slot];
    return CHOOSE_FOREIGN * choose_foreign_at(entity, slot) *
           (state->core_foreign[core] - state->slot_foreign[slot]) +
           CHOOSE_BARRED * barred;
}

void choose_placement_field(struct choose_placement *state, uint32_t index,
                            double *cost)
{
    const struct choose_model *model = state->model;
    const struct settings *settings = model->settings;
    const struct choose_entity *entity = &model->entities[index];
    double weight, core_load, node_load, node_limit;
    const float *memory = &model->memory_cost[entity->domain *
                                              model->nr_nodes];
    const struct choose_slot *s;
    uint32_t slot;

    if (state->slot[index] != NOWHERE)
        account(state, index, -1);
    edge_field(state, entity);
    for (slot = 0; slot < model->nr_slots; slot++) {
        s = &model->slots[slot];
        weight = choose_weight_at(entity, slot);
        core_load = state->core_weight[s->core];
        node_load = state->node_demand[s->node];
        node_limit = choose_node_limit(model, s->node);
        cost[slot] = weight * state->slot_weight[slot] +
            siblings_at(state, entity, slot) +
            choose_excess(core_load + weight, settings->core_cap) -
            choose_excess(core_load, settings->core_cap) +
            choose_excess(node_load + entity->demand, node_limit) -
            choose_excess(node_load, node_limit) +
            entity->demand * (double)memory[s->node] +
            (slot == entity->home ? 0 : state->move_cost) +
            crowd(state, entity, s->core, 0) + state->field[s->node] +
            state->group_add[s->group] + state->core_add[s->core] +
            state->slot_add[slot];
    }
    own_domain(state, index, cost);
    edge_field_clear(state, entity);
    if (state->slot[index] != NOWHERE)
        account(state, index, 1);
}

static void parts_edges(const struct choose_placement *state,
                        const struct choose_entity *entity, uint32_t slot,
                        struct choose_parts *parts)
{
    const struct choose_model *model = state->model;
    const struct choose_edge *edge = &model->edges[entity->first_edge];
    const struct choose_edge *end = edge + entity->nr_edges;

    for (; edge < end; edge++) {
        if (state->slot[edge->to] == slot)
            parts->storm += choose_together(model, entity, edge, slot);
        else
            parts->distance += choose_edge_distance(model, edge, slot,
                                                    state->slot[edge->to]);
    }
}

static void parts_core(const struct choose_placement *state, uint32_t index,
                       uint32_t slot, struct choose_parts *parts)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index], *other;
    uint32_t core = model->slots[slot].core, t, i, own = 0;

    for (t = model->core_first[core]; t < model->core_first[core + 1]; t++) {
        for (i = state->slot_head[t]; i != NOWHERE; i = state->next[i]) {
            other = &model->entities[i];
            if (i == index)
                continue;
            own += other->domain == entity->domain;
            if (t != slot)
                parts->sibling += choose_sibling(model->settings, entity, slot,
                                          other, t);
        }
    }
    parts->isolation = crowd(state, entity, core, own);
}

void choose_placement_parts(struct choose_placement *state, uint32_t index,
                            uint32_t slot, struct choose_parts *parts)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index];
    const struct choose_slot *s = &model->slots[slot];
    double weight = choose_weight_at(entity, slot), limit, load;

    memset(parts, 0, sizeof *parts);
    account(state, index, -1);
    parts->waiting = weight * state->slot_weight[slot];
    limit = model->settings->core_cap;
    load = state->core_weight[s->core];
    parts->core = choose_excess(load + weight, limit) -
                  choose_excess(load, limit);
    limit = choose_node_limit(model, s->node);
    load = state->node_demand[s->node];
    parts->node = choose_excess(load + entity->demand, limit) -
                  choose_excess(load, limit);
    parts->memory = entity->demand *
        (double)model->memory_cost[entity->domain * model->nr_nodes + s->node];
    parts->move = slot == entity->home ? 0 : state->move_cost;
    parts_edges(state, entity, slot, parts);
    parts_core(state, index, slot, parts);
    account(state, index, 1);
}

double choose_placement_at(struct choose_placement *state, uint32_t entity,
                           uint32_t slot)
{
    struct choose_parts p;

    choose_placement_parts(state, entity, slot, &p);
    return p.waiting + p.sibling + p.core + p.node + p.storm + p.distance +
           p.memory + p.isolation + p.move;
}
