/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/affinity.h"

#include <errno.h>
#include <libxl_utils.h>
#include <stdlib.h>
#include <string.h>

#include "base/xen.h"

/* What the domain's configuration asks for, as xl create was given it. */
struct wanted {
    bool hard, soft;
};

static struct wanted read_wanted(struct collect *collect, uint32_t domid)
{
    struct wanted wanted = { false, false };
    libxl_domain_config config;

    /* dom0 has none, and was not placed by libxl. */
    if (!domid)
        return (struct wanted){ false, true };
    libxl_domain_config_init(&config);
    if (!libxl_retrieve_domain_configuration(collect->xen->xl, domid, &config,
                                             NULL)) {
        wanted.hard = config.b_info.num_vcpu_hard_affinity > 0;
        wanted.soft = config.b_info.num_vcpu_soft_affinity > 0;
    }
    libxl_domain_config_dispose(&config);
    return wanted;
}

/* Full if it has all the pCPUs that there are, as Xen's own "all" does. */
static void copy_mask(const struct snapshot *snapshot, hwloc_bitmap_t to,
                      const libxl_bitmap *from)
{
    bool all = true;
    size_t i;
    int bit;

    hwloc_bitmap_zero(to);
    libxl_for_each_set_bit(bit, *from)
        hwloc_bitmap_set(to, bit);
    for (i = 0; i < snapshot->nr_pcpus; i++)
        all &= hwloc_bitmap_isset(to, snapshot->pcpus[i].os_index) == 1;
    if (all)
        hwloc_bitmap_fill(to);
}

bool affinity_is_nodes(const struct snapshot *snapshot,
                       hwloc_const_bitmap_t set)
{
    bool some = false;
    size_t i, j;

    for (i = 0; i < snapshot->nr_nodes; i++) {
        unsigned int in = 0, out = 0;

        for (j = 0; j < snapshot->nr_pcpus; j++) {
            const struct snapshot_pcpu *pcpu = &snapshot->pcpus[j];

            if (!pcpu->online || pcpu->node != snapshot->nodes[i].os_index)
                continue;
            if (hwloc_bitmap_isset(set, pcpu->os_index))
                in++;
            else
                out++;
        }
        if (in && out)
            return false;
        some |= in > 0;
    }
    return some;
}

static int set_effective(const struct snapshot *snapshot, uint32_t poolid,
                         struct snapshot_vcpu *vcpu)
{
    const struct snapshot_pool *pool = snapshot_find_pool(snapshot, poolid);

    if (!pool)
        return 0;
    vcpu->hard_effective = hwloc_bitmap_alloc();
    vcpu->soft_effective = hwloc_bitmap_alloc();
    if (!vcpu->hard_effective || !vcpu->soft_effective)
        return -ENOMEM;
    hwloc_bitmap_and(vcpu->hard_effective, vcpu->hard, pool->pcpus);
    hwloc_bitmap_and(vcpu->soft_effective, vcpu->soft,
                     vcpu->hard_effective);
    return 0;
}

static bool ours(struct collect *collect, const uint8_t uuid[16],
                 const struct snapshot_vcpu *vcpu, bool hard)
{
    const struct collect_options *options = collect->options;

    return options->set_by_us &&
           options->set_by_us(options->opaque, uuid, vcpu->vcpuid, hard,
                              hard ? vcpu->hard : vcpu->soft);
}

/* numa: the soft affinities are alike and of whole nodes. */
static void set_owners(struct collect *collect, const uint8_t uuid[16],
                       struct snapshot_vcpu *vcpu, struct wanted wanted,
                       bool numa)
{
    if (!hwloc_bitmap_isfull(vcpu->hard))
        vcpu->hard_owner = ours(collect, uuid, vcpu, true) ?
                           SNAPSHOT_OWNER_SHMLINK : SNAPSHOT_OWNER_ADMIN;
    if (hwloc_bitmap_isfull(vcpu->soft))
        return;
    if (ours(collect, uuid, vcpu, false))
        vcpu->soft_owner = SNAPSHOT_OWNER_SHMLINK;
    else if (wanted.soft || wanted.hard || !numa)
        vcpu->soft_owner = SNAPSHOT_OWNER_ADMIN;
}

static int add_vcpu(struct collect *collect, uint32_t poolid,
                    const libxl_vcpuinfo *info)
{
    struct snapshot *snapshot = collect->snapshot;
    struct snapshot_vcpu *vcpu = snapshot_add_vcpu(snapshot);

    if (!vcpu)
        return -ENOMEM;
    if (!info)
        return 0;
    vcpu->online = info->online;
    if (info->online && info->cpu < SNAPSHOT_PCPUS_MAX)
        vcpu->pcpu = info->cpu;
    copy_mask(snapshot, vcpu->hard, &info->cpumap);
    copy_mask(snapshot, vcpu->soft, &info->cpumap_soft);
    return set_effective(snapshot, poolid, vcpu);
}

static const libxl_vcpuinfo *info_of(const libxl_vcpuinfo *infos, int nr,
                                     uint32_t vcpuid)
{
    int i;

    for (i = 0; i < nr; i++) {
        if (infos[i].vcpuid == vcpuid)
            return &infos[i];
    }
    return NULL;
}

int affinity_read(struct collect *collect, struct snapshot_domain *domain)
{
    struct snapshot *snapshot = collect->snapshot;
    size_t first = snapshot->nr_vcpus;
    struct wanted wanted = { false, false };
    uint32_t i, vcpus_max = domain->vcpus_max, online = 0;
    uint32_t poolid = domain->pool;
    int nr = 0, nr_pcpus = 0, rc = 0;
    libxl_vcpuinfo *infos;
    bool numa = true;

    infos = libxl_list_vcpu(collect->xen->xl, domain->domid, &nr, &nr_pcpus);
    for (i = 0; i < vcpus_max && !rc; i++) {
        const libxl_vcpuinfo *info = infos ? info_of(infos, nr, i) : NULL;

        rc = add_vcpu(collect, poolid, info);
        online += info && info->online;
    }
    if (infos)
        libxl_vcpuinfo_list_free(infos, nr);
    if (rc)
        return rc;
    domain->vcpus_online = online;
    if (!vcpus_max)
        return 0;

    for (i = 0; i < vcpus_max; i++)
        numa &= hwloc_bitmap_isequal(snapshot->vcpus[first + i].soft,
                                     snapshot->vcpus[first].soft) == 1;
    numa &= !hwloc_bitmap_isfull(snapshot->vcpus[first].soft) &&
            affinity_is_nodes(snapshot, snapshot->vcpus[first].soft);
    /* Slow, so only asked for where it makes a difference. */
    if (numa)
        wanted = read_wanted(collect, domain->domid);
    for (i = 0; i < vcpus_max; i++)
        set_owners(collect, domain->uuid, &snapshot->vcpus[first + i],
                   wanted, numa);
    return 0;
}
