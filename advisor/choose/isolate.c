/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/isolate.h"

#include "choose/model.h"
#include "choose/placement.h"
#include "choose/policy.h"
#include "choose/steps.h"
#include "choose/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct isolation {
    struct plan *plan;
    const struct choose_model *model;
    const struct choose_placement *after;
    hwloc_bitmap_t *cores;	/* [nr_domains] pCPUs of each; NULL: it is not
				   to be isolated */
    char **why;			/* [nr_domains] what is in the way, or NULL */
    hwloc_bitmap_t claimed;	/* all cores[] */
    hwloc_bitmap_t all;		/* those of them with nothing in the way */
    hwloc_bitmap_t want;	/* work space */
    char text[256];		/* why others are kept off */
    uint32_t nr_pins;
    bool planned;		/* something of it is this plan's doing */
    bool dom0;			/* may run on all */
};

static const struct snapshot_vcpu *vcpu_of(const struct choose_model *model,
                                           const struct choose_entity *entity,
                                           uint32_t i)
{
    return &model->snapshot->vcpus[entity->vcpu + i];
}

/* What is in the way; the first reason stays. */
static void hinder(struct isolation *in, size_t index, const char *name,
                   const char *reason)
{
    if (in->why[index] || asprintf(&in->why[index], "%s %s", name, reason) >= 0)
        return;
    in->why[index] = NULL;
    in->plan->no_memory = true;
}

static void hinder_moves(struct isolation *in, size_t index, uint32_t pins,
                         uint32_t allowed)
{
    char reason[96];

    snprintf(reason, sizeof reason, "needs %u vCPUs pinned, its own and "
             "others', and max-moves allows %u", pins, allowed);
    hinder(in, index, in->model->snapshot->domains[index].name, reason);
}

/* The hard affinity with the plan's pins. */
static hwloc_const_bitmap_t hard_after(const struct isolation *in,
                                       uint32_t index,
                                       const struct snapshot_vcpu *vcpu)
{
    const struct choose_model *model = in->model;
    uint32_t slot = in->after->slot[index];
    const struct choose_entity *entity = &model->entities[index];

    if (slot != entity->home && slot < model->nr_slots &&
        choose_pin_hard(model, entity, vcpu, model->slots[slot].pcpus))
        return model->slots[slot].pcpus;
    return vcpu->hard;
}

/* The cores that the VM has to itself, and those that have none. */
static void find_cores(struct isolation *in, size_t index)
{
    const struct choose_model *model = in->model;
    uint32_t i, slot, t;

    in->cores[index] = hwloc_bitmap_alloc();
    if (!in->cores[index]) {
        in->plan->no_memory = true;
        return;
    }
    i = choose_hinderer(model, index);
    if (i < model->nr_entities)
        hinder(in, index, model->snapshot->
               domains[model->entities[i].domain].name,
               "may run anywhere and is left alone");
    CHOOSE_FOR_DOMAIN(i, model, index) {
        slot = in->after->slot[i];
        if (slot == choose_afloat(model))
            hinder_moves(in, index, model->isolation_pins,
                         model->settings->max_moves);
        else
            CHOOSE_FOR_CORE(t, model, model->slots[slot].core)
                hwloc_bitmap_or(in->cores[index], in->cores[index],
                                model->slots[t].pcpus);
    }
    hwloc_bitmap_or(in->claimed, in->claimed, in->cores[index]);
}

/* Does this keep it off others' cores, by our doing, and not put it on one? */
static bool kept_off(const struct choose_model *model,
                     const struct choose_entity *entity,
                     const struct snapshot_vcpu *vcpu)
{
    return vcpu->hard_owner == SNAPSHOT_OWNER_SHMLINK &&
           !hwloc_bitmap_isfull(vcpu->hard) &&
           (entity->home >= model->nr_slots ||
            !hwloc_bitmap_isincluded(vcpu->hard,
                                     model->slots[entity->home].pcpus));
}

/*
 * Where the vCPU may run if it is kept off what others have to themselves, to
 * in->want; false: as it does.  What keeps it off cores that nobody claims any
 * more is taken back.
 */
