/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The traffic matrix, the sampled waits and the exact counts against traffic
 * and loads made here, of which the truth is known.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collect/sampling.h"
#include "collect/traffic-fill.h"
#include "collect/traffic.h"

static void test_rate(void **state)
{
    (void)state;
    assert_int_equal(traffic_rate(0, 200), 1);
    assert_int_equal(traffic_rate(200, 200), 1);
    assert_int_equal(traffic_rate(201, 200), 2);
    assert_int_equal(traffic_rate(100000, 200), 512);
    assert_int_equal(traffic_rate(1e30, 200), TRAFFIC_RATE_MAX);
}

/* Traffic of two senders to one receiver, one of them with sizes that vary. */
struct truth {
    double bytes[2], packets[2];
};

static void simulate(struct traffic_matrix *matrix, struct truth *truth,
                     unsigned int rate, unsigned int packets)
{
    unsigned int i;

    memset(truth, 0, sizeof(*truth));
    for (i = 0; i < packets; i++) {
        unsigned int who = drand48() < 0.3;
        struct psample_sample sample = {
            .size_bytes = who ? 100 : drand48() < 0.2 ? 60000 : 66,
            .rate = rate,
        };

        truth->bytes[who] += sample.size_bytes;
        truth->packets[who]++;
        if (drand48() * rate < 1)
            assert_int_equal(traffic_add(matrix, who + 1, 3, &sample), 0);
    }
}

/*
 * Of many runs, how many have the truth within twice the stated error?  A
 * normal one would have 95 %; less than 90 % would be a claim too bold.
 */
static void coverage(bool counted, unsigned int rate, unsigned int packets)
{
    enum { RUNS = 400 };
    unsigned int run, who, within[2] = { 0, 0 }, seen[2] = { 0, 0 };

    for (run = 0; run < RUNS; run++) {
        struct traffic_matrix matrix = { 0 };
        struct truth truth;
        size_t i;

        simulate(&matrix, &truth, rate, packets);
        if (counted)
            traffic_add_total(&matrix.received, 3,
                              truth.packets[0] + truth.packets[1],
                              truth.bytes[0] + truth.bytes[1]);
        for (i = 0; i < matrix.nr_cells; i++) {
            struct traffic_estimate e;

            who = matrix.cells[i].from - 1;
            traffic_estimate(&matrix, &matrix.cells[i], 1, &e);
            seen[who]++;
            within[who] += fabs(e.bytes - truth.bytes[who]) <=
                           2 * e.bytes_error;
        }
        traffic_reset(&matrix);
    }
    for (who = 0; who < 2; who++) {
        print_message("counted %d rate %u packets %u sender %u: %u of %u "
                      "within 2 errors\n", counted, rate, packets, who,
                      within[who], seen[who]);
        assert_true(within[who] >= 0.9 * seen[who]);
    }
}

static void test_coverage(void **state)
{
    (void)state;
    srand48(20130701);
    coverage(true, 100, 20000);
    coverage(true, 100, 200000);
    coverage(false, 100, 200000);
    coverage(false, 10, 20000);
}

static struct snapshot *three_guests(void)
{
    struct snapshot *snapshot;
    uint32_t domid;

    assert_int_equal(snapshot_new(&snapshot), 0);
    for (domid = 0; domid < 4; domid++) {
        struct snapshot_domain *domain = snapshot_add_domain(snapshot);

        assert_non_null(domain);
        domain->domid = domid;
    }
    return snapshot;
}

static const struct snapshot_traffic *row(const struct snapshot *snapshot,
                                          size_t from, size_t to)
{
    size_t i;

    for (i = 0; i < snapshot->nr_traffic; i++) {
        if (snapshot->traffic[i].from == from &&
            snapshot->traffic[i].to == to)
            return &snapshot->traffic[i];
    }
    return NULL;
}

