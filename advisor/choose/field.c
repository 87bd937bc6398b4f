/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/field.h"

#include "choose/cost.h"
#include "choose/terms.h"

#include <math.h>
#include <string.h>

#define NOWHERE CHOOSE_NOWHERE

/* What its neighbours exchange with it, by the nodes where they are. */
static void edge_nodes(struct choose_placement *state,
                       const struct choose_edge *edge, double *bytes,
                       double *packets)
{
    const struct choose_model *model = state->model;
    uint32_t slot = state->slot[edge->to], node;
    const float *spread;

    if (slot != choose_afloat(model)) {
        bytes[model->slots[slot].node] += (double)edge->bytes;
        packets[model->slots[slot].node] += (double)edge->packets;
        return;
    }
    spread = &model->spread[(size_t)edge->to * model->nr_nodes];
    for (node = 0; node < model->nr_nodes; node++) {
        bytes[node] += (double)(edge->bytes * spread[node]);
        packets[node] += (double)(edge->packets * spread[node]);
    }
}

/*
 * The traffic's part, for all slots at once: what every neighbour costs from
 * each node, less what is saved in its cache group, core and on its slot.
 */
static void edge_field(struct choose_placement *state,
                       const struct choose_entity *entity)
{
    const struct choose_model *model = state->model;
    const struct choose_edge *edge;
    double *bytes = state->field + model->nr_nodes;
    double *packets = bytes + model->nr_nodes;
    const struct choose_slot *slot;
    uint32_t node, to;
    double local;

    memset(state->field, 0, 3 * model->nr_nodes * sizeof(double));
    CHOOSE_FOR_EDGES(edge, model, entity) {
        to = state->slot[edge->to];
        if (to == NOWHERE)
            continue;
        edge_nodes(state, edge, bytes, packets);
        if (to == choose_afloat(model))
            continue;
        slot = &model->slots[to];
        local = model->byte_cost[slot->node * model->nr_nodes + slot->node];
        state->group_add[slot->group] -= (double)edge->bytes *
                                         (local - model->group_cost);
        state->core_add[slot->core] -= (double)edge->bytes *
                                       model->group_cost;
        state->slot_add[to] += choose_together(model, entity, edge, to);
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
    const struct choose_edge *edge;
    uint32_t slot;

    CHOOSE_FOR_EDGES(edge, model, entity) {
        slot = state->slot[edge->to];
        if (slot == NOWHERE || slot == choose_afloat(model))
            continue;
        state->group_add[model->slots[slot].group] = 0;
        state->core_add[model->slots[slot].core] = 0;
        state->slot_add[slot] = 0;
    }
}

/* Waiting on a slot, of what is bound and what floats there. */
static double waiting_at(const struct choose_placement *state,
                         const struct choose_entity *entity, uint32_t slot)
{
    const struct choose_load *load = &state->slots[slot];
    double afloat = choose_floating(state, slot), among;

    among = load->demand + afloat;
    if (slot == entity->home)
        among -= (1 - state->model->slots[slot].belief) *
                 (load->home + afloat);
    return entity->demand * among;
}

double choose_core_busy(const struct choose_placement *state, uint32_t core)
{
    double sum = state->cores[core].demand;
    uint32_t slot;

    CHOOSE_FOR_CORE(slot, state->model, core)
        sum += choose_floating(state, slot);
    return sum;
}

static double sibling_at(const struct choose_placement *state,
                         const struct choose_entity *entity, uint32_t slot,
                         double busy)
{
    return state->model->settings->sibling_slowdown * entity->demand *
           (busy - state->slots[slot].demand - choose_floating(state, slot));
}

/* What one that floats makes wait, and how long it waits. */
static double afloat_at(const struct choose_placement *state, uint32_t index)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index];
    const struct choose_load *load, *core;
    const struct choose_slot *s;
    double sum = 0;
    uint32_t slot;

    if (entity->everywhere)
        return entity->wait + entity->run * entity->norm *
                              state->exposed[entity->pool];
    for (slot = 0; slot < model->nr_slots; slot++) {
        s = &model->slots[slot];
        core = &state->cores[s->core];
        if (!core->count || !choose_in(model, model->roams, index, slot))
            continue;
        load = &state->slots[slot];
        sum += s->share * (load->demand - (1 - s->belief) * load->home +
                           model->settings->sibling_slowdown *
                           (core->demand - load->demand));
    }
    return entity->wait + entity->run * entity->norm * sum;
}

