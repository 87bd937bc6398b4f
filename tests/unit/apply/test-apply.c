/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Goal: whatever fails, the host is as before, and undo brings back exactly
 * what was there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "apply/apply.h"
#include "model/past.h"
#include "fake-host.h"
#include "apply/journal-priv.h"
#include "apply/journal.h"
#include "base/db.h"

#define NOW 1800000000

struct bench
{
    char path[64];
    struct sqlite3 *journal;
    struct fake_host host;
    struct plan *plan;
    struct apply_options options;
    struct apply_result result;
    char *before;
};

static int bench_setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));

    snprintf(b->path, sizeof(b->path), "/tmp/test-apply-%d.db", getpid());
    unlink(b->path);
    assert_int_equal(journal_open(&b->journal, b->path), 0);
    fake_host_init(&b->host);
    b->plan = fake_plan();
    b->before = fake_host_text(&b->host);
    b->options = (struct apply_options){
        .ops = &fake_ops,
        .host = &b->host,
        .journal = b->journal,
        .now_s = NOW,
        .deadline_ms = 500,
    };
    *state = b;
    return 0;
}

static int bench_teardown(void **state)
{
    struct bench *b = *state;

    db_close(b->journal);
    fake_host_dispose(&b->host);
    plan_free(b->plan);
    free(b->before);
    unlink(b->path);
    free(b);
    return 0;
}

static void bench_same(struct bench *b)
{
    char *now = fake_host_text(&b->host);

    assert_string_equal(now, b->before);
    free(now);
}

static enum journal_run_state bench_state(struct bench *b)
{
    struct journal_run *run = NULL;
    enum journal_run_state state;

    assert_int_equal(journal_get(b->journal, b->result.run, &run), 0);
    state = run->state;
    journal_runs_free(run, 1);
    return state;
}

static void test_done_and_undone(void **state)
{
    struct bench *b = *state;
    int64_t run = 0;

    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     0);
    assert_int_equal(b->result.changed, 6);
    assert_int_equal(bench_state(b), JOURNAL_RUN_DONE);
    assert_true(b->host.linked[0][1]);
    assert_false(b->host.linked[1][2]);
    assert_int_equal(hwloc_bitmap_weight(b->host.online[0]), 2);
    assert_int_equal(hwloc_bitmap_first(b->host.pin[0][0][0]), 2);
    assert_int_equal(hwloc_bitmap_first(b->host.pin[2][0][1]), 6);

    assert_int_equal(journal_undoable(b->journal, &run), 0);
    assert_int_equal(run, b->result.run);
    assert_int_equal(apply_undo(run, JOURNAL_RUN_UNDONE, NULL, &b->options,
                                &b->result), 0);
    assert_int_equal(b->result.changed, 6);
    bench_same(b);
    assert_int_equal(bench_state(b), JOURNAL_RUN_UNDONE);
    assert_int_equal(journal_undoable(b->journal, &run), -ENOENT);
    assert_int_equal(apply_undo(run, JOURNAL_RUN_UNDONE, NULL, &b->options,
                                &b->result), -EALREADY);
}

static void test_twice_changes_nothing(void **state)
{
    struct bench *b = *state;

    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     0);
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     0);
    assert_int_equal(b->result.changed, 0);
    assert_int_equal(b->host.changes, 6);
}

/* Each change in turn fails, or is accepted without effect. */
static void test_every_step_fails(void **state)
{
    struct bench *b = *state;
    unsigned int n;
    int kind;

    for (kind = FAKE_FAIL; kind <= FAKE_IGNORE; kind++)
        for (n = 1; n <= 6; n++) {
            b->host.changes = 0;
            b->host.fault = (enum fake_fault)kind;
            b->host.fault_at = b->host.fault_until = n;
            assert_int_equal(apply_plan(b->plan, "apply", &b->options,
                                        &b->result),
                             kind == FAKE_FAIL ? -EIO : -ETIMEDOUT);
            assert_int_equal(b->result.changed, 0);
            assert_false(b->result.stuck);
            assert_int_equal(bench_state(b), JOURNAL_RUN_FAILED);
            bench_same(b);
        }
}

