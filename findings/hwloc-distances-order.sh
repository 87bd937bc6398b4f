#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# hwloc: the rows of a distances structure are in the order of its `objs`, and
# that is neither the order of logical indices nor that of OS indices: after a
# matrix is given for the NUMA nodes in some order, hwloc_distances_get() gives
# it back in just that order. Who reads values[i * n + j] as "from node L#i to
# node L#j" gets another pair's; objs[i] has to be asked each time.
#
# Seen with hwloc 2.9.0 and a synthetic host of three nodes.
# shellcheck source=findings/lib.bash
. "$(dirname "$0")/lib.bash"

packages libhwloc15=2.9.0-1 libhwloc-dev=2.9.0-1
cat >"$work/order.c" <<'C'
#include <stdio.h>
#include <hwloc.h>
#include <hwloc/distances.h>

enum { NODES = 3 };

int main(void)
{
    /* Given as nodes 2, 0, 1: 2 is 90 away from 0 and 50 from 1. */
    static const int given[NODES] = { 2, 0, 1 };
    hwloc_uint64_t values[NODES * NODES] = {
        10, 90, 50,
        90, 10, 70,
        50, 70, 10,
    };
    struct hwloc_distances_s *found;
    hwloc_distances_add_handle_t handle;
    hwloc_obj_t nodes[NODES];
    hwloc_topology_t topology;
    unsigned count = 1, i;

    hwloc_topology_init(&topology);
    hwloc_topology_set_synthetic(topology, "node:3 pu:1");
    hwloc_topology_load(topology);
    for (i = 0; i < NODES; i++)
        nodes[i] = hwloc_get_obj_by_type(topology, HWLOC_OBJ_NUMANODE,
                                         given[i]);
    handle = hwloc_distances_add_create(topology, "way",
                                        HWLOC_DISTANCES_KIND_FROM_USER |
                                        HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0);
    hwloc_distances_add_values(topology, handle, NODES, nodes, values, 0);
    hwloc_distances_add_commit(topology, handle, 0);

    hwloc_distances_get_by_name(topology, "way", &count, &found, 0);
    for (i = 0; i < NODES; i++)
        printf("L#%u%c", found->objs[i]->logical_index,
               i < NODES - 1 ? ' ' : '\n');
    printf("%d\n", (int)found->values[0 * NODES + 1]);
    hwloc_distances_release(topology, found);
    hwloc_topology_destroy(topology);
    return 0;
}
C
compile order -lhwloc
run "$work/order" >"$work/seen"
expect "order of the rows" "$(sed -n 1p "$work/seen")" "L#2 L#0 L#1"
expect "row 0, column 1 (from L#0 to L#1 it is 70)" \
    "$(sed -n 2p "$work/seen")" 90
finish
