// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xl-shmlink trace-report FILE: what the advisor makes of a file of xentrace,
 * one vCPU per line, in cycles; tests/lab compares it with xenalyze's.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "command.h"
#include "collect/trace-log.h"
#include "collect/trace-metrics.h"

#define FILE_BYTES_MAX (1024 * 1024 * 1024)

/* cycles: without the edges, as xenalyze counts; all: with them. */
static void print(const struct trace_metrics *metrics)
{
    size_t i;
    int s;

    printf("span %" PRIu64 " lost %" PRIu64 " disordered %" PRIu64 "\n",
           metrics->end_tsc - metrics->start_tsc, metrics->lost_records,
           metrics->disordered);
    for (i = 0; i < metrics->nr_vcpus; i++) {
        const struct trace_vcpu *v = &metrics->vcpus[i];

        printf("d%uv%u cycles", v->domid, v->vcpuid);
        for (s = 0; s < TRACE_STATES; s++)
            printf(" %" PRIu64, v->cycles[s] - v->edge_cycles[s]);
        printf(" all");
        for (s = 0; s < TRACE_STATES; s++)
            printf(" %" PRIu64, v->cycles[s]);
        printf(" executions %" PRIu64 " switches %" PRIu64 "\n",
               v->executions, v->vm_switches);
    }
}

int cmd_trace_report(int argc, char **argv)
{
    static const struct command_option end = COMMAND_END;
    struct trace_metrics *metrics = NULL;
    struct trace_log log = { 0 };
    char *bytes = NULL;
    size_t nr = 0;
    int rc, status = command_parse(argc, argv, &end, 1, 1,
                                   "one FILE is needed");

    if (status)
        return status;
    rc = file_text(argv[optind], FILE_BYTES_MAX, &bytes, &nr) ?:
         trace_log_add_file(&log, bytes, nr);
    if (!rc) {
        trace_log_sort(&log);
        rc = trace_metrics_compute(&log, &metrics);
    }
    if (!rc)
        print(metrics);
    trace_metrics_free(metrics);
    trace_log_reset(&log);
    free(bytes);
    if (rc)
        return command_failed("%s: %s", argv[optind], rc == -EPROTO ?
                              "not a trace file" : strerror(-rc));
    return COMMAND_OK;
}
