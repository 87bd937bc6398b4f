/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cost model: what one move costs is the difference of the whole, no
 * numbering changes a plan, and no cost is more than was measured.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choose/cost.h"
#include "choose/entity.h"
#include "choose/field.h"
#include "choose/pairs.h"
#include "choose/text.h"
#include "generate.h"
#include "hosts.h"
#include "renumber.h"

static const char *const names[] = {
    "barred", "busy-pair", "chatty-node", "constraints", "cpu-bound",
    "distmin", "far", "floating-busy", "granularity", "hybrid13900", "idle",
    "idle-siblings", "idle-siblings-nowait", "isolated", "last-seen",
    "lone-memory", "lone-pair-88", "lone-pair-98", "no-link", "one-thread",
    "onto-the-waiting", "siblings", "talking", "two-pcpus", "xapi6240",
};
#define NAMES (sizeof names / sizeof *names)
#define MADE 8U

/* The idle counters that such vCPUs leave, if what floats runs anywhere. */
static void set_idle(struct snapshot *snapshot)
{
    double floating = 0, *busy = calloc(snapshot->nr_pcpus, sizeof *busy);
    const struct snapshot_vcpu *vcpu;
    size_t i;

    assert_non_null(busy);
    for (i = 0; i < snapshot->nr_vcpus; i++) {
        vcpu = &snapshot->vcpus[i];
        if (hwloc_bitmap_weight(vcpu->hard) == 1)
            busy[vcpu->pcpu] += vcpu->utilisation.value;
        else
            floating += vcpu->utilisation.value;
    }
    for (i = 0; i < snapshot->nr_pcpus; i++) {
        struct snapshot_value *idle = &snapshot->pcpus[i].idle;
        double part = fmin(floating, fmax(0, 1 - busy[i]) *
                                     (i % 2 ? 0.9 : 0.3));

        floating -= part;
        idle->value = fmax(0, 1 - busy[i] - part);
        idle->source = SNAPSHOT_SOURCE_COUNTER;
    }
    free(busy);
}

/* Inputs by number: the recorded hosts, then made-up ones. */
static struct snapshot *input(size_t nr)
{
    uint32_t seed = (uint32_t)(nr - NAMES);
    struct generate options = {
        .sockets = 1 + seed % 3, .cores = 4, .threads = 1 + seed % 2,
        .nodes_per_socket = 1 + seed / 2 % 2, .caches = seed / 4 % 2,
        .vms = 4 + seed % 7, .vcpus_min = 1, .vcpus_max = 2, .load = 0.25,
        .peers = 3, .bytes = 2e8, .pinned = seed % 3 == 1,
        .dom0_pinned = seed % 5 < 2, .seed = seed,
    };
    struct snapshot *snapshot;

    if (nr < NAMES)
        return hosts_load(names[nr]);
    assert_int_equal(generate(&snapshot, &options), 0);
    if (seed % 4 < 2)
        set_idle(snapshot);
    return snapshot;
}

struct host {
    struct choose_pairs pairs;
    struct choose_model *model;
    struct choose_placement *state;
};

static void host_open(struct host *host, const struct snapshot *snapshot,
                      const struct settings *settings)
{
    assert_int_equal(choose_pairs_new(&host->pairs, snapshot), 0);
    assert_int_equal(choose_model_new(&host->model, snapshot, settings, NULL,
                                      &host->pairs, NULL, false), 0);
    assert_int_equal(choose_placement_new(&host->state, host->model, 0), 0);
}

static void host_close(struct host *host)
{
    choose_placement_free(host->state);
    choose_model_free(host->model);
    choose_pairs_free(&host->pairs);
}

static double whole(const struct host *host)
{
    struct plan_cost cost;
    double penalty;

    choose_cost(host->model, host->state->slot, &cost, &penalty);
    return cost.total + penalty;
}

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-6;
}

/* Random moves: their cost by the field, by terms, and from the definition. */
static void test_field(void **state)
{
    double *cost, before, after;
    struct settings settings;
    struct snapshot *snapshot;
    struct choose_parts parts;
    uint32_t entity, slot, i;
    struct host host;
    uint64_t seed = 1;
    size_t nr;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (nr = 0; nr < NAMES + MADE; nr++) {
        snapshot = input(nr);
        settings.smt_sharing = nr % 4 == 3;
        if (snapshot->nr_domains > 2 && nr % 5 == 4)
            snapshot->domains[1].isolated = true;
        host_open(&host, snapshot, &settings);
        cost = calloc(host.model->nr_slots + 1, sizeof *cost);
        for (i = 0; i < 60; i++) {
            entity = generate_draw(&seed, host.model->nr_entities);
            slot = generate_draw(&seed, host.model->nr_slots + 1);
            if (slot == host.model->nr_slots)
                slot = host.model->entities[entity].home;
            before = whole(&host);
            choose_field(host.state, entity, cost);
            after = cost[slot] - cost[host.state->slot[entity]];
            before += after;
            assert_true(near(after, choose_cost_change(host.state, entity,
                                                       slot)));
            choose_parts(host.state, entity, slot, &parts);
            assert_true(near(choose_parts_cost(&parts) + parts.isolation +
                             parts.overload + parts.move, cost[slot]));
            choose_placement_move(host.state, entity, slot);
            if (fabs(whole(&host) - before) > 1e-6)
                fail_msg("input %zu: %g, by the field %g", nr, whole(&host),
                         before);
        }
        free(cost);
        host_close(&host);
        snapshot_free(snapshot);
    }
    settings_dispose(&settings);
}

