/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apply/settle.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "model/plan.h"
#include "model/snapshot.h"

static bool settle_concerned(const struct plan *plan, const uint8_t uuid[16])
{
    size_t i, j;

    for (i = 0; i < plan->nr_steps; i++)
        for (j = 0; j < 2; j++)
            if (plan->steps[i].subject[j].name
                && !memcmp(plan->steps[i].subject[j].uuid, uuid, 16))
                return true;
    return false;
}

enum settle_field
{
    SETTLE_BYTES,
    SETTLE_WAIT,
    SETTLE_WAIT_BIAS, /* by which all parts may have it wrong in one way */
    SETTLE_RUN,
    SETTLE_VM_SWITCHES,
    SETTLE_FIELDS,
};

struct settle_part
{
    double sum[SETTLE_FIELDS];
    size_t vms;
};

/* That vCPU in a snapshot; NULL: not there, or not online. */
static const struct snapshot_vcpu *settle_vcpu(const struct snapshot *s,
                                               const uint8_t uuid[16],
                                               uint32_t vcpuid)
{
    size_t d = snapshot_find_uuid(s, uuid);
    const struct snapshot_vcpu *v;

    if (d == SNAPSHOT_OUTSIDE || vcpuid >= s->domains[d].vcpus_max)
        return NULL;
    v = &s->vcpus[s->domains[d].first_vcpu + vcpuid];
    return v->online ? v : NULL;
}

/* Whether a vCPU's waiting and switches are known wherever it is online. */
static void settle_known(const struct settle_series *series,
                         const uint8_t uuid[16], uint32_t vcpuid,
                         bool *wait, bool *switches)
{
    size_t i;

    for (i = 0; i < SETTLE_PARTS; i++) {
        const struct snapshot_vcpu *v = settle_vcpu(series->parts[i], uuid,
                                                    vcpuid);

        if (v && v->wait.source == SNAPSHOT_SOURCE_NONE)
            *wait = false;
        if (v && v->switches.source == SNAPSHOT_SOURCE_NONE)
            *switches = false;
    }
}

/*
 * What could not be measured of a vCPU in one part (the trace buffer was
 * taken, samples were few) is left out of all: 0 there is no improvement.
 */
static void settle_add_vcpu(struct settle_part *part,
                            const struct settle_series *series,
                            const struct settle_series *other,
                            const uint8_t uuid[16],
                            const struct snapshot_vcpu *v)
{
    bool wait = true, switches = true;

    settle_known(series, uuid, v->vcpuid, &wait, &switches);
    settle_known(other, uuid, v->vcpuid, &wait, &switches);
    part->sum[SETTLE_RUN] += v->utilisation.value;
    if (wait)
        part->sum[SETTLE_WAIT] += v->wait.value;
    if (wait && v->wait.source == SNAPSHOT_SOURCE_SAMPLING)
        part->sum[SETTLE_WAIT_BIAS] += v->wait.error;
    if (switches)
        part->sum[SETTLE_VM_SWITCHES] += v->switches.value;
}

static void settle_part(const struct plan *plan,
                        const struct settle_series *series,
                        const struct settle_series *other,
                        const struct snapshot *s, struct settle_part *part)
{
    const struct snapshot_vcpu *v;
    size_t d, i;

    memset(part, 0, sizeof(*part));
    for (d = 0; d < s->nr_domains; d++) {
        const struct snapshot_domain *domain = &s->domains[d];

        if (!settle_concerned(plan, domain->uuid))
            continue;
        part->vms++;
        SNAPSHOT_FOR_VCPUS(v, s, domain)
            if (v->online)
                settle_add_vcpu(part, series, other, domain->uuid, v);
    }
    for (i = 0; i < s->nr_traffic; i++) {
        const struct snapshot_traffic *t = &s->traffic[i];

        if ((t->from != SNAPSHOT_OUTSIDE
             && settle_concerned(plan, s->domains[t->from].uuid))
            || (t->to != SNAPSHOT_OUTSIDE
                && settle_concerned(plan, s->domains[t->to].uuid)))
            part->sum[SETTLE_BYTES] += t->bytes.value;
    }
}

static struct settle_value settle_mean(const struct settle_part *parts,
                                       enum settle_field field)
{
    struct settle_value value = { 0, 0 };
    double squares = 0;
    size_t i;

    for (i = 0; i < SETTLE_PARTS; i++)
        value.mean += parts[i].sum[field] / SETTLE_PARTS;
    for (i = 0; i < SETTLE_PARTS; i++) {
        double off = parts[i].sum[field] - value.mean;

        squares += off * off;
    }
    value.error = sqrt(squares / (SETTLE_PARTS - 1) / SETTLE_PARTS);
    return value;
}

static void settle_sum(const struct plan *plan,
                       const struct settle_series *series,
                       const struct settle_series *other,
                       struct settle_sums *sums)
{
    struct settle_part parts[SETTLE_PARTS];
    size_t i;

