/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_CHOOSE_TEXT_H
#define SHMLINK_CHOOSE_TEXT_H

#include "model/plan.h"

#include <stddef.h>

struct snapshot;
struct snapshot_domain;

/*
 * Append with a text; names are copied from domains of the snapshot
 * (SNAPSHOT_OUTSIDE: none).  *_r, may be NULL, is the new element.
 * Errors: -ENOMEM.
 */
int choose_add_finding(struct plan *plan, const struct snapshot *snapshot,
                       struct plan_finding **finding_r,
                       enum plan_finding_kind kind, size_t first,
                       size_t second, double value, double cost,
                       const char *format, ...)
    __attribute__((format(printf, 9, 10)));

/* The greatest cost first; of too many the dear ones, and how many others. */
void choose_sort_findings(struct plan *plan);

int choose_add_note(struct plan *plan, const struct snapshot *snapshot,
                    enum plan_note_kind kind, size_t domain,
                    const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int choose_add_step(struct plan *plan, const struct snapshot *snapshot,
                    struct plan_step **step_r, enum plan_step_kind kind,
                    enum plan_reason reason, size_t first, size_t second,
                    double gain, const char *format, ...)
    __attribute__((format(printf, 9, 10)));
/* The command of a step that has all else; vif: of a link, NULL: any.  It has
 * VMs' names as far as a shell takes them as they are, else their domids. */
int choose_command(struct plan_step *step, const uint32_t vif[2]);

/* "120 MB/s"; text has room for 32 bytes. */
const char *choose_rate(char *text, double bytes);

#endif
