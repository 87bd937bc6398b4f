// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "advice.h"
#include "apply/apply.h"
#include "choose/choose.h"
#include "base/db.h"
#include "record/record.h"
#include "base/parse.h"
#include "model/plan.h"
#include "model/snapshot.h"

#define DAYS_DEFAULT 7
#define DAYS_MAX 365
/* Hours above the middle between the quietest and the busiest are busy. */
#define BUSY_SHARE 0.5
/* An hour of records, one each five minutes. */
#define RECORDS_LEAST 12

struct rebalance
{
    struct advice advice;
    uint32_t days;
};

enum
{
    OPT_DAYS = ADVICE_OPT_FIRST,
    OPT_MAX_MOVES,
    OPT_MIN_GAIN,
};

/* One line per decision: to the log, and to the terminal unless quiet. */
static void rebalance_log(const struct rebalance *r, int level,
                          const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void rebalance_log(const struct rebalance *r, int level,
                          const char *format, ...)
{
    char line[512], date[32] = "?";
    time_t now = time(NULL);
    struct tm tm;
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    /* A recorded host is nothing for this host's log. */
    if (!r->advice.from)
        syslog(level, "rebalance: %s", line);
    if (r->advice.quiet && level > LOG_ERR)
        return;
    if (localtime_r(&now, &tm))
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S%z", &tm);
    if (r->advice.from)
        printf("rebalance: %s\n", line);
    else
        fprintf(level > LOG_ERR ? stdout : stderr, "%s rebalance: %s\n",
                date, line);
}

/* "--min-gain 0.2" is "--set min-gain=0.2". */
static int rebalance_set(struct advice *advice, const char *command,
                         const char *name, const char *value, char **text_r)
{
    if (*text_r)
        return command_usage_error(command, "--%s is given twice", name);
    if (asprintf(text_r, "%s=%s", name, value) < 0) {
        *text_r = NULL;
        return command_failed("no memory");
    }
    return advice_set_option(advice, command, *text_r);
}

static int rebalance_parse(int argc, char **argv, struct rebalance *r,
                           char *texts[2])
{
    static const struct option longopts[] = {
        ADVICE_LONGOPTS,
        { "days", required_argument, NULL, OPT_DAYS },
        { "dry-run", no_argument, NULL, 'N' },
        { "max-moves", required_argument, NULL, OPT_MAX_MOVES },
        { "min-gain", required_argument, NULL, OPT_MIN_GAIN },
        { "quiet", no_argument, NULL, 'q' },
        { NULL, 0, NULL, 0 },
    };
    int option, status = COMMAND_OK;

    while (!status && (option = advice_getopt(&r->advice, argc, argv,
                                              ADVICE_SHORTOPTS "Nq", longopts,
                                              &status)) != -1) {
        if (option == OPT_MAX_MOVES)
            status = rebalance_set(&r->advice, argv[0], "max-moves", optarg,
                                   &texts[0]);
        else if (option == OPT_MIN_GAIN)
            status = rebalance_set(&r->advice, argv[0], "min-gain", optarg,
                                   &texts[1]);
        else if (option == OPT_DAYS
                 && parse_u32(optarg, 1, DAYS_MAX, &r->days))
            status = command_usage_error(argv[0], "'%s' is not a number of "
                                         "days up to %d", optarg, DAYS_MAX);
    }
    if (status)
        return status;
    if (argc != optind)
        return command_usage_error(argv[0], "'%s' is not an option",
                                   argv[optind]);
    return COMMAND_OK;
}

static void rebalance_hours(const struct rebalance *r,
                            const struct record_hours *hours)
{
    char text[128] = "";
    unsigned int hour, last;
    size_t n = 0;

    for (hour = 0; hour < 24; hour = last + 1) {
        for (last = hour; last + 1 < 24 && hours->busy[last + 1]; last++)
            ;
        if (!hours->busy[hour]) {
            last = hour;
            continue;
        }
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%02u:00-%02u:00",
                              n ? ", " : "", hour, last + 1);
    }
    rebalance_log(r, LOG_INFO, "planning for %s, the busy hours of %u "
                  "recorded day%s", text, hours->days,
                  hours->days == 1 ? "" : "s");
}

