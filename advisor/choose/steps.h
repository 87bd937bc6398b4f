/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_CHOOSE_STEPS_H
#define SHMLINK_CHOOSE_STEPS_H

struct choose_placement;
struct plan;

/* Pins for all that is away from home, best first.  Errors: -ENOMEM. */
int choose_steps(struct plan *plan, struct choose_placement *after);

#endif
