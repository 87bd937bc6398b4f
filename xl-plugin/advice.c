// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include "advice.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "advisor.h"
#include "base/db.h"
#include "base/lock.h"
#ifdef HAVE_XEN
#include "base/xen.h"
#endif

#define SECONDS_DEFAULT 10.0
#define SECONDS_MAX 3600.0
/* A second for each of its parts. */
#define SETTLE_SECONDS_MIN (1.0 * SETTLE_PARTS)
/* A record takes 5 seconds; it comes every 5 minutes and is in nobody's way. */
#define BUSY_SECONDS 15.0

int advice_init(struct advice *advice)
{
    memset(advice, 0, sizeof(*advice));
    advice->state_dir = SHMLINK_STATE_DIR;
    advice->told = stdout;
    advice->seconds = SECONDS_DEFAULT;
    advice->seconds_min = 1;
    advice->signal_fd = advice->lock_fd = -1;
    return settings_init(&advice->settings) ? command_failed("no memory")
                                            : COMMAND_OK;
}

void advice_close(struct advice *advice)
{
    settings_dispose(&advice->settings);
    snapshot_free(advice->snapshot);
    plan_free(advice->plan);
    db_close(advice->journal);
#ifdef HAVE_XEN
    apply_xen_close(advice->host);
    xen_close(advice->xen);
#endif
    if (advice->signal_fd >= 0)
        close(advice->signal_fd);
    lock_release(advice->lock_fd);
    memset(advice, 0, sizeof(*advice));
    advice->signal_fd = advice->lock_fd = -1;
}

/* SECONDS, at least min. */
static int advice_seconds(const char *command, const char *text, double min,
                          double *seconds_r)
{
    char *end;
    double value;

    /* strtod alone takes blanks, signs, "inf" and "0x". */
    value = strspn(text, "0123456789.") == strlen(text) ? strtod(text, &end)
                                                        : -1;
    if (value < 0 || !*text || *end || value < min || value > SECONDS_MAX)
        return command_usage_error(command, "SECONDS '%s' is not a number "
                                   "from %g to %g", text, min, SECONDS_MAX);
    *seconds_r = value;
    return COMMAND_OK;
}

int advice_time(const char *command, const char *text, void *opaque)
{
    struct advice *advice = opaque;

    advice->timed = true;
    return advice_seconds(command, text, advice->seconds_min,
                          &advice->seconds);
}

int advice_settle_time(const char *command, const char *text, void *opaque)
{
    return advice_seconds(command, text, SETTLE_SECONDS_MIN,
                          &((struct advice *)opaque)->settle);
}

int advice_setting(const char *command, const char *text, void *opaque)
{
    struct advice *advice = opaque;

    if (!strchr(text, '='))
        return command_usage_error(command, "'%s' is not NAME=VALUE", text);
    if (advice->nr_set == sizeof(advice->set) / sizeof(*advice->set))
        return command_usage_error(command, "too many --set");
    advice->set[advice->nr_set++] = text;
    return COMMAND_OK;
}

int advice_parse(struct advice *advice, int argc, char **argv,
                 const struct command_option *table, int least, int most,
                 const char *needed)
{
    int status = command_parse(argc, argv, table, least, most, needed);

    if (status || !advice->from)
        return status;
    if (advice->timed)
        return command_usage_error(argv[0], "-t is for a measurement, and "
                                   "--from makes none");
    if (advice->settle > 0 || advice->force)
        return command_usage_error(argv[0], "--settle and -f are for changes, "
                                   "and --from makes none");
    return COMMAND_OK;
}

int advice_set(struct advice *advice, const char *name, const char *value)
{
    char *why = NULL;
    int rc = settings_set(&advice->settings, name, value, &why);

    if (rc)
        command_failed("--set %s=%s: %s", name, value,
                       why ? why : strerror(-rc));
    free(why);
    return rc;
}

int advice_settings(struct advice *advice)
{
    char *why = NULL, *name;
    const char *value;
    size_t i;
    int rc = settings_load(&advice->settings, advice->config, &why);

    if (rc)
        command_failed("%s: %s", advice->config ? advice->config
                                                : SETTINGS_PATH,
                       why ? why : strerror(-rc));
    free(why);
    for (i = 0; i < advice->nr_set && !rc; i++) {
        value = strchr(advice->set[i], '=') + 1;
        name = strndup(advice->set[i], (size_t)(value - advice->set[i] - 1));
        rc = name ? advice_set(advice, name, value) : -ENOMEM;
        free(name);
    }
    return rc;
}

int advice_signals(struct advice *advice)
{
    if (advice->signal_fd < 0)
        advice->signal_fd = command_signals();
    if (advice->signal_fd >= 0)
        return 0;
    command_failed("cannot take signals: %s", strerror(-advice->signal_fd));
    return advice->signal_fd;
}

#ifdef HAVE_XEN
static void advice_measuring(void *opaque, double done, double of)
{
    (void)opaque;
    fprintf(stderr, "\rmeasuring: %.0f of %.0f s ", done, of);
    if (done >= of)
        fprintf(stderr, "\r%*s\r", 40, "");
}

