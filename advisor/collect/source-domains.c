/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains: identity, weight, cap, pool, memory, network cards.  Their vCPUs
 * are read by affinity.c.  On which NUMA node their memory is, Xen tells no
 * one: only its debug key u prints it, so node_memory_bytes stays NULL.
 */
#include <errno.h>
#include <libxl_utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/xen.h"
#include "collect/affinity.h"
#include "collect/collect.h"
#include "base/parse.h"
#include "shmlink.h"
#include "shmlink-wire.h"
#include "toolstack/obstacle.h"
#include "toolstack/store.h"
#include "toolstack/vif.h"

/* What lasts while the domains are read. */
struct reading {
    struct collect *collect;
    struct shmlink_ctx *ctx;
    struct obstacles *obstacles;
    hwloc_bitmap_t backends;    /* domids */
};

static enum snapshot_domain_state state_of(const libxl_dominfo *info)
{
    if (info->shutdown || info->dying)
        return SNAPSHOT_DOMAIN_OTHER;
    return info->paused ? SNAPSHOT_DOMAIN_PAUSED : SNAPSHOT_DOMAIN_RUNNING;
}

static enum snapshot_domain_type type_of(const libxl_dominfo *info)
{
    switch (info->domain_type) {
    case LIBXL_DOMAIN_TYPE_PV:
        return SNAPSHOT_DOMAIN_PV;
    case LIBXL_DOMAIN_TYPE_PVH:
        return SNAPSHOT_DOMAIN_PVH;
    case LIBXL_DOMAIN_TYPE_HVM:
        return SNAPSHOT_DOMAIN_HVM;
    default:
        return SNAPSHOT_DOMAIN_UNKNOWN;
    }
}

/* shmlink.ko says so itself; only the form of its words is believed. */
static bool has_driver(struct reading *reading, uint32_t domid)
{
    struct store store = { .ctx = reading->ctx };
    char text[STORE_VALUE_BYTES];
    uint32_t least, most;

    return !store_read(&store, text, "/local/domain/%u/" SHMLINK_XS_VERSIONS,
                       domid) &&
           !parse_versions(text, &least, &most) &&
           least <= SHMLINK_VERSION_MAX && most >= SHMLINK_VERSION_MIN;
}

static void read_schedule(struct reading *reading,
                          struct snapshot_domain *domain)
{
    libxl_domain_sched_params params;

    libxl_domain_sched_params_init(&params);
    if (!libxl_domain_sched_params_get(reading->collect->xen->xl, domain->domid,
                                       &params)) {
        if (params.weight > 0)
            domain->weight = params.weight;
        if (params.cap > 0)
            domain->cap = params.cap;
    }
    libxl_domain_sched_params_dispose(&params);
}

/* Why enable would refuse this vif, whatever the other; NULL: nothing. */
static char *no_link(const struct reading *reading, const struct vif *vif,
                     const char *guest)
{
    struct obstacle list[OBSTACLES_MAX];
    char text[OBSTACLE_TEXT_BYTES];
    size_t nr;

    nr = obstacles_of(reading->obstacles, vif, guest, list);
    obstacles_join(list, nr, text, sizeof(text));
    if (!nr && !reading->obstacles)
        snprintf(text, sizeof(text), "it is not known what dom0 enforces");
    return text[0] ? snapshot_copy_text(text) : NULL;
}

/* What dom0 knows of a vif, where it serves it. */
static int read_ours(struct reading *reading, struct snapshot_vif *vif,
                     const struct vif *ours, const char *guest)
{
    const char *vlans = obstacles_vlans(reading->obstacles, ours);

    vif->no_link = no_link(reading, ours, guest);
    if (ours->ifname[0] && !(vif->name = snapshot_copy_text(ours->ifname)))
        return -ENOMEM;
    if (ours->bridge[0] && !(vif->bridge = snapshot_copy_text(ours->bridge)))
        return -ENOMEM;
    if (vlans && !(vif->vlans = snapshot_copy_text(vlans)))
        return -ENOMEM;
    return 0;
}

