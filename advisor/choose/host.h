/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's part of the model: slots, distances, where memory is. */
#ifndef SHMLINK_CHOOSE_HOST_H
#define SHMLINK_CHOOSE_HOST_H

#include <stddef.h>
#include <stdint.h>

struct choose_model;
struct snapshot;

/*
 * Slots, nodes and what distance costs.  Errors: -EINVAL no online pCPU in a
 * cpupool, -ENOMEM.
 */
int choose_host(struct choose_model *model);

/* Once entities are known: memory_cost.  Errors: -ENOMEM. */
int choose_host_memory(struct choose_model *model);

/* Distance of two of snapshot->nodes, in units of 10 beyond local. */
double choose_node_steps(const struct snapshot *snapshot, size_t from,
                         size_t to);

#endif
