/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "settle.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "plan.h"
#include "snapshot.h"

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

static void settle_add(double *sum, double *error,
                       const struct snapshot_value *value)
{
    *sum += value->value;
    *error = hypot(*error, value->error);
}

/* That vCPU in the other snapshot; NULL: not there, or not online. */
static const struct snapshot_vcpu *settle_same(const struct snapshot *s,
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

/*
 * What the other snapshot could not measure of a vCPU (the trace buffer was
 * taken, samples were few) is left out of both: 0 there is no improvement.
 */
static void settle_sum(const struct plan *plan, const struct snapshot *s,
                       const struct snapshot *other, struct settle_sums *sums)
{
    size_t d, i;

    memset(sums, 0, sizeof(*sums));
    for (d = 0; d < s->nr_domains; d++) {
        const struct snapshot_domain *domain = &s->domains[d];

        if (!settle_concerned(plan, domain->uuid))
            continue;
        sums->vms++;
        for (i = 0; i < domain->vcpus_max; i++) {
            const struct snapshot_vcpu *v = &s->vcpus[domain->first_vcpu + i];
            const struct snapshot_vcpu *o = settle_same(other, domain->uuid,
                                                        v->vcpuid);

            if (!v->online)
                continue;
            sums->run += v->utilisation.value;
            if (!o || o->wait.source != SNAPSHOT_SOURCE_NONE)
                settle_add(&sums->wait, &sums->wait_error, &v->wait);
            if (!o || o->switches.source != SNAPSHOT_SOURCE_NONE)
                settle_add(&sums->switches, &sums->switches_error,
                           &v->switches);
        }
    }
    for (i = 0; i < s->nr_traffic; i++) {
        const struct snapshot_traffic *t = &s->traffic[i];

        if ((t->from != SNAPSHOT_OUTSIDE
             && settle_concerned(plan, s->domains[t->from].uuid))
            || (t->to != SNAPSHOT_OUTSIDE
                && settle_concerned(plan, s->domains[t->to].uuid)))
            settle_add(&sums->bytes, &sums->bytes_error, &t->bytes);
    }
}

/* 1 more, -1 less, 0 not told apart. */
static int settle_change(double before, double before_error, double after,
                         double after_error, double margin)
{
    double noise = SETTLE_SIGMAS * hypot(before_error, after_error);
    double least = fmax(margin, noise);

    return after - before > least ? 1 : before - after > least ? -1 : 0;
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
    double demand_before = v->before.run + v->before.wait;
    double demand_after = v->after.run + v->after.wait;

    if (demand_after < demand_before / 2
        && v->after.wait <= v->before.wait + SETTLE_WAIT_PCPUS)
        settle_say(v, SETTLE_UNKNOWN, "the load went away: CPU demand",
                   demand_before, demand_after, "pCPUs");
    else
        settle_say(v, SETTLE_WORSE, "throughput", v->before.bytes * 8e-6,
                   v->after.bytes * 8e-6, "Mb/s");
}

void settle_judge(const struct plan *plan, const struct snapshot *before,
                  const struct snapshot *after, struct settle_verdict *v)
{
    const struct settle_sums *b = &v->before, *a = &v->after;
    double switches_before, switches_after;
    int change;

    memset(v, 0, sizeof(*v));
    settle_sum(plan, before, after, &v->before);
    settle_sum(plan, after, before, &v->after);
    if (a->vms < b->vms || !b->vms || after->duration <= 0
        || before->duration <= 0) {
        settle_say(v, SETTLE_UNKNOWN, "not all are here any more: number",
                   (double)b->vms, (double)a->vms, "VMs");
        return;
    }
    change = settle_change(b->bytes, b->bytes_error, a->bytes,
                           a->bytes_error, SETTLE_MARGIN * b->bytes);
    if (change > 0) {
        settle_say(v, SETTLE_BETTER, "throughput", b->bytes * 8e-6,
                   a->bytes * 8e-6, "Mb/s");
        return;
    }
    if (change < 0) {
        settle_less(v);
        return;
    }
    change = settle_change(b->wait, b->wait_error, a->wait, a->wait_error,
                           fmax(SETTLE_WAIT_PCPUS, SETTLE_MARGIN * b->wait));
    if (change) {
        settle_say(v, change > 0 ? SETTLE_WORSE : SETTLE_BETTER,
                   "waiting for a pCPU", b->wait, a->wait, "pCPUs");
        return;
    }
    /* Per byte where there are bytes: more work may take more switches. */
    switches_before = b->switches;
    switches_after = a->bytes > 0 && b->bytes > 0
                         ? a->switches * b->bytes / a->bytes
                         : a->switches;
    change = settle_change(switches_before, b->switches_error,
                           switches_after, a->switches_error,
                           fmax(SETTLE_SWITCHES, switches_before / 2));
    settle_say(v, change > 0   ? SETTLE_WORSE
                  : change < 0 ? SETTLE_BETTER
                               : SETTLE_SAME,
               "VM switches at the same traffic", switches_before,
               switches_after, "1/s");
}
