/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Choosing: whole plans against golden ones (tests/unit/hosts), and rules
 * that must hold whatever the plan is.  If a change of the advice is meant,
 * look at the differences and copy NAME.plan.new over NAME.plan.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generate.h"
#include "hosts.h"
#include "base/jsonio.h"
#include "choose/text.h"
#include "../texts.h"

/* The plan as lines that a reviewer can read. */
static char *describe(const struct plan *plan)
{
    char *text = NULL;
    size_t bytes, i;
    FILE *file = open_memstream(&text, &bytes);

    assert_non_null(file);
    fprintf(file, "cost %.3f -> %.3f\n", plan->before.total,
            plan->after.total);
    for (i = 0; i < plan->nr_findings; i++)
        fprintf(file, "finding %s: %s\n",
                plan_finding_kinds[plan->findings[i].kind],
                plan->findings[i].text);
    for (i = 0; i < plan->nr_steps; i++)
        fprintf(file, "step %s: %s (%s)\n",
                plan_reasons[plan->steps[i].reason],
                plan->steps[i].command, plan->steps[i].text);
    for (i = 0; i < plan->nr_notes; i++)
        fprintf(file, "note %s: %s\n",
                plan_note_kinds[plan->notes[i].kind],
                plan->notes[i].text);
    assert_int_equal(fclose(file), 0);
    return text;
}

/* The thresholds that are off by default. */
static void strict(struct settings *settings)
{
    settings->link_message_bytes = 1024;
    settings->link_headroom = 0.1;
}

static void golden(const char *name, const struct settings *settings)
{
    struct snapshot *snapshot = hosts_load(name);
    struct plan *plan = hosts_plan(snapshot, settings, NULL);
    char *now = describe(plan), *was, path[512];

    hosts_path(path, sizeof path, name, ".plan");
    was = texts_read(path);
    if (!was || strcmp(was, now)) {
        snprintf(path, sizeof path, "%s.plan.new", name);
        assert_int_equal(jsonio_write_file(path, now, 0666), 0);
        fail_msg("%s.plan is different: see %s\n%s", name, path, now);
    }
    free(was);
    free(now);
    plan_free(plan);
    snapshot_free(snapshot);
}

static void test_golden(void **state)
{
    static const char *const names[] = {
        "busy-pair", "two-pcpus", "cpu-bound", "siblings", "idle", "no-link",
        "chatty-node", "far", "isolated", "granularity", "talking",
        "two-vifs",
        /* What the model must not believe against what was measured. */
        "floating-busy", "last-seen", "idle-siblings", "idle-siblings-nowait",
        "one-thread", "onto-the-waiting", "lone-memory", "lone-pair-88",
        "lone-pair-98", "barred", "distmin", "distmin-r",
    };
    struct settings settings;
    size_t i;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    strict(&settings);
    for (i = 0; i < sizeof names / sizeof *names; i++)
        golden(names[i], &settings);
    assert_int_equal(settings_set(&settings, "banned-pcpus", "1", NULL), 0);
    golden("constraints", &settings);
    settings_dispose(&settings);
}

/* With no threshold either, what stays on a node does not go across. */
static void test_across_nodes(void **state)
{
    static const struct { const char *name; size_t nr; } hosts[] = {
        { "talking", 0 }, { "two-pcpus", 0 }, { "two-vifs", 0 },
        { "chatty-node", 0 }, { "constraints", 0 }, { "far", 1 },
        { "no-link", 3 },
    };
    struct settings settings;
    struct snapshot *snapshot;
    struct plan *plan;
    size_t i, k, nr;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    settings.move_gain = 0;
    for (i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        snapshot = hosts_load(hosts[i].name);
        plan = hosts_plan(snapshot, &settings, NULL);
        for (nr = 0, k = 0; k < plan->nr_findings; k++)
            nr += strstr(plan->findings[k].text, "across NUMA") != NULL;
        if (nr != hosts[i].nr)
            fail_msg("%s: %zu", hosts[i].name, nr);
        plan_free(plan);
        snapshot_free(snapshot);
    }
    settings_dispose(&settings);
}

static void test_empty(void **state)
{
    struct settings settings;
    struct snapshot *snapshot;
    struct plan *plan = NULL;
    char *why = NULL;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    assert_int_equal(snapshot_new(&snapshot), 0);
    assert_int_equal(choose(&plan, snapshot, &settings, NULL, &why), -EINVAL);
    assert_non_null(strstr(why, "no online pCPU"));
    assert_null(plan);
    free(why);
    snapshot_free(snapshot);
    settings_dispose(&settings);
}

static struct snapshot *crowd(uint64_t seed, uint32_t threads)
{
    struct generate options = {
        .sockets = 2, .cores = 4, .threads = threads, .caches = seed % 2,
        .vms = 5, .vcpus_min = 1, .vcpus_max = 2, .load = 0.2, .peers = 3,
        .bytes = 3e8, .pinned = seed % 3, .dom0_pinned = true, .seed = seed,
    };
    struct snapshot *snapshot;

    assert_int_equal(generate(&snapshot, &options), 0);
    return snapshot;
}

/* As crowd(), with more on each core than there is room for. */
static struct snapshot *throng(uint64_t seed, uint32_t cores,
                               uint32_t threads)
{
    struct generate options = {
        .sockets = 1, .cores = cores, .threads = threads, .vms = 2 * cores,
        .vcpus_min = 1, .vcpus_max = 2, .load = 0.3, .peers = 3,
        .bytes = 2e9, .pinned = true, .dom0_pinned = true, .seed = seed,
    };
    struct snapshot *snapshot;

    assert_int_equal(generate(&snapshot, &options), 0);
    return snapshot;
}

