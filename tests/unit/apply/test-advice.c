/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a command that applies a plan tells of it: nothing gets between the
 * lines of the plan's JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "apply/xen.h"
#include "fake-host.h"
#include "apply/journal.h"
#include "base/db.h"
#include "model/plan.h"
#include "model/snapshot.h"

/* --- what advice-apply.c takes from the rest of the program ---------------- */

bool command_dry_run;

int command_failed(const char *format, ...)
{
    (void)format;
    return COMMAND_FAILED;
}

int advice_journal(struct advice *advice, bool needed)
{
    (void)needed;
    return advice->journal ? 0 : -ENOENT;
}

int advice_journal_failed(const struct advice *advice, int rc, const char *so)
{
    (void)advice, (void)rc, (void)so;
    return COMMAND_FAILED;
}

int advice_signals(struct advice *advice)
{
    (void)advice;
    return 0;
}

/* A host in tests/unit/hosts; NULL: an empty one. */
static const char *measured;
/* All vCPUs of its isolated VM are on pCPU 2 by a hard affinity. */
static bool pinned;

int advice_snapshot(struct advice *advice, double seconds,
                    struct snapshot **snapshot_r)
{
    const char *srcdir = getenv("srcdir");
    char path[512];
    size_t i;
    int rc;

    (void)advice, (void)seconds;
    if (!measured)
        return snapshot_new(snapshot_r);
    snprintf(path, sizeof(path), "%s/tests/unit/hosts/%s",
             srcdir ? srcdir : ".", measured);
    rc = snapshot_load(snapshot_r, path, NULL);
    for (i = 0; !rc && pinned && i < (*snapshot_r)->nr_vcpus; i++) {
        struct snapshot_vcpu *v = &(*snapshot_r)->vcpus[i];

        if ((*snapshot_r)->domains[v->domain].isolated)
            hwloc_bitmap_only(v->hard, v->pcpu = 2);
        else if ((*snapshot_r)->domains[v->domain].domid)
            hwloc_bitmap_only(v->hard, v->pcpu = 0);
        v->hard_owner = SNAPSHOT_OWNER_SHMLINK;
    }
    return rc;
}

int advice_xen(struct advice *advice)
{
    (void)advice;
    return -ENXIO;
}

unsigned int sleep(unsigned int seconds)
{
    (void)seconds;
    return 0;
}

/* --------------------------------------------------------------------------- */

struct output
{
    char told[4096];   /* where progress goes */
    char stdout_[4096];
};

static void take(FILE *file, char *text, size_t size)
{
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

/* Apply the plan to a host, and settle; the plan went to stdout before. */
static int apply(const char *path, enum fake_fault fault, struct output *o)
{
    FILE *told = tmpfile(), *out = tmpfile();
    int keep = dup(STDOUT_FILENO), status;
    struct fake_host host;
    struct advice advice = {
        .told = told, .settle = 5, .signal_fd = -1,
        .lock_fd = dup(STDERR_FILENO),      /* it is held */
        .host = (struct apply_xen *)&host,
    };

    assert_non_null(told);
    assert_non_null(out);
    assert_int_equal(journal_open(&advice.journal, path), 0);
    fake_host_init(&host);
    host.fault = fault;
    host.fault_at = host.fault_until = fault == FAKE_FINE ? 0 : 3;
    advice.plan = fake_plan();
    fflush(stdout);
    assert_true(dup2(fileno(out), STDOUT_FILENO) >= 0);
    status = advice_apply(&advice, "test");
    fflush(stdout);
    assert_true(dup2(keep, STDOUT_FILENO) >= 0);
    close(keep);
    close(advice.lock_fd);
    take(told, o->told, sizeof(o->told));
    take(out, o->stdout_, sizeof(o->stdout_));
    plan_free(advice.plan);
    db_close(advice.journal);
    fake_host_dispose(&host);
    return status;
}

static void test_told(void **state)
{
    struct output o;
    char path[64];

    (void)state;
    snprintf(path, sizeof(path), "/tmp/test-advice-%d.db", getpid());
    assert_int_equal(apply(path, FAKE_FINE, &o), COMMAND_OK);
    assert_string_equal(o.stdout_, "");
    assert_non_null(strstr(o.told, "Measuring what is to be improved: 5 times "
                           "1 s."));
    assert_non_null(strstr(o.told, "[1/6] "));
    assert_non_null(strstr(o.told, "done, verified\n"));
    assert_non_null(strstr(o.told, "6 changes made; xl shmlink undo 1"));
    assert_non_null(strstr(o.told, "kept: "));

    assert_int_equal(apply(path, FAKE_FAIL, &o), COMMAND_FAILED);
    assert_string_equal(o.stdout_, "");
    assert_non_null(strstr(o.told, "taken back: "));
    unlink(path);
}

/* After a plan that isolates: is the VM, on the host as it is then? */
static void test_isolation(void **state)
{
    struct advice advice = { .plan = fake_plan(), .told = tmpfile() };
    char told[4096];

    (void)state;
    assert_int_equal(settings_init(&advice.settings), 0);
    measured = "isolated.json";
    assert_int_equal(advice_isolation(&advice), COMMAND_OK);
    advice.plan->steps[0].reason = PLAN_REASON_ISOLATION;
    assert_int_equal(advice_isolation(&advice), COMMAND_FAILED);
    pinned = true;
    assert_int_equal(advice_isolation(&advice), COMMAND_OK);
    take(advice.told, told, sizeof(told));
    assert_non_null(strstr(told, "Looked again: vault is isolated, as it is"));
    measured = NULL;
    assert_int_equal(advice_isolation(&advice), COMMAND_FAILED);
    plan_free(advice.plan);
    settings_dispose(&advice.settings);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told),
        cmocka_unit_test(test_isolation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
