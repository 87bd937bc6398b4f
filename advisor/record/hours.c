/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/record.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/db.h"
#include "model/snapshot.h"

#define DAY_S ((int64_t)24 * 3600)
#define HOUR "CAST(strftime('%H', end_s, 'unixepoch', 'localtime') AS INTEGER)"

static void find_busy(struct record_hours *hours, double share)
{
    double quiet = INFINITY, peak = 0;
    int hour;

    for (hour = 0; hour < 24; hour++) {
        if (!hours->records[hour])
            continue;
        quiet = fmin(quiet, hours->pcpus[hour]);
        peak = fmax(peak, hours->pcpus[hour]);
    }
    for (hour = 0; hour < 24; hour++)
        hours->busy[hour] = hours->records[hour] &&
                            hours->pcpus[hour] >=
                                quiet + share * (peak - quiet);
}

int record_hours(struct sqlite3 *db, int64_t now_s, unsigned int days,
                 double share, unsigned int least,
                 struct record_hours *hours_r)
{
    int64_t since_s = now_s - days * DAY_S, nr_days = 0;
    struct sqlite3_stmt *stmt = NULL;
    unsigned int records = 0;
    int rc;

    memset(hours_r, 0, sizeof(*hours_r));
    rc = db_prepare(db, "SELECT " HOUR ", count(*),"
                    " sum(demand * seconds) / sum(seconds)"
                    " FROM record WHERE end_s >= ? GROUP BY 1", "i", &stmt,
                    since_s);
    while (!rc && (rc = db_step(stmt)) > 0) {
        int hour = sqlite3_column_int(stmt, 0);

        rc = 0;
        if (hour < 0 || hour > 23)
            continue;
        hours_r->records[hour] = (unsigned int)sqlite3_column_int(stmt, 1);
        hours_r->pcpus[hour] = sqlite3_column_double(stmt, 2);
        records += hours_r->records[hour];
    }
    sqlite3_finalize(stmt);
    if (!rc)
        rc = db_get_int(db, &nr_days, "SELECT count(DISTINCT"
                        " date(end_s, 'unixepoch', 'localtime'))"
                        " FROM record WHERE end_s >= ?", "i", since_s);
    if (rc)
        return rc;
    if (records < least || !records)
        return -ENODATA;
    hours_r->days = (unsigned int)nr_days;
    find_busy(hours_r, share);
    return 0;
}

/* The records of busy hours, and which domains their VMs are today. */
static int pick(struct sqlite3 *db, int64_t since_s,
                const struct record_hours *hours,
                const struct snapshot *snapshot, int64_t *picked_r)
{
    int64_t mask = 0;
    size_t i;
    int rc;

    for (i = 0; i < 24; i++)
        mask |= (int64_t)hours->busy[i] << i;
    rc = db_exec(db, "DELETE FROM pick;"
                 "CREATE TEMP TABLE IF NOT EXISTS now("
                 " vm INTEGER PRIMARY KEY, domain INTEGER NOT NULL);"
                 "DELETE FROM now; INSERT INTO now VALUES(0, -1)") ?:
         db_run(db, "INSERT INTO pick SELECT id FROM record"
                " WHERE end_s >= ? AND (? >> " HOUR ") & 1", "ii",
                since_s, mask) ?:
         db_get_int(db, picked_r, "SELECT count(*) FROM pick", "");
    /* Of two domains with one UUID the first counts. */
    for (i = 0; i < snapshot->nr_domains && !rc; i++)
        rc = db_run(db, "INSERT OR IGNORE INTO now"
                    " SELECT id, ? FROM vm WHERE uuid = ?", "iu", (int64_t)i,
                    snapshot->domains[i].uuid);
    return rc;
}

/* A value with its source in column `source`. */
static struct snapshot_value value_of(struct sqlite3_stmt *stmt, double value,
                                      double variance, int source)
{
    int from = sqlite3_column_int(stmt, source);

    return (struct snapshot_value){
        value, sqrt(fmax(0, variance)),
        from >= 0 && from <= SNAPSHOT_SOURCE_SAMPLING
            ? (enum snapshot_source)from : SNAPSHOT_SOURCE_NONE };
}

static double fraction(struct sqlite3_stmt *stmt, int column)
{
    return fmin(1, fmax(0, sqlite3_column_double(stmt, column)));
}

static void overlay_vcpu(struct snapshot *snapshot,
                         struct sqlite3_stmt *stmt)
{
    const struct snapshot_domain *d =
        &snapshot->domains[sqlite3_column_int64(stmt, 0)];
    int64_t vcpuid = sqlite3_column_int64(stmt, 1);
    struct snapshot_vcpu *v;

    if (vcpuid < 0 || vcpuid >= d->vcpus_max)
        return;
    v = &snapshot->vcpus[d->first_vcpu + (size_t)vcpuid];
    /* What an offline one did is of no use: it is not there now. */
    if (!v->online)
        return;
    v->utilisation = value_of(stmt, fraction(stmt, 2), 0, 3);
    v->wait = value_of(stmt, fraction(stmt, 4),
                       sqlite3_column_double(stmt, 5), 6);
    v->block = value_of(stmt, fraction(stmt, 7), 0, 6);
    v->switches = value_of(stmt, sqlite3_column_double(stmt, 8), 0, 10);
    v->execution_usec = value_of(stmt, sqlite3_column_double(stmt, 9), 0, 10);
}

