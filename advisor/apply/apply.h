/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carry out a plan, and take one back.
 *
 * Each step: read what is there (that, and not the plan's opinion of it, is
 * what undo restores), write it to the journal, act, read again until it is
 * so.  When a step fails, or the journal cannot be written, everything before
 * it is taken back, in reverse.  A step that is so already is no change and
 * is not undone; nor is a link that is refused: the rest of the plan stands,
 * and for a week no plan asks for it again.  A step whose thing is no longer
 * as the plan found it is a failure: somebody else is at work.
 *
 * Errors: -ECANCELED options->cancelled said so; those of the steps and of
 * the journal.  Nothing is printed: progress is told by a callback.
 */
#ifndef SHMLINK_APPLY_APPLY_H
#define SHMLINK_APPLY_APPLY_H

#include <hwloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct apply_ops;
struct apply_owned;
struct past;
struct sqlite3;
struct plan;

enum apply_event
{
    APPLY_BEGIN,   /* this step is being done */
    APPLY_DONE,    /* and verified */
    APPLY_ALREADY, /* was so already */
    APPLY_FAILED,  /* text says why */
    APPLY_BACK,    /* taken back, verified */
    APPLY_STUCK,   /* could not be taken back; text says why */
    APPLY_KEPT,    /* not taken back: it was changed since; text says how */
    APPLY_REFUSED, /* a link that is not to be; text says why */
};

struct apply_options
{
    const struct apply_ops *ops;
    void *host;
    struct sqlite3 *journal;
    int64_t now_s;
    unsigned int deadline_ms; /* for a guest to follow; 0: 10 s */
    bool force;               /* undo: also what was changed since */
    /* `command` is the step as xl does it; text is NULL but as said above. */
    void (*progress)(void *opaque, enum apply_event event, size_t step,
                     size_t nr_steps, const char *command, const char *text);
    bool (*cancelled)(void *opaque);
    void *opaque;
};

struct apply_result
{
    int64_t run;       /* in the journal; 0: it did not get that far */
    size_t changed;    /* steps done and not taken back */
    size_t kept;       /* undo: left, since they were changed since */
    size_t refused;    /* links */
    bool stuck;        /* some step could not be taken back */
    bool journal_failed; /* the error is the journal's, not a step's */
};

/* Args: command as typed, for the history. */
int apply_plan(const struct plan *plan, const char *command,
               const struct apply_options *options,
               struct apply_result *result_r);
/* Take back a run that is done, interrupted or stuck; `state` is what it
 * becomes (undone or reverted), `note` may be NULL.  Errors: -EALREADY nothing
 * is left of it; -ENOENT no such run; -EBUSY it is under way. */
int apply_undo(int64_t run, int state, const char *note,
               const struct apply_options *options,
               struct apply_result *result_r);

/*
 * What choose() wants to know of the past, from the journal.  Args: now_s for
 * the plans that are still remembered as bad.  Owns: apply_past_free().
 */
int apply_past(struct sqlite3 *journal, int64_t now_s, struct past **past_r);
void apply_past_free(struct past *past);

/*
 * The affinities that the journal set last: whoever changed one since then
 * owns it.  apply_owned is collect's set_by_us; its opaque is *owned_r.
 */
int apply_owned_load(struct sqlite3 *journal, struct apply_owned **owned_r);
bool apply_owned(void *opaque, const uint8_t uuid[16], uint32_t vcpuid,
                 bool hard, hwloc_const_bitmap_t pcpus);
void apply_owned_free(struct apply_owned *owned);

#endif
