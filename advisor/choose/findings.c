/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/remarks.h"

#include "choose/cost.h"
#include "choose/entity.h"
#include "choose/pairs.h"
#include "choose/placement.h"
#include "choose/terms.h"
#include "choose/text.h"
#include "base/compare.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* What is worth telling. */
#define BUSY_BYTES 1e5		/* of a pair, per second */
#define BUSY_WAIT 0.1		/* of a vCPU */
#define MANY_SWITCHES 2000.0	/* of a VM, per second */

/* Waiting that one pair of entities causes, if they are firmly together. */
struct meeting {
    uint32_t pcpu, core_pcpu;	/* PLAN_NONE: they do not meet */
    double slot_cost, core_cost, distance_cost, node_bytes;
    bool *told;			/* [nr_cores] of those whose threads are told of */
};

static void meet(const struct choose_placement *state, uint32_t i, uint32_t j,
                 struct meeting *meeting)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *a = &model->entities[i];
    const struct choose_entity *b = &model->entities[j];
    const struct choose_slot *s = &model->slots[state->slot[i]];
    const struct choose_slot *t = &model->slots[state->slot[j]];
    double both = a->demand * b->demand;

    if (state->slot[i] == choose_afloat(model) ||
        state->slot[j] == choose_afloat(model) || s->core != t->core ||
        both <= 0)
        return;
    if (s == t) {
        meeting->pcpu = s->pcpu;
        meeting->slot_cost += both * s->belief;
    } else if (!model->settings->smt_sharing) {
        meeting->core_pcpu = s->pcpu;
        meeting->core_cost += model->settings->sibling_slowdown * both;
        meeting->told[s->core] = true;
    }
}

static void meet_edges(const struct choose_placement *state, size_t first,
                       size_t second, struct meeting *meeting)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity;
    const struct choose_edge *edge, *end;
    uint32_t i, from, to;
    double across;

    CHOOSE_FOR_DOMAIN(i, model, first) {
        entity = &model->entities[i];
        edge = &model->edges[entity->first_edge];
        end = edge + entity->nr_edges;
        /* They are in order: a hub has very many. */
        edge += FIRST_NOT(entity->nr_edges, at,
                          edge[at].to < model->domain_first[second]);
        for (; edge < end && edge->to < model->domain_end[second]; edge++) {
            from = state->slot[i];
            to = state->slot[edge->to];
            across = choose_edge_across(model, i, edge->to, from, to);
            if (from == to && from != choose_afloat(model))
                meeting->slot_cost +=
                    choose_together(model, entity, edge, from);
            else if (across > 0)
                meeting->distance_cost +=
                    choose_edge_distance(model, i, edge, from, to);
            meeting->node_bytes += across * (double)edge->exchanged;
        }
    }
}

static void find_pair(struct plan *plan, const struct choose_placement *state,
                      const struct choose_pair *pair, bool *told)
{
    const struct choose_model *model = state->model;
    const struct snapshot *snapshot = model->snapshot;
    const char *a = snapshot->domains[pair->first].name;
    const char *b = snapshot->domains[pair->second].name;
    struct meeting meeting = { .pcpu = PLAN_NONE, .core_pcpu = PLAN_NONE,
                               .told = told };
    struct plan_finding like = { .value = pair->vif_bytes + pair->link_bytes,
                                 .error = pair->error };
    char rate[32];
    uint32_t i, j;

    CHOOSE_FOR_DOMAIN(i, model, pair->first)
        CHOOSE_FOR_DOMAIN(j, model, pair->second)
            meet(state, i, j, &meeting);
    meet_edges(state, pair->first, pair->second, &meeting);
    choose_rate(rate, like.value);

    if (meeting.pcpu != PLAN_NONE) {
        like.kind = PLAN_FINDING_SHARED_PCPU;
        like.pcpu = meeting.pcpu;
        like.cost = meeting.slot_cost;
        choose_add_finding(plan, snapshot, &like, pair->first, pair->second,
                           "%s and %s exchange %s and share pCPU %u", a, b,
                           rate, meeting.pcpu);
    }
    if (meeting.core_pcpu != PLAN_NONE) {
        like.kind = PLAN_FINDING_SHARED_CORE;
        like.pcpu = meeting.core_pcpu;
        like.cost = meeting.core_cost;
        choose_add_finding(plan, snapshot, &like, pair->first, pair->second,
                           "%s and %s exchange %s and run on sibling threads "
                           "of the core of pCPU %u", a, b, rate,
                           meeting.core_pcpu);
    }
    choose_rate(rate, meeting.node_bytes);
    if (meeting.node_bytes >= BUSY_BYTES &&
        meeting.distance_cost >= model->settings->move_gain) {
        like = (struct plan_finding){
            .kind = PLAN_FINDING_DISTANCE, .pcpu = PLAN_NONE,
            .value = meeting.node_bytes, .cost = meeting.distance_cost };
        choose_add_finding(plan, snapshot, &like, pair->first, pair->second,
                           "%s and %s exchange %s across NUMA nodes", a, b,
                           rate);
    }
}

