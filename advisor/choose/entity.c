/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vCPUs' part of the model: what is to be placed, and where it may be. */
#include "choose/entity.h"

#include "choose/isolate.h"
#include "choose/model.h"
#include "choose/model-parts.h"
#include "choose/policy.h"
#include "choose/reach.h"
#include "choose/resize.h"

#include <errno.h>
#include <math.h>
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

static enum choose_fixed fixed_why(const struct choose_model *model,
                                   size_t index)
{
    const struct snapshot_domain *domain = &model->snapshot->domains[index];
    const struct snapshot_pool *pool;

    if (domain->twin != SNAPSHOT_OUTSIDE)
        return CHOOSE_FIXED_TWIN;
    if (domain->domid == 0 || domain->backend)
        return model->settings->move_dom0 ? CHOOSE_MOVABLE
                                          : CHOOSE_FIXED_DOM0;
    if (choose_left_alone(model, index))
        return CHOOSE_FIXED_UNMANAGED;
    pool = snapshot_find_pool(model->snapshot, domain->pool);
    if (!pool || pool->granularity == SNAPSHOT_GRANULARITY_SOCKET)
        return CHOOSE_FIXED_GRANULARITY;
    if (choose_cooling(model, index, SNAPSHOT_OUTSIDE))
        return CHOOSE_FIXED_COOLDOWN;
    return CHOOSE_MOVABLE;
}

struct builder {
    struct choose_model *model;
    const struct choose_sizes *sizes;
    struct choose_reach reach;
};

bool choose_capped(const struct snapshot *snapshot,
                   const struct snapshot_domain *domain)
{
    const struct snapshot_vcpu *vcpu;
    double run = 0;

    SNAPSHOT_FOR_VCPUS(vcpu, snapshot, domain)
        run += vcpu->utilisation.value;
    return domain->cap && 100 * run >= 0.95 * domain->cap;
}

/* vCPUs of one sched unit: busy while any of them is. */
static void add_entity(const struct builder *b, size_t domain, uint32_t first,
                       uint32_t nr, enum choose_fixed fixed)
{
    struct choose_model *model = b->model;
    const struct snapshot_domain *d = &model->snapshot->domains[domain];
    struct choose_entity *entity = &model->entities[model->nr_entities++];
    double idle = 1, blocked = 1;
    const struct snapshot_vcpu *vcpu;
    uint32_t slot, i;

    entity->domain = domain;
    entity->vcpu = d->first_vcpu + first;
    entity->nr_vcpus = nr;
    entity->fixed = fixed;
    entity->home = choose_afloat(model);
    entity->pool = choose_reach_pool(&b->reach, d->pool);
    entity->isolated = choose_to_isolate(model, domain);
    for (i = 0; i < nr; i++) {
        vcpu = &model->snapshot->vcpus[entity->vcpu + i];
        if (!entity->fixed && !model->settings->override_pins &&
            (vcpu->hard_owner == SNAPSHOT_OWNER_ADMIN ||
             vcpu->soft_owner == SNAPSHOT_OWNER_ADMIN))
            entity->fixed = CHOOSE_FIXED_ADMIN;
        slot = vcpu->online ? choose_reach_bound(&b->reach, vcpu)
                            : UINT32_MAX;
        if (entity->home == choose_afloat(model) && slot != UINT32_MAX)
            entity->home = slot;
        idle *= 1 - choose_demand(vcpu);
        blocked *= 1 - fmin(1, vcpu->utilisation.source ==
                               SNAPSHOT_SOURCE_NONE ? CHOOSE_DEMAND_UNKNOWN
                                                    : vcpu->utilisation.value);
        if (vcpu->wait.source != SNAPSHOT_SOURCE_NONE)
            entity->wait = fmax(entity->wait, vcpu->wait.value);
    }
    entity->demand = 1 - idle;
    entity->run = 1 - blocked;
    if (d->cap)
        entity->demand = fmin(entity->demand, d->cap / 100.0 /
                              fmax(1, d->vcpus_online));
    if (choose_capped(model->snapshot, d))
        entity->wait = 0;
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

static void add_domain(const struct builder *b, size_t index)
{
    struct choose_model *model = b->model;
    const struct snapshot_domain *d = &model->snapshot->domains[index];
    uint32_t unit = unit_vcpus(model, d), first, nr, i;
    enum choose_fixed fixed = fixed_why(model, index);
    bool added, any_added;

    if (d->state == SNAPSHOT_DOMAIN_OTHER)
        return;
    for (first = 0; first < d->vcpus_max; first += unit) {
        any_added = false;
        for (nr = 0, i = 0; i < unit && first + i < d->vcpus_max; i++) {
            if (!online_after(model->snapshot, b->sizes, index, first + i,
                              &added))
                continue;
            nr = i + 1;
            any_added |= added;
        }
        if (!nr)
            continue;
        add_entity(b, index, first, nr, fixed);
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
        CHOOSE_FOR_DOMAIN(j, model, entity->domain) {
            other = &model->entities[j];
            if (other->added)
                continue;
            sum += other->demand;
            nr++;
        }
        entity->demand = nr ? sum / nr / 2 : CHOOSE_DEMAND_UNKNOWN;
        entity->run = entity->demand;
        entity->wait = 0;
        entity->home = choose_afloat(model);
    }
}

static void make_entities(const struct builder *b)
{
    struct choose_model *model = b->model;
    const struct snapshot *snapshot = model->snapshot;
    size_t i, domain;

    for (i = 0; i < snapshot->nr_domains; i++) {
        domain = snapshot->by_uuid[i];
        model->domain_first[domain] = model->nr_entities;
        add_domain(b, domain);
        model->domain_end[domain] = model->nr_entities;
    }
}

int choose_entities(struct choose_model *model,
                    const struct choose_sizes *sizes)
{
    const struct snapshot *snapshot = model->snapshot;
    struct builder b = { .model = model, .sizes = sizes };
    uint32_t i;
    int rc;

    model->entities = arena_get(&model->arena, snapshot->nr_vcpus,
                                sizeof *model->entities);
    model->domain_first = arena_get(&model->arena, snapshot->nr_domains,
                                    sizeof(uint32_t));
    model->domain_end = arena_get(&model->arena, snapshot->nr_domains,
                                  sizeof(uint32_t));
    rc = model->arena.failed ? -ENOMEM : choose_reach_new(&b.reach, model);
    if (rc)
        return rc;
    make_entities(&b);
    size_added(model);
    model->allowed = arena_get(&model->arena, model->nr_entities,
                               model->slot_bytes);
    model->roams = arena_get(&model->arena, model->nr_entities,
                             model->slot_bytes);
    model->hinders = arena_get(&model->arena, snapshot->nr_pools + 1,
                               sizeof(uint32_t));
    if (model->arena.failed)
        return -ENOMEM;
    for (i = 0; i < model->nr_entities; i++) {
        choose_reach_allowed(&b.reach, i);
        choose_reach_roams(&b.reach, i);
        model->nr_movable += !model->entities[i].fixed;
    }
    choose_isolable(model);
    return 0;
}
