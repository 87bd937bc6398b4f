/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trace reader and the metrics, on records made here by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "collect/trace-log.h"
#include "collect/trace-metrics.h"

#define RUN TRACE_RUNNING
#define RBL TRACE_RUNNABLE
#define BLK TRACE_BLOCKED
#define IDLE TRACE_DOMID_IDLE

struct window {
    uint8_t bytes[4096];
    size_t size;
};

static void put(struct window *w, uint32_t value)
{
    assert_true(w->size + 4 <= sizeof(w->bytes));
    w->bytes[w->size++] = value;
    w->bytes[w->size++] = value >> 8;
    w->bytes[w->size++] = value >> 16;
    w->bytes[w->size++] = value >> 24;
}

static void record(struct window *w, uint32_t event, uint64_t tsc,
                   unsigned int domid, unsigned int vcpuid)
{
    put(w, event | 1U << 31 | 1U << 28);
    put(w, (uint32_t)tsc);
    put(w, tsc >> 32);
    put(w, vcpuid | domid << 16);
}

static void change(struct window *w, uint64_t tsc, unsigned int domid,
                   unsigned int vcpuid, unsigned int from, unsigned int to)
{
    record(w, 0x21001 | from << 8 | to << 4, tsc, domid, vcpuid);
}

static void lost(struct window *w, uint64_t first, uint64_t tsc,
                 uint32_t count, unsigned int domid, unsigned int vcpuid)
{
    put(w, 0x1f001 | 1U << 31 | 4U << 28);
    put(w, (uint32_t)tsc);
    put(w, tsc >> 32);
    put(w, count);
    put(w, domid | vcpuid << 16);
    put(w, (uint32_t)first);
    put(w, first >> 32);
}

static struct trace_metrics *compute(struct window *windows, unsigned int nr)
{
    struct trace_log log = { 0 };
    struct trace_metrics *metrics = NULL;
    unsigned int i;

    for (i = 0; i < nr; i++)
        assert_int_equal(trace_log_add_window(&log, i, windows[i].bytes,
                                              windows[i].size), 0);
    trace_log_sort(&log);
    assert_int_equal(trace_metrics_compute(&log, &metrics), 0);
    trace_log_reset(&log);
    return metrics;
}

static void check_cycles(const struct trace_metrics *m, unsigned int domid,
                         uint64_t run, uint64_t wait, uint64_t block,
                         uint64_t unknown)
{
    const struct trace_vcpu *v = trace_metrics_vcpu(m, domid, 0);

    assert_non_null(v);
    assert_int_equal(v->cycles[RUN], run);
    assert_int_equal(v->cycles[RBL], wait);
    assert_int_equal(v->cycles[BLK], block);
    assert_int_equal(v->cycles[TRACE_UNKNOWN], unknown);
}

static void test_empty(void **state)
{
    struct trace_log log = { 0 };
    struct trace_metrics *metrics = NULL;

    (void)state;
    assert_int_equal(trace_log_add_window(&log, 0, "", 0), 0);
    assert_int_equal(trace_log_add_file(&log, "", 0), -EPROTO);
    trace_log_sort(&log);
    assert_int_equal(trace_metrics_compute(&log, &metrics), -ENODATA);
    assert_null(metrics);
    trace_log_reset(NULL);
    trace_metrics_free(NULL);
}

/*
 * One pCPU: VM 1 runs, VM 2 wakes and preempts it, blocks; VM 1 again; idle.
 */