static bool same_core(const struct snapshot *snapshot, uint32_t a, uint32_t b)
{
    const struct snapshot_pcpu *p = snapshot_find_pcpu(snapshot, a);
    const struct snapshot_pcpu *q = snapshot_find_pcpu(snapshot, b);

    return p->core == q->core && p->socket == q->socket;
}

/* Of places that the plan changes, those on a core with a place of another VM;
 * `isolated`: one of the two is, else they are on different threads of it. */
static unsigned strangers(const struct plan *plan,
                          const struct snapshot *snapshot, bool isolated,
                          unsigned *moved)
{
    const struct plan_place *a, *b;
    unsigned nr = 0;
    size_t i, j;

    for (i = 0; i < plan->nr_places; i++) {
        a = &plan->places[i];
        if (a->pcpu_before == a->pcpu_after)
            continue;
        ++*moved;
        for (j = 0; j < plan->nr_places; j++) {
            b = &plan->places[j];
            if (a->domain.domid == b->domain.domid ||
                !same_core(snapshot, a->pcpu_after, b->pcpu_after))
                continue;
            if (isolated)
                nr += a->domain.domid == 1 || b->domain.domid == 1;
            else
                nr += a->pcpu_after != b->pcpu_after;
        }
    }
    return nr;
}

/* No load is high enough to put a VM on an isolated one's core. */
static void test_isolated(void **state)
{
    struct snapshot *snapshot;
    struct settings settings;
    unsigned moved = 0;
    struct plan *plan;
    uint64_t seed;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (seed = 1; seed < 20; seed++) {
        snapshot = throng(seed, 4, 1);
        snapshot->domains[1].isolated = true;
        plan = hosts_plan(snapshot, &settings, NULL);
        assert_int_equal(strangers(plan, snapshot, true, &moved), 0);
        plan_free(plan);
        snapshot_free(snapshot);
    }
    assert_true(moved > 20);
    settings_dispose(&settings);
}

/* No plan makes different VMs siblings on a core, unless that is asked for. */
static void test_siblings(void **state)
{
    struct snapshot *snapshot;
    struct settings settings;
    unsigned moved = 0, asked = 0, sharing = 0;
    struct plan *plan;
    uint64_t seed;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (seed = 1; seed < 20; seed++) {
        snapshot = throng(seed, 4, 2);
        plan = hosts_plan(snapshot, &settings, NULL);
        assert_int_equal(strangers(plan, snapshot, false, &moved), 0);
        plan_free(plan);
        settings.smt_sharing = true;
        plan = hosts_plan(snapshot, &settings, NULL);
        sharing += strangers(plan, snapshot, false, &asked);
        plan_free(plan);
        settings.smt_sharing = false;
        snapshot_free(snapshot);
    }
    assert_true(moved > 20);
    assert_true(sharing > 20);
    settings_dispose(&settings);
}

/* The same snapshot gives the same plan, also by way of a file. */
static void test_same(void **state)
{
    struct snapshot *snapshot, *read;
    struct settings settings;
    struct plan *first, *second;
    char *text, *a, *b;
    uint64_t seed;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (seed = 1; seed < 6; seed++) {
        snapshot = crowd(seed, 2);
        first = hosts_plan(snapshot, &settings, NULL);
        second = hosts_plan(snapshot, &settings, NULL);
        assert_int_equal(plan_format(first, &a), 0);
        assert_int_equal(plan_format(second, &b), 0);
        assert_string_equal(a, b);
        free(a);
        free(b);
        plan_free(second);
        assert_int_equal(texts_of_snapshot(snapshot, &text), 0);
        assert_int_equal(texts_snapshot(&read, text, strlen(text), NULL), 0);
        second = hosts_plan(read, &settings, NULL);
        assert_string_equal(first->id, second->id);
        free(text);
        plan_free(first);
        plan_free(second);
        snapshot_free(read);
        snapshot_free(snapshot);
    }
    settings_dispose(&settings);
}

/* With the plan applied, there is nothing to do: it does not flap. */
static void test_settled(void **state)
{
    static const char *const names[] = {
        "busy-pair", "two-pcpus", "siblings", "chatty-node", "far",
        "isolated", "granularity", "no-link",
    };
    struct snapshot *snapshot;
    struct settings settings;
    struct plan *plan;
    size_t i;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        snapshot = hosts_load(names[i]);
        plan = hosts_plan(snapshot, &settings, NULL);
        assert_true(plan->nr_steps > 0);
        hosts_apply(snapshot, plan);
        plan_free(plan);
        plan = hosts_plan(snapshot, &settings, NULL);
        if (plan->nr_steps)
            fail_msg("%s, applied, again: %s", names[i],
                     plan->steps[0].command);
        plan_free(plan);
        snapshot_free(snapshot);
    }
    for (i = 1; i < 20; i++) {
        snapshot = crowd(i, 1 + i % 2);
        plan = hosts_plan(snapshot, &settings, NULL);
        hosts_apply(snapshot, plan);
        plan_free(plan);
        plan = hosts_plan(snapshot, &settings, NULL);
        if (plan->nr_steps)
            fail_msg("crowd %zu, applied, again: %s", i,
                     plan->steps[0].command);
        plan_free(plan);
        snapshot_free(snapshot);
    }
    settings_dispose(&settings);
}

static void busy_dom0(struct snapshot *snapshot)
{
    struct snapshot_domain *dom0 = &snapshot->domains[0];
    struct snapshot_vcpu *vcpu;
    uint32_t i;

    for (i = 0; i < dom0->vcpus_max; i++) {
        vcpu = &snapshot->vcpus[dom0->first_vcpu + i];
        vcpu->pcpu = 1 + i;
        vcpu->utilisation.value = 0.6;
        vcpu->wait.value = 0.2;
        vcpu->block.value = 0.2;
    }
}