static int overlay_load(struct sqlite3 *db, struct snapshot *snapshot,
                        bool *seen)
{
    struct sqlite3_stmt *stmt = NULL;
    int rc = db_prepare(db, "SELECT n.domain, vcpu, run, run_source, wait,"
                        " wait_variance, wait_source, block, switches,"
                        " execution, switches_source"
                        " FROM mean_load JOIN now n USING(vm)", "", &stmt);

    while (!rc && (rc = db_step(stmt)) > 0) {
        rc = 0;
        seen[sqlite3_column_int64(stmt, 0)] = true;
        overlay_vcpu(snapshot, stmt);
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* The part of a flow that went by link, or the rest, by vif. */
static int overlay_part(struct snapshot *snapshot, struct sqlite3_stmt *stmt,
                        enum snapshot_via via)
{
    double all = sqlite3_column_double(stmt, 2);
    bool link = via == SNAPSHOT_VIA_LINK;
    double bytes = sqlite3_column_double(stmt, link ? 5 : 6);
    double share = all > 0 ? fmin(1, bytes / all) : 0;
    int64_t from = sqlite3_column_int64(stmt, 0);
    int64_t to = sqlite3_column_int64(stmt, 1);
    struct snapshot_traffic *t;

    /* What floats leave of a difference is nothing. */
    if (share <= 1e-6)
        return 0;
    t = snapshot_add_traffic(snapshot);
    if (!t)
        return -ENOMEM;
    t->from = from < 0 ? SNAPSHOT_OUTSIDE : (size_t)from;
    t->to = to < 0 ? SNAPSHOT_OUTSIDE : (size_t)to;
    t->from_vif = (uint32_t)sqlite3_column_int64(stmt, 8);
    t->to_vif = (uint32_t)sqlite3_column_int64(stmt, 9);
    t->via = via;
    t->bytes = (struct snapshot_value){
        bytes, sqrt(fmax(0, sqlite3_column_double(stmt, 3))) * share,
        SNAPSHOT_SOURCE_SAMPLING };
    t->packets = (struct snapshot_value){
        fmax(0, sqlite3_column_double(stmt, link ? 4 : 7)), 0,
        SNAPSHOT_SOURCE_SAMPLING };
    return 0;
}

/* As it went then: links have come and gone since. */
static int overlay_flows(struct sqlite3 *db, struct snapshot *snapshot)
{
    struct sqlite3_stmt *stmt = NULL;
    int rc = db_prepare(db, "SELECT x.domain, y.domain, bytes,"
                        " bytes_variance, link_packets, link_bytes,"
                        " bytes - link_bytes, packets - link_packets,"
                        " a_vif, b_vif"
                        " FROM mean_flow JOIN now x ON x.vm = a"
                        " JOIN now y ON y.vm = b"
                        " WHERE x.domain <> y.domain"
                        " ORDER BY 1, 2, a_vif, b_vif", "",
                        &stmt);

    while (!rc && (rc = db_step(stmt)) > 0) {
        rc = overlay_part(snapshot, stmt, SNAPSHOT_VIA_VIF) ?:
             overlay_part(snapshot, stmt, SNAPSHOT_VIA_LINK);
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* Of what no record knows, say nothing rather than what it does now. */
static void forget(struct snapshot *s)
{
    const struct snapshot_value none = { 0 };
    size_t i;

    for (i = 0; i < 2 * s->nr_links; i++) {
        struct snapshot_link_end *end = &s->links[i / 2].end[i % 2];

        *end = (struct snapshot_link_end){ .domain = end->domain,
                                           .vif = end->vif };
    }
    for (i = 0; i < s->nr_vcpus; i++)
        s->vcpus[i].utilisation = s->vcpus[i].wait = s->vcpus[i].block =
            s->vcpus[i].switches = s->vcpus[i].execution_usec = none;
    for (i = 0; i < s->nr_pcpus; i++)
        s->pcpus[i].idle = none;
    s->nr_switches = 0;
    s->nr_traffic = 0;
}

/* What the snapshot is of now, and a note for each VM without a record. */
static int overlay_told(struct sqlite3 *db, struct snapshot *snapshot,
                        const bool *seen)
{
    int64_t seconds = 0;
    size_t i;
    int rc = db_get_int(db, &seconds, "SELECT sum(seconds)"
                        " FROM pick JOIN record USING(id)", "");

    snapshot->duration = (double)seconds;
    for (i = 0; i < snapshot->nr_domains && !rc; i++)
        if (!seen[i])
            rc = snapshot_note(snapshot, "history", "%s was not here in the "
                               "busy hours: its load is not known",
                               snapshot->domains[i].name ?
                                   snapshot->domains[i].name : "a VM");
    return rc;
}

int record_overlay(struct sqlite3 *db, int64_t now_s, unsigned int days,
                   const struct record_hours *hours,
                   struct snapshot *snapshot)
{
    bool *seen = calloc(snapshot->nr_domains + 1, sizeof(*seen));
    int64_t picked = 0;
    int rc;

    if (!seen)
        return -ENOMEM;
    rc = pick(db, now_s - days * DAY_S, hours, snapshot, &picked);
    if (!rc && !picked)
        rc = -ENODATA;
    if (!rc) {
        forget(snapshot);
        rc = overlay_load(db, snapshot, seen) ?:
             overlay_flows(db, snapshot) ?:
             overlay_told(db, snapshot, seen);
    }
    free(seen);
    return rc;
}
