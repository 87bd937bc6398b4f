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

struct show_options
{
    bool all; /* every VM and pair, else the busiest */
};

/* Args: snapshot, NULL when there is only a plan. */
int show_plan(const struct plan *plan, const struct snapshot *snapshot,
              const struct show_options *options, FILE *stream);

#endif