/* A load that was recorded before its link was up: dom0 has that no more. */
static void test_recorded_load(void **state)
{
    struct snapshot *snapshot = hosts_load("busy-pair");
    struct settings settings;
    struct plan *plan;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    settings.vif_byte_ns = 40;
    settings.hard_affinity = true;
    busy_dom0(snapshot);
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_non_null(hosts_step(plan, PLAN_LINK_ENABLE));
    assert_true(hosts_pins(plan) > 0);
    hosts_apply(snapshot, plan);
    plan_free(plan);
    busy_dom0(snapshot);
    plan = hosts_plan(snapshot, &settings, NULL);
    if (plan->nr_steps)
        fail_msg("applied, again: %s", plan->steps[0].command);
    plan_free(plan);
    snapshot_free(snapshot);
    settings_dispose(&settings);
}

/* Few moves are few, and a small gain is none. */
static void test_limits(void **state)
{
    struct snapshot *snapshot = crowd(4, 2);
    struct settings settings;
    struct plan *plan;
    double gain = 0, now;
    uint32_t moves;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (moves = 0; moves < 5; moves++) {
        settings.max_moves = moves;
        plan = hosts_plan(snapshot, &settings, NULL);
        assert_true(hosts_pins(plan) <= moves);
        now = plan->before.total - plan->after.total;
        assert_true(now >= gain - 1e-9);
        gain = now;
        plan_free(plan);
    }
    settings.min_gain = 1000;
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_int_equal(hosts_pins(plan), 0);
    assert_true(hosts_has_note(plan, PLAN_NOTE_MIN_GAIN));
    plan_free(plan);
    snapshot_free(snapshot);
    settings_dispose(&settings);
}

/* Where there is one place, no step says so: one pCPU, or one in the pool. */
static void test_one_place(void **state)
{
    struct generate options = {
        .sockets = 1, .cores = 1, .threads = 1, .vms = 4, .vcpus_min = 1,
        .vcpus_max = 2, .load = 0.4, .peers = 3, .bytes = 1e8,
    };
    struct snapshot *snapshot;
    struct settings settings;
    struct plan *plan;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (options.seed = 1; options.seed < 12; options.seed++) {
        options.sockets = 1 + options.seed % 2;
        assert_int_equal(generate(&snapshot, &options), 0);
        if (options.sockets == 2) {
            snapshot->pcpus[1].pool = SNAPSHOT_NONE;
            hwloc_bitmap_only(snapshot->pools[0].pcpus, 0);
        }
        plan = hosts_plan(snapshot, &settings, NULL);
        assert_int_equal(hosts_pins(plan), 0);
        plan_free(plan);
        snapshot_free(snapshot);
    }
    settings_dispose(&settings);
}

/* Nothing goes where it must not, whatever the load. */
static void test_constraints(void **state)
{
    struct settings settings;
    struct snapshot *snapshot;
    struct plan *plan;
    uint64_t seed;
    size_t i, v;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    assert_int_equal(settings_set(&settings, "banned-pcpus", "2-3", NULL), 0);
    assert_int_equal(settings_set(&settings, "dom0-pcpus", "0-1", NULL), 0);
    assert_int_equal(settings_set(&settings, "unmanaged", "vm2", NULL), 0);
    for (seed = 1; seed < 30; seed++) {
        snapshot = crowd(seed, 2);
        v = snapshot->domains[1].first_vcpu;
        snapshot->vcpus[v].hard_owner = SNAPSHOT_OWNER_ADMIN;
        snapshot->domains[3].managed = false;
        plan = hosts_plan(snapshot, &settings, NULL);
        for (i = 0; i < plan->nr_steps; i++) {
            const struct plan_step *step = &plan->steps[i];

            if (!step->to)
                continue;
            assert_int_not_equal(step->subject[0].domid, 0);
            assert_int_not_equal(step->subject[0].domid, 2);
            assert_int_not_equal(step->subject[0].domid, 3);
            assert_true(step->subject[0].domid != 1 || step->vcpuid != 0);
            assert_false(hwloc_bitmap_intersects(step->to,
                                                 settings.banned_pcpus));
            assert_false(hwloc_bitmap_intersects(step->to,
                                                 settings.dom0_pcpus));
        }
        assert_true(hosts_has_note(plan, PLAN_NOTE_ADMIN_PIN));
        assert_true(hosts_has_note(plan, PLAN_NOTE_UNMANAGED));
        assert_true(hosts_has_note(plan, PLAN_NOTE_BANNED));
        plan_free(plan);
        snapshot_free(snapshot);
    }
    settings_dispose(&settings);
}

/* What the administrator set is changed only where that is asked for. */
static void test_override(void **state)
{
    struct snapshot *snapshot = hosts_load("constraints");
    const struct plan_step *step;
    struct settings settings;
    struct plan *plan;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    settings.override_pins = true;
    plan = hosts_plan(snapshot, &settings, NULL);
    step = hosts_step(plan, PLAN_PIN_HARD);
    if (!step)
        step = hosts_step(plan, PLAN_PIN_SOFT);
    assert_non_null(step);
    assert_true(step->subject[0].domid == 1 || step->subject[0].domid == 2);
    assert_false(hwloc_bitmap_isset(step->to, 3));
    assert_false(hosts_has_note(plan, PLAN_NOTE_ADMIN_PIN));
    plan_free(plan);

    settings.override_pins = false;
    settings.hard_affinity = true;
    snapshot->vcpus[snapshot->domains[2].first_vcpu].soft_owner =
        SNAPSHOT_OWNER_NONE;
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_null(hosts_step(plan, PLAN_PIN_SOFT));
    step = hosts_step(plan, PLAN_PIN_HARD);
    assert_non_null(step);
    assert_int_equal(step->subject[0].domid, 2);
    assert_true(hwloc_bitmap_isfull(step->from));
    plan_free(plan);
    snapshot_free(snapshot);
    settings_dispose(&settings);
}