/* How many of another VM's are on its core against isolation, or beside it,
 * as if all there were; own is how many of its VM are. */
static double crowd(const struct choose_placement *state,
                    const struct choose_entity *entity, uint32_t slot)
{
    const struct choose_model *model = state->model;
    const struct choose_load *load = &state->slots[slot];
    const struct choose_load *core = &state->cores[model->slots[slot].core];
    uint32_t nr = entity->isolated ? core->count : core->isolated;

    if (!model->settings->smt_sharing && core->count != load->count)
        nr += slot == entity->home ? core->moved - load->moved
                                   : core->count - load->count;
    return CHOOSE_BARRED * nr;
}

/* Own domain's entities were counted as strangers; put that right. */
static void own_domain(struct choose_placement *state, uint32_t index,
                       double *cost)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index], *other;
    uint32_t i, slot, s;

    CHOOSE_FOR_DOMAIN(i, model, entity->domain) {
        slot = state->slot[i];
        if (i == index || slot == NOWHERE || slot == choose_afloat(model))
            continue;
        other = &model->entities[i];
        CHOOSE_FOR_CORE(s, model, model->slots[slot].core) {
            if (entity->isolated)
                cost[s] -= CHOOSE_BARRED;
            if (s != slot && !model->settings->smt_sharing &&
                (s != entity->home || slot != other->home))
                cost[s] -= CHOOSE_BARRED;
        }
    }
}

static double overload_at(const struct choose_placement *state,
                          const struct choose_entity *entity, uint32_t slot)
{
    const struct choose_model *model = state->model;
    const struct choose_slot *s = &model->slots[slot];
    const struct choose_load *core = &state->cores[s->core];
    double limit = model->core_limit[s->core], node;

    node = model->node_limit[s->node];
    return choose_excess(core->demand + entity->demand, limit,
                         core->count + 1) -
           choose_excess(core->demand, limit, core->count) +
           choose_excess(state->node_demand[s->node] + entity->demand, node,
                         2) -
           choose_excess(state->node_demand[s->node], node, 2);
}

static double field_afloat(const struct choose_placement *state,
                           uint32_t index)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index];
    const float *spread = &model->spread[(size_t)index * model->nr_nodes];
    double cost = afloat_at(state, index);
    uint32_t node;

    for (node = 0; node < model->nr_nodes; node++)
        cost += (double)spread[node] * state->field[node];
    return cost + (entity->isolated ? CHOOSE_BARRED : 0) +
           entity->demand * choose_memory(model, index, choose_afloat(model));
}

/* What an entity that is lifted costs on the slots of some cores. */
static void fill(struct choose_placement *state, uint32_t index,
                 uint32_t core, uint32_t end, double *cost)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index];
    const float *memory = &model->memory_cost[entity->domain *
                                              model->nr_nodes];
    const struct choose_slot *s;
    uint32_t slot;
    double busy;

    for (; core < end; core++) {
        busy = choose_core_busy(state, core);
        CHOOSE_FOR_CORE(slot, model, core) {
            s = &model->slots[slot];
            cost[slot] = waiting_at(state, entity, slot) +
                sibling_at(state, entity, slot, busy) +
                overload_at(state, entity, slot) +
                entity->demand * (double)memory[s->node] +
                (slot == entity->home ? 0 : state->move_cost) +
                crowd(state, entity, slot) + state->field[s->node] +
                state->group_add[s->group] + state->core_add[s->core] +
                state->slot_add[slot];
        }
    }
}

