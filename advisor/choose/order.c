/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/model-parts.h"

#include "choose/model.h"
#include "base/compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct key {
    int64_t busy;		/* millionths of a pCPU */
    uint64_t hash;
};

/* A slot with what it, its core, group and node look like. */
struct place {
    struct choose_slot slot;
    struct key slot_key, core, group;
    uint32_t rank;		/* of its node */
};

static uint64_t mix(uint64_t a, uint64_t b)
{
    /* splitmix64's last steps */
    uint64_t x = a * 0x9e3779b97f4a7c15U + b;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return x ^ x >> 31;
}

static uint64_t domain_hash(const struct snapshot_domain *domain)
{
    uint64_t half[2];

    memcpy(half, domain->uuid, sizeof half);
    return mix(half[0], half[1]);
}

static void add_mask(uint64_t *hashes, hwloc_const_bitmap_t mask,
                     uint64_t hash)
{
    int pcpu = -1;

    if (hwloc_bitmap_isfull(mask))
        return;
    while ((pcpu = hwloc_bitmap_next(mask, pcpu)) >= 0 &&
           pcpu < (int)SNAPSHOT_PCPUS_MAX)
        hashes[pcpu] += hash;
}

/* What each pCPU is to the vCPUs: sums, so in any order. */
static void hash_pcpus(const struct choose_model *model, uint64_t *hashes)
{
    const struct snapshot *snapshot = model->snapshot;
    const struct snapshot_vcpu *vcpu;
    uint64_t hash;
    size_t i;

    for (i = 0; i < snapshot->nr_vcpus; i++) {
        vcpu = &snapshot->vcpus[i];
        if (!vcpu->online)
            continue;
        hash = mix(domain_hash(&snapshot->domains[vcpu->domain]),
                   vcpu->vcpuid);
        add_mask(hashes, vcpu->hard, mix(hash, 1));
        add_mask(hashes, vcpu->soft, mix(hash, 2));
    }
    add_mask(hashes, model->settings->banned_pcpus, 3);
    add_mask(hashes, model->settings->dom0_pcpus, 5);
}

static void add_key(struct key *sum, const struct key *key)
{
    sum->busy += key->busy;
    sum->hash += mix(key->hash, 7);
}

static int compare_keys(const struct key *p, const struct key *q)
{
    return COMPARE(p->busy, q->busy) ?: COMPARE(p->hash, q->hash);
}

static int compare_numbers(const void *a, const void *b)
{
    const struct choose_slot *p = a, *q = b;

    return COMPARE(p->node, q->node) ?: COMPARE(p->group, q->group) ?:
           COMPARE(p->core, q->core) ?: COMPARE(p->pcpu, q->pcpu);
}

static int compare_places(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    int r = COMPARE(p->rank, q->rank) ?: compare_keys(&p->group, &q->group);

    if (!r && p->slot.group == q->slot.group) {
        r = compare_keys(&p->core, &q->core);
        if (!r && p->slot.core == q->slot.core)
            r = compare_keys(&p->slot_key, &q->slot_key);
    }
    return r ? r : compare_numbers(&p->slot, &q->slot);
}

/* Of slots that are sorted by their numbers; nodes' keys are complete then. */
static void set_keys(const struct choose_model *model, struct place *places,
                     const uint64_t *hashes, struct key *nodes)
{
    uint32_t i, j, core = 0, group = 0;
    struct place *p;
    unsigned pcpu;

    for (i = 0; i < model->nr_slots; i++) {
        p = &places[i];
        p->slot_key.hash = p->slot.pool;
        hwloc_bitmap_foreach_begin(pcpu, p->slot.pcpus)
            p->slot_key.hash += mix(hashes[pcpu], 11);
        hwloc_bitmap_foreach_end();
        if (!isnan(p->slot.busy))
            p->slot_key.busy = llround(1e6 * p->slot.busy);
        if (p->slot.core != places[core].slot.core)
            core = i;
        if (p->slot.group != places[group].slot.group)
            group = i;
        add_key(&places[core].core, &p->slot_key);
        for (j = core + 1; j <= i; j++)
            places[j].core = places[core].core;
        if (i + 1 == model->nr_slots ||
            places[i + 1].slot.core != p->slot.core) {
            add_key(&places[group].group, &p->core);
            add_key(&nodes[p->slot.node], &p->core);
        }
    }
    for (i = 1, group = 0; i < model->nr_slots; i++) {
        if (places[i].slot.group != places[group].slot.group)
            group = i;
        places[i].group = places[group].group;
    }
}