static bool says(const struct plan *plan, const char *text)
{
    size_t i;

    for (i = 0; i < plan->nr_notes; i++)
        if (strstr(plan->notes[i].text, text))
            return true;
    return false;
}

/* What the administrator's pins keep is said, with the option. */
static void test_kept(void **state)
{
    struct snapshot *snapshot = hosts_load("busy-pair");
    struct settings settings;
    struct snapshot_vcpu *vcpu;
    struct plan *plan;
    size_t i;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (i = 1; i <= 2; i++) {
        vcpu = &snapshot->vcpus[snapshot->domains[i].first_vcpu];
        hwloc_bitmap_only(vcpu->hard, 3);
        vcpu->hard_owner = SNAPSHOT_OWNER_ADMIN;
    }
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_true(says(plan, "pCPUs from being gained: with override-pins"));
    plan_free(plan);
    settings.override_pins = true;
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_true(hosts_pins(plan) > 0);
    assert_false(says(plan, "override-pins"));
    plan_free(plan);
    /* Pins that keep nothing are only named. */
    settings.override_pins = false;
    hwloc_bitmap_only(snapshot->vcpus[snapshot->domains[1].first_vcpu].hard,
                      2);
    for (i = 1; i <= 2; i++)
        snapshot->vcpus[snapshot->domains[i].first_vcpu].wait.value = 0;
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_true(hosts_has_note(plan, PLAN_NOTE_ADMIN_PIN));
    assert_false(says(plan, "override-pins"));
    plan_free(plan);
    snapshot_free(snapshot);
    settings_dispose(&settings);
}

static bool busy_pair(const struct snapshot *snapshot, uint32_t a, uint32_t b)
{
    const struct snapshot_traffic *traffic;
    size_t i;

    for (i = 0; i < snapshot->nr_traffic; i++) {
        traffic = &snapshot->traffic[i];
        if (traffic->bytes.value > 1e7 &&
            ((traffic->from == a && traffic->to == b) ||
             (traffic->from == b && traffic->to == a)))
            return true;
    }
    return false;
}

/* Two vCPUs of different VMs where there are cores enough. */
static void assert_apart(const struct snapshot *snapshot,
                         const struct plan_place *a,
                         const struct plan_place *b)
{
    if (a->domain.domid == b->domain.domid ||
        a->pcpu_after / 2 != b->pcpu_after / 2)
        return;
    /* Quiet ones may take turns on one thread, or stay where they are. */
    if (a->pcpu_after != b->pcpu_after &&
        (a->pcpu_after != a->pcpu_before || b->pcpu_after != b->pcpu_before))
        fail_msg("%s and %s on sibling threads %u and %u", a->domain.name,
                 b->domain.name, a->pcpu_after, b->pcpu_after);
    /* What hardly runs hardly waits, whatever it is said to send. */
    if (fmin(a->load_after, b->load_after) >= 0.05 &&
        busy_pair(snapshot, a->domain.domid, b->domain.domid))
        fail_msg("%s and %s, a busy pair, on pCPU %u", a->domain.name,
                 b->domain.name, a->pcpu_after);
}

static void test_cores(void **state)
{
    struct settings settings;
    struct snapshot *snapshot;
    struct plan *plan;
    uint64_t seed;
    size_t i, j;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    settings.max_moves = 1000;
    settings.move_gain = 0;
    for (seed = 1; seed < 20; seed++) {
        struct generate options = {
            .sockets = 2, .cores = 8, .threads = 2, .caches = true, .vms = 6,
            .vcpus_min = 1, .vcpus_max = 2, .load = 0.4, .peers = 4,
            .bytes = 1e9, .pinned = true, .dom0_pinned = true, .seed = seed,
        };

        assert_int_equal(generate(&snapshot, &options), 0);
        plan = hosts_plan(snapshot, &settings, NULL);
        for (i = 0; i < plan->nr_places; i++)
            for (j = 0; j < i; j++)
                assert_apart(snapshot, &plan->places[i], &plan->places[j]);
        plan_free(plan);
        snapshot_free(snapshot);
    }
    settings_dispose(&settings);
}

/* Cooldown, and a plan that went badly. */
static void test_history(void **state)
{
    struct snapshot *snapshot = hosts_load("busy-pair");
    struct past_change change = { .kind = PAST_PIN };
    struct past past = { .changes = &change, .nr_changes = 1 };
    char *bad[1];
    struct settings settings;
    struct plan *plan, *again;
    size_t i;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_int_equal(hosts_pins(plan), 2);

    memcpy(change.uuid[0], snapshot->domains[1].uuid, 16);
    change.time = snapshot->time - 100;
    again = hosts_plan(snapshot, &settings, &past);
    for (i = 0; i < again->nr_steps; i++)
        assert_true(!again->steps[i].to ||
                    again->steps[i].subject[0].domid != 1);
    assert_true(hosts_has_note(again, PLAN_NOTE_COOLDOWN));
    plan_free(again);
    change.time = snapshot->time - settings.cooldown_sec;
    again = hosts_plan(snapshot, &settings, &past);
    assert_string_equal(again->id, plan->id);
    plan_free(again);

    bad[0] = plan->id;
    past.bad_plans = bad;
    past.nr_bad_plans = 1;
    again = hosts_plan(snapshot, &settings, &past);
    assert_int_equal(again->nr_steps, 0);
    assert_true(hosts_has_note(again, PLAN_NOTE_BAD_PLAN));
    assert_true(again->after.total == again->before.total);
    plan_free(again);
    plan_free(plan);
    snapshot_free(snapshot);
    settings_dispose(&settings);
}

