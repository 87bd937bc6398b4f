/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local search with moves, exchanges and ejections, from the places as they
 * are and, where everything may move, also from an empty host; then kicks
 * that are kept if they lead to something better (iterated local search).
 *
 * Only entities near a change are looked at again (a work queue), so a kick
 * costs the same on a large host as on a small one.
 *
 * Why no library: Scotch 7.0 maps traffic onto a tree, balanced by load, but
 * knows neither waiting, siblings, caps, memory nor what may not be moved.  On
 * 30 hosts of 8 to 128 pCPUs (bench-choose large) its mappings cost 2.8 times
 * as much as these, and as a start for this search they end 2 % above it; the
 * greedy start ends 7.5 % above.  On 1000 small hosts (bench-choose exact)
 * this search found the optimum each time.
 */
#include "choose/search.h"

#include "choose/cost.h"
#include "choose/field.h"
#include "choose/local.h"
#include "model/plan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What may be accepted at first, in mean costs of an entity. */
#define HEAT 0.3

/* Up to so many that may move, the number of kicks ends the search. */
#define FEW 100U

/* What one would do next, and what that gains for each move. */
static double consider(struct choose_local *search, uint32_t entity,
                       struct choose_change pair[2])
{
    uint32_t from = search->state->slot[entity], slot;
    double gain;

    choose_field(search->state, entity, search->cost);
    slot = choose_local_best(search, entity, search->cost);
    pair[0] = (struct choose_change) { entity, slot };
    pair[1].entity = CHOOSE_NOWHERE;
    if (slot != from)
        return search->cost[from] - search->cost[slot];
    gain = choose_local_pair(search, entity, pair);
    return gain / 2;
}

static void carry_out(struct choose_local *search,
                      const struct choose_change pair[2], double gain)
{
    choose_local_change(search, pair[0].entity, pair[0].slot, -gain);
    if (pair[1].entity == CHOOSE_NOWHERE)
        return;
    choose_local_change(search, pair[1].entity, pair[1].slot, -gain);
}

/* Entities by what they may gain, the most first: a heap. */
struct ranking {
    uint32_t *heap, *place;	/* entities, and where in heap each is */
    uint32_t nr;
    double *gain;		/* of each, or more than that */
    bool *fresh;		/* exactly that, as far as is known */
};

static bool before(const struct ranking *ranking, uint32_t a, uint32_t b)
{
    double p = ranking->gain[a], q = ranking->gain[b];

    return p > q + CHOOSE_EPSILON || (p > q - CHOOSE_EPSILON && a < b);
}

static void put(struct ranking *ranking, uint32_t at, uint32_t entity)
{
    ranking->heap[at] = entity;
    ranking->place[entity] = at;
}