static enum journal_step_state bench_step(struct bench *b, size_t n)
{
    struct journal_run *run = NULL;
    enum journal_step_state state;

    assert_int_equal(journal_get(b->journal, b->result.run, &run), 0);
    state = run->steps[n].state;
    journal_runs_free(run, 1);
    return state;
}

/* A link that is refused leaves the rest standing, and is remembered. */
static void test_link_refused(void **state)
{
    struct bench *b = *state;
    struct past *past = NULL;
    size_t n, i, refused = 0;

    for (n = 1; n <= 6; n++) {
        b->host.changes = 0;
        b->host.fault = FAKE_REFUSE;
        b->host.fault_at = b->host.fault_until = (unsigned int)n;
        if (b->plan->steps[n - 1].kind != PLAN_LINK_ENABLE) {
            assert_int_equal(apply_plan(b->plan, "apply", &b->options,
                                        &b->result), -EPERM);
            bench_same(b);
            continue;
        }
        assert_int_equal(apply_plan(b->plan, "apply", &b->options,
                                    &b->result), 0);
        assert_int_equal(b->result.refused, 1);
        assert_int_equal(b->result.changed, 5);
        assert_int_equal(bench_state(b), JOURNAL_RUN_DONE);
        assert_int_equal(bench_step(b, n - 1), JOURNAL_STEP_REFUSED);
        assert_false(b->host.linked[0][1]);
        assert_int_equal(apply_undo(b->result.run, JOURNAL_RUN_UNDONE, NULL,
                                    &b->options, &b->result), 0);
        assert_int_equal(b->result.changed, 5);
        bench_same(b);
        refused++;
    }
    assert_int_equal(refused, 1);
    for (i = 0; i < 2; i++) {
        assert_int_equal(apply_past(b->journal, NOW + i * 7 * 24 * 3600,
                                    &past), 0);
        assert_int_equal(past->nr_changes, !i);
        if (past->nr_changes)
            assert_int_equal(past->changes[0].kind, PAST_LINK_REFUSED);
        apply_past_free(past);
    }
}

/* With nothing else in the plan there is nothing to undo. */
static void test_all_refused(void **state)
{
    struct bench *b = *state;
    int64_t run;

    /* All but the link is as planned. */
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     0);
    b->host.linked[0][1] = b->host.linked[1][0] = false;
    free(b->before);
    b->before = fake_host_text(&b->host);
    b->host.fault = FAKE_REFUSE;
    b->host.fault_at = b->host.changes + 1;
    b->host.fault_until = b->host.fault_at;
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     0);
    assert_int_equal(b->result.refused, 1);
    assert_int_equal(b->result.changed, 0);
    assert_int_equal(bench_state(b), JOURNAL_RUN_FAILED);
    bench_same(b);
    assert_int_equal(journal_undoable(b->journal, &run), 0);
    assert_true(run != b->result.run);
}

static void test_taking_back_fails_too(void **state)
{
    struct bench *b = *state;

    b->host.fault = FAKE_FAIL;
    b->host.fault_at = 4;
    b->host.fault_until = 5;
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     -EIO);
    assert_true(b->result.stuck);
    assert_int_equal(bench_state(b), JOURNAL_RUN_STUCK);
    /* The host behaves again: undo finishes the job. */
    assert_int_equal(apply_undo(b->result.run, JOURNAL_RUN_UNDONE, NULL,
                                &b->options, &b->result), 0);
    bench_same(b);
    assert_int_equal(bench_state(b), JOURNAL_RUN_UNDONE);
}

static void test_pool_forbids(void **state)
{
    struct bench *b = *state;

    hwloc_bitmap_zero(b->host.pool);
    hwloc_bitmap_set_range(b->host.pool, 4, 7);
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     -EXDEV);
    bench_same(b);
}

static void test_changed_meanwhile(void **state)
{
    struct bench *b = *state;

    /* vm1 is not where the plan saw it. */
    hwloc_bitmap_set(b->host.pin[1][0][0], 7);
    free(b->before);
    b->before = fake_host_text(&b->host);
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     -ESTALE);
    bench_same(b);
}

