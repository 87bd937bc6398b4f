/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which VMs can be isolated at all. */
#include "choose/isolate.h"

#include "choose/model.h"
#include "choose/policy.h"

bool choose_trusted(const struct choose_model *model, size_t index)
{
    const struct snapshot_domain *domain = &model->snapshot->domains[index];

    return (!domain->domid || domain->backend) && !model->settings->move_dom0;
}

static bool floats(const struct choose_model *model,
                   const struct choose_entity *entity)
{
    const struct snapshot_vcpu *vcpu = &model->snapshot->vcpus[entity->vcpu];
    uint32_t i;

    for (i = 0; i < entity->nr_vcpus; i++, vcpu++)
        if (hwloc_bitmap_isfull(vcpu->hard))
            return true;
    return false;
}

/* In model->hinders. */
static size_t pool_of(const struct choose_model *model, uint32_t entity)
{
    size_t nr = model->snapshot->nr_pools;

    return model->entities[entity].pool < nr ? model->entities[entity].pool
                                             : nr;
}

static bool hinders(const struct choose_model *model, uint32_t entity)
{
    return model->entities[entity].fixed &&
           floats(model, &model->entities[entity]);
}

static void find_hinderers(struct choose_model *model)
{
    size_t pool;
    uint32_t i;

    for (pool = 0; pool <= model->snapshot->nr_pools; pool++)
        model->hinders[pool] = model->nr_entities;
    for (i = model->nr_entities; i-- > 0;)
        if (hinders(model, i) &&
            !choose_trusted(model, model->entities[i].domain))
            model->hinders[pool_of(model, i)] = i;
}

uint32_t choose_hinderer(const struct choose_model *model, size_t index)
{
    uint32_t i = model->domain_first[index], end = model->domain_end[index];
    uint32_t first = i < end ? model->hinders[pool_of(model, i)]
                             : model->nr_entities;

    while (i < end && !hinders(model, i))
        i++;
    return i < end && i < first ? i : first;
}

/* Nothing is done for it; where it is pinned already, nobody is put there. */
static void unmark(struct choose_model *model, size_t domain)
{
    bool free = false;
    uint32_t i;

    CHOOSE_FOR_DOMAIN(i, model, domain)
        free |= floats(model, &model->entities[i]);
    CHOOSE_FOR_DOMAIN(i, model, domain)
        model->entities[i].isolated &= !free;
}

/* vCPUs that float and are to be pinned, or kept off. */
static void count(struct choose_model *model)
{
    const struct choose_entity *entity;
    uint32_t i;

    for (i = 0; i < model->nr_entities; i++) {
        entity = &model->entities[i];
        if (!floats(model, entity) || choose_trusted(model, entity->domain))
            continue;
        model->isolation_pins += entity->nr_vcpus;
        if (!entity->isolated)
            model->isolation_others += entity->nr_vcpus;
    }
}

void choose_isolable(struct choose_model *model)
{
    bool any = false;
    size_t d;

    find_hinderers(model);
    for (d = 0; d < model->snapshot->nr_domains; d++) {
        if (!choose_to_isolate(model, d) ||
            model->domain_first[d] == model->domain_end[d])
            continue;
        if (choose_hinderer(model, d) < model->nr_entities)
            unmark(model, d);
        else
            any = true;
    }
    if (any)
        count(model);
    if (model->isolation_pins <= model->settings->max_moves)
        return;
    model->isolation_others = 0;
    for (d = 0; d < model->snapshot->nr_domains; d++)
        unmark(model, d);
}
