/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/db.h"
#include "model/snapshot.h"

#define RECORD_APPLICATION_ID 0x73686d68 /* "shmh" */
#define RECORD_VERSION 4
#define RECORD_WAIT_MS 5000
/* Hours that one call thins: the cost of a record stays small. */
#define RECORD_THIN_AT_ONCE 48
#define DAY_S ((int64_t)24 * 3600)

/*
 * Errors are stored as variances, which add up; sources as the numbers of
 * enum snapshot_source.  VM 0 is the world outside; a vif is its devid, or
 * SNAPSHOT_NONE.
 */
static const char record_schema[] =
    "CREATE TABLE vm(id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE);"
    "CREATE TABLE record("
    " id INTEGER PRIMARY KEY, end_s INTEGER NOT NULL, seconds REAL NOT NULL,"
    " demand REAL NOT NULL);"
    "CREATE INDEX record_end ON record(end_s);"
    "CREATE TABLE load("
    " record INTEGER NOT NULL, vm INTEGER NOT NULL, vcpu INTEGER NOT NULL,"
    " run REAL, run_source INTEGER,"
    " wait REAL, wait_variance REAL, wait_source INTEGER, block REAL,"
    " switches REAL, execution REAL, switches_source INTEGER,"
    " PRIMARY KEY(record, vm, vcpu)) WITHOUT ROWID;"
    "CREATE TABLE flow("
    " record INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL,"
    " a_vif INTEGER NOT NULL, b_vif INTEGER NOT NULL,"
    " bytes REAL, bytes_variance REAL, packets REAL,"
    " link_bytes REAL, link_packets REAL,"
    " PRIMARY KEY(record, a, b, a_vif, b_vif)) WITHOUT ROWID;"
    "CREATE TRIGGER record_gone AFTER DELETE ON record BEGIN"
    " DELETE FROM load WHERE record = old.id;"
    " DELETE FROM flow WHERE record = old.id; END;";

/*
 * The means over the records that are in `pick`, weighted by their seconds.
 * A VM's are over those in which it was here, where a vCPU that was offline
 * was idle, and a pair without a record silent.
 */
static const char record_means[] =
    "CREATE TEMP TABLE pick(id INTEGER PRIMARY KEY);"
    "CREATE TEMP VIEW here AS"
    " SELECT vm, sum(seconds) AS seconds FROM"
    "  (SELECT DISTINCT l.vm, r.id, r.seconds FROM pick p"
    "   JOIN record r ON r.id = p.id JOIN load l ON l.record = r.id)"
    " GROUP BY vm;"
    "CREATE TEMP VIEW mean_load AS"
    " SELECT l.vm, l.vcpu,"
    "  sum(l.run * r.seconds) / h.seconds AS run,"
    "  max(l.run_source) AS run_source,"
    "  sum(l.wait * r.seconds) / h.seconds AS wait,"
    "  sum(l.wait_variance * r.seconds * r.seconds)"
    "   / (h.seconds * h.seconds) AS wait_variance,"
    "  max(l.wait_source) AS wait_source,"
    "  sum(l.block * r.seconds) / h.seconds AS block,"
    "  sum(l.switches * r.seconds) / h.seconds AS switches,"
    "  sum(l.execution * r.seconds) / sum(r.seconds) AS execution,"
    "  max(l.switches_source) AS switches_source"
    " FROM pick p JOIN record r ON r.id = p.id"
    " JOIN load l ON l.record = r.id JOIN here h ON h.vm = l.vm"
    " GROUP BY l.vm, l.vcpu;"
    "CREATE TEMP VIEW mean_flow AS"
    " SELECT f.a, f.b, f.a_vif, f.b_vif,"
    "  sum(f.bytes * r.seconds) / h.seconds AS bytes,"
    "  sum(f.bytes_variance * r.seconds * r.seconds)"
    "   / (h.seconds * h.seconds) AS bytes_variance,"
    "  sum(f.packets * r.seconds) / h.seconds AS packets,"
    "  sum(f.link_bytes * r.seconds) / h.seconds AS link_bytes,"
    "  sum(f.link_packets * r.seconds) / h.seconds AS link_packets"
    " FROM pick p JOIN record r ON r.id = p.id"
    " JOIN flow f ON f.record = r.id"
    " JOIN here h ON h.vm = CASE f.a WHEN 0 THEN f.b ELSE f.a END"
    " GROUP BY f.a, f.b, f.a_vif, f.b_vif;";