/* What is wrong with the history; free(). */
static char *rebalance_explain(const struct rebalance *r, int rc)
{
    char *path = NULL, *why;

    if (asprintf(&path, "%s/history.db", r->advice.state_dir) < 0)
        path = NULL;
    why = db_explain(rc, "history", path ? path : "?");
    free(path);
    return why;
}

/* A plan for the busy hours of the last `days`.  *plan_r is the caller's.
 * Logs: errors other than -ENODATA. */
static int rebalance_plan(struct rebalance *r, struct sqlite3 *history,
                          const struct record_hours *hours,
                          unsigned int days, int64_t now_s,
                          const struct choose_history *past,
                          struct plan **plan_r)
{
    struct snapshot *copy = NULL;
    char *text = NULL, *why = NULL;
    int rc = snapshot_format(r->advice.snapshot, &text);

    if (!rc)
        rc = snapshot_parse(&copy, text, strlen(text), &why);
    if (!rc) {
        rc = record_overlay(history, now_s, days, hours, copy);
        if (rc)
            why = rebalance_explain(r, rc);
    }
    if (!rc)
        rc = snapshot_check(copy, &why);
    if (!rc)
        rc = choose(plan_r, copy, &r->advice.settings, past, &why);
    if (rc && rc != -ENODATA)
        rebalance_log(r, LOG_ERR, "no plan: %s", why ? why : strerror(-rc));
    free(why);
    free(text);
    snapshot_free(copy);
    return rc;
}

/* What a note is of: the measurement, the thresholds, or the constraints. */
static const char *rebalance_note(enum plan_note_kind kind)
{
    switch (kind) {
    case PLAN_NOTE_DATA:
        return "on the data";
    case PLAN_NOTE_MAX_MOVES:
    case PLAN_NOTE_MIN_GAIN:
    case PLAN_NOTE_SMT:
        return "limit";
    default:
        return "left alone";
    }
}

/* Notes, then steps. */
static void rebalance_tell(const struct rebalance *r, const struct plan *plan)
{
    const char *how = command_dry_run || r->advice.from ? "would do " : "";
    size_t i;

    for (i = 0; i < plan->nr_notes; i++)
        rebalance_log(r, LOG_INFO, "%s: %s",
                      rebalance_note(plan->notes[i].kind),
                      plan->notes[i].text);
    for (i = 0; i < plan->nr_steps; i++) {
        const struct plan_step *step = &plan->steps[i];

        rebalance_log(r, LOG_NOTICE, "%s%s: %s", how,
                      step->command ? step->command : "?",
                      step->text ? step->text : "");
    }
}

/*
 * What the last day alone does not ask for is not done either: one odd day in
 * a week moves nothing, and nothing is moved back and forth.
 */
static int rebalance_confirmed(struct rebalance *r, struct sqlite3 *history,
                               const struct record_hours *hours,
                               int64_t last_s,
                               const struct choose_history *past,
                               bool *confirmed_r)
{
    struct plan *plan = NULL;
    int rc = rebalance_plan(r, history, hours, 1, last_s + 1, past, &plan);

    /* No busy hour in the last day: nothing speaks against it. */
    *confirmed_r = rc == -ENODATA || (!rc && plan->nr_steps);
    plan_free(plan);
    return rc == -ENODATA ? 0 : rc;
}

