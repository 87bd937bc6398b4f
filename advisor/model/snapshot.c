/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/snapshot.h"

#include "base/jsonio.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int snapshot_new(struct snapshot **snapshot_r)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);

    if (!snapshot)
        return -ENOMEM;
    snapshot->schema = SNAPSHOT_SCHEMA;
    *snapshot_r = snapshot;
    return 0;
}

static void free_domain(struct snapshot_domain *domain)
{
    size_t i;

    for (i = 0; i < domain->nr_vifs; i++) {
        free(domain->vifs[i].name);
        free(domain->vifs[i].bridge);
        free(domain->vifs[i].no_link);
        free(domain->vifs[i].vlans);
    }
    free(domain->vifs);
    free(domain->node_memory_bytes);
    free(domain->name);
}

void snapshot_free(struct snapshot *snapshot)
{
    size_t i;

    if (!snapshot)
        return;
    for (i = 0; i < snapshot->nr_caches; i++)
        hwloc_bitmap_free(snapshot->caches[i].pcpus);
    for (i = 0; i < snapshot->nr_pools; i++) {
        hwloc_bitmap_free(snapshot->pools[i].pcpus);
        free(snapshot->pools[i].name);
        free(snapshot->pools[i].scheduler);
    }
    for (i = 0; i < snapshot->nr_domains; i++)
        free_domain(&snapshot->domains[i]);
    for (i = 0; i < snapshot->nr_vcpus; i++) {
        hwloc_bitmap_free(snapshot->vcpus[i].hard);
        hwloc_bitmap_free(snapshot->vcpus[i].soft);
        hwloc_bitmap_free(snapshot->vcpus[i].hard_effective);
        hwloc_bitmap_free(snapshot->vcpus[i].soft_effective);
    }
    for (i = 0; i < snapshot->nr_notes; i++) {
        free(snapshot->notes[i].source);
        free(snapshot->notes[i].text);
    }
    free(snapshot->pcpus);
    free(snapshot->caches);
    free(snapshot->nodes);
    free(snapshot->distances);
    free(snapshot->pools);
    free(snapshot->domains);
    free(snapshot->vcpus);
    free(snapshot->switches);
    free(snapshot->traffic);
    free(snapshot->links);
    free(snapshot->notes);
    free(snapshot->host);
    free(snapshot->xen_version);
    free(snapshot);
}

struct snapshot_pcpu *snapshot_add_pcpu(struct snapshot *snapshot)
{
    struct snapshot_pcpu *pcpu = JSONIO_ADD(snapshot, pcpus,
                                            SNAPSHOT_PCPUS_MAX);

    if (pcpu)
        pcpu->os_index = pcpu->core = pcpu->socket = pcpu->node =
            pcpu->pool = SNAPSHOT_NONE;
    return pcpu;
}

struct snapshot_cache *snapshot_add_cache(struct snapshot *snapshot)
{
    struct snapshot_cache *cache = JSONIO_ADD(snapshot, caches,
                                              SNAPSHOT_CACHES_MAX);

    if (!cache)
        return NULL;
    cache->pcpus = hwloc_bitmap_alloc();
    if (!cache->pcpus) {
        snapshot->nr_caches--;
        return NULL;
    }
    return cache;
}

struct snapshot_node *snapshot_add_node(struct snapshot *snapshot)
{
    struct snapshot_node *node = JSONIO_ADD(snapshot, nodes,
                                            SNAPSHOT_NODES_MAX);

    if (node)
        node->os_index = SNAPSHOT_NONE;
    return node;
}

struct snapshot_pool *snapshot_add_pool(struct snapshot *snapshot)
{
    struct snapshot_pool *pool = JSONIO_ADD(snapshot, pools,
                                            SNAPSHOT_POOLS_MAX);

    if (!pool)
        return NULL;
    pool->os_index = SNAPSHOT_NONE;
    pool->pcpus = hwloc_bitmap_alloc();
    if (!pool->pcpus) {
        snapshot->nr_pools--;
        return NULL;
    }
    return pool;
}

struct snapshot_domain *snapshot_add_domain(struct snapshot *snapshot)
{
    struct snapshot_domain *domain;

    domain = JSONIO_ADD(snapshot, domains, SNAPSHOT_DOMAINS_MAX);
    if (domain) {
        domain->pool = SNAPSHOT_NONE;
        domain->managed = true;
        domain->first_vcpu = snapshot->nr_vcpus;
    }
    return domain;
}

