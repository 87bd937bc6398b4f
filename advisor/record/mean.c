/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/db.h"
#include "record/record-priv.h"

/* How long each VM was here, in the records picked; ascending. */
struct presence
{
    int64_t vm;
    double seconds;
};

struct mean
{
    struct presence *presence;
    size_t nr_presence;
    double *sums;          /* of the VM under way, by vCPU and value */
    double *seconds;       /* of each of its vCPUs */
    struct record_vcpu *vcpus;
    size_t nr_vcpus, room;
};

int record_pick_none(struct record *history)
{
    return db_exec(history->db,
                   "CREATE TEMP TABLE IF NOT EXISTS pick(id INTEGER PRIMARY "
                   "KEY); DELETE FROM pick");
}

int record_pick(struct record *history, int64_t record)
{
    return db_run(history->db, "INSERT OR IGNORE INTO temp.pick VALUES(?)",
                  "i", record);
}

static int mean_presence(struct record *history, struct mean *mean)
{
    struct sqlite3_stmt *stmt = NULL;
    int rc;

    rc = db_prepare(history->db,
                    "SELECT l.vm, sum(r.seconds) FROM temp.pick p"
                    " JOIN record r ON r.id = p.id"
                    " JOIN load l ON l.record = r.id"
                    " GROUP BY l.vm ORDER BY l.vm", &stmt);
    while (!rc && (rc = db_step(stmt)) > 0) {
        struct presence *grown;

        grown = reallocarray(mean->presence, mean->nr_presence + 1,
                             sizeof(*grown));
        rc = grown ? 0 : -ENOMEM;
        if (rc)
            break;
        mean->presence = grown;
        mean->presence[mean->nr_presence++] = (struct presence){
            sqlite3_column_int64(stmt, 0), sqlite3_column_double(stmt, 1) };
    }
    sqlite3_finalize(stmt);
    return rc;
}

static double mean_seconds(const struct mean *mean, int64_t vm)
{
    size_t low = 0, high = mean->nr_presence;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (mean->presence[middle].vm < vm)
            low = middle + 1;
        else
            high = middle;
    }
    return low < mean->nr_presence && mean->presence[low].vm == vm
               ? mean->presence[low].seconds
               : 0;
}

static int mean_grow(struct mean *mean, size_t room)
{
    struct record_vcpu *vcpus;
    double *sums, *seconds;

    if (room <= mean->room)
        return 0;
    vcpus = reallocarray(mean->vcpus, room, sizeof(*vcpus));
    mean->vcpus = vcpus ? vcpus : mean->vcpus;
    sums = reallocarray(mean->sums, room * HISTORY_VCPU_VALUES,
                        sizeof(*sums));
    mean->sums = sums ? sums : mean->sums;
    seconds = reallocarray(mean->seconds, room, sizeof(*seconds));
    mean->seconds = seconds ? seconds : mean->seconds;
    if (!vcpus || !sums || !seconds)
        return -ENOMEM;
    mean->room = room;
    return 0;
}

/* One record of one VM; its vCPUs are not the same ones every time. */
static int mean_add(struct mean *mean, const void *data, int bytes,
                    double seconds)
{
    size_t nr = (size_t)bytes / sizeof(struct record_vcpu), i, j, k;
    struct record_vcpu in;

    for (i = 0; i < nr; i++) {
        memcpy(&in, (const char *)data + i * sizeof(in), sizeof(in));
        for (j = 0; j < mean->nr_vcpus; j++)
            if (mean->vcpus[j].vcpuid == in.vcpuid)
                break;
        if (j == mean->nr_vcpus) {
            if (mean_grow(mean, j + 8))
                return -ENOMEM;
            memset(&mean->vcpus[j], 0, sizeof(in));
            memset(&mean->sums[j * HISTORY_VCPU_VALUES], 0,
                   HISTORY_VCPU_VALUES * sizeof(double));
            mean->vcpus[j].vcpuid = in.vcpuid;
            mean->seconds[j] = 0;
            mean->nr_vcpus++;
        }
        for (k = 0; k < HISTORY_VCPU_VALUES; k++) {
            double value = isfinite(in.values[k]) ? in.values[k] : 0;

            /* Errors of independent measurements add up as squares. */
            if (k == HISTORY_WAIT_ERROR)
                value = value * value * seconds;
            mean->sums[j * HISTORY_VCPU_VALUES + k] += value * seconds;
        }
        for (k = 0; k < 3; k++)
            if (in.source[k] > mean->vcpus[j].source[k])
                mean->vcpus[j].source[k] = in.source[k];
        mean->seconds[j] += seconds;
    }
    return 0;
}

