/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/record.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include "base/db.h"
#include "record/record-priv.h"

#define DAY_S (24 * 3600)

/* Hour of the day where the host is; its day, for counting. */
static int hours_local(int64_t end_s, int64_t *day_r)
{
    time_t when = (time_t)end_s;
    struct tm tm;

    if (!localtime_r(&when, &tm))
        return -1;
    *day_r = (int64_t)tm.tm_year * 366 + tm.tm_yday;
    return tm.tm_hour;
}

static int hours_select(struct record *history, int64_t since_s,
                        struct sqlite3_stmt **stmt_r)
{
    int rc = db_prepare(history->db,
                        "SELECT id, end_s, seconds, demand FROM record"
                        " WHERE end_s >= ? ORDER BY end_s", stmt_r);

    if (!rc)
        sqlite3_bind_int64(*stmt_r, 1, since_s);
    return rc;
}

int record_hours(struct record *history, int64_t now_s, unsigned int days,
                 double share, unsigned int least,
                 struct record_hours *hours_r)
{
    double seconds[24] = { 0 }, quiet = 0, peak = 0;
    struct sqlite3_stmt *stmt = NULL;
    int64_t day, last_day = -1;
    unsigned int records = 0;
    bool first = true;
    int hour, rc;

    memset(hours_r, 0, sizeof(*hours_r));
    rc = hours_select(history, now_s - (int64_t)days * DAY_S, &stmt);
    while (!rc && (rc = db_step(stmt)) > 0) {
        double s = sqlite3_column_double(stmt, 2);

        rc = 0;
        hour = hours_local(sqlite3_column_int64(stmt, 1), &day);
        if (hour < 0)
            continue;
        hours_r->pcpus[hour] += sqlite3_column_double(stmt, 3) * s;
        hours_r->records[hour]++;
        seconds[hour] += s;
        records++;
        if (day != last_day)
            hours_r->days++;
        last_day = day;
    }
    sqlite3_finalize(stmt);
    if (rc)
        return rc;
    if (records < least || !records)
        return -ENODATA;
    for (hour = 0; hour < 24; hour++) {
        if (!hours_r->records[hour])
            continue;
        hours_r->pcpus[hour] /= seconds[hour];
        if (first || hours_r->pcpus[hour] < quiet)
            quiet = hours_r->pcpus[hour];
        if (first || hours_r->pcpus[hour] > peak)
            peak = hours_r->pcpus[hour];
        first = false;
    }
    for (hour = 0; hour < 24; hour++)
        hours_r->busy[hour] = hours_r->records[hour]
                              && hours_r->pcpus[hour]
                                     >= quiet + share * (peak - quiet);
    return 0;
}

