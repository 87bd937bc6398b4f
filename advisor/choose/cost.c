/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/cost.h"

#include "choose/terms.h"
#include "model/plan.h"

#include <math.h>
#include <string.h>

/* On which nodes it is; room for one, unless it floats. */
static const float *nodes_of(const struct choose_model *model, uint32_t entity,
                             uint32_t place, uint32_t *first, uint32_t *end)
{
    static const float whole = 1;

    if (place == choose_afloat(model)) {
        *first = 0;
        *end = model->nr_nodes;
        return &model->spread[(size_t)entity * model->nr_nodes];
    }
    *first = model->slots[place].node;
    *end = *first + 1;
    return &whole;
}

double choose_edge_distance(const struct choose_model *model, uint32_t entity,
                            const struct choose_edge *edge, uint32_t from,
                            uint32_t to)
{
    const struct choose_slot *s = &model->slots[from], *t = &model->slots[to];
    uint32_t i, j, first, end, first_to, end_to, nodes;
    const float *at, *at_to;
    double cost = 0;

    if (from != choose_afloat(model) && to != choose_afloat(model)) {
        if (s->core == t->core)
            return 0;
        if (s->group == t->group)
            return (double)edge->bytes * model->group_cost;
    }
    at = nodes_of(model, entity, from, &first, &end);
    at_to = nodes_of(model, edge->to, to, &first_to, &end_to);
    for (i = first; i < end; i++) {
        for (j = first_to; j < end_to; j++) {
            nodes = i * model->nr_nodes + j;
            cost += (double)(at[i - first] * at_to[j - first_to]) *
                    ((double)edge->bytes * model->byte_cost[nodes] +
                     (double)edge->packets * model->packet_cost[nodes]);
        }
    }
    return cost;
}

double choose_edge_across(const struct choose_model *model, uint32_t a,
                          uint32_t b, uint32_t a_place, uint32_t b_place)
{
    uint32_t node, first, end, first_b, end_b;
    const float *at = nodes_of(model, a, a_place, &first, &end);
    const float *at_b = nodes_of(model, b, b_place, &first_b, &end_b);
    double across = 1;

    for (node = first; node < end; node++)
        if (node >= first_b && node < end_b)
            across -= (double)(at[node - first] * at_b[node - first_b]);
    /* What floats leave of a difference is nothing. */
    return across > 1e-5 ? across : 0;
}

double choose_memory(const struct choose_model *model, uint32_t entity,
                     uint32_t place)
{
    const float *memory = &model->memory_cost
        [model->entities[entity].domain * model->nr_nodes], *at;
    uint32_t node, first, end;
    double cost = 0;

    at = nodes_of(model, entity, place, &first, &end);
    for (node = first; node < end; node++)
        cost += (double)(at[node - first] * memory[node]);
    return cost;
}

double choose_memory_away(const struct choose_model *model, uint32_t entity,
                          uint32_t place)
{
    const float *memory = &model->memory_cost
        [model->entities[entity].domain * model->nr_nodes], *at;
    uint32_t node, first, end;
    float least = memory[0];
    double away = 0;

    for (node = 1; node < model->nr_nodes; node++)
        least = memory[node] < least ? memory[node] : least;
    at = nodes_of(model, entity, place, &first, &end);
    for (node = first; node < end; node++)
        away += memory[node] > least ? (double)at[node - first] : 0;
    return away;
}

struct sums {
    const struct choose_model *model;
    const uint32_t *slot;
    double *afloat, *core_afloat;	/* what floats on each */
    double *core, *node;	/* demand bound to each */
    uint32_t *core_count;
    uint32_t *first, *list;	/* entities on each core */
    struct plan_cost *cost;
    double penalty;
};

/* Pairs of entities on one core: waiting, siblings, isolation. */
static void core_pairs(struct sums *sums, const uint32_t *list, uint32_t nr)
{
    const struct choose_model *model = sums->model;
    const struct choose_entity *a, *b;
    uint32_t i, j, s, t;
    double both;

    for (i = 0; i < nr; i++) {
        a = &model->entities[list[i]];
        s = sums->slot[list[i]];
        sums->cost->contention += a->demand *
            (choose_belief(model, s, s == a->home) * sums->afloat[s] +
             model->settings->sibling_slowdown *
             (sums->core_afloat[model->slots[s].core] - sums->afloat[s]));
        for (j = i + 1; j < nr; j++) {
            b = &model->entities[list[j]];
            t = sums->slot[list[j]];
            both = a->demand * b->demand;
            if (s == t) {
                sums->cost->contention += both *
                    choose_belief(model, s, s == a->home && s == b->home);
            } else {
                sums->cost->contention +=
                    model->settings->sibling_slowdown * both;
                sums->penalty += choose_barred(model, a, s, b, t);
            }
            if (a->domain != b->domain && (a->isolated || b->isolated))
                sums->penalty += CHOOSE_BARRED;
        }
    }
}

