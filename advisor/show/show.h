/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advice as text for a terminal: what is wrong now, with the numbers, what
 * would be done, why, and what it is predicted to bring.  Writes to the
 * stream that it is given.  Returns 0, -ENOMEM or -EIO.
 */
#ifndef SHMLINK_SHOW_SHOW_H
#define SHMLINK_SHOW_SHOW_H

#include <stdbool.h>
#include <stdio.h>

struct plan;
struct snapshot;

/* Args: snapshot, NULL when there is only a plan; all: every VM and pair, else
 * the busiest. */
int show_plan(const struct plan *plan, const struct snapshot *snapshot,
              bool all, FILE *stream);

/* Of that the numbers measured, per VM and per pair, as two tables. */
int show_tables(const struct snapshot *snapshot, bool all, FILE *stream);

#endif