/* An added vCPU is taken back when it is not used, another never. */
static void test_take_back(void **state)
{
    struct snapshot *snapshot = hosts_load("cpu-bound");
    struct snapshot_domain *sender = &snapshot->domains[1];
    struct snapshot_vcpu *vcpus = &snapshot->vcpus[sender->first_vcpu];
    struct past_change change = {
        .kind = PAST_VCPUS_ADDED, .vcpus = 1, .vcpus_online = 2,
    };
    struct past past = { .changes = &change, .nr_changes = 1 };
    struct settings settings;
    struct plan *plan;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    sender->vcpus_online = 2;
    vcpus[1].online = true;
    vcpus[1].pcpu = 1;
    vcpus[0].utilisation.value = vcpus[1].utilisation.value = 0.2;
    vcpus[0].block.value = vcpus[1].block.value = 0.79;
    vcpus[1].utilisation.source = SNAPSHOT_SOURCE_TRACE;
    memcpy(change.uuid[0], sender->uuid, 16);

    plan = hosts_plan(snapshot, &settings, NULL);
    assert_null(hosts_step(plan, PLAN_SET_VCPUS));
    plan_free(plan);
    plan = hosts_plan(snapshot, &settings, &past);
    assert_non_null(hosts_step(plan, PLAN_SET_VCPUS));
    assert_int_equal(hosts_step(plan, PLAN_SET_VCPUS)->vcpus_to, 1);
    assert_string_equal(hosts_step(plan, PLAN_SET_VCPUS)->command,
                        "xl vcpu-set sender 1");
    plan_free(plan);
    /* It was started anew with two, or somebody set that. */
    change.vcpus_online = 3;
    plan = hosts_plan(snapshot, &settings, &past);
    assert_null(hosts_step(plan, PLAN_SET_VCPUS));
    plan_free(plan);
    change.vcpus_online = 2;
    vcpus[1].utilisation.value = 0.4;
    plan = hosts_plan(snapshot, &settings, &past);
    assert_null(hosts_step(plan, PLAN_SET_VCPUS));
    plan_free(plan);
    snapshot_free(snapshot);
    settings_dispose(&settings);
}

static void no_link_expect(const struct snapshot *snapshot, const char *why)
{
    struct settings settings;
    struct plan *plan;
    bool told = false;
    size_t i;

    assert_int_equal(settings_init(&settings), 0);
    strict(&settings);
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_int_equal(!hosts_step(plan, PLAN_LINK_ENABLE), why != NULL);
    for (i = 0; why && i < plan->nr_notes; i++)
        told |= strstr(plan->notes[i].text, why) != NULL;
    assert_int_equal(told, why != NULL);
    plan_free(plan);
    settings_dispose(&settings);
}

static struct snapshot_domain *named(const struct snapshot *snapshot,
                                     const char *name)
{
    size_t i;

    for (i = 0; i < snapshot->nr_domains; i++)
        if (!strcmp(snapshot->domains[i].name, name))
            return &snapshot->domains[i];
    fail_msg("no %s", name);
    return NULL;
}

/* What forbids a link is told, and no link is advised. */
static void test_link_forbidden(void **state)
{
    struct snapshot *snapshot = hosts_load("no-link");
    struct snapshot_domain *pair[2] = { named(snapshot, "bot"),
                                        named(snapshot, "full") };
    size_t i;

    (void)state;
    no_link_expect(snapshot, NULL);
    pair[1]->vifs[0].no_link = strdup("vif4.0 of full is down");
    no_link_expect(snapshot, "bot and full: vif4.0 of full is down");
    /* Nothing is against their second pair, if that is what it goes by. */
    for (i = 0; i < 2; i++) {
        snapshot_add_vif(pair[i])->bridge = strdup("storage");
        pair[i]->vifs[1].devid = 1;
        pair[i]->vifs[1].vlans = strdup("1pu");
    }
    no_link_expect(snapshot, "bot and full: by which of their vifs it goes");
    for (i = 0; i < snapshot->nr_traffic; i++)
        snapshot->traffic[i].from_vif = snapshot->traffic[i].to_vif =
            &snapshot->domains[snapshot->traffic[i].from] == pair[0] ||
            &snapshot->domains[snapshot->traffic[i].to] == pair[0];
    no_link_expect(snapshot, NULL);
    strcpy(pair[1]->vifs[1].vlans, "2pu");
    no_link_expect(snapshot, "bot:1 and full:1: their vifs are in different "
                   "VLANs");
    strcpy(pair[1]->vifs[1].vlans, "1pu");
    pair[0]->vifs[1].mac[5] = pair[1]->vifs[1].mac[5] = 9;
    no_link_expect(snapshot, "bot:1 and full:1: their vifs have the same "
                   "MAC");
    snapshot_free(snapshot);
}

