/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Isolation: by hard affinities, of all its vCPUs and of everybody else's, or
 * it is not called so.  What a plan says is held against the affinities.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generate.h"
#include "hosts.h"

/* VMs that float on eight cores; vm1 has two vCPUs. */
static struct snapshot *floating(uint64_t seed, uint32_t threads)
{
    struct generate options = {
        .sockets = 1, .cores = 8, .threads = threads, .vms = 4,
        .vcpus_min = 2, .vcpus_max = 2, .load = 0.2, .seed = seed,
    };
    struct snapshot *snapshot;

    assert_int_equal(generate(&snapshot, &options), 0);
    return snapshot;
}

/* Whether some vCPU of another VM may run on a core of vm1's vCPUs; these must
 * be bound. */
static bool alone(const struct snapshot *snapshot, uint32_t threads)
{
    const struct snapshot_domain *vm = &snapshot->domains[1];
    hwloc_bitmap_t cores = hwloc_bitmap_alloc();
    const struct snapshot_vcpu *vcpu;
    bool ok = true;
    unsigned pcpu;
    size_t i;

    for (i = 0; i < vm->vcpus_max; i++) {
        vcpu = &snapshot->vcpus[vm->first_vcpu + i];
        ok &= !hwloc_bitmap_isfull(vcpu->hard);
        if (!ok)
            break;
        hwloc_bitmap_foreach_begin(pcpu, vcpu->hard)
            hwloc_bitmap_set_range(cores, pcpu / threads * threads,
                                   (int)(pcpu / threads * threads + threads -
                                         1));
        hwloc_bitmap_foreach_end();
    }
    for (i = 0; i < snapshot->nr_vcpus && ok; i++) {
        vcpu = &snapshot->vcpus[i];
        if (vcpu->domain > 1)
            ok = !hwloc_bitmap_intersects(vcpu->hard, cores);
    }
    hwloc_bitmap_free(cores);
    return ok;
}

static const char *note_of(const struct plan *plan)
{
    size_t i;

    for (i = 0; i < plan->nr_notes; i++)
        if (plan->notes[i].kind == PLAN_NOTE_ISOLATED)
            return plan->notes[i].text;
    return "";
}

static size_t of_isolation(const struct plan *plan)
{
    size_t i, nr = 0;

    for (i = 0; i < plan->nr_steps; i++)
        nr += plan->steps[i].reason == PLAN_REASON_ISOLATION;
    return nr;
}

/* Whole and hard after one plan, which another plan finds done. */
static void test_whole(void **state)
{
    struct settings settings;
    struct snapshot *snapshot;
    struct plan *plan;
    uint32_t threads;
    uint64_t seed;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    assert_int_equal(settings_set(&settings, "isolated", "vm1", NULL), 0);
    for (seed = 1; seed < 7; seed++) {
        threads = 1 + seed % 2;
        snapshot = floating(seed, threads);
        plan = hosts_plan(snapshot, &settings, NULL);
        assert_non_null(strstr(note_of(plan), "vm1 is isolated, with this "
                               "plan"));
        assert_non_null(strstr(note_of(plan), "but for dom0"));
        assert_false(alone(snapshot, threads));
        hosts_apply(snapshot, plan);
        assert_true(alone(snapshot, threads));
        plan_free(plan);
        plan = hosts_plan(snapshot, &settings, NULL);
        assert_int_equal(of_isolation(plan), 0);
        assert_non_null(strstr(note_of(plan), "vm1 is isolated"));
        plan_free(plan);
        snapshot_free(snapshot);
    }
    settings_dispose(&settings);
}

/* Taken back when nobody asks for it any more: nobody stays squeezed. */
static void test_taken_back(void **state)
{
    struct snapshot *snapshot = floating(3, 1);
    struct settings settings;
    struct plan *plan;
    size_t i;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    assert_int_equal(settings_set(&settings, "isolated", "vm1", NULL), 0);
    plan = hosts_plan(snapshot, &settings, NULL);
    hosts_apply(snapshot, plan);
    plan_free(plan);
    assert_int_equal(settings_set(&settings, "isolated", "none", NULL), 0);
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_true(of_isolation(plan) > 0);
    hosts_apply(snapshot, plan);
    plan_free(plan);
    for (i = 0; i < snapshot->nr_vcpus; i++)
        assert_true(snapshot->vcpus[i].domain == 1 ||
                    hwloc_bitmap_isfull(snapshot->vcpus[i].hard) ||
                    hwloc_bitmap_weight(snapshot->vcpus[i].hard) == 1);
    settings_dispose(&settings);
    snapshot_free(snapshot);
}

/* No half of it: said, with the reason, and nothing pinned for its sake. */
static void assert_not(const struct snapshot *snapshot,
                       const struct settings *settings, const char *why)
{
    struct plan *plan = hosts_plan(snapshot, settings, NULL);

    if (!strstr(note_of(plan), "vm1 is NOT isolated") ||
        !strstr(note_of(plan), why))
        fail_msg("no '%s' in: %s", why, note_of(plan));
    assert_int_equal(of_isolation(plan), 0);
    plan_free(plan);
}

static void test_not(void **state)
{
    struct snapshot *snapshot = floating(2, 1);
    struct settings settings;
    struct snapshot_vcpu *vcpu;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    assert_int_equal(settings_set(&settings, "isolated", "vm1", NULL), 0);
    settings.max_moves = 3;
    assert_not(snapshot, &settings, "max-moves");
    settings.max_moves = 16;

    assert_int_equal(settings_set(&settings, "unmanaged", "vm3", NULL), 0);
    assert_not(snapshot, &settings, "vm3 may run anywhere");
    assert_int_equal(settings_set(&settings, "unmanaged", "vm1", NULL), 0);
    assert_not(snapshot, &settings, "vm1 may run anywhere");
    assert_int_equal(settings_set(&settings, "unmanaged", "none", NULL), 0);

    /* The administrator's own pin, soft: hard it is none. */
    vcpu = &snapshot->vcpus[snapshot->domains[1].first_vcpu];
    hwloc_bitmap_only(vcpu->soft, vcpu->pcpu);
    vcpu->soft_owner = SNAPSHOT_OWNER_ADMIN;
    assert_not(snapshot, &settings, "vm1 may run anywhere");
    settings_dispose(&settings);
    snapshot_free(snapshot);
}

/* Pinned hard by the administrator it needs nothing of its own. */
static void test_by_hand(void **state)
{
    struct snapshot *snapshot = floating(4, 1);
    struct settings settings;
    struct snapshot_vcpu *vcpu;
    struct plan *plan;
    size_t i;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    assert_int_equal(settings_set(&settings, "isolated", "vm1", NULL), 0);
    for (i = 0; i < 2; i++) {
        vcpu = &snapshot->vcpus[snapshot->domains[1].first_vcpu + i];
        vcpu->pcpu = 6 + (uint32_t)i;
        hwloc_bitmap_only(vcpu->hard, vcpu->pcpu);
        vcpu->hard_owner = SNAPSHOT_OWNER_ADMIN;
    }
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_non_null(strstr(note_of(plan), "pCPUs 6-7 are for it alone"));
    for (i = 0; i < plan->nr_steps; i++)
        assert_int_not_equal(plan->steps[i].subject[0].domid, 1);
    hosts_apply(snapshot, plan);
    assert_true(alone(snapshot, 1));
    plan_free(plan);
    settings_dispose(&settings);
    snapshot_free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole), cmocka_unit_test(test_taken_back),
        cmocka_unit_test(test_not), cmocka_unit_test(test_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
