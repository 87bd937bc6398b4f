/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/steps.h"

#include "choose/cost.h"
#include "choose/field.h"
#include "choose/placement.h"
#include "choose/terms.h"
#include "choose/text.h"
#include "base/compare.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond this many moves they are ordered by what each brings alone. */
#define ORDER_MAX 256U

struct move {
    uint32_t entity, to;
    double gain;
    bool done;
};

/* Why one move is made: the term that falls most, and whom it concerns. */
struct cause {
    enum plan_reason reason;
    uint32_t other;			/* entity, CHOOSE_NOWHERE: none */
    double traffic;			/* bytes/s with other */
};

/* The heaviest of another VM on the same slot, or on its siblings. */
static uint32_t heaviest(const struct choose_placement *state, uint32_t index,
                         bool siblings)
{
    const struct choose_model *model = state->model;
    uint32_t slot = state->slot[index], best = CHOOSE_NOWHERE, t, i;
    double most = -1, weight;

    if (slot == choose_afloat(model))
        return CHOOSE_NOWHERE;
    CHOOSE_FOR_CORE(t, model, model->slots[slot].core) {
        if ((t == slot) == siblings)
            continue;
        CHOOSE_FOR_SLOT(i, state, t) {
            weight = model->entities[i].demand;
            /* Ties by number: lists are in no stable order. */
            if (i == index || weight < most || (weight == most && i > best))
                continue;
            most = weight;
            best = i;
        }
    }
    return best;
}

/* The peer whose traffic gets cheapest: on the same slot, or by distance. */
static uint32_t nearest(const struct choose_placement *state, uint32_t index,
                        uint32_t to, bool same_slot, double *traffic_r)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index];
    const struct choose_edge *edge;
    uint32_t best = CHOOSE_NOWHERE, from = state->slot[index];
    double most = 0, saved;

    CHOOSE_FOR_EDGES(edge, model, entity) {
        if (same_slot)
            saved = state->slot[edge->to] == from && from < model->nr_slots ?
                    choose_together(model, entity, edge, from) : 0;
        else
            saved = choose_edge_distance(model, index, edge, from,
                                         state->slot[edge->to]) -
                    choose_edge_distance(model, index, edge, to,
                                         state->slot[edge->to]);
        if (saved <= most)
            continue;
        most = saved;
        best = edge->to;
        *traffic_r = (double)edge->exchanged;
    }
    return best;
}

/* The term that falls most; *slot_r: what waiting on the slot itself falls,
 * *all_r: what all that fall do. */
static enum plan_reason find_term(struct choose_placement *state,
                                  uint32_t index,
                                  uint32_t to, double *slot_r, double *all_r)
{
    enum plan_reason reason = PLAN_REASON_ROOM;
    struct choose_parts was, will;
    double most = 0, fall;
    size_t i;

    choose_parts(state, index, state->slot[index], &was);
    choose_parts(state, index, to, &will);
    const struct {
        double was, will;
        enum plan_reason reason;
    } terms[] = {
        { was.waiting + was.storm, will.waiting + will.storm,
          PLAN_REASON_CONTENTION },
        { was.sibling, will.sibling, PLAN_REASON_SIBLING },
        { was.distance + was.memory, will.distance + will.memory,
          PLAN_REASON_DISTANCE },
        { was.isolation, will.isolation, PLAN_REASON_ISOLATION },
    };

    *slot_r = terms[0].was - terms[0].will;
    *all_r = 0;
    for (i = 0; i < sizeof terms / sizeof *terms; i++) {
        fall = terms[i].was - terms[i].will;
        *all_r += fall > 0 ? fall : 0;
        if (fall > most) {
            most = fall;
            reason = terms[i].reason;
        }
    }
    return reason;
}

static struct cause find_cause(struct choose_placement *state, uint32_t index,
                               uint32_t to)
{
    struct cause cause = { PLAN_REASON_ROOM, CHOOSE_NOWHERE, 0 };
    const struct choose_entity *entities = state->model->entities;
    double slot_fall, all, traffic = 0;
    uint32_t peer;

    cause.reason = find_term(state, index, to, &slot_fall, &all);
    peer = nearest(state, index, to, true, &traffic);
    if (entities[index].added) {
        cause.reason = PLAN_REASON_NEW_VCPU;
    } else if (peer != CHOOSE_NOWHERE && slot_fall > 0.1 * all &&
               entities[peer].domain != entities[index].domain) {
        /* The plainest of reasons, even where a cap weighs more. */
        cause.reason = PLAN_REASON_SHARED_PCPU;
        cause.other = peer;
        cause.traffic = traffic;
    } else if (cause.reason == PLAN_REASON_CONTENTION) {
        cause.other = heaviest(state, index, false);
        if (cause.other == CHOOSE_NOWHERE &&
            heaviest(state, index, true) != CHOOSE_NOWHERE) {
            cause.other = heaviest(state, index, true);
            cause.reason = PLAN_REASON_SIBLING;
        }
    } else if (cause.reason == PLAN_REASON_SIBLING ||
               cause.reason == PLAN_REASON_ISOLATION) {
        cause.other = heaviest(state, index, true);
        if (cause.other == CHOOSE_NOWHERE)
            cause.other = heaviest(state, index, false);
    } else if (cause.reason == PLAN_REASON_DISTANCE) {
        cause.other = nearest(state, index, to, false, &cause.traffic);
    }
    return cause;
}

