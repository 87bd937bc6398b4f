/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pairs get a link: what gains most first, what the other side answers,
 * and what the administrator's groups have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generate.h"
#include "hosts.h"

/* VMs that do not talk, on cores enough. */
static struct snapshot *silent(uint32_t vms)
{
    struct generate options = {
        .sockets = 2, .cores = 8, .threads = 1, .vms = vms, .vcpus_min = 1,
        .vcpus_max = 1, .load = 0.05, .seed = 5,
    };
    struct snapshot *snapshot;

    assert_int_equal(generate(&snapshot, &options), 0);
    return snapshot;
}

/* Between domids, which are indices here. */
static void send(struct snapshot *snapshot, size_t from, size_t to,
                 double bytes, double packets)
{
    struct snapshot_traffic *traffic = snapshot_add_traffic(snapshot);

    assert_non_null(traffic);
    traffic->from = from;
    traffic->to = to;
    traffic->bytes = (struct snapshot_value){
        .value = bytes, .source = SNAPSHOT_SOURCE_SAMPLING };
    traffic->packets = (struct snapshot_value){
        .value = packets, .source = SNAPSHOT_SOURCE_SAMPLING };
}

static void talk(struct snapshot *snapshot, size_t from, size_t to,
                 double bytes)
{
    send(snapshot, from, to, bytes, bytes / 1000);
    send(snapshot, to, from, bytes / 100, bytes / 10000);
}

static struct plan *plan_with(const struct snapshot *snapshot,
                              const char *name, const char *value,
                              uint32_t max_moves)
{
    struct settings settings;
    struct plan *plan;

    assert_int_equal(settings_init(&settings), 0);
    settings.max_moves = max_moves;
    if (name)
        assert_int_equal(settings_set(&settings, name, value, NULL), 0);
    plan = hosts_plan(snapshot, &settings, NULL);
    settings_dispose(&settings);
    return plan;
}

static size_t links(const struct plan *plan)
{
    size_t i, nr = 0;

    for (i = 0; i < plan->nr_steps; i++)
        nr += plan->steps[i].kind == PLAN_LINK_ENABLE;
    return nr;
}

static const char *noted(const struct plan *plan, const char *text)
{
    size_t i;

    for (i = 0; i < plan->nr_notes; i++)
        if (strstr(plan->notes[i].text, text))
            return plan->notes[i].text;
    return NULL;
}

/* A guest has 64 links: they are for the busiest of its peers. */
static void test_hub(void **state)
{
    struct snapshot *snapshot = silent(81);
    struct plan *plan;
    char command[64];
    size_t i;

    (void)state;
    for (i = 2; i <= 81; i++)
        talk(snapshot, 1, i, 1e6 * (double)i);
    plan = plan_with(snapshot, "max-links", "70", 0);
    assert_int_equal(links(plan), 64);
    for (i = 0; i < 64; i++) {
        snprintf(command, sizeof command, "xl shmlink enable vm1 vm%zu",
                 81 - i);
        assert_string_equal(plan->steps[i].command, command);
    }
    plan_free(plan);
    plan = plan_with(snapshot, "max-links", "2", 0);
    assert_int_equal(links(plan), 2);
    assert_string_equal(plan->steps[1].command, "xl shmlink enable vm1 vm80");
    plan_free(plan);
    snapshot_free(snapshot);
}

/* What is sent to one that does not answer is told, and in no plan: one that
 * is saved is carried out like any other. */
static void test_unanswered(void **state)
{
    struct snapshot *snapshot = silent(4);
    struct plan *plan;

    (void)state;
    send(snapshot, 1, 2, 1e9, 1e5);
    send(snapshot, 2, 1, 60 * 900, 900);
    talk(snapshot, 3, 4, 2e6);
    plan = plan_with(snapshot, NULL, NULL, 0);
    assert_int_equal(links(plan), 1);
    assert_string_equal(plan->steps[0].command, "xl shmlink enable vm3 vm4");
    assert_non_null(noted(plan, "no link between vm1 and vm2: one of them "
                          "does not answer"));
    plan_free(plan);
    /* One packet in a hundred is an answer. */
    snapshot->traffic[1].packets.value = 1001;
    plan = plan_with(snapshot, NULL, NULL, 0);
    assert_int_equal(links(plan), 2);
    plan_free(plan);
    snapshot_free(snapshot);
}

