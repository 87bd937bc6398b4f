/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/reach.h"

#include "choose/model.h"

#include <errno.h>
#include <string.h>

/*
 * Sets of slots, the same for most vCPUs of a cpupool: what the scheduler may
 * use, and of that what the plan may, for guests and for backends.
 */
enum { SET_POOL, SET_GUEST, SET_BACKEND, NR_SETS };

static void set_slot(uint8_t *set, uint32_t slot)
{
    set[slot / 8] = (uint8_t)(set[slot / 8] | 1u << slot % 8);
}

static bool any(const uint8_t *set, size_t bytes)
{
    while (bytes--)
        if (set[bytes])
            return true;
    return false;
}

/* The slot of a set of one; UINT32_MAX: more, or none. */
static uint32_t only(const struct choose_model *model, const uint8_t *set)
{
    uint32_t slot, found = UINT32_MAX;

    for (slot = 0; slot < model->nr_slots; slot++) {
        if (!(set[slot / 8] >> (slot % 8) & 1))
            continue;
        if (found != UINT32_MAX)
            return UINT32_MAX;
        found = slot;
    }
    return found;
}

static int make_sets(struct choose_reach *reach)
{
    const struct choose_model *model = reach->model;
    const struct settings *settings = model->settings;
    const struct choose_slot *s;
    uint8_t *sets;
    uint32_t slot;

    reach->sets = arena_get(&reach->model->arena,
                            model->snapshot->nr_pools * NR_SETS,
                            model->slot_bytes);
    if (!reach->sets)
        return -ENOMEM;
    for (slot = 0; slot < model->nr_slots; slot++) {
        s = &model->slots[slot];
        sets = reach->sets + s->pool * NR_SETS * model->slot_bytes;
        set_slot(sets + SET_POOL * model->slot_bytes, slot);
        if (hwloc_bitmap_intersects(s->pcpus, settings->banned_pcpus))
            continue;
        set_slot(sets + SET_BACKEND * model->slot_bytes, slot);
        if (!hwloc_bitmap_intersects(s->pcpus, settings->dom0_pcpus))
            set_slot(sets + SET_GUEST * model->slot_bytes, slot);
    }
    return 0;
}

uint32_t choose_reach_pool(const struct choose_reach *reach, uint32_t os_index)
{
    const struct snapshot *snapshot = reach->model->snapshot;
    const struct snapshot_pool *pool = snapshot_find_pool(snapshot, os_index);

    return pool ? (uint32_t)(pool - snapshot->pools) : UINT32_MAX;
}

static const uint8_t *set_of(const struct choose_reach *reach,
                             const struct choose_entity *entity, unsigned kind)
{
    if (entity->pool == UINT32_MAX)
        return NULL;
    return reach->sets + ((size_t)entity->pool * NR_SETS + kind) *
                         reach->model->slot_bytes;
}

/* Keep those of which some pCPU, or with whole each, is in the mask. */
static void restrict_set(const struct choose_model *model, uint8_t *set,
                         hwloc_const_bitmap_t mask, bool whole)
{
    const struct choose_slot *s;
    uint32_t slot;

    for (slot = 0; slot < model->nr_slots; slot++) {
        s = &model->slots[slot];
        if (!(set[slot / 8] >> (slot % 8) & 1) ||
            (whole ? hwloc_bitmap_isincluded(s->pcpus, mask)
                   : hwloc_bitmap_intersects(s->pcpus, mask)))
            continue;
        set[slot / 8] = (uint8_t)(set[slot / 8] & ~(1u << slot % 8));
    }
}

void choose_reach_allowed(const struct choose_reach *reach, uint32_t index)
{
    const struct choose_model *model = reach->model;
    struct choose_entity *entity = &model->entities[index];
    const struct snapshot_domain *domain =
        &model->snapshot->domains[entity->domain];
    const struct snapshot_vcpu *vcpu = &model->snapshot->vcpus[entity->vcpu];
    uint8_t *set = &model->allowed[index * model->slot_bytes];
    const uint8_t *from;

    from = set_of(reach, entity, domain->domid && !domain->backend
                                     ? SET_GUEST : SET_BACKEND);
    if (from)
        memcpy(set, from, model->slot_bytes);
    /* A hard mask that is not ours is respected even where moving within it
     * is allowed. */
    if (vcpu->hard_owner != SNAPSHOT_OWNER_SHMLINK &&
        !model->settings->override_pins && !hwloc_bitmap_isfull(vcpu->hard))
        restrict_set(model, set, vcpu->hard, true);
    if (!entity->fixed && !any(set, model->slot_bytes))
        entity->fixed = CHOOSE_FIXED_NOWHERE;
}