static void test_fill(void **state)
{
    struct psample_sample sample = { .size_bytes = 1000, .rate = 10 };
    struct traffic_matrix matrix = { 0 };
    struct snapshot *snapshot = three_guests();
    const struct snapshot_traffic *t;
    unsigned int i;

    (void)state;
    for (i = 0; i < 200; i++)
        traffic_add(&matrix, 1, 2, &sample);
    traffic_add(&matrix, 77, 2, &sample);       /* came meanwhile */
    traffic_add(&matrix, 1, TRAFFIC_OUTSIDE, &sample);
    traffic_add(&matrix, 1, 1, &sample);        /* to itself */
    traffic_add_total(&matrix.received, 2, 1000, 1e6);
    traffic_add_total(&matrix.received, 2, 1010, 1.01e6);
    traffic_add_total(&matrix.sent, 1, 3000, 3e6);
    traffic_add_total(&matrix.sent, 3, 50, 5000);
    traffic_add_total(&matrix.sent, 99, 1, 1);
    assert_int_equal(traffic_fill(snapshot, &matrix, 1, 2.0, true), 0);
    t = row(snapshot, 1, 2);
    assert_non_null(t);
    assert_true(fabs(t->bytes.value - 1e6) < 1);
    assert_true(t->bytes.error > 0 && t->bytes.error < 2e4);
    assert_int_equal(t->bytes.source, SNAPSHOT_SOURCE_SAMPLING);
    /* The rest of what it sent went outside, in UDP as seen there. */
    t = row(snapshot, 1, SNAPSHOT_OUTSIDE);
    assert_non_null(t);
    assert_true(fabs(t->bytes.value - 0.5e6) < 1);
    t = row(snapshot, 3, SNAPSHOT_OUTSIDE);
    assert_int_equal(t->bytes.source, SNAPSHOT_SOURCE_COUNTER);
    assert_int_equal(snapshot->nr_traffic, 3);
    assert_int_equal(t->from_vif, 0);
    assert_int_equal(t->to_vif, SNAPSHOT_NONE);
    snapshot_free(snapshot);

    /* Without samples all is with the outside, as counted. */
    snapshot = three_guests();
    assert_int_equal(traffic_fill(snapshot, &matrix, 1, 2.0, false), 0);
    t = row(snapshot, SNAPSHOT_OUTSIDE, 2);
    assert_non_null(t);
    assert_true(fabs(t->bytes.value - 1.005e6) < 1);
    assert_int_equal(t->bytes.source, SNAPSHOT_SOURCE_COUNTER);
    snapshot_free(snapshot);
    traffic_reset(&matrix);
}

/* Each pair of vifs by itself, by its own counters. */
static void test_fill_vifs(void **state)
{
    const uint64_t web = traffic_vif(1, 1), db = traffic_vif(2, 1);
    struct psample_sample sample = { .size_bytes = 1000, .rate = 10 };
    struct traffic_matrix matrix = { 0 };
    struct snapshot *snapshot = three_guests();

    (void)state;
    traffic_add(&matrix, web, db, &sample);
    traffic_add(&matrix, 1, 2, &sample);
    traffic_add(&matrix, web, 1, &sample);      /* to its own other vif */
    traffic_add_total(&matrix.received, db, 1e6, 1e9);
    traffic_add_total(&matrix.received, 2, 1000, 1e6);
    assert_int_equal(traffic_add_total(&matrix.sent, web, 1e6, 1e9), 0);
    assert_int_equal(traffic_add_total(&matrix.sent, 1, 4000, 4e6), 0);
    assert_int_equal(traffic_fill(snapshot, &matrix, 1, 1.0, true), 0);
    assert_int_equal(snapshot->nr_traffic, 3);
    assert_int_equal(snapshot->traffic[0].from_vif, 1);
    assert_int_equal(snapshot->traffic[0].to_vif, 1);
    assert_true(fabs(snapshot->traffic[0].bytes.value - 1e9) < 1);
    assert_int_equal(snapshot->traffic[1].from_vif, 0);
    assert_int_equal(snapshot->traffic[1].to_vif, 0);
    assert_true(fabs(snapshot->traffic[1].bytes.value - 1e6) < 1);
    assert_int_equal(snapshot->traffic[2].to, SNAPSHOT_OUTSIDE);
    assert_int_equal(snapshot->traffic[2].from_vif, 0);
    assert_true(fabs(snapshot->traffic[2].bytes.value - 3e6) < 1);
    traffic_reset(&matrix);
    snapshot_free(snapshot);
}