static int hours_pick(struct record *history, int64_t since_s,
                      const struct record_hours *hours, double *seconds_r)
{
    struct sqlite3_stmt *stmt = NULL;
    int64_t day;
    int rc = record_pick_none(history);

    *seconds_r = 0;
    if (!rc)
        rc = hours_select(history, since_s, &stmt);
    while (!rc && (rc = db_step(stmt)) > 0) {
        int hour = hours_local(sqlite3_column_int64(stmt, 1), &day);

        rc = 0;
        if (hour < 0 || !hours->busy[hour])
            continue;
        rc = record_pick(history, sqlite3_column_int64(stmt, 0));
        *seconds_r += sqlite3_column_double(stmt, 2);
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* --- overlay -------------------------------------------------------------- */

struct overlay
{
    struct record *history;
    struct snapshot *snapshot;
    int64_t *vms; /* of each domain; 0: never recorded */
    bool *seen;
};

static void overlay_value(struct snapshot_value *to, double value,
                          double error, uint8_t source)
{
    to->value = value;
    to->error = error;
    to->source = source <= SNAPSHOT_SOURCE_SAMPLING
                     ? (enum snapshot_source)source
                     : SNAPSHOT_SOURCE_NONE;
}

static double overlay_fraction(float value)
{
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

static int overlay_vm(void *opaque, int64_t vm,
                      const struct record_vcpu *vcpus, size_t nr_vcpus)
{
    struct overlay *o = opaque;
    struct snapshot *s = o->snapshot;
    const struct snapshot_domain *d;
    size_t i, j;

    for (i = 0; i < s->nr_domains && o->vms[i] != vm; i++)
        ;
    if (i == s->nr_domains)
        return 0;
    d = &s->domains[i];
    o->seen[i] = true;
    for (j = 0; j < nr_vcpus; j++) {
        const float *in = vcpus[j].values;
        struct snapshot_vcpu *v;

        if (vcpus[j].vcpuid >= d->vcpus_max)
            continue;
        v = &s->vcpus[d->first_vcpu + vcpus[j].vcpuid];
        /* What an offline one did is of no use: it is not there now. */
        if (!v->online)
            continue;
        overlay_value(&v->utilisation, overlay_fraction(in[HISTORY_RUN]), 0,
                      vcpus[j].source[0]);
        overlay_value(&v->wait, overlay_fraction(in[HISTORY_WAIT]),
                      in[HISTORY_WAIT_ERROR], vcpus[j].source[1]);
        overlay_value(&v->block, overlay_fraction(in[HISTORY_BLOCK]), 0,
                      vcpus[j].source[1]);
        overlay_value(&v->switches, in[HISTORY_SWITCHES], 0,
                      vcpus[j].source[2]);
        overlay_value(&v->execution_usec, in[HISTORY_EXECUTION], 0,
                      vcpus[j].source[2]);
    }
    return 0;
}

static size_t overlay_domain(const struct overlay *o, int64_t vm)
{
    size_t i;

    for (i = 0; i < o->snapshot->nr_domains; i++)
        if (o->vms[i] == vm)
            return i;
    return SNAPSHOT_OUTSIDE;
}

/* The part of a flow that went by link, or the rest, by vif. */
static int overlay_part(struct overlay *o, size_t from, size_t to,
                        const float *in, enum snapshot_via via)
{
    double bytes = in[HISTORY_LINK_BYTES], packets = in[HISTORY_LINK_PACKETS];
    struct snapshot_traffic *t;
    double share;
    size_t i;

    if (via == SNAPSHOT_VIA_VIF) {
        bytes = fmax(0, in[HISTORY_BYTES] - bytes);
        packets = fmax(0, in[HISTORY_PACKETS] - packets);
    }
    /* What floats leave of a difference is nothing. */
    if (bytes <= 1e-6 * in[HISTORY_BYTES])
        return 0;
    share = in[HISTORY_BYTES] > 0 ? fmin(1, bytes / in[HISTORY_BYTES]) : 0;
    t = snapshot_add_traffic(o->snapshot);
    if (!t)
        return -ENOMEM;
    t->from = from;
    t->to = to;
    t->via = via;
    overlay_value(&t->bytes, bytes, in[HISTORY_BYTES_ERROR] * share,
                  SNAPSHOT_SOURCE_SAMPLING);
    overlay_value(&t->packets, packets, 0, SNAPSHOT_SOURCE_SAMPLING);
    t->tcp = in[HISTORY_TCP] * share;
    t->udp = in[HISTORY_UDP] * share;
    t->other = in[HISTORY_OTHER] * share;
    for (i = 0; i < SNAPSHOT_SIZE_BINS; i++)
        t->sizes[i] = in[HISTORY_SIZES + i] * share;
    return 0;
}

/* As it went then: links have come and gone since. */
static int overlay_flow(void *opaque, int64_t from, int64_t to,
                        const struct record_flow *flow)
{
    struct overlay *o = opaque;
    size_t a = SNAPSHOT_OUTSIDE, b = SNAPSHOT_OUTSIDE;
    int rc;

    if (from != HISTORY_OUTSIDE && (a = overlay_domain(o, from))
                                       == SNAPSHOT_OUTSIDE)
        return 0;
    if (to != HISTORY_OUTSIDE && (b = overlay_domain(o, to))
                                     == SNAPSHOT_OUTSIDE)
        return 0;
    if (a == b)
        return 0;
    rc = overlay_part(o, a, b, flow->values, SNAPSHOT_VIA_VIF);
    return rc ? rc : overlay_part(o, a, b, flow->values, SNAPSHOT_VIA_LINK);
}

/* Of what no record knows, say nothing rather than what it does now. */
static void overlay_forget(struct snapshot *s)
{
    const struct snapshot_value none = { 0 };
    size_t i;

    for (i = 0; i < 2 * s->nr_links; i++) {
        struct snapshot_link_end *end = &s->links[i / 2].end[i % 2];

        *end = (struct snapshot_link_end){ .domain = end->domain,
                                           .vif = end->vif };
    }

    for (i = 0; i < s->nr_vcpus; i++)
        s->vcpus[i].utilisation = s->vcpus[i].wait = s->vcpus[i].block
            = s->vcpus[i].switches = s->vcpus[i].execution_usec = none;
    for (i = 0; i < s->nr_pcpus; i++)
        s->pcpus[i].idle = none;
    s->nr_switches = 0;
    s->nr_traffic = 0;
}

int record_overlay(struct record *history, int64_t now_s, unsigned int days,
                   const struct record_hours *hours,
                   struct snapshot *snapshot)
{
    static const struct record_mean_ops ops = { overlay_vm, overlay_flow };
    struct overlay o = { .history = history, .snapshot = snapshot };
    double seconds = 0;
    size_t i;
    int rc;

    o.vms = calloc(snapshot->nr_domains + 1, sizeof(*o.vms));
    o.seen = calloc(snapshot->nr_domains + 1, sizeof(*o.seen));
    rc = o.vms && o.seen ? 0 : -ENOMEM;
    for (i = 0; i < snapshot->nr_domains && !rc; i++)
        rc = record_vm_number(history, snapshot->domains[i].uuid, &o.vms[i]);
    if (!rc)
        rc = hours_pick(history, now_s - (int64_t)days * DAY_S, hours,
                        &seconds);
    if (!rc && seconds <= 0)
        rc = -ENODATA;
    if (!rc) {
        overlay_forget(snapshot);
        rc = record_mean(history, &ops, &o);
    }
    if (!rc)
        snapshot->duration = seconds;
    for (i = 0; i < snapshot->nr_domains && !rc; i++)
        if (!o.seen[i])
            rc = snapshot_note(snapshot, "history", "%s was not here in the "
                               "busy hours: its load is not known",
                               snapshot->domains[i].name
                                   ? snapshot->domains[i].name
                                   : "a VM");
    free(o.vms);
    free(o.seen);
    return rc;
}
