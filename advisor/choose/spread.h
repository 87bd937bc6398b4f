/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was measured, as far as it bounds the model. */
#ifndef SHMLINK_CHOOSE_SPREAD_H
#define SHMLINK_CHOOSE_SPREAD_H

struct choose_model;

/* Once entities are known: share and base of each slot, norm and spread of what
 * floats.  Errors: -ENOMEM. */
int choose_spread(struct choose_model *model);

/* Once edges are known: belief of each slot, limits of cores and nodes.
 * Errors: -ENOMEM. */
int choose_bounds(struct choose_model *model);

#endif
