/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local search over a placement: moves, exchanges and ejections, undone where
 * they do not pay.  Private to local.c, shake.c and search.c.
 */
#ifndef SHMLINK_CHOOSE_LOCAL_H
#define SHMLINK_CHOOSE_LOCAL_H

#include "choose/placement.h"

#define CHOOSE_EPSILON 1e-9

struct choose_change {
    uint32_t entity, slot;
};

struct choose_local {
    struct arena arena;			/* of all arrays but the log */
    struct choose_placement *state;
    const struct choose_model *model;
    uint32_t max_moves;
    uint64_t effort, random;
    double *cost, *other_cost;		/* see choose_field() */
    uint32_t *queue, head, nr_queued;	/* ring of nr_entities */
    bool *queued;
    struct choose_change *log;		/* where they were, since the
					   last commit */
    size_t nr_log;
    double total;			/* relative to the start */
    int rc;
};

/* Take from the effort that is left; false, and nothing left: too much. */
bool choose_local_spend(struct choose_local *search, uint64_t effort);
/* What choose_field() of an entity costs. */
uint64_t choose_local_effort(const struct choose_local *search,
                             uint32_t entity);

bool choose_local_movable(const struct choose_local *search, uint32_t entity);
bool choose_local_allowed(const struct choose_local *search, uint32_t entity,
                          uint32_t slot);

/* The cheapest slot that it may have, by cost[]; its own if none is. */
uint32_t choose_local_best(const struct choose_local *search, uint32_t entity,
                           const double *cost);

/* Look at it again in choose_local_improve(). */
void choose_local_enqueue(struct choose_local *search, uint32_t entity);

/* Move and remember; delta is what that adds to the cost. */
void choose_local_change(struct choose_local *search, uint32_t entity,
                         uint32_t slot, double delta);
/* Undo down to a length of the log. */
void choose_local_rollback(struct choose_local *search, size_t nr_log,
                           double total);

/*
 * One that floats and the one it talks to most, bound together: pair is what to
 * do, the result what that gains, where neither gains alone.  cost[] is that
 * of entity, and spoilt.
 */
double choose_local_pair(struct choose_local *search, uint32_t entity,
                         struct choose_change pair[2]);

/* Until nothing in the queue finds a better place, or effort runs out. */
void choose_local_improve(struct choose_local *search);

/*
 * shake.c: change something at random, within what is allowed; a number below
 * `below`, from the search's own generator.
 */
void choose_shake(struct choose_local *search);
uint32_t choose_shake_draw(struct choose_local *search, uint32_t below);

#endif
