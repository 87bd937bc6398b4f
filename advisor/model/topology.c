/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/topology.h"
#include "base/compare.h"

#include <errno.h>
#include <stdlib.h>

void topology_tree_free(struct topology_tree *tree)
{
    size_t i;

    if (!tree)
        return;
    for (i = 0; i < tree->nr_items; i++) {
        hwloc_bitmap_free(tree->items[i].set);
        hwloc_bitmap_free(tree->items[i].own_nodes);
    }
    free(tree->items);
    hwloc_bitmap_free(tree->online);
    free(tree);
}

/* A candidate with the online part of set; none if that is empty. */
static int add_item(struct topology_tree *tree, enum topology_type type,
                    uint32_t os_index, hwloc_const_bitmap_t set)
{
    struct topology_item *item;

    if (!hwloc_bitmap_intersects(set, tree->online))
        return 0;
    item = &tree->items[tree->nr_items++];
    item->type = type;
    item->os_index = os_index;
    item->set = hwloc_bitmap_alloc();
    item->own_nodes = hwloc_bitmap_alloc();
    if (!item->set || !item->own_nodes ||
        hwloc_bitmap_and(item->set, set, tree->online))
        return -ENOMEM;
    item->weight = (unsigned)hwloc_bitmap_weight(item->set);
    item->first = (unsigned)hwloc_bitmap_first(item->set);
    return 0;
}

static int compare_pcpus(const void *a, const void *b)
{
    const struct snapshot_pcpu *p = *(const struct snapshot_pcpu *const *)a;
    const struct snapshot_pcpu *q = *(const struct snapshot_pcpu *const *)b;

    return COMPARE(p->socket, q->socket) ?: COMPARE(p->core, q->core) ?:
           COMPARE(p->os_index, q->os_index);
}

/* Packages and cores: runs of equal numbers among the sorted pCPUs. */
static int add_runs(struct topology_tree *tree, struct snapshot_pcpu **pcpus,
                    size_t nr, enum topology_type type, hwloc_bitmap_t set)
{
    size_t i;
    int rc = 0;

    hwloc_bitmap_zero(set);
    for (i = 0; i < nr && !rc; i++) {
        hwloc_bitmap_set(set, pcpus[i]->os_index);
        if (i + 1 < nr && pcpus[i + 1]->socket == pcpus[i]->socket &&
            (type == TOPOLOGY_PACKAGE || pcpus[i + 1]->core == pcpus[i]->core))
            continue;
        rc = add_item(tree, type, type == TOPOLOGY_PACKAGE ? pcpus[i]->socket
                                                           : pcpus[i]->core,
                      set);
        hwloc_bitmap_zero(set);
    }
    return rc;
}

/* Is set a union of whole cores?  pcpus are sorted by core. */
static bool whole_cores(struct snapshot_pcpu **pcpus, size_t nr,
                        hwloc_const_bitmap_t set)
{
    size_t i;

    for (i = 1; i < nr; i++)
        if (pcpus[i]->socket == pcpus[i - 1]->socket &&
            pcpus[i]->core == pcpus[i - 1]->core &&
            hwloc_bitmap_isset(set, pcpus[i]->os_index) !=
            hwloc_bitmap_isset(set, pcpus[i - 1]->os_index))
            return false;
    return true;
}

/* Whether all of them are in one socket; with core, even in one core. */
static bool in_one(struct snapshot_pcpu **pcpus, size_t nr,
                   hwloc_const_bitmap_t set, bool core)
{
    const struct snapshot_pcpu *first = NULL;
    size_t i;

    for (i = 0; i < nr; i++) {
        if (!hwloc_bitmap_isset(set, pcpus[i]->os_index))
            continue;
        if (first && (pcpus[i]->socket != first->socket ||
                      (core && pcpus[i]->core != first->core)))
            return false;
        first = pcpus[i];
    }
    return true;
}

static int add_nodes(struct topology_tree *tree, struct snapshot_pcpu **pcpus,
                     size_t nr, hwloc_bitmap_t set)
{
    const struct snapshot *snapshot = tree->snapshot;
    size_t node, i;
    int rc = 0;

    for (node = 0; node < snapshot->nr_nodes && !rc; node++) {
        hwloc_bitmap_zero(set);
        for (i = 0; i < nr; i++)
            if (pcpus[i]->node == snapshot->nodes[node].os_index)
                hwloc_bitmap_set(set, pcpus[i]->os_index);
        if (whole_cores(pcpus, nr, set))
            rc = add_item(tree, TOPOLOGY_NODE, snapshot->nodes[node].os_index,
                          set);
        else
            tree->dropped++;
    }
    return rc;
}

