/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/rebalance.h"

#include <errno.h>
#include <stddef.h>

#include "choose/choose.h"
#include "model/plan.h"
#include "model/snapshot.h"

/* Hours above the middle between the quietest and the busiest are busy. */
#define BUSY_SHARE 0.5

struct run {
    struct sqlite3 *db;
    struct snapshot *snapshot;
    const struct settings *settings;
    const struct past *past;
    const struct record_hours *hours;
    char **why_r;
};

/* Errors: -ENODATA no record in a busy hour of those days. */
static int plan_for(const struct run *run, unsigned int days, int64_t now_s,
                    struct plan **plan_r)
{
    int rc = record_overlay(run->db, now_s, days, run->hours, run->snapshot) ?:
             snapshot_check(run->snapshot, run->why_r) ?:
             choose(plan_r, run->snapshot, run->settings, run->past,
                    run->why_r);

    return rc;
}

static int confirm(const struct run *run, enum rebalance_verdict *verdict_r)
{
    struct record_stat stat = { 0 };
    struct plan *plan = NULL;
    int rc = record_stat(run->db, &stat) ?:
             plan_for(run, 1, stat.last_s + 1, &plan);

    /* No busy hour in the last day: nothing speaks against it. */
    *verdict_r = !rc && !plan->nr_steps ? REBALANCE_ODD : REBALANCE_DO;
    plan_free(plan);
    return rc == -ENODATA ? 0 : rc;
}

int rebalance(struct rebalance *result_r, struct sqlite3 *db,
              struct snapshot *snapshot, const struct settings *settings,
              const struct past *past, unsigned int days,
              int64_t now_s, char **why_r)
{
    struct run run = { db, snapshot, settings, past, &result_r->hours, why_r };
    int rc;

    *why_r = NULL;
    *result_r = (struct rebalance){ .verdict = REBALANCE_FEW_RECORDS };
    rc = record_hours(db, now_s, days, BUSY_SHARE, REBALANCE_RECORDS_LEAST,
                      &result_r->hours) ?:
         plan_for(&run, days, now_s, &result_r->plan);
    if (rc)
        return rc == -ENODATA ? 0 : rc;
    if (!result_r->plan->nr_steps) {
        result_r->verdict = REBALANCE_NOTHING;
        return 0;
    }
    return confirm(&run, &result_r->verdict);
}
