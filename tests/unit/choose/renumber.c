/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "renumber.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generate.h"

/* A permutation: position i gets what was at order[i]. */
static size_t *shuffle(size_t nr, size_t first, uint64_t seed)
{
    size_t *order = calloc(nr + 1, sizeof *order), i, j, other;

    assert_non_null(order);
    for (i = 0; i < nr; i++)
        order[i] = i;
    for (i = nr; i > first + 1; i--) {
        j = first + generate_draw(&seed, (uint32_t)(i - first));
        other = order[i - 1];
        order[i - 1] = order[j];
        order[j] = other;
    }
    return order;
}

static void reorder(void *list, size_t nr, size_t bytes, const size_t *order)
{
    char *copy = malloc(nr * bytes + 1), *to = list;
    size_t i;

    assert_non_null(copy);
    memcpy(copy, list, nr * bytes);
    for (i = 0; i < nr; i++)
        memcpy(to + i * bytes, copy + order[i] * bytes, bytes);
    free(copy);
}

static void map_mask(hwloc_bitmap_t mask, const uint32_t *to)
{
    hwloc_bitmap_t old;
    unsigned pcpu;

    if (!mask || hwloc_bitmap_isfull(mask))
        return;
    old = hwloc_bitmap_dup(mask);
    assert_non_null(old);
    hwloc_bitmap_zero(mask);
    hwloc_bitmap_foreach_begin(pcpu, old)
        assert_int_equal(hwloc_bitmap_set(mask, to[pcpu]), 0);
    hwloc_bitmap_foreach_end();
    hwloc_bitmap_free(old);
}

void renumber_pcpus(struct snapshot *snapshot, uint64_t seed)
{
    size_t nr = snapshot->nr_pcpus, *order = shuffle(nr, 0, seed), i;
    uint32_t *to = calloc(SNAPSHOT_PCPUS_MAX, sizeof *to), *numbers;
    struct snapshot_vcpu *vcpu;

    numbers = calloc(nr + 1, sizeof *numbers);
    assert_true(to && numbers);
    for (i = 0; i < SNAPSHOT_PCPUS_MAX; i++)
        to[i] = (uint32_t)i;
    for (i = 0; i < nr; i++)
        numbers[i] = snapshot->pcpus[i].os_index;
    for (i = 0; i < nr; i++)
        to[numbers[order[i]]] = numbers[i];
    reorder(snapshot->pcpus, nr, sizeof *snapshot->pcpus, order);
    for (i = 0; i < nr; i++)
        snapshot->pcpus[i].os_index = numbers[i];
    for (i = 0; i < snapshot->nr_caches; i++)
        map_mask(snapshot->caches[i].pcpus, to);
    for (i = 0; i < snapshot->nr_pools; i++)
        map_mask(snapshot->pools[i].pcpus, to);
    for (i = 0; i < snapshot->nr_vcpus; i++) {
        vcpu = &snapshot->vcpus[i];
        map_mask(vcpu->hard, to);
        map_mask(vcpu->soft, to);
        map_mask(vcpu->hard_effective, to);
        map_mask(vcpu->soft_effective, to);
        if (vcpu->pcpu != SNAPSHOT_NONE)
            vcpu->pcpu = to[vcpu->pcpu];
    }
    free(order);
    free(to);
    free(numbers);
}

void renumber_nodes(struct snapshot *snapshot, uint64_t seed)
{
    size_t nr = snapshot->nr_nodes, *order = shuffle(nr, 0, seed), i;
    uint32_t numbers[SNAPSHOT_NODES_MAX], to[SNAPSHOT_NODES_MAX] = { 0 };

    for (i = 0; i < nr; i++)
        numbers[i] = snapshot->nodes[i].os_index;
    for (i = 0; i < nr; i++)
        to[numbers[order[i]] % SNAPSHOT_NODES_MAX] = numbers[i];
    reorder(snapshot->nodes, nr, sizeof *snapshot->nodes, order);
    for (i = 0; i < nr; i++) {
        snapshot->nodes[i].os_index = numbers[i];
        if (snapshot->nodes[i].nr_distances)
            reorder(snapshot->nodes[i].distances, nr, sizeof(uint32_t), order);
    }
    for (i = 0; i < snapshot->nr_pcpus; i++)
        if (snapshot->pcpus[i].node < SNAPSHOT_NODES_MAX)
            snapshot->pcpus[i].node = to[snapshot->pcpus[i].node];
    for (i = 0; i < snapshot->nr_domains; i++)
        if (snapshot->domains[i].node_memory_bytes)
            reorder(snapshot->domains[i].node_memory_bytes, nr,
                    sizeof(uint64_t), order);
    free(order);
}

