/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wait, block, VM switches and time per execution from bursts of Xen's trace,
 * one at a random time in each of equal parts of the interval.  One burst only
 * where the trace is kept: xenalyze knows no pauses.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/xen.h"
#include "collect/collect.h"
#include "collect/trace-buffer.h"
#include "collect/trace-metrics.h"
#include "collect/trace-shares.h"

#define BURSTS          5U
#define BURST_SHARE     0.5         /* of the interval, at most */
#define BURST_SECONDS   1.0         /* each, at most */
#define POLL_NS         10000000ULL
/* 48 MB; at 50 000 ping-pongs a second it takes 3 s to get there. */
#define EVENTS_MOST     1000000U

struct trace {
    struct trace_buffer *buffer;
    struct trace_log log;
    FILE *file;
    struct trace_metrics *bursts[BURSTS];
    unsigned int nr_bursts;         /* finished */
    unsigned int nr_wanted;
    bool running;
    uint64_t part_ns, burst_ns;
    uint64_t due_ns, burst_end_ns;
    uint64_t events, lost;
    unsigned int cut;               /* bursts ended early */
    bool file_failed;
};

static void close_trace(void *state)
{
    struct trace *trace = state;
    unsigned int i;

    if (!trace)
        return;
    trace_buffer_close(trace->buffer);
    trace_log_reset(&trace->log);
    if (trace->file)
        fclose(trace->file);
    for (i = 0; i < BURSTS; i++)
        trace_metrics_free(trace->bursts[i]);
    free(trace);
}

/* Why there is no trace, in words; the sampling source goes on from there. */
static int decline(struct collect *collect, int rc)
{
    const char *what = "Xen's trace buffer cannot be read";

    if (rc == -EEXIST || rc == -EBUSY)
        what = "another program reads Xen's trace buffer (xentrace?)";
    else if (rc == -ENOSYS || rc == -EINVAL || rc == -EOPNOTSUPP)
        what = "this Xen has no trace buffer (CONFIG_TRACEBUFFER)";
    else if (rc == -ENOMEM)
        what = "no memory for Xen's trace buffer";
    rc = snapshot_note(collect->snapshot, "trace", "%s (error %d): wait and "
                       "block are from random sampling, VM switches are not "
                       "known", what, -rc);
    return rc ? rc : -ENOTSUP;
}

static void schedule(struct trace *trace, uint64_t start_ns)
{
    uint64_t slack = trace->part_ns - trace->burst_ns;

    trace->due_ns = start_ns + trace->nr_bursts * trace->part_ns +
                    (uint64_t)(drand48() * slack);
}

static int begin(struct collect *collect, void **state_r)
{
    double seconds = collect->options->seconds, burst;
    uint32_t highest = 0;
    struct trace *trace;
    size_t i;
    int rc;

    if (!collect->options->trace || seconds <= 0)
        return -ENOTSUP;
    for (i = 0; i < collect->snapshot->nr_pcpus; i++)
        highest = collect->snapshot->pcpus[i].os_index;
    trace = calloc(1, sizeof(*trace));
    if (!trace)
        return -ENOMEM;
    if (collect->options->trace_file) {
        trace->file = fopen(collect->options->trace_file, "we");
        if (!trace->file) {
            rc = -errno;
            free(trace);
            return rc;
        }
    }
    rc = trace_buffer_open(&trace->buffer, collect->xen->xc, highest + 1);
    if (rc) {
        close_trace(trace);
        return decline(collect, rc);
    }
    trace->nr_wanted = trace->file ? 1 : BURSTS;
    burst = seconds * BURST_SHARE / trace->nr_wanted;
    if (burst > BURST_SECONDS && !trace->file)
        burst = BURST_SECONDS;
    trace->burst_ns = burst * 1e9;
    trace->part_ns = seconds / trace->nr_wanted * 1e9;
    srand48(collect_now_ns());
    schedule(trace, collect_now_ns());
    collect->traced = true;
    *state_r = trace;
    return 0;
}

static uint64_t due(void *state)
{
    return ((struct trace *)state)->due_ns;
}

static int drain(struct trace *trace)
{
    int rc = trace_buffer_drain(trace->buffer, &trace->log, trace->file);

    if (rc == -EIO) {
        /* The file is an extra: measure on without it. */
        trace->file_failed = true;
        fclose(trace->file);
        trace->file = NULL;
        rc = 0;
    }
    return rc;
}

static int end_burst(struct trace *trace, uint64_t start_ns)
{
    int rc = trace_buffer_stop(trace->buffer) ?: drain(trace);

    trace->running = false;
    if (rc)
        return rc;
    trace->events += trace->log.nr_events;
    trace->lost += trace->log.lost_records;
    trace_log_sort(&trace->log);
    rc = trace_metrics_compute(&trace->log,
                               &trace->bursts[trace->nr_bursts]);
    trace_log_reset(&trace->log);
    if (rc && rc != -ENODATA)
        return rc;
    trace->nr_bursts += !rc;
    if (rc || trace->nr_bursts == trace->nr_wanted)
        trace->due_ns = UINT64_MAX;
    else
        schedule(trace, start_ns);
    return 0;
}

static int step(struct collect *collect, void *state, bool readable)
{
    struct trace *trace = state;
    uint64_t now = collect_now_ns();
    bool full;
    int rc;

    (void)readable;
    if (!trace->running) {
        rc = trace_buffer_start(trace->buffer);
        trace->running = true;
        trace->burst_end_ns = now + trace->burst_ns;
        trace->due_ns = now + POLL_NS;
        return rc;
    }
    rc = drain(trace);
    if (rc)
        return rc;
    full = trace->log.nr_events > EVENTS_MOST;
    trace->cut += full;
    if (full || now >= trace->burst_end_ns)
        return end_burst(trace, collect->start_ns);
    trace->due_ns = now + POLL_NS;
    return 0;
}

static int note(struct collect *collect, const struct trace *trace,
                double seconds)
{
    struct snapshot *snapshot = collect->snapshot;
    int rc = snapshot_note(snapshot, "trace", "%u bursts, %.2f s of %.2f s, "
                           "%llu records, %llu lost, %zu KiB per pCPU",
                           trace->nr_bursts, seconds,
                           snapshot->duration,
                           (unsigned long long)trace->events,
                           (unsigned long long)trace->lost,
                           trace_buffer_bytes(trace->buffer) >> 10);

    if (!rc && trace->cut)
        rc = snapshot_note(snapshot, "trace", "%u bursts were ended early "
                           "after %u records", trace->cut, EVENTS_MOST);
    if (!rc && trace->file_failed)
        rc = snapshot_note(snapshot, "trace", "the trace file could not be "
                           "written and is incomplete (disk full?)");
    return rc;
}

static int finish(struct collect *collect, void *state)
{
    struct trace *trace = state;
    double seconds;
    int rc = 0;

    if (trace->running)
        rc = end_burst(trace, collect->start_ns);
    if (rc)
        return rc;
    if (!trace->nr_bursts)
        return snapshot_note(collect->snapshot, "trace", "Xen recorded "
                             "nothing");
    rc = trace_shares_fill(collect->snapshot,
                           (const struct trace_metrics *const *)trace->bursts,
                           trace->nr_bursts, collect->cpu_khz, &seconds);
    return rc ?: note(collect, trace, seconds);
}

const struct collect_source collect_trace = {
    .name = "trace",
    .begin = begin,
    .due = due,
    .step = step,
    .finish = finish,
    .close = close_trace,
};