static bool wants(const struct isolation *in, uint32_t index,
                  const struct snapshot_vcpu *vcpu, hwloc_const_bitmap_t hard,
                  hwloc_const_bitmap_t pool)
{
    bool ours = hard == vcpu->hard &&
                kept_off(in->model, &in->model->entities[index], vcpu);
    bool free = hwloc_bitmap_isfull(hard) || ours;

    hwloc_bitmap_copy(in->want, free ? pool : hard);
    if (ours) {
        hwloc_bitmap_andnot(in->want, in->want, in->claimed);
        hwloc_bitmap_or(in->want, in->want, hard);
    }
    if (hwloc_bitmap_intersects(in->want, in->all))
        hwloc_bitmap_andnot(in->want, in->want, in->all);
    else if (free && hwloc_bitmap_isincluded(pool, in->want))
        hwloc_bitmap_fill(in->want);
    return !hwloc_bitmap_isequal(in->want, hard);
}

/* Of all VMs whose cores the vCPU may run on. */
static void hinder_all(struct isolation *in, hwloc_const_bitmap_t hard,
                       size_t domain, const char *reason)
{
    const struct snapshot *snapshot = in->model->snapshot;
    size_t d;

    for (d = 0; d < snapshot->nr_domains; d++)
        if (in->cores[d] && d != domain &&
            hwloc_bitmap_intersects(in->cores[d], hard))
            hinder(in, d, snapshot->domains[domain].name, reason);
}

/* One vCPU of a VM that is not isolated; add: make the step, else only look. */
static void keep_off(struct isolation *in, uint32_t index,
                     const struct snapshot_vcpu *vcpu, bool add)
{
    const struct choose_entity *entity = &in->model->entities[index];
    const struct snapshot *snapshot = in->model->snapshot;
    const struct snapshot_pool *pool =
        snapshot_find_pool(snapshot, snapshot->domains[entity->domain].pool);
    hwloc_const_bitmap_t hard = hard_after(in, index, vcpu);

    if (!pool || !wants(in, index, vcpu, hard, pool->pcpus))
        return;
    in->nr_pins += in->after->slot[index] == entity->home;
    if (add)
        choose_add_pin(in->plan, snapshot, vcpu, true, in->want,
                       PLAN_REASON_ISOLATION, NULL,
                       hwloc_bitmap_intersects(hard, in->all) ? in->text :
                       "no isolated VM has the other pCPUs any more", 0);
    else if (entity->fixed)
        hinder_all(in, hard, entity->domain,
                   "is to be left alone and may run on its cores");
    else if (hwloc_bitmap_iszero(in->want) ||
             !hwloc_bitmap_intersects(in->want, pool->pcpus))
        hinder_all(in, hard, entity->domain, "would have no pCPU left");
}

/* One vCPU of a VM that is: hard on its place. */
static void hold(struct isolation *in, uint32_t index,
                 const struct snapshot_vcpu *vcpu, bool add)
{
    const struct choose_model *model = in->model;
    const struct choose_entity *entity = &model->entities[index];
    const struct choose_slot *slot = &model->slots[in->after->slot[index]];
    hwloc_const_bitmap_t hard = hard_after(in, index, vcpu);

    in->planned |= hard != vcpu->hard;
    if (hwloc_bitmap_isincluded(hard, in->cores[entity->domain]))
        return;
    in->nr_pins++;
    if (add)
        choose_add_pin(in->plan, model->snapshot, vcpu, true, slot->pcpus,
                       PLAN_REASON_ISOLATION, NULL,
                       "is isolated: kept where it runs alone", 0);
    else if (entity->fixed)
        hinder(in, entity->domain, model->snapshot->
               domains[entity->domain].name, "has affinities that are to be "
               "left alone");
}

static bool isolated(const struct isolation *in, size_t domain)
{
    return in->cores[domain] && !in->why[domain];
}

static void each_vcpu(struct isolation *in, bool add)
{
    const struct choose_model *model = in->model;
    const struct choose_entity *entity;
    const struct snapshot_vcpu *vcpu;
    uint32_t i, j;

    in->nr_pins = 0;
    for (i = 0; i < model->nr_entities; i++) {
        entity = &model->entities[i];
        for (j = 0; j < entity->nr_vcpus; j++) {
            vcpu = vcpu_of(model, entity, j);
            if (isolated(in, entity->domain))
                hold(in, i, vcpu, add);
            else if (!choose_trusted(model, entity->domain))
                keep_off(in, i, vcpu, add);
            else
                in->dom0 |= hwloc_bitmap_intersects(vcpu->hard, in->all);
        }
    }
}

