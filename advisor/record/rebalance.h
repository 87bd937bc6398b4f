/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to be done about the busy hours of the recorded days: the policy of
 * the nightly run.
 *
 * One odd day in a week moves nothing, and nothing is moved back and forth:
 * what the last day alone does not ask for is not done.
 */
#ifndef SHMLINK_RECORD_REBALANCE_H
#define SHMLINK_RECORD_REBALANCE_H

#include <stdint.h>

#include "record/record.h"

/* An hour of records, one each five minutes. */
#define REBALANCE_RECORDS_LEAST 12

struct past;
struct plan;
struct settings;

enum rebalance_verdict {
    REBALANCE_FEW_RECORDS,      /* no plan */
    REBALANCE_NOTHING,          /* the plan has no steps */
    REBALANCE_ODD,              /* not what the last day asks for */
    REBALANCE_DO,
};

struct rebalance {
    enum rebalance_verdict verdict;
    struct record_hours hours;
    struct plan *plan;          /* or NULL; the caller's, plan_free() */
};

/*
 * snapshot: the host as it is, whose load is replaced by that of the records
 * of the `days` before now_s.
 * why_r: one line on failure, the caller frees it.
 * Errors: those of db.h, choose() and snapshot_check().
 */
int rebalance(struct rebalance *result_r, struct sqlite3 *db,
              struct snapshot *snapshot, const struct settings *settings,
              const struct past *past, unsigned int days,
              int64_t now_s, char **why_r);

#endif