/* Nor does it bring the sender near. */
static void test_no_neighbour(void **state)
{
    struct snapshot *snapshot = hosts_load("far");
    struct snapshot_link *link;
    struct plan *plan;

    (void)state;
    snapshot->traffic[0].bytes.value = 2e9;
    plan = plan_with(snapshot, "memory-slowdown", "0", 16);
    assert_int_equal(hosts_pins(plan), 1);
    plan_free(plan);
    /* Answered by the vif, beside a link that carries nothing. */
    link = snapshot_add_link(snapshot);
    assert_non_null(link);
    link->up = true;
    memset(link->nonce, '1', 32);
    link->end[0].domain = 1;
    link->end[1].domain = 2;
    link->end[0].counters_ok = link->end[1].counters_ok = true;
    plan = plan_with(snapshot, "memory-slowdown", "0", 16);
    assert_int_equal(hosts_pins(plan), 1);
    plan_free(plan);
    snapshot->nr_links = 0;
    snapshot->nr_traffic = 1;
    plan = plan_with(snapshot, "memory-slowdown", "0", 16);
    assert_int_equal(hosts_pins(plan), 0);
    plan_free(plan);
    snapshot_free(snapshot);
}

static void test_groups(void **state)
{
    struct snapshot *snapshot = silent(4);
    struct plan *plan;

    (void)state;
    talk(snapshot, 1, 2, 5e6);
    talk(snapshot, 3, 4, 5e6);
    talk(snapshot, 1, 4, 5e6);
    plan = plan_with(snapshot, "link-group", "vm1, vm2, vm3", 0);
    assert_int_equal(links(plan), 1);
    assert_string_equal(plan->steps[0].command, "xl shmlink enable vm1 vm2");
    assert_non_null(noted(plan, "vm3 and vm4: no link-group has both"));
    assert_non_null(noted(plan, "vm1 and vm4: no link-group has both"));
    plan_free(plan);
    snapshot_free(snapshot);
}

/* A link that was advised and that no group has now goes; others stay. */
static void test_stray(void **state)
{
    struct snapshot *snapshot = silent(4);
    struct past_change change = { .kind = PAST_LINK_ENABLED };
    struct past past = { .changes = &change, .nr_changes = 1 };
    struct settings settings;
    struct plan *plan;
    size_t i;

    (void)state;
    talk(snapshot, 1, 2, 5e6);
    talk(snapshot, 3, 4, 5e6);
    for (i = 0; i < 4; i++) {
        snapshot->traffic[i].via = SNAPSHOT_VIA_LINK;
        if (i % 2 == 0) {
            struct snapshot_link *link = snapshot_add_link(snapshot);

            link->up = true;
            memset(link->nonce, '1' + (int)i, 32);
            link->end[0].domain = i + 1;
            link->end[1].domain = i + 2;
        }
    }
    memcpy(change.uuid[0], snapshot->domains[1].uuid, 16);
    memcpy(change.uuid[1], snapshot->domains[2].uuid, 16);
    assert_int_equal(settings_init(&settings), 0);
    settings.max_moves = 0;
    plan = hosts_plan(snapshot, &settings, &past);
    assert_int_equal(plan->nr_steps, 0);
    plan_free(plan);
    assert_int_equal(settings_set(&settings, "link-group", "vm1 vm3", NULL),
                     0);
    plan = hosts_plan(snapshot, &settings, &past);
    assert_int_equal(plan->nr_steps, 1);
    assert_string_equal(plan->steps[0].command,
                        "xl shmlink disable vm1 vm2");
    assert_non_null(strstr(plan->steps[0].text, "no link-group"));
    plan_free(plan);
    settings_dispose(&settings);
    snapshot_free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hub), cmocka_unit_test(test_unanswered),
        cmocka_unit_test(test_no_neighbour), cmocka_unit_test(test_groups),
        cmocka_unit_test(test_stray),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
