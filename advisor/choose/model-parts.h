/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the model, in the order in which model.c has them made. */
#ifndef SHMLINK_CHOOSE_MODEL_PARTS_H
#define SHMLINK_CHOOSE_MODEL_PARTS_H

#include <stdbool.h>
#include <stddef.h>

struct choose_model;
struct choose_pairs;
struct choose_sizes;
struct snapshot;

/*
 * host.c: slots, nodes and what distance costs.  Errors: -EINVAL no online
 * pCPU in a cpupool, -ENOMEM, as all below.
 */
int choose_host(struct choose_model *model);

/* Distance of two of snapshot->nodes, in units of 10 beyond local. */
double choose_node_steps(const struct snapshot *snapshot, size_t from,
                         size_t to);

/*
 * order.c, for host.c: nodes by their distances, slots by node, group and
 * core, least busy first, then by what they are to the VMs: an order that does
 * not depend on numbers.  Whatever is alike in all that the model knows stays
 * in the order of its numbers: exchanging it changes nothing.  core, group and
 * node of each slot are any numbers before, node one in snapshot->nodes;
 * afterwards they count from 0 in that order, and model->nodes has the nodes'.
 */
int choose_order_slots(struct choose_model *model);

/* entity.c: what is to be placed, and where it may be. */
int choose_entities(struct choose_model *model,
                    const struct choose_sizes *sizes);

/* spread.c: share and base of each slot, norm and spread of what floats. */
int choose_spread(struct choose_model *model);

/* host.c: memory_cost. */
int choose_host_memory(struct choose_model *model);

/* graph.c: the edges between entities. */
int choose_graph(struct choose_model *model, const struct choose_pairs *pairs,
                 bool links);

/* spread.c: belief of each slot, limits of cores and nodes. */
int choose_bounds(struct choose_model *model);

#endif
