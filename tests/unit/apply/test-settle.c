/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Goal: what counts as worse after applying, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "model/plan.h"
#include "apply/settle.h"
#include "model/snapshot.h"

struct numbers
{
    double bytes, run, wait, switches;
    double bytes_off, wait_off; /* the first and last part are off so much */
    double others_bytes; /* of VMs that the plan does not touch */
    bool unknown;        /* waiting and switches were not measured */
    bool sampled;        /* waiting: by looking at random times, */
    double wait_error;   /* with this error of each of the two */
};

/* Part i, of which the mean is what n says. */
static struct snapshot *snapshot_of(const struct numbers *n, int part)
{
    double off = part - (SETTLE_PARTS - 1) / 2.0;
    struct snapshot *s = NULL;
    struct snapshot_traffic *t;
    unsigned int i;

    off /= (SETTLE_PARTS - 1) / 2.0;
    assert_int_equal(snapshot_new(&s), 0);
    s->duration = 2;
    for (i = 0; i < 4; i++) {
        struct snapshot_domain *d = snapshot_add_domain(s);
        struct snapshot_vcpu *v;

        d->domid = i + 1;
        memset(d->uuid, (int)i + 1, 16);
        d->name = strdup("vm");
        d->vcpus_max = d->vcpus_online = 1;
        v = snapshot_add_vcpu(s);
        v->online = true;
        if (i > 1)
            continue;
        v->utilisation.value = n->run / 2;
        v->wait.value = (n->wait + off * n->wait_off) / 2;
        v->wait.error = n->wait_error;
        v->switches.value = n->switches / 2;
        v->utilisation.source = SNAPSHOT_SOURCE_COUNTER;
        if (!n->unknown)
            v->wait.source = v->switches.source = SNAPSHOT_SOURCE_TRACE;
        if (n->sampled)
            v->wait.source = SNAPSHOT_SOURCE_SAMPLING;
    }
    t = snapshot_add_traffic(s);
    t->from = 0;
    t->to = 1;
    t->bytes.value = n->bytes + off * n->bytes_off;
    t = snapshot_add_traffic(s);
    t->from = 2;
    t->to = 3;
    t->bytes.value = n->others_bytes;
    assert_int_equal(snapshot_check(s, NULL), 0);
    return s;
}

static struct settle_series series_of(const struct numbers *n)
{
    struct settle_series series;
    int i;

    for (i = 0; i < SETTLE_PARTS; i++)
        series.parts[i] = snapshot_of(n, i);
    return series;
}

/* One that concerns the first two VMs. */
static struct plan *plan_of_two(void)
{
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
    return plan;
}

static void expect(enum settle_outcome outcome, struct numbers before,
                   struct numbers after)
{
    struct settle_series b = series_of(&before), a = series_of(&after);
    struct settle_verdict verdict;
    struct plan *plan = plan_of_two();

    settle_judge(plan, &b, &a, &verdict);
    assert_int_equal(verdict.outcome, outcome);
    assert_non_null(strstr(verdict.text, "before"));
    settle_series_dispose(&a);
    settle_series_dispose(&b);
    plan_free(plan);
}

static void test_throughput(void **state)
{
    const struct numbers n = { .bytes = 100e6, .run = 1.5, .wait = 0.3,
                               .switches = 5000, .others_bytes = 5e6 };
    struct numbers m = n;

    (void)state;
    expect(SETTLE_SAME, n, n);
    m.bytes = 120e6;
    m.wait = 0.6; /* more work may wait more */
    expect(SETTLE_BETTER, n, m);
    m = n;
    m.bytes = 80e6;
    expect(SETTLE_WORSE, n, m);
    m.bytes_off = 10e6; /* as it varies, so much is worse all the same */
    expect(SETTLE_WORSE, n, m);
    m.bytes_off = 30e6; /* and here it is not */
    expect(SETTLE_SAME, n, m);
    expect(SETTLE_SAME, m, n);
    m = n;
    m.bytes = 95e6; /* within the margin */
    expect(SETTLE_SAME, n, m);
    m = n;
    m.others_bytes = 0; /* not concerned */
    expect(SETTLE_SAME, n, m);
}

static void test_load_went_away(void **state)
{
    const struct numbers n = { .bytes = 100e6, .run = 1.5, .wait = 0.3,
                               .switches = 5000 };
    struct numbers m = { .bytes = 1e6, .run = 0.05, .switches = 50 };

    (void)state;
    expect(SETTLE_UNKNOWN, n, m);
    m.run = 1.4; /* still as busy, and carries nothing: worse */
    expect(SETTLE_WORSE, n, m);
}

static void test_wait(void **state)
{
    const struct numbers n = { .bytes = 100e6, .run = 1.5, .wait = 0.3,
                               .switches = 5000 };
    struct numbers m = n;

    (void)state;
    m.wait = 0.6;
    expect(SETTLE_WORSE, n, m);
    m.wait = 0.1;
    expect(SETTLE_BETTER, n, m);
    m.wait = 0.34; /* less than SETTLE_WAIT_PCPUS more */
    expect(SETTLE_SAME, n, m);
    m.wait = 0.6;
    m.wait_off = 0.4;
    expect(SETTLE_SAME, n, m);
    m.wait_off = 0;
    m.wait_error = 0.06; /* of the trace: seen in how the parts differ */
    expect(SETTLE_WORSE, n, m);
    m.sampled = true; /* but of sampling each part has it */
    expect(SETTLE_SAME, n, m);
}

static void test_switches(void **state)
{
    const struct numbers n = { .bytes = 100e6, .run = 1.5, .wait = 0.3,
                               .switches = 5000 };
    struct numbers m = n;

    (void)state;
    m.switches = 9000;
    expect(SETTLE_WORSE, n, m);
    m.switches = 1000;
    expect(SETTLE_BETTER, n, m);
    m.switches = 6000;
    expect(SETTLE_SAME, n, m);
}

static void judge_one_unknown(const struct numbers *n,
                              const struct numbers *m)
{
    struct settle_series b = series_of(n), a = series_of(n);
    struct settle_verdict verdict;
    struct plan *plan = plan_of_two();

    snapshot_free(a.parts[3]);
    a.parts[3] = snapshot_of(m, 3);
    settle_judge(plan, &b, &a, &verdict);
    assert_int_equal(verdict.outcome, SETTLE_SAME);
    assert_true(verdict.before.wait.mean == 0);
    settle_series_dispose(&a);
    settle_series_dispose(&b);
    plan_free(plan);
}

/* Another has taken the trace buffer meanwhile, or given it back. */
static void test_not_measured(void **state)
{
    const struct numbers n = { .bytes = 100e6, .run = 1.5, .wait = 0.3,
                               .switches = 5000 };
    const struct numbers m = { .bytes = 100e6, .run = 1.5, .unknown = true };

    (void)state;
    expect(SETTLE_SAME, n, m);
    expect(SETTLE_SAME, m, n);
    judge_one_unknown(&n, &m);
}

static void test_nothing_known(void **state)
{
    const struct numbers n = { 0 };
    struct settle_verdict verdict;
    struct settle_series s = series_of(&n);
    struct plan *plan = NULL;

    (void)state;
    assert_int_equal(plan_new(&plan), 0);
    settle_judge(plan, &s, &s, &verdict); /* concerns nobody */
    assert_int_equal(verdict.outcome, SETTLE_UNKNOWN);
    plan_free(plan);
    settle_series_dispose(&s);
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
