/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loop that runs the sources, on sources made here; the bursts of a trace
 * put into a snapshot; the cleaner.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/reaper.h"
#include "collect/collect.h"
#include "collect/trace-shares.h"

struct fake {
    int begin_rc, step_rc, finish_rc;
    unsigned int steps, finished, closed;
    int pipe;
} fake;

static int fake_begin(struct collect *collect, void **state_r)
{
    (void)collect;
    *state_r = &fake;
    return fake.begin_rc;
}

static int fake_fd(void *state)
{
    return ((struct fake *)state)->pipe;
}

static uint64_t fake_due(void *state)
{
    (void)state;
    return collect_now_ns() + 5000000;
}

static int fake_step(struct collect *collect, void *state, bool readable)
{
    struct fake *f = state;
    char byte;

    (void)collect;
    if (readable && f->pipe >= 0)
        assert_int_equal(read(f->pipe, &byte, 1), 1);
    f->steps++;
    return f->step_rc;
}

static int fake_finish(struct collect *collect, void *state)
{
    (void)collect;
    ((struct fake *)state)->finished++;
    return ((struct fake *)state)->finish_rc;
}

static void fake_close(void *state)
{
    ((struct fake *)state)->closed++;
}

static struct collect_source source = {
    .name = "fake",
    .begin = fake_begin,
    .fd = fake_fd,
    .due = fake_due,
    .step = fake_step,
    .finish = fake_finish,
    .close = fake_close,
};

static int run(struct collect *collect, struct collect_options *options,
               bool needed)
{
    const struct collect_source *sources[] = { &source };

    collect_options_init(options);
    options->seconds = 0.05;
    memset(collect, 0, sizeof(*collect));
    collect->options = options;
    assert_int_equal(snapshot_new(&collect->snapshot), 0);
    source.needed = needed;
    return collect_run(collect, sources, 1);
}

static void end(struct collect *collect, size_t notes)
{
    assert_int_equal(collect->snapshot->nr_notes, notes);
    snapshot_free(collect->snapshot);
    free(collect->why);
}

static void reset(int begin_rc, int step_rc, int finish_rc)
{
    fake = (struct fake){ begin_rc, step_rc, finish_rc, 0, 0, 0, -1 };
}

static void test_run(void **state)
{
    struct collect_options options;
    struct collect collect;

    (void)state;
    reset(0, 0, 0);
    assert_int_equal(run(&collect, &options, true), 0);
    assert_int_equal(fake.finished, 1);
    assert_int_equal(fake.closed, 1);
    assert_true(collect.snapshot->duration >= 0.05);
    end(&collect, 0);
}

static void test_readable(void **state)
{
    struct collect_options options;
    struct collect collect;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "abc", 3), 3);
    reset(0, 0, 0);
    fake.pipe = fds[0];
    assert_int_equal(run(&collect, &options, false), 0);
    assert_int_equal(fake.steps, 3);
    end(&collect, 0);
    close(fds[0]);
    close(fds[1]);
}

/* One that fails anywhere is closed once, noted, and the rest goes on. */
static void test_failures(void **state)
{
    struct collect_options options;
    struct collect collect;
    int fds[2];

    (void)state;
    reset(-EIO, 0, 0);
    assert_int_equal(run(&collect, &options, false), 0);
    assert_int_equal(fake.finished + fake.closed, 0);
    end(&collect, 1);
    reset(-ENOTSUP, 0, 0);      /* has noted it itself */
    assert_int_equal(run(&collect, &options, false), 0);
    end(&collect, 0);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "abc", 3), 3);
    reset(0, -EIO, 0);
    fake.pipe = fds[0];
    assert_int_equal(run(&collect, &options, false), 0);
    assert_int_equal(fake.steps, 1);
    assert_int_equal(fake.finished, 0);
    assert_int_equal(fake.closed, 1);
    end(&collect, 1);
    reset(0, 0, -EIO);
    assert_int_equal(run(&collect, &options, false), 0);
    assert_int_equal(fake.closed, 1);
    end(&collect, 1);
    close(fds[0]);
    close(fds[1]);

    reset(-EIO, 0, 0);
    assert_int_equal(run(&collect, &options, true), -EIO);
    assert_non_null(collect.why);
    end(&collect, 0);
}

