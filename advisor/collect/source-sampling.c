/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random sampling of the vCPUs' states, where the trace is not to be had.
 * Xen tells no one else's waiting time, but it tells who runs and who is
 * blocked right now; what is neither, waits.
 */
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>

#include "base/xen.h"
#include "collect/collect.h"
#include "collect/sampling.h"

#define LOOKS_PER_SECOND    200.0
/* Share of one pCPU that looking may cost; each look takes Xen's global
 * domctl lock once per vCPU. */
#define COST_SHARE          0.02

struct sampling {
    struct sampling_counts *counts;     /* as the snapshot's vcpus */
    double mean_ns;                     /* between looks */
    uint64_t due_ns;
    uint64_t looks, cost_ns;
};

static void close_sampling(void *state)
{
    struct sampling *sampling = state;

    if (!sampling)
        return;
    free(sampling->counts);
    free(sampling);
}

/* Intervals of a Poisson process: no load can keep step with it. */
static void schedule(struct sampling *sampling)
{
    double wait_ns = -log(1 - drand48()) * sampling->mean_ns;

    sampling->due_ns = collect_now_ns() + (uint64_t)wait_ns;
}

static int begin(struct collect *collect, void **state_r)
{
    struct sampling *sampling;

    if (collect->traced || collect->options->seconds <= 0)
        return -ENOTSUP;
    sampling = calloc(1, sizeof(*sampling));
    if (!sampling)
        return -ENOMEM;
    sampling->counts = calloc(collect->snapshot->nr_vcpus + 1,
                              sizeof(*sampling->counts));
    if (!sampling->counts) {
        free(sampling);
        return -ENOMEM;
    }
    sampling->mean_ns = 1e9 / LOOKS_PER_SECOND;
    srand48(collect_now_ns());
    schedule(sampling);
    *state_r = sampling;
    return 0;
}

static uint64_t due(void *state)
{
    return ((struct sampling *)state)->due_ns;
}

/* The pCPU that this process is on, or -1. */
static long own_pcpu(struct collect *collect)
{
    xc_vcpuinfo_t info;
    int vcpuid = sched_getcpu();

    if (vcpuid < 0 || xc_vcpu_getinfo(collect->xen->xc, 0, vcpuid, &info))
        return -1;
    return info.cpu;
}

static int step(struct collect *collect, void *state, bool readable)
{
    struct sampling *sampling = state;
    const struct snapshot *snapshot = collect->snapshot;
    uint64_t start = collect_now_ns();
    long own = own_pcpu(collect);
    double cost_ns;
    size_t i;

    (void)readable;
    for (i = 0; i < snapshot->nr_vcpus; i++) {
        const struct snapshot_vcpu *vcpu = &snapshot->vcpus[i];
        uint32_t domid = snapshot->domains[vcpu->domain].domid;
        xc_vcpuinfo_t info;

        if (!vcpu->online ||
            xc_vcpu_getinfo(collect->xen->xc, domid, vcpu->vcpuid, &info) ||
            !info.online)
            continue;
        sampling_count(&sampling->counts[i], info.running, info.blocked,
                       (long)info.cpu == own);
    }
    sampling->looks++;
    sampling->cost_ns += collect_now_ns() - start;
    cost_ns = (double)sampling->cost_ns / sampling->looks;
    sampling->mean_ns = fmax(1e9 / LOOKS_PER_SECOND, cost_ns / COST_SHARE);
    schedule(sampling);
    return 0;
}

static int finish(struct collect *collect, void *state)
{
    struct sampling *sampling = state;
    struct snapshot *snapshot = collect->snapshot;
    unsigned int few = 0;
    size_t i;
    int rc;

    for (i = 0; i < snapshot->nr_vcpus; i++) {
        struct snapshot_vcpu *vcpu = &snapshot->vcpus[i];

        if (vcpu->online && !sampling_fill(&sampling->counts[i], vcpu))
            few++;
    }
    rc = snapshot_note(snapshot, "sampling", "%llu looks in %.1f s, %.0f us "
                       "each", (unsigned long long)sampling->looks,
                       snapshot->duration, sampling->looks ?
                       sampling->cost_ns / 1e3 / sampling->looks : 0.0);
    if (!rc && few)
        rc = snapshot_note(snapshot, "sampling", "%u vCPUs were seen too "
                           "seldom (on the observer's own pCPU, or the time "
                           "was short): their wait is not known; -t gives "
                           "more time", few);
    return rc;
}

const struct collect_source collect_sampling = {
    .name = "sampling",
    .begin = begin,
    .due = due,
    .step = step,
    .finish = finish,
    .close = close_sampling,
};