static int rebalance_decide(struct rebalance *r, struct sqlite3 *history,
                            const struct choose_history *past)
{
    int64_t now_s = r->advice.from ? r->advice.snapshot->time : time(NULL);
    struct record_stat stat = { 0 };
    struct record_hours hours;
    bool confirmed;
    char *why;
    int rc;

    rc = record_stat(history, &stat);
    if (!rc)
        rc = record_hours(history, now_s, r->days, BUSY_SHARE,
                          RECORDS_LEAST, &hours);
    if (rc && rc != -ENODATA) {
        why = rebalance_explain(r, rc);
        rebalance_log(r, LOG_ERR, "no plan: %s", why ? why : strerror(-rc));
        free(why);
        return COMMAND_FAILED;
    }
    if (!rc) {
        rebalance_hours(r, &hours);
        rc = rebalance_plan(r, history, &hours, r->days, now_s, past,
                            &r->advice.plan);
    }
    if (rc == -ENODATA) {
        rebalance_log(r, LOG_NOTICE, "nothing done: fewer than %d records in "
                      "the last %u days (xl shmlink record)", RECORDS_LEAST,
                      r->days);
        return COMMAND_OK;
    }
    if (rc)
        return COMMAND_FAILED;
    if (!r->advice.plan->nr_steps) {
        rebalance_tell(r, r->advice.plan);
        rebalance_log(r, LOG_NOTICE, "nothing done: nothing is to be gained"
                      "%s", plan_limited(r->advice.plan) ?
                      " within these limits" : "");
        return COMMAND_OK;
    }
    if (rebalance_confirmed(r, history, &hours, stat.last_s, past,
                            &confirmed))
        return COMMAND_FAILED;
    if (!confirmed) {
        rebalance_log(r, LOG_NOTICE, "nothing done: the last day alone does "
                      "not ask for it");
        return COMMAND_OK;
    }
    rebalance_tell(r, r->advice.plan);
    rebalance_log(r, LOG_NOTICE, "predicted: %.2f pCPUs wasted or waited for "
                  "become %.2f", r->advice.plan->before.total,
                  r->advice.plan->after.total);
    if (command_dry_run || r->advice.from)
        return COMMAND_OK;
    if (advice_apply(&r->advice, "rebalance")) {
        rebalance_log(r, LOG_ERR, "failed, or worse and undone; see xl "
                      "shmlink history -l");
        return COMMAND_FAILED;
    }
    rebalance_log(r, LOG_NOTICE, "done; xl shmlink undo takes it back");
    return COMMAND_OK;
}

static int rebalance_run(struct rebalance *r)
{
    struct choose_history *past = NULL;
    struct sqlite3 *history = NULL;
    int status = COMMAND_FAILED;
    char *path = NULL, *why;
    int rc;

    if (advice_settings(&r->advice))
        return COMMAND_FAILED;
    r->advice.settings.unattended = true;
    if (!r->advice.from
        && (advice_lock(&r->advice) || advice_journal(&r->advice, true)))
        return COMMAND_FAILED;
    /* The busy hours count, not what is to be seen now. */
    if (advice_snapshot(&r->advice, 0, &r->advice.snapshot)
        || advice_past(&r->advice, true, &past))
        return COMMAND_FAILED;
    if (asprintf(&path, "%s/history.db", r->advice.state_dir) < 0)
        path = NULL;
    rc = path ? record_open(&history, path, 0) : -ENOMEM;
    if (rc) {
        why = rebalance_explain(r, rc);
        rebalance_log(r, LOG_ERR, "%s", why ? why : strerror(-rc));
        free(why);
    } else {
        status = rebalance_decide(r, history, past);
    }
    db_close(history);
    apply_past_free(past);
    free(path);
    return status;
}

int cmd_rebalance(int argc, char **argv)
{
    struct rebalance r = { .days = DAYS_DEFAULT };
    char *texts[2] = { NULL, NULL };
    int status;

    if (advice_init(&r.advice))
        return command_failed("no memory");
    openlog("xl-shmlink", LOG_PID, LOG_DAEMON);
    status = rebalance_parse(argc, argv, &r, texts);
    if (!status)
        status = rebalance_run(&r);
    advice_close(&r.advice);
    free(texts[0]);
    free(texts[1]);
    return status;
}
