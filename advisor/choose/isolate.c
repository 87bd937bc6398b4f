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

/* What is in the way; the first reason stays.  NULL format: nothing. */
static int hinder(struct isolation *in, size_t index, const char *name,
                  const char *reason)
{
    if (in->why[index])
        return 0;
    if (asprintf(&in->why[index], "%s %s", name, reason) < 0) {
        in->why[index] = NULL;
        return -ENOMEM;
    }
    return 0;
}

static int hinder_moves(struct isolation *in, size_t index, uint32_t pins,
                        uint32_t allowed)
{
    char reason[96];

    snprintf(reason, sizeof reason, "needs %u vCPUs pinned, its own and "
             "others', and max-moves allows %u", pins, allowed);
    return hinder(in, index, in->model->snapshot->domains[index].name, reason);
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

static void add_core(const struct choose_model *model, hwloc_bitmap_t set,
                     uint32_t core)
{
    uint32_t slot;

    for (slot = model->core_first[core]; slot < model->core_first[core + 1];
         slot++)
        hwloc_bitmap_or(set, set, model->slots[slot].pcpus);
}

/* The cores that the VM has to itself, and those that have none. */
static int find_cores(struct isolation *in, size_t index)
{
    const struct choose_model *model = in->model;
    uint32_t i, slot;
    int rc = 0;

    in->cores[index] = hwloc_bitmap_alloc();
    if (!in->cores[index])
        return -ENOMEM;
    for (i = 0; i < model->nr_entities && !rc; i++)
        if (choose_hinders(model, &model->entities[i], index))
            rc = hinder(in, index, model->snapshot->
                        domains[model->entities[i].domain].name,
                        "may run anywhere and is left alone");
    for (i = model->domain_first[index];
         i < model->domain_end[index] && !rc; i++) {
        slot = in->after->slot[i];
        if (slot < model->nr_slots)
            add_core(model, in->cores[index], model->slots[slot].core);
        else
            rc = hinder_moves(in, index, model->isolation_pins,
                              model->settings->max_moves);
    }
    hwloc_bitmap_or(in->claimed, in->claimed, in->cores[index]);
    return rc;
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
static int hinder_all(struct isolation *in, hwloc_const_bitmap_t hard,
                      size_t domain, const char *reason)
{
    const struct snapshot *snapshot = in->model->snapshot;
    int rc = 0;
    size_t d;

    for (d = 0; d < snapshot->nr_domains && !rc; d++)
        if (in->cores[d] && d != domain &&
            hwloc_bitmap_intersects(in->cores[d], hard))
            rc = hinder(in, d, snapshot->domains[domain].name, reason);
    return rc;
}

/* One vCPU of a VM that is not isolated; add: make the step, else only look. */
static int keep_off(struct isolation *in, uint32_t index,
                    const struct snapshot_vcpu *vcpu, bool add)
{
    const struct choose_entity *entity = &in->model->entities[index];
    const struct snapshot *snapshot = in->model->snapshot;
    const struct snapshot_pool *pool =
        snapshot_find_pool(snapshot, snapshot->domains[entity->domain].pool);
    hwloc_const_bitmap_t hard = hard_after(in, index, vcpu);
    bool off;

    if (!pool || !wants(in, index, vcpu, hard, pool->pcpus))
        return 0;
    off = hwloc_bitmap_intersects(hard, in->all);
    in->nr_pins += in->after->slot[index] == entity->home;
    if (add)
        return choose_add_pin(in->plan, snapshot, vcpu, true, in->want,
                              PLAN_REASON_ISOLATION, NULL, off ? in->text :
                              "no isolated VM has the other pCPUs any more",
                              0);
    if (entity->fixed)
        return hinder_all(in, hard, entity->domain,
                          "is to be left alone and may run on its cores");
    if (hwloc_bitmap_iszero(in->want) ||
        !hwloc_bitmap_intersects(in->want, pool->pcpus))
        return hinder_all(in, hard, entity->domain,
                          "would have no pCPU left");
    return 0;
}

/* One vCPU of a VM that is: hard on its place. */
static int hold(struct isolation *in, uint32_t index,
                const struct snapshot_vcpu *vcpu, bool add)
{
    const struct choose_model *model = in->model;
    const struct choose_entity *entity = &model->entities[index];
    const struct choose_slot *slot = &model->slots[in->after->slot[index]];

    in->planned |= hard_after(in, index, vcpu) != vcpu->hard;
    if (hwloc_bitmap_isincluded(hard_after(in, index, vcpu),
                                in->cores[entity->domain]))
        return 0;
    in->nr_pins++;
    if (add)
        return choose_add_pin(in->plan, model->snapshot, vcpu, true,
                              slot->pcpus, PLAN_REASON_ISOLATION, NULL,
                              "is isolated: kept where it runs alone", 0);
    if (entity->fixed)
        return hinder(in, entity->domain, model->snapshot->
                      domains[entity->domain].name, "has affinities that are "
                      "to be left alone");
    return 0;
}

static bool isolated(const struct isolation *in, size_t domain)
{
    return in->cores[domain] && !in->why[domain];
}

static int each_vcpu(struct isolation *in, bool add)
{
    const struct choose_model *model = in->model;
    const struct choose_entity *entity;
    const struct snapshot_vcpu *vcpu;
    uint32_t i, j;
    int rc = 0;

    in->nr_pins = 0;
    for (i = 0; i < model->nr_entities && !rc; i++) {
        entity = &model->entities[i];
        for (j = 0; j < entity->nr_vcpus && !rc; j++) {
            vcpu = vcpu_of(model, entity, j);
            if (isolated(in, entity->domain))
                rc = hold(in, i, vcpu, add);
            else if (!choose_trusted(model, entity->domain))
                rc = keep_off(in, i, vcpu, add);
            else
                in->dom0 |= hwloc_bitmap_intersects(vcpu->hard, in->all);
        }
    }
    return rc;
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
static int look(struct isolation *in)
{
    size_t d, before, after = SIZE_MAX;
    int rc = 0;

    do {
        before = after;
        gather(in);
        rc = each_vcpu(in, false);
        for (after = 0, d = 0; d < in->model->snapshot->nr_domains; d++)
            after += isolated(in, d);
    } while (!rc && after != before);
    return rc;
}

/* All or nothing, within what may be pinned at once. */
static int decide(struct isolation *in, bool *may_r)
{
    const struct snapshot *snapshot = in->model->snapshot;
    uint32_t moves = in->model->settings->max_moves, left;
    int rc = look(in);
    size_t d;

    left = in->after->nr_moved < moves ? moves - in->after->nr_moved : 0;
    if (!rc && in->nr_pins > left) {
        for (d = 0; d < snapshot->nr_domains && !rc; d++)
            if (in->cores[d])
                rc = hinder_moves(in, d, in->nr_pins, left);
        if (!rc)
            rc = look(in);
    }
    *may_r = in->nr_pins <= left;
    return rc;
}

static int note(struct isolation *in, size_t index)
{
    const struct snapshot *snapshot = in->model->snapshot;
    const char *name = snapshot->domains[index].name;
    char *list = NULL;
    int rc;

    if (in->why[index])
        return choose_add_note(in->plan, snapshot, PLAN_NOTE_ISOLATED, index,
                               "%s is NOT isolated: %s", name, in->why[index]);
    if (hwloc_bitmap_list_asprintf(&list, in->cores[index]) < 0)
        return -ENOMEM;
    rc = choose_add_note(in->plan, snapshot, PLAN_NOTE_ISOLATED, index,
                         "%s is isolated, %s: pCPUs %s are for it alone%s",
                         name, in->nr_pins || in->planned ? "with this plan" :
                         "as it is",
                         list, in->dom0 ? ", but for dom0 (move-dom0)" : "");
    free(list);
    return rc;
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

static int isolate(struct isolation *in)
{
    const struct snapshot *snapshot = in->model->snapshot;
    bool may = false;
    int rc = 0;
    size_t d;

    for (d = 0; d < snapshot->nr_domains && !rc; d++)
        if (choose_to_isolate(in->model, d) &&
            in->model->domain_first[d] < in->model->domain_end[d])
            rc = find_cores(in, d);
    if (!rc)
        rc = decide(in, &may);
    if (!rc && may)
        rc = each_vcpu(in, true);
    for (d = 0; d < snapshot->nr_domains && !rc; d++)
        if (in->cores[d])
            rc = note(in, d);
    return rc;
}

int choose_isolate(struct plan *plan, const struct choose_placement *after)
{
    size_t nr = after->model->snapshot->nr_domains, d;
    struct isolation in = {
        .plan = plan, .model = after->model, .after = after,
        .cores = calloc(nr + 1, sizeof *in.cores),
        .why = calloc(nr + 1, sizeof *in.why),
        .claimed = hwloc_bitmap_alloc(), .all = hwloc_bitmap_alloc(),
        .want = hwloc_bitmap_alloc(),
    };
    int rc = -ENOMEM;

    if (!concerned(after->model))
        rc = 0;
    else if (in.cores && in.why && in.claimed && in.all && in.want)
        rc = isolate(&in);
    for (d = 0; d < nr && in.cores && in.why; d++) {
        hwloc_bitmap_free(in.cores[d]);
        free(in.why[d]);
    }
    free(in.cores);
    free(in.why);
    hwloc_bitmap_free(in.claimed);
    hwloc_bitmap_free(in.all);
    hwloc_bitmap_free(in.want);
    return rc;
}