/* On that slot, and on those of its core as well. */
static void fill_one(struct choose_placement *state, uint32_t index,
                     uint32_t slot, double *cost)
{
    uint32_t core;

    if (slot == choose_afloat(state->model)) {
        cost[slot] = field_afloat(state, index);
        return;
    }
    core = state->model->slots[slot].core;
    fill(state, index, core, core + 1, cost);
}

void choose_field(struct choose_placement *state, uint32_t index, double *cost)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index];
    uint32_t afloat = choose_afloat(model);

    if (state->slot[index] != NOWHERE)
        choose_placement_account(state, index, -1);
    edge_field(state, entity);
    fill(state, index, 0, model->nr_cores, cost);
    cost[afloat] = entity->home == afloat ? field_afloat(state, index)
                                          : INFINITY;
    own_domain(state, index, cost);
    edge_field_clear(state, entity);
    if (state->slot[index] != NOWHERE)
        choose_placement_account(state, index, 1);
}

/* On those two; some_cost is good for them alone. */
static void fill_two(struct choose_placement *state, uint32_t index,
                     uint32_t a, uint32_t b)
{
    const struct choose_entity *entity = &state->model->entities[index];

    choose_placement_account(state, index, -1);
    edge_field(state, entity);
    fill_one(state, index, a, state->some_cost);
    if (b != a)
        fill_one(state, index, b, state->some_cost);
    own_domain(state, index, state->some_cost);
    edge_field_clear(state, entity);
    choose_placement_account(state, index, 1);
}

double choose_cost_change(struct choose_placement *state, uint32_t entity,
                          uint32_t slot)
{
    uint32_t from = state->slot[entity];

    fill_two(state, entity, from, slot);
    return state->some_cost[slot] - state->some_cost[from];
}

double choose_cost_at(struct choose_placement *state, uint32_t entity,
                      uint32_t slot)
{
    fill_two(state, entity, slot, slot);
    return state->some_cost[slot];
}

static void parts_edges(const struct choose_placement *state, uint32_t index,
                        uint32_t slot, struct choose_parts *parts)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index];
    const struct choose_edge *edge;

    CHOOSE_FOR_EDGES(edge, model, entity) {
        if (state->slot[edge->to] == slot && slot != choose_afloat(model))
            parts->storm += choose_together(model, entity, edge, slot);
        else
            parts->distance += choose_edge_distance(model, index, edge, slot,
                                                    state->slot[edge->to]);
    }
}

/* crowd() without its own VM's. */
static double parts_crowd(const struct choose_placement *state, uint32_t index,
                          uint32_t slot)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index], *other;
    uint32_t t, i, nr = 0;
    double barred = 0;

    CHOOSE_FOR_CORE(t, model, model->slots[slot].core) {
        CHOOSE_FOR_SLOT(i, state, t) {
            other = &model->entities[i];
            if (i == index || other->domain == entity->domain)
                continue;
            nr += entity->isolated || other->isolated;
            if (t != slot)
                barred += choose_barred(model, entity, slot, other, t);
        }
    }
    return CHOOSE_BARRED * nr + barred;
}

void choose_parts(struct choose_placement *state, uint32_t index,
                            uint32_t slot, struct choose_parts *parts)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index];

    memset(parts, 0, sizeof *parts);
    choose_placement_account(state, index, -1);
    if (slot == choose_afloat(model)) {
        parts->waiting = afloat_at(state, index);
        parts->isolation = entity->isolated ? CHOOSE_BARRED : 0;
    } else {
        parts->waiting = waiting_at(state, entity, slot);
        parts->sibling = sibling_at(state, entity, slot,
                                    choose_core_busy(state,
                                              model->slots[slot].core));
        parts->overload = overload_at(state, entity, slot);
        parts->isolation = parts_crowd(state, index, slot);
    }
    parts->memory = entity->demand * choose_memory(model, index, slot);
    parts->move = slot == entity->home ? 0 : state->move_cost;
    parts_edges(state, index, slot, parts);
    choose_placement_account(state, index, 1);
}

double choose_parts_cost(const struct choose_parts *p)
{
    return p->waiting + p->sibling + p->storm + p->distance + p->memory;
}
