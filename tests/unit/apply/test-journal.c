/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Goal: a journal that is damaged, locked, foreign or newer is told apart,
 * and nothing of it is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/db.h"
#include "apply/journal.h"

static char path[64];

static int setup(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/test-journal-%d.db", getpid());
    unlink(path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void open_expecting(int expected)
{
    struct sqlite3 *journal = NULL;
    char *why;

    assert_int_equal(journal_open(&journal, path), expected);
    if (expected) {
        assert_null(journal);
        why = db_explain(expected, "journal", path);
        assert_non_null(strstr(why, path));
        assert_null(strchr(why, '\n'));
        free(why);
    }
    db_close(journal);
}

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_empty(void **state)
{
    struct sqlite3 *journal = NULL;
    struct journal_run *runs = NULL;
    size_t nr_runs = 1;
    int64_t value = 1;
    char *why = (char *)"";

    (void)state;
    assert_int_equal(journal_open(&journal, path), 0);
    assert_int_equal(journal_list(journal, 10, &runs, &nr_runs), 0);
    assert_int_equal(nr_runs, 0);
    assert_int_equal(journal_get(journal, 1, &runs), -ENOENT);
    assert_int_equal(journal_undoable(journal, &value), -ENOENT);
    assert_int_equal(journal_interrupted(journal, &value), -ENOENT);
    assert_int_equal(journal_bad_find(journal, "x", 0, &why), 0);
    assert_null(why);
    db_close(journal);
}

static void test_kept_across_open(void **state)
{
    const struct journal_step steps[] = {
        { .uuid = (char *)"u1", .what = (char *)"xl vcpu-pin a 0 - 1" },
        { .uuid = (char *)"u1 u2", .what = (char *)"it's \"quoted\"" },
    };
    struct sqlite3 *journal = NULL;
    struct journal_run *run = NULL;
    int64_t id = 0;

    (void)state;
    assert_int_equal(journal_open(&journal, path), 0);
    assert_int_equal(journal_begin(journal, 100, "apply", "abc", steps, 2,
                                   &id), 0);
    assert_int_equal(journal_step_doing(journal, id, 1, "b", "a"), 0);
    assert_int_equal(journal_step_set(journal, id, 1, JOURNAL_STEP_DONE), 0);
    db_close(journal);

    assert_int_equal(journal_open(&journal, path), 0);
    assert_int_equal(journal_get(journal, id, &run), 0);
    assert_int_equal(run->state, JOURNAL_RUN_RUNNING); /* this process */
    assert_int_equal(run->nr_steps, 2);
    assert_string_equal(run->steps[1].what, "it's \"quoted\"");
    assert_string_equal(run->steps[1].before, "b");
    assert_null(run->steps[0].before);
    assert_int_equal(run->steps[0].state, JOURNAL_STEP_PENDING);
    journal_runs_free(run, 1);
    /* Another run has to wait for this one. */
    assert_int_equal(journal_begin(journal, 101, "apply", "abc", steps, 2,
                                   &id), -EBUSY);
    db_close(journal);
}

static void test_reused_pid_is_interrupted(void **state)
{
    const struct journal_step step = { .uuid = (char *)"u",
                                       .what = (char *)"w" };
    struct sqlite3 *journal = NULL;
    int64_t id = 0, found = 0;

    (void)state;
    assert_int_equal(journal_open(&journal, path), 0);
    assert_int_equal(journal_begin(journal, 1, "apply", "p", &step, 1, &id),
                     0);
    assert_int_equal(journal_interrupted(journal, &found), -ENOENT);
    run_sql("UPDATE run SET pid_start = pid_start + 1");
    assert_int_equal(journal_interrupted(journal, &found), 0);
    assert_int_equal(found, id);
    db_close(journal);
}

static void test_not_a_database(void **state)
{
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    char junk[4096];

    (void)state;
    memset(junk, 'x', sizeof(junk));
    assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
    close(fd);
    open_expecting(-EBADMSG);
}

static void test_truncated(void **state)
{
    const struct journal_step step = { .uuid = (char *)"u",
                                       .what = (char *)"w" };
    struct sqlite3 *journal = NULL;
    struct journal_run *runs = NULL;
    size_t nr_runs = 0;
    struct stat st;
    int64_t id;
    int rc;

    (void)state;
    assert_int_equal(journal_open(&journal, path), 0);
    assert_int_equal(journal_begin(journal, 1, "apply", "p", &step, 1, &id),
                     0);
    db_close(journal);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size / 2), 0);
    rc = journal_open(&journal, path);
    if (!rc) {
        rc = journal_list(journal, 10, &runs, &nr_runs);
        db_close(journal);
    }
    assert_int_equal(rc, -EBADMSG);
}

static void test_of_somebody_else(void **state)
{
    (void)state;
    run_sql("CREATE TABLE cookies(host TEXT)");
    open_expecting(-EBADMSG);
}

static void test_newer(void **state)
{
    (void)state;
    open_expecting(0);
    run_sql("PRAGMA user_version=2");
    open_expecting(-EPROTO);
}

static void test_locked(void **state)
{
    const struct journal_step step = { .uuid = (char *)"u",
                                       .what = (char *)"w" };
    struct sqlite3 *journal = NULL;
    sqlite3 *other = NULL;
    int64_t id = 0;

    (void)state;
    assert_int_equal(journal_open(&journal, path), 0);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(journal_begin(journal, 1, "apply", "p", &step, 1, &id),
                     -EBUSY);
    sqlite3_close(other);
    assert_int_equal(journal_begin(journal, 1, "apply", "p", &step, 1, &id),
                     0);
    db_close(journal);
}

static void test_bad_plans(void **state)
{
    struct sqlite3 *journal = NULL;
    char *why = NULL;

    (void)state;
    assert_int_equal(journal_open(&journal, path), 0);
    assert_int_equal(journal_bad_add(journal, "p", 10, 20, "slower"), 0);
    assert_int_equal(journal_bad_add(journal, "p", 11, 30, "slow again"), 0);
    assert_int_equal(journal_bad_find(journal, "p", 29, &why), 0);
    assert_string_equal(why, "slow again");
    free(why);
    assert_int_equal(journal_bad_find(journal, "p", 30, &why), 0);
    assert_null(why);
    db_close(journal);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_empty),
        TEST(test_kept_across_open),
        TEST(test_reused_pid_is_interrupted),
        TEST(test_not_a_database),
        TEST(test_truncated),
        TEST(test_of_somebody_else),
        TEST(test_newer),
        TEST(test_locked),
        TEST(test_bad_plans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