static void cost_edges(struct sums *sums)
{
    const struct choose_model *model = sums->model;
    const uint32_t *slot = sums->slot;
    const struct choose_edge *edge;
    struct plan_cost *cost = sums->cost;
    uint32_t i;

    for (i = 0; i < model->nr_entities; i++) {
        CHOOSE_FOR_EDGES(edge, model, &model->entities[i]) {
            if (edge->to < i)
                continue;
            if (slot[i] == slot[edge->to] && slot[i] < model->nr_slots) {
                cost->switches += (double)edge->storm;
                cost->contention += choose_meeting(model, &model->entities[i],
                                                   edge, slot[i]);
            } else {
                cost->distance += choose_edge_distance(model, i, edge, slot[i],
                                                       slot[edge->to]);
            }
        }
    }
}

/* Where each is, and what floats. */
static void sum_up(struct sums *sums)
{
    const struct choose_model *model = sums->model;
    const struct choose_entity *entity;
    const struct choose_slot *s;
    uint32_t i, slot;

    for (slot = 0; slot < model->nr_slots; slot++)
        sums->afloat[slot] = model->slots[slot].base;
    for (i = 0; i < model->nr_entities; i++) {
        entity = &model->entities[i];
        sums->cost->memory += entity->demand *
                              choose_memory(model, i, sums->slot[i]);
        if (sums->slot[i] != choose_afloat(model)) {
            s = &model->slots[sums->slot[i]];
            sums->core[s->core] += entity->demand;
            sums->core_count[s->core]++;
            sums->node[s->node] += entity->demand;
            sums->first[s->core + 2]++;
            continue;
        }
        sums->cost->contention += entity->wait;
        sums->penalty += entity->isolated ? CHOOSE_BARRED : 0;
        for (slot = 0; slot < model->nr_slots; slot++)
            if (choose_in(model, model->roams, i, slot))
                sums->afloat[slot] += entity->run * entity->norm *
                                      model->slots[slot].share;
    }
    for (slot = 0; slot < model->nr_slots; slot++)
        sums->core_afloat[model->slots[slot].core] += sums->afloat[slot];
}

void choose_cost(const struct choose_model *model, const uint32_t *slot,
                 struct plan_cost *cost, double *penalty_r)
{
    struct sums sums = { .model = model, .slot = slot, .cost = cost };
    struct arena arena = { NULL };
    uint32_t i, c;

    memset(cost, 0, sizeof *cost);
    cost->total = INFINITY;
    sums.afloat = arena_get(&arena, model->nr_slots, sizeof(double));
    sums.core_afloat = arena_get(&arena, model->nr_cores, sizeof(double));
    sums.core = arena_get(&arena, model->nr_cores, sizeof(double));
    sums.core_count = arena_get(&arena, model->nr_cores, sizeof(uint32_t));
    sums.node = arena_get(&arena, model->nr_nodes, sizeof(double));
    sums.first = arena_get(&arena, model->nr_cores + 2, sizeof(uint32_t));
    sums.list = arena_get(&arena, model->nr_entities, sizeof(uint32_t));
    if (arena.failed)
        goto out;
    sum_up(&sums);
    for (c = 0; c < model->nr_cores; c++)
        sums.first[c + 2] += sums.first[c + 1];
    for (i = 0; i < model->nr_entities; i++)
        if (slot[i] != choose_afloat(model))
            sums.list[sums.first[model->slots[slot[i]].core + 1]++] = i;
    for (c = 0; c < model->nr_cores; c++) {
        core_pairs(&sums, sums.list + sums.first[c],
                   sums.first[c + 1] - sums.first[c]);
        sums.penalty += choose_excess(sums.core[c], model->core_limit[c],
                                      sums.core_count[c]);
    }
    for (c = 0; c < model->nr_nodes; c++)
        sums.penalty += choose_excess(sums.node[c], model->node_limit[c], 2);
    cost_edges(&sums);
    cost->contention += model->unexplained;
    cost->total = cost->contention + cost->switches + cost->distance +
                  cost->memory;
    if (penalty_r)
        *penalty_r = sums.penalty;

 out:
    arena_free(&arena);
}
