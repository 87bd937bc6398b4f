/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/cost.h"

#include "choose/terms.h"
#include "model/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double choose_edge_distance(const struct choose_model *model,
                            const struct choose_edge *edge, uint32_t from,
                            uint32_t to)
{
    const struct choose_slot *s = &model->slots[from], *t = &model->slots[to];
    uint32_t nodes = s->node * model->nr_nodes + t->node;

    if (s->core == t->core)
        return 0;
    if (s->group == t->group)
        return (double)edge->bytes * model->group_cost;
    return (double)edge->bytes * model->byte_cost[nodes] +
           (double)edge->packets * model->packet_cost[nodes];
}

/* Pairs of entities on one core: waiting, siblings, isolation. */
static double core_pairs(const struct choose_model *model,
                         const uint32_t *slot, const uint32_t *list,
                         uint32_t nr)
{
    const struct choose_entity *a, *b;
    uint32_t i, j, s, t;
    double cost = 0;

    for (i = 0; i < nr; i++) {
        a = &model->entities[list[i]];
        s = slot[list[i]];
        for (j = i + 1; j < nr; j++) {
            b = &model->entities[list[j]];
            t = slot[list[j]];
            if (s == t)
                cost += choose_weight_at(a, s) * choose_weight_at(b, t);
            else
                cost += choose_sibling(model->settings, a, s, b, t);
            if (a->domain != b->domain)
                cost += CHOOSE_BARRED * (a->isolated + b->isolated);
        }
    }
    return cost;
}

static void cost_edges(const struct choose_model *model, const uint32_t *slot,
                       struct plan_cost *cost)
{
    const struct choose_edge *edge, *end;
    uint32_t i;

    for (i = 0; i < model->nr_entities; i++) {
        edge = &model->edges[model->entities[i].first_edge];
        end = edge + model->entities[i].nr_edges;
        for (; edge < end; edge++) {
            if (edge->to < i)
                continue;
            if (slot[i] == slot[edge->to]) {
                cost->switches += (double)edge->storm;
                cost->contention += choose_meeting(model, &model->entities[i],
                                                   edge, slot[i]);
            } else {
                cost->distance += choose_edge_distance(model, edge, slot[i],
                                                       slot[edge->to]);
            }
        }
    }
}

void choose_cost(const struct choose_model *model, const uint32_t *slot,
                 struct plan_cost *cost)
{
    double *core, *node;
    uint32_t *first, *list, i, c;

    memset(cost, 0, sizeof *cost);
    core = calloc(model->nr_cores, sizeof *core);
    node = calloc(model->nr_nodes, sizeof *node);
    first = calloc(model->nr_cores + 2, sizeof *first);
    list = calloc(model->nr_entities + 1, sizeof *list);
    if (!core || !node || !first || !list) {
        cost->total = INFINITY;
        goto out;
    }
    for (i = 0; i < model->nr_entities; i++) {
        const struct choose_entity *entity = &model->entities[i];
        const struct choose_slot *s = &model->slots[slot[i]];

        core[s->core] += choose_weight_at(entity, slot[i]);
        node[s->node] += entity->demand;
        first[s->core + 2]++;
        cost->memory += entity->demand *
            (double)model->memory_cost[entity->domain * model->nr_nodes +
                                       s->node];
    }
    for (c = 0; c < model->nr_cores; c++)
        first[c + 2] += first[c + 1];
    for (i = 0; i < model->nr_entities; i++)
        list[first[model->slots[slot[i]].core + 1]++] = i;
    for (c = 0; c < model->nr_cores; c++) {
        cost->contention += core_pairs(model, slot, list + first[c],
                                       first[c + 1] - first[c]);
        cost->overload += choose_excess(core[c], model->settings->core_cap);
    }
    for (c = 0; c < model->nr_nodes; c++)
        cost->overload += choose_excess(node[c], choose_node_limit(model, c));
    cost_edges(model, slot, cost);
    cost->total = cost->contention + cost->overload + cost->switches +
                  cost->distance + cost->memory;

 out:
    free(core);
    free(node);
    free(first);
    free(list);
}
