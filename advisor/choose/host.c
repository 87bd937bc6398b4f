/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's part of the model: slots, distances, where memory is. */
#include "choose/host.h"

#include "choose/model.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The object's number in the order of the tree, by type; 0 if none. */
static uint32_t above(hwloc_topology_t topology, hwloc_obj_t pu,
                      hwloc_obj_type_t type, bool *found)
{
    hwloc_obj_t object = hwloc_get_ancestor_obj_by_type(topology, type, pu);

    *found = object != NULL;
    return object ? object->logical_index : 0;
}

static uint32_t node_of(hwloc_obj_t pu)
{
    hwloc_obj_t object = pu;

    while (object && !object->memory_arity)
        object = object->parent;
    object = object ? object->memory_first_child : NULL;
    while (object && object->type != HWLOC_OBJ_NUMANODE)
        object = object->memory_first_child;
    return object ? object->logical_index : 0;
}

/* The cpupool that schedules whole cores or sockets has larger slots. */
static bool same_slot(const struct choose_model *model,
                      const struct choose_slot *slot,
                      const struct choose_slot *next, uint32_t package,
                      uint32_t next_package)
{
    enum snapshot_granularity granularity;

    if (slot->pool != next->pool)
        return false;
    granularity = model->snapshot->pools[slot->pool].granularity;
    if (granularity == SNAPSHOT_GRANULARITY_CORE)
        return slot->core == next->core;
    if (granularity == SNAPSHOT_GRANULARITY_SOCKET)
        return package == next_package;
    return false;
}

static size_t pool_index(const struct snapshot *snapshot, uint32_t os_index)
{
    size_t i;

    for (i = 0; i < snapshot->nr_pools; i++)
        if (snapshot->pools[i].os_index == os_index)
            return i;
    return SIZE_MAX;
}

/* Those that share a last-level cache, or a package where that is not known,
 * but never across nodes. */
static uint32_t group_of(hwloc_topology_t topology, hwloc_obj_t pu,
                         uint32_t package, bool has_l3, bool *found)
{
    uint32_t cache = 0;

    *found = false;
    if (has_l3)
        cache = above(topology, pu, HWLOC_OBJ_L3CACHE, found);
    if (!*found)
        cache = SNAPSHOT_PCPUS_MAX + package;
    return cache * SNAPSHOT_NODES_MAX + node_of(pu);
}

/* One slot for each PU in a cpupool, merged where the pool says so. */
static int add_slots(struct choose_model *model, hwloc_topology_t topology)
{
    const struct snapshot *snapshot = model->snapshot;
    struct choose_slot *slot = NULL, next;
    uint32_t package = 0, next_package;
    hwloc_obj_t pu = NULL;
    bool found, has_l3;
    size_t pool;

    has_l3 = hwloc_get_type_depth(topology, HWLOC_OBJ_L3CACHE) >= 0;
    while ((pu = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_PU, pu))) {
        pool = pool_index(snapshot,
                          snapshot_find_pcpu(snapshot, pu->os_index)->pool);
        if (pool == SIZE_MAX)
            continue;
        memset(&next, 0, sizeof next);
        next.pcpu = pu->os_index;
        next.pool = (uint32_t)pool;
        next.core = above(topology, pu, HWLOC_OBJ_CORE, &found);
        if (!found)
            next.core = pu->logical_index;
        next.node = node_of(pu);
        next_package = above(topology, pu, HWLOC_OBJ_PACKAGE, &found);
        next.group = group_of(topology, pu, next_package, has_l3, &found);
        model->caches_known |= found;

        if (slot && same_slot(model, slot, &next, package, next_package)) {
            if (hwloc_bitmap_set(slot->pcpus, next.pcpu))
                return -ENOMEM;
            slot->pcpu = slot->pcpu < next.pcpu ? slot->pcpu : next.pcpu;
            continue;
        }
        next.pcpus = hwloc_bitmap_alloc();
        if (!next.pcpus)
            return -ENOMEM;
        model->slots[model->nr_slots] = next;
        slot = &model->slots[model->nr_slots++];
        if (hwloc_bitmap_only(slot->pcpus, next.pcpu))
            return -ENOMEM;
        package = next_package;
    }
    return 0;
}

static int compare_slots(const void *a, const void *b)
{
    const struct choose_slot *p = a, *q = b;

    if (p->core != q->core)
        return p->core < q->core ? -1 : 1;
    return p->pcpu < q->pcpu ? -1 : p->pcpu > q->pcpu;
}

/* Number cores and groups without gaps, in the order of the slots. */
static int number_slots(struct choose_model *model)
{
    uint32_t *groups, i, core = UINT32_MAX;

    qsort(model->slots, model->nr_slots, sizeof *model->slots, compare_slots);
    model->core_first = calloc(model->nr_slots + 1,
                               sizeof *model->core_first);
    model->node_cores = calloc(model->nr_nodes, sizeof *model->node_cores);
    groups = calloc(2 * SNAPSHOT_PCPUS_MAX * SNAPSHOT_NODES_MAX,
                    sizeof *groups);
    if (!model->core_first || !model->node_cores || !groups) {
        free(groups);
        return -ENOMEM;
    }
    for (i = 0; i < model->nr_slots; i++) {
        struct choose_slot *slot = &model->slots[i];

        if (slot->core != core) {
            core = slot->core;
            model->core_first[model->nr_cores++] = i;
            model->node_cores[slot->node]++;
        }
        slot->core = model->nr_cores - 1;
        if (!groups[slot->group])
            groups[slot->group] = ++model->nr_groups;
        slot->group = groups[slot->group] - 1;
    }
    model->core_first[model->nr_cores] = model->nr_slots;
    free(groups);
    return 0;
}