static int read_vif(struct reading *reading, struct snapshot_domain *domain,
                    const libxl_device_nic *nic)
{
    struct snapshot_vif *vif = snapshot_add_vif(domain);
    struct vif ours;
    int rc = 0;

    if (!vif)
        return -ENOMEM;
    vif->devid = nic->devid;
    memcpy(vif->mac, nic->mac, sizeof(vif->mac));
    if (vif_read(reading->ctx, domain->domid, vif->devid, &ours))
        vif->no_link = strdup("it is just coming or going");
    else
        rc = read_ours(reading, vif, &ours, domain->name);
    /* Of one that another domain serves, as it was configured. */
    if (!rc && nic->backend_domid && nic->bridge && *nic->bridge &&
        !(vif->bridge = snapshot_copy_text(nic->bridge)))
        rc = -ENOMEM;
    return rc;
}

static int read_vifs(struct reading *reading, struct snapshot_domain *domain)
{
    libxl_device_nic *nics;
    int i, nr = 0, rc = 0;

    nics = libxl_device_nic_list(reading->collect->xen->xl, domain->domid, &nr);
    for (i = 0; i < nr && !rc; i++) {
        if (i == (int)SNAPSHOT_VIFS_MAX)
            break;
        rc = read_vif(reading, domain, &nics[i]);
        hwloc_bitmap_set(reading->backends, nics[i].backend_domid);
    }
    if (nics)
        libxl_device_nic_list_free(nics, nr);
    return rc;
}

static int read_domain(struct reading *reading, const libxl_dominfo *info)
{
    struct collect *collect = reading->collect;
    struct snapshot *snapshot = collect->snapshot;
    struct snapshot_domain *domain = snapshot_add_domain(snapshot);
    char *name;
    int rc;

    if (!domain)
        return -ENOMEM;
    domain->domid = info->domid;
    memcpy(domain->uuid, libxl_uuid_bytearray_const(&info->uuid),
           sizeof(domain->uuid));
    name = libxl_domid_to_name(collect->xen->xl, info->domid);
    if (!name && asprintf(&name, "domain-%u", info->domid) < 0)
        return -ENOMEM;
    domain->name = snapshot_copy_text(name);
    free(name);
    if (!domain->name)
        return -ENOMEM;
    domain->type = type_of(info);
    domain->state = state_of(info);
    domain->pool = info->cpupool;
    domain->memory_bytes = info->current_memkb * 1024;
    domain->driver = has_driver(reading, info->domid);
    domain->vcpus_max = info->vcpu_max_id + 1;
    read_schedule(reading, domain);
    rc = domain->domid ? read_vifs(reading, domain) : 0;
    return rc ? rc : affinity_read(collect, domain);
}

static int by_domid(const void *a, const void *b)
{
    const libxl_dominfo *x = a, *y = b;

    return COMPARE(x->domid, y->domid);
}

/* What dom0 enforces; where it is not known, no link is advised. */
static int read_obstacles(struct reading *reading)
{
    struct collect *collect = reading->collect;
    const struct shmlink_ctx_options options = { .xen = collect->xen,
                                                 .cancel_fd = -1 };
    int rc = shmlink_ctx_open(&reading->ctx, &options, &collect->why);

    if (rc || !obstacles_read(reading->ctx, &reading->obstacles))
        return rc;
    return snapshot_note(collect->snapshot, "domains", "%s: no link is "
                         "advised", shmlink_why(reading->ctx));
}

static int read_domains(struct reading *reading, const libxl_dominfo *infos,
                        int nr)
{
    struct snapshot *snapshot = reading->collect->snapshot;
    int i, rc = read_obstacles(reading);
    size_t j;

    for (i = 0; i < nr && !rc; i++)
        rc = read_domain(reading, &infos[i]);
    for (j = 0; j < snapshot->nr_domains && !rc; j++)
        snapshot->domains[j].backend =
            hwloc_bitmap_isset(reading->backends, snapshot->domains[j].domid);
    return rc;
}

static int begin(struct collect *collect, void **state_r)
{
    struct reading reading = { .collect = collect };
    libxl_dominfo *infos;
    int nr = 0, rc = -ENOMEM;

    *state_r = NULL;
    infos = libxl_list_domain(collect->xen->xl, &nr);
    if (!infos)
        return -EIO;
    qsort(infos, nr, sizeof(*infos), by_domid);
    reading.backends = hwloc_bitmap_alloc();
    if (reading.backends) {
        hwloc_bitmap_set(reading.backends, 0);
        rc = read_domains(&reading, infos, nr);
    }
    libxl_dominfo_list_free(infos, nr);
    hwloc_bitmap_free(reading.backends);
    obstacles_free(reading.obstacles);
    shmlink_ctx_close(reading.ctx);
    return rc;
}

const struct collect_source collect_domains = {
    .name = "domains",
    .needed = true,
    .begin = begin,
};
