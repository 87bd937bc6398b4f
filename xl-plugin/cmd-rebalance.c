// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "advice.h"
#include "advisor.h"
#include "base/db.h"

#define DAYS_DEFAULT 7
#define DAYS_MAX 365

struct nightly {
    struct advice advice;
    uint32_t days;
    const char *max_moves, *min_gain;   /* settings, or NULL */
};

/* One line per decision: to the log, and to the terminal unless quiet. */
static void nightly_log(const struct nightly *r, int level,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void nightly_log(const struct nightly *r, int level,
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

static int nightly_parse(int argc, char **argv, struct nightly *r)
{
    const struct command_option table[] = {
        COMMAND_NUMBER(0, "days", "N", "Look at so many days back; default 7.",
                       &r->days, DAYS_MAX),
        COMMAND_TEXT(0, "max-moves", "N",
                     "Pin at most so many vCPUs; default 16.", &r->max_moves),
        COMMAND_TEXT(0, "min-gain", "PCPUS",
                     "Do nothing for less; default 0.1.", &r->min_gain),
        COMMAND_TEXT(0, "from", "FILE",
                     "Plan for a recorded host; changes nothing.",
                     &r->advice.from),
        COMMAND_FLAG('N', "dry-run", "Only log what would be done.",
                     &command_dry_run),
        ADVICE_QUIET(&r->advice),
        ADVICE_APPLY(&r->advice),
        ADVICE_SETTINGS(&r->advice),
        COMMAND_END,
    };

    return advice_parse(&r->advice, argc, argv, table, 0, 0, NULL);
}

static void nightly_hours(const struct nightly *r,
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
    nightly_log(r, LOG_INFO, "planning for %s, the busy hours of %u "
                  "recorded day%s", text, hours->days,
                  hours->days == 1 ? "" : "s");
}

/* What a note is of: the measurement, the thresholds, or the constraints. */
static const char *nightly_note(enum plan_note_kind kind)
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
static void nightly_tell(const struct nightly *r, const struct plan *plan)
{
    const char *how = command_dry_run || r->advice.from ? "would do " : "";
    size_t i;

    for (i = 0; i < plan->nr_notes; i++)
        nightly_log(r, LOG_INFO, "%s: %s",
                    nightly_note(plan->notes[i].kind), plan->notes[i].text);
    for (i = 0; i < plan->nr_steps; i++) {
        const struct plan_step *step = &plan->steps[i];

        nightly_log(r, LOG_NOTICE, "%s%s: %s", how,
                    step->command ? step->command : "?",
                    step->text ? step->text : "");
    }
}

/* What is in the way of a plan. */
static int nightly_failed(const struct nightly *r, int rc, const char *why)
{
    char *path = NULL, *text = NULL;

    if (!why && asprintf(&path, "%s/history.db", r->advice.state_dir) < 0)
        path = NULL;
    if (!why)
        text = db_explain(rc, "history", path ? path : "?");
    nightly_log(r, LOG_ERR, "no plan: %s", why ? why :
                text ? text : strerror(-rc));
    free(text);
    free(path);
    return COMMAND_FAILED;
}

static int nightly_do(struct nightly *r)
{
    nightly_tell(r, r->advice.plan);
    nightly_log(r, LOG_NOTICE, "predicted: %.2f pCPUs wasted or waited for "
                "become %.2f", r->advice.plan->before.total,
                r->advice.plan->after.total);
    if (command_dry_run || r->advice.from)
        return COMMAND_OK;
    if (advice_apply(&r->advice, "rebalance")) {
        nightly_log(r, LOG_ERR, "failed, or worse and undone; see xl shmlink "
                    "history -l");
        return COMMAND_FAILED;
    }
    nightly_log(r, LOG_NOTICE, "done; xl shmlink undo takes it back");
    return COMMAND_OK;
}

static int nightly_decide(struct nightly *r, struct sqlite3 *history,
                          const struct past *past)
{
    int64_t now_s = r->advice.from ? r->advice.snapshot->time : time(NULL);
    struct rebalance result;
    char *why = NULL;
    int rc = rebalance(&result, history, r->advice.snapshot,
                       &r->advice.settings, past, r->days, now_s, &why);

    r->advice.plan = result.plan;
    if (rc) {
        nightly_failed(r, rc, why);
        free(why);
        return COMMAND_FAILED;
    }
    if (result.plan)
        nightly_hours(r, &result.hours);
    switch (result.verdict) {
    case REBALANCE_FEW_RECORDS:
        nightly_log(r, LOG_NOTICE, "nothing done: fewer than %d records in "
                    "the last %u days (xl shmlink record)",
                    REBALANCE_RECORDS_LEAST, r->days);
        return COMMAND_OK;
    case REBALANCE_NOTHING:
        nightly_tell(r, result.plan);
        nightly_log(r, LOG_NOTICE, "nothing done: nothing is to be gained%s",
                    plan_limited(result.plan) ? " within these limits" : "");
        return COMMAND_OK;
    case REBALANCE_ODD:
        nightly_log(r, LOG_NOTICE, "nothing done: the last day alone does not "
                    "ask for it");
        return COMMAND_OK;
    default:
        return nightly_do(r);
    }
}

static int nightly_run(struct nightly *r)
{
    struct past *past = NULL;
    struct sqlite3 *history = NULL;
    int status = COMMAND_FAILED;
    char *path = NULL;
    int rc;

    if (advice_settings(&r->advice) ||
        (r->max_moves && advice_set(&r->advice, "max-moves", r->max_moves)) ||
        (r->min_gain && advice_set(&r->advice, "min-gain", r->min_gain)))
        return COMMAND_FAILED;
    if (!r->advice.from &&
        (advice_lock(&r->advice) || advice_journal(&r->advice, true)))
        return COMMAND_FAILED;
    /* The busy hours count, not what is to be seen now. */
    if (advice_snapshot(&r->advice, 0, &r->advice.snapshot) ||
        advice_past(&r->advice, true, &past))
        return COMMAND_FAILED;
    if (asprintf(&path, "%s/history.db", r->advice.state_dir) < 0)
        path = NULL;
    rc = path ? record_open(&history, path, 0) : -ENOMEM;
    status = rc ? nightly_failed(r, rc, NULL) :
                  nightly_decide(r, history, past);
    db_close(history);
    apply_past_free(past);
    free(path);
    return status;
}

int cmd_rebalance(int argc, char **argv)
{
    struct nightly r = { .days = DAYS_DEFAULT };
    int status;

    openlog("xl-shmlink", LOG_PID, LOG_DAEMON);
    status = advice_init(&r.advice) ?: nightly_parse(argc, argv, &r) ?:
             nightly_run(&r);
    advice_close(&r.advice);
    return status;
}
