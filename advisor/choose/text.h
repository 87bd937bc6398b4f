/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_CHOOSE_TEXT_H
#define SHMLINK_CHOOSE_TEXT_H

#include "model/plan.h"

#include <stddef.h>

struct snapshot;
struct snapshot_domain;

/*
 * Append with a text; names are copied from domains of the snapshot
 * (SNAPSHOT_OUTSIDE: none).  like: its numbers.
 * Errors: plan->no_memory is set, and stays so; to be looked at once all is
 * added.
 */
void choose_add_finding(struct plan *plan, const struct snapshot *snapshot,
                        const struct plan_finding *like, size_t first,
                        size_t second, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* The greatest cost first; of too many the dear ones, and how many others. */
void choose_sort_findings(struct plan *plan);

void choose_add_note(struct plan *plan, const struct snapshot *snapshot,
                     enum plan_note_kind kind, size_t domain,
                     const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* like: all but subjects, text and command; what it points to is copied.  vif:
 * of a link, for the command, NULL: any.  The command has VMs' names as far as
 * a shell takes them as they are, else their domids. */
void choose_add_step(struct plan *plan, const struct snapshot *snapshot,
                     const struct plan_step *like, size_t first, size_t second,
                     const uint32_t vif[2], const char *text);

/* "120 MB/s"; text has room for 32 bytes. */
const char *choose_rate(char *text, double bytes);

#endif
