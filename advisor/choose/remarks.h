/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan says beside its steps.  Errors: -ENOMEM, or plan->no_memory. */
#ifndef SHMLINK_CHOOSE_REMARKS_H
#define SHMLINK_CHOOSE_REMARKS_H

struct choose_model;
struct choose_pairs;
struct choose_placement;
struct choose_sizes;
struct plan;

/* findings.c: what is wrong now, greatest cost first. */
int choose_findings(struct plan *plan, struct choose_placement *before,
                    const struct choose_pairs *pairs);

/* notes.c: constraints and limits of the data. */
void choose_notes(struct plan *plan, const struct choose_model *model);

/*
 * pins.c: what the administrator's pins keep from being gained beyond what the
 * plan gains (pCPUs, by moving), as a note that names the option; none where
 * that is not worth a plan.  model: that of the plan.
 */
int choose_pins(struct plan *plan, const struct choose_model *model,
                const struct choose_pairs *pairs,
                const struct choose_sizes *sizes, double gained);

#endif
