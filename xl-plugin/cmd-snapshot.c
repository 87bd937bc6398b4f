// SPDX-License-Identifier: GPL-2.0-or-later
/* xl shmlink snapshot: what the advisor sees of this host, into a file. */
#include "config.h"

#include <string.h>

#include "advice.h"
#include "advisor.h"

enum {
    OPT_KEEP_TRACE = ADVICE_OPT_FIRST,
    OPT_NO_TRACE,
    OPT_NO_TRAFFIC,
};

struct snapshot_options {
    struct collect_options collect;
    const char *file;
};

static int parse(int argc, char **argv, struct advice *advice,
                 struct snapshot_options *options)
{
    static const struct option longopts[] = {
        { "keep-trace", required_argument, NULL, OPT_KEEP_TRACE },
        { "no-trace", no_argument, NULL, OPT_NO_TRACE },
        { "no-traffic", no_argument, NULL, OPT_NO_TRAFFIC },
        { "quiet", no_argument, NULL, 'q' },
        { "state-dir", required_argument, NULL, ADVICE_OPT_STATE_DIR },
        { "time", required_argument, NULL, 't' },
        { NULL, 0, NULL, 0 },
    };
    int option, status;

    while ((option = advice_getopt(advice, argc, argv, "qt:", longopts,
                                   &status)) != -1) {
        switch (option) {
        case OPT_KEEP_TRACE:
            options->collect.trace_file = optarg;
            break;
        case OPT_NO_TRACE:
            options->collect.trace = false;
            break;
        case OPT_NO_TRAFFIC:
            options->collect.traffic = false;
            break;
        }
    }
    if (status)
        return status;
    if (argc - optind != 1)
        return command_usage_error(argv[0], "one FILE is needed, or - for "
                                   "standard output");
    options->file = argv[optind];
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
    int status;

    if (advice_init(&advice))
        return command_failed("no memory");
    /* 0: only what is known at once. */
    advice.seconds_min = 0;
    collect_options_init(&options.collect);
    status = parse(argc, argv, &advice, &options);
    if (status == COMMAND_OK)
        status = take(&advice, &options);
    advice_close(&advice);
    return status;
}
