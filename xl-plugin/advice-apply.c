// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include "advice.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "advisor.h"
#include "base/lock.h"

/* Not /run/lock: there anybody could make the file and hold the lock. */
#define LOCK_PATH "/run/shmlink-advisor.lock"
/* After that long a plan that was bad may be tried again. */
#define BAD_SECONDS (30 * 24 * 3600)
/* Between the last step and measuring: caches and TCP find their pace. */
#define SETTLE_PAUSE_S 2

int advice_lock(struct advice *advice)
{
    int rc;

    if (advice->lock_fd >= 0)
        return 0;
    rc = lock_take(&advice->lock_fd, LOCK_PATH, 0, -1, NULL, NULL);
    if (rc == -EAGAIN)
        command_failed("another xl shmlink is changing this host: try again "
                       "when it is done");
    else if (rc)
        command_failed("%s: %s", LOCK_PATH, strerror(-rc));
    return rc;
}

#ifdef HAVE_XEN
static void advice_progress(void *opaque, enum apply_event event, size_t step,
                            size_t nr_steps, const char *command,
                            const char *text)
{
    struct advice *advice = opaque;
    FILE *told = advice->told;

    if (advice->quiet && event != APPLY_FAILED && event != APPLY_STUCK
        && event != APPLY_REFUSED)
        return;
    switch (event) {
    case APPLY_BEGIN:
        fprintf(told, "[%zu/%zu] %s ... ", step + 1, nr_steps, command);
        break;
    case APPLY_DONE:
        fprintf(told, "done, verified\n");
        break;
    case APPLY_ALREADY:
        fprintf(told, "[%zu/%zu] %s: is so already\n", step + 1, nr_steps,
                command);
        break;
    case APPLY_FAILED:
        fprintf(told, "\n");
        fprintf(stderr, "xl shmlink: step %zu of %zu, %s: %s\n", step + 1,
                nr_steps, command, text);
        break;
    case APPLY_REFUSED:
        if (!advice->quiet)
            fprintf(told, "refused\n");
        fprintf(stderr, "xl shmlink: step %zu of %zu, %s, is refused, the rest "
                "of the plan stands: %s\n", step + 1, nr_steps, command, text);
        break;
    case APPLY_BACK:
        fprintf(told, "[%zu/%zu] taken back: %s\n", step + 1, nr_steps,
                command);
        break;
    case APPLY_STUCK:
        fprintf(stderr, "xl shmlink: step %zu of %zu cannot be taken back "
                "(%s): %s\n", step + 1, nr_steps, command, text);
        break;
    case APPLY_KEPT:
        fprintf(told, "[%zu/%zu] left as it is, %s: %s\n", step + 1, nr_steps,
                text, command);
        break;
    }
    fflush(told);
}

static bool advice_cancelled(void *opaque)
{
    struct advice *advice = opaque;
    struct pollfd fd = { .fd = advice->signal_fd, .events = POLLIN };

    return advice->signal_fd >= 0 && poll(&fd, 1, 0) > 0;
}

static int advice_host(struct advice *advice)
{
    char *why = NULL;
    int rc;

    if (advice->host)
        return 0;
    rc = advice_signals(advice);
    if (rc)
        return rc;
    /* A reader of the progress that goes away is no reason to die half way. */
    signal(SIGPIPE, SIG_IGN);
    rc = advice_xen(advice);
    if (rc)
        return rc;
    rc = apply_xen_open(&advice->host, advice->xen, advice->signal_fd, &why);
    if (rc)
        command_failed("%s", why ? why : strerror(-rc));
    free(why);
    return rc;
}

static void advice_options(struct advice *advice,
                           struct apply_options *options)
{
    *options = (struct apply_options){
        .ops = &apply_xen_ops,
        .host = advice->host,
        .journal = advice->journal,
        .now_s = time(NULL),
        .force = advice->force,
        .progress = advice_progress,
        .cancelled = advice_cancelled,
        .opaque = advice,
    };
}

