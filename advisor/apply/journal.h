/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal: what the advisor changed on this host, and exactly what was
 * there before.
 *
 * A run is one `apply` or one `undo`; it has steps.  Before a step is acted
 * on, its entry with the previous state is on the disk in state `doing`
 * (journal_step_doing); after it was verified it becomes `done`.  A run whose
 * process is gone while its state is still `running` was interrupted:
 * journal_interrupted() finds it, and undoing it is undoing a finished one.
 * The states of steps are opaque text here (apply.c writes and reads them).
 *
 * Errors: those of db.h.  Nothing is printed.  Not protected against: an
 * administrator who edits the file; a clock that is set back.
 */
#ifndef SHMLINK_APPLY_JOURNAL_H
#define SHMLINK_APPLY_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;

enum journal_run_state
{
    JOURNAL_RUN_RUNNING,     /* its process is still at it */
    JOURNAL_RUN_INTERRUPTED, /* its process is gone; never stored */
    JOURNAL_RUN_DONE,
    JOURNAL_RUN_FAILED,   /* a step failed, all before it taken back */
    JOURNAL_RUN_STUCK,    /* a step failed, and taking back failed too */
    JOURNAL_RUN_UNDONE,   /* by the administrator */
    JOURNAL_RUN_REVERTED, /* by itself: the host was worse afterwards */
};

enum journal_step_state
{
    JOURNAL_STEP_PENDING,
    JOURNAL_STEP_DOING, /* written before acting: may or may not be done */
    JOURNAL_STEP_DONE,
    JOURNAL_STEP_FAILED,
    JOURNAL_STEP_UNDONE,
    JOURNAL_STEP_KEPT, /* not undone: somebody changed it since */
    JOURNAL_STEP_REFUSED, /* a link that enable refused; nothing changed */
};

struct journal_step
{
    unsigned int n;    /* from 0, in the order of acting */
    char *uuid;        /* the VM, or "UUID UUID" of a link */
    char *what;        /* the xl command that does it */
    char *before;      /* opaque; NULL until it is acted on */
    char *after;       /* opaque; NULL until it is acted on */
    enum journal_step_state state;
};

struct journal_run
{
    int64_t id;
    int64_t started_s;  /* Unix time */
    int64_t finished_s; /* 0: not */
    int64_t pid;
    char *command;   /* what the administrator typed, or "rebalance" */
    char *plan_id;   /* the same for the same steps */
    char *note;      /* one line, or NULL */
    enum journal_run_state state;
    struct journal_step *steps;
    size_t nr_steps;
};

/* Open, or make, the journal.  Owns: the caller, db_close(). */
int journal_open(struct sqlite3 **journal_r, const char *path);

/* Names for people and for JSON: "done", "taken back", ... */
const char *journal_run_state_name(enum journal_run_state state);
const char *journal_step_state_name(enum journal_step_state state);

/*
 * Start a run with all its steps, pending.  Args: steps, their uuid and what
 * are read.  Errors: -EBUSY too while another run is under way.
 */
int journal_begin(struct sqlite3 *journal, int64_t now_s, const char *command,
                  const char *plan_id, const struct journal_step *steps,
                  size_t nr_steps, int64_t *run_r);
/* Returns only when the entry is on the disk. */
int journal_step_doing(struct sqlite3 *journal, int64_t run, unsigned int n,
                       const char *before, const char *after);
int journal_step_set(struct sqlite3 *journal, int64_t run, unsigned int n,
                     enum journal_step_state state);
int journal_finish(struct sqlite3 *journal, int64_t run, int64_t now_s,
                   enum journal_run_state state, const char *note);

/* A run with its steps.  Errors: -ENOENT no such run.  Owns: the caller. */
int journal_get(struct sqlite3 *journal, int64_t run,
                struct journal_run **run_r);
/* The newest `limit` runs, newest first, with steps.  Owns: the caller. */
int journal_list(struct sqlite3 *journal, size_t limit,
                 struct journal_run **runs_r, size_t *nr_runs_r);
void journal_runs_free(struct journal_run *runs, size_t nr_runs);
/*
 * The newest run that something is left of: done, interrupted or stuck.
 * Errors: -ENOENT none.
 */
int journal_undoable(struct sqlite3 *journal, int64_t *run_r);
/* The newest interrupted run.  Errors: -ENOENT none. */
int journal_interrupted(struct sqlite3 *journal, int64_t *run_r);

/* Remember a plan as bad until a day; look one up (why_r NULL: it is not). */
int journal_bad_add(struct sqlite3 *journal, const char *plan_id,
                    int64_t now_s, int64_t until_s, const char *why);
int journal_bad_find(struct sqlite3 *journal, const char *plan_id,
                     int64_t now_s, char **why_r);
/* The ids of all that are remembered; owns: the caller, each and the array. */
int journal_bad_list(struct sqlite3 *journal, int64_t now_s, char ***ids_r,
                     size_t *nr_ids_r);

#endif