static void test_cancel(void **state)
{
    struct collect_options options;
    struct collect collect = { .options = &options };
    const struct collect_source *sources[] = { &source };
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    collect_options_init(&options);
    options.seconds = 1000;
    options.cancel_fd = fds[0];
    assert_int_equal(snapshot_new(&collect.snapshot), 0);
    reset(0, 0, 0);
    assert_int_equal(collect_run(&collect, sources, 1), -ECANCELED);
    assert_int_equal(fake.finished, 0);
    assert_int_equal(fake.closed, 1);
    end(&collect, 0);
    close(fds[0]);
    close(fds[1]);
}

/* Two bursts of 1 s at 1 kHz: the vCPU waits 100 ms and 300 ms. */
static void test_shares(void **state)
{
    struct trace_vcpu rows[2] = {
        { .domid = 5, .cycles = { 400, 100, 500 }, .executions = 10,
          .vm_switches = 4 },
        { .domid = 5, .cycles = { 400, 300, 300 }, .executions = 30,
          .vm_switches = 8 },
    };
    struct trace_switch taken = { 5, 0, TRACE_DOMID_IDLE, 7 };
    struct trace_metrics m[2] = {
        { .end_tsc = 1000, .vcpus = &rows[0], .nr_vcpus = 1,
          .switches = &taken, .nr_switches = 1 },
        { .end_tsc = 1000, .vcpus = &rows[1], .nr_vcpus = 1,
          .switches = &taken, .nr_switches = 1 },
    };
    const struct trace_metrics *const bursts[] = { &m[0], &m[1] };
    double seconds;
    struct snapshot *snapshot;
    struct snapshot_domain *domain;
    struct snapshot_vcpu *vcpu;

    (void)state;
    assert_int_equal(snapshot_new(&snapshot), 0);
    domain = snapshot_add_domain(snapshot);
    domain->domid = 5;
    domain->vcpus_max = 2;
    snapshot_add_vcpu(snapshot)->online = true;
    snapshot_add_vcpu(snapshot)->online = true;
    assert_int_equal(trace_shares_fill(snapshot, bursts, 2, 0, &seconds),
                     -EINVAL);
    assert_int_equal(trace_shares_fill(snapshot, bursts, 2, 1, &seconds), 0);
    assert_true(fabs(seconds - 2) < 1e-12);
    vcpu = &snapshot->vcpus[0];
    assert_true(fabs(vcpu->utilisation.value - 0.4) < 1e-9);
    assert_true(fabs(vcpu->wait.value - 0.2) < 1e-9);
    assert_true(fabs(vcpu->wait.error - 0.1) < 1e-9);
    assert_true(fabs(vcpu->block.value - 0.4) < 1e-9);
    assert_true(fabs(vcpu->switches.value - 6) < 1e-9);
    assert_true(fabs(vcpu->execution_usec.value - 20000) < 1e-6);
    /* The other one did nothing at all: it was blocked. */
    vcpu = &snapshot->vcpus[1];
    assert_true(vcpu->wait.value == 0 && vcpu->block.value == 1);
    assert_int_equal(vcpu->execution_usec.source, SNAPSHOT_SOURCE_NONE);
    assert_int_equal(snapshot->nr_switches, 1);
    assert_true(fabs(snapshot->switches[0].per_second - 7) < 1e-9);
    assert_true(snapshot->switches[0].by_domain == SNAPSHOT_OUTSIDE);

    /* An exact utilisation leaves less than the bursts saw waiting. */
    snapshot->vcpus[0].utilisation = (struct snapshot_value){
        0.95, 0, SNAPSHOT_SOURCE_COUNTER };
    assert_int_equal(trace_shares_fill(snapshot, bursts, 2, 1, &seconds), 0);
    assert_true(fabs(snapshot->vcpus[0].wait.value - 0.05) < 1e-9);
    assert_true(snapshot->vcpus[0].block.value == 0);
    snapshot_free(snapshot);
}

