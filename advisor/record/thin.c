/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/record.h"

#include <errno.h>

#include <sqlite3.h>

#include "base/db.h"
#include "record/record-priv.h"

/* Hours that one call thins: the cost of a record stays small. */
#define HISTORY_THIN_AT_ONCE 48
#define DAY_S ((int64_t)24 * 3600)

struct thin
{
    struct record *history;
    int64_t record;
};

static int thin_vm(void *opaque, int64_t vm, const struct record_vcpu *vcpus,
                   size_t nr_vcpus)
{
    struct thin *thin = opaque;

    return record_insert_load(thin->history, thin->record, vm, vcpus,
                              nr_vcpus);
}

static int thin_flow(void *opaque, int64_t from, int64_t to,
                     const struct record_flow *flow)
{
    struct thin *thin = opaque;

    return record_insert_flow(thin->history, thin->record, from, to, flow);
}

/* One hour's records become one. */
static int record_thin_hour(struct record *history, int64_t hour)
{
    static const struct record_mean_ops ops = { thin_vm, thin_flow };
    struct thin thin = { .history = history };
    int64_t from = hour * HISTORY_COARSE_S;
    int rc = record_pick_none(history);

    if (rc)
        return rc;
    rc = db_begin(history->db);
    if (rc)
        return rc;
    rc = db_run(history->db, "INSERT INTO temp.pick SELECT id FROM record"
                " WHERE end_s >= ? AND end_s < ?", "ii", from,
                from + HISTORY_COARSE_S);
    if (!rc)
        rc = db_run(history->db,
                    "INSERT INTO record(end_s, seconds, demand)"
                    " SELECT max(end_s), sum(seconds),"
                    " sum(demand * seconds) / sum(seconds) FROM record"
                    " WHERE id IN (SELECT id FROM temp.pick)", "");
    if (!rc) {
        thin.record = sqlite3_last_insert_rowid(history->db);
        rc = record_mean(history, &ops, &thin);
    }
    if (!rc)
        rc = db_run(history->db, "DELETE FROM record WHERE id IN"
                    " (SELECT id FROM temp.pick)", "");
    if (rc) {
        db_rollback(history->db);
        return rc;
    }
    return db_commit(history->db);
}

int record_thin(struct record *history, int64_t now_s,
                unsigned int keep_days)
{
    struct sqlite3_stmt *stmt = NULL;
    int64_t hours[HISTORY_THIN_AT_ONCE];
    size_t nr_hours = 0, i;
    int rc;

    if (!keep_days)
        keep_days = HISTORY_DAYS_DEFAULT;
    /* Those of a clock that was wrong, a day ahead and more, would stay for
     * years, and count as the last day. */
    rc = db_run(history->db, "DELETE FROM record WHERE end_s < ? OR end_s > ?",
                "ii", now_s - (int64_t)keep_days * DAY_S, now_s + DAY_S);
    if (!rc)
        rc = db_run(history->db, "DELETE FROM vm WHERE id NOT IN"
                    " (SELECT vm FROM load)", "");
    if (!rc)
        rc = db_prepare(history->db,
                        "SELECT end_s / ?1 AS hour FROM record"
                        " WHERE end_s < ?2 / ?1 * ?1"
                        " GROUP BY hour HAVING count(*) > 1"
                        " ORDER BY hour LIMIT ?3", &stmt);
    if (!rc) {
        sqlite3_bind_int64(stmt, 1, HISTORY_COARSE_S);
        sqlite3_bind_int64(stmt, 2, now_s - HISTORY_FINE_S);
        sqlite3_bind_int64(stmt, 3, HISTORY_THIN_AT_ONCE);
    }
    while (!rc && nr_hours < HISTORY_THIN_AT_ONCE
           && (rc = db_step(stmt)) > 0) {
        hours[nr_hours++] = sqlite3_column_int64(stmt, 0);
        rc = 0;
    }
    sqlite3_finalize(stmt);
    for (i = 0; i < nr_hours && !rc; i++)
        rc = record_thin_hour(history, hours[i]);
    return rc;
}