/* Refuses what went badly before, or on top of something half done. */
static int advice_may_apply(struct advice *advice)
{
    char *why = NULL;
    int64_t run;
    int rc;

    if (advice->force)
        return 0;
    if (!journal_interrupted(advice->journal, &run)) {
        command_failed("undo that first, or give --force");
        return -EBUSY;
    }
    rc = journal_bad_find(advice->journal, advice->plan->id, time(NULL),
                          &why);
    if (rc)
        advice_journal_failed(advice, rc, "");
    if (!rc && why) {
        command_failed("this plan was undone before, as it made things worse "
                       "(%s); --force tries again", why);
        rc = -EPERM;
    }
    free(why);
    return rc;
}

static void advice_revert(struct advice *advice, int64_t run,
                          const struct settle_verdict *verdict)
{
    struct apply_options options;
    struct apply_result result;
    int64_t now_s = time(NULL);
    int rc;

    advice_options(advice, &options);
    /* Being worse is a reason to go back even when told to stop. */
    options.cancelled = NULL;
    rc = apply_undo(run, JOURNAL_RUN_REVERTED, verdict->text, &options,
                    &result);
    if (rc)
        command_failed("not all could be taken back: xl shmlink undo %lld "
                       "tries again", (long long)run);
    if (journal_bad_add(advice->journal, advice->plan->id, now_s,
                        now_s + BAD_SECONDS, verdict->text))
        command_failed("the journal cannot be written: the plan is not "
                       "remembered as bad");
}

/* Measure in parts, for settle_judge(). */
static int advice_series(struct advice *advice, const char *when,
                         struct settle_series *series)
{
    double seconds = advice->settle / SETTLE_PARTS;
    size_t i;
    int rc = 0;

    memset(series, 0, sizeof(*series));
    if (!advice->quiet)
        fprintf(advice->told, "Measuring %s: %d times %g s.\n", when,
                SETTLE_PARTS, seconds);
    fflush(advice->told);
    for (i = 0; i < SETTLE_PARTS && !rc; i++)
        rc = advice_snapshot(advice, seconds, &series->parts[i]);
    if (rc)
        settle_series_dispose(series);
    return rc;
}

/* Measure again; returns the exit status. */
static int advice_settle(struct advice *advice,
                         const struct settle_series *before, int64_t run)
{
    struct settle_verdict verdict;
    struct settle_series after;

    sleep(SETTLE_PAUSE_S);
    if (advice_series(advice, "the effect", &after))
        return command_failed("the effect was not measured; the plan stays "
                              "applied, xl shmlink undo takes it back");
    settle_judge(advice->plan, before, &after, &verdict);
    settle_series_dispose(&after);
    switch (verdict.outcome) {
    case SETTLE_WORSE:
        fprintf(stderr, "xl shmlink: worse than before, so it is taken back: "
                "%s\n", verdict.text);
        advice_revert(advice, run, &verdict);
        return COMMAND_FAILED;
    case SETTLE_BETTER:
        fprintf(advice->told, "Better: %s.\n", verdict.text);
        break;
    case SETTLE_SAME:
        fprintf(advice->told, "Neither better nor worse, kept: %s.\n",
                verdict.text);
        break;
    case SETTLE_UNKNOWN:
        fprintf(advice->told, "Cannot be judged, kept: %s.\n", verdict.text);
        break;
    }
    return COMMAND_OK;
}