static void test_another_link(void **state)
{
    struct bench *b = *state;
    struct plan_step *step = &b->plan->steps[4];

    assert_int_equal(step->kind, PLAN_LINK_DISABLE);
    snprintf(step->nonce, sizeof(step->nonce), "%032u", 1);
    /* It was disabled and enabled by somebody since. */
    b->host.nonce = 2;
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     -ESTALE);
    bench_same(b);
    b->host.nonce = 1;
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     0);
    assert_false(b->host.linked[1][2]);
}

static void test_vm_gone(void **state)
{
    struct bench *b = *state;

    b->host.gone[2] = true;
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     -ESRCH);
    bench_same(b);
}

static bool cancelled_at_third(void *opaque)
{
    struct bench *b = opaque;

    return b->host.changes >= 2;
}

static void test_cancelled(void **state)
{
    struct bench *b = *state;

    b->options.cancelled = cancelled_at_third;
    b->options.opaque = b;
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     -ECANCELED);
    bench_same(b);
}

static bool cancelled_at_sixth(void *opaque)
{
    struct bench *b = opaque;

    b->host.stopped = b->host.changes >= 5;
    return b->host.stopped;
}

/* The signal that stops a plan does not stop a link's coming back. */
static void test_cancelled_with_link(void **state)
{
    struct bench *b = *state;

    assert_int_equal(b->plan->steps[4].kind, PLAN_LINK_DISABLE);
    b->options.cancelled = cancelled_at_sixth;
    b->options.opaque = b;
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     -ECANCELED);
    assert_false(b->result.stuck);
    bench_same(b);
}

/* What the administrator changed afterwards is his. */
static void test_undo_keeps_what_changed_since(void **state)
{
    struct bench *b = *state;

    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     0);
    hwloc_bitmap_only(b->host.pin[1][0][0], 1);
    assert_int_equal(apply_undo(b->result.run, JOURNAL_RUN_UNDONE, NULL,
                                &b->options, &b->result), 0);
    assert_int_equal(b->result.kept, 1);
    assert_int_equal(b->result.changed, 5);
    assert_int_equal(hwloc_bitmap_first(b->host.pin[1][0][0]), 1);
}

static void test_undo_forced(void **state)
{
    struct bench *b = *state;

    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     0);
    hwloc_bitmap_only(b->host.pin[1][0][0], 1);
    b->options.force = true;
    assert_int_equal(apply_undo(b->result.run, JOURNAL_RUN_UNDONE, NULL,
                                &b->options, &b->result), 0);
    assert_int_equal(b->result.kept, 0);
    bench_same(b);
}

/* A child applies and dies right after change n; the host as it left it is
 * played again here, and undone. */
static void test_crash_in_the_middle(void **state)
{
    struct bench *b = *state;
    unsigned int n;

    for (n = 1; n <= 6; n++) {
        struct fake_host host;
        int64_t run = 0;
        int status;
        pid_t pid;

        b->options.host = &b->host;
        pid = fork();
        if (!pid) {
            struct sqlite3 *journal = NULL;

            if (journal_open(&journal, b->path))
                _exit(1);
            b->options.journal = journal;
            b->host.fault = FAKE_EXIT;
            b->host.fault_at = n;
            apply_plan(b->plan, "apply", &b->options, &b->result);
            _exit(2);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WEXITSTATUS(status), 9);
        assert_int_equal(journal_interrupted(b->journal, &run), 0);

        /* The first n changes happened: bring this host there. */
        fake_host_init(&host);
        b->options.host = &host;
        hwloc_bitmap_set(host.online[0], 1);
        if (n >= 2)
            hwloc_bitmap_only(host.pin[0][0][0], 2);
        if (n >= 3)
            hwloc_bitmap_only(host.pin[1][0][0], 3);
        if (n >= 4)
            hwloc_bitmap_only(host.pin[2][0][1], 6);
        if (n >= 5)
            host.linked[1][2] = host.linked[2][1] = false;
        if (n >= 6)
            host.linked[0][1] = host.linked[1][0] = true;
        assert_int_equal(apply_undo(run, JOURNAL_RUN_UNDONE, NULL,
                                    &b->options, &b->result), 0);
        assert_int_equal(b->result.changed, n);
        char *now = fake_host_text(&host);
        assert_string_equal(now, b->before);
        free(now);
        fake_host_dispose(&host);
        assert_int_equal(journal_interrupted(b->journal, &run), -ENOENT);
    }
}