/* Its gain has changed. */
static void sift(struct ranking *ranking, uint32_t entity)
{
    uint32_t at = ranking->place[entity], next;

    while (at && before(ranking, entity, ranking->heap[(at - 1) / 2])) {
        put(ranking, at, ranking->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        next = 2 * at + 1;
        if (next >= ranking->nr)
            break;
        if (next + 1 < ranking->nr &&
            before(ranking, ranking->heap[next + 1], ranking->heap[next]))
            next++;
        if (!before(ranking, ranking->heap[next], entity))
            break;
        put(ranking, at, ranking->heap[next]);
        at = next;
    }
    put(ranking, at, entity);
}

/* No more than all that it costs: nothing costs less than the move. */
static double bound(struct choose_local *search, uint32_t entity)
{
    struct choose_placement *state = search->state;

    if (!choose_local_movable(search, entity))
        return 0;
    return choose_cost_at(state, entity, state->slot[entity]) -
           (state->slot[entity] == search->model->entities[entity].home
                ? state->move_cost : 0);
}

static void reconsider(struct choose_local *search, struct ranking *ranking,
                       uint32_t entity)
{
    ranking->gain[entity] = bound(search, entity);
    ranking->fresh[entity] = false;
    sift(ranking, entity);
}

/* The best moves first, for when only a few may be made. */
static void rank_moves(struct choose_local *search, struct ranking *ranking)
{
    const struct choose_model *model = search->model;
    struct choose_change pair[2];
    uint32_t i, best;
    double gain;

    for (i = 0; i < model->nr_entities; i++) {
        put(ranking, ranking->nr++, i);
        reconsider(search, ranking, i);
    }
    while (search->state->nr_moved < search->max_moves && !search->rc) {
        best = ranking->heap[0];
        if (ranking->gain[best] <= CHOOSE_EPSILON ||
            !choose_local_spend(search, choose_local_effort(search, best)))
            break;
        gain = consider(search, best, pair);
        if (gain <= CHOOSE_EPSILON || !ranking->fresh[best] ||
            gain < ranking->gain[best] - CHOOSE_EPSILON) {
            ranking->gain[best] = gain;
            ranking->fresh[best] = true;
            sift(ranking, best);
            continue;
        }
        carry_out(search, pair, gain);
        /* Only what queued up around the change has a new gain. */
        for (; search->nr_queued; search->nr_queued--) {
            i = search->queue[search->head];
            search->head = (search->head + 1) % model->nr_entities;
            search->queued[i] = false;
            reconsider(search, ranking, i);
        }
        reconsider(search, ranking, best);
    }
}

static int best_first(struct choose_local *search)
{
    size_t nr = search->model->nr_entities;
    struct ranking ranking = {
        .heap = arena_get(&search->arena, nr, sizeof(uint32_t)),
        .place = arena_get(&search->arena, nr, sizeof(uint32_t)),
        .gain = arena_get(&search->arena, nr, sizeof(double)),
        .fresh = arena_get(&search->arena, nr, sizeof(bool)),
    };

    if (search->arena.failed)
        return -ENOMEM;
    rank_moves(search, &ranking);
    return search->rc;
}

static void enqueue_all(struct choose_local *search)
{
    uint32_t i;

    for (i = 0; i < search->model->nr_entities; i++)
        choose_local_enqueue(search, i);
}

static double whole(const struct choose_local *search)
{
    struct plan_cost cost;
    double penalty = 0;

    choose_cost(search->model, search->state->slot, &cost, &penalty);
    return cost.total + penalty +
           search->state->move_cost * search->state->nr_moved;
}

static void restore(struct choose_local *search, const uint32_t *slots)
{
    uint32_t i;

    for (i = 0; i < search->model->nr_entities; i++)
        if (search->state->slot[i] != slots[i])
            choose_placement_move(search->state, i, slots[i]);
}

/*
 * Kick and mend, keeping what is better, or at first a little worse (as
 * simulated annealing does); in the end the best that was seen.
 */
static int iterate(struct choose_local *search, uint32_t kicks)
{
    size_t bytes = search->model->nr_entities * sizeof(uint32_t);
    double heat = HEAT * whole(search) / search->model->nr_movable;
    double best = search->total, current, cool;
    uint64_t effort = search->effort;
    uint32_t *slots, left = kicks;

    slots = arena_get(&search->arena, 1, bytes);
    if (!slots)
        return -ENOMEM;
    memcpy(slots, search->state->slot, bytes);
    search->nr_log = 0;
    while (left-- && search->effort && !search->rc) {
        cool = fmin((double)left / kicks,
                    (double)search->effort / (double)effort);
        current = search->total;
        choose_shake(search);
        choose_local_improve(search);
        if (search->total > current + heat * cool * cool *
            choose_shake_draw(search, 1000) / 1000) {
            choose_local_rollback(search, 0, current);
        } else if (search->total < best - CHOOSE_EPSILON) {
            best = search->total;
            memcpy(slots, search->state->slot, bytes);
        }
        search->nr_log = 0;
    }
    restore(search, slots);
    return search->rc;
}

/*
 * From an empty host: always the entity that is tied most to what is placed,
 * by traffic and then demand, to its best slot.
 */
static int construct(struct choose_local *search)
{
    const struct choose_model *model = search->model;
    const struct choose_edge *edge;
    uint32_t i, j, best;
    double *tie;

    tie = arena_get(&search->arena, model->nr_entities, sizeof *tie);
    if (!tie)
        return -ENOMEM;
    for (i = 0; i < model->nr_entities; i++) {
        tie[i] = -1;
        if (!choose_local_movable(search, i))
            continue;
        tie[i] = model->entities[i].demand;
        choose_placement_move(search->state, i, CHOOSE_NOWHERE);
    }
    for (;;) {
        best = 0;
        for (i = 1; i < model->nr_entities; i++)
            if (tie[i] > tie[best])
                best = i;
        if (tie[best] < 0)
            break;
        choose_field(search->state, best, search->cost);
        choose_placement_move(search->state, best,
                              choose_local_best(search, best, search->cost));
        tie[best] = -1;
        for (j = 0; j < model->entities[best].nr_edges; j++) {
            edge = &model->edges[model->entities[best].first_edge + j];
            if (tie[edge->to] >= 0)
                tie[edge->to] += 10 * (double)edge->bytes *
                                 model->byte_cost[0] + 1e-12;
        }
    }
    return 0;
}

/* From the places as they are to the best that this effort finds. */
static int settle(struct choose_local *search, uint64_t effort)
{
    uint32_t movable = search->model->nr_movable;

    enqueue_all(search);
    search->effort = effort / 2;
    choose_local_improve(search);
    search->effort += effort / 2;
    search->total = 0;
    if (search->rc)
        return search->rc;
    return iterate(search, movable < FEW ? 400 + 300 * movable : UINT32_MAX);
}

/* From here and from an empty host, with half the effort each. */
static int settle_twice(struct choose_local *search)
{
    size_t bytes = search->model->nr_entities * sizeof(uint32_t);
    uint64_t effort = search->effort / 2;
    uint32_t *first;
    double cost;
    int rc;

    rc = settle(search, effort);
    if (rc)
        return rc;
    first = arena_get(&search->arena, 1, bytes);
    if (!first)
        return -ENOMEM;
    cost = whole(search);
    memcpy(first, search->state->slot, bytes);
    rc = construct(search);
    if (!rc) {
        search->nr_log = 0;
        rc = settle(search, effort);
    }
    if (rc || whole(search) >= cost)
        restore(search, first);
    return rc;
}

static int run(struct choose_local *search)
{
    int rc;

    if (search->max_moves >= search->model->nr_movable)
        return settle_twice(search);
    rc = best_first(search);
    if (rc)
        return rc;
    /* Of many, few are moved, and the best are found: what is left to mend is
     * near them. */
    return settle(search, search->model->nr_movable < FEW ? search->effort
                                                          : search->effort /
                                                            10);
}

/* Among equals the first slot: the least busy one, and of such that are alike
 * the lowest number; floating point differs between machines by less than
 * EPSILON. */
static void tidy(struct choose_local *search)
{
    struct choose_placement *state = search->state;
    uint32_t i, slot;

    for (i = 0; i < search->model->nr_entities; i++) {
        if (state->slot[i] == search->model->entities[i].home)
            continue;
        choose_field(state, i, search->cost);
        for (slot = 0; slot < state->slot[i]; slot++)
            if (search->cost[slot] <= search->cost[state->slot[i]] +
                                      CHOOSE_EPSILON &&
                choose_local_allowed(search, i, slot))
                choose_placement_move(state, i, slot);
    }
}

int choose_search(struct choose_placement *state, uint32_t max_moves,
                  uint64_t effort)
{
    const struct choose_model *model = state->model;
    struct choose_local search = {
        .state = state, .model = model, .max_moves = max_moves,
        .effort = effort, .random = 0x9e3779b97f4a7c15U,
    };
    int rc;

    if (!model->nr_movable || !max_moves)
        return 0;
    search.cost = arena_get(&search.arena, model->nr_slots + 1,
                            sizeof *search.cost);
    search.other_cost = arena_get(&search.arena, model->nr_slots + 1,
                                  sizeof *search.cost);
    search.queue = arena_get(&search.arena, model->nr_entities,
                             sizeof *search.queue);
    search.queued = arena_get(&search.arena, model->nr_entities,
                              sizeof *search.queued);
    rc = search.arena.failed ? -ENOMEM : run(&search);
    if (!rc)
        tidy(&search);
    arena_free(&search.arena);
    free(search.log);
    return rc;
}
