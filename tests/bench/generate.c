/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "generate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t generate_draw(uint64_t *seed, uint32_t below)
{
    /* splitmix64 */
    uint64_t x = *seed += 0x9e3779b97f4a7c15U;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return (uint32_t)((x ^ x >> 31) >> 32) % below;
}

double generate_real(uint64_t *seed)
{
    return generate_draw(seed, 1u << 24) / (double)(1u << 24);
}

static int add_pcpus(struct snapshot *snapshot, const struct generate *o)
{
    uint32_t per_socket = o->cores * o->threads, i, core;
    uint32_t split = o->nodes_per_socket ? o->nodes_per_socket : 1;
    struct snapshot_cache *cache = NULL;
    struct snapshot_pcpu *pcpu;

    for (i = 0; i < o->sockets * per_socket; i++) {
        pcpu = snapshot_add_pcpu(snapshot);
        if (!pcpu)
            return -ENOMEM;
        core = i % per_socket / o->threads;
        pcpu->os_index = i;
        pcpu->online = true;
        pcpu->core = core;
        pcpu->socket = i / per_socket;
        pcpu->node = pcpu->socket * split + core * split / o->cores;
        pcpu->pool = 0;
        if (!o->caches)
            continue;
        if (core % 4 == 0 && i % o->threads == 0) {
            cache = snapshot_add_cache(snapshot);
            if (!cache)
                return -ENOMEM;
            cache->level = 3;
            cache->size_bytes = 16 << 20;
        }
        hwloc_bitmap_set(cache->pcpus, i);
    }
    return 0;
}

static int add_host(struct snapshot *snapshot, const struct generate *o)
{
    uint32_t nr = o->sockets * (o->nodes_per_socket ? o->nodes_per_socket : 1);
    struct snapshot_node *node;
    struct snapshot_pool *pool;
    uint32_t i, j;

    for (i = 0; i < nr; i++) {
        node = snapshot_add_node(snapshot);
        if (!node)
            return -ENOMEM;
        node->os_index = i;
        node->size_bytes = (uint64_t)64 << 30;
        node->distances = calloc(nr, sizeof(uint32_t));
        if (!node->distances)
            return -ENOMEM;
        node->nr_distances = nr;
        for (j = 0; j < nr; j++)
            node->distances[j] = i == j ? 10 :
                i * o->sockets / nr == j * o->sockets / nr ? 12 : 21;
    }
    pool = snapshot_add_pool(snapshot);
    if (!pool)
        return -ENOMEM;
    pool->os_index = 0;
    pool->name = strdup("Pool-0");
    pool->scheduler = strdup("credit2");
    pool->granularity = SNAPSHOT_GRANULARITY_CPU;
    hwloc_bitmap_set_range(pool->pcpus, 0,
                           (int)(o->sockets * o->cores * o->threads) - 1);
    return pool->name && pool->scheduler ? 0 : -ENOMEM;
}

static void set_value(struct snapshot_value *value, double number)
{
    value->value = number;
    value->error = 0;
    value->source = SNAPSHOT_SOURCE_TRACE;
}

static int add_vcpu(struct snapshot *snapshot, const struct generate *o,
                    bool pinned, double run, uint64_t *seed)
{
    uint32_t nr = o->sockets * o->cores * o->threads;
    struct snapshot_vcpu *vcpu = snapshot_add_vcpu(snapshot);

    if (!vcpu)
        return -ENOMEM;
    vcpu->online = true;
    vcpu->pcpu = generate_draw(seed, nr);
    set_value(&vcpu->utilisation, run);
    set_value(&vcpu->wait, (1 - run) * 0.2 * generate_real(seed));
    set_value(&vcpu->block, 1 - run - vcpu->wait.value);
    set_value(&vcpu->switches, 1000 * run);
    set_value(&vcpu->execution_usec, 500);
    if (pinned) {
        hwloc_bitmap_only(vcpu->hard, vcpu->pcpu);
        vcpu->hard_owner = SNAPSHOT_OWNER_SHMLINK;
    }
    return 0;
}

