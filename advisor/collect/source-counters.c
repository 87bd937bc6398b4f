/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exact CPU time: each vCPU's from libxenctrl, each pCPU's idle time, and
 * libxenstat's per domain as a check on the sum.
 *
 * libxenstat is used for nothing more: its list of domains is wrong above 256
 * of them or with gaps, and its networks are wrong without a Linux bridge;
 * see ports.h.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <xenstat.h>

#include "base/xen.h"
#include "collect/collect.h"

/* Share of a domain's time by which the two counts may differ. */
#define XENSTAT_TOLERANCE 0.05

struct reading {
    uint64_t cpu_ns;
    uint64_t at_ns;
    bool online;
};

struct counters {
    struct reading *vcpus;      /* as the snapshot's */
    xc_cpuinfo_t *pcpus;
    uint64_t pcpus_at_ns;
    int nr_pcpus;
    uint64_t *domain_ns;        /* by libxenstat; 0 unknown */
};

static void close_counters(void *state)
{
    struct counters *counters = state;

    if (!counters)
        return;
    free(counters->vcpus);
    free(counters->pcpus);
    free(counters->domain_ns);
    free(counters);
}

static void read_vcpus(struct collect *collect, struct reading *readings)
{
    const struct snapshot *snapshot = collect->snapshot;
    size_t i;

    for (i = 0; i < snapshot->nr_vcpus; i++) {
        const struct snapshot_vcpu *vcpu = &snapshot->vcpus[i];
        uint32_t domid = snapshot->domains[vcpu->domain].domid;
        uint64_t before = collect_now_ns();
        xc_vcpuinfo_t info;

        readings[i].online = vcpu->online &&
            !xc_vcpu_getinfo(collect->xen->xc, domid, vcpu->vcpuid, &info) &&
            info.online;
        if (!readings[i].online)
            continue;
        readings[i].cpu_ns = info.cpu_time;
        readings[i].at_ns = before + (collect_now_ns() - before) / 2;
    }
}

static void read_xenstat(struct collect *collect, uint64_t *domain_ns)
{
    const struct snapshot *snapshot = collect->snapshot;
    xenstat_handle *handle = xenstat_init();
    xenstat_node *node = handle ? xenstat_get_node(handle, 0) : NULL;
    size_t i;

    for (i = 0; i < snapshot->nr_domains; i++) {
        xenstat_domain *domain = node ?
            xenstat_node_domain(node, snapshot->domains[i].domid) : NULL;

        domain_ns[i] = domain ? xenstat_domain_cpu_ns(domain) : 0;
    }
    if (node)
        xenstat_free_node(node);
    if (handle)
        xenstat_uninit(handle);
}

/* All that there is to be read, as of now.  Owns: close_counters(). */
static int counters_read(struct collect *collect, struct counters **counters_r)
{
    const struct snapshot *snapshot = collect->snapshot;
    struct counters *counters = calloc(1, sizeof(*counters));

    *counters_r = counters;
    if (!counters)
        return -ENOMEM;
    counters->vcpus = calloc(snapshot->nr_vcpus + 1, sizeof(struct reading));
    counters->pcpus = calloc(snapshot->nr_pcpus + 1,
                             sizeof(*counters->pcpus));
    counters->domain_ns = calloc(snapshot->nr_domains + 1, sizeof(uint64_t));
    if (!counters->vcpus || !counters->pcpus || !counters->domain_ns)
        return -ENOMEM;
    read_xenstat(collect, counters->domain_ns);
    if (xc_getcpuinfo(collect->xen->xc, snapshot->nr_pcpus, counters->pcpus,
                      &counters->nr_pcpus))
        counters->nr_pcpus = 0;
    counters->pcpus_at_ns = collect_now_ns();
    read_vcpus(collect, counters->vcpus);
    return 0;
}

static int begin(struct collect *collect, void **state_r)
{
    struct counters *counters = NULL;
    int rc = collect->options->seconds > 0 ? counters_read(collect, &counters)
                                           : 0;

    if (rc)
        close_counters(counters);
    else
        *state_r = counters;
    return rc;
}

static struct snapshot_value exact(double value)
{
    struct snapshot_value v = { .source = SNAPSHOT_SOURCE_COUNTER };

    /* The clocks of Xen and of dom0 differ by some parts in a million. */
    v.value = value < 0 ? 0 : value > 1 ? 1 : value;
    return v;
}

static void fill_vcpus(struct snapshot *snapshot, const struct counters *then,
                       const struct counters *now)
{
    size_t i;

    for (i = 0; i < snapshot->nr_vcpus; i++) {
        const struct reading *a = &then->vcpus[i], *b = &now->vcpus[i];
        struct snapshot_vcpu *vcpu = &snapshot->vcpus[i];

        if (vcpu->online && a->online && b->online && b->at_ns > a->at_ns &&
            b->cpu_ns >= a->cpu_ns)
            vcpu->utilisation = exact((double)(b->cpu_ns - a->cpu_ns) /
                                      (b->at_ns - a->at_ns));
    }
}

static void fill_pcpus(struct snapshot *snapshot, const struct counters *then,
                       const struct counters *now)
{
    size_t i;

    for (i = 0; i < snapshot->nr_pcpus; i++) {
        struct snapshot_pcpu *pcpu = &snapshot->pcpus[i];
        int n = (int)pcpu->os_index;

        if (pcpu->online && n < then->nr_pcpus && n < now->nr_pcpus &&
            now->pcpus_at_ns > then->pcpus_at_ns)
            pcpu->idle = exact((double)(now->pcpus[n].idletime -
                                        then->pcpus[n].idletime) /
                               (now->pcpus_at_ns - then->pcpus_at_ns));
    }
}

/* The domain's time as libxenstat has it against the sum of its vCPUs'. */
static int check_xenstat(struct collect *collect, const struct counters *then,
                         const struct counters *now)
{
    struct snapshot *snapshot = collect->snapshot;
    double seconds = (collect->end_ns - collect->start_ns) / 1e9;
    unsigned int missing = 0, differ = 0;
    const struct snapshot_vcpu *vcpu;
    size_t i;

    for (i = 0; i < snapshot->nr_domains; i++) {
        const struct snapshot_domain *domain = &snapshot->domains[i];
        double by_vcpu = 0, by_domain;

        if (!now->domain_ns[i] || !then->domain_ns[i]) {
            missing += domain->state == SNAPSHOT_DOMAIN_RUNNING;
            continue;
        }
        by_domain = (now->domain_ns[i] - then->domain_ns[i]) / 1e9 / seconds;
        SNAPSHOT_FOR_VCPUS(vcpu, snapshot, domain)
            by_vcpu += vcpu->utilisation.value;
        differ += fabs(by_domain - by_vcpu) >
                  XENSTAT_TOLERANCE * (1 + by_vcpu);
    }
    if (missing || differ)
        return snapshot_note(snapshot, "xenstat", "libxenstat misses %u "
                             "domains and disagrees on the CPU time of %u; "
                             "libxenctrl's times are used", missing, differ);
    return 0;
}

static int finish(struct collect *collect, void *state)
{
    struct counters *now = NULL;
    int rc;

    if (!state)
        return 0;
    rc = counters_read(collect, &now);
    if (!rc) {
        fill_pcpus(collect->snapshot, state, now);
        fill_vcpus(collect->snapshot, state, now);
        rc = check_xenstat(collect, state, now);
    }
    close_counters(now);
    return rc;
}

const struct collect_source collect_counters = {
    .name = "counters",
    .begin = begin,
    .finish = finish,
    .close = close_counters,
};