/* One that was refused is not asked for again, until it was enabled. */
static void test_link_refused(void **state)
{
    struct snapshot *snapshot = hosts_load("no-link");
    struct past_change change[2] = { { .kind = PAST_LINK_REFUSED },
                                   { .kind = PAST_LINK_DISABLED } };
    struct past past = { .changes = change, .nr_changes = 1 };
    struct settings settings;
    struct plan *plan;
    size_t i;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    strict(&settings);
    settings.cooldown_sec = 60;
    for (i = 0; i < 2; i++) {
        memcpy(change[i].uuid[1], named(snapshot, "bot")->uuid, 16);
        memcpy(change[i].uuid[0], named(snapshot, "full")->uuid, 16);
        change[i].time = snapshot->time - 1000 + (int64_t)i;
    }
    plan = hosts_plan(snapshot, &settings, &past);
    assert_null(hosts_step(plan, PLAN_LINK_ENABLE));
    assert_true(hosts_has_note(plan, PLAN_NOTE_COOLDOWN));
    plan_free(plan);
    past.nr_changes = 2;
    plan = hosts_plan(snapshot, &settings, &past);
    assert_non_null(hosts_step(plan, PLAN_LINK_ENABLE));
    plan_free(plan);
    settings_dispose(&settings);
    snapshot_free(snapshot);
}

/* What chat and bot exchange. */
static void chat_goes_by(struct snapshot *snapshot, enum snapshot_via via)
{
    size_t i;

    for (i = 0; i < snapshot->nr_traffic; i++)
        if (snapshot->traffic[i].from <= 2 && snapshot->traffic[i].to <= 2)
            snapshot->traffic[i].via = via;
}

/* A link goes off only when it fell well below, and only if it was ours. */
static void test_link_off(void **state)
{
    struct snapshot *snapshot = hosts_load("no-link");
    struct past_change change = { .kind = PAST_LINK_ENABLED };
    struct past past = { .changes = &change, .nr_changes = 1 };
    struct snapshot_link *link = snapshot_add_link(snapshot);
    struct settings settings;
    struct plan *plan;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    strict(&settings);
    strcpy(link->nonce, "00112233445566778899aabbccddeeff");
    link->up = true;
    link->end[0].domain = 1;
    link->end[1].domain = 2;
    link->end[1].counters_ok = true;
    chat_goes_by(snapshot, SNAPSHOT_VIA_LINK);
    /* The other way round than it is in the snapshot. */
    memcpy(change.uuid[1], snapshot->domains[1].uuid, 16);
    memcpy(change.uuid[0], snapshot->domains[2].uuid, 16);

    plan = hosts_plan(snapshot, &settings, NULL);
    assert_null(hosts_step(plan, PLAN_LINK_DISABLE));
    plan_free(plan);
    plan = hosts_plan(snapshot, &settings, &past);
    assert_non_null(hosts_step(plan, PLAN_LINK_DISABLE));
    assert_string_equal(hosts_step(plan, PLAN_LINK_DISABLE)->nonce,
                        link->nonce);
    assert_string_equal(hosts_step(plan, PLAN_LINK_DISABLE)->command,
                        "xl shmlink disable chat bot");
    plan_free(plan);
    /* What was enabled was their link by other vifs. */
    change.vif[0] = 1;
    plan = hosts_plan(snapshot, &settings, &past);
    assert_null(hosts_step(plan, PLAN_LINK_DISABLE));
    plan_free(plan);
    change.vif[0] = 0;
    /* Neither guest answers: nobody knows what it carries. */
    link->end[1].counters_ok = false;
    chat_goes_by(snapshot, SNAPSHOT_VIA_VIF);
    plan = hosts_plan(snapshot, &settings, &past);
    assert_null(hosts_step(plan, PLAN_LINK_DISABLE));
    assert_true(hosts_has_note(plan, PLAN_NOTE_DATA));
    plan_free(plan);
    link->end[1].counters_ok = true;
    chat_goes_by(snapshot, SNAPSHOT_VIA_LINK);
    /* Above half of the threshold it stays, below all of it none is made. */
    settings.link_message_bytes = 130;
    plan = hosts_plan(snapshot, &settings, &past);
    assert_null(hosts_step(plan, PLAN_LINK_DISABLE));
    plan_free(plan);
    /* However much goes beside it. */
    chat_goes_by(snapshot, SNAPSHOT_VIA_VIF);
    plan = hosts_plan(snapshot, &settings, &past);
    assert_non_null(hosts_step(plan, PLAN_LINK_DISABLE));
    plan_free(plan);
    snapshot_free(snapshot);
    settings_dispose(&settings);
}

/* What advice says of web and db, and what it does about it. */
static void two_vifs_expect(const struct snapshot *snapshot, const char *note,
                            const char *command)
{
    struct settings settings;
    const struct plan_step *step;
    struct plan *plan;
    bool told = false;
    size_t i;

    assert_int_equal(settings_init(&settings), 0);
    plan = hosts_plan(snapshot, &settings, NULL);
    for (i = 0; note && i < plan->nr_notes; i++)
        told |= strstr(plan->notes[i].text, note) != NULL;
    assert_int_equal(told, note != NULL);
    step = hosts_step(plan, PLAN_LINK_ENABLE);
    assert_int_equal(step != NULL, command != NULL);
    if (step) {
        assert_string_equal(step->command, command);
        assert_int_equal(step->vif[0], 1);
        assert_int_equal(step->vif[1], 1);
        assert_true(step->gain > 0.4);
        assert_true(plan->before.path - plan->after.path > 0.4);
    } else {
        assert_true(fabs(plan->before.path - plan->after.path) < 1e-6);
    }
    plan_free(plan);
    settings_dispose(&settings);
}

static void two_vifs_go_by(struct snapshot *snapshot, uint32_t vif)
{
    size_t i;

    for (i = 0; i < 2; i++)
        snapshot->traffic[i].from_vif = snapshot->traffic[i].to_vif = vif;
}

