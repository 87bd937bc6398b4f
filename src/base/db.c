/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "base/db.h"

static int db_errno(struct sqlite3 *db, int r)
{
    switch (r & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
    case SQLITE_MISMATCH:
    case SQLITE_ERROR: /* our statements are right, so the tables are not */
        return -EBADMSG;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_CANTOPEN:
        r = db ? sqlite3_system_errno(db) : 0;
        return r ? -r : -ENOENT;
    case SQLITE_NOMEM:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

int db_exec(struct sqlite3 *db, const char *sql)
{
    return db_errno(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int db_step(struct sqlite3_stmt *stmt)
{
    int r = sqlite3_step(stmt);

    return r == SQLITE_ROW ? 1 : db_errno(sqlite3_db_handle(stmt), r);
}

static int db_bind(struct sqlite3_stmt *stmt, const char *format, va_list args)
{
    int i;
    int r = SQLITE_OK;

    for (i = 0; format[i] && r == SQLITE_OK; i++) {
        if (format[i] == 'i')
            r = sqlite3_bind_int64(stmt, i + 1, va_arg(args, int64_t));
        else if (format[i] == 'd')
            r = sqlite3_bind_double(stmt, i + 1, va_arg(args, double));
        else if (format[i] == 'u')
            r = sqlite3_bind_blob(stmt, i + 1, va_arg(args, const void *), 16,
                                  SQLITE_TRANSIENT);
        else
            r = sqlite3_bind_text(stmt, i + 1, va_arg(args, const char *), -1,
                                  SQLITE_TRANSIENT);
    }
    return db_errno(sqlite3_db_handle(stmt), r);
}

static int db_prepare_args(struct sqlite3 *db, const char *sql,
                           const char *format, struct sqlite3_stmt **stmt_r,
                           va_list args)
{
    int rc = db_errno(db, sqlite3_prepare_v2(db, sql, -1, stmt_r, NULL));

    return rc ? rc : db_bind(*stmt_r, format, args);
}

int db_prepare(struct sqlite3 *db, const char *sql, const char *format,
               struct sqlite3_stmt **stmt_r, ...)
{
    va_list args;
    int rc;

    va_start(args, stmt_r);
    rc = db_prepare_args(db, sql, format, stmt_r, args);
    va_end(args);
    return rc;
}

int db_get_int(struct sqlite3 *db, int64_t *value_r, const char *sql,
               const char *format, ...)
{
    struct sqlite3_stmt *stmt = NULL;
    va_list args;
    int rc;

    va_start(args, format);
    rc = db_prepare_args(db, sql, format, &stmt, args) ?: db_step(stmt);
    va_end(args);
    if (rc > 0 && value_r && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
        *value_r = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return rc > 0 ? 0 : rc;
}

int db_begin(struct sqlite3 *db)
{
    return db_exec(db, "BEGIN IMMEDIATE");
}

int db_end(struct sqlite3 *db, int rc)
{
    if (!rc)
        rc = db_exec(db, "COMMIT");
    if (rc && !sqlite3_get_autocommit(db))
        (void)db_exec(db, "ROLLBACK");
    return rc;
}

char *db_column_text(struct sqlite3_stmt *stmt, int column)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);

    return text ? strdup((const char *)text) : NULL;
}

/* Only the last directory: /var/lib itself is not ours to make. */
static int db_make_directory(const char *path)
{
    char *copy = strdup(path);
    char *slash = copy ? strrchr(copy, '/') : NULL;
    int rc = 0;

    if (!copy)
        return -ENOMEM;
    if (slash && slash != copy) {
        *slash = '\0';
        if (mkdir(copy, 0700) < 0 && errno != EEXIST)
            rc = -errno;
    }
    free(copy);
    return rc;
}

static int db_create(struct sqlite3 *db, const struct db_options *options)
{
    int64_t tables = 0;
    char sql[96];
    int rc = db_begin(db);

    if (rc)
        return rc;
    /* Another process may have been first while this one waited. */
    rc = db_get_int(db, &tables, "SELECT count(*) FROM sqlite_schema", "");
    if (!rc && !tables) {
        snprintf(sql, sizeof(sql),
                 "PRAGMA application_id=%d; PRAGMA user_version=%d",
                 options->application_id, options->version);
        rc = db_exec(db, options->schema) ?: db_exec(db, sql);
    }
    return db_end(db, rc);
}

static int db_empty(struct sqlite3 *db)
{
    int rc;

    sqlite3_db_config(db, SQLITE_DBCONFIG_RESET_DATABASE, 1, NULL);
    rc = db_exec(db, "VACUUM");
    sqlite3_db_config(db, SQLITE_DBCONFIG_RESET_DATABASE, 0, NULL);
    return rc;
}

static int db_check_version(struct sqlite3 *db,
                            const struct db_options *options)
{
    int64_t id = 0, version = 0, tables = 0;
    int rc;

    rc = db_get_int(db, &id, "PRAGMA application_id", "") ?:
         db_get_int(db, &version, "PRAGMA user_version", "") ?:
         db_get_int(db, &tables, "SELECT count(*) FROM sqlite_schema", "");
    if (rc)
        return rc;
    if (tables && id != options->application_id)
        return -EBADMSG;
    if (tables && version > options->version)
        return -EPROTO;
    if (tables && (version == options->version || !options->empty_older))
        return 0;
    if (tables)
        rc = db_empty(db);
    return rc ? rc : db_create(db, options);
}

int db_open(struct sqlite3 **db_r, const char *path,
            const struct db_options *options)
{
    struct sqlite3 *db = NULL;
    int rc = db_make_directory(path);

    if (rc)
        return rc;
    rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                         NULL);
    rc = db_errno(db, rc);
    if (rc)
        goto out;
    sqlite3_busy_timeout(db, options->wait_ms);
    sqlite3_extended_result_codes(db, 0);
    /* A step is acted on only once its entry is on the disk. */
    rc = db_exec(db, "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON") ?:
         db_check_version(db, options);
out:
    if (rc) {
        db_close(db);
        return rc;
    }
    *db_r = db;
    return 0;
}

void db_close(struct sqlite3 *db)
{
    sqlite3_close_v2(db);
}

char *db_explain(int rc, const char *what, const char *path)
{
    char *text = NULL;
    int r;

    switch (-rc) {
    case ENOSPC:
        r = asprintf(&text, "the %s %s cannot grow: no space left there", what,
                     path);
        break;
    case EBUSY:
        r = asprintf(&text, "the %s %s is locked by another process (see "
                     "`fuser %s`)", what, path, path);
        break;
    case EBADMSG:
        r = asprintf(&text, "the %s %s is damaged or not a shmlink %s: move "
                     "it away to start a new one", what, path, what);
        break;
    case EPROTO:
        r = asprintf(&text, "the %s %s was written by a newer xl-shmlink",
                     what, path);
        break;
    default:
        r = asprintf(&text, "the %s %s: %s", what, path, strerror(-rc));
        break;
    }
    return r < 0 ? NULL : text;
}