/* The journal cannot grow at any moment of a run: nothing stays changed. */
static void test_disk_full(void **state)
{
    struct bench *b = *state;
    bool at_start = false, in_the_middle = false, done = false;
    unsigned int i, pages;
    char sql[40];

    /* There and back often enough that entries fill several pages. */
    plan_free(b->plan);
    assert_int_equal(plan_new(&b->plan), 0);
    for (i = 0; i < 100; i++)
        fake_step_pin(b->plan, PLAN_PIN_SOFT, 0,
                      !i ? NULL : i % 2 ? "2" : "3", i % 2 ? 3 : 2);
    for (pages = 1; pages < 60 && !done; pages++) {
        int rc;

        db_close(b->journal);
        unlink(b->path);
        assert_int_equal(journal_open(&b->journal, b->path), 0);
        b->options.journal = b->journal;
        snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%u", pages);
        assert_int_equal(db_exec(b->journal, sql), 0);
        rc = apply_plan(b->plan, "apply", &b->options, &b->result);
        done = rc == 0;
        if (!done) {
            at_start |= !b->result.run;
            in_the_middle |= b->host.changes > 0;
            assert_int_equal(rc, -ENOSPC);
            assert_true(b->result.journal_failed);
            bench_same(b);
        }
    }
    assert_true(at_start);
    assert_true(in_the_middle);
    assert_true(done);
}

/* All is done, and then the journal cannot say so. */
static void test_end_not_written(void **state)
{
    struct bench *b = *state;
    struct sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TRIGGER full BEFORE UPDATE ON "
                                  "run WHEN new.state = 2 BEGIN SELECT "
                                  "RAISE(ABORT, 'full'); END", NULL, NULL,
                                  NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     -EIO);
    assert_true(b->result.journal_failed);
    assert_int_equal(b->result.changed, 0);
    bench_same(b);
    assert_int_equal(bench_state(b), JOURNAL_RUN_FAILED);
}

static void test_locked(void **state)
{
    struct bench *b = *state;
    struct sqlite3 *other = NULL;
    int64_t run;
    struct journal_step step = { .uuid = (char *)"u", .what = (char *)"w" };

    assert_int_equal(journal_open(&other, b->path), 0);
    assert_int_equal(journal_begin(other, NOW, "apply", "p", &step, 1, &run),
                     0);
    /* A living run of this very process stands in the way. */
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     -EBUSY);
    bench_same(b);
    assert_int_equal(journal_finish(other, run, NOW, JOURNAL_RUN_DONE, NULL),
                     0);
    db_close(other);
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     0);
}

static void test_past(void **state)
{
    struct bench *b = *state;
    struct past *past = NULL;
    struct apply_owned *owned = NULL;
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    uint8_t uuid[16];

    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     0);
    assert_int_equal(journal_bad_add(b->journal, "0123456789abcdef", NOW,
                                     NOW + 10, "slower"), 0);
    assert_int_equal(apply_past(b->journal, NOW, &past), 0);
    assert_int_equal(past->nr_changes, 6);
    assert_int_equal(past->changes[0].kind, PAST_VCPUS_ADDED);
    assert_int_equal(past->changes[0].vcpus, 1);
    assert_int_equal(past->changes[0].vcpus_online, 2);
    assert_int_equal(past->changes[0].time, NOW);
    assert_int_equal(past->nr_bad_plans, 1);
    apply_past_free(past);
    assert_int_equal(apply_past(b->journal, NOW + 10, &past), 0);
    assert_int_equal(past->nr_bad_plans, 0);
    apply_past_free(past);

    assert_int_equal(apply_owned_load(b->journal, &owned), 0);
    fake_uuid(uuid, 0);
    hwloc_bitmap_only(set, 2);
    assert_true(apply_owned(owned, uuid, 0, false, set));
    assert_false(apply_owned(owned, uuid, 0, true, set));
    assert_false(apply_owned(owned, uuid, 1, false, set));
    hwloc_bitmap_set(set, 3);
    assert_false(apply_owned(owned, uuid, 0, false, set));
    apply_owned_free(owned);
    hwloc_bitmap_free(set);
}

