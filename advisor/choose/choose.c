/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/choose.h"

#include "choose/cost.h"
#include "choose/entity.h"
#include "choose/field.h"
#include "choose/remarks.h"
#include "choose/isolate.h"
#include "choose/links.h"
#include "choose/model.h"
#include "choose/pairs.h"
#include "choose/placement.h"
#include "choose/prices.h"
#include "choose/resize.h"
#include "choose/search.h"
#include "choose/steps.h"
#include "choose/text.h"
#include "model/past.h"
#include "model/plan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct work {
    struct plan *plan;
    const struct snapshot *snapshot;
    struct settings settings;	/* with prices that can be believed */
    const struct past *past;
    struct choose_pairs pairs;
    struct choose_sizes sizes;
    struct choose_model *before, *after;
    struct choose_placement *state_before, *state;
};

static void work_free(struct work *work)
{
    choose_placement_free(work->state_before);
    choose_placement_free(work->state);
    if (work->after != work->before)
        choose_model_free(work->after);
    choose_model_free(work->before);
    choose_sizes_free(&work->sizes);
    choose_pairs_free(&work->pairs);
}

/* pCPUs that all vCPUs ran or waited; INFINITY: not measured of all. */
static double measured(const struct snapshot *snapshot)
{
    const struct snapshot_vcpu *vcpu;
    double sum = 0;
    size_t i;

    for (i = 0; i < snapshot->nr_vcpus; i++) {
        vcpu = &snapshot->vcpus[i];
        if (vcpu->online && vcpu->utilisation.source == SNAPSHOT_SOURCE_NONE)
            return INFINITY;
        if (vcpu->online)
            sum += vcpu->utilisation.value + vcpu->wait.value;
    }
    return sum;
}

/* The network cannot have cost more than what the other terms leave of all
 * that was measured: where it would, its prices are too high for this host. */
static void believe_prices(struct work *work)
{
    struct settings *settings = &work->settings;
    double path = choose_path(&work->pairs, settings, false);
    double room = measured(work->snapshot) - work->plan->before.total -
                  work->sizes.starved_before;
    double share = path > 0 && path > room ? fmax(0, room) / path : 1;

    settings->vif_byte_ns *= share;
    settings->vif_packet_ns *= share;
    settings->link_byte_ns *= share;
    settings->link_packet_ns *= share;
}

/* What is wrong, and how many vCPUs and which links there are to be. */
static int look(struct work *work)
{
    bool links = false;
    int rc;

    rc = choose_pairs_new(&work->pairs, work->snapshot) ?:
         choose_model_new(&work->before, work->snapshot, &work->settings,
                          work->past, &work->pairs, NULL, false) ?:
         choose_placement_new(&work->state_before, work->before, 0);
    if (rc)
        return rc;
    choose_cost(work->before, work->state_before->slot, &work->plan->before,
                NULL);
    rc = choose_resize(&work->sizes, work->plan, work->before);
    believe_prices(work);
    work->plan->before.path = choose_path(&work->pairs, &work->settings,
                                          false);
    rc = rc ?:
         choose_links(&work->pairs, work->plan, work->before, &work->sizes,
                      &links) ?:
         choose_findings(work->plan, work->state_before, &work->pairs);
    if (rc)
        return rc;
    work->plan->before.starved = work->sizes.starved_before;
    work->after = work->before;
    if (work->sizes.changed || links)
        rc = choose_model_new(&work->after, work->snapshot, &work->settings,
                              work->past, &work->pairs, &work->sizes,
                              true);
    return rc;
}

/* Threads of one core on which different VMs are after all. */
static uint32_t foreign_siblings(const struct choose_placement *state)
{
    const struct choose_model *model = state->model;
    uint32_t core, t, i, nr = 0;
    bool mixed;
    size_t domain;

    for (core = 0; core < model->nr_cores; core++) {
        uint32_t used = 0;

        mixed = false;
        domain = SNAPSHOT_OUTSIDE;
        CHOOSE_FOR_CORE(t, model, core) {
            used += state->slots[t].count != 0;
            CHOOSE_FOR_SLOT(i, state, t) {
                if (domain == SNAPSHOT_OUTSIDE)
                    domain = model->entities[i].domain;
                mixed |= model->entities[i].domain != domain;
            }
        }
        nr += mixed && used > 1;
    }
    return nr;
}