/* Each vCPU of so many is put off by each of a few: counted by keys, at once. */
static void test_switches(void **state)
{
    enum { DOMAINS = 500, VCPUS = 16, BY = 5 };
    static struct trace_switch rows[2][DOMAINS * VCPUS * BY];
    struct trace_metrics m[2] = {
        { .end_tsc = 1000, .switches = rows[0] },
        { .end_tsc = 1000, .switches = rows[1] },
    };
    const struct trace_metrics *const bursts[] = { &m[0], &m[1] };
    double seconds;
    struct snapshot *snapshot;
    unsigned int d, v, by;
    double sum = 0;
    size_t i;

    (void)state;
    assert_int_equal(snapshot_new(&snapshot), 0);
    for (d = 0; d < DOMAINS; d++) {
        struct snapshot_domain *domain = snapshot_add_domain(snapshot);

        domain->domid = 2 * d;
        domain->vcpus_max = VCPUS;
        for (v = 0; v < VCPUS; v++)
            assert_non_null(snapshot_add_vcpu(snapshot));
    }
    /* The second burst has them backwards, and strangers besides. */
    for (i = 0; i < DOMAINS * VCPUS * BY; i++) {
        by = i % BY;
        v = i / BY % VCPUS;
        d = i / BY / VCPUS;
        rows[0][i] = (struct trace_switch){
            2 * d, v, by ? 2 * ((d + by) % DOMAINS) : TRACE_DOMID_IDLE, 3 };
        rows[1][DOMAINS * VCPUS * BY - 1 - i] = rows[0][i];
    }
    rows[1][0].from_domid = 1;
    rows[1][1].to_domid = 1;
    m[0].nr_switches = m[1].nr_switches = DOMAINS * VCPUS * BY;
    assert_int_equal(trace_shares_fill(snapshot, bursts, 2, 1, &seconds), 0);
    assert_int_equal(snapshot->nr_switches, DOMAINS * VCPUS * BY);
    for (i = 0; i < snapshot->nr_switches; i++) {
        const struct snapshot_switch *entry = &snapshot->switches[i];

        sum += entry->per_second;
        assert_true(entry->vcpu == i / BY);
        assert_true((entry->by_domain == SNAPSHOT_OUTSIDE) ==
                    (i % BY == BY - 1));
        assert_true(i % BY == 0 || entry->by_domain > entry[-1].by_domain);
    }
    assert_true(fabs(sum - (6 * DOMAINS * VCPUS * BY - 6) / 2.0) < 1e-6);
    snapshot_free(snapshot);
}

static int *cleaned;

static void clean(void)
{
    *cleaned = 1;
}

static void test_cleaner(void **state)
{
    struct reaper *cleaner = NULL;
    int status, i;
    pid_t child;

    (void)state;
    cleaned = mmap(NULL, sizeof(*cleaned), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(cleaned != MAP_FAILED);
    assert_int_equal(reaper_open(&cleaner, clean), 0);
    reaper_close(cleaner);
    reaper_close(NULL);
    assert_int_equal(*cleaned, 0);

    child = fork();
    if (!child) {
        if (!reaper_open(&cleaner, clean))
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    for (i = 0; i < 500 && !*(volatile int *)cleaned; i++)
        usleep(10000);
    assert_int_equal(*cleaned, 1);
    munmap(cleaned, sizeof(*cleaned));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_readable),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_switches),
        cmocka_unit_test(test_cleaner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