static hwloc_const_bitmap_t hard_of(const struct snapshot_vcpu *vcpu)
{
    return vcpu->hard_effective ? vcpu->hard_effective : vcpu->hard;
}

static hwloc_const_bitmap_t soft_of(const struct snapshot_vcpu *vcpu)
{
    return vcpu->soft_effective ? vcpu->soft_effective : vcpu->soft;
}

void choose_reach_roams(const struct choose_reach *reach, uint32_t index)
{
    const struct choose_model *model = reach->model;
    struct choose_entity *entity = &model->entities[index];
    const struct snapshot_vcpu *vcpu = &model->snapshot->vcpus[entity->vcpu];
    uint8_t *set = &model->roams[index * model->slot_bytes];
    const struct snapshot_pool *pool;
    const uint8_t *from;
    uint32_t slot;

    if (entity->home != choose_afloat(model))
        return;
    from = set_of(reach, entity, SET_POOL);
    if (!from)
        return;
    memcpy(set, from, model->slot_bytes);
    if (!hwloc_bitmap_isfull(hard_of(vcpu)))
        restrict_set(model, set, hard_of(vcpu), false);
    if (!hwloc_bitmap_isfull(soft_of(vcpu))) {
        restrict_set(model, set, soft_of(vcpu), false);
        /* A soft mask outside of the hard one is none. */
        if (!any(set, model->slot_bytes)) {
            memcpy(set, from, model->slot_bytes);
            if (!hwloc_bitmap_isfull(hard_of(vcpu)))
                restrict_set(model, set, hard_of(vcpu), false);
        }
    }
    entity->everywhere = !memcmp(set, from, model->slot_bytes);
    slot = only(model, set);
    pool = &model->snapshot->pools[entity->pool];
    /* One place is left to it: nothing is gained by saying so.  A socket that
     * is scheduled as a whole is no place that vCPUs share. */
    if (slot != UINT32_MAX && pool->granularity != SNAPSHOT_GRANULARITY_SOCKET)
        entity->home = slot;
}

/* The slot of a mask's first pCPU, if it has all of them. */
static uint32_t slot_of(const struct choose_reach *reach,
                        hwloc_const_bitmap_t mask)
{
    int first = hwloc_bitmap_first(mask);
    uint32_t slot = UINT32_MAX;

    if (first >= 0 && first < (int)SNAPSHOT_PCPUS_MAX)
        slot = reach->slots[first];
    if (slot != UINT32_MAX &&
        !hwloc_bitmap_isincluded(mask, reach->model->slots[slot].pcpus))
        slot = UINT32_MAX;
    return slot;
}

uint32_t choose_reach_bound(const struct choose_reach *reach,
                            const struct snapshot_vcpu *vcpu)
{
    uint32_t slot = slot_of(reach, hard_of(vcpu));

    if (slot == UINT32_MAX &&
        hwloc_bitmap_isincluded(soft_of(vcpu), hard_of(vcpu)))
        slot = slot_of(reach, soft_of(vcpu));
    return slot;
}

int choose_reach_new(struct choose_reach *reach, struct choose_model *model)
{
    unsigned pcpu;
    uint32_t slot;
    int rc;

    model->slot_bytes = (model->nr_slots + 7) / 8;
    reach->model = model;
    reach->slots = arena_get(&model->arena, SNAPSHOT_PCPUS_MAX,
                             sizeof *reach->slots);
    rc = reach->slots ? make_sets(reach) : -ENOMEM;
    if (rc)
        return rc;
    memset(reach->slots, 0xff, SNAPSHOT_PCPUS_MAX * sizeof *reach->slots);
    for (slot = 0; slot < model->nr_slots; slot++)
        hwloc_bitmap_foreach_begin(pcpu, model->slots[slot].pcpus)
            reach->slots[pcpu] = slot;
        hwloc_bitmap_foreach_end();
    return 0;
}

