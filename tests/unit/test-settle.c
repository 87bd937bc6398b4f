/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Goal: what counts as worse after applying, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "plan.h"
#include "settle.h"
#include "snapshot.h"

struct numbers
{
    double bytes, bytes_error, run, wait, wait_error, switches;
    double others_bytes; /* of VMs that the plan does not touch */
    bool unknown;        /* waiting and switches were not measured */
};

static struct snapshot *snapshot_of(const struct numbers *n)
{
    struct snapshot *s = NULL;
    struct snapshot_traffic *t;
    unsigned int i;

    assert_int_equal(snapshot_new(&s), 0);
    s->duration = 10;
    for (i = 0; i < 4; i++) {
        struct snapshot_domain *d = snapshot_add_domain(s);
        struct snapshot_vcpu *v;

        d->domid = i + 1;
        memset(d->uuid, (int)i + 1, 16);
        d->vcpus_max = d->vcpus_online = 1;
        v = snapshot_add_vcpu(s);
        v->online = true;
        if (i > 1)
            continue;
        v->utilisation.value = n->run / 2;
        v->wait.value = n->wait / 2;
        v->wait.error = n->wait_error;
        v->switches.value = n->switches / 2;
        v->utilisation.source = SNAPSHOT_SOURCE_COUNTER;
        if (!n->unknown)
            v->wait.source = v->switches.source = SNAPSHOT_SOURCE_TRACE;
    }
    t = snapshot_add_traffic(s);
    t->from = 0;
    t->to = 1;
    t->bytes.value = n->bytes;
    t->bytes.error = n->bytes_error;
    t = snapshot_add_traffic(s);
    t->from = 2;
    t->to = 3;
    t->bytes.value = n->others_bytes;
    return s;
}

static void expect(enum settle_outcome outcome, struct numbers before,
                   struct numbers after)
{
    struct snapshot *b = snapshot_of(&before), *a = snapshot_of(&after);
    struct settle_verdict verdict;
    struct plan *plan = NULL;
    struct plan_step *step;
    uint8_t uuid[16];

    assert_int_equal(plan_new(&plan), 0);
    step = plan_add_step(plan);
    step->kind = PLAN_LINK_ENABLE;
    memset(uuid, 1, 16);
    assert_int_equal(plan_domain_set(&step->subject[0], uuid, 1, "a"), 0);
    memset(uuid, 2, 16);
    assert_int_equal(plan_domain_set(&step->subject[1], uuid, 2, "b"), 0);
    settle_judge(plan, b, a, &verdict);
    assert_int_equal(verdict.outcome, outcome);
    assert_non_null(strstr(verdict.text, "before"));
    snapshot_free(a);
    snapshot_free(b);
    plan_free(plan);
}

static void test_throughput(void **state)
{
    const struct numbers n = { 100e6, 1e6, 1.5, 0.3, 0.01, 5000, 5e6, false };
    struct numbers m = n;

    (void)state;
    expect(SETTLE_SAME, n, n);
    m.bytes = 120e6;
    m.wait = 0.6; /* more work may wait more */
    expect(SETTLE_BETTER, n, m);
    m = n;
    m.bytes = 80e6;
    expect(SETTLE_WORSE, n, m);
    m.bytes_error = 30e6; /* within the error */
    expect(SETTLE_SAME, n, m);
    m = n;
    m.bytes = 95e6; /* within the margin */
    expect(SETTLE_SAME, n, m);
    m = n;
    m.others_bytes = 0; /* not concerned */
    expect(SETTLE_SAME, n, m);
}

static void test_load_went_away(void **state)
{
    const struct numbers n = { 100e6, 1e6, 1.5, 0.3, 0.01, 5000, 0, false };
    struct numbers m = { 1e6, 1e5, 0.05, 0.0, 0.01, 50, 0, false };

    (void)state;
    expect(SETTLE_UNKNOWN, n, m);
    m.run = 1.4; /* still as busy, and carries nothing: worse */
    expect(SETTLE_WORSE, n, m);
}

static void test_wait(void **state)
{
    const struct numbers n = { 100e6, 1e6, 1.5, 0.3, 0.01, 5000, 0, false };
    struct numbers m = n;

    (void)state;
    m.wait = 0.6;
    expect(SETTLE_WORSE, n, m);
    m.wait = 0.1;
    expect(SETTLE_BETTER, n, m);
    m.wait = 0.34; /* less than SETTLE_WAIT_PCPUS more */
    expect(SETTLE_SAME, n, m);
    m.wait = 0.6;
    m.wait_error = 0.2;
    expect(SETTLE_SAME, n, m);
}

static void test_switches(void **state)
{
    const struct numbers n = { 100e6, 1e6, 1.5, 0.3, 0.01, 5000, 0, false };
    struct numbers m = n;

    (void)state;
    m.switches = 9000;
    expect(SETTLE_WORSE, n, m);
    m.switches = 1000;
    expect(SETTLE_BETTER, n, m);
    m.switches = 6000;
    expect(SETTLE_SAME, n, m);
}

/* Another has taken the trace buffer meanwhile, or given it back. */
static void test_not_measured(void **state)
{
    const struct numbers n = { 100e6, 1e6, 1.5, 0.3, 0.01, 5000, 0, false };
    const struct numbers m = { 100e6, 1e6, 1.5, 0, 0, 0, 0, true };

    (void)state;
    expect(SETTLE_SAME, n, m);
    expect(SETTLE_SAME, m, n);
}

static void test_nothing_known(void **state)
{
    const struct numbers n = { 0 };
    struct settle_verdict verdict;
    struct snapshot *s = snapshot_of(&n);
    struct plan *plan = NULL;

    (void)state;
    assert_int_equal(plan_new(&plan), 0);
    settle_judge(plan, s, s, &verdict); /* concerns nobody */
    assert_int_equal(verdict.outcome, SETTLE_UNKNOWN);
    plan_free(plan);
    snapshot_free(s);
    expect(SETTLE_SAME, n, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_throughput),
        cmocka_unit_test(test_load_went_away),
        cmocka_unit_test(test_wait),
        cmocka_unit_test(test_switches),
        cmocka_unit_test(test_not_measured),
        cmocka_unit_test(test_nothing_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