static void test_shared_pcpu(void **state)
{
    struct window w = { .size = 0 };
    struct trace_metrics *m;
    const struct trace_vcpu *v;

    (void)state;
    change(&w, 1000, IDLE, 0, RUN, RBL);
    change(&w, 1000, 1, 0, RBL, RUN);
    change(&w, 1100, 2, 0, BLK, RBL);
    change(&w, 1110, 1, 0, RUN, RBL);
    change(&w, 1110, 2, 0, RBL, RUN);
    change(&w, 1150, 2, 0, RUN, BLK);
    change(&w, 1150, 1, 0, RBL, RUN);
    change(&w, 1400, 1, 0, RUN, BLK);
    change(&w, 1400, IDLE, 0, RBL, RUN);
    change(&w, 2000, IDLE, 0, RUN, RUN);
    m = compute(&w, 1);
    assert_int_equal(m->start_tsc, 1000);
    assert_int_equal(m->end_tsc, 2000);
    assert_int_equal(m->nr_vcpus, 2);
    check_cycles(m, 1, 360, 40, 600, 0);
    check_cycles(m, 2, 40, 10, 950, 0);
    v = trace_metrics_vcpu(m, 1, 0);
    assert_int_equal(v->executions, 2);
    assert_int_equal(v->vm_switches, 1);
    assert_int_equal(v->edge_cycles[BLK], 600);
    v = trace_metrics_vcpu(m, 2, 0);
    assert_int_equal(v->edge_cycles[BLK], 100 + 850);

    assert_int_equal(m->nr_switches, 3);
    assert_int_equal(m->switches[0].from_domid, 1);
    assert_int_equal(m->switches[0].to_domid, 2);
    assert_int_equal(m->switches[1].to_domid, IDLE);
    assert_int_equal(m->switches[2].from_domid, 2);
    assert_null(trace_metrics_vcpu(m, 3, 0));
    trace_metrics_free(m);
}

/* The same domain before and after idling is no VM switch. */
static void test_idle_between(void **state)
{
    struct window w = { .size = 0 };
    struct trace_metrics *m;

    (void)state;
    change(&w, 0, 1, 0, RBL, RUN);
    change(&w, 10, 1, 0, RUN, BLK);
    change(&w, 10, IDLE, 0, RBL, RUN);
    change(&w, 20, IDLE, 0, RUN, RBL);
    change(&w, 20, 1, 0, RBL, RUN);
    change(&w, 30, 1, 0, RUN, BLK);
    change(&w, 30, IDLE, 0, RBL, RUN);
    change(&w, 40, IDLE, 0, RUN, RBL);
    change(&w, 40, 2, 0, RBL, RUN);
    m = compute(&w, 1);
    assert_int_equal(trace_metrics_vcpu(m, 2, 0)->vm_switches, 1);
    assert_int_equal(trace_metrics_vcpu(m, 1, 0)->vm_switches, 0);
    trace_metrics_free(m);
}

/* What a full buffer dropped is unknown, not guessed. */
static void test_loss(void **state)
{
    struct window w[2] = { { .size = 0 }, { .size = 0 } };
    struct trace_metrics *m;

    (void)state;
    change(&w[0], 100, 1, 0, RBL, RUN);
    lost(&w[0], 300, 500, 17, 2, 0);
    change(&w[0], 600, 2, 0, RUN, BLK);
    change(&w[0], 600, 1, 0, RBL, RUN);
    change(&w[0], 700, 1, 0, RUN, BLK);
    change(&w[1], 150, 2, 0, BLK, RBL);
    change(&w[1], 200, 3, 0, RBL, RUN);
    change(&w[1], 1100, 3, 0, RUN, BLK);
    m = compute(w, 2);
    assert_int_equal(m->lost_records, 17);
    /* 100-300 ran, then unknown until it is put on a pCPU at 600 */
    check_cycles(m, 1, 300, 0, 400, 300);
    /* 2: blocked 100-150; runs at 500, nobody knows since when */
    check_cycles(m, 2, 100, 0, 50 + 500, 350);
    /* 3 ran on a pCPU that lost nothing */
    check_cycles(m, 3, 900, 100, 0, 0);
    trace_metrics_free(m);
}

