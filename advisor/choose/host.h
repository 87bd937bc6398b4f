/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's part of the model: slots, distances, where memory is. */
#ifndef SHMLINK_CHOOSE_HOST_H
#define SHMLINK_CHOOSE_HOST_H

#include <hwloc.h>

struct choose_model;

/* far: distances beyond local of node to node, in units of 10; the caller
 * frees it. */
int choose_host(struct choose_model *model, hwloc_topology_t topology,
                double **far_r);
int choose_host_memory(struct choose_model *model, hwloc_topology_t topology,
                       const double *far);

#endif
