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

bool choose_hinders(const struct choose_model *model,
                    const struct choose_entity *entity, size_t index)
{
    const struct snapshot_domain *domains = model->snapshot->domains;

    return entity->fixed && floats(model, entity) &&
           (entity->domain == index ||
            (!choose_trusted(model, entity->domain) &&
             domains[entity->domain].pool == domains[index].pool));
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
    uint32_t i;
    size_t d;

    for (d = 0; d < model->snapshot->nr_domains; d++) {
        if (!choose_to_isolate(model, d))
            continue;
        for (i = 0; i < model->nr_entities; i++)
            if (choose_hinders(model, &model->entities[i], d))
                break;
        if (i < model->nr_entities)
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