/* What is left at the new place: as measured, if that is enough, or else by
 * the model when all is done. */
static const char *room(char text[64], const struct choose_placement *after,
                        uint32_t index, uint32_t to)
{
    const struct choose_slot *slot = &after->model->slots[to];
    double demand = after->model->entities[index].demand;

    if (1 - slot->busy >= demand)
        snprintf(text, 64, "pCPU %u was idle %.0f %% of the time", slot->pcpu,
                 100 * (1 - slot->busy));
    else
        snprintf(text, 64, "others want %.2f of pCPU %u with this plan",
                 fmax(0, after->slots[to].demand - demand +
                         choose_floating(after, to)), slot->pcpu);
    return text;
}

/* Of one that floats. */
static int describe_afloat(char **text_r, struct choose_placement *state,
                           uint32_t index, uint32_t to,
                           const struct cause *cause, const char *other,
                           const char *left)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[index];
    const struct choose_slot *slot = &model->slots[to];
    struct choose_parts was;
    char rate[32];

    switch (cause->reason) {
    case PLAN_REASON_CONTENTION:
        choose_parts(state, index, state->slot[index], &was);
        if (was.waiting > 2 * entity->wait)
            return asprintf(text_r, "makes others wait, left to the "
                            "scheduler; %s", left);
        return asprintf(text_r, "waits %.0f %% of the time, left to the "
                        "scheduler; %s", 100 * entity->wait, left);
    case PLAN_REASON_DISTANCE:
        if (other)
            return asprintf(text_r, "exchanges %s with %s: near it on pCPU "
                            "%u, left to the scheduler often far",
                            choose_rate(rate, cause->traffic), other,
                            slot->pcpu);
        return asprintf(text_r, "its memory is nearer to pCPU %u (node %u) "
                        "than to where it runs, left to the scheduler",
                        slot->pcpu, model->node_index[slot->node]);
    case PLAN_REASON_ISOLATION:
        return asprintf(text_r, "is isolated, and left to the scheduler runs "
                        "on others' cores");
    case PLAN_REASON_NEW_VCPU:
        return asprintf(text_r, "a place for the vCPU that is added, with "
                        "demand %.2f", entity->demand);
    default:
        return asprintf(text_r, "makes room for another step");
    }
}

static int describe_bound(char **text_r, const struct choose_placement *state,
                          uint32_t index, uint32_t to,
                          const struct cause *cause, const char *other,
                          const char *left)
{
    const struct choose_model *model = state->model;
    const struct choose_slot *from = &model->slots[state->slot[index]];
    const struct choose_slot *slot = &model->slots[to];
    double wanted = state->slots[state->slot[index]].demand;
    double traffic = cause->traffic;
    char rate[32];

    choose_rate(rate, traffic);
    switch (cause->reason) {
    case PLAN_REASON_SHARED_PCPU:
        return asprintf(text_r, "shares pCPU %u with %s%s%s; together they "
                        "want %.2f of it, %s", from->pcpu, other,
                        traffic > 0 ? ", exchanging " : "",
                        traffic > 0 ? rate : "", wanted, left);
    case PLAN_REASON_CONTENTION:
        return asprintf(text_r, "shares pCPU %u with %s; together they want "
                        "%.2f of it, %s", from->pcpu,
                        other ? other : "what floats", wanted, left);
    case PLAN_REASON_SIBLING:
        return asprintf(text_r, "runs on a sibling thread of %s, on the core "
                        "of pCPU %u", other ? other : "others", from->pcpu);
    case PLAN_REASON_DISTANCE:
        if (other)
            return asprintf(text_r, "exchanges %s with %s, which is far from "
                            "pCPU %u and near to pCPU %u", rate, other,
                            from->pcpu, slot->pcpu);
        return asprintf(text_r, "its memory is nearer to pCPU %u (node %u) "
                        "than to pCPU %u (node %u)", slot->pcpu,
                        model->node_index[slot->node], from->pcpu,
                        model->node_index[from->node]);
    case PLAN_REASON_ISOLATION:
        return asprintf(text_r, "one of it and %s is isolated and they share "
                        "the core of pCPU %u", other ? other : "another VM",
                        from->pcpu);
    default:
        return asprintf(text_r, "makes room on pCPU %u for another step",
                        from->pcpu);
    }
}