/* Where domain and vCPU are now. */
static void move_vcpus(struct snapshot *snapshot, size_t *vcpu_at)
{
    size_t *order = calloc(snapshot->nr_vcpus + 1, sizeof *order), d, i, nr = 0;
    struct snapshot_domain *domain;

    assert_non_null(order);
    for (d = 0; d < snapshot->nr_domains; d++) {
        domain = &snapshot->domains[d];
        for (i = 0; i < domain->vcpus_max; i++) {
            order[nr] = domain->first_vcpu + i;
            vcpu_at[order[nr]] = nr;
            nr++;
        }
        domain->first_vcpu = nr - domain->vcpus_max;
    }
    reorder(snapshot->vcpus, nr, sizeof *snapshot->vcpus, order);
    free(order);
}

static void map_index(size_t *index, const size_t *at)
{
    if (*index != SNAPSHOT_OUTSIDE)
        *index = at[*index];
}

static int compare_switches(const void *a, const void *b)
{
    const struct snapshot_switch *p = a, *q = b;

    return (p->vcpu > q->vcpu) - (p->vcpu < q->vcpu);
}

void renumber_domains(struct snapshot *snapshot, uint64_t seed)
{
    size_t nr = snapshot->nr_domains, *order, *at, *vcpu_at, i, first;
    uint32_t *numbers = calloc(nr + 1, sizeof *numbers);

    /* dom0 stays what it is. */
    first = nr && !snapshot->domains[0].domid;
    order = shuffle(nr, first, seed);
    at = calloc(nr + 1, sizeof *at);
    vcpu_at = calloc(snapshot->nr_vcpus + 1, sizeof *vcpu_at);
    assert_true(at && vcpu_at && numbers);
    for (i = 0; i < nr; i++) {
        numbers[i] = snapshot->domains[i].domid;
        at[order[i]] = i;
    }
    reorder(snapshot->domains, nr, sizeof *snapshot->domains, order);
    for (i = 0; i < nr; i++)
        snapshot->domains[i].domid = numbers[i];
    move_vcpus(snapshot, vcpu_at);
    for (i = 0; i < snapshot->nr_vcpus; i++)
        map_index(&snapshot->vcpus[i].domain, at);
    for (i = 0; i < snapshot->nr_switches; i++) {
        map_index(&snapshot->switches[i].vcpu, vcpu_at);
        map_index(&snapshot->switches[i].by_domain, at);
    }
    if (snapshot->nr_switches)
        qsort(snapshot->switches, snapshot->nr_switches,
              sizeof *snapshot->switches, compare_switches);
    for (i = 0; i < snapshot->nr_traffic; i++) {
        map_index(&snapshot->traffic[i].from, at);
        map_index(&snapshot->traffic[i].to, at);
    }
    for (i = 0; i < 2 * snapshot->nr_links; i++)
        map_index(&snapshot->links[i / 2].end[i % 2].domain, at);
    free(order);
    free(at);
    free(vcpu_at);
    free(numbers);
}

static bool floats(const struct snapshot_vcpu *vcpu)
{
    return vcpu->online && hwloc_bitmap_weight(vcpu->hard) != 1 &&
           hwloc_bitmap_weight(vcpu->soft) != 1;
}

void renumber_seen(struct snapshot *snapshot, uint64_t seed)
{
    struct snapshot_vcpu *vcpu;
    const struct snapshot_pcpu *pcpu;
    size_t i;

    for (i = 0; i < snapshot->nr_vcpus; i++) {
        vcpu = &snapshot->vcpus[i];
        pcpu = &snapshot->pcpus[generate_draw(&seed,
                                              (uint32_t)snapshot->nr_pcpus)];
        if (floats(vcpu) && pcpu->online)
            vcpu->pcpu = pcpu->os_index;
    }
}