/* What the threads of a core slow each other down, and which two most. */
static double slowed(const struct choose_placement *state, uint32_t core,
                     uint32_t worst_r[2])
{
    const struct choose_model *model = state->model;
    const uint32_t *first = &model->core_first[core];
    double cost = 0, most = -1, both;
    uint32_t s, t, i, j;

    for (s = first[0]; s < first[1]; s++)
        for (t = s + 1; t < first[1]; t++)
            CHOOSE_FOR_SLOT(i, state, s)
                CHOOSE_FOR_SLOT(j, state, t) {
                    both = model->entities[i].demand *
                           model->entities[j].demand;
                    cost += model->settings->sibling_slowdown * both;
                    if (both <= most)
                        continue;
                    most = both;
                    worst_r[0] = i < j ? i : j;
                    worst_r[1] = i < j ? j : i;
                }
    return cost;
}

/* Where the two do not talk, or too little for find_pair(). */
static void find_core(struct plan *plan, const struct choose_placement *state,
                      uint32_t core)
{
    const struct choose_model *model = state->model;
    const struct snapshot_domain *domains = model->snapshot->domains;
    uint32_t worst[2] = { 0 };
    struct plan_finding like = { .kind = PLAN_FINDING_SHARED_CORE,
                                 .cost = slowed(state, core, worst) };
    size_t a, b;

    if (like.cost <= 0 || like.cost < model->settings->move_gain)
        return;
    a = model->entities[worst[0]].domain;
    b = model->entities[worst[1]].domain;
    like.pcpu = model->slots[state->slot[worst[0]]].pcpu;
    choose_add_finding(plan, model->snapshot, &like, a,
                       a == b ? SNAPSHOT_OUTSIDE : b,
                       "%s%s%s run%s on sibling threads of the core of pCPU "
                       "%u", domains[a].name, a == b ? "" : " and ",
                       a == b ? "" : domains[b].name, a == b ? "s" : "",
                       like.pcpu);
}

/* Who takes the pCPU from it most; OUTSIDE: nobody, or not known. */
static size_t disturber(const struct snapshot *snapshot,
                        const size_t *first_switch, size_t index,
                        double *rate_r)
{
    const struct snapshot_domain *domain = &snapshot->domains[index];
    size_t v, i, best = SNAPSHOT_OUTSIDE;

    *rate_r = 0;
    for (v = domain->first_vcpu; v < domain->first_vcpu + domain->vcpus_max;
         v++) {
        for (i = first_switch[v]; i < first_switch[v + 1]; i++) {
            if (snapshot->switches[i].by_domain == SNAPSHOT_OUTSIDE ||
                snapshot->switches[i].by_domain == index ||
                snapshot->switches[i].per_second <= *rate_r)
                continue;
            *rate_r = snapshot->switches[i].per_second;
            best = snapshot->switches[i].by_domain;
        }
    }
    return best;
}

static void find_wait(struct plan *plan, const struct choose_model *model,
                      size_t index)
{
    const struct snapshot *snapshot = model->snapshot;
    const struct snapshot_domain *domain = &snapshot->domains[index];
    const struct snapshot_vcpu *vcpu, *worst = NULL;
    char cap[48] = "";
    double sum = 0;

    SNAPSHOT_FOR_VCPUS(vcpu, snapshot, domain) {
        if (!vcpu->online || vcpu->wait.source == SNAPSHOT_SOURCE_NONE)
            continue;
        sum += vcpu->wait.value;
        if (!worst || vcpu->wait.value > worst->wait.value)
            worst = vcpu;
    }
    if (!worst || worst->wait.value < BUSY_WAIT ||
        worst->wait.value < 2 * worst->wait.error)
        return;
    if (choose_capped(snapshot, domain)) {
        snprintf(cap, sizeof cap, ": its cap of %u %% holds it", domain->cap);
        sum = 0;
    }
    choose_add_finding(plan, snapshot, &(struct plan_finding){
                           .kind = PLAN_FINDING_WAIT, .pcpu = PLAN_NONE,
                           .value = worst->wait.value,
                           .error = worst->wait.error, .cost = sum },
                       index, SNAPSHOT_OUTSIDE,
                       "%s vCPU %u waits %.0f %% of the time for a pCPU and "
                       "runs %.0f %%%s", domain->name, worst->vcpuid,
                       100 * worst->wait.value,
                       100 * worst->utilisation.value, cap);
}

