/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/record.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/db.h"
#include "record/record-priv.h"

#define HISTORY_APPLICATION_ID 0x73686d68 /* "shmh" */
#define HISTORY_VERSION 2
#define HISTORY_WAIT_MS 5000

static const char record_schema[] =
    "CREATE TABLE vm(id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE);"
    "CREATE TABLE record("
    " id INTEGER PRIMARY KEY, end_s INTEGER NOT NULL, seconds REAL NOT NULL,"
    " demand REAL NOT NULL);"
    "CREATE INDEX record_end ON record(end_s);"
    "CREATE TABLE load("
    " record INTEGER NOT NULL, vm INTEGER NOT NULL, data BLOB NOT NULL,"
    " PRIMARY KEY(record, vm)) WITHOUT ROWID;"
    "CREATE TABLE flow("
    " record INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL,"
    " data BLOB NOT NULL, PRIMARY KEY(record, a, b)) WITHOUT ROWID;"
    "CREATE TRIGGER record_gone AFTER DELETE ON record BEGIN"
    " DELETE FROM load WHERE record = old.id;"
    " DELETE FROM flow WHERE record = old.id; END;";

int record_open(struct record **record_r, const char *path,
                uint64_t max_bytes)
{
    static const struct db_options options = {
        .schema = record_schema,
        .application_id = HISTORY_APPLICATION_ID,
        .version = HISTORY_VERSION,
        .create = true,
        .wait_ms = HISTORY_WAIT_MS,
    };
    struct record *history = calloc(1, sizeof(*history));
    int64_t page = 4096;
    char sql[64];
    int rc;

    if (!history)
        return -ENOMEM;
    if (!max_bytes)
        max_bytes = HISTORY_BYTES_DEFAULT;
    if (max_bytes < HISTORY_BYTES_MIN)
        max_bytes = HISTORY_BYTES_MIN;
    rc = db_open(&history->db, path, &options);
    if (!rc)
        rc = db_get_int(history->db, &page, "PRAGMA page_size", "");
    if (!rc) {
        snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%lld",
                 (long long)(max_bytes / (uint64_t)page));
        rc = db_exec(history->db, sql);
    }
    if (rc) {
        record_close(history);
        return rc;
    }
    *record_r = history;
    return 0;
}

void record_close(struct record *history)
{
    if (!history)
        return;
    db_close(history->db);
    free(history);
}

static int record_insert(struct record *history, const char *sql,
                         int64_t record, int64_t a, int64_t b,
                         const void *data, size_t bytes)
{
    struct sqlite3_stmt *stmt = NULL;
    int n = 1;
    int rc = db_prepare(history->db, sql, &stmt);

    if (rc)
        return rc;
    sqlite3_bind_int64(stmt, n++, record);
    sqlite3_bind_int64(stmt, n++, a);
    if (b >= 0)
        sqlite3_bind_int64(stmt, n++, b);
    sqlite3_bind_blob(stmt, n, data, (int)bytes, SQLITE_STATIC);
    rc = db_step(stmt);
    sqlite3_finalize(stmt);
    return rc;
}

int record_insert_load(struct record *history, int64_t record, int64_t vm,
                       const struct record_vcpu *vcpus, size_t nr_vcpus)
{
    return record_insert(history, "INSERT INTO load VALUES(?, ?, ?)", record,
                         vm, -1, vcpus, nr_vcpus * sizeof(*vcpus));
}

int record_insert_flow(struct record *history, int64_t record, int64_t a,
                       int64_t b, const struct record_flow *flow)
{
    return record_insert(history,
                         "INSERT OR REPLACE INTO flow VALUES(?, ?, ?, ?)",
                         record, a, b, flow, sizeof(*flow));
}

static int record_insert_record(struct record *history, int64_t end_s,
                                double seconds, double demand,
                                int64_t *record_r)
{
    int rc = db_run(history->db, "INSERT INTO record(end_s, seconds, demand)"
                    " VALUES(?, ?, ?)", "idd", end_s, seconds, demand);

    if (!rc)
        *record_r = sqlite3_last_insert_rowid(history->db);
    return rc;
}

static int record_vm(struct record *history, const uint8_t uuid[16],
                     bool add, int64_t *vm_r)
{
    struct sqlite3_stmt *stmt = NULL;
    int rc = 0;

    *vm_r = 0;
    if (add) {
        rc = db_prepare(history->db,
                        "INSERT OR IGNORE INTO vm(uuid) VALUES(?)", &stmt);
        if (!rc) {
            sqlite3_bind_blob(stmt, 1, uuid, 16, SQLITE_STATIC);
            rc = db_step(stmt);
        }
        sqlite3_finalize(stmt);
        stmt = NULL;
    }
    if (!rc)
        rc = db_prepare(history->db, "SELECT id FROM vm WHERE uuid = ?",
                        &stmt);
    if (!rc) {
        sqlite3_bind_blob(stmt, 1, uuid, 16, SQLITE_STATIC);
        rc = db_step(stmt);
        if (rc > 0) {
            *vm_r = sqlite3_column_int64(stmt, 0);
            rc = 0;
        }
    }
    sqlite3_finalize(stmt);
    return rc;
}

int record_vm_number(struct record *history, const uint8_t uuid[16],
                     int64_t *vm_r)
{
    return record_vm(history, uuid, false, vm_r);
}