int record_open(struct sqlite3 **db_r, const char *path, uint64_t max_bytes)
{
    static const struct db_options options = {
        .schema = record_schema,
        .application_id = RECORD_APPLICATION_ID,
        .version = RECORD_VERSION,
        .empty_older = true,
        .wait_ms = RECORD_WAIT_MS,
    };
    struct sqlite3 *db = NULL;
    int64_t page = 4096;
    char sql[64];
    int rc;

    if (!max_bytes)
        max_bytes = RECORD_BYTES_DEFAULT;
    if (max_bytes < RECORD_BYTES_MIN)
        max_bytes = RECORD_BYTES_MIN;
    rc = db_open(&db, path, &options) ?:
         db_get_int(db, &page, "PRAGMA page_size", "");
    if (!rc) {
        snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%lld",
                 (long long)(max_bytes / (uint64_t)page));
        rc = db_exec(db, sql);
    }
    if (!rc)
        rc = db_exec(db, record_means);
    if (rc) {
        db_close(db);
        return rc;
    }
    *db_r = db;
    return 0;
}

static int record_add_vm(struct sqlite3 *db, const struct snapshot_domain *d,
                         int64_t *vm_r)
{
    int rc = db_run(db, "INSERT OR IGNORE INTO vm(uuid) VALUES(?)", "u",
                    d->uuid);

    return rc ? rc : db_get_int(db, vm_r, "SELECT id FROM vm WHERE uuid = ?",
                                "u", d->uuid);
}

static int record_add_load(struct sqlite3 *db, int64_t record,
                           const struct snapshot *s,
                           const struct snapshot_domain *d, int64_t vm)
{
    const struct snapshot_vcpu *v;
    int rc = 0;

    SNAPSHOT_FOR_VCPUS(v, s, d) {
        if (!v->online || rc)
            continue;
        /* Of two domains with one UUID the first counts. */
        rc = db_run(db, "INSERT OR IGNORE INTO load VALUES"
                    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "iiididdidddi",
                    record, vm, (int64_t)v->vcpuid, v->utilisation.value,
                    (int64_t)v->utilisation.source, v->wait.value,
                    v->wait.error * v->wait.error, (int64_t)v->wait.source,
                    v->block.value, v->switches.value,
                    v->execution_usec.value, (int64_t)v->switches.source);
    }
    return rc;
}

/* By vif and by link are one flow here, which knows both parts. */
static int record_add_flows(struct sqlite3 *db, int64_t record,
                            const struct snapshot *s, const int64_t *vms)
{
    size_t i;
    int rc = 0;

    for (i = 0; i < s->nr_traffic && !rc; i++) {
        const struct snapshot_traffic *t = &s->traffic[i];
        bool link = t->via == SNAPSHOT_VIA_LINK;
        double bytes = t->bytes.value, packets = t->packets.value;

        if (bytes <= 0)
            continue;
        rc = db_run(db, "INSERT INTO flow VALUES"
                    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes,"
                    " bytes_variance = bytes_variance"
                    "  + excluded.bytes_variance,"
                    " packets = packets + excluded.packets,"
                    " link_bytes = link_bytes + excluded.link_bytes,"
                    " link_packets = link_packets + excluded.link_packets",
                    "iiiiiddddd", record,
                    t->from == SNAPSHOT_OUTSIDE ? 0 : vms[t->from],
                    t->to == SNAPSHOT_OUTSIDE ? 0 : vms[t->to],
                    (int64_t)t->from_vif, (int64_t)t->to_vif,
                    bytes, t->bytes.error * t->bytes.error, packets,
                    link ? bytes : 0.0, link ? packets : 0.0);
    }
    return rc;
}

static int record_write(struct sqlite3 *db, const struct snapshot *s,
                        int64_t *vms, double demand)
{
    int64_t record = 0;
    size_t i;
    int rc = db_begin(db);

    if (rc)
        return rc;
    rc = db_run(db, "INSERT INTO record(end_s, seconds, demand)"
                " VALUES(?, ?, ?)", "idd", s->time, s->duration, demand);
    if (!rc)
        record = sqlite3_last_insert_rowid(db);
    for (i = 0; i < s->nr_domains && !rc; i++) {
        rc = record_add_vm(db, &s->domains[i], &vms[i]) ?:
             record_add_load(db, record, s, &s->domains[i], vms[i]);
    }
    if (!rc)
        rc = record_add_flows(db, record, s, vms);
    return db_end(db, rc);
}

