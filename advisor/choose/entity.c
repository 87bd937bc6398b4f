/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vCPUs' part of the model: what is to be placed, and where it may be. */
#include "choose/entity.h"

#include "choose/model.h"
#include "choose/policy.h"
#include "choose/resize.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double choose_demand(const struct snapshot_vcpu *vcpu)
{
    double run = vcpu->utilisation.value, wait = vcpu->wait.value, block;

    if (vcpu->utilisation.source == SNAPSHOT_SOURCE_NONE)
        return CHOOSE_DEMAND_UNKNOWN;
    if (vcpu->wait.source == SNAPSHOT_SOURCE_NONE || run <= 0)
        return fmin(run, 1);
    block = fmax(0, 1 - run - wait);
    return fmin(run / (run + block), 1);
}

/* See model.h: rigidity. */
static double rigidity(const struct snapshot_vcpu *vcpu)
{
    double run = vcpu->utilisation.value, wait = vcpu->wait.value;

    if (vcpu->utilisation.source == SNAPSHOT_SOURCE_NONE ||
        vcpu->wait.source == SNAPSHOT_SOURCE_NONE)
        return CHOOSE_RIGIDITY_UNKNOWN;
    if (run + wait <= 0)
        return CHOOSE_RIGIDITY_MIN;
    return fmin(1, fmax(CHOOSE_RIGIDITY_MIN, 4 * wait / (run + wait)));
}

/* Slot with this pCPU, or UINT32_MAX. */
static uint32_t slot_of(const uint32_t *slots, uint32_t pcpu)
{
    return pcpu < SNAPSHOT_PCPUS_MAX ? slots[pcpu] : UINT32_MAX;
}

static enum choose_fixed fixed_why(const struct choose_model *model,
                                   const struct choose_history *history,
                                   size_t index)
{
    const struct snapshot_domain *domain = &model->snapshot->domains[index];
    const struct settings *settings = model->settings;
    const struct snapshot_pool *pool;

    if (choose_twin(model->snapshot, index) != SNAPSHOT_OUTSIDE)
        return CHOOSE_FIXED_TWIN;
    if (domain->domid == 0 || domain->backend)
        return settings->move_dom0 ? CHOOSE_MOVABLE : CHOOSE_FIXED_DOM0;
    if (choose_left_alone(model->snapshot, settings, index))
        return CHOOSE_FIXED_UNMANAGED;
    pool = snapshot_find_pool(model->snapshot, domain->pool);
    if (!pool || pool->granularity == SNAPSHOT_GRANULARITY_SOCKET)
        return CHOOSE_FIXED_GRANULARITY;
    if (choose_cooling(model->snapshot, settings, history, index,
                       SNAPSHOT_OUTSIDE))
        return CHOOSE_FIXED_COOLDOWN;
    return CHOOSE_MOVABLE;
}

/* May this vCPU be put on the slot? */
static bool slot_allowed(const struct choose_model *model,
                         const struct snapshot_vcpu *vcpu,
                         const struct snapshot_domain *domain,
                         const struct choose_slot *slot)
{
    const struct settings *settings = model->settings;
    const struct snapshot *snapshot = model->snapshot;

    if (snapshot->pools[slot->pool].os_index != domain->pool ||
        hwloc_bitmap_intersects(slot->pcpus, settings->banned_pcpus))
        return false;
    if (domain->domid && !domain->backend &&
        hwloc_bitmap_intersects(slot->pcpus, settings->dom0_pcpus))
        return false;
    /* A hard mask that is not ours is respected even where moving within it
     * is allowed. */
    if (vcpu->hard_owner != SNAPSHOT_OWNER_SHMLINK &&
        !settings->override_pins && !hwloc_bitmap_isfull(vcpu->hard) &&
        !hwloc_bitmap_isincluded(slot->pcpus, vcpu->hard))
        return false;
    return true;
}

static void set_allowed(struct choose_model *model, uint32_t index)
{
    struct choose_entity *entity = &model->entities[index];
    const struct snapshot *snapshot = model->snapshot;
    uint8_t *bits = &model->allowed[index * model->allowed_bytes];
    uint32_t slot, nr = 0;

    for (slot = 0; slot < model->nr_slots; slot++) {
        if (!slot_allowed(model, &snapshot->vcpus[entity->vcpu],
                          &snapshot->domains[entity->domain],
                          &model->slots[slot]))
            continue;
        bits[slot / 8] = (uint8_t)(bits[slot / 8] | 1u << slot % 8);
        nr++;
    }
    if (!nr && !entity->fixed)
        entity->fixed = CHOOSE_FIXED_NOWHERE;
}