/* An affinity that the advisor set once is not its own for ever: back there,
 * after another of its runs, somebody else has brought it. */
static void test_owned_last(void **state)
{
    struct bench *b = *state;
    struct apply_owned *owned = NULL;
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    uint8_t uuid[16];
    int64_t run;

    plan_free(b->plan);
    assert_int_equal(plan_new(&b->plan), 0);
    fake_step_pin(b->plan, PLAN_PIN_SOFT, 0, NULL, 2);
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     0);
    plan_free(b->plan);
    assert_int_equal(plan_new(&b->plan), 0);
    fake_step_pin(b->plan, PLAN_PIN_SOFT, 0, "2", 3);
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     0);
    run = b->result.run;
    fake_uuid(uuid, 0);
    assert_int_equal(apply_owned_load(b->journal, &owned), 0);
    hwloc_bitmap_only(set, 3);
    assert_true(apply_owned(owned, uuid, 0, false, set));
    hwloc_bitmap_only(set, 2);
    assert_false(apply_owned(owned, uuid, 0, false, set));
    apply_owned_free(owned);

    /* Undone, the first counts again. */
    assert_int_equal(apply_undo(run, JOURNAL_RUN_UNDONE, NULL, &b->options,
                                &b->result), 0);
    assert_int_equal(apply_owned_load(b->journal, &owned), 0);
    assert_true(apply_owned(owned, uuid, 0, false, set));
    apply_owned_free(owned);
    hwloc_bitmap_free(set);
}

/* A run whose only step is the plan's first, which sets vCPUs. */
static void bench_vcpus(struct bench *b, uint32_t from, uint32_t to)
{
    size_t nr_steps = b->plan->nr_steps;

    assert_int_equal(b->plan->steps[0].kind, PLAN_SET_VCPUS);
    b->plan->steps[0].vcpus_from = from;
    b->plan->steps[0].vcpus_to = to;
    b->plan->nr_steps = 1;
    assert_int_equal(apply_plan(b->plan, "apply", &b->options, &b->result),
                     0);
    b->plan->nr_steps = nr_steps;
    assert_int_equal(b->result.changed, 1);
}

/* What choose() is told of the vCPUs of the first VM: the last of them. */
static void bench_past(struct bench *b, uint32_t vcpus, uint32_t online)
{
    struct past *past = NULL;
    const struct past_change *last;

    assert_int_equal(apply_past(b->journal, NOW, &past), 0);
    assert_true(past->nr_changes > 0);
    last = &past->changes[past->nr_changes - 1];
    assert_int_equal(last->kind, PAST_VCPUS_ADDED);
    assert_int_equal(last->vcpus, vcpus);
    assert_int_equal(last->vcpus_online, online);
    apply_past_free(past);
}

/* What was taken back is not there to be taken back again. */
static void test_past_vcpus(void **state)
{
    struct bench *b = *state;

    bench_vcpus(b, 1, 2);
    bench_past(b, 1, 2);
    bench_vcpus(b, 2, 3);
    bench_past(b, 2, 3);
    bench_vcpus(b, 3, 2);
    bench_past(b, 1, 2);
    bench_vcpus(b, 2, 1);
    bench_past(b, 0, 1);
    /* Undone, the last but one counts. */
    bench_vcpus(b, 1, 2);
    assert_int_equal(apply_undo(b->result.run, JOURNAL_RUN_UNDONE, NULL,
                                &b->options, &b->result), 0);
    bench_past(b, 0, 1);
    /* Somebody else adds two: these are not ours. */
    hwloc_bitmap_set_range(b->host.online[0], 0, 2);
    bench_vcpus(b, 3, 4);
    bench_past(b, 1, 4);
    bench_vcpus(b, 4, 3);
    bench_past(b, 0, 3);
}