    for (i = 0; i < SETTLE_PARTS; i++) {
        settle_part(plan, series, other, series->parts[i], &parts[i]);
        if (!i || parts[i].vms < sums->vms)
            sums->vms = parts[i].vms;
    }
    sums->bytes = settle_mean(parts, SETTLE_BYTES);
    sums->run = settle_mean(parts, SETTLE_RUN);
    sums->switches = settle_mean(parts, SETTLE_VM_SWITCHES);
    sums->wait = settle_mean(parts, SETTLE_WAIT);
    sums->wait.error = hypot(sums->wait.error,
                             settle_mean(parts, SETTLE_WAIT_BIAS).mean);
}

/* 1 more, -1 less, 0 not told apart. */
static int settle_change(struct settle_value before, struct settle_value after,
                         double margin)
{
    double noise = SETTLE_SIGMAS * hypot(before.error, after.error);
    double least = fmax(margin, noise);

    return after.mean - before.mean > least   ? 1
           : before.mean - after.mean > least ? -1
                                              : 0;
}

static void settle_say(struct settle_verdict *v, enum settle_outcome outcome,
                       const char *what, double before, double after,
                       const char *unit)
{
    v->outcome = outcome;
    snprintf(v->text, sizeof(v->text), "%s of the %zu VMs concerned: %.*f %s "
             "before, %.*f %s after", what, v->after.vms,
             before < 10 ? 2 : 0, before, unit, after < 10 ? 2 : 0, after,
             unit);
}

/* Less is carried: is the path worse, or is there less to carry? */
static void settle_less(struct settle_verdict *v)
{
    double demand_before = v->before.run.mean + v->before.wait.mean;
    double demand_after = v->after.run.mean + v->after.wait.mean;

    if (demand_after < demand_before / 2
        && v->after.wait.mean <= v->before.wait.mean + SETTLE_WAIT_PCPUS)
        settle_say(v, SETTLE_UNKNOWN, "the load went away: CPU demand",
                   demand_before, demand_after, "pCPUs");
    else
        settle_say(v, SETTLE_WORSE, "throughput",
                   v->before.bytes.mean * 1e-6, v->after.bytes.mean * 1e-6,
                   "MB/s");
}

static bool settle_measured(const struct settle_series *series)
{
    size_t i;

    for (i = 0; i < SETTLE_PARTS; i++)
        if (series->parts[i]->duration <= 0)
            return false;
    return true;
}

void settle_judge(const struct plan *plan, const struct settle_series *before,
                  const struct settle_series *after, struct settle_verdict *v)
{
    const struct settle_sums *b = &v->before, *a = &v->after;
    struct settle_value switches;
    int change;

    memset(v, 0, sizeof(*v));
    settle_sum(plan, before, after, &v->before);
    settle_sum(plan, after, before, &v->after);
    if (a->vms < b->vms || !b->vms || !settle_measured(before)
        || !settle_measured(after)) {
        settle_say(v, SETTLE_UNKNOWN, "not all are here any more: number",
                   (double)b->vms, (double)a->vms, "VMs");
        return;
    }
    change = settle_change(b->bytes, a->bytes, SETTLE_MARGIN * b->bytes.mean);
    if (change > 0) {
        settle_say(v, SETTLE_BETTER, "throughput", b->bytes.mean * 1e-6,
                   a->bytes.mean * 1e-6, "MB/s");
        return;
    }
    if (change < 0) {
        settle_less(v);
        return;
    }
    change = settle_change(b->wait, a->wait,
                           fmax(SETTLE_WAIT_PCPUS,
                                SETTLE_MARGIN * b->wait.mean));
    if (change) {
        settle_say(v, change > 0 ? SETTLE_WORSE : SETTLE_BETTER,
                   "waiting for a pCPU", b->wait.mean, a->wait.mean, "pCPUs");
        return;
    }
    /* Per byte where there are bytes: more work may take more switches. */
    switches = a->switches;
    if (a->bytes.mean > 0 && b->bytes.mean > 0) {
        switches.mean *= b->bytes.mean / a->bytes.mean;
        switches.error *= b->bytes.mean / a->bytes.mean;
    }
    change = settle_change(b->switches, switches,
                           fmax(SETTLE_SWITCHES, b->switches.mean / 2));
    settle_say(v, change > 0   ? SETTLE_WORSE
                  : change < 0 ? SETTLE_BETTER
                               : SETTLE_SAME,
               "VM switches at the same traffic", b->switches.mean,
               switches.mean, "1/s");
}

void settle_series_dispose(struct settle_series *series)
{
    size_t i;

    for (i = 0; i < SETTLE_PARTS; i++)
        snapshot_free(series->parts[i]);
    memset(series, 0, sizeof(*series));
}