/*
 * The slot to which its affinity binds it, so that the scheduler cannot help
 * it; UINT32_MAX: it may be on several.
 */
static uint32_t bound_slot(const struct choose_model *model,
                           const struct snapshot_vcpu *vcpu,
                           const uint32_t *slots)
{
    hwloc_const_bitmap_t hard = vcpu->hard_effective ? vcpu->hard_effective
                                                     : vcpu->hard;
    hwloc_const_bitmap_t soft = vcpu->soft_effective ? vcpu->soft_effective
                                                     : vcpu->soft;
    int first = hwloc_bitmap_first(hard);
    uint32_t slot;

    slot = first < 0 ? UINT32_MAX : slot_of(slots, (uint32_t)first);
    if (slot != UINT32_MAX &&
        hwloc_bitmap_isincluded(hard, model->slots[slot].pcpus))
        return slot;
    first = hwloc_bitmap_first(soft);
    slot = first < 0 ? UINT32_MAX : slot_of(slots, (uint32_t)first);
    if (slot != UINT32_MAX &&
        hwloc_bitmap_isincluded(soft, model->slots[slot].pcpus) &&
        hwloc_bitmap_isincluded(soft, hard))
        return slot;
    return UINT32_MAX;
}

/* vCPUs of one sched unit: busy while any of them is. */
static void add_entity(struct choose_model *model, const uint32_t *slots,
                       size_t domain, uint32_t first, uint32_t nr,
                       enum choose_fixed fixed)
{
    const struct snapshot_domain *d = &model->snapshot->domains[domain];
    struct choose_entity *entity = &model->entities[model->nr_entities];
    const struct snapshot_vcpu *vcpu;
    double idle = 1, rigid = 0;
    uint32_t slot, i;

    entity->domain = domain;
    entity->vcpu = d->first_vcpu + first;
    entity->nr_vcpus = nr;
    entity->fixed = fixed;
    entity->home = UINT32_MAX;
    entity->isolated = d->isolated ||
        choose_listed(d, model->settings->isolated,
                      model->settings->nr_isolated);
    for (i = 0; i < nr; i++) {
        vcpu = &model->snapshot->vcpus[entity->vcpu + i];
        if (!entity->fixed && !model->settings->override_pins &&
            (vcpu->hard_owner == SNAPSHOT_OWNER_ADMIN ||
             vcpu->soft_owner == SNAPSHOT_OWNER_ADMIN))
            entity->fixed = CHOOSE_FIXED_ADMIN;
        slot = bound_slot(model, vcpu, slots);
        rigid = fmax(rigid, slot != UINT32_MAX ? 1 : rigidity(vcpu));
        entity->bound |= slot != UINT32_MAX;
        if (entity->home == UINT32_MAX)
            entity->home = slot != UINT32_MAX ? slot
                                              : slot_of(slots, vcpu->pcpu);
        idle *= 1 - choose_demand(vcpu);
    }
    entity->demand = 1 - idle;
    if (d->cap)
        entity->demand = fmin(entity->demand, d->cap / 100.0 /
                              fmax(1, d->vcpus_online));
    entity->weight = entity->demand * rigid;
    entity->presence = CHOOSE_PRESENCE * rigid;
    model->nr_entities++;
}

/* vCPUs that Xen schedules as one: the threads of a core, where the pool
 * says so; a socket's are not worth telling apart, nothing moves there. */
static uint32_t unit_vcpus(const struct choose_model *model,
                           const struct snapshot_domain *domain)
{
    const struct snapshot_pool *pool;
    uint32_t i;

    pool = snapshot_find_pool(model->snapshot, domain->pool);
    if (!pool || pool->granularity != SNAPSHOT_GRANULARITY_CORE)
        return 1;
    for (i = 0; i < model->nr_slots; i++)
        if (&model->snapshot->pools[model->slots[i].pool] == pool)
            return (uint32_t)hwloc_bitmap_weight(model->slots[i].pcpus);
    return 1;
}

static bool online_after(const struct snapshot *snapshot,
                         const struct choose_sizes *sizes, size_t domain,
                         uint32_t vcpuid, bool *added)
{
    const struct snapshot_domain *d = &snapshot->domains[domain];
    bool online = snapshot->vcpus[d->first_vcpu + vcpuid].online;
    bool after = online;

    /* xl vcpu-set makes the lowest numbers online. */
    if (sizes && sizes->online[domain] != d->vcpus_online)
        after = vcpuid < sizes->online[domain];
    *added = after && !online;
    return after;
}

