/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_CHOOSE_PINS_H
#define SHMLINK_CHOOSE_PINS_H

struct choose_model;
struct choose_pairs;
struct choose_sizes;
struct plan;

/*
 * What the administrator's pins keep from being gained beyond what the plan
 * gains (pCPUs, by moving), as a note that names the option; none where that
 * is not worth a plan.  model: that of the plan.  Errors: -ENOMEM.
 */
int choose_pins(struct plan *plan, const struct choose_model *model,
                const struct choose_pairs *pairs,
                const struct choose_sizes *sizes, double gained);

#endif