struct snapshot_vif *snapshot_add_vif(struct snapshot_domain *domain)
{
    return JSONIO_ADD(domain, vifs, SNAPSHOT_VIFS_MAX);
}

struct snapshot_vcpu *snapshot_add_vcpu(struct snapshot *snapshot)
{
    const struct snapshot_domain *domain;
    struct snapshot_vcpu *vcpu;

    if (!snapshot->nr_domains)
        return NULL;
    domain = &snapshot->domains[snapshot->nr_domains - 1];
    vcpu = JSONIO_ADD(snapshot, vcpus, SNAPSHOT_VCPUS_MAX);
    if (!vcpu)
        return NULL;
    vcpu->domain = snapshot->nr_domains - 1;
    vcpu->vcpuid = (uint32_t)(snapshot->nr_vcpus - 1 - domain->first_vcpu);
    vcpu->pcpu = SNAPSHOT_NONE;
    vcpu->hard = hwloc_bitmap_alloc_full();
    vcpu->soft = hwloc_bitmap_alloc_full();
    if (!vcpu->hard || !vcpu->soft) {
        hwloc_bitmap_free(vcpu->hard);
        hwloc_bitmap_free(vcpu->soft);
        snapshot->nr_vcpus--;
        return NULL;
    }
    return vcpu;
}

struct snapshot_switch *snapshot_add_switch(struct snapshot *snapshot)
{
    return JSONIO_ADD(snapshot, switches, SNAPSHOT_SWITCHES_MAX);
}

struct snapshot_traffic *snapshot_add_traffic(struct snapshot *snapshot)
{
    struct snapshot_traffic *traffic = JSONIO_ADD(snapshot, traffic,
                                                  SNAPSHOT_TRAFFIC_MAX);

    if (traffic)
        traffic->from_vif = traffic->to_vif = SNAPSHOT_NONE;
    return traffic;
}

struct snapshot_link *snapshot_add_link(struct snapshot *snapshot)
{
    return JSONIO_ADD(snapshot, links, SNAPSHOT_LINKS_MAX);
}

char *snapshot_copy_text(const char *text)
{
    char *copy = strndup(text, 1023);
    unsigned char *c;

    if (!copy || jsonio_text_ok(copy))
        return copy;
    for (c = (unsigned char *)copy; *c; c++)
        if (*c < 0x20 || *c >= 0x7f)
            *c = '?';
    return copy;
}

int snapshot_note(struct snapshot *snapshot, const char *source,
                  const char *format, ...)
{
    struct snapshot_note *note;
    char *text = NULL;
    va_list args;
    int r;

    va_start(args, format);
    r = vasprintf(&text, format, args);
    va_end(args);
    if (r < 0)
        return -ENOMEM;

    if (snapshot->nr_notes >= SNAPSHOT_NOTES_MAX) {
        free(text);
        return -E2BIG;
    }
    note = JSONIO_ADD(snapshot, notes, SNAPSHOT_NOTES_MAX);
    if (note) {
        note->source = snapshot_copy_text(source);
        note->text = snapshot_copy_text(text);
    }
    free(text);
    return note && note->source && note->text ? 0 : -ENOMEM;
}

size_t snapshot_find_domid(const struct snapshot *snapshot, uint32_t domid)
{
    size_t low = 0, high = snapshot->nr_domains, middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (snapshot->domains[middle].domid < domid)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < snapshot->nr_domains && snapshot->domains[low].domid == domid)
        return low;
    return SNAPSHOT_OUTSIDE;
}

size_t snapshot_find_uuid(const struct snapshot *snapshot,
                          const uint8_t uuid[16])
{
    size_t i;

    for (i = 0; i < snapshot->nr_domains; i++)
        if (!memcmp(snapshot->domains[i].uuid, uuid, 16))
            return i;
    return SNAPSHOT_OUTSIDE;
}

const struct snapshot_pcpu *snapshot_find_pcpu(const struct snapshot *snapshot,
                                               uint32_t os_index)
{
    size_t low = 0, high = snapshot->nr_pcpus, middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (snapshot->pcpus[middle].os_index < os_index)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < snapshot->nr_pcpus && snapshot->pcpus[low].os_index == os_index)
        return &snapshot->pcpus[low];
    return NULL;
}

const struct snapshot_pool *snapshot_find_pool(const struct snapshot *snapshot,
                                               uint32_t os_index)
{
    size_t i;

    for (i = 0; i < snapshot->nr_pools; i++)
        if (snapshot->pools[i].os_index == os_index)
            return &snapshot->pools[i];
    return NULL;
}
