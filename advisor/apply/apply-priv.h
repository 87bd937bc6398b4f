/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between apply.c (there) and apply-undo.c (and back). */
#ifndef SHMLINK_APPLY_APPLY_PRIV_H
#define SHMLINK_APPLY_APPLY_PRIV_H

#include "apply/state.h"
#include "apply/apply.h"

/* Call options->progress, if there is one. */
void apply_tell(const struct apply_options *options, enum apply_event event,
                size_t step, size_t nr_steps, const char *command,
                const char *text);
/* A line on why a step failed. */
void apply_reason(const struct apply_options *options, int rc,
                  enum plan_step_kind kind, char *text, size_t size);
/* Bring the host back to `before`, verified. */
int apply_restore(const struct apply_options *options,
                  const struct apply_state *before);

#endif
