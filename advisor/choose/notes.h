/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_CHOOSE_NOTES_H
#define SHMLINK_CHOOSE_NOTES_H

struct choose_model;
struct plan;

/* Constraints and limits of the data.  Errors: plan->no_memory. */
void choose_notes(struct plan *plan, const struct choose_model *model);

#endif
