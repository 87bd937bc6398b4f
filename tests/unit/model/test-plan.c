/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans as files, their identity, and the settings file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/plan.h"
#include "model/settings.h"
#include "../texts.h"

static void test_empty(void **state)
{
    struct plan *plan = NULL, *again = NULL;
    char *text, *second;

    (void)state;
    plan_free(NULL);
    assert_int_equal(plan_new(&plan), 0);
    assert_int_equal(plan_format(plan, &text), 0);
    assert_int_equal(texts_plan(&again, text, strlen(text), NULL), 0);
    assert_int_equal(plan_format(again, &second), 0);
    assert_string_equal(text, second);
    assert_string_equal(plan->id, again->id);
    free(text);
    free(second);
    plan_free(plan);
    plan_free(again);
}

static struct plan_step *add_step(struct plan *plan, enum plan_step_kind kind)
{
    uint8_t uuid[16] = { (uint8_t)(1 + plan->nr_steps) };
    struct plan_step *step = plan_add_step(plan);

    assert_non_null(step);
    step->kind = kind;
    step->text = strdup("because");
    step->command = strdup("xl something");
    assert_int_equal(plan_domain_set(&step->subject[0], uuid, 7, "web"), 0);
    return step;
}

static struct plan *full(void)
{
    uint8_t uuid[16] = { 9 };
    struct plan_finding *finding;
    struct plan_place *place;
    struct plan_step *step;
    struct plan_note *note;
    struct plan *plan;

    assert_int_equal(plan_new(&plan), 0);
    plan->time = 1700000000;
    plan->host = strdup("host");
    plan->before.total = 3.5;
    plan->after.total = plan->after.path = 1.25;
    step = add_step(plan, PLAN_SET_VCPUS);
    step->vcpus_from = 1;
    step->vcpus_to = 2;
    step = add_step(plan, PLAN_PIN_SOFT);
    step->vcpuid = 1;
    step->from = hwloc_bitmap_alloc_full();
    step->to = hwloc_bitmap_alloc();
    hwloc_bitmap_set_range(step->to, 2, 3);
    step->peer = strdup("db");
    step->gain = -0.5;
    step = add_step(plan, PLAN_LINK_DISABLE);
    assert_int_equal(plan_domain_set(&step->subject[1], uuid, 8, "db"), 0);
    step->vif[0] = 1;
    step->vif[1] = 0;
    strcpy(step->nonce, "00112233445566778899aabbccddeeff");
    finding = plan_add_finding(plan);
    finding->kind = PLAN_FINDING_ISOLATION;
    finding->text = strdup("it is");
    finding->pcpu = 3;
    note = plan_add_note(plan);
    note->kind = PLAN_NOTE_DATA;
    note->text = strdup("nothing");
    place = plan_add_place(plan);
    place->pcpu_after = 4;
    place->load_after = 0.5;
    assert_int_equal(plan_domain_set(&place->domain, uuid, 8, "db"), 0);
    plan_identify(plan);
    return plan;
}

static void test_full(void **state)
{
    struct plan *plan = full(), *again = NULL;
    char *text, *second, *why = NULL;

    (void)state;
    assert_int_equal(plan_format(plan, &text), 0);
    if (texts_plan(&again, text, strlen(text), &why))
        fail_msg("%s", why);
    assert_int_equal(plan_format(again, &second), 0);
    assert_string_equal(text, second);
    assert_int_equal(again->nr_steps, 3);
    assert_true(hwloc_bitmap_isfull(again->steps[1].from));
    assert_int_equal(hwloc_bitmap_weight(again->steps[1].to), 2);
    assert_string_equal(again->steps[2].subject[1].name, "db");
    assert_null(again->steps[1].subject[1].name);
    assert_string_equal(again->steps[2].nonce, plan->steps[2].nonce);
    assert_int_equal(again->steps[1].vif[0], PLAN_NONE);
    assert_int_equal(again->steps[2].vif[0], 1);
    assert_int_equal(again->steps[2].vif[1], 0);
    assert_int_equal(again->findings[0].pcpu, 3);
    assert_int_equal(again->places[0].pcpu_before, PLAN_NONE);
    free(text);
    free(second);
    plan_free(plan);
    plan_free(again);
}