static int record_add_vm(struct record *history, int64_t record,
                         const struct snapshot *s,
                         const struct snapshot_domain *d, int64_t vm)
{
    struct record_vcpu *vcpus = calloc(d->vcpus_max + 1, sizeof(*vcpus));
    size_t nr = 0, i;
    int rc;

    if (!vcpus)
        return -ENOMEM;
    for (i = 0; i < d->vcpus_max; i++) {
        const struct snapshot_vcpu *v = &s->vcpus[d->first_vcpu + i];

        if (!v->online)
            continue;
        vcpus[nr++] = (struct record_vcpu){
            .values = { [HISTORY_RUN] = (float)v->utilisation.value,
                        [HISTORY_WAIT] = (float)v->wait.value,
                        [HISTORY_BLOCK] = (float)v->block.value,
                        [HISTORY_SWITCHES] = (float)v->switches.value,
                        [HISTORY_EXECUTION] = (float)v->execution_usec.value,
                        [HISTORY_WAIT_ERROR] = (float)v->wait.error },
            .vcpuid = (uint16_t)v->vcpuid,
            .source = { (uint8_t)v->utilisation.source,
                        (uint8_t)v->wait.source, (uint8_t)v->switches.source },
        };
    }
    rc = record_insert_load(history, record, vm, vcpus, nr);
    free(vcpus);
    return rc;
}

static void record_flow_add(struct record_flow *to,
                            const struct snapshot_traffic *t)
{
    size_t i;

    to->values[HISTORY_BYTES] += (float)t->bytes.value;
    to->values[HISTORY_BYTES_ERROR]
        = (float)hypot(to->values[HISTORY_BYTES_ERROR], t->bytes.error);
    to->values[HISTORY_PACKETS] += (float)t->packets.value;
    to->values[HISTORY_TCP] += (float)t->tcp;
    to->values[HISTORY_UDP] += (float)t->udp;
    to->values[HISTORY_OTHER] += (float)t->other;
    if (t->via == SNAPSHOT_VIA_LINK) {
        to->values[HISTORY_LINK_BYTES] += (float)t->bytes.value;
        to->values[HISTORY_LINK_PACKETS] += (float)t->packets.value;
    }
    for (i = 0; i < SNAPSHOT_SIZE_BINS; i++)
        to->values[HISTORY_SIZES + i] += (float)t->sizes[i];
}

/* By vif and by link are one flow here, which knows both parts. */
static int record_add_flows(struct record *history, int64_t record,
                            const struct snapshot *s, const int64_t *vms)
{
    size_t i, j;
    int rc = 0;

    for (i = 0; i < s->nr_traffic && !rc; i++) {
        const struct snapshot_traffic *t = &s->traffic[i];
        struct record_flow flow = { { 0 } };
        bool seen = false;

        for (j = 0; j < i && !seen; j++)
            seen = s->traffic[j].from == t->from && s->traffic[j].to == t->to;
        if (seen || t->bytes.value <= 0)
            continue;
        for (j = i; j < s->nr_traffic; j++)
            if (s->traffic[j].from == t->from && s->traffic[j].to == t->to)
                record_flow_add(&flow, &s->traffic[j]);
        rc = record_insert_flow(history, record,
                                t->from == SNAPSHOT_OUTSIDE ? HISTORY_OUTSIDE
                                                             : vms[t->from],
                                t->to == SNAPSHOT_OUTSIDE ? HISTORY_OUTSIDE
                                                           : vms[t->to],
                                &flow);
    }
    return rc;
}

static int record_write(struct record *history, const struct snapshot *s,
                        int64_t *vms, double demand)
{
    int64_t record = 0;
    size_t i;
    int rc = db_begin(history->db);

    if (rc)
        return rc;
    rc = record_insert_record(history, s->time, s->duration, demand,
                              &record);
    for (i = 0; i < s->nr_domains && !rc; i++) {
        rc = record_vm(history, s->domains[i].uuid, true, &vms[i]);
        if (!rc)
            rc = record_add_vm(history, record, s, &s->domains[i], vms[i]);
    }
    if (!rc)
        rc = record_add_flows(history, record, s, vms);
    if (rc) {
        db_rollback(history->db);
        return rc;
    }
    return db_commit(history->db);
}

/* The oldest day; where there are no two, the older half of them.  Errors:
 * -ENOENT there is nothing left to drop. */
static int record_drop_oldest(struct record *history)
{
    int64_t first = 0, last = 0, span = 24 * 3600;
    int rc = db_get_int(history->db, &first, "SELECT min(end_s) FROM record",
                        "");

    if (!rc)
        rc = db_get_int(history->db, &last, "SELECT max(end_s) FROM record",
                        "");
    if (!rc && !first)
        return -ENOENT;
    if ((last - first) / 2 + 1 < span)
        span = (last - first) / 2 + 1;
    if (!rc)
        rc = db_run(history->db, "DELETE FROM record WHERE end_s < ?", "i",
                    first + span);
    return rc;
}

int record_add(struct record *history, const struct snapshot *s)
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
        rc = record_write(history, s, vms, demand);
    } while (rc == -ENOSPC && !record_drop_oldest(history));
    free(vms);
    return rc;
}

int record_stat(struct record *history, struct record_stat *stat_r)
{
    int64_t records = 0, pages = 0, page = 0;
    int rc;

    memset(stat_r, 0, sizeof(*stat_r));
    rc = db_get_int(history->db, &records, "SELECT count(*) FROM record", "");
    if (!rc)
        rc = db_get_int(history->db, &stat_r->first_s,
                        "SELECT min(end_s) FROM record", "");
    if (!rc)
        rc = db_get_int(history->db, &stat_r->last_s,
                        "SELECT max(end_s) FROM record", "");
    if (!rc)
        rc = db_get_int(history->db, &pages, "PRAGMA page_count", "");
    if (!rc)
        rc = db_get_int(history->db, &page, "PRAGMA page_size", "");
    stat_r->records = (uint64_t)records;
    stat_r->bytes = (uint64_t)(pages * page);
    return rc;
}
