/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/db.h"
#include "base/file.h"
#include "apply/journal-priv.h"
#include "apply/journal.h"

#define JOURNAL_APPLICATION_ID 0x73686d6a /* "shmj" */
#define JOURNAL_VERSION 1
#define JOURNAL_WAIT_MS 3000

static const char journal_schema[] =
    "CREATE TABLE run("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " started_s INTEGER NOT NULL, finished_s INTEGER NOT NULL DEFAULT 0,"
    " pid INTEGER NOT NULL, pid_start INTEGER NOT NULL,"
    " command TEXT NOT NULL, plan_id TEXT NOT NULL,"
    " state INTEGER NOT NULL, note TEXT);"
    "CREATE TABLE step("
    " run INTEGER NOT NULL REFERENCES run(id), n INTEGER NOT NULL,"
    " uuid TEXT NOT NULL, what TEXT NOT NULL,"
    " before TEXT, after TEXT, state INTEGER NOT NULL,"
    " PRIMARY KEY(run, n)) WITHOUT ROWID;"
    "CREATE TABLE bad("
    " plan_id TEXT PRIMARY KEY, since_s INTEGER NOT NULL,"
    " until_s INTEGER NOT NULL, why TEXT NOT NULL) WITHOUT ROWID;";

int journal_open(struct sqlite3 **journal_r, const char *path)
{
    static const struct db_options options = {
        .schema = journal_schema,
        .application_id = JOURNAL_APPLICATION_ID,
        .version = JOURNAL_VERSION,
        .wait_ms = JOURNAL_WAIT_MS,
    };

    return db_open(journal_r, path, &options);
}

/* 0: there is no such process. */
static int64_t journal_pid_start(int64_t pid)
{
    uint64_t start;

    return file_process_start("/proc", pid, &start) ? 0 : (int64_t)start;
}

bool journal_alive(int64_t pid, int64_t pid_start)
{
    int64_t start = journal_pid_start(pid);

    return start && start == pid_start;
}

static int journal_insert_steps(struct sqlite3 *journal, int64_t run,
                                const struct journal_step *steps,
                                size_t nr_steps)
{
    size_t i;
    int rc = 0;

    for (i = 0; i < nr_steps && !rc; i++)
        rc = db_run(journal,
                    "INSERT INTO step(run, n, uuid, what, state)"
                    " VALUES(?, ?, ?, ?, ?)", "iissi", run, (int64_t)i,
                    steps[i].uuid, steps[i].what,
                    (int64_t)JOURNAL_STEP_PENDING);
    return rc;
}

/* A run of a living process other than this one. */
static int journal_other_running(struct sqlite3 *journal)
{
    struct sqlite3_stmt *stmt = NULL;
    int rc;

    rc = db_prepare(journal,
                    "SELECT pid, pid_start FROM run WHERE state = 0", "",
                    &stmt);
    while (!rc && (rc = db_step(stmt)) > 0) {
        int64_t pid = sqlite3_column_int64(stmt, 0);

        rc = 0;
        if (journal_alive(pid, sqlite3_column_int64(stmt, 1)))
            rc = -EBUSY;
    }
    sqlite3_finalize(stmt);
    return rc;
}

int journal_begin(struct sqlite3 *journal, int64_t now_s, const char *command,
                  const char *plan_id, const struct journal_step *steps,
                  size_t nr_steps, int64_t *run_r)
{
    int64_t pid = getpid();
    int64_t run = 0;
    int rc;

    rc = db_begin(journal);
    if (rc)
        return rc;
    rc = journal_other_running(journal) ?:
         db_run(journal,
                "INSERT INTO run(started_s, pid, pid_start, command,"
                " plan_id, state) VALUES(?, ?, ?, ?, ?, ?)", "iiissi",
                now_s, pid, journal_pid_start(pid), command, plan_id,
                (int64_t)JOURNAL_RUN_RUNNING);
    if (!rc) {
        run = sqlite3_last_insert_rowid(journal);
        rc = journal_insert_steps(journal, run, steps, nr_steps);
    }
    rc = db_end(journal, rc);
    if (!rc)
        *run_r = run;
    return rc;
}

int journal_step_doing(struct sqlite3 *journal, int64_t run, unsigned int n,
                       const char *before, const char *after)
{
    return db_run(journal,
                  "UPDATE step SET before = ?, after = ?, state = ?"
                  " WHERE run = ? AND n = ?", "ssiii", before, after,
                  (int64_t)JOURNAL_STEP_DOING, run, (int64_t)n);
}

int journal_step_set(struct sqlite3 *journal, int64_t run, unsigned int n,
                     enum journal_step_state state)
{
    return db_run(journal,
                  "UPDATE step SET state = ? WHERE run = ? AND n = ?", "iii",
                  (int64_t)state, run, (int64_t)n);
}

int journal_finish(struct sqlite3 *journal, int64_t run, int64_t now_s,
                   enum journal_run_state state, const char *note)
{
    return db_run(journal,
                  "UPDATE run SET state = ?, finished_s = ?, note = ?"
                  " WHERE id = ?", "iisi", (int64_t)state, now_s, note, run);
}