bool choose_pin_hard(const struct choose_model *model,
                     const struct choose_entity *entity,
                     const struct snapshot_vcpu *vcpu,
                     hwloc_const_bitmap_t pcpus)
{
    return model->settings->hard_affinity || entity->isolated ||
           !hwloc_bitmap_isincluded(pcpus, vcpu->hard);
}

void choose_add_pin(struct plan *plan, const struct snapshot *snapshot,
                    const struct snapshot_vcpu *vcpu, bool hard,
                    hwloc_const_bitmap_t pcpus, enum plan_reason reason,
                    const char *peer, const char *text, double gain)
{
    const struct plan_step step = {
        .kind = hard ? PLAN_PIN_HARD : PLAN_PIN_SOFT, .reason = reason,
        .vcpuid = vcpu->vcpuid, .vif = { PLAN_NONE, PLAN_NONE },
        .from = hard ? vcpu->hard : vcpu->soft, .to = (hwloc_bitmap_t)pcpus,
        .peer = (char *)peer, .gain = gain,
    };

    choose_add_step(plan, snapshot, &step, vcpu->domain, SNAPSHOT_OUTSIDE,
                    NULL, text);
}

/* One move as steps, and the state moved on. */
static void make_steps(struct plan *plan, struct choose_placement *state,
                       const struct choose_placement *after,
                       const struct move *move)
{
    const struct choose_model *model = state->model;
    const struct choose_entity *entity = &model->entities[move->entity];
    const struct snapshot *snapshot = model->snapshot;
    const struct snapshot_vcpu *vcpu = &snapshot->vcpus[entity->vcpu];
    hwloc_const_bitmap_t pcpus = model->slots[move->to].pcpus;
    struct cause cause = find_cause(state, move->entity, move->to);
    const char *other = NULL;
    char *text = NULL, left[64];
    uint32_t from = state->slot[move->entity], i;
    struct choose_parts was, will;
    double gain;
    int r;

    if (cause.other != CHOOSE_NOWHERE)
        other = snapshot->domains[model->entities[cause.other].domain].name;
    choose_parts(state, move->entity, from, &was);
    choose_parts(state, move->entity, move->to, &will);
    gain = choose_parts_cost(&was) - choose_parts_cost(&will);
    room(left, after, move->entity, move->to);
    if (from == choose_afloat(model))
        r = describe_afloat(&text, state, move->entity, move->to, &cause,
                            other, left);
    else
        r = describe_bound(&text, state, move->entity, move->to, &cause,
                           other, left);
    for (i = 0; i < entity->nr_vcpus && r >= 0; i++, vcpu++)
        choose_add_pin(plan, snapshot, vcpu,
                       choose_pin_hard(model, entity, vcpu, pcpus), pcpus,
                       cause.reason, other, text, gain / entity->nr_vcpus);
    choose_placement_move(state, move->entity, move->to);
    plan->no_memory |= r < 0;
    if (r >= 0)
        free(text);
}

static int compare_moves(const void *a, const void *b)
{
    const struct move *p = a, *q = b;

    return COMPARE(q->gain, p->gain) ?: COMPARE(p->entity, q->entity);
}

int choose_steps(struct plan *plan, struct choose_placement *after)
{
    const struct choose_model *model = after->model;
    struct choose_placement *state = NULL;
    struct move *moves;
    uint32_t nr = 0, i, k, best;
    int rc;

    moves = calloc(model->nr_entities + 1, sizeof *moves);
    if (!moves)
        return -ENOMEM;
    rc = choose_placement_new(&state, model, after->move_cost);
    for (i = 0; i < model->nr_entities && !rc; i++) {
        if (after->slot[i] == model->entities[i].home)
            continue;
        moves[nr].entity = i;
        moves[nr].to = after->slot[i];
        moves[nr++].gain =
            choose_cost_at(state, i, model->entities[i].home) -
            choose_cost_at(state, i, after->slot[i]);
    }
    if (!rc)
        qsort(moves, nr, sizeof *moves, compare_moves);
    for (k = 0; k < nr && !rc; k++) {
        best = k;
        for (i = 0; i < nr && nr <= ORDER_MAX; i++) {
            if (moves[i].done)
                continue;
            moves[i].gain = choose_cost_at(state, moves[i].entity,
                                                state->slot[moves[i].entity]) -
                            choose_cost_at(state, moves[i].entity,
                                                moves[i].to);
            if (moves[best].done || moves[i].gain > moves[best].gain)
                best = i;
        }
        moves[best].done = true;
        make_steps(plan, state, after, &moves[best]);
    }
    choose_placement_free(state);
    free(moves);
    return rc;
}
