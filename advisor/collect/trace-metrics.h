/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a trace says of the vCPUs: the study's metrics.  Pure.
 *
 * Times are cycles of the time stamp counter.  A vCPU's cycles, the unknown
 * ones among them, sum to the length of the trace.  After lost records a state
 * that cannot be known counts as TRACE_UNKNOWN, never as a guess.
 *
 * Source of the state machine: tools/xentrace/xenalyze.c
 * sched_runstate_process(); tests/lab compares the two on the same file.
 */
#ifndef SHMLINK_COLLECT_TRACE_METRICS_H
#define SHMLINK_COLLECT_TRACE_METRICS_H

#include "collect/trace-log.h"

struct trace_vcpu {
    uint16_t domid;
    uint16_t vcpuid;
    uint64_t cycles[TRACE_STATES];
    /*
     * Those of cycles[] before the vCPU was first put on a pCPU and after its
     * last record: true, but xenalyze leaves them out.
     */
    uint64_t edge_cycles[TRACE_STATES];
    uint64_t executions;        /* times it was put on a pCPU */
    uint64_t vm_switches;       /* put where another VM had run before */
};

/*
 * Who ran on a pCPU after whom.  VMs only count as following each other where
 * they are different ones, whether the pCPU was idle in between or not; what
 * TRACE_DOMID_IDLE follows left its pCPU idle.
 */
struct trace_switch {
    uint16_t from_domid;
    uint16_t from_vcpuid;
    uint16_t to_domid;
    uint64_t count;
};

struct trace_metrics {
    uint64_t start_tsc;
    uint64_t end_tsc;
    struct trace_vcpu *vcpus;   /* by domid, vcpuid; no idle vCPUs */
    size_t nr_vcpus;
    struct trace_switch *switches;  /* in order of their keys */
    size_t nr_switches;
    uint64_t lost_records;
    uint64_t disordered;        /* records of a pCPU whose clock is behind */
};

/*
 * Compute the metrics of a sorted log.
 * Errors: ENODATA no event in it; ENOMEM.  Owns: trace_metrics_free().
 */
int trace_metrics_compute(const struct trace_log *log,
                          struct trace_metrics **metrics_r);
void trace_metrics_free(struct trace_metrics *metrics);

/* The vCPU's row, or NULL. */
const struct trace_vcpu *
trace_metrics_vcpu(const struct trace_metrics *metrics, unsigned int domid,
                   unsigned int vcpuid);

#endif