/* A waker whose clock is ahead: its record sorts after the start. */
static void test_skew(void **state)
{
    struct window w[2] = { { .size = 0 }, { .size = 0 } };
    struct trace_metrics *m;

    (void)state;
    change(&w[0], 100, 1, 0, RUN, BLK);
    change(&w[0], 500, 1, 0, RBL, RUN);
    change(&w[1], 505, 1, 0, BLK, RBL);
    change(&w[0], 600, 1, 0, RUN, BLK);
    m = compute(w, 2);
    check_cycles(m, 1, 100, 0, 400, 0);
    assert_int_equal(m->disordered, 2);
    trace_metrics_free(m);
}

/* A hog alone on its pCPU is never switched, only continued. */
static void test_continue(void **state)
{
    struct window w[2] = { { .size = 0 }, { .size = 0 } };
    struct trace_metrics *m;

    (void)state;
    change(&w[0], 0, 2, 0, BLK, RBL);
    record(&w[1], 0x21002, 300, 1, 0);
    record(&w[1], 0x21002, 900, 1, 0);
    change(&w[0], 1000, 2, 0, RBL, RUN);
    m = compute(w, 2);
    check_cycles(m, 1, 1000, 0, 0, 0);
    assert_int_equal(trace_metrics_vcpu(m, 1, 0)->executions, 0);
    trace_metrics_free(m);
}

static void test_file(void **state)
{
    struct window w = { .size = 0 };
    uint8_t file[8192];
    struct trace_log log = { 0 };
    size_t size = 0, cut;

    (void)state;
    change(&w, 0x100000000ULL, 1, 0, RBL, RUN);
    record(&w, 0x28004, 0x100000010ULL, 1, 0);  /* another kind */
    put(&w, 0x1f002 | 1U << 28);                /* wrap, no time stamp */
    put(&w, 0);
    change(&w, 0x100000020ULL, 1, 0, RUN, BLK);
    trace_log_file_header(file, 3, w.size);
    size = TRACE_FILE_HEADER_BYTES;
    memcpy(file + size, w.bytes, w.size);
    size += w.size;

    assert_int_equal(trace_log_add_file(&log, file, size), 0);
    assert_int_equal(log.nr_events, 2);
    assert_int_equal(log.events[0].pcpu, 3);
    assert_int_equal(log.events[1].tsc, 0x100000020ULL);
    assert_false(log.truncated);
    trace_log_reset(&log);

    for (cut = 1; cut < size; cut++) {
        int rc = trace_log_add_file(&log, file, cut);

        assert_int_equal(rc, cut < TRACE_FILE_HEADER_BYTES ? -EPROTO : 0);
        assert_true(log.truncated || cut == TRACE_FILE_HEADER_BYTES);
        assert_true(log.nr_events < 2);
        trace_log_reset(&log);
    }
}

static void test_hostile(void **state)
{
    struct window w = { .size = 0 };
    struct trace_log log = { 0 };
    struct trace_metrics *m;
    uint8_t file[TRACE_FILE_HEADER_BYTES];

    (void)state;
    assert_int_equal(trace_log_add_window(&log, TRACE_PCPU_MAX + 1, "", 0),
                     -EINVAL);
    trace_log_file_header(file, TRACE_PCPU_MAX + 1, 0);
    assert_int_equal(trace_log_add_file(&log, file, sizeof(file)), -EINVAL);
    memset(file, 0xff, sizeof(file));
    assert_int_equal(trace_log_add_file(&log, file, sizeof(file)), -EPROTO);
    trace_log_reset(&log);

    /* A loss that begins after it ends, at the ends of time. */
    change(&w, UINT64_MAX, 1, 0, RUN, RUN);
    lost(&w, UINT64_MAX, 5, UINT32_MAX, 1, 0);
    change(&w, 0, 1, 0, 3, 0);
    m = compute(&w, 1);
    assert_int_equal(m->end_tsc - m->start_tsc, UINT64_MAX);
    trace_metrics_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_shared_pcpu),
        cmocka_unit_test(test_idle_between),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_skew),
        cmocka_unit_test(test_continue),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
