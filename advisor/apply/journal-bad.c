/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans that made things worse, by their id. */
#include <errno.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "base/db.h"
#include "base/jsonio.h"
#include "apply/journal-priv.h"
#include "apply/journal.h"

int journal_bad_add(struct sqlite3 *journal, const char *plan_id,
                    int64_t now_s, int64_t until_s, const char *why)
{
    return db_run(journal, "INSERT OR REPLACE INTO bad VALUES(?, ?, ?, ?)",
                  "siis", plan_id, now_s, until_s, why);
}

int journal_bad_find(struct sqlite3 *journal, const char *plan_id,
                     int64_t now_s, char **why_r)
{
    struct sqlite3_stmt *stmt = NULL;
    int rc;

    *why_r = NULL;
    rc = db_prepare(journal,
                    "SELECT why FROM bad WHERE plan_id = ? AND until_s > ?",
                    "si", &stmt, plan_id, now_s) ?:
         db_step(stmt);
    if (rc > 0) {
        *why_r = db_column_text(stmt, 0);
        rc = *why_r ? 0 : -ENOMEM;
    }
    sqlite3_finalize(stmt);
    return rc;
}

int journal_bad_list(struct sqlite3 *journal, int64_t now_s, char ***ids_r,
                     size_t *nr_ids_r)
{
    struct sqlite3_stmt *stmt = NULL;
    char **ids = NULL;
    size_t nr_ids = 0;
    int rc;

    rc = db_prepare(journal, "SELECT plan_id FROM bad WHERE until_s > ?"
                    " ORDER BY plan_id", "i", &stmt, now_s);
    while (!rc && (rc = db_step(stmt)) > 0) {
        char **id = jsonio_add(&ids, &nr_ids, SIZE_MAX, sizeof(*ids));

        if (id)
            *id = db_column_text(stmt, 0);
        rc = id && *id ? 0 : -ENOMEM;
    }
    sqlite3_finalize(stmt);
    if (rc) {
        while (nr_ids > 0)
            free(ids[--nr_ids]);
        free(ids);
        return rc;
    }
    *ids_r = ids;
    *nr_ids_r = nr_ids;
    return 0;
}