static void gather(struct isolation *in)
{
    char list[128];
    size_t d;

    hwloc_bitmap_zero(in->all);
    for (d = 0; d < in->model->snapshot->nr_domains; d++)
        if (isolated(in, d))
            hwloc_bitmap_or(in->all, in->all, in->cores[d]);
    hwloc_bitmap_list_snprintf(list, sizeof list, in->all);
    snprintf(in->text, sizeof in->text, "kept off pCPUs %s, which isolated "
             "VMs have for themselves", list);
}

/* Look again, as what is in the way of one VM changes what others need. */
static void look(struct isolation *in)
{
    size_t d, before, after = SIZE_MAX;

    do {
        before = after;
        gather(in);
        each_vcpu(in, false);
        for (after = 0, d = 0; d < in->model->snapshot->nr_domains; d++)
            after += isolated(in, d);
    } while (after != before);
}

/* All or nothing, within what may be pinned at once. */
static bool decide(struct isolation *in)
{
    uint32_t moves = in->model->settings->max_moves, left;
    size_t d;

    look(in);
    left = in->after->nr_moved < moves ? moves - in->after->nr_moved : 0;
    if (in->nr_pins > left) {
        for (d = 0; d < in->model->snapshot->nr_domains; d++)
            if (in->cores[d])
                hinder_moves(in, d, in->nr_pins, left);
        look(in);
    }
    return in->nr_pins <= left;
}

static void note(struct isolation *in, size_t index)
{
    const struct snapshot *snapshot = in->model->snapshot;
    const char *name = snapshot->domains[index].name;
    char *list = NULL;

    if (in->why[index])
        choose_add_note(in->plan, snapshot, PLAN_NOTE_ISOLATED, index,
                        "%s is NOT isolated: %s", name, in->why[index]);
    else if (hwloc_bitmap_list_asprintf(&list, in->cores[index]) < 0)
        in->plan->no_memory = true;
    else
        choose_add_note(in->plan, snapshot, PLAN_NOTE_ISOLATED, index,
                        "%s is isolated, %s: pCPUs %s are for it alone%s",
                        name, in->nr_pins || in->planned ? "with this plan" :
                        "as it is", list,
                        in->dom0 ? ", but for dom0 (move-dom0)" : "");
    free(list);
}

/* Is there anything to do, or to take back? */
static bool concerned(const struct choose_model *model)
{
    uint32_t i, j;
    size_t d;

    for (d = 0; d < model->snapshot->nr_domains; d++)
        if (choose_to_isolate(model, d))
            return true;
    for (i = 0; i < model->nr_entities; i++)
        for (j = 0; j < model->entities[i].nr_vcpus; j++)
            if (kept_off(model, &model->entities[i],
                         vcpu_of(model, &model->entities[i], j)))
                return true;
    return false;
}

static void isolate(struct isolation *in)
{
    const struct choose_model *model = in->model;
    size_t d, nr = model->snapshot->nr_domains;

    for (d = 0; d < nr; d++)
        if (choose_to_isolate(model, d) &&
            model->domain_first[d] < model->domain_end[d])
            find_cores(in, d);
    if (decide(in))
        each_vcpu(in, true);
    for (d = 0; d < nr; d++)
        if (in->cores[d])
            note(in, d);
}

void choose_isolate(struct plan *plan, const struct choose_placement *after)
{
    size_t nr = after->model->snapshot->nr_domains, d;
    struct isolation in = {
        .plan = plan, .model = after->model, .after = after,
        .cores = calloc(nr + 1, sizeof *in.cores),
        .why = calloc(nr + 1, sizeof *in.why),
        .claimed = hwloc_bitmap_alloc(), .all = hwloc_bitmap_alloc(),
        .want = hwloc_bitmap_alloc(),
    };

    if (!in.cores || !in.why || !in.claimed || !in.all || !in.want)
        plan->no_memory = true;
    else if (concerned(after->model))
        isolate(&in);
    for (d = 0; d < nr && in.cores && in.why; d++) {
        hwloc_bitmap_free(in.cores[d]);
        free(in.why[d]);
    }
    free(in.cores);
    free(in.why);
    hwloc_bitmap_free(in.claimed);
    hwloc_bitmap_free(in.all);
    hwloc_bitmap_free(in.want);
}