/* The same steps have the same identity, whatever else differs. */
static void test_identity(void **state)
{
    struct plan *plan = full(), *other = full();

    (void)state;
    other->time++;
    other->steps[0].subject[0].domid = 100;
    other->steps[0].gain = 99;
    plan_identify(other);
    assert_string_equal(plan->id, other->id);
    hwloc_bitmap_set(other->steps[1].to, 9);
    plan_identify(other);
    assert_string_not_equal(plan->id, other->id);
    plan_free(plan);
    plan_free(other);
}

#define COSTS ",\"before\":{},\"after\":{}"
#define HEAD "{\"format\":\"shmlink-plan\",\"schema\":1" COSTS
#define WEB "{\"domid\":1,\"name\":\"web\",\"uuid\":" \
    "\"00000000-0000-0000-0000-000000000001\"}"
#define STEP(rest) HEAD ",\"steps\":[{\"subjects\":[" WEB "],\"text\":\"t\"," \
    "\"command\":\"c\",\"reason\":\"room\"" rest "}]}"

static const struct {
    const char *text;
    int rc;
    const char *why;
} hostiles[] = {
    { "", -EINVAL, "truncated" },
    { "{\"format\":\"shmlink-snapshot\",\"schema\":1}", -EINVAL,
      "not a plan" },
    { "{\"format\":\"shmlink-plan\",\"schema\":99}", -EPROTONOSUPPORT,
      "newer" },
    { "{\"format\":\"shmlink-plan\",\"schema\":1}", -EINVAL,
      "before: missing" },
    { STEP(""), -EINVAL, "steps[0]: kind: missing" },
    { STEP(",\"kind\":\"reboot\""), -EINVAL, "kind: unknown word" },
    { STEP(",\"kind\":\"pin-soft\""), -EINVAL, "a pin needs" },
    { STEP(",\"kind\":\"pin-soft\",\"vcpuid\":0,\"from\":\"all\","
           "\"to\":\"\""), -EINVAL, "a pin needs" },
    { STEP(",\"kind\":\"pin-soft\",\"vcpuid\":0,\"from\":\"all\","
           "\"to\":\"0-99999999999999999999\""), -EINVAL, "not a list" },
    { STEP(",\"kind\":\"set-vcpus\",\"vcpus_from\":1"), -EINVAL,
      "set-vcpus needs" },
    { STEP(",\"kind\":\"link-enable\""), -EINVAL, "needs two domains" },
    { STEP(",\"kind\":\"set-vcpus\",\"gain\":1e300"), -EINVAL, "gain" },
    { STEP(",\"kind\":\"set-vcpus\",\"nonce\":\"../../x\""), -EINVAL,
      "hexadecimal" },
    { HEAD ",\"steps\":[{\"kind\":\"set-vcpus\",\"subjects\":[]}]}", -EINVAL,
      "subjects: must have 1" },
    { HEAD ",\"findings\":[{\"kind\":\"wait\"}]}", -EINVAL,
      "findings[0]: text: missing" },
    { HEAD ",\"findings\":[{\"kind\":\"wait\",\"text\":\"\"},"
      "{\"kind\":\"wait\",\"subjects\":[0]}]}", -EINVAL,
      "findings[1].subjects[0]: must be an object" },
    { HEAD ",\"notes\":[{\"kind\":\"wait\"}]}", -EINVAL, "notes[0]: kind" },
    { HEAD ",\"places\":[{\"subjects\":[" WEB "]}]}", -EINVAL,
      "vcpuid: missing" },
};

