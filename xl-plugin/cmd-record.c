// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "advice.h"
#include "base/db.h"
#include "advisor.h"

/* Long enough for a few hundred samples, short enough every 5 minutes. */
#define RECORD_SECONDS 5.0
#define DAYS_MAX 3650
#define MIB_MAX 65536

struct record_options
{
    uint32_t keep_days, max_mib;
};

static int record_parse(int argc, char **argv, struct advice *advice,
                        struct record_options *options)
{
    const struct command_option table[] = {
        ADVICE_TIME(advice),
        ADVICE_FROM(advice),
        COMMAND_NUMBER(0, "keep-days", "N",
                       "Forget what is older; default 28.",
                       &options->keep_days, DAYS_MAX),
        COMMAND_NUMBER(0, "max-size", "MIB",
                       "Of the file, the oldest goes first; default 64.",
                       &options->max_mib, MIB_MAX),
        ADVICE_QUIET(advice),
        ADVICE_STATE_DIR(advice),
        COMMAND_END,
    };

    return advice_parse(advice, argc, argv, table, 0, 0, NULL);
}

static double record_cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + 1e-6 * (double)(usage.ru_utime.tv_usec
                             + usage.ru_stime.tv_usec);
}

static int record_write(struct advice *advice,
                        const struct record_options *options,
                        const char *path)
{
    struct record_stat stat = { 0 };
    struct sqlite3 *history = NULL;
    char *why;
    int rc;

    rc = record_open(&history, path, (uint64_t)options->max_mib << 20) ?:
         record_add(history, advice->snapshot);
    /* Thinned by the real clock: an imported record may be older. */
    if (!rc)
        rc = record_thin(history, time(NULL), options->keep_days);
    if (!rc)
        rc = record_stat(history, &stat);
    db_close(history);
    if (rc == -EINVAL)
        return command_failed("the snapshot measured nothing");
    if (rc) {
        why = db_explain(rc, "history", path);
        command_failed("%s", why ? why : strerror(-rc));
        free(why);
        return COMMAND_FAILED;
    }
    if (!advice->quiet)
        printf("Recorded %.1f s of %zu VMs; %llu records in %llu KiB. "
               "Cost: %.3f s of CPU.\n", advice->snapshot->duration,
               advice->snapshot->nr_domains,
               (unsigned long long)stat.records,
               (unsigned long long)stat.bytes / 1024, record_cpu_seconds());
    return COMMAND_OK;
}

static int record_run(struct advice *advice,
                      const struct record_options *options)
{
    char *path = NULL;
    int status, rc;

    /* Xen's trace buffer is left to whoever looks for something. */
    advice->sampling_only = true;
    /* Somebody measures already: the next record is soon enough. */
    advice->busy_ok = advice->quiet;
    rc = advice_snapshot(advice, advice->seconds, &advice->snapshot);
    if (rc == -EBUSY && advice->busy_ok)
        return COMMAND_OK;
    if (rc)
        return COMMAND_FAILED;
    if (asprintf(&path, "%s/history.db", advice->state_dir) < 0)
        return command_failed("no memory");
    status = record_write(advice, options, path);
    free(path);
    return status;
}

int cmd_record(int argc, char **argv)
{
    struct record_options options = { 0 };
    struct advice advice;
    int status = advice_init(&advice);

    advice.seconds = RECORD_SECONDS;
    status = status ?: record_parse(argc, argv, &advice, &options) ?:
             record_run(&advice, &options);
    advice_close(&advice);
    return status;
}
