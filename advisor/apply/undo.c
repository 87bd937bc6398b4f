/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply/apply-priv.h"
#include "apply/state.h"
#include "apply/apply.h"
#include "apply/journal.h"

/* Take back one entry.  Returns: 0 back, 1 kept, -errno. */
static int apply_undo_step(const struct apply_options *o,
                           const struct journal_step *entry, size_t nr_steps)
{
    struct apply_state before = { 0 }, after = { 0 }, now = { 0 };
    char *command = NULL;
    char text[256];
    int rc;

    rc = apply_state_parse(&before, entry->before) ?:
         apply_state_parse(&after, entry->after);
    if (rc) {
        rc = -EBADMSG;
        goto out;
    }
    command = apply_state_command(&before, o->ops, o->host);
    rc = apply_state_read(&now, &before, o->ops, o->host);
    if (rc == -ESRCH) {
        apply_tell(o, APPLY_KEPT, entry->n, nr_steps, entry->what,
                   "the VM is not here any more");
        rc = 1;
        goto out;
    }
    if (rc)
        goto out;
    /* A step that was only begun may have got anywhere. */
    if (!o->force && entry->state != JOURNAL_STEP_DOING
        && !apply_state_equal(&now, &after)
        && !apply_state_equal(&now, &before)) {
        apply_tell(o, APPLY_KEPT, entry->n, nr_steps, entry->what,
                   "it was changed since");
        rc = 1;
        goto out;
    }
    if (!apply_state_equal(&now, &before))
        rc = apply_restore(o, &before);
    if (!rc)
        apply_tell(o, APPLY_BACK, entry->n, nr_steps,
                   command ? command : entry->what, NULL);
out:
    if (rc < 0) {
        if (rc == -EBADMSG)
            snprintf(text, sizeof(text), "its entry in the journal cannot be "
                     "read");
        else
            apply_reason(o, rc, before.kind, text, sizeof(text));
        apply_tell(o, APPLY_STUCK, entry->n, nr_steps,
                   command ? command : entry->what, text);
    }
    apply_state_dispose(&before);
    apply_state_dispose(&after);
    apply_state_dispose(&now);
    free(command);
    return rc;
}

static int apply_undoable(const struct journal_run *entry)
{
    switch (entry->state) {
    case JOURNAL_RUN_RUNNING:
        return -EBUSY;
    case JOURNAL_RUN_DONE:
    case JOURNAL_RUN_INTERRUPTED:
    case JOURNAL_RUN_STUCK:
        return 0;
    default:
        return -EALREADY;
    }
}

int apply_undo(int64_t run, int state, const char *note,
               const struct apply_options *o, struct apply_result *result_r)
{
    struct journal_run *entry = NULL;
    size_t n;
    int first = 0;
    int rc;

    memset(result_r, 0, sizeof(*result_r));
    rc = journal_get(o->journal, run, &entry);
    if (rc) {
        result_r->journal_failed = rc != -ENOENT;
        return rc;
    }
    result_r->run = run;
    rc = apply_undoable(entry);
    for (n = entry->nr_steps; n-- > 0 && !rc;) {
        const struct journal_step *step = &entry->steps[n];

        if (step->state != JOURNAL_STEP_DOING
            && step->state != JOURNAL_STEP_DONE)
            continue;
        /* One that cannot be taken back does not keep the others. */
        rc = apply_undo_step(o, step, entry->nr_steps);
        if (rc < 0) {
            result_r->stuck = true;
            first = first ? first : rc;
        } else {
            result_r->changed += rc == 0;
            result_r->kept += rc == 1;
            (void)journal_step_set(o->journal, run, step->n,
                                   rc ? JOURNAL_STEP_KEPT
                                      : JOURNAL_STEP_UNDONE);
        }
        rc = 0;
    }
    if (!rc) {
        rc = journal_finish(o->journal, run, o->now_s,
                            first ? JOURNAL_RUN_STUCK
                                  : (enum journal_run_state)state, note);
        result_r->journal_failed = rc != 0;
    }
    journal_runs_free(entry, 1);
    return first ? first : rc;
}
