/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_CHOOSE_STEPS_H
#define SHMLINK_CHOOSE_STEPS_H

#include "model/plan.h"

struct choose_entity;
struct choose_model;
struct choose_placement;
struct snapshot;
struct snapshot_vcpu;

/* Pins for all that is away from home, best first.  Errors: -ENOMEM. */
int choose_steps(struct plan *plan, struct choose_placement *after);

/* Hard where asked for, for an isolated VM, or where a hard mask of ours is in
 * the way. */
bool choose_pin_hard(const struct choose_model *model,
                     const struct choose_entity *entity,
                     const struct snapshot_vcpu *vcpu,
                     hwloc_const_bitmap_t pcpus);

/* One pin as a step; peer may be NULL; a full set is all.
 * Errors: plan->no_memory. */
void choose_add_pin(struct plan *plan, const struct snapshot *snapshot,
                    const struct snapshot_vcpu *vcpu, bool hard,
                    hwloc_const_bitmap_t pcpus, enum plan_reason reason,
                    const char *peer, const char *text, double gain);

#endif
