/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply/apply-priv.h"
#include "apply/state.h"
#include "apply/apply.h"
#include "apply/journal.h"

#define DEADLINE_MS 10000
/* A vCPU is not taken away at once, a link has its own deadline. */
#define DEADLINE_PIN_MS 1000

/* One step under way. */
struct step
{
    struct apply_state target, before;
    char *command; /* what does it */
    char *uuids;
    bool changed;
};

void apply_tell(const struct apply_options *o, enum apply_event event,
                size_t step, size_t nr_steps, const char *command,
                const char *text)
{
    if (o->progress)
        o->progress(o->opaque, event, step, nr_steps, command, text);
}

static unsigned int apply_deadline(const struct apply_options *o,
                                   enum plan_step_kind kind)
{
    if (kind == PLAN_PIN_HARD || kind == PLAN_PIN_SOFT)
        return DEADLINE_PIN_MS;
    return o->deadline_ms ? o->deadline_ms : DEADLINE_MS;
}

void apply_reason(const struct apply_options *o, int rc,
                  enum plan_step_kind kind, char *text, size_t size)
{
    if (rc == -EXDEV)
        snprintf(text, size, "Xen would run it elsewhere: its cpupool or its "
                 "hard affinity forbids these pCPUs");
    else if (rc == -ETIMEDOUT && kind == PLAN_SET_VCPUS)
        snprintf(text, size, "the guest did not follow in time; has it the "
                 "udev rule 99-shmlink-vcpu.rules?");
    else if (rc == -ETIMEDOUT)
        snprintf(text, size, "it was accepted, but is not so");
    else if (rc == -ESTALE)
        snprintf(text, size, "it was changed since the plan was made");
    else if (rc == -ESRCH)
        snprintf(text, size, "the VM is not here any more");
    else if (rc == -ECANCELED)
        snprintf(text, size, "cancelled");
    else
        snprintf(text, size, "%s", o->ops->why(o->host));
}

static void apply_steps_free(struct step *steps, size_t nr_steps)
{
    size_t i;

    for (i = 0; steps && i < nr_steps; i++) {
        apply_state_dispose(&steps[i].target);
        apply_state_dispose(&steps[i].before);
        free(steps[i].command);
        free(steps[i].uuids);
    }
    free(steps);
}

static int apply_steps_new(const struct plan *plan,
                           const struct apply_options *o,
                           struct step **steps_r)
{
    struct step *steps = calloc(plan->nr_steps + 1, sizeof(*steps));
    size_t i;
    int rc = steps ? 0 : -ENOMEM;

    for (i = 0; i < plan->nr_steps && !rc; i++) {
        rc = apply_state_target(&steps[i].target, &plan->steps[i]);
        if (rc)
            break;
        steps[i].command = apply_state_command(&steps[i].target, o->ops,
                                               o->host);
        steps[i].uuids = apply_state_uuids(&steps[i].target);
        if (!steps[i].command || !steps[i].uuids)
            rc = -ENOMEM;
    }
    if (rc)
        apply_steps_free(steps, plan->nr_steps);
    else
        *steps_r = steps;
    return rc;
}

int apply_restore(const struct apply_options *o,
                  const struct apply_state *before)
{
    int rc;

    if (o->ops->going_back)
        o->ops->going_back(o->host, true);
    rc = apply_state_set(before, o->ops, o->host) ?:
         apply_state_verify(before, o->ops, o->host,
                            apply_deadline(o, before->kind));
    if (o->ops->going_back)
        o->ops->going_back(o->host, false);
    /* An affinity that Xen could not honour before is one again now. */
    return rc == -EXDEV ? 0 : rc;
}

/* What is on the host before step n; refuses what the plan did not expect. */
static int apply_look(const struct apply_options *o,
                      const struct plan_step *planned, struct step *step)
{
    struct apply_state expected = { 0 };
    int rc = apply_state_read(&step->before, &step->target, o->ops, o->host);

    if (rc || apply_state_equal(&step->before, &step->target))
        return rc;
    rc = apply_state_expected(&expected, planned);
    if (!rc && !apply_state_equal(&step->before, &expected))
        rc = -ESTALE;
    apply_state_dispose(&expected);
    return rc;
}

static int apply_enter(const struct apply_options *o, int64_t run, size_t n,
                       const struct step *step)
{
    char *before = NULL, *after = NULL;
    int rc = apply_state_format(&step->before, &before) ?:
             apply_state_format(&step->target, &after) ?:
             journal_step_doing(o->journal, run, (unsigned int)n, before,
                                after);

    free(before);
    free(after);
    return rc;
}

/* A link that enable refused: the rest of the plan does without. */
static int apply_refused(const struct apply_options *o, struct step *steps,
                         size_t n, size_t nr_steps,
                         struct apply_result *result)
{
    int rc = journal_step_set(o->journal, result->run, (unsigned int)n,
                              JOURNAL_STEP_REFUSED);

    steps[n].changed = false;
    result->refused++;
    result->journal_failed = rc != 0;
    apply_tell(o, APPLY_REFUSED, n, nr_steps, steps[n].command,
               o->ops->why(o->host));
    return rc;
}

/* One step, from looking to verified. */
static int apply_step(const struct plan *plan, const struct apply_options *o,
                      struct step *steps, size_t n,
                      struct apply_result *result)
{
    struct step *step = &steps[n];
    int rc;

