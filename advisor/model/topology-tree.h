/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects of a host as a tree, before they are hwloc's.  Private to
 * topology.c, topology-tree.c.
 */
#ifndef SHMLINK_MODEL_TOPOLOGY_TREE_H
#define SHMLINK_MODEL_TOPOLOGY_TREE_H

#include "model/snapshot.h"

/* From the outside in, where two have the same set. */
enum topology_type {
    TOPOLOGY_MACHINE, TOPOLOGY_PACKAGE, TOPOLOGY_NODE, TOPOLOGY_L4,
    TOPOLOGY_L3, TOPOLOGY_L2, TOPOLOGY_L1, TOPOLOGY_CORE, TOPOLOGY_PU,
};

struct topology_item {
    enum topology_type type;
    uint32_t os_index;
    uint64_t size_bytes;
    hwloc_bitmap_t set;			/* online PUs in it */
    unsigned weight, first;		/* of set */
    struct topology_item *parent, *child, *next;
    hwloc_bitmap_t own_nodes;		/* NUMA nodes that are children */
    hwloc_bitmap_t nodes;		/* those, and of its kin */
};

struct topology_tree {
    const struct snapshot *snapshot;
    struct topology_item *items;
    size_t nr_items, max_items;
    /* The deepest with that PU, by os_index. */
    struct topology_item *owner[SNAPSHOT_PCPUS_MAX];
    hwloc_bitmap_t online, complete;
    unsigned dropped, next_gp;
};

/* items[0] is the machine; those that were dropped have no parent. */
int topology_tree_build(struct topology_tree **tree_r,
                        const struct snapshot *snapshot);
void topology_tree_free(struct topology_tree *tree);

#endif
