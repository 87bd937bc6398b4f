/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pCPUs, NUMA nodes with their distances, and cpupools with their scheduler,
 * as Xen has them.  Never from dom0's own view: its kernel sees virtual CPUs
 * in an invented topology.
 */
#include <errno.h>
#include <inttypes.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xenhypfs.h>

#include "base/xen.h"
#include "collect/collect.h"

/* libxl_numainfo.dists has this for a pair that the firmware did not give. */
#define NO_DISTANCE LIBXL_NUMAINFO_INVALID_ENTRY

static int read_identity(struct collect *collect)
{
    const libxl_version_info *version = libxl_get_version_info(collect->xen->xl);
    struct snapshot *snapshot = collect->snapshot;
    char host[256];

    if (version && asprintf(&snapshot->xen_version, "%d.%d%s",
                            version->xen_version_major,
                            version->xen_version_minor,
                            version->xen_version_extra) < 0) {
        snapshot->xen_version = NULL;
        return -ENOMEM;
    }
    if (!gethostname(host, sizeof(host))) {
        host[sizeof(host) - 1] = '\0';
        snapshot->host = snapshot_copy_text(host);
        if (!snapshot->host)
            return -ENOMEM;
    }
    return 0;
}

static int read_pcpus(struct collect *collect)
{
    libxl_cputopology *pcpus;
    int i, nr = 0, rc = 0;

    pcpus = libxl_get_cpu_topology(collect->xen->xl, &nr);
    if (!pcpus)
        return -EIO;
    for (i = 0; i < nr && !rc; i++) {
        struct snapshot_pcpu *pcpu = snapshot_add_pcpu(collect->snapshot);

        if (!pcpu) {
            rc = -ENOMEM;
            break;
        }
        pcpu->os_index = i;
        pcpu->online = pcpus[i].core != LIBXL_CPUTOPOLOGY_INVALID_ENTRY;
        if (pcpu->online) {
            pcpu->core = pcpus[i].core;
            pcpu->socket = pcpus[i].socket;
            pcpu->node = pcpus[i].node;
        }
    }
    libxl_cputopology_list_free(pcpus, nr);
    return rc;
}

/* From one node to all; false: Xen knows not all of them. */
static bool read_row(const struct snapshot *snapshot,
                     const libxl_numainfo *from, int nr, uint32_t *row)
{
    size_t i;

    for (i = 0; i < snapshot->nr_nodes; i++) {
        uint32_t to = snapshot->nodes[i].os_index;

        if ((int)to >= nr || (int)to >= from->num_dists ||
            from->dists[to] == NO_DISTANCE || !from->dists[to])
            return false;
        row[i] = from->dists[to];
    }
    return true;
}

static int read_distances(struct snapshot *snapshot,
                          const libxl_numainfo *info, int nr)
{
    size_t i, n = snapshot->nr_nodes;
    struct snapshot_node *node;
    bool known = n > 0;

    for (i = 0; i < n; i++) {
        node = &snapshot->nodes[i];
        node->distances = calloc(n, sizeof(*node->distances));
        if (!node->distances)
            return -ENOMEM;
        node->nr_distances = n;
        known &= read_row(snapshot, &info[node->os_index], nr,
                          node->distances);
    }
    if (known)
        return 0;
    for (i = 0; i < n; i++)
        snapshot->nodes[i].nr_distances = 0;
    if (n < 2)
        return 0;
    return snapshot_note(snapshot, "topology",
                         "Xen knows no distances between the NUMA nodes");
}

static int read_nodes(struct collect *collect)
{
    struct snapshot *snapshot = collect->snapshot;
    libxl_numainfo *info;
    size_t i;
    int node, nr = 0, rc = 0;

    info = libxl_get_numainfo(collect->xen->xl, &nr);
    if (!info)
        return snapshot_note(snapshot, "topology", "no NUMA information");
    for (node = 0; node < nr && !rc; node++) {
        struct snapshot_node *entry;

        if (info[node].size == LIBXL_NUMAINFO_INVALID_ENTRY)
            continue;
        entry = snapshot_add_node(snapshot);
        if (!entry) {
            rc = -ENOMEM;
            break;
        }
        entry->os_index = node;
        entry->size_bytes = info[node].size;
        entry->free_bytes = info[node].free;
    }
    if (!rc)
        rc = read_distances(snapshot, info, nr);
    libxl_numainfo_list_free(info, nr);
    for (i = 0; i < snapshot->nr_pcpus && !rc; i++) {
        if (snapshot->pcpus[i].online &&
            !snapshot_has_node(snapshot, snapshot->pcpus[i].node))
            snapshot->pcpus[i].node = SNAPSHOT_NONE;
    }
    return rc;
}

