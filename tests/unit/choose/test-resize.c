/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which senders get a vCPU: as many as there is room for, and only senders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generate.h"
#include "hosts.h"

/* It has one vCPU of its two online, which runs all the time, and sends. */
static void starve(struct snapshot *snapshot, size_t from, size_t to,
                   double bytes, double packets)
{
    struct snapshot_domain *domain = &snapshot->domains[from];
    struct snapshot_vcpu *vcpus = &snapshot->vcpus[domain->first_vcpu];
    struct snapshot_traffic *traffic = snapshot_add_traffic(snapshot);

    domain->vcpus_online = 1;
    vcpus[0].utilisation.value = 0.99;
    vcpus[0].wait.value = vcpus[0].block.value = 0;
    vcpus[1].online = false;
    vcpus[1].utilisation.value = 0;
    hwloc_bitmap_fill(vcpus[1].hard);
    vcpus[1].hard_owner = SNAPSHOT_OWNER_NONE;
    assert_non_null(traffic);
    traffic->from = from;
    traffic->to = to;
    traffic->bytes.value = bytes;
    traffic->packets.value = packets;
    traffic->bytes.source = traffic->packets.source =
        SNAPSHOT_SOURCE_SAMPLING;
}

/*
 * Five VMs of one vCPU that run all the time on eight cores of one thread, and
 * could have two; each sends 5 MB/s to a sixth.
 */
static struct snapshot *senders(void)
{
    struct generate options = {
        .sockets = 1, .cores = 8, .threads = 1, .vms = 6, .vcpus_min = 2,
        .vcpus_max = 2, .load = 0.01, .seed = 7,
    };
    struct snapshot *snapshot;
    size_t i;

    assert_int_equal(generate(&snapshot, &options), 0);
    for (i = 1; i <= 5; i++) {
        starve(snapshot, i, 6, 5e6, 5e3);
        snapshot->vcpus[snapshot->domains[i].first_vcpu].pcpu = (uint32_t)i;
    }
    return snapshot;
}

static size_t grown(const struct plan *plan)
{
    size_t i, nr = 0;

    for (i = 0; i < plan->nr_steps; i++)
        nr += plan->steps[i].kind == PLAN_SET_VCPUS &&
              plan->steps[i].vcpus_to > plan->steps[i].vcpus_from;
    return nr;
}

/* Five want one, two fit below node-cap; never a plan that predicts harm. */
static void test_room(void **state)
{
    static const double loads[] = { 0.99, 0.97, 0.95, 0.92 };
    struct snapshot *snapshot = senders();
    struct settings settings;
    struct plan *plan;
    size_t i, k;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_int_equal(grown(plan), 2);
    assert_true(hosts_has_note(plan, PLAN_NOTE_MAXVCPUS));
    assert_true(plan->after.total <= plan->before.total);
    plan_free(plan);
    for (i = 0; i < 4; i++) {
        for (k = 1; k <= 5; k++)
            snapshot->vcpus[snapshot->domains[k].first_vcpu].
                utilisation.value = loads[i];
        for (k = 0; k <= 10; k++) {
            settings.node_cap = 0.5 + 0.05 * (double)k;
            plan = hosts_plan(snapshot, &settings, NULL);
            assert_true(plan->after.total <= plan->before.total + 1e-9);
            plan_free(plan);
        }
    }
    settings_dispose(&settings);
    snapshot_free(snapshot);
}

/* What the steps promise, in all. */
static double promised(const struct plan *plan)
{
    double gain = 0;
    size_t i;

    for (i = 0; i < plan->nr_steps; i++)
        gain += plan->steps[i].gain;
    return gain;
}

/* Hosts of all kinds, of which half of the VMs want one: no plan does harm, or
 * promises by its steps what its costs do not. */
static void test_harm(void **state)
{
    struct settings settings;
    struct plan *plan;
    uint64_t seed, draw;
    size_t d, nr = 0;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (seed = 1; seed < 16; seed++) {
        struct generate options = {
            .sockets = 1 + seed % 2, .cores = 4, .threads = 1 + seed / 2 % 2,
            .vms = 3 + seed % 6, .vcpus_min = 2, .vcpus_max = 2, .load = 0.3,
            .peers = 2, .bytes = 1e8, .pinned = seed / 4 % 2,
            .dom0_pinned = seed / 8 % 2, .seed = seed,
        };
        struct snapshot *snapshot;

        draw = seed;
        assert_int_equal(generate(&snapshot, &options), 0);
        for (d = 1; d < snapshot->nr_domains; d++)
            if (generate_draw(&draw, 2))
                starve(snapshot, d, d == 1 ? 2 : 1, 1e7, 1e4);
        plan = hosts_plan(snapshot, &settings, NULL);
        assert_true(plan->after.total <= plan->before.total + 1e-9);
        assert_true(promised(plan) <= plan->before.total - plan->after.total +
                                      1e-6);
        nr += grown(plan);
        plan_free(plan);
        snapshot_free(snapshot);
    }
    assert_true(nr > 5);
    settings_dispose(&settings);
}

/* A vCPU that is added and stays afloat has no pCPU that could be told. */
static void test_afloat(void **state)
{
    struct snapshot *snapshot = senders();
    struct settings settings;
    struct plan *plan;
    size_t i, nr = 0;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    settings.max_moves = 0;
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_int_equal(grown(plan), 2);
    for (i = 0; i < plan->nr_places; i++) {
        if (plan->places[i].pcpu_before != PLAN_NONE)
            continue;
        assert_int_equal(plan->places[i].pcpu_after, PLAN_NONE);
        nr++;
    }
    assert_true(nr >= 2);
    plan_free(plan);
    settings_dispose(&settings);
    snapshot_free(snapshot);
}

/* What lacks most, then what sends most, wherever it stands. */
static void test_order(void **state)
{
    struct snapshot *snapshot = senders();
    struct settings settings;
    struct plan *plan;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    snapshot->traffic[3].bytes.value = 6e6;
    snapshot->vcpus[snapshot->domains[5].first_vcpu].utilisation.value = 1;
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_int_equal(grown(plan), 2);
    assert_string_equal(plan->steps[0].command, "xl vcpu-set vm5 2");
    assert_string_equal(plan->steps[1].command, "xl vcpu-set vm4 2");
    plan_free(plan);
    settings_dispose(&settings);
    snapshot_free(snapshot);
}

/* A VM that computes and hardly sends is none. */
static void test_computes(void **state)
{
    struct snapshot *snapshot = senders();
    struct settings settings;
    struct plan *plan;
    size_t i;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (i = 0; i < 5; i++) {
        snapshot->traffic[i].bytes.value = 1.1e6;
        snapshot->traffic[i].packets.value = 800;
    }
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_int_equal(grown(plan), 0);
    for (i = 0; i < plan->nr_findings; i++)
        assert_int_not_equal(plan->findings[i].kind, PLAN_FINDING_CPU_BOUND);
    plan_free(plan);
    settings.bound_share = 0;
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_int_equal(grown(plan), 2);
    plan_free(plan);
    settings_dispose(&settings);
    snapshot_free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room), cmocka_unit_test(test_harm),
        cmocka_unit_test(test_afloat),
        cmocka_unit_test(test_order), cmocka_unit_test(test_computes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