static void add_domain(struct choose_model *model, const uint32_t *slots,
                       const struct choose_history *history,
                       const struct choose_sizes *sizes, size_t index)
{
    const struct snapshot_domain *d = &model->snapshot->domains[index];
    uint32_t unit = unit_vcpus(model, d), first, nr, i;
    enum choose_fixed fixed = fixed_why(model, history, index);
    bool added, any_added;

    if (d->state == SNAPSHOT_DOMAIN_OTHER)
        return;
    for (first = 0; first < d->vcpus_max; first += unit) {
        any_added = false;
        for (nr = 0, i = 0; i < unit && first + i < d->vcpus_max; i++) {
            if (!online_after(model->snapshot, sizes, index, first + i,
                              &added))
                continue;
            nr = i + 1;
            any_added |= added;
        }
        if (!nr)
            continue;
        add_entity(model, slots, index, first, nr, fixed);
        if (any_added)
            model->entities[model->nr_entities - 1].added = true;
    }
}

/* Half of what one of the others of its VM demands: a guess, kept small. */
static void size_added(struct choose_model *model)
{
    struct choose_entity *entity, *other;
    uint32_t i, j, nr;
    double sum;

    for (i = 0; i < model->nr_entities; i++) {
        entity = &model->entities[i];
        if (!entity->added)
            continue;
        sum = 0;
        nr = 0;
        for (j = model->domain_first[entity->domain];
             j < model->domain_first[entity->domain + 1]; j++) {
            other = &model->entities[j];
            if (other->added)
                continue;
            sum += other->demand;
            nr++;
        }
        entity->demand = nr ? sum / nr / 2 : CHOOSE_DEMAND_UNKNOWN;
        entity->weight = entity->demand * CHOOSE_RIGIDITY_MIN;
        entity->presence = CHOOSE_PRESENCE * CHOOSE_RIGIDITY_MIN;
        entity->home = UINT32_MAX;
        entity->bound = false;
    }
}

/* Entities that were seen nowhere start where there is least to wait. */
static void house_rest(struct choose_model *model)
{
    struct choose_entity *entity;
    double *load, best;
    uint32_t i, slot, home;

    load = calloc(model->nr_slots, sizeof *load);
    for (i = 0; load && i < model->nr_entities; i++)
        if (model->entities[i].home != UINT32_MAX)
            load[model->entities[i].home] += model->entities[i].weight;
    for (i = 0; i < model->nr_entities; i++) {
        entity = &model->entities[i];
        if (entity->home != UINT32_MAX)
            continue;
        home = 0;
        best = INFINITY;
        for (slot = 0; load && slot < model->nr_slots; slot++)
            if (load[slot] < best && (choose_allowed(model, i, slot) ||
                                      entity->fixed == CHOOSE_FIXED_NOWHERE)) {
                best = load[slot];
                home = slot;
            }
        entity->home = home;
        if (load)
            load[home] += entity->weight;
    }
    free(load);
}

int choose_entities(struct choose_model *model,
                    const struct choose_history *history,
                    const struct choose_sizes *sizes)
{
    const struct snapshot *snapshot = model->snapshot;
    uint32_t *slots, i;
    unsigned pcpu;
    size_t domain;

    slots = calloc(SNAPSHOT_PCPUS_MAX, sizeof *slots);
    model->entities = calloc(snapshot->nr_vcpus + 1, sizeof *model->entities);
    model->domain_first = calloc(snapshot->nr_domains + 1, sizeof(uint32_t));
    if (!slots || !model->entities || !model->domain_first) {
        free(slots);
        return -ENOMEM;
    }
    memset(slots, 0xff, SNAPSHOT_PCPUS_MAX * sizeof *slots);
    for (i = 0; i < model->nr_slots; i++)
        hwloc_bitmap_foreach_begin(pcpu, model->slots[i].pcpus)
            slots[pcpu] = i;
        hwloc_bitmap_foreach_end();
    for (domain = 0; domain < snapshot->nr_domains; domain++) {
        model->domain_first[domain] = model->nr_entities;
        add_domain(model, slots, history, sizes, domain);
    }
    model->domain_first[domain] = model->nr_entities;
    free(slots);

    model->allowed_bytes = (model->nr_slots + 7) / 8;
    model->allowed = calloc((size_t)model->nr_entities + 1,
                            model->allowed_bytes);
    if (!model->allowed)
        return -ENOMEM;
    for (i = 0; i < model->nr_entities; i++) {
        set_allowed(model, i);
        model->nr_movable += !model->entities[i].fixed;
    }
    size_added(model);
    house_rest(model);
    return 0;
}