static void note_result(struct work *work, bool dropped, double gain,
                        double least)
{
    const struct settings *settings = &work->settings;
    uint32_t mixed = settings->smt_sharing ? 0 : foreign_siblings(work->state);

    if (dropped)
        choose_add_note(work->plan, work->snapshot, PLAN_NOTE_MIN_GAIN,
                        SNAPSHOT_OUTSIDE, "moving vCPUs would bring %.3f "
                        "pCPUs, less than the %.3f that are asked for "
                        "(min-gain, min-gain-share)", gain, least);
    else if (work->state->nr_moved &&
             work->state->nr_moved >= settings->max_moves)
        choose_add_note(work->plan, work->snapshot, PLAN_NOTE_MAX_MOVES,
                        SNAPSHOT_OUTSIDE, "%u vCPUs are moved, as many as "
                        "max-moves allows; there may be more to gain",
                        settings->max_moves);
    if (mixed)
        choose_add_note(work->plan, work->snapshot, PLAN_NOTE_SMT,
                        SNAPSHOT_OUTSIDE, "on %u core%s different VMs may "
                        "still run on sibling threads: they are not pinned, "
                        "or there are not enough cores", mixed,
                        mixed == 1 ? "" : "s");
}

/*
 * What the entities that are to move cost where they are now.  A share of that
 * is asked for, not of the whole host's cost: of a large one, few moves never
 * gain much.
 */
static int movers_cost(const struct work *work, double *cost_r)
{
    const struct choose_model *model = work->after;
    struct choose_placement *home;
    struct choose_parts parts;
    uint32_t i, slot;
    int rc;

    rc = choose_placement_new(&home, model, 0);
    if (rc)
        return rc;
    *cost_r = 0;
    for (i = 0; i < model->nr_entities; i++) {
        slot = model->entities[i].home;
        if (work->state->slot[i] == slot)
            continue;
        choose_parts(home, i, slot, &parts);
        *cost_r += choose_parts_cost(&parts);
    }
    choose_placement_free(home);
    return 0;
}

/* What the host costs more with vCPUs that are added, before they have places,
 * is taken from what they gain. */
static void share_cost(struct plan *plan, double cost)
{
    double sum = 0, left;
    size_t i;

    for (i = 0; i < plan->nr_steps; i++)
        sum += plan->steps[i].gain;
    left = sum > 0 ? fmax(0, 1 - fmax(0, cost) / sum) : 1;
    for (i = 0; i < plan->nr_steps; i++)
        plan->steps[i].gain *= left;
}

/* New places, if they bring enough, or what must not be goes. */
static int place(struct work *work)
{
    const struct settings *settings = &work->settings;
    double gain, least = 0, barred = 0, barred_after = 0;
    struct plan_cost stay, moved;
    bool dropped = false;
    uint32_t i;
    int rc;

    rc = choose_placement_new(&work->state, work->after, settings->move_gain);
    if (rc)
        return rc;
    choose_cost(work->after, work->state->slot, &stay, &barred);
    share_cost(work->plan, stay.total - work->plan->before.total);
    rc = choose_search(work->state, settings->max_moves -
                       work->after->isolation_others, CHOOSE_EFFORT) ?:
         movers_cost(work, &least);
    if (rc)
        return rc;
    choose_cost(work->after, work->state->slot, &moved, &barred_after);
    gain = stay.total - moved.total;
    least = fmax(settings->min_gain, settings->min_gain_share * least);
    if (work->state->nr_moved && gain < least &&
        barred_after > barred - CHOOSE_BARRED / 2) {
        dropped = true;
        for (i = 0; i < work->after->nr_entities; i++)
            choose_placement_move(work->state, i,
                                  work->after->entities[i].home);
    }
    rc = choose_pins(work->plan, work->after, &work->pairs, &work->sizes,
                     dropped ? 0 : gain) ?:
         choose_steps(work->plan, work->state);
    if (rc)
        return rc;
    choose_isolate(work->plan, work->state);
    note_result(work, dropped, gain, least);
    return 0;
}

