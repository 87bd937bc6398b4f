/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/model-parts.h"

#include "choose/model.h"
#include "model/topology.h"
#include "base/compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Above the PU, or NULL. */
static const struct topology_item *above(const struct topology_item *item,
                                         enum topology_type type)
{
    while (item && item->type != type)
        item = item->parent;
    return item;
}

static uint32_t number_of(const struct topology_tree *tree,
                          const struct topology_item *item)
{
    return item ? (uint32_t)(item - tree->items) : 0;
}

/* The nearest node, as one of snapshot->nodes. */
static uint32_t node_of(const struct snapshot *snapshot,
                        const struct topology_item *item)
{
    uint32_t i;
    int node;

    while (item && hwloc_bitmap_iszero(item->own_nodes))
        item = item->parent;
    node = item ? hwloc_bitmap_first(item->own_nodes) : -1;
    for (i = 0; i < snapshot->nr_nodes; i++)
        if ((int)snapshot->nodes[i].os_index == node)
            return i;
    return 0;
}

static size_t pool_index(const struct snapshot *snapshot, uint32_t os_index)
{
    size_t i;

    for (i = 0; i < snapshot->nr_pools; i++)
        if (snapshot->pools[i].os_index == os_index)
            return i;
    return SIZE_MAX;
}

/*
 * A slot of one pCPU.  A group are those that share a last-level cache, or a
 * package where that is not known, but never across nodes.
 */
static int add_slot(struct choose_model *model,
                    const struct topology_tree *tree,
                    const struct snapshot_pcpu *pcpu, uint32_t *package_r)
{
    const struct topology_item *pu = tree->owner[pcpu->os_index], *cache;
    size_t pool = pool_index(model->snapshot, pcpu->pool);
    struct choose_slot *slot = &model->slots[model->nr_slots];

    if (!pu || pool == SIZE_MAX)
        return 0;
    slot->pcpu = pcpu->os_index;
    slot->pool = (uint32_t)pool;
    slot->core = number_of(tree, above(pu, TOPOLOGY_CORE));
    slot->node = node_of(model->snapshot, pu);
    slot->busy = pcpu->idle.source == SNAPSHOT_SOURCE_NONE
                     ? NAN : fmax(0, 1 - pcpu->idle.value);
    package_r[slot->pcpu] = number_of(tree, above(pu, TOPOLOGY_PACKAGE));
    cache = above(pu, TOPOLOGY_L3);
    model->caches_known |= cache != NULL;
    slot->group = cache ? number_of(tree, cache) : package_r[slot->pcpu];
    slot->group = slot->group * SNAPSHOT_NODES_MAX + slot->node;
    slot->pcpus = hwloc_bitmap_alloc();
    if (!slot->pcpus || hwloc_bitmap_only(slot->pcpus, slot->pcpu))
        return -ENOMEM;
    model->nr_slots++;
    return 0;
}

static int compare_places(const void *a, const void *b, void *context)
{
    const struct choose_slot *p = a, *q = b;
    const uint32_t *package = context;

    return COMPARE(p->pool, q->pool) ?:
           COMPARE(package[p->pcpu], package[q->pcpu]) ?:
           COMPARE(p->core, q->core) ?: COMPARE(p->pcpu, q->pcpu);
}

/* A cpupool that schedules whole cores or sockets has larger slots. */
static int merge_slots(struct choose_model *model, uint32_t *package)
{
    enum snapshot_granularity granularity;
    struct choose_slot *last = NULL, *slot;
    uint32_t i, nr = 0;
    bool same;

    qsort_r(model->slots, model->nr_slots, sizeof *model->slots,
            compare_places, package);
    for (i = 0; i < model->nr_slots; i++) {
        slot = &model->slots[i];
        granularity = model->snapshot->pools[slot->pool].granularity;
        same = last && last->pool == slot->pool &&
               ((granularity == SNAPSHOT_GRANULARITY_CORE &&
                 last->core == slot->core) ||
                (granularity == SNAPSHOT_GRANULARITY_SOCKET &&
                 package[last->pcpu] == package[slot->pcpu]));
        if (!same) {
            last = &model->slots[nr++];
            if (last != slot) {
                *last = *slot;
                slot->pcpus = NULL;
            }
            continue;
        }
        last->busy += slot->busy;
        if (hwloc_bitmap_or(last->pcpus, last->pcpus, slot->pcpus))
            return -ENOMEM;
        hwloc_bitmap_free(slot->pcpus);
        slot->pcpus = NULL;
    }
    model->nr_slots = nr;
    for (i = 0; i < nr; i++)
        model->slots[i].busy /= hwloc_bitmap_weight(model->slots[i].pcpus);
    return 0;
}