static void add_memory(const struct snapshot *snapshot, struct key *nodes)
{
    const struct snapshot_domain *domain;
    size_t d, i;

    for (d = 0; d < snapshot->nr_domains; d++) {
        domain = &snapshot->domains[d];
        for (i = 0; domain->node_memory_bytes && i < snapshot->nr_nodes; i++)
            nodes[i].hash += mix(domain_hash(domain),
                                 domain->node_memory_bytes[i]);
    }
}

/* Nearer to the first of those that have a rank already comes first. */
static int compare_nodes(const struct snapshot *snapshot,
                         const struct key *keys, const uint32_t *order,
                         uint32_t nr, uint32_t a, uint32_t b)
{
    double p, q;
    uint32_t i;
    int r = 0;

    for (i = 0; i < nr && !r; i++) {
        p = choose_node_steps(snapshot, order[i], a);
        q = choose_node_steps(snapshot, order[i], b);
        r = COMPARE(p, q);
    }
    return r ? r : compare_keys(&keys[a], &keys[b]);
}

static void rank_nodes(const struct choose_model *model,
                       const struct key *keys, uint32_t *order)
{
    bool used[SNAPSHOT_NODES_MAX] = { false };
    uint32_t i, node, best;

    for (i = 0; i < model->nr_nodes; i++) {
        best = UINT32_MAX;
        for (node = 0; node < model->nr_nodes; node++)
            if (!used[node] &&
                (best == UINT32_MAX ||
                 compare_nodes(model->snapshot, keys, order, i, node,
                               best) < 0))
                best = node;
        used[best] = true;
        order[i] = best;
    }
}

/* Count cores, groups and nodes from 0. */
static void number(struct choose_model *model, const struct place *places)
{
    struct choose_slot *slot;
    uint32_t i;

    for (i = 0; i < model->nr_slots; i++) {
        slot = &model->slots[i];
        *slot = places[i].slot;
        model->nr_cores += !i || slot->core != places[i - 1].slot.core;
        model->nr_groups += !i || slot->group != places[i - 1].slot.group;
        slot->core = model->nr_cores - 1;
        slot->group = model->nr_groups - 1;
        slot->node = places[i].rank;
    }
}

int choose_order_slots(struct choose_model *model)
{
    struct key nodes[SNAPSHOT_NODES_MAX] = { { 0 } };
    struct place *places;
    uint64_t *hashes;
    uint32_t i, node;

    places = arena_get(&model->arena, model->nr_slots, sizeof *places);
    hashes = arena_get(&model->arena, SNAPSHOT_PCPUS_MAX, sizeof *hashes);
    model->nodes = arena_get(&model->arena, model->nr_nodes,
                             sizeof *model->nodes);
    if (model->arena.failed)
        return -ENOMEM;
    qsort(model->slots, model->nr_slots, sizeof *model->slots,
          compare_numbers);
    for (i = 0; i < model->nr_slots; i++)
        places[i].slot = model->slots[i];
    hash_pcpus(model, hashes);
    set_keys(model, places, hashes, nodes);
    add_memory(model->snapshot, nodes);
    rank_nodes(model, nodes, model->nodes);
    for (i = 0; i < model->nr_slots; i++)
        for (node = 0; node < model->nr_nodes; node++)
            if (model->nodes[node] == places[i].slot.node)
                places[i].rank = node;
    qsort(places, model->nr_slots, sizeof *places, compare_places);
    number(model, places);
    return 0;
}
