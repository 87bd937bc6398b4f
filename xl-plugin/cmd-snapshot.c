// SPDX-License-Identifier: GPL-2.0-or-later
/* xl shmlink snapshot: what the advisor sees of this host, into a file. */
#include "config.h"

#include <string.h>

#include "advice.h"
#include "advisor.h"

struct snapshot_options {
    struct collect_options collect;
    const char *file;
};

static int parse(int argc, char **argv, struct advice *advice,
                 struct snapshot_options *options)
{
    bool no_trace = false, no_traffic = false;
    const struct command_option table[] = {
        COMMAND_PARSED('t', "time", "SECONDS",
                       "Measure so long, 0 to 3600; default 10.", advice,
                       advice_time),
        COMMAND_TEXT(0, "keep-trace", "FILE",
                     "Keep Xen's trace too, for xenalyze.",
                     &options->collect.trace_file),
        COMMAND_FLAG(0, "no-trace",
                     "Sample at random times instead of tracing.", &no_trace),
        COMMAND_FLAG(0, "no-traffic",
                     "Only count the traffic, do not sample it.", &no_traffic),
        ADVICE_QUIET(advice),
        ADVICE_STATE_DIR(advice),
        COMMAND_END,
    };
    int status = advice_parse(advice, argc, argv, table, 1, 1,
                              "one FILE is needed, or - for standard output");

    if (status)
        return status;
    options->file = argv[optind];
    options->collect.trace = !no_trace;
    options->collect.traffic = !no_traffic;
    return COMMAND_OK;
}

static void print_notes(const struct snapshot *snapshot)
{
    size_t i;

    for (i = 0; i < snapshot->nr_notes; i++)
        fprintf(stderr, "%s: %s\n", snapshot->notes[i].source,
                snapshot->notes[i].text);
}

static int take(struct advice *advice, struct snapshot_options *options)
{
    int rc;

    options->collect.seconds = advice->seconds;
    advice_journal(advice, false);
    if (advice_collect(advice, &options->collect, &advice->snapshot))
        return COMMAND_FAILED;
    rc = snapshot_save(advice->snapshot, options->file);
    if (rc)
        return command_failed("%s: %s", options->file, strerror(-rc));
    if (!advice->quiet)
        print_notes(advice->snapshot);
    return COMMAND_OK;
}

int cmd_snapshot(int argc, char **argv)
{
    struct snapshot_options options = { .file = NULL };
    struct advice advice;
    int status = advice_init(&advice);

    /* 0: only what is known at once. */
    advice.seconds_min = 0;
    collect_options_init(&options.collect);
    status = status ?: parse(argc, argv, &advice, &options) ?:
             take(&advice, &options);
    advice_close(&advice);
    return status;
}