static int add_slots(struct choose_model *model)
{
    const struct snapshot *snapshot = model->snapshot;
    struct topology_tree *tree = NULL;
    uint32_t *package;
    size_t i;
    int rc;

    model->nr_nodes = snapshot->nr_nodes ? (uint32_t)snapshot->nr_nodes : 1;
    rc = topology_tree_build(&tree, snapshot);
    if (rc)
        return rc;
    model->dropped = tree->dropped;
    package = arena_get(&model->arena, SNAPSHOT_PCPUS_MAX, sizeof *package);
    model->slots = arena_get(&model->arena, snapshot->nr_pcpus,
                             sizeof *model->slots);
    if (model->arena.failed)
        rc = -ENOMEM;
    for (i = 0; i < snapshot->nr_pcpus && !rc; i++)
        if (snapshot->pcpus[i].online)
            rc = add_slot(model, tree, &snapshot->pcpus[i], package);
    if (!rc)
        rc = merge_slots(model, package);
    if (!rc && !model->nr_slots)
        rc = -EINVAL;
    topology_tree_free(tree);
    return rc;
}

static int find_cores(struct choose_model *model)
{
    uint32_t i, core = UINT32_MAX;

    model->core_first = arena_get(&model->arena, model->nr_slots + 1,
                                  sizeof *model->core_first);
    model->node_cores = arena_get(&model->arena, model->nr_nodes,
                                  sizeof *model->node_cores);
    if (model->arena.failed)
        return -ENOMEM;
    for (i = 0; i < model->nr_slots; i++) {
        if (model->slots[i].core == core)
            continue;
        core = model->slots[i].core;
        model->core_first[core] = i;
        model->node_cores[model->slots[i].node]++;
    }
    model->core_first[model->nr_cores] = model->nr_slots;
    return 0;
}

double choose_node_steps(const struct snapshot *snapshot, size_t from,
                         size_t to)
{
    const struct snapshot_node *nodes = snapshot->nodes;

    if (from == to)
        return 0;
    if (!nodes[from].nr_distances)
        return 1;
    /* The model is symmetric; SLIT tables need not be. */
    return (fmax(10, nodes[from].distances[to]) +
            fmax(10, nodes[to].distances[from])) / 20 - 1;
}

static int set_distances(struct choose_model *model)
{
    const struct settings *settings = model->settings;
    uint32_t nr = model->nr_nodes, i, j;
    double steps;

    model->far = arena_get(&model->arena, (size_t)nr * nr, sizeof(double));
    model->byte_cost = arena_get(&model->arena, (size_t)nr * nr,
                                 sizeof(double));
    model->packet_cost = arena_get(&model->arena, (size_t)nr * nr,
                                   sizeof(double));
    model->node_index = arena_get(&model->arena, nr, sizeof(uint32_t));
    if (model->arena.failed)
        return -ENOMEM;
    for (i = 0; i < nr; i++) {
        if (model->snapshot->nr_nodes)
            model->node_index[i] =
                model->snapshot->nodes[model->nodes[i]].os_index;
        for (j = 0; j < nr; j++) {
            steps = choose_node_steps(model->snapshot, model->nodes[i],
                                      model->nodes[j]);
            model->far[i * nr + j] = steps;
            model->byte_cost[i * nr + j] = 1e-9 *
                (settings->node_byte_ns + settings->remote_byte_ns * steps);
            model->packet_cost[i * nr + j] =
                1e-9 * settings->remote_packet_ns * steps;
        }
    }
    model->group_cost = 1e-9 * (model->caches_known ? settings->cache_byte_ns
                                                    : settings->node_byte_ns);
    return 0;
}

int choose_host(struct choose_model *model)
{
    return add_slots(model) ?:
           choose_order_slots(model) ?:
           find_cores(model) ?:
           set_distances(model);
}

/* What it loses on each node of the time that it runs there. */
static void set_memory(struct choose_model *model, size_t domain,
                       const double *share)
{
    uint32_t nr = model->nr_nodes, node, to;
    double sum = 0, slow;

    for (node = 0; node < nr; node++)
        sum += share[node];
    for (node = 0; node < nr && sum > 0; node++)
        for (to = 0; to < nr; to++) {
            slow = model->settings->memory_slowdown *
                   model->far[node * nr + to];
            model->memory_cost[domain * nr + node] +=
                (float)(share[to] / sum * slow / (1 + slow));
        }
}

int choose_host_memory(struct choose_model *model)
{
    const struct snapshot *snapshot = model->snapshot;
    const struct snapshot_domain *domain;
    uint32_t nr = model->nr_nodes, i, n;
    const struct choose_entity *entity;
    double *share, sum;
    size_t d;

    model->memory_cost = arena_get(&model->arena, snapshot->nr_domains * nr,
                                   sizeof(float));
    share = arena_get(&model->arena, nr, sizeof *share);
    if (model->arena.failed)
        return -ENOMEM;
    for (d = 0; d < snapshot->nr_domains; d++) {
        domain = &snapshot->domains[d];
        memset(share, 0, nr * sizeof *share);
        for (sum = 0, n = 0; domain->node_memory_bytes &&
             n < snapshot->nr_nodes; n++) {
            share[n] = (double)domain->node_memory_bytes[model->nodes[n]];
            sum += share[n];
        }
        for (i = model->domain_first[d];
             sum <= 0 && i < model->domain_end[d]; i++) {
            entity = &model->entities[i];
            if (entity->home != choose_afloat(model))
                share[model->slots[entity->home].node] += entity->demand;
            else
                for (n = 0; n < nr; n++)
                    share[n] += entity->demand *
                                (double)model->spread[i * nr + n];
        }
        set_memory(model, d, share);
    }
    return 0;
}
