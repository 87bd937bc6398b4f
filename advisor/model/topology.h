/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's topology as a tree of what contains what, from a snapshot: plain
 * hwloc in dom0 would see dom0's own vCPUs in a made-up one.
 *
 * Objects that cross others cannot be in a tree: caches give way, and so do
 * nodes that cross packages or split cores; those then belong to the whole
 * machine.
 */
#ifndef SHMLINK_MODEL_TOPOLOGY_H
#define SHMLINK_MODEL_TOPOLOGY_H

#include "model/snapshot.h"

/* From the outside in, where two have the same set. */
enum topology_type {
    TOPOLOGY_MACHINE, TOPOLOGY_PACKAGE, TOPOLOGY_NODE, TOPOLOGY_L4,
    TOPOLOGY_L3, TOPOLOGY_L2, TOPOLOGY_L1, TOPOLOGY_CORE, TOPOLOGY_PU,
};

struct topology_item {
    enum topology_type type;
    uint32_t os_index;
    hwloc_bitmap_t set;			/* online PUs in it */
    unsigned weight, first;		/* of set */
    struct topology_item *parent;
    hwloc_bitmap_t own_nodes;		/* NUMA nodes that are children */
};

struct topology_tree {
    const struct snapshot *snapshot;
    struct topology_item *items;
    size_t nr_items;
    /* The deepest with that PU, by os_index. */
    struct topology_item *owner[SNAPSHOT_PCPUS_MAX];
    hwloc_bitmap_t online;
    unsigned dropped;
};

/*
 * items[0] is the machine; those that were dropped have no parent.  snapshot
 * must have passed snapshot_check().  Errors: -EINVAL no online pCPU, -ENOMEM.
 * Owns: caller, topology_tree_free().
 */
int topology_tree_build(struct topology_tree **tree_r,
                        const struct snapshot *snapshot);
void topology_tree_free(struct topology_tree *tree);

#endif
