/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the advisor's two SQLite files (journal, load record) have in common.
 *
 * Every function returns 0 or -errno; SQLite's own codes never leave this
 * module: -ENOSPC the disk or the size limit is reached, -EBUSY another
 * process holds the file for longer than the wait, -EBADMSG the file is
 * damaged or not ours, -EPROTO it was written by a newer version, -EROFS,
 * -EACCES, -ENOENT as of any file.  Nothing is printed; db_explain() makes the
 * one line for the user.  One handle is for one thread and does not survive a
 * fork.
 */
#ifndef SHMLINK_BASE_DB_H
#define SHMLINK_BASE_DB_H

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

/* How to open a file; `schema` is run once, in an empty file. */
struct db_options {
    const char *schema;
    int application_id; /* marks the file as ours */
    int version;        /* newest schema that this program knows, from 1 */
    bool empty_older;   /* what an older version wrote is dropped */
    int wait_ms;        /* for a lock held by another process */
};

/*
 * Open and check a file; it and its directory are made if need be.  Errors: as
 * above.  Owns: the caller, db_close().
 */
int db_open(struct sqlite3 **db_r, const char *path,
            const struct db_options *options);
void db_close(struct sqlite3 *db);

/* Run statements that give no rows. */
int db_exec(struct sqlite3 *db, const char *sql);
/*
 * Prepare, and bind by `format`: i int64_t, d double, s const char *, u the 16
 * bytes of a UUID.  Owns: the caller, sqlite3_finalize(), of *stmt_r after a
 * failure too.
 */
int db_prepare(struct sqlite3 *db, const char *sql, const char *format,
               struct sqlite3_stmt **stmt_r, ...);
/* Returns: 1 a row is ready, 0 no more rows, -errno. */
int db_step(struct sqlite3_stmt *stmt);
/* Prepare, bind, run for one integer; *value_r, where there is one, is left
 * alone when there is no row. */
int db_get_int(struct sqlite3 *db, int64_t *value_r, const char *sql,
               const char *format, ...);
/* The same, for nothing. */
#define db_run(db, ...) db_get_int(db, NULL, __VA_ARGS__)

int db_begin(struct sqlite3 *db);
/* Commit where rc is 0; else, or where that fails, roll back.  Returns: rc, or
 * why it could not be committed. */
int db_end(struct sqlite3 *db, int rc);

/* A column as a new string, NULL for SQL NULL.  Owns: the caller, free(). */
char *db_column_text(struct sqlite3_stmt *stmt, int column);

/* One line for the user, without a newline, on what -errno means for `path`.
 * `what` is "journal" or "history".  Owns: the caller, free(). */
char *db_explain(int rc, const char *what, const char *path);

#endif