/* The oldest day; where there are no two, the older half of them.  Errors:
 * -ENOENT there is nothing left to drop. */
static int record_drop_oldest(struct sqlite3 *db)
{
    struct record_stat stat;
    int64_t half;
    int rc = record_stat(db, &stat);

    if (!rc && !stat.records)
        return -ENOENT;
    if (rc)
        return rc;
    half = (stat.last_s - stat.first_s) / 2 + 1;
    return db_run(db, "DELETE FROM record WHERE end_s < ?", "i",
                  stat.first_s + (half < DAY_S ? half : DAY_S));
}

int record_add(struct sqlite3 *db, const struct snapshot *s)
{
    int64_t *vms;
    double demand = 0;
    size_t i;
    int rc;

    if (s->duration <= 0)
        return -EINVAL;
    vms = calloc(s->nr_domains + 1, sizeof(*vms));
    if (!vms)
        return -ENOMEM;
    for (i = 0; i < s->nr_vcpus; i++)
        demand += s->vcpus[i].utilisation.value + s->vcpus[i].wait.value;
    do {
        rc = record_write(db, s, vms, demand);
    } while (rc == -ENOSPC && !record_drop_oldest(db));
    free(vms);
    return rc;
}

/* One hour's records become one. */
static int record_thin_hour(struct sqlite3 *db, int64_t from_s)
{
    int64_t record;
    int rc = db_begin(db);

    if (rc)
        return rc;
    rc = db_exec(db, "DELETE FROM pick") ?:
         db_run(db, "INSERT INTO pick SELECT id FROM record"
                " WHERE end_s >= ? AND end_s < ?", "ii", from_s,
                from_s + RECORD_COARSE_S) ?:
         db_exec(db, "INSERT INTO record(end_s, seconds, demand)"
                 " SELECT max(end_s), sum(seconds),"
                 "  sum(demand * seconds) / sum(seconds)"
                 " FROM pick JOIN record USING(id)");
    record = sqlite3_last_insert_rowid(db);
    rc = rc ?:
         db_run(db, "INSERT INTO load SELECT ?, * FROM mean_load", "i",
                record) ?:
         db_run(db, "INSERT INTO flow SELECT ?, * FROM mean_flow", "i",
                record) ?:
         db_exec(db, "DELETE FROM record WHERE id IN pick");
    return db_end(db, rc);
}

int record_thin(struct sqlite3 *db, int64_t now_s, unsigned int keep_days)
{
    int64_t fine_s = (now_s - RECORD_FINE_S) / RECORD_COARSE_S *
                     RECORD_COARSE_S;
    int64_t hour = -1;
    int i, rc;

    if (!keep_days)
        keep_days = RECORD_DAYS_DEFAULT;
    /* Those of a clock that was wrong, a day ahead and more, would stay for
     * years, and count as the last day. */
    rc = db_run(db, "DELETE FROM record WHERE end_s < ? OR end_s > ?", "ii",
                now_s - keep_days * DAY_S, now_s + DAY_S) ?:
         db_exec(db, "DELETE FROM vm WHERE id NOT IN"
                 " (SELECT vm FROM load)");
    for (i = 0; i < RECORD_THIN_AT_ONCE && !rc; i++) {
        int64_t last = hour;

        rc = db_get_int(db, &hour, "SELECT end_s / ?1 FROM record"
                        " WHERE end_s >= (?2 + 1) * ?1 AND end_s < ?3"
                        " GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 1",
                        "iii", (int64_t)RECORD_COARSE_S, last, fine_s);
        if (rc || hour == last)
            break;
        rc = record_thin_hour(db, hour * RECORD_COARSE_S);
    }
    return rc;
}

int record_stat(struct sqlite3 *db, struct record_stat *stat_r)
{
    int64_t records = 0, bytes = 0;
    int rc;

    *stat_r = (struct record_stat){ 0 };
    rc = db_get_int(db, &records, "SELECT count(*) FROM record", "") ?:
         db_get_int(db, &stat_r->first_s, "SELECT min(end_s) FROM record",
                    "") ?:
         db_get_int(db, &stat_r->last_s, "SELECT max(end_s) FROM record",
                    "") ?:
         db_get_int(db, &bytes, "SELECT page_count * page_size FROM"
                    " pragma_page_count(), pragma_page_size()", "");
    stat_r->records = (uint64_t)records;
    stat_r->bytes = (uint64_t)bytes;
    return rc;
}
