/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trace file of any content: no memory error, and time adds up. */
#include <stdint.h>
#include <stdlib.h>

#include "collect/trace-log.h"
#include "collect/trace-metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct trace_metrics *metrics)
{
    uint64_t span = metrics->end_tsc - metrics->start_tsc;
    size_t i;

    for (i = 0; i < metrics->nr_vcpus; i++) {
        const struct trace_vcpu *vcpu = &metrics->vcpus[i];
        uint64_t sum = 0;
        int state;

        for (state = 0; state < TRACE_STATES; state++) {
            if (vcpu->edge_cycles[state] > vcpu->cycles[state])
                abort();
            sum += vcpu->cycles[state];
        }
        if (sum != span)
            abort();
        if (trace_metrics_vcpu(metrics, vcpu->domid, vcpu->vcpuid) != vcpu)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace_log log = { 0 };
    struct trace_metrics *metrics;

    if (trace_log_add_file(&log, data, size)) {
        trace_log_reset(&log);
        trace_log_add_window(&log, 0, data, size);
    }
    trace_log_sort(&log);
    if (!trace_metrics_compute(&log, &metrics)) {
        check(metrics);
        trace_metrics_free(metrics);
    }
    trace_log_reset(&log);
    return 0;
}
