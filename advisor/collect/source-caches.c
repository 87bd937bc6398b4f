/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Caches and who shares them, where that can be known: Intel's leaf 4 of the
 * host's raw CPU policy says how many threads share each cache, and the APIC
 * id of each pCPU says which.  AMD's leaf is not in Xen's policy, so on other
 * hosts sharing is not known, and the NUMA node stands in for it.
 * The policy is that of one CPU: hosts of unlike CPUs are not described.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xencall.h>
#include <xenctrl.h>
#include <xenguest.h>
#include <xen/platform.h>

#include "collect/cache-leaves.h"
#include "base/xen.h"
#include "collect/collect.h"

/* The raw policy's leaves of CPUID. Owns: caller frees *leaves_r. */
static int read_leaves(struct collect *collect, xen_cpuid_leaf_t **leaves_r,
                       uint32_t *nr_r)
{
    uint32_t nr_leaves = 0, nr_msrs = 0;
    xc_cpu_policy_t *policy = xc_cpu_policy_init();
    xen_cpuid_leaf_t *leaves = NULL;
    int rc = -ENOMEM;

    if (!policy)
        return -ENOMEM;
    if (xc_cpu_policy_get_size(collect->xen->xc, &nr_leaves, &nr_msrs) ||
        xc_cpu_policy_get_system(collect->xen->xc, XEN_SYSCTL_cpu_policy_raw,
                                 policy)) {
        rc = -errno;
        goto out;
    }
    leaves = calloc(nr_leaves ? nr_leaves : 1, sizeof(*leaves));
    if (!leaves)
        goto out;
    nr_msrs = 0;
    if (xc_cpu_policy_serialise(collect->xen->xc, policy, leaves, &nr_leaves,
                                NULL, &nr_msrs)) {
        rc = -errno;
        goto out;
    }
    *leaves_r = leaves;
    *nr_r = nr_leaves;
    leaves = NULL;
    rc = 0;
out:
    free(leaves);
    xc_cpu_policy_destroy(policy);
    return rc;
}

static int read_apic_id(xencall_handle *call, xen_platform_op_t *op,
                        uint32_t pcpu, uint32_t *apic_id_r)
{
    memset(op, 0, sizeof(*op));
    op->cmd = XENPF_get_cpuinfo;
    op->interface_version = XENPF_INTERFACE_VERSION;
    op->u.pcpu_info.xen_cpuid = pcpu;
    if (xencall1(call, __HYPERVISOR_platform_op, (uintptr_t)op))
        return -errno;
    if (op->u.pcpu_info.flags & XEN_PCPU_FLAGS_INVALID)
        return -ENOENT;
    *apic_id_r = op->u.pcpu_info.apic_id;
    return 0;
}

static int add_cache(struct snapshot *snapshot, const struct cache_leaf *leaf,
                     const uint32_t *apic_ids, size_t first)
{
    uint32_t id = apic_ids[first] >> leaf->apic_shift;
    struct snapshot_cache *cache;
    size_t i;

    /* The first of those that share it makes the entry. */
    for (i = 0; i < first; i++) {
        if (snapshot->pcpus[i].online &&
            apic_ids[i] >> leaf->apic_shift == id)
            return 0;
    }
    cache = snapshot_add_cache(snapshot);
    if (!cache)
        return -ENOMEM;
    cache->level = leaf->level;
    cache->size_bytes = leaf->size_bytes;
    for (i = first; i < snapshot->nr_pcpus; i++) {
        if (snapshot->pcpus[i].online &&
            apic_ids[i] >> leaf->apic_shift == id)
            hwloc_bitmap_set(cache->pcpus, snapshot->pcpus[i].os_index);
    }
    return 0;
}

static int read_apic_ids(struct collect *collect, uint32_t *apic_ids)
{
    const struct snapshot *snapshot = collect->snapshot;
    xencall_handle *call = xencall_open(NULL, 0);
    xen_platform_op_t *op;
    int rc = 0;
    size_t i;

    if (!call)
        return -errno;
    op = xencall_alloc_buffer(call, sizeof(*op));
    if (!op)
        rc = -ENOMEM;
    for (i = 0; i < snapshot->nr_pcpus && !rc; i++) {
        if (snapshot->pcpus[i].online)
            rc = read_apic_id(call, op, snapshot->pcpus[i].os_index,
                              &apic_ids[i]);
    }
    if (op)
        xencall_free_buffer(call, op);
    xencall_close(call);
    return rc;
}

static int add_caches(struct collect *collect, const xen_cpuid_leaf_t *leaves,
                      uint32_t nr)
{
    struct snapshot *snapshot = collect->snapshot;
    struct cache_leaf found[CACHE_LEAVES_MAX];
    unsigned int i, nr_found = 0;
    uint32_t *apic_ids;
    size_t j;
    int rc;

    for (j = 0; j < nr && nr_found < CACHE_LEAVES_MAX; j++) {
        if (leaves[j].leaf == 4 &&
            cache_leaf_decode(leaves[j].a, leaves[j].b, leaves[j].c,
                              &found[nr_found]))
            nr_found++;
    }
    if (!nr_found)
        return -ENODATA;
    apic_ids = calloc(snapshot->nr_pcpus + 1, sizeof(*apic_ids));
    if (!apic_ids)
        return -ENOMEM;
    rc = read_apic_ids(collect, apic_ids);
    for (i = 0; i < nr_found && !rc; i++) {
        for (j = 0; j < snapshot->nr_pcpus && !rc; j++) {
            if (snapshot->pcpus[j].online)
                rc = add_cache(snapshot, &found[i], apic_ids, j);
        }
    }
    free(apic_ids);
    return rc;
}

static int begin(struct collect *collect, void **state_r)
{
    xen_cpuid_leaf_t *leaves = NULL;
    uint32_t nr = 0;
    int rc = read_leaves(collect, &leaves, &nr);

    *state_r = NULL;
    if (!rc)
        rc = add_caches(collect, leaves, nr);
    free(leaves);
    if (rc == -ENOMEM || !rc)
        return rc;
    rc = snapshot_note(collect->snapshot, "caches", "Xen does not tell which "
                       "pCPUs share a cache here (%s); NUMA nodes stand in "
                       "for it", rc == -ENODATA ? "not an Intel CPU" :
                       strerror(-rc));
    return rc ? rc : -ENOTSUP;
}

const struct collect_source collect_caches = {
    .name = "caches",
    .begin = begin,
};