static int add_domain(struct snapshot *snapshot, const struct generate *o,
                      uint32_t domid, uint64_t *seed)
{
    struct snapshot_domain *domain = snapshot_add_domain(snapshot);
    uint32_t nr, nodes = (uint32_t)snapshot->nr_nodes, i;
    struct snapshot_vif *vif;
    double load;
    int rc = 0;

    if (!domain)
        return -ENOMEM;
    domain->domid = domid;
    memcpy(domain->uuid, &domid, sizeof domid);
    domain->type = SNAPSHOT_DOMAIN_PV;
    domain->pool = 0;
    domain->weight = 256;
    domain->driver = true;
    domain->backend = !domid;
    nr = o->vcpus_min + generate_draw(seed, o->vcpus_max - o->vcpus_min + 1);
    domain->vcpus_online = domain->vcpus_max = nr;
    domain->memory_bytes = (uint64_t)1 << 30;
    domain->node_memory_bytes = calloc(nodes, sizeof(uint64_t));
    domain->nr_node_memory_bytes = domain->node_memory_bytes ? nodes : 0;
    if (!domain->node_memory_bytes ||
        (domid ? asprintf(&domain->name, "vm%u", domid)
               : asprintf(&domain->name, "Domain-0")) < 0)
        return -ENOMEM;
    domain->node_memory_bytes[generate_draw(seed, nodes)] =
        domain->memory_bytes;
    if (domid) {
        vif = snapshot_add_vif(domain);
        if (!vif || asprintf(&vif->name, "vif%u.0", domid) < 0)
            return -ENOMEM;
        memcpy(vif->mac, "\x00\x16\x3e", 3);
        vif->mac[4] = (uint8_t)(domid >> 8);
        vif->mac[5] = (uint8_t)domid;
        vif->bridge = strdup("xenbr0");
        if (!vif->bridge)
            return -ENOMEM;
    }
    /* Many idle VMs, a few busy ones, as hosts have them. */
    load = 2 * o->load * generate_real(seed);
    for (i = 0; i < nr && !rc; i++)
        rc = add_vcpu(snapshot, o, domid ? o->pinned : o->dom0_pinned,
                      load * (0.5 + 0.5 * generate_real(seed)), seed);
    return rc;
}

static int add_traffic(struct snapshot *snapshot, size_t from, size_t to,
                       double bytes, double packets)
{
    struct snapshot_traffic *traffic = snapshot_add_traffic(snapshot);

    if (!traffic)
        return -ENOMEM;
    traffic->from = from;
    traffic->to = to;
    set_value(&traffic->bytes, bytes);
    set_value(&traffic->packets, packets);
    return 0;
}

/* With an acknowledgement for each 20 packets. */
static int add_flow(struct snapshot *snapshot, size_t from, size_t to,
                    double bytes, uint64_t *seed)
{
    static const double sizes[] = { 100, 600, 1500, 16000, 60000 };
    double packets = bytes / sizes[generate_draw(seed, 5)];
    int rc;

    rc = add_traffic(snapshot, from, to, bytes, packets);
    return rc ? rc : add_traffic(snapshot, to, from, 66 * packets / 20,
                                 packets / 20);
}

int generate(struct snapshot **snapshot_r, const struct generate *o)
{
    uint64_t seed = o->seed * 1000003 + 17;
    struct snapshot *snapshot = NULL;
    uint32_t i, j, nr, to;
    double bytes;
    int rc;

    rc = snapshot_new(&snapshot);
    if (rc)
        return rc;
    snapshot->time = 1700000000;
    snapshot->duration = 10;
    snapshot->host = strdup("generated");
    rc = snapshot->host ? 0 : -ENOMEM;
    if (!rc)
        rc = add_pcpus(snapshot, o);
    if (!rc)
        rc = add_host(snapshot, o);
    for (i = 0; i <= o->vms && !rc; i++)
        rc = add_domain(snapshot, o, i, &seed);
    for (i = 1; i <= o->vms && !rc; i++) {
        nr = o->peers ? generate_draw(&seed, o->peers + 1) : 0;
        for (j = 0; j < nr && !rc; j++) {
            to = 1 + generate_draw(&seed, o->vms);
            if (to == i)
                continue;
            bytes = o->bytes * generate_real(&seed) * generate_real(&seed);
            rc = add_flow(snapshot, i, to, bytes, &seed);
            if (!rc)
                rc = add_flow(snapshot, to, i, bytes / 20, &seed);
        }
    }
    if (!rc)
        rc = snapshot_check(snapshot, NULL);
    if (rc)
        snapshot_free(snapshot);
    else
        *snapshot_r = snapshot;
    return rc;
}