/* A gain is for what a link would carry, and a link has what it carries. */
static void test_two_vifs(void **state)
{
    struct snapshot *snapshot = hosts_load("two-vifs");
    struct snapshot_domain *db = named(snapshot, "db");

    (void)state;
    /* By the front network is a link: so it must be the other one. */
    two_vifs_expect(snapshot, NULL, "xl shmlink enable web:1 db:1");
    two_vifs_go_by(snapshot, 1);
    two_vifs_expect(snapshot, NULL, "xl shmlink enable web:1 db:1");
    /* Measured beside their link: another one would not help. */
    two_vifs_go_by(snapshot, 0);
    two_vifs_expect(snapshot, "web:0 and db:0 exchange 114.0 MB/s by way of "
                    "dom0 beside their link", NULL);
    /* Without that link. */
    snapshot->nr_links = 0;
    snapshot->nr_traffic = 3;
    two_vifs_go_by(snapshot, SNAPSHOT_NONE);
    two_vifs_expect(snapshot, "web and db: by which of their vifs it goes was "
                    "not measured", NULL);
    two_vifs_go_by(snapshot, 1);
    two_vifs_expect(snapshot, NULL, "xl shmlink enable web:1 db:1");
    /* A limit counts where the traffic is. */
    db->vifs[0].no_link = strdup("it has a rate limit");
    two_vifs_expect(snapshot, NULL, "xl shmlink enable web:1 db:1");
    two_vifs_go_by(snapshot, 0);
    two_vifs_expect(snapshot, "web:0 and db:0: it has a rate limit", NULL);
    snapshot->traffic[0].to_vif = snapshot->traffic[1].from_vif = 1;
    two_vifs_expect(snapshot, "on different bridges", NULL);
    snapshot_free(snapshot);
}

/* A sender that is busy with a bulk stream gets a link all the same. */
static void test_bulk(void **state)
{
    struct snapshot *snapshot = hosts_load("cpu-bound");
    struct settings settings;
    struct plan *plan;
    size_t i;
    bool found;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    strict(&settings);
    assert_int_equal(snapshot->traffic[1].from, 3);
    for (i = 0; i < 2; i++) {
        snapshot->traffic[1].packets.value =
            snapshot->traffic[1].bytes.value / (i ? 8192 : 8191);
        plan = hosts_plan(snapshot, &settings, NULL);
        found = false;
        for (size_t k = 0; k < plan->nr_steps; k++)
            found |= plan->steps[k].kind == PLAN_LINK_ENABLE &&
                     plan->steps[k].subject[1].domid == 3;
        assert_int_equal(found, i);
        plan_free(plan);
    }
    snapshot_free(snapshot);
    settings_dispose(&settings);
}

/* By default neither small packets nor a busy guest speak against a link. */
static void test_any_link(void **state)
{
    static const char *const names[] = { "no-link", "cpu-bound" };
    struct snapshot *snapshot;
    struct settings settings;
    struct plan *plan;
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        assert_int_equal(settings_init(&settings), 0);
        snapshot = hosts_load(names[i]);
        plan = hosts_plan(snapshot, &settings, NULL);
        assert_non_null(hosts_step(plan, PLAN_LINK_ENABLE));
        assert_false(hosts_has_note(plan, PLAN_NOTE_NO_LINK));
        plan_free(plan);
        snapshot_free(snapshot);
        settings_dispose(&settings);
    }
}

/* Not all links at once, but those first that gain most. */
static void test_max_links(void **state)
{
    struct snapshot *snapshot = hosts_load("chatty-node");
    struct settings settings;
    struct plan *plan;
    size_t i, nr = 0;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    settings.max_links = 2;
    /* One pair is busier than the others. */
    snapshot->traffic[7].bytes.value *= 2;
    plan = hosts_plan(snapshot, &settings, NULL);
    for (i = 0; i < plan->nr_steps; i++)
        nr += plan->steps[i].kind == PLAN_LINK_ENABLE;
    assert_int_equal(nr, 2);
    assert_true(hosts_has_note(plan, PLAN_NOTE_MAX_MOVES));
    for (i = 0, nr = 0; i < plan->nr_steps; i++)
        nr += plan->steps[i].kind == PLAN_LINK_ENABLE &&
              plan->steps[i].subject[0].domid == 2 &&
              plan->steps[i].subject[1].domid == 4;
    assert_int_equal(nr, 1);
    plan_free(plan);
    snapshot_free(snapshot);
    settings_dispose(&settings);
}

/* A name that a shell would mistake is not in a command. */
static void test_names(void **state)
{
    struct snapshot *snapshot = hosts_load("busy-pair");
    struct settings settings;
    struct plan *plan;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    free(snapshot->domains[1].name);
    snapshot->domains[1].name = strdup("$(reboot) ");
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_string_equal(plan->steps[1].command, "xl vcpu-pin 1 0 - 0");
    plan_free(plan);
    /* One that another domain has too names neither. */
    free(snapshot->domains[1].name);
    snapshot->domains[1].name = strdup(snapshot->domains[2].name);
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_string_equal(plan->steps[0].command, "xl vcpu-pin 2 0 - 2");
    assert_string_equal(plan->steps[1].command, "xl vcpu-pin 1 0 - 0");
    plan_free(plan);
    snapshot_free(snapshot);
    settings_dispose(&settings);
}