int advice_apply(struct advice *advice, const char *command)
{
    struct settle_series before = { 0 };
    struct apply_options options;
    struct apply_result result;
    int status = COMMAND_FAILED;
    int rc;

    if (advice_journal(advice, true) || advice_lock(advice)
        || advice_host(advice) || advice_may_apply(advice)
        || (advice->settle > 0
            && advice_series(advice, "what is to be improved", &before)))
        return COMMAND_FAILED;
    advice_options(advice, &options);
    rc = apply_plan(advice->plan, command, &options, &result);
    if (!rc) {
        if (!advice->quiet && (result.changed || !result.refused))
            fprintf(advice->told, "%zu change%s made; xl shmlink undo %lld "
                    "takes %s back.\n", result.changed,
                    result.changed == 1 ? "" : "s", (long long)result.run,
                    result.changed == 1 ? "it" : "them");
        status = advice_isolation(advice);
        if (advice->settle > 0 && result.changed
            && advice_settle(advice, &before, result.run))
            status = COMMAND_FAILED;
        if (result.refused)
            status = COMMAND_FAILED;
    } else if (!result.run) {
        command_failed("nothing was done: %s",
                       rc == -EBUSY ? "another run is under way"
                                    : "the journal cannot be written");
    } else {
        command_failed(result.stuck ? "the plan failed, and not all could be "
                                      "taken back: see xl shmlink history -l"
                                    : "the plan failed; all that was done is "
                                      "taken back");
    }
    settle_series_dispose(&before);
    return status;
}

static int advice_undo_run(struct advice *advice, int64_t run)
{
    struct apply_options options;
    struct apply_result result;
    int rc;

    if (advice_host(advice))
        return COMMAND_FAILED;
    advice_options(advice, &options);
    options.cancelled = NULL;
    rc = apply_undo(run, JOURNAL_RUN_UNDONE, NULL, &options, &result);
    if (rc == -ENOENT && !result.run)
        return command_failed("the history has no run %lld", (long long)run);
    if (rc == -EALREADY)
        return command_failed("nothing is left of run %lld to undo",
                              (long long)run);
    if (rc && !result.run)
        return advice_journal_failed(advice, rc, "");
    if (rc)
        return command_failed(rc == -EBUSY ? "that run is still under way"
                                           : "not all could be taken back; "
                                             "it can be tried again");
    printf("%zu change%s taken back", result.changed,
           result.changed == 1 ? "" : "s");
    if (result.kept)
        printf(", %zu left as changed since (--force takes them back too)",
               result.kept);
    printf(".\n");
    return COMMAND_OK;
}
#else
int advice_apply(struct advice *advice, const char *command)
{
    (void)advice;
    (void)command;
    return command_failed("built without Xen: nothing can be changed");
}

static int advice_undo_run(struct advice *advice, int64_t run)
{
    (void)advice;
    (void)run;
    return command_failed("built without Xen: nothing can be changed");
}
#endif

/* What would be taken back, last step first, in the words of the history. */
static int advice_undo_show(struct advice *advice, int64_t run)
{
    struct journal_run *entry = NULL;
    size_t i;
    int rc = journal_get(advice->journal, run, &entry);

    if (rc == -ENOENT)
        return command_failed("the history has no run %lld", (long long)run);
    if (rc)
        return advice_journal_failed(advice, rc, "");
    for (i = entry->nr_steps; i-- > 0;)
        if (entry->steps[i].state == JOURNAL_STEP_DONE
            || entry->steps[i].state == JOURNAL_STEP_DOING)
            printf("[%zu/%zu] would be taken back: %s\n", i + 1,
                   entry->nr_steps, entry->steps[i].what);
    printf("Nothing was changed (-N).\n");
    journal_runs_free(entry, 1);
    return COMMAND_OK;
}

int advice_undo(struct advice *advice, int64_t run)
{
    int rc;

    if (advice_journal(advice, true)
        || (!command_dry_run && advice_lock(advice)))
        return COMMAND_FAILED;
    rc = run ? 0 : journal_undoable(advice->journal, &run);
    if (rc == -ENOENT) {
        printf("There is nothing to undo.\n");
        return COMMAND_OK;
    }
    if (rc)
        return advice_journal_failed(advice, rc, "");
    return command_dry_run ? advice_undo_show(advice, run)
                           : advice_undo_run(advice, run);
}
