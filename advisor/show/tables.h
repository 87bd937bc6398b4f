/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The measured numbers of a snapshot, per VM and per pair, as two tables. */
#ifndef SHMLINK_SHOW_TABLES_H
#define SHMLINK_SHOW_TABLES_H

#include <stdbool.h>
#include <stdio.h>

struct snapshot;

/* Returns 0 or -ENOMEM. */
int show_tables(const struct snapshot *snapshot, bool all, FILE *stream);

#endif
