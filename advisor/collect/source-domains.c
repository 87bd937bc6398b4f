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

#include "base/xen.h"
#include "collect/affinity.h"
#include "collect/collect.h"
#include "base/parse.h"
#include "collect/interfaces.h"
#include "shmlink-wire.h"

/* What lasts while the domains are read. */
struct reading {
    struct collect *collect;
    struct xs_handle *xs;
    struct interfaces ports;
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
    uint32_t least, most;
    char path[128], *text;
    unsigned int length;
    bool ok;

    if (!reading->xs ||
        snprintf(path, sizeof(path), "/local/domain/%u/" SHMLINK_XS_VERSIONS,
                 domid) >= (int)sizeof(path))
        return false;
    text = xs_read(reading->xs, XBT_NULL, path, &length);
    ok = text && strlen(text) == length &&
         !parse_versions(text, &least, &most) &&
         least <= SHMLINK_VERSION_MAX && most >= SHMLINK_VERSION_MIN;
    free(text);
    return ok;
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

/* Why a link would pass by what dom0 enforces on this vif; NULL: nothing. */
static const char *obstacle(const libxl_device_nic *nic,
                            const struct interface *port)
{
    if (nic->rate_bytes_per_interval && nic->rate_interval_usecs)
        return "its rate is limited";
    if (nic->backend_domid)
        return "its back end is not in dom0";
    if (port && port->isolated)
        return "its bridge port is isolated";
    return NULL;
}

static int read_vif(struct reading *reading, struct snapshot_domain *domain,
                    const libxl_device_nic *nic)
{
    const struct interface *port = interfaces_vif(&reading->ports,
                                                  domain->domid, nic->devid);
    struct snapshot_vif *vif = snapshot_add_vif(domain);
    const char *bridge = port && port->bridge[0] ? port->bridge : nic->bridge;
    const char *why = obstacle(nic, port);

    if (!vif)
        return -ENOMEM;
    vif->devid = nic->devid;
    memcpy(vif->mac, nic->mac, sizeof(vif->mac));
    if (port && !(vif->name = strdup(port->name)))
        return -ENOMEM;
    if (bridge && *bridge && !(vif->bridge = strdup(bridge)))
        return -ENOMEM;
    if (why && !(vif->no_link = strdup(why)))
        return -ENOMEM;
    return 0;
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
    domain->name = name;
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

    return x->domid < y->domid ? -1 : x->domid > y->domid;
}

static int begin(struct collect *collect, void **state_r)
{
    struct reading reading = { .collect = collect };
    libxl_dominfo *infos;
    int i, nr = 0, rc = 0;
    size_t j;

    *state_r = NULL;
    infos = libxl_list_domain(collect->xen->xl, &nr);
    if (!infos)
        return -EIO;
    qsort(infos, nr, sizeof(*infos), by_domid);
    reading.backends = hwloc_bitmap_alloc();
    if (!reading.backends)
        rc = -ENOMEM;
    else
        hwloc_bitmap_set(reading.backends, 0);
    reading.xs = collect->xen->xs;
    /* Without it the vifs have no names; others note why. */
    interfaces_read(&reading.ports, collect->options->sysfs_net);
    for (i = 0; i < nr && !rc; i++)
        rc = read_domain(&reading, &infos[i]);
    for (j = 0; j < collect->snapshot->nr_domains && !rc; j++) {
        struct snapshot_domain *domain = &collect->snapshot->domains[j];

        domain->backend = hwloc_bitmap_isset(reading.backends, domain->domid);
    }
    libxl_dominfo_list_free(infos, nr);
    hwloc_bitmap_free(reading.backends);
    interfaces_dispose(&reading.ports);
    return rc;
}

const struct collect_source collect_domains = {
    .name = "domains",
    .needed = true,
    .begin = begin,
};