static void read_granularity(struct snapshot_pool *pool,
                             xenhypfs_handle *hypfs)
{
    char path[64], *text;

    snprintf(path, sizeof(path), "/cpupool/%" PRIu32 "/sched-gran",
             pool->os_index);
    text = hypfs ? xenhypfs_read(hypfs, path) : NULL;
    if (!text)
        return;
    if (!strcmp(text, "cpu"))
        pool->granularity = SNAPSHOT_GRANULARITY_CPU;
    else if (!strcmp(text, "core"))
        pool->granularity = SNAPSHOT_GRANULARITY_CORE;
    else if (!strcmp(text, "socket"))
        pool->granularity = SNAPSHOT_GRANULARITY_SOCKET;
    free(text);
}

static void read_ratelimit(struct collect *collect, libxl_scheduler scheduler,
                           struct snapshot_pool *pool)
{
    libxl_sched_credit2_params credit2;
    libxl_sched_credit_params credit;

    if (scheduler == LIBXL_SCHEDULER_CREDIT2 &&
        !libxl_sched_credit2_params_get(collect->xen->xl, pool->os_index,
                                        &credit2))
        pool->ratelimit_usec = credit2.ratelimit_us;
    else if (scheduler == LIBXL_SCHEDULER_CREDIT &&
             !libxl_sched_credit_params_get(collect->xen->xl, pool->os_index,
                                            &credit))
        pool->ratelimit_usec = credit.ratelimit_us;
}

static int read_pool(struct collect *collect, const libxl_cpupoolinfo *info,
                     xenhypfs_handle *hypfs)
{
    struct snapshot *snapshot = collect->snapshot;
    struct snapshot_pool *pool = snapshot_add_pool(snapshot);
    size_t i;
    int bit;

    if (!pool)
        return -ENOMEM;
    pool->os_index = info->poolid;
    pool->name = snapshot_copy_text(info->pool_name ? info->pool_name : "");
    pool->scheduler = strdup(libxl_scheduler_to_string(info->sched));
    if (!pool->name || !pool->scheduler)
        return -ENOMEM;
    libxl_for_each_set_bit(bit, info->cpumap) {
        hwloc_bitmap_set(pool->pcpus, bit);
        for (i = 0; i < snapshot->nr_pcpus; i++) {
            if (snapshot->pcpus[i].os_index == (uint32_t)bit)
                snapshot->pcpus[i].pool = info->poolid;
        }
    }
    read_granularity(pool, hypfs);
    read_ratelimit(collect, info->sched, pool);
    return 0;
}

static int read_pools(struct collect *collect)
{
    xenhypfs_handle *hypfs = xenhypfs_open(NULL, 0);
    libxl_cpupoolinfo *info;
    int i, nr = 0, rc = 0;

    info = libxl_list_cpupool(collect->xen->xl, &nr);
    if (!info)
        rc = -EIO;
    for (i = 0; i < nr && !rc; i++)
        rc = read_pool(collect, &info[i], hypfs);
    if (info)
        libxl_cpupoolinfo_list_free(info, nr);
    if (hypfs)
        xenhypfs_close(hypfs);
    return rc;
}

static int begin(struct collect *collect, void **state_r)
{
    libxl_physinfo physinfo;

    *state_r = NULL;
    libxl_physinfo_init(&physinfo);
    if (libxl_get_physinfo(collect->xen->xl, &physinfo))
        return -EIO;
    collect->cpu_khz = physinfo.cpu_khz;
    libxl_physinfo_dispose(&physinfo);

    return read_identity(collect) ?:
           read_pcpus(collect) ?:
           read_nodes(collect) ?:
           read_pools(collect);
}

const struct collect_source collect_topology = {
    .name = "topology",
    .needed = true,
    .begin = begin,
};