    if (o->cancelled && o->cancelled(o->opaque))
        return -ECANCELED;
    rc = apply_look(o, &plan->steps[n], step);
    if (rc)
        return rc;
    if (apply_state_equal(&step->before, &step->target)) {
        apply_tell(o, APPLY_ALREADY, n, plan->nr_steps, step->command, NULL);
        return 0;
    }
    apply_tell(o, APPLY_BEGIN, n, plan->nr_steps, step->command, NULL);
    rc = apply_enter(o, result->run, n, step);
    if (rc) {
        result->journal_failed = true;
        return rc;
    }
    /* From here on there may be something to take back. */
    step->changed = true;
    rc = apply_state_set(&step->target, o->ops, o->host);
    if (rc == -EPERM && plan->steps[n].kind == PLAN_LINK_ENABLE)
        return apply_refused(o, steps, n, plan->nr_steps, result);
    if (!rc)
        rc = apply_state_verify(&step->target, o->ops, o->host,
                                apply_deadline(o, step->target.kind));
    if (rc)
        return rc;
    rc = journal_step_set(o->journal, result->run, (unsigned int)n,
                          JOURNAL_STEP_DONE);
    if (rc) {
        result->journal_failed = true;
        return rc;
    }
    apply_tell(o, APPLY_DONE, n, plan->nr_steps, step->command, NULL);
    return 0;
}

/*
 * Step `failed` and all before it, in reverse; nr_steps: all, none failed.
 * The journal may be what failed: its errors do not stop the taking back, and
 * the entries that stay behind say `done`, so that a later undo looks at them
 * again.
 */
static bool apply_take_back(const struct apply_options *o, int64_t run,
                            struct step *steps, size_t failed,
                            size_t nr_steps)
{
    char text[256];
    bool stuck = false;
    size_t n;

    for (n = failed < nr_steps ? failed + 1 : nr_steps; n-- > 0;) {
        struct step *step = &steps[n];
        char *command;
        int rc;

        if (!step->changed)
            continue;
        rc = apply_restore(o, &step->before);
        command = apply_state_command(&step->before, o->ops, o->host);
        if (rc) {
            apply_reason(o, rc, step->before.kind, text, sizeof(text));
            apply_tell(o, APPLY_STUCK, n, nr_steps,
                       command ? command : step->command, text);
            stuck = true;
        } else {
            step->changed = false;
            apply_tell(o, APPLY_BACK, n, nr_steps,
                       command ? command : step->command, NULL);
            (void)journal_step_set(o->journal, run, (unsigned int)n,
                                   n == failed ? JOURNAL_STEP_FAILED
                                               : JOURNAL_STEP_UNDONE);
        }
        free(command);
    }
    return stuck;
}

static int apply_begin(const struct plan *plan, const char *command,
                       const struct apply_options *o,
                       const struct step *steps, int64_t *run_r)
{
    struct journal_step *entries = calloc(plan->nr_steps + 1,
                                          sizeof(*entries));
    size_t i;
    int rc;

    if (!entries)
        return -ENOMEM;
    for (i = 0; i < plan->nr_steps; i++) {
        entries[i].uuid = steps[i].uuids;
        entries[i].what = steps[i].command;
    }
    rc = journal_begin(o->journal, o->now_s, command, plan->id, entries,
                       plan->nr_steps, run_r);
    free(entries);
    return rc;
}

/* Step `failed` did, or at nr_steps the end of it all: tell, and go back. */
static void apply_give_up(const struct plan *plan,
                          const struct apply_options *o, struct step *steps,
                          size_t failed, int rc, struct apply_result *result)
{
    size_t n = failed < plan->nr_steps ? failed : plan->nr_steps - 1;
    char text[256];

    if (result->journal_failed)
        snprintf(text, sizeof(text), "the journal cannot be written");
    else
        apply_reason(o, rc, plan->steps[n].kind, text, sizeof(text));
    if (plan->nr_steps)
        apply_tell(o, APPLY_FAILED, n, plan->nr_steps, steps[n].command,
                   text);
    result->stuck = apply_take_back(o, result->run, steps, failed,
                                    plan->nr_steps);
    result->changed = 0;
    (void)journal_finish(o->journal, result->run, o->now_s,
                         result->stuck ? JOURNAL_RUN_STUCK
                                       : JOURNAL_RUN_FAILED, text);
}

int apply_plan(const struct plan *plan, const char *command,
               const struct apply_options *o, struct apply_result *result_r)
{
    struct step *steps = NULL;
    size_t n;
    int rc;

    memset(result_r, 0, sizeof(*result_r));
    rc = apply_steps_new(plan, o, &steps);
    if (rc)
        return rc;
    rc = apply_begin(plan, command, o, steps, &result_r->run);
    if (rc) {
        result_r->journal_failed = true;
        goto out;
    }
    for (n = 0; n < plan->nr_steps; n++) {
        rc = apply_step(plan, o, steps, n, result_r);
        if (rc)
            break;
        result_r->changed += steps[n].changed;
    }
    if (!rc) {
        /* Where all was refused there is nothing to undo. */
        rc = journal_finish(o->journal, result_r->run, o->now_s,
                            result_r->refused && !result_r->changed
                            ? JOURNAL_RUN_FAILED : JOURNAL_RUN_DONE,
                            result_r->refused ? "a link was refused" : NULL);
        result_r->journal_failed = rc != 0;
    }
    if (rc)
        apply_give_up(plan, o, steps, n, rc, result_r);
out:
    apply_steps_free(steps, plan->nr_steps);
    return rc;
}