static bool same_domains(const struct plan_step *p, const struct plan_step *q)
{
    bool straight = !memcmp(p->subject[0].uuid, q->subject[0].uuid, 16) &&
                    !memcmp(p->subject[1].uuid, q->subject[1].uuid, 16);

    return straight ||
           (!memcmp(p->subject[0].uuid, q->subject[1].uuid, 16) &&
            !memcmp(p->subject[1].uuid, q->subject[0].uuid, 16));
}

/* The same is decided, at the same cost; on which of several places that are
 * alike depends on their numbers. */
static void assert_alike(const char *what, size_t nr, const struct plan *p,
                         const struct plan *q)
{
    size_t i;

    if (!near(p->before.total, q->before.total) ||
        !near(p->after.total, q->after.total) ||
        !near(p->before.memory, q->before.memory) ||
        !near(p->before.distance, q->before.distance) ||
        p->nr_steps != q->nr_steps || p->nr_findings != q->nr_findings ||
        p->nr_notes != q->nr_notes)
        fail_msg("input %zu, other %s: %g -> %g in %zu steps, was %g -> %g in "
                 "%zu", nr, what, q->before.total, q->after.total, q->nr_steps,
                 p->before.total, p->after.total, p->nr_steps);
    for (i = 0; i < p->nr_steps; i++)
        if (p->steps[i].kind != q->steps[i].kind ||
            p->steps[i].vcpuid != q->steps[i].vcpuid ||
            !near(p->steps[i].gain, q->steps[i].gain) ||
            !same_domains(&p->steps[i], &q->steps[i]))
            fail_msg("input %zu, other %s: step %zu is %s, was %s", nr, what,
                     i, q->steps[i].command, p->steps[i].command);
}

static void test_renumber(void **state)
{
    struct settings settings;
    struct snapshot *snapshot;
    struct plan *plan, *again;
    size_t nr;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (nr = 0; nr < NAMES + MADE; nr++) {
        snapshot = input(nr);
        plan = hosts_plan(snapshot, &settings, NULL);
        renumber_pcpus(snapshot, nr);
        renumber_nodes(snapshot, nr + 1);
        renumber_domains(snapshot, nr + 2);
        assert_int_equal(snapshot_check(snapshot, NULL), 0);
        again = hosts_plan(snapshot, &settings, NULL);
        assert_alike("numbers", nr, plan, again);
        plan_free(again);
        renumber_seen(snapshot, nr + 3);
        again = hosts_plan(snapshot, &settings, NULL);
        assert_alike("place last seen", nr, plan, again);
        plan_free(again);
        plan_free(plan);
        snapshot_free(snapshot);
    }
    settings_dispose(&settings);
}

/* Tiny packets beyond reason, and waiting that was not measured. */
static void absurd(struct snapshot *snapshot, size_t nr)
{
    size_t i;

    for (i = 0; i < snapshot->nr_traffic; i++)
        snapshot->traffic[i].packets.value *= nr % 3 ? 1 : 1e4;
    for (i = 0; i < snapshot->nr_vcpus && nr % 2; i++)
        snapshot->vcpus[i].wait = snapshot->vcpus[i].block =
            (struct snapshot_value) { 0 };
}

/* No cost, before or after, is more than what was run and waited for; what is
 * gained is not more either, and no step of a plan adds up to a loss.  What was
 * waited for is in the cost, explained or not; vCPUs that Xen schedules as one
 * wait once. */
static void test_measured(void **state)
{
    double used, gain, pins, waited;
    struct settings settings;
    struct snapshot *snapshot;
    struct plan *plan;
    size_t nr, i;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (nr = 0; nr < NAMES + 3 * MADE; nr++) {
        snapshot = input(nr);
        if (nr >= NAMES + MADE)
            absurd(snapshot, nr);
        for (used = waited = 0, i = 0; i < snapshot->nr_vcpus; i++) {
            used += snapshot->vcpus[i].utilisation.value;
            waited += snapshot->vcpus[i].wait.value;
        }
        used += waited;
        plan = hosts_plan(snapshot, &settings, NULL);
        for (gain = pins = 0, i = 0; i < plan->nr_steps; i++) {
            gain += plan->steps[i].gain;
            if (plan->steps[i].to)
                pins += plan->steps[i].gain;
        }
        if (plan->before.total > used + 1e-6 ||
            (snapshot->pools[0].granularity <= SNAPSHOT_GRANULARITY_CPU &&
             plan->before.contention < waited - 1e-6) ||
            plan->after.total > plan->before.total + 1e-6 ||
            gain > used + 1e-6 || pins < -1e-6)
            fail_msg("input %zu: %g run and waited for; cost %g -> %g, "
                     "gain %g, by pins %g", nr, used, plan->before.total,
                     plan->after.total, gain, pins);
        plan_free(plan);
        snapshot_free(snapshot);
    }
    settings_dispose(&settings);
}

