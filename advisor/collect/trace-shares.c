/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/trace-shares.h"
#include "base/compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct bursts {
    const struct trace_metrics *const *metrics;
    size_t nr;
    double hz;
};

/* Sums over the bursts of a numerator and its denominator. */
struct ratio {
    double above, below;
};

static double span_of(const struct trace_metrics *metrics)
{
    return metrics->end_tsc - metrics->start_tsc;
}

/* One of the quantities of a vCPU in a burst, whose length is in cycles. */
typedef struct ratio (*quantity)(const struct trace_vcpu *vcpu, double span,
                                 double hz);

static struct ratio share(const struct trace_vcpu *vcpu, double span,
                          enum trace_state state)
{
    return (struct ratio){ vcpu->cycles[state],
                           span - vcpu->cycles[TRACE_UNKNOWN] };
}

static struct ratio wait_share(const struct trace_vcpu *vcpu, double span,
                               double hz)
{
    (void)hz;
    return share(vcpu, span, TRACE_RUNNABLE);
}

static struct ratio run_share(const struct trace_vcpu *vcpu, double span,
                              double hz)
{
    (void)hz;
    return share(vcpu, span, TRACE_RUNNING);
}

static struct ratio switch_rate(const struct trace_vcpu *vcpu, double span,
                                double hz)
{
    return (struct ratio){ vcpu->vm_switches,
                           (span - vcpu->cycles[TRACE_UNKNOWN]) / hz };
}

static struct ratio execution_usec(const struct trace_vcpu *vcpu, double span,
                                   double hz)
{
    (void)span;
    return (struct ratio){ vcpu->cycles[TRACE_RUNNING] / hz * 1e6,
                           vcpu->executions };
}

static struct ratio ratio_of(const struct bursts *bursts, size_t burst,
                             uint32_t domid, uint32_t vcpuid, quantity of)
{
    /* With no record in it, it did neither wait nor switch. */
    static const struct trace_vcpu idle;
    const struct trace_metrics *m = bursts->metrics[burst];

    return of(trace_metrics_vcpu(m, domid, vcpuid) ?: &idle, span_of(m),
              bursts->hz);
}

/* Ratio of sums, and its standard error from how the bursts scatter. */
static struct snapshot_value estimate(const struct bursts *bursts,
                                      uint32_t domid, uint32_t vcpuid,
                                      quantity of)
{
    struct snapshot_value v = { .source = SNAPSHOT_SOURCE_TRACE };
    struct ratio sum = { 0, 0 }, r;
    double squares = 0, n = bursts->nr, residue;
    size_t i;

    for (i = 0; i < bursts->nr; i++) {
        r = ratio_of(bursts, i, domid, vcpuid, of);
        sum.above += r.above;
        sum.below += r.below;
    }
    if (sum.below <= 0) {
        v.source = SNAPSHOT_SOURCE_NONE;
        return v;
    }
    v.value = sum.above / sum.below;
    for (i = 0; i < bursts->nr; i++) {
        r = ratio_of(bursts, i, domid, vcpuid, of);
        residue = r.above - v.value * r.below;
        squares += residue * residue;
    }
    if (bursts->nr > 1)
        v.error = sqrt(squares * n / (n - 1)) / sum.below;
    return v;
}

static void fill_vcpu(const struct bursts *bursts, uint32_t domid,
                      struct snapshot_vcpu *vcpu)
{
    double left;

    if (vcpu->utilisation.source == SNAPSHOT_SOURCE_NONE)
        vcpu->utilisation = estimate(bursts, domid, vcpu->vcpuid, run_share);
    vcpu->wait = estimate(bursts, domid, vcpu->vcpuid, wait_share);
    if (vcpu->wait.source == SNAPSHOT_SOURCE_NONE)
        return;
    left = 1 - vcpu->utilisation.value;
    if (left < 0)
        left = 0;
    if (vcpu->wait.value > left)
        vcpu->wait.value = left;
    vcpu->block = vcpu->wait;
    vcpu->block.value = left - vcpu->wait.value;
    vcpu->switches = estimate(bursts, domid, vcpu->vcpuid, switch_rate);
    vcpu->execution_usec = estimate(bursts, domid, vcpu->vcpuid,
                                    execution_usec);
}