/* All candidates but the machine. */
static int add_all(struct topology_tree *tree, struct snapshot_pcpu **pcpus,
                   size_t nr)
{
    const struct snapshot *snapshot = tree->snapshot;
    const struct snapshot_cache *cache;
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    size_t i;
    int rc = set ? 0 : -ENOMEM;

    if (!rc)
        rc = add_runs(tree, pcpus, nr, TOPOLOGY_PACKAGE, set);
    if (!rc)
        rc = add_runs(tree, pcpus, nr, TOPOLOGY_CORE, set);
    if (!rc)
        rc = add_nodes(tree, pcpus, nr, set);
    for (i = 0; i < snapshot->nr_caches && !rc; i++) {
        cache = &snapshot->caches[i];
        /* No cache reaches from one package to another. */
        if (whole_cores(pcpus, nr, cache->pcpus) &&
            in_one(pcpus, nr, cache->pcpus, false))
            rc = add_item(tree, TOPOLOGY_L1 + 1 - cache->level, 0,
                          cache->pcpus);
        else if (!in_one(pcpus, nr, cache->pcpus, true))
            tree->dropped++;    /* a thread's own is nothing to look at */
    }
    for (i = 0; i < nr && !rc; i++) {
        hwloc_bitmap_only(set, pcpus[i]->os_index);
        rc = add_item(tree, TOPOLOGY_PU, pcpus[i]->os_index, set);
    }
    hwloc_bitmap_free(set);
    return rc;
}

static int compare_items(const void *a, const void *b)
{
    const struct topology_item *p = a, *q = b;

    return COMPARE(q->weight, p->weight) ?: COMPARE(p->type, q->type) ?:
           COMPARE(p->first, q->first) ?: COMPARE(p->os_index, q->os_index);
}

/*
 * Put an item below the deepest object that has its PUs.  Items come largest
 * first, so it fits exactly if that object is the same for all of them.
 */
static void place_item(struct topology_tree *tree, struct topology_item *item)
{
    struct topology_item *parent = tree->owner[item->first];
    unsigned pcpu;

    hwloc_bitmap_foreach_begin(pcpu, item->set)
        if (tree->owner[pcpu] != parent) {
            tree->dropped++;
            return;
        }
    hwloc_bitmap_foreach_end();

    /* A node needs a group only where nothing else has its set, and the same
     * cache or node given twice counts once. */
    if (parent && parent->weight == item->weight) {
        if (item->type == TOPOLOGY_NODE) {
            hwloc_bitmap_set(parent->own_nodes, item->os_index);
            return;
        }
        if (parent->type == item->type) {
            tree->dropped++;
            return;
        }
    }
    if (item->type == TOPOLOGY_NODE)
        hwloc_bitmap_set(item->own_nodes, item->os_index);

    item->parent = parent;
    hwloc_bitmap_foreach_begin(pcpu, item->set)
        tree->owner[pcpu] = item;
    hwloc_bitmap_foreach_end();
}

/* Nodes that found no place belong to the machine; one there must be. */
static void place_rest(struct topology_tree *tree,
                       struct topology_item *machine)
{
    const struct snapshot *snapshot = tree->snapshot;
    size_t node, i;
    bool found;

    for (node = 0; node < snapshot->nr_nodes; node++) {
        found = false;
        for (i = 0; i < tree->nr_items && !found; i++)
            found = hwloc_bitmap_isset(tree->items[i].own_nodes,
                                       snapshot->nodes[node].os_index);
        if (!found)
            hwloc_bitmap_set(machine->own_nodes,
                             snapshot->nodes[node].os_index);
    }
    if (!snapshot->nr_nodes)
        hwloc_bitmap_set(machine->own_nodes, 0);
}

int topology_tree_build(struct topology_tree **tree_r,
                        const struct snapshot *snapshot)
{
    struct snapshot_pcpu **pcpus = NULL;
    struct topology_tree *tree;
    size_t i, nr = 0;
    int rc = -ENOMEM;

    tree = calloc(1, sizeof *tree);
    if (!tree)
        return -ENOMEM;
    tree->snapshot = snapshot;
    tree->items = calloc(3 * snapshot->nr_pcpus + snapshot->nr_caches +
                         snapshot->nr_nodes + 1, sizeof *tree->items);
    tree->online = hwloc_bitmap_alloc();
    pcpus = calloc(snapshot->nr_pcpus + 1, sizeof *pcpus);
    if (!tree->items || !tree->online || !pcpus)
        goto out;

    for (i = 0; i < snapshot->nr_pcpus; i++) {
        if (!snapshot->pcpus[i].online)
            continue;
        hwloc_bitmap_set(tree->online, snapshot->pcpus[i].os_index);
        pcpus[nr++] = &snapshot->pcpus[i];
    }
    if (!nr) {
        rc = -EINVAL;
        goto out;
    }
    qsort(pcpus, nr, sizeof *pcpus, compare_pcpus);

    rc = add_item(tree, TOPOLOGY_MACHINE, 0, tree->online) ?:
         add_all(tree, pcpus, nr);
    if (rc)
        goto out;
    qsort(tree->items, tree->nr_items, sizeof *tree->items, compare_items);
    for (i = 0; i < tree->nr_items; i++)
        place_item(tree, &tree->items[i]);
    place_rest(tree, &tree->items[0]);

 out:
    free(pcpus);
    if (rc)
        topology_tree_free(tree);
    else
        *tree_r = tree;
    return rc;
}