/* NUMA distance by hwloc's logical index; 10 and 20 where Xen is silent. */
static double distance(const struct choose_model *model,
                       struct hwloc_distances_s *distances, uint32_t from,
                       uint32_t to)
{
    if (distances && distances->nbobjs == model->nr_nodes)
        return fmax(10, (double)distances->values[from * model->nr_nodes +
                                                  to]);
    return from == to ? 10 : 20;
}

static int set_distances(struct choose_model *model, hwloc_topology_t topology,
                         double *far)
{
    const struct settings *settings = model->settings;
    struct hwloc_distances_s *distances = NULL;
    uint32_t nr = model->nr_nodes, i, j;
    double steps;
    unsigned one = 1;

    model->byte_cost = calloc((size_t)nr * nr, sizeof(double));
    model->packet_cost = calloc((size_t)nr * nr, sizeof(double));
    model->node_index = calloc(nr, sizeof(uint32_t));
    if (!model->byte_cost || !model->packet_cost || !model->node_index)
        return -ENOMEM;
    if (hwloc_distances_get_by_name(topology, "NUMALatency", &one, &distances,
                                    0) || !one)
        distances = NULL;
    for (i = 0; i < nr; i++) {
        model->node_index[i] = hwloc_get_obj_by_type(topology,
                                        HWLOC_OBJ_NUMANODE, i)->os_index;
        for (j = 0; j < nr; j++) {
            /* The model is symmetric; SLIT tables need not be. */
            steps = (distance(model, distances, i, j) +
                     distance(model, distances, j, i)) / 20 - 1;
            if (i == j)
                steps = 0;
            far[i * nr + j] = steps;
            model->byte_cost[i * nr + j] = 1e-9 *
                (settings->node_byte_ns + settings->remote_byte_ns * steps);
            model->packet_cost[i * nr + j] =
                1e-9 * settings->remote_packet_ns * steps;
        }
    }
    if (distances)
        hwloc_distances_release(topology, distances);
    model->group_cost = 1e-9 * (model->caches_known ? settings->cache_byte_ns
                                                    : settings->node_byte_ns);
    return 0;
}

int choose_host(struct choose_model *model, hwloc_topology_t topology,
                double **far_r)
{
    double *far;
    int rc;

    model->nr_nodes = (uint32_t)hwloc_get_nbobjs_by_type(topology,
                                                       HWLOC_OBJ_NUMANODE);
    model->slots = calloc(model->snapshot->nr_pcpus + 1,
                          sizeof *model->slots);
    far = calloc((size_t)model->nr_nodes * model->nr_nodes, sizeof *far);
    rc = model->slots && far ? 0 : -ENOMEM;
    if (!rc)
        rc = add_slots(model, topology);
    if (!rc && !model->nr_slots)
        rc = -EINVAL;
    if (!rc)
        rc = number_slots(model);
    if (!rc)
        rc = set_distances(model, topology, far);
    if (rc)
        free(far);
    else
        *far_r = far;
    return rc;
}

int choose_host_memory(struct choose_model *model, hwloc_topology_t topology,
                       const double *far)
{
    const struct snapshot *snapshot = model->snapshot;
    const struct snapshot_domain *domain;
    uint32_t nr = model->nr_nodes, node, to, i;
    double *share, sum;
    hwloc_obj_t object;
    size_t d;

    model->memory_cost = calloc(snapshot->nr_domains * nr + 1, sizeof(float));
    share = calloc(nr, sizeof *share);
    if (!model->memory_cost || !share) {
        free(share);
        return -ENOMEM;
    }
    for (d = 0; d < snapshot->nr_domains; d++) {
        domain = &snapshot->domains[d];
        memset(share, 0, nr * sizeof *share);
        for (i = 0; domain->node_memory_bytes && i < snapshot->nr_nodes; i++) {
            object = hwloc_get_numanode_obj_by_os_index(topology,
                                              snapshot->nodes[i].os_index);
            if (object)
                share[object->logical_index] +=
                    (double)domain->node_memory_bytes[i];
        }
        for (sum = 0, node = 0; node < nr; node++)
            sum += share[node];
        for (i = model->domain_first[d];
             sum <= 0 && i < model->domain_first[d + 1]; i++)
            share[model->slots[model->entities[i].home].node] +=
                model->entities[i].demand;
        for (sum = 0, node = 0; node < nr; node++)
            sum += share[node];
        for (node = 0; node < nr && sum > 0; node++)
            for (to = 0; to < nr; to++)
                model->memory_cost[d * nr + node] += (float)
                    (share[to] / sum * far[node * nr + to] *
                     model->settings->memory_slowdown);
    }
    free(share);
    return 0;
}