/* The snapshot's vCPU, or SIZE_MAX. */
static size_t find_vcpu(const struct snapshot *snapshot, uint32_t domid,
                        uint32_t vcpuid)
{
    size_t i = snapshot_find_domid(snapshot, domid);

    if (i == SNAPSHOT_OUTSIDE || vcpuid >= snapshot->domains[i].vcpus_max)
        return SIZE_MAX;
    return snapshot->domains[i].first_vcpu + vcpuid;
}

/* How often a domain took a vCPU's place, in one burst or in all. */
struct taken {
    size_t vcpu, by;            /* indices, as in the snapshot */
    uint64_t count;
};

static int compare_taken(const void *a, const void *b)
{
    const struct taken *p = a, *q = b;

    return COMPARE(p->vcpu, q->vcpu) ?: COMPARE(p->by, q->by);
}

/* False: of a domain that came or went while it was measured. */
static bool taken_of(const struct snapshot *snapshot,
                     const struct trace_switch *s, struct taken *taken_r)
{
    taken_r->vcpu = find_vcpu(snapshot, s->from_domid, s->from_vcpuid);
    taken_r->by = snapshot_find_domid(snapshot, s->to_domid);
    taken_r->count = s->count;
    return taken_r->vcpu != SIZE_MAX &&
           (taken_r->by != SNAPSHOT_OUTSIDE ||
            s->to_domid == TRACE_DOMID_IDLE);
}

/* Sorted by their keys; what is of one key is one entry. */
static int add_switches(struct snapshot *snapshot, struct taken *taken,
                        size_t nr, double seconds)
{
    struct snapshot_switch *entry;
    size_t first, next;

    qsort(taken, nr, sizeof(*taken), compare_taken);
    for (first = 0; first < nr; first = next) {
        for (next = first + 1;
             next < nr && !compare_taken(&taken[first], &taken[next]); next++)
            taken[first].count += taken[next].count;
        entry = snapshot_add_switch(snapshot);
        if (!entry)
            return -ENOMEM;
        entry->vcpu = taken[first].vcpu;
        entry->by_domain = taken[first].by;
        entry->per_second = taken[first].count / seconds;
    }
    return 0;
}

static int fill_switches(struct snapshot *snapshot,
                         const struct bursts *bursts, double seconds)
{
    struct taken *taken;
    size_t i, j, nr = 0;
    int rc;

    for (i = 0; i < bursts->nr; i++)
        nr += bursts->metrics[i]->nr_switches;
    taken = calloc(nr + 1, sizeof(*taken));
    if (!taken)
        return -ENOMEM;
    for (i = 0, nr = 0; i < bursts->nr; i++)
        for (j = 0; j < bursts->metrics[i]->nr_switches; j++)
            nr += taken_of(snapshot, &bursts->metrics[i]->switches[j],
                           &taken[nr]);
    snapshot->nr_switches = 0;
    rc = add_switches(snapshot, taken, nr, seconds);
    free(taken);
    return rc;
}

int trace_shares_fill(struct snapshot *snapshot,
                      const struct trace_metrics *const *metrics, size_t nr,
                      uint32_t khz, double *seconds_r)
{
    struct bursts bursts = { metrics, nr, khz * 1000.0 };
    double seconds = 0;
    size_t i;

    for (i = 0; i < nr; i++)
        seconds += khz ? span_of(metrics[i]) / bursts.hz : 0;
    if (seconds <= 0)
        return -EINVAL;
    for (i = 0; i < snapshot->nr_vcpus; i++) {
        struct snapshot_vcpu *vcpu = &snapshot->vcpus[i];

        if (vcpu->online)
            fill_vcpu(&bursts, snapshot->domains[vcpu->domain].domid, vcpu);
    }
    *seconds_r = seconds;
    return fill_switches(snapshot, &bursts, seconds);
}