/* Two domains of one UUID are left alone, and the plan can be loaded. */
static void test_twins(void **state)
{
    struct snapshot *snapshot = hosts_load("busy-pair");
    struct plan *plan, *loaded = NULL;
    struct settings settings;
    char *text = NULL, *why = NULL;
    size_t i, notes = 0;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_non_null(hosts_step(plan, PLAN_LINK_ENABLE));
    plan_free(plan);

    memcpy(snapshot->domains[2].uuid, snapshot->domains[1].uuid, 16);
    assert_int_equal(snapshot_check(snapshot, NULL), 0);
    assert_int_equal(snapshot->domains[1].twin, 2);
    assert_int_equal(snapshot->domains[2].twin, 1);
    plan = hosts_plan(snapshot, &settings, NULL);
    for (i = 0; i < plan->nr_steps; i++) {
        assert_int_not_equal(plan->steps[i].subject[0].domid, 1);
        assert_int_not_equal(plan->steps[i].subject[0].domid, 2);
        assert_null(plan->steps[i].subject[1].name);
    }
    for (i = 0; i < plan->nr_notes; i++)
        notes += strstr(plan->notes[i].text, "(domain 1)") &&
                 strstr(plan->notes[i].text, "(domain 2)") &&
                 strstr(plan->notes[i].text, "the same UUID");
    assert_int_equal(notes, 2);
    assert_int_equal(plan_format(plan, &text), 0);
    if (texts_plan(&loaded, text, strlen(text), &why))
        fail_msg("%s", why);
    plan_free(loaded);
    free(text);
    plan_free(plan);

    /* dom0 is left alone then even if it may be moved. */
    settings.move_dom0 = true;
    memcpy(snapshot->domains[1].uuid, snapshot->domains[0].uuid, 16);
    assert_int_equal(snapshot_check(snapshot, NULL), 0);
    plan = hosts_plan(snapshot, &settings, NULL);
    for (i = 0; i < plan->nr_steps; i++)
        assert_true(plan->steps[i].subject[0].domid >= 2);
    plan_free(plan);
    snapshot_free(snapshot);
    settings_dispose(&settings);
}

/* Of more findings than can be kept the dear ones are, and all are counted. */
static void test_many_findings(void **state)
{
    struct snapshot *snapshot = hosts_load("busy-pair");
    struct plan *plan = NULL;
    unsigned i;

    (void)state;
    assert_int_equal(plan_new(&plan), 0);
    for (i = 0; i < 100000; i++) {
        const struct plan_finding like = {
            .kind = PLAN_FINDING_WAIT, .cost = i * 7919 % 100000,
        };

        choose_add_finding(plan, snapshot, &like, 1, SNAPSHOT_OUTSIDE,
                           "the %.0f dearest", like.cost);
    }
    assert_false(plan->no_memory);
    choose_sort_findings(plan);
    assert_true(plan->nr_findings >= 1000);
    assert_int_equal(plan->nr_findings + plan->findings_left_out, 100000);
    for (i = 0; i < plan->nr_findings; i++)
        assert_true(plan->findings[i].cost == 99999 - i);
    plan_free(plan);
    snapshot_free(snapshot);
}

static void assert_numbers(const struct snapshot *snapshot,
                           const struct settings *settings)
{
    struct plan *plan = hosts_plan(snapshot, settings, NULL);
    size_t i;

    assert_true(isfinite(plan->before.total) && isfinite(plan->after.total));
    assert_true(isfinite(plan->before.path) && isfinite(plan->after.path));
    for (i = 0; i < plan->nr_findings; i++)
        assert_true(isfinite(plan->findings[i].value));
    plan_free(plan);
}

/* Where nothing runs, or nothing goes between two that wait for each other. */
static void test_numbers(void **state)
{
    struct generate options = {
        .sockets = 2, .cores = 1, .threads = 2, .vms = 2, .vcpus_min = 1,
        .vcpus_max = 1, .load = 0.01, .peers = 1, .bytes = 1, .pinned = true,
        .seed = 3,
    };
    struct settings settings;
    struct snapshot *snapshot;
    size_t i;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    assert_int_equal(generate(&snapshot, &options), 0);
    settings.move_gain = 0;
    for (i = 0; i < snapshot->nr_vcpus; i++)
        snapshot->vcpus[i].utilisation.value = 0;
    assert_numbers(snapshot, &settings);
    snapshot_free(snapshot);

    options.sockets = 1;
    assert_int_equal(generate(&snapshot, &options), 0);
    for (i = 0; i < snapshot->nr_vcpus; i++) {
        snapshot->vcpus[i].utilisation.value = 0.01;
        snapshot->vcpus[i].wait.value = 0.98;
        snapshot->vcpus[i].block.value = 0.01;
    }
    assert_true(snapshot->nr_traffic > 0);
    for (i = 0; i < snapshot->nr_traffic; i++)
        snapshot->traffic[i].bytes.value = snapshot->traffic[i].packets.value =
            0;
    assert_numbers(snapshot, &settings);
    snapshot_free(snapshot);
    settings_dispose(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty), cmocka_unit_test(test_golden),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_across_nodes),
        cmocka_unit_test(test_isolated), cmocka_unit_test(test_siblings),
        cmocka_unit_test(test_same), cmocka_unit_test(test_settled),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_one_place),
        cmocka_unit_test(test_constraints),
        cmocka_unit_test(test_cores), cmocka_unit_test(test_override),
        cmocka_unit_test(test_history), cmocka_unit_test(test_kept),
        cmocka_unit_test(test_recorded_load),
        cmocka_unit_test(test_take_back), cmocka_unit_test(test_link_off),
        cmocka_unit_test(test_two_vifs),
        cmocka_unit_test(test_link_forbidden),
        cmocka_unit_test(test_link_refused),
        cmocka_unit_test(test_bulk), cmocka_unit_test(test_any_link),
        cmocka_unit_test(test_max_links),
        cmocka_unit_test(test_names), cmocka_unit_test(test_twins),
        cmocka_unit_test(test_many_findings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