static void find_switches(struct plan *plan, const struct choose_model *model,
                          const size_t *first_switch, size_t index)
{
    const struct snapshot *snapshot = model->snapshot;
    const struct snapshot_domain *domain = &snapshot->domains[index];
    double rate = 0, by_rate, variance = 0, run = 0;
    char taken[1100] = "";
    const struct snapshot_vcpu *vcpu;
    size_t by;

    SNAPSHOT_FOR_VCPUS(vcpu, snapshot, domain) {
        rate += vcpu->switches.value;
        run += vcpu->utilisation.value;
        variance += vcpu->switches.error * vcpu->switches.error;
    }
    if (rate < MANY_SWITCHES || rate < 2 * sqrt(variance))
        return;
    by = disturber(snapshot, first_switch, index, &by_rate);
    if (by != SNAPSHOT_OUTSIDE)
        snprintf(taken, sizeof taken, "; %s takes its pCPU most, %.0f times a "
                 "second", snapshot->domains[by].name, by_rate);
    choose_add_finding(plan, snapshot, &(struct plan_finding){
                           .kind = PLAN_FINDING_SWITCHES, .pcpu = PLAN_NONE,
                           .value = rate, .error = sqrt(variance),
                           .cost = fmin(run, rate *
                                        model->settings->switch_ns * 1e-9) },
                       index, by, "%s is switched to %.0f times a second%s",
                       domain->name, rate, taken);
}

/* Memory elsewhere than it runs, where Xen tells. */
static void find_memory(struct plan *plan, const struct choose_placement *state,
                        size_t index)
{
    const struct choose_model *model = state->model;
    const struct snapshot_domain *domain = &model->snapshot->domains[index];
    double cost = 0, demand = 0, away = 0;
    const struct choose_entity *entity;
    uint32_t i;

    if (!domain->node_memory_bytes)
        return;
    CHOOSE_FOR_DOMAIN(i, model, index) {
        entity = &model->entities[i];
        cost += entity->demand * choose_memory(model, i, state->slot[i]);
        demand += entity->demand;
        away += entity->demand * choose_memory_away(model, i, state->slot[i]);
    }
    if (demand > 0 && cost >= model->settings->move_gain &&
        away >= 0.005 * demand)
        choose_add_finding(plan, model->snapshot, &(struct plan_finding){
                               .kind = PLAN_FINDING_MEMORY, .pcpu = PLAN_NONE,
                               .value = away / demand, .cost = cost },
                           index, SNAPSHOT_OUTSIDE, "%s runs %.0f %% of its "
                           "time off the NUMA node of its memory",
                           domain->name, 100 * away / demand);
}

/* An isolated VM's company, named once for each VM. */
static void find_isolation(struct plan *plan,
                           const struct choose_placement *state,
                           uint32_t index)
{
    const struct choose_model *model = state->model;
    const struct snapshot_domain *domains = model->snapshot->domains;
    size_t domain = model->entities[index].domain, other;
    struct plan_finding like = { .kind = PLAN_FINDING_ISOLATION };
    uint32_t slot = state->slot[index], t, i;

    if (slot == choose_afloat(model))
        return;
    CHOOSE_FOR_CORE(t, model, model->slots[slot].core)
        CHOOSE_FOR_SLOT(i, state, t) {
            other = model->entities[i].domain;
            if (other == domain)
                continue;
            like.pcpu = model->slots[t].pcpu;
            choose_add_finding(plan, model->snapshot, &like, domain, other,
                               "%s is to be isolated and shares the core of "
                               "pCPU %u with %s", domains[domain].name,
                               like.pcpu, domains[other].name);
            return;
        }
}

static void find_domains(struct plan *plan,
                         const struct choose_placement *state,
                         const size_t *first_switch)
{
    const struct choose_model *model = state->model;
    uint32_t i;
    size_t d;

    for (d = 0; d < model->snapshot->nr_domains; d++) {
        if (model->domain_first[d] == model->domain_end[d])
            continue;	/* it is dying */
        find_wait(plan, model, d);
        find_switches(plan, model, first_switch, d);
        find_memory(plan, state, d);
    }
    for (i = 0; i < model->nr_entities; i++)
        if (model->entities[i].isolated)
            find_isolation(plan, state, i);
}

int choose_findings(struct plan *plan, struct choose_placement *state,
                    const struct choose_pairs *pairs)
{
    const struct choose_model *model = state->model;
    const struct snapshot *snapshot = model->snapshot;
    struct choose_pair pair;
    bool *told = calloc(model->nr_cores, sizeof *told);
    size_t *first_switch = calloc(snapshot->nr_vcpus + 2,
                                  sizeof *first_switch), i, v;
    int rc;

    /* Switches are in the order of vCPUs when loaded; a collector's need not
     * be, then those out of order are not named. */
    rc = first_switch && told ? 0 : -ENOMEM;
    for (i = 0, v = 0; v <= snapshot->nr_vcpus && !rc; v++) {
        first_switch[v] = i;
        while (i < snapshot->nr_switches && snapshot->switches[i].vcpu <= v)
            i++;
    }
    for (i = 0; i < pairs->nr_pairs && !rc;) {
        i = choose_pairs_sum(pairs, i, &pair);
        if (pair.second != SNAPSHOT_OUTSIDE &&
            pair.vif_bytes + pair.link_bytes >= BUSY_BYTES)
            find_pair(plan, state, &pair, told);
    }
    for (i = 0; i < model->nr_cores && !rc; i++)
        if (!told[i])
            find_core(plan, state, (uint32_t)i);
    if (!rc)
        find_domains(plan, state, first_switch);
    free(first_switch);
    free(told);
    choose_sort_findings(plan);
    return rc;
}
