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

static void read_pcpus(struct collect *collect, xc_cpuinfo_t *pcpus, int max,
                       int *nr_r, uint64_t *at_ns_r)
{
    *nr_r = 0;
    if (xc_getcpuinfo(collect->xen->xc, max, pcpus, nr_r))
        *nr_r = 0;
    *at_ns_r = collect_now_ns();
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

static int begin(struct collect *collect, void **state_r)
{
    const struct snapshot *snapshot = collect->snapshot;
    struct counters *counters = calloc(1, sizeof(*counters));
    size_t nr_pcpus = snapshot->nr_pcpus;

    if (!counters)
        return -ENOMEM;
    counters->vcpus = calloc(snapshot->nr_vcpus + 1, sizeof(struct reading));
    counters->pcpus = calloc(nr_pcpus + 1, sizeof(*counters->pcpus));
    counters->domain_ns = calloc(snapshot->nr_domains + 1, sizeof(uint64_t));
    if (!counters->vcpus || !counters->pcpus || !counters->domain_ns) {
        close_counters(counters);
        return -ENOMEM;
    }
    if (collect->options->seconds > 0) {
        read_xenstat(collect, counters->domain_ns);
        read_pcpus(collect, counters->pcpus, nr_pcpus, &counters->nr_pcpus,
                   &counters->pcpus_at_ns);
        read_vcpus(collect, counters->vcpus);
    }
    *state_r = counters;
    return 0;
}

static struct snapshot_value exact(double value)
{
    struct snapshot_value v = { .source = SNAPSHOT_SOURCE_COUNTER };

    /* The clocks of Xen and of dom0 differ by some parts in a million. */
    v.value = value < 0 ? 0 : value > 1 ? 1 : value;
    return v;
}

static int finish_vcpus(struct collect *collect, struct counters *counters)
{
    struct snapshot *snapshot = collect->snapshot;
    struct reading *now = calloc(snapshot->nr_vcpus + 1, sizeof(*now));
    size_t i;

    if (!now)
        return -ENOMEM;
    read_vcpus(collect, now);
    for (i = 0; i < snapshot->nr_vcpus; i++) {
        struct snapshot_vcpu *vcpu = &snapshot->vcpus[i];
        const struct reading *then = &counters->vcpus[i];

        if (!vcpu->online || !then->online || !now[i].online ||
            now[i].at_ns <= then->at_ns || now[i].cpu_ns < then->cpu_ns)
            continue;
        vcpu->utilisation = exact((double)(now[i].cpu_ns - then->cpu_ns) /
                                  (now[i].at_ns - then->at_ns));
    }
    free(now);
    return 0;
}

static int finish_pcpus(struct collect *collect, struct counters *counters)
{
    struct snapshot *snapshot = collect->snapshot;
    xc_cpuinfo_t *now = calloc(snapshot->nr_pcpus + 1, sizeof(*now));
    uint64_t at_ns;
    size_t i;
    int nr;

    if (!now)
        return -ENOMEM;
    read_pcpus(collect, now, snapshot->nr_pcpus, &nr, &at_ns);
    if (nr > counters->nr_pcpus)
        nr = counters->nr_pcpus;
    for (i = 0; i < snapshot->nr_pcpus; i++) {
        struct snapshot_pcpu *pcpu = &snapshot->pcpus[i];
        uint32_t n = pcpu->os_index;

        if (pcpu->online && (int)n < nr && at_ns > counters->pcpus_at_ns)
            pcpu->idle = exact((double)(now[n].idletime -
                                        counters->pcpus[n].idletime) /
                               (at_ns - counters->pcpus_at_ns));
    }
    free(now);
    return 0;
}

/* The domain's time as libxenstat has it against the sum of its vCPUs'. */
static int check_xenstat(struct collect *collect, struct counters *counters)
{
    struct snapshot *snapshot = collect->snapshot;
    uint64_t *now = calloc(snapshot->nr_domains + 1, sizeof(*now));
    double seconds = (collect->end_ns - collect->start_ns) / 1e9;
    unsigned int missing = 0, differ = 0;
    const struct snapshot_vcpu *vcpu;
    size_t i;

    if (!now)
        return -ENOMEM;
    read_xenstat(collect, now);
    for (i = 0; i < snapshot->nr_domains; i++) {
        const struct snapshot_domain *domain = &snapshot->domains[i];
        double by_vcpu = 0, by_domain;

        if (!now[i] || !counters->domain_ns[i]) {
            missing += domain->state == SNAPSHOT_DOMAIN_RUNNING;
            continue;
        }
        by_domain = (now[i] - counters->domain_ns[i]) / 1e9 / seconds;
        SNAPSHOT_FOR_VCPUS(vcpu, snapshot, domain)
            by_vcpu += vcpu->utilisation.value;
        differ += fabs(by_domain - by_vcpu) >
                  XENSTAT_TOLERANCE * (1 + by_vcpu);
    }
    free(now);
    if (missing || differ)
        return snapshot_note(snapshot, "xenstat", "libxenstat misses %u "
                             "domains and disagrees on the CPU time of %u; "
                             "libxenctrl's times are used", missing, differ);
    return 0;
}

static int finish(struct collect *collect, void *state)
{
    int rc;

    if (collect->options->seconds <= 0)
        return 0;
    rc = finish_pcpus(collect, state) ?: finish_vcpus(collect, state);
    return rc ? rc : check_xenstat(collect, state);
}

const struct collect_source collect_counters = {
    .name = "counters",
    .begin = begin,
    .finish = finish,
    .close = close_counters,
};