/* A vCPU that was offline in some records was idle then. */
static int mean_emit(struct mean *mean, int64_t vm,
                     const struct record_mean_ops *ops, void *opaque)
{
    double seconds = mean_seconds(mean, vm);
    size_t j, k;
    int rc = 0;

    for (j = 0; j < mean->nr_vcpus; j++)
        for (k = 0; k < HISTORY_VCPU_VALUES; k++) {
            double sum = mean->sums[j * HISTORY_VCPU_VALUES + k];

            mean->vcpus[j].values[k] = (float)(
                seconds <= 0              ? 0
                : k == HISTORY_WAIT_ERROR ? sqrt(sum) / seconds
                : k == HISTORY_EXECUTION  ? sum / mean->seconds[j]
                                          : sum / seconds);
        }
    if (mean->nr_vcpus)
        rc = ops->vm(opaque, vm, mean->vcpus, mean->nr_vcpus);
    mean->nr_vcpus = 0;
    return rc;
}

static int mean_vms(struct record *history, struct mean *mean,
                    const struct record_mean_ops *ops, void *opaque)
{
    struct sqlite3_stmt *stmt = NULL;
    int64_t vm = 0;
    int rc;

    rc = db_prepare(history->db,
                    "SELECT l.vm, r.seconds, l.data FROM temp.pick p"
                    " JOIN record r ON r.id = p.id"
                    " JOIN load l ON l.record = r.id ORDER BY l.vm", &stmt);
    while (!rc && (rc = db_step(stmt)) > 0) {
        int64_t next = sqlite3_column_int64(stmt, 0);

        rc = 0;
        if (next != vm) {
            rc = mean_emit(mean, vm, ops, opaque);
            vm = next;
        }
        if (!rc)
            rc = mean_add(mean, sqlite3_column_blob(stmt, 2),
                          sqlite3_column_bytes(stmt, 2),
                          sqlite3_column_double(stmt, 1));
    }
    if (!rc)
        rc = mean_emit(mean, vm, ops, opaque);
    sqlite3_finalize(stmt);
    return rc;
}

static int mean_flow_emit(const struct mean *mean, int64_t from, int64_t to,
                          double sums[HISTORY_FLOW_VALUES],
                          const struct record_mean_ops *ops, void *opaque)
{
    double seconds = mean_seconds(mean, from == HISTORY_OUTSIDE ? to : from);
    struct record_flow flow;
    size_t k;

    if (seconds <= 0)
        return 0;
    for (k = 0; k < HISTORY_FLOW_VALUES; k++)
        flow.values[k] = (float)((k == HISTORY_BYTES_ERROR ? sqrt(sums[k])
                                                           : sums[k])
                                 / seconds);
    return ops->flow(opaque, from, to, &flow);
}

/* A pair without a record was silent then: divide by the VM's presence. */
static int mean_flows(struct record *history, struct mean *mean,
                      const struct record_mean_ops *ops, void *opaque)
{
    struct sqlite3_stmt *stmt = NULL;
    double sums[HISTORY_FLOW_VALUES] = { 0 };
    int64_t from = -1, to = -1;
    size_t k;
    int rc;

    rc = db_prepare(history->db,
                    "SELECT f.a, f.b, r.seconds, f.data FROM temp.pick p"
                    " JOIN record r ON r.id = p.id"
                    " JOIN flow f ON f.record = r.id ORDER BY f.a, f.b",
                    &stmt);
    while (!rc && (rc = db_step(stmt)) > 0) {
        int64_t a = sqlite3_column_int64(stmt, 0);
        int64_t b = sqlite3_column_int64(stmt, 1);
        double seconds = sqlite3_column_double(stmt, 2);
        struct record_flow flow;

        rc = 0;
        if ((a != from || b != to) && from >= 0)
            rc = mean_flow_emit(mean, from, to, sums, ops, opaque);
        if (a != from || b != to)
            memset(sums, 0, sizeof(sums));
        from = a;
        to = b;
        if (rc || sqlite3_column_bytes(stmt, 3) != sizeof(flow))
            continue;
        memcpy(&flow, sqlite3_column_blob(stmt, 3), sizeof(flow));
        for (k = 0; k < HISTORY_FLOW_VALUES; k++) {
            double value = isfinite(flow.values[k]) ? flow.values[k] : 0;

            sums[k] += k == HISTORY_BYTES_ERROR
                           ? value * value * seconds * seconds
                           : value * seconds;
        }
    }
    if (!rc && from >= 0)
        rc = mean_flow_emit(mean, from, to, sums, ops, opaque);
    sqlite3_finalize(stmt);
    return rc;
}

int record_mean(struct record *history, const struct record_mean_ops *ops,
                void *opaque)
{
    struct mean mean = { 0 };
    int rc = mean_presence(history, &mean);

    if (!rc)
        rc = mean_vms(history, &mean, ops, opaque);
    if (!rc)
        rc = mean_flows(history, &mean, ops, opaque);
    free(mean.presence);
    free(mean.sums);
    free(mean.seconds);
    free(mean.vcpus);
    return rc;
}