static void test_hostile(void **state)
{
    struct plan *plan = NULL;
    char *why, *text;
    size_t i;
    int rc;

    (void)state;
    for (i = 0; i < sizeof hostiles / sizeof *hostiles; i++) {
        why = NULL;
        rc = texts_plan(&plan, hostiles[i].text, strlen(hostiles[i].text),
                        &why);
        if (rc != hostiles[i].rc || !why || !strstr(why, hostiles[i].why))
            fail_msg("%s: %d, \"%s\" instead of %d, \"%s\"",
                     hostiles[i].text, rc, why, hostiles[i].rc,
                     hostiles[i].why);
        free(why);
        assert_null(plan);
    }
    /* The file's own idea of its identity is not believed. */
    text = STEP(",\"kind\":\"set-vcpus\",\"vcpus_from\":1,\"vcpus_to\":2");
    assert_int_equal(texts_plan(&plan, text, strlen(text), NULL), 0);
    assert_int_equal(strlen(plan->id), 16);
    plan_free(plan);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_settings(void **state)
{
    char path[] = "/tmp/test-plan-XXXXXX", *why = NULL, expected[80];
    struct settings settings;
    int fd;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    assert_true(settings.core_cap == 0.9);
    assert_int_equal(settings.max_moves, 16);
    assert_false(settings.smt_sharing);
    assert_int_equal(settings_load(&settings, "/no/such", &why), -ENOENT);
    assert_string_equal(why, "/no/such: No such file or directory");
    free(why);

    fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, "# all of it\n\n  max-moves = 3 # few\n"
               "smt-sharing=yes\nbanned-pcpus = 0-1,8\n"
               "isolated = vault, 00000000-0000-0000-0000-000000000001\n"
               "core-cap=0.5");
    assert_int_equal(settings_load(&settings, path, NULL), 0);
    assert_int_equal(settings.max_moves, 3);
    assert_true(settings.smt_sharing && settings.core_cap == 0.5);
    assert_int_equal(hwloc_bitmap_weight(settings.banned_pcpus), 3);
    assert_int_equal(settings.isolated.nr, 2);
    assert_string_equal(settings.isolated.names[0], "vault");

    /* The defaults as the manual writes them; groups add up. */
    write_file(path, "banned-pcpus = none\nisolated = none\n"
               "link-group = web db\nlink-group = db,cache,log\n"
               "link = web:1 db\nlink = db, cache\n");
    assert_int_equal(settings_load(&settings, path, NULL), 0);
    assert_true(hwloc_bitmap_iszero(settings.banned_pcpus));
    assert_int_equal(settings.isolated.nr, 0);
    assert_int_equal(settings.nr_links, 2);
    assert_string_equal(settings.links[0].names[0], "web:1");
    assert_int_equal(settings_set(&settings, "link", "none", NULL), 0);
    assert_int_equal(settings.nr_links, 0);
    assert_int_equal(settings.nr_link_groups, 2);
    assert_int_equal(settings.link_groups[1].nr, 3);
    assert_string_equal(settings.link_groups[1].names[2], "log");
    assert_int_equal(settings_set(&settings, "link-group", "none", NULL), 0);
    assert_int_equal(settings.nr_link_groups, 0);

    write_file(path, "max-moves = 3\nmax-moves = many\n");
    assert_int_equal(settings_load(&settings, path, &why), -EINVAL);
    snprintf(expected, sizeof expected,
             "%s:2: max-moves: must be a number from 0 to 65536", path);
    assert_string_equal(why, expected);
    free(why);
    unlink(path);
    settings_dispose(&settings);
    settings_dispose(&settings);
}

static void test_settings_hostile(void **state)
{
    static const char *const bad[][2] = {
        { "core-cap", "-1" }, { "core-cap", "2" }, { "core-cap", "nan" },
        { "core-cap", "0x1" }, { "core-cap", "" }, { "core-cap", "0.5x" },
        { "max-moves", "1.5" }, { "max-moves", "1e99" },
        { "smt-sharing", "true" }, { "banned-pcpus", "all" },
        { "banned-pcpus", "9999" }, { "banned-pcpus", "1-" },
        { "link-group", "web" }, { "link-group", "" },
        { "link", "web" }, { "link", "web db cache" }, { "link", "web 7" },
        { "link", "web web:1" }, { "link", "web :1" },
        { "no-such", "1" }, { "", "" },
    };
    struct settings settings;
    size_t i;

    (void)state;
    assert_int_equal(settings_init(&settings), 0);
    for (i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(settings_set(&settings, bad[i][0], bad[i][1], NULL),
                         -EINVAL);
    assert_true(settings.core_cap == 0.9);
    assert_true(hwloc_bitmap_iszero(settings.banned_pcpus));
    settings_dispose(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty), cmocka_unit_test(test_full),
        cmocka_unit_test(test_identity), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_settings_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