int advice_xen(struct advice *advice)
{
    char *why = NULL;
    int rc = 0;

    if (!advice->xen)
        rc = xen_open(&advice->xen, "/sys", &why);
    if (rc == -ENXIO)
        command_failed("%s; use --from FILE with a snapshot that was made on "
                       "a Xen host", why ? why : strerror(-rc));
    else if (rc)
        command_failed("%s", why ? why : strerror(-rc));
    free(why);
    return rc;
}

int advice_collect(struct advice *advice, struct collect_options *options,
                   struct snapshot **snapshot_r)
{
    struct apply_owned *owned = NULL;
    char *why = NULL;
    int rc = advice_signals(advice);

    if (rc)
        return rc;
    rc = advice_xen(advice);
    if (rc)
        return rc;
    options->xen = advice->xen;
    options->cancel_fd = advice->signal_fd;
    options->wait_seconds = advice->busy_ok ? 0 : BUSY_SECONDS;
    /* Without the journal all pins count as the administrator's: safe. */
    if (advice->journal && !apply_owned_load(advice->journal, &owned)) {
        options->set_by_us = apply_owned;
        options->opaque = owned;
    }
    if (isatty(STDERR_FILENO) && !advice->quiet)
        options->progress = advice_measuring;
    rc = collect_snapshot(options, snapshot_r, &why);
    if (rc && (rc != -EBUSY || !advice->busy_ok))
        command_failed("%s", why ? why : strerror(-rc));
    apply_owned_free(owned);
    free(why);
    return rc;
}

static int advice_measure(struct advice *advice, double seconds,
                          struct snapshot **snapshot_r)
{
    struct collect_options options;

    collect_options_init(&options);
    options.seconds = seconds;
    options.trace = options.trace && !advice->sampling_only;
    return advice_collect(advice, &options, snapshot_r);
}
#else
static int advice_measure(struct advice *advice, double seconds,
                          struct snapshot **snapshot_r)
{
    (void)advice;
    (void)seconds;
    (void)snapshot_r;
    command_failed("built without Xen: give a snapshot with --from FILE");
    return -ENXIO;
}
#endif

int advice_snapshot(struct advice *advice, double seconds,
                    struct snapshot **snapshot_r)
{
    char *why = NULL;
    int rc;

    if (!advice->from)
        return advice_measure(advice, seconds, snapshot_r);
    rc = snapshot_load(snapshot_r, advice->from, &why);
    if (rc)
        command_failed("%s: %s", advice->from, why ? why : strerror(-rc));
    free(why);
    return rc;
}

static void advice_interrupted(struct advice *advice)
{
    struct journal_run *run = NULL;
    size_t i, done = 0;
    char date[32] = "?";
    struct tm tm;
    int64_t id = 0;
    time_t when;

    if (journal_interrupted(advice->journal, &id)
        || journal_get(advice->journal, id, &run))
        return;
    for (i = 0; i < run->nr_steps; i++)
        done += run->steps[i].state == JOURNAL_STEP_DONE
                || run->steps[i].state == JOURNAL_STEP_DOING;
    when = (time_t)run->started_s;
    if (localtime_r(&when, &tm))
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
    fprintf(stderr, "xl shmlink: `%s` of %s was interrupted after %zu of %zu "
            "steps;\n  `xl shmlink undo %lld` takes them back\n",
            run->command, date, done, run->nr_steps, (long long)id);
    journal_runs_free(run, 1);
}

#define NOTHING_KNOWN "; nothing is known of what was done before"

int advice_journal_failed(const struct advice *advice, int rc, const char *so)
{
    char *path = NULL, *why = NULL;

    if (asprintf(&path, "%s/journal.db", advice->state_dir) < 0)
        path = NULL;
    if (path)
        why = db_explain(rc, "journal", path);
    command_failed("%s%s", why ? why : strerror(-rc), so);
    free(path);
    free(why);
    return COMMAND_FAILED;
}

int advice_journal(struct advice *advice, bool needed)
{
    char *path = NULL;
    int rc;

    if (advice->journal)
        return 0;
    if (asprintf(&path, "%s/journal.db", advice->state_dir) < 0)
        return -ENOMEM;
    rc = journal_open(&advice->journal, path);
    if (rc)
        advice_journal_failed(advice, rc, needed ? "" : NOTHING_KNOWN);
    else
        advice_interrupted(advice);
    free(path);
    return rc;
}

int advice_past(struct advice *advice, bool needed, struct past **past_r)
{
    int rc;

    *past_r = NULL;
    /* Advice on a file is the same on every machine. */
    if (advice->from || !advice->journal)
        return 0;
    rc = apply_past(advice->journal, time(NULL), past_r);
    if (rc)
        advice_journal_failed(advice, rc, needed ? "" : NOTHING_KNOWN);
    return needed ? rc : 0;
}
