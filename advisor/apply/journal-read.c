/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the journal says of past runs; journal.c writes them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "base/db.h"
#include "base/jsonio.h"
#include "apply/journal-priv.h"
#include "apply/journal.h"

const char *journal_run_state_name(enum journal_run_state state)
{
    static const char *const names[] = {
        [JOURNAL_RUN_RUNNING] = "running",
        [JOURNAL_RUN_INTERRUPTED] = "interrupted",
        [JOURNAL_RUN_DONE] = "done",
        [JOURNAL_RUN_FAILED] = "failed, taken back",
        [JOURNAL_RUN_STUCK] = "failed, not taken back",
        [JOURNAL_RUN_UNDONE] = "undone",
        [JOURNAL_RUN_REVERTED] = "reverted, was worse",
    };

    return (size_t)state < sizeof(names) / sizeof(*names) ? names[state]
                                                          : "unknown";
}

const char *journal_step_state_name(enum journal_step_state state)
{
    static const char *const names[] = {
        [JOURNAL_STEP_PENDING] = "not begun",
        [JOURNAL_STEP_DOING] = "begun",
        [JOURNAL_STEP_DONE] = "done",
        [JOURNAL_STEP_FAILED] = "failed",
        [JOURNAL_STEP_UNDONE] = "taken back",
        [JOURNAL_STEP_KEPT] = "changed since, kept",
        [JOURNAL_STEP_REFUSED] = "refused",
    };

    return (size_t)state < sizeof(names) / sizeof(*names) ? names[state]
                                                          : "unknown";
}

static int journal_read_steps(struct sqlite3 *journal, struct journal_run *run)
{
    struct sqlite3_stmt *stmt = NULL;
    int rc;

    rc = db_prepare(journal,
                    "SELECT n, uuid, what, before, after, state FROM step"
                    " WHERE run = ? ORDER BY n", "i", &stmt, run->id);
    while (!rc && (rc = db_step(stmt)) > 0) {
        struct journal_step *step = JSONIO_ADD(run, steps, SIZE_MAX);

        rc = -ENOMEM;
        if (!step)
            break;
        *step = (struct journal_step){
            .n = (unsigned int)sqlite3_column_int64(stmt, 0),
            .uuid = db_column_text(stmt, 1),
            .what = db_column_text(stmt, 2),
            .before = db_column_text(stmt, 3),
            .after = db_column_text(stmt, 4),
            .state = (enum journal_step_state)sqlite3_column_int64(stmt, 5),
        };
        if (step->uuid && step->what)
            rc = 0;
    }
    sqlite3_finalize(stmt);
    return rc;
}

static int journal_read_run(struct sqlite3 *journal, struct sqlite3_stmt *stmt,
                            struct journal_run *run)
{
    *run = (struct journal_run){
        .id = sqlite3_column_int64(stmt, 0),
        .started_s = sqlite3_column_int64(stmt, 1),
        .finished_s = sqlite3_column_int64(stmt, 2),
        .pid = sqlite3_column_int64(stmt, 3),
        .command = db_column_text(stmt, 5),
        .plan_id = db_column_text(stmt, 6),
        .state = (enum journal_run_state)sqlite3_column_int64(stmt, 7),
        .note = db_column_text(stmt, 8),
    };
    if (run->state == JOURNAL_RUN_RUNNING
        && !journal_alive(run->pid, sqlite3_column_int64(stmt, 4)))
        run->state = JOURNAL_RUN_INTERRUPTED;
    if (!run->command || !run->plan_id)
        return -ENOMEM;
    return journal_read_steps(journal, run);
}

/* `where` is one of this file's own texts with one integer parameter. */
static int journal_select(struct sqlite3 *journal, const char *where,
                          int64_t value, struct journal_run **runs_r,
                          size_t *nr_runs_r)
{
    struct sqlite3_stmt *stmt = NULL;
    struct journal_run *runs = NULL;
    size_t nr_runs = 0;
    char sql[256];
    int rc;

    snprintf(sql, sizeof(sql), "SELECT id, started_s, finished_s, pid,"
             " pid_start, command, plan_id, state, note FROM run %s", where);
    rc = db_prepare(journal, sql, "i", &stmt, value);
    while (!rc && (rc = db_step(stmt)) > 0) {
        struct journal_run *run = jsonio_add(&runs, &nr_runs, SIZE_MAX,
                                             sizeof(*runs));

        rc = run ? journal_read_run(journal, stmt, run) : -ENOMEM;
    }
    sqlite3_finalize(stmt);
    if (rc) {
        journal_runs_free(runs, nr_runs);
        return rc;
    }
    *runs_r = runs;
    *nr_runs_r = nr_runs;
    return 0;
}

int journal_get(struct sqlite3 *journal, int64_t run,
                struct journal_run **run_r)
{
    struct journal_run *runs = NULL;
    size_t nr_runs = 0;
    int rc = journal_select(journal, "WHERE id = ?", run, &runs, &nr_runs);

    if (!rc && !nr_runs)
        rc = -ENOENT;
    if (!rc)
        *run_r = runs;
    return rc;
}

int journal_list(struct sqlite3 *journal, size_t limit,
                 struct journal_run **runs_r, size_t *nr_runs_r)
{
    return journal_select(journal, "ORDER BY id DESC LIMIT ?", (int64_t)limit,
                          runs_r, nr_runs_r);
}

void journal_runs_free(struct journal_run *runs, size_t nr_runs)
{
    size_t i, j;

    for (i = 0; i < nr_runs; i++) {
        for (j = 0; j < runs[i].nr_steps; j++) {
            free(runs[i].steps[j].uuid);
            free(runs[i].steps[j].what);
            free(runs[i].steps[j].before);
            free(runs[i].steps[j].after);
        }
        free(runs[i].steps);
        free(runs[i].command);
        free(runs[i].plan_id);
        free(runs[i].note);
    }
    free(runs);
}

static int journal_newest(struct sqlite3 *journal, bool interrupted_only,
                          int64_t *run_r)
{
    struct sqlite3_stmt *stmt = NULL;
    int rc;

    rc = db_prepare(journal, "SELECT id, state, pid, pid_start FROM run"
                    " WHERE state IN (0, 2, 4) ORDER BY id DESC", "",
                    &stmt);
    while (!rc && (rc = db_step(stmt)) > 0) {
        int64_t state = sqlite3_column_int64(stmt, 1);
        bool dead = !journal_alive(sqlite3_column_int64(stmt, 2),
                                   sqlite3_column_int64(stmt, 3));

        rc = 0;
        if (state == JOURNAL_RUN_RUNNING ? dead : !interrupted_only) {
            *run_r = sqlite3_column_int64(stmt, 0);
            goto out;
        }
    }
    if (!rc)
        rc = -ENOENT;
out:
    sqlite3_finalize(stmt);
    return rc;
}

int journal_undoable(struct sqlite3 *journal, int64_t *run_r)
{
    return journal_newest(journal, false, run_r);
}

int journal_interrupted(struct sqlite3 *journal, int64_t *run_r)
{
    return journal_newest(journal, true, run_r);
}