/* What a step says of the vCPU and of its new place is what was measured. */
static void assert_step(const struct snapshot *snapshot,
                        const struct plan_step *step)
{
    const struct snapshot_vcpu *vcpu =
        &snapshot->vcpus[snapshot->domains[snapshot_find_uuid(
            snapshot, step->subject[0].uuid)].first_vcpu + step->vcpuid];
    const struct snapshot_pcpu *pcpu;
    const char *text = strstr(step->text, "waits ");
    double percent;
    unsigned number;

    if (text && sscanf(text, "waits %lf", &percent) == 1 &&
        fabs(percent - 100 * vcpu->wait.value) > 0.51)
        fail_msg("%s: %s", step->command, step->text);
    text = strstr(step->text, "makes others wait");
    if (text)
        assert_true(vcpu->wait.value < 0.5);
    text = strstr(step->text, "pCPU ");
    while (text && sscanf(text, "pCPU %u was idle %lf", &number,
                          &percent) != 2)
        text = strstr(text + 1, "pCPU ");
    if (!text)
        return;
    pcpu = snapshot_find_pcpu(snapshot, number);
    if (fabs(percent - 100 * pcpu->idle.value) > 0.51 ||
        choose_demand(vcpu) > pcpu->idle.value + 1e-6)
        fail_msg("%s: %s", step->command, step->text);
}

/* Nothing that is wrong costs more than all of its kind do, and what is said
 * of traffic across nodes is the part that crosses. */
static void assert_findings(const struct snapshot *snapshot,
                            const struct plan *plan)
{
    double waiting = 0, memory = 0, value;
    const struct plan_finding *finding;
    char rate[32];
    size_t i;

    for (i = 0; i < plan->nr_findings; i++) {
        finding = &plan->findings[i];
        if (finding->kind == PLAN_FINDING_WAIT)
            waiting += finding->cost;
        if (finding->kind == PLAN_FINDING_MEMORY) {
            memory += finding->cost;
            assert_int_equal(sscanf(strstr(finding->text, " runs "),
                                    " runs %lf", &value), 1);
            assert_true(fabs(value - 100 * finding->value) < 0.51);
        }
        if (finding->kind == PLAN_FINDING_DISTANCE)
            assert_non_null(strstr(finding->text,
                                   choose_rate(rate, finding->value)));
    }
    if (snapshot->pools[0].granularity <= SNAPSHOT_GRANULARITY_CPU)
        assert_true(waiting <= plan->before.contention + 1e-6);
    assert_true(memory <= plan->before.memory + 1e-6);
}

static void test_sentences(void **state)
{
    struct settings settings;
    struct snapshot *snapshot;
    struct plan *plan;
    size_t nr, i;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (nr = 0; nr < NAMES + MADE; nr++) {
        snapshot = input(nr);
        /* One that its cap holds waits for nobody. */
        if (nr >= NAMES)
            snapshot->domains[1].cap = 1 + (uint32_t)(100 *
                snapshot->vcpus[snapshot->domains[1].first_vcpu].
                utilisation.value);
        plan = hosts_plan(snapshot, &settings, NULL);
        assert_findings(snapshot, plan);
        for (i = 0; i < plan->nr_steps; i++)
            if (plan->steps[i].to)
                assert_step(snapshot, &plan->steps[i]);
        plan_free(plan);
        snapshot_free(snapshot);
    }
    settings_dispose(&settings);
}

/* It runs half of its time on either of two nodes, and its memory is on one. */
static void test_half_away(void **state)
{
    struct snapshot *snapshot = hosts_load("lone-memory");
    struct settings settings;
    struct plan *plan;
    size_t i;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (i = 0; i < snapshot->nr_pcpus; i++)
        snapshot->pcpus[i].idle.value = 0.88;
    plan = hosts_plan(snapshot, &settings, NULL);
    assert_int_equal(plan->findings[0].kind, PLAN_FINDING_MEMORY);
    assert_true(near(plan->findings[0].value, 0.5));
    plan_free(plan);
    settings_dispose(&settings);
    snapshot_free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_field), cmocka_unit_test(test_renumber),
        cmocka_unit_test(test_measured), cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_half_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