static void add_place(struct work *work, const struct choose_entity *entity,
                      const struct snapshot_vcpu *v, uint32_t slot)
{
    const struct snapshot_domain *domain = &work->snapshot->domains[v->domain];
    struct plan_place *place = plan_add_place(work->plan);

    if (!place || plan_domain_set(&place->domain, domain->uuid, domain->domid,
                                  domain->name)) {
        work->plan->no_memory = true;
        return;
    }
    place->vcpuid = v->vcpuid;
    if (v->online) {
        place->pcpu_before = v->pcpu;
        place->load_before = choose_demand(v);
    }
    place->load_after = v->online ? choose_demand(v) : entity->demand;
    /* One that is added and floats has no place. */
    if (slot == entity->home && v->online)
        place->pcpu_after = v->pcpu;
    else if (slot != choose_afloat(work->after))
        place->pcpu_after = work->after->slots[slot].pcpu;
}

static void add_places(struct work *work)
{
    const struct choose_entity *entity;
    uint32_t i, vcpu;

    for (i = 0; i < work->after->nr_entities; i++) {
        entity = &work->after->entities[i];
        for (vcpu = 0; vcpu < entity->nr_vcpus; vcpu++)
            add_place(work, entity, &work->snapshot->vcpus[entity->vcpu + vcpu],
                      work->state->slot[i]);
    }
}

/* A plan that went badly before is shown as no plan, and why. */
static void refuse_bad(struct work *work)
{
    const struct past *past = work->past;
    struct plan *plan = work->plan;
    size_t i;

    for (i = 0; past && i < past->nr_bad_plans; i++)
        if (!strcmp(past->bad_plans[i], plan->id))
            break;
    if (!plan->nr_steps || !past || i == past->nr_bad_plans)
        return;
    choose_add_note(plan, work->snapshot, PLAN_NOTE_BAD_PLAN,
                    SNAPSHOT_OUTSIDE, "the plan %s was tried before, made "
                    "things worse and was undone: not advised again",
                    plan->id);
    plan_drop_steps(plan);
    plan->after = plan->before;
    for (i = 0; i < plan->nr_places; i++)
        plan->places[i].pcpu_after = plan->places[i].pcpu_before;
    plan_identify(plan);
}

static int make(struct work *work)
{
    struct plan_cost *after = &work->plan->after;
    int rc;

    rc = look(work) ?: place(work);
    if (rc)
        return rc;
    choose_link_steps(&work->pairs, work->plan, work->before);
    choose_notes(work->plan, work->after);
    add_places(work);
    choose_cost(work->after, work->state->slot, after, NULL);
    after->path = choose_path(&work->pairs, &work->settings, true);
    after->starved = work->sizes.starved_after;
    after->total += after->path + after->starved;
    work->plan->before.total += work->plan->before.path +
                                work->plan->before.starved;
    plan_identify(work->plan);
    refuse_bad(work);
    return work->plan->no_memory ? -ENOMEM : 0;
}

int choose(struct plan **plan_r, const struct snapshot *snapshot,
           const struct settings *settings, const struct past *past,
           char **why_r)
{
    struct work work = {
        .snapshot = snapshot, .settings = *settings, .past = past,
    };
    int rc;

    rc = plan_new(&work.plan);
    if (rc)
        return rc;
    work.plan->time = snapshot->time;
    if (snapshot->host) {
        work.plan->host = strdup(snapshot->host);
        rc = work.plan->host ? 0 : -ENOMEM;
    }
    if (!rc)
        rc = make(&work);
    work_free(&work);
    if (!rc) {
        *plan_r = work.plan;
        return 0;
    }
    plan_free(work.plan);
    if (why_r && rc == -EINVAL)
        *why_r = strdup("the snapshot has no online pCPU in a cpupool");
    return rc;
}