/* A load that runs 40 %, waits 25 % and is blocked 35 % of the time. */
static void test_sampling(void **state)
{
    enum { RUNS = 400, LOOKS = 400 };
    unsigned int run, i, within = 0, exact_within = 0;

    (void)state;
    srand48(1);
    for (run = 0; run < RUNS; run++) {
        struct sampling_counts counts = { 0 };
        struct snapshot_vcpu vcpu = { .online = true };

        for (i = 0; i < LOOKS; i++) {
            double x = drand48();
            bool beside = drand48() < 0.25;

            /* Beside the observer it is never seen running. */
            sampling_count(&counts, x < 0.4 && !beside, x >= 0.65, beside);
        }
        assert_true(sampling_fill(&counts, &vcpu));
        assert_int_equal(vcpu.utilisation.source, SNAPSHOT_SOURCE_SAMPLING);
        within += fabs(vcpu.wait.value - 0.25) <= 2 * vcpu.wait.error;
        vcpu.utilisation = (struct snapshot_value){
            0.4, 0, SNAPSHOT_SOURCE_COUNTER };
        assert_true(sampling_fill(&counts, &vcpu));
        exact_within += fabs(vcpu.wait.value - 0.25) <= 2 * vcpu.wait.error;
        assert_true(fabs(vcpu.utilisation.value + vcpu.wait.value +
                         vcpu.block.value - 1) < 1e-9);
    }
    print_message("sampling: %u and %u of %u within 2 errors\n", within,
                  exact_within, RUNS);
    assert_true(within >= 0.9 * RUNS && exact_within >= 0.9 * RUNS);
}

/* Looks that come when the vCPU has just been woken say so. */
static void test_sampling_off(void **state)
{
    struct sampling_counts counts = { .running = 300, .waiting = 400,
                                      .blocked = 300 };
    struct snapshot_vcpu vcpu = {
        .online = true,
        .utilisation = { 0.4, 0, SNAPSHOT_SOURCE_COUNTER },
    };
    double off;

    (void)state;
    assert_true(sampling_fill(&counts, &vcpu));
    off = vcpu.wait.error;
    vcpu.utilisation.value = 0.3;
    assert_true(sampling_fill(&counts, &vcpu));
    assert_true(vcpu.wait.error > SAMPLING_TOO_MUCH * vcpu.wait.value);
    assert_true(vcpu.wait.error < SAMPLING_TOO_MUCH * vcpu.wait.value + 0.01);
    assert_true(off > hypot(0.1, SAMPLING_TOO_MUCH * 0.6 * 4 / 7));
}

static void test_sampling_few(void **state)
{
    struct sampling_counts counts = { .running = SAMPLING_LOOKS_LEAST - 1,
                                      .left_out = 1000 };
    struct snapshot_vcpu vcpu = { .online = true };

    (void)state;
    assert_false(sampling_fill(&counts, &vcpu));
    assert_int_equal(vcpu.wait.source, SNAPSHOT_SOURCE_NONE);
    counts.running++;
    assert_true(sampling_fill(&counts, &vcpu));
    assert_true(vcpu.utilisation.value == 1 && vcpu.wait.value == 0);
    assert_true(vcpu.wait.error > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_coverage),
        cmocka_unit_test(test_fill),
        cmocka_unit_test(test_fill_vifs),
        cmocka_unit_test(test_sampling),
        cmocka_unit_test(test_sampling_off),
        cmocka_unit_test(test_sampling_few),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