/* A link is one of two vifs; older entries know of none. */
static void test_state_vifs(void **unused)
{
    static const char older[] =
        "{\"kind\":\"link\",\"uuid\":\"01010101-0101-0101-0101-010101010101\","
        "\"peer\":\"02020202-0202-0202-0202-020202020202\",\"linked\":true}";
    struct bench *b = *unused;
    struct apply_state any, state;
    char *text = NULL;

    assert_int_equal(apply_state_parse(&any, older), 0);
    assert_int_equal(any.vif[0], PLAN_NONE);
    state = any;
    state.vif[0] = 0;
    state.vif[1] = 3;
    assert_false(apply_state_equal(&state, &any));
    assert_int_equal(apply_state_format(&state, &text), 0);
    assert_int_equal(apply_state_parse(&any, text), 0);
    assert_true(apply_state_equal(&state, &any));
    free(text);
    fake_uuid(state.uuid[0], 0);
    fake_uuid(state.uuid[1], 1);
    text = apply_state_command(&state, &fake_ops, &b->host);
    assert_string_equal(text, "xl shmlink enable vm0:0 vm1:3");
    free(text);
}

static int find_odd(void *host, const uint8_t uuid[16],
                    struct apply_domain *domain_r)
{
    (void)host;
    (void)uuid;
    domain_r->domid = 7;
    strcpy(domain_r->name, "a;$(reboot)");
    return 0;
}

/* A name that a shell would not take as it is is not in a command. */
static void test_state_names(void **state)
{
    static const struct apply_ops odd = { .find = find_odd };
    struct apply_state link = { .kind = PLAN_LINK_ENABLE,
                                .vif = { PLAN_NONE, PLAN_NONE } };
    char *text = apply_state_command(&link, &odd, NULL);

    (void)state;
    assert_string_equal(text, "xl shmlink disable 7 7");
    free(text);
}

/* An entry that somebody edited. */
static void test_state_parse_hostile(void **state)
{
    static const char *const texts[] = {
        "", "{", "[]", "null", "{}", "{\"kind\":\"pin-soft\"}",
        "{\"kind\":\"pin-soft\",\"uuid\":\"1\"}",
        "{\"kind\":\"boo\",\"uuid\":\"01010101-0101-0101-0101-"
        "010101010101\"}",
        "{\"kind\":\"pin-soft\",\"uuid\":\"01010101-0101-0101-0101-"
        "010101010101\",\"vcpuid\":-1,\"set\":\"all\"}",
        "{\"kind\":\"pin-soft\",\"uuid\":\"01010101-0101-0101-0101-"
        "010101010101\",\"vcpuid\":0,\"set\":\"99999999\"}",
        "{\"kind\":\"vcpus\",\"uuid\":\"01010101-0101-0101-0101-"
        "010101010101\"}",
        "{\"kind\":\"link\",\"uuid\":\"01010101-0101-0101-0101-"
        "010101010101\",\"linked\":true}",
    };
    struct apply_state parsed;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        assert_int_equal(apply_state_parse(&parsed, texts[i]), -EINVAL);
    assert_int_equal(apply_state_parse(&parsed, NULL), -EINVAL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_done_and_undone),
        TEST(test_twice_changes_nothing),
        TEST(test_every_step_fails),
        TEST(test_link_refused),
        TEST(test_all_refused),
        TEST(test_taking_back_fails_too),
        TEST(test_pool_forbids),
        TEST(test_changed_meanwhile),
        TEST(test_another_link),
        TEST(test_vm_gone),
        TEST(test_cancelled),
        TEST(test_cancelled_with_link),
        TEST(test_undo_keeps_what_changed_since),
        TEST(test_undo_forced),
        TEST(test_crash_in_the_middle),
        TEST(test_disk_full),
        TEST(test_end_not_written),
        TEST(test_locked),
        TEST(test_past),
        TEST(test_owned_last),
        TEST(test_past_vcpus),
        TEST(test_state_vifs),
        cmocka_unit_test(test_state_names),
        cmocka_unit_test(test_state_parse_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
