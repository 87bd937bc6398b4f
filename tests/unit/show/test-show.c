/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Goal: the text and the picture of a recorded plan are what they were.
 * SHMLINK_REGENERATE=1 writes the golden files anew; then look at them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../texts.h"
#include "base/jsonio.h"
#include "model/plan.h"
#include "model/settings.h"
#include "show/show.h"
#include "model/snapshot.h"
#include "show/svg.h"

struct recorded
{
    struct snapshot *snapshot;
    struct plan *plan;
    struct settings settings;
};

static char *data_path(const char *name)
{
    const char *srcdir = getenv("srcdir");
    char *path = NULL;

    assert_true(asprintf(&path, "%s/tests/data/%s", srcdir ? srcdir : ".",
                         name) > 0);
    return path;
}

static void load(struct recorded *r, const char *snapshot, const char *plan)
{
    char *path = data_path(snapshot);

    memset(r, 0, sizeof(*r));
    assert_int_equal(snapshot_load(&r->snapshot, path, NULL), 0);
    free(path);
    path = data_path(plan);
    assert_int_equal(plan_load(&r->plan, path, NULL), 0);
    free(path);
    assert_int_equal(settings_init(&r->settings), 0);
}

static void unload(struct recorded *r)
{
    snapshot_free(r->snapshot);
    plan_free(r->plan);
    settings_dispose(&r->settings);
}

static void compare(const char *text, const char *name)
{
    char *path = data_path(name), *golden;

    if (getenv("SHMLINK_REGENERATE"))
        assert_int_equal(jsonio_write_file(path, text, 0666), 0);
    golden = texts_read(path);
    assert_non_null(golden);
    assert_string_equal(text, golden);
    free(golden);
    free(path);
}

static char *draw(struct recorded *r, int expected)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    assert_int_equal(svg_write(r->snapshot, r->plan, &r->settings, f),
                     expected);
    fclose(f);
    return text;
}

static char *tell(struct recorded *r, bool snapshot, bool all)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    assert_int_equal(show_plan(r->plan, snapshot ? r->snapshot : NULL,
                               all, f), 0);
    fclose(f);
    return text;
}

static void test_text(void **state)
{
    struct recorded r;
    char *text;

    (void)state;
    load(&r, "busy-pair.json", "busy-pair.plan.json");
    text = tell(&r, true, false);
    compare(text, "busy-pair.txt");
    free(text);
    /* A plan alone, as apply -N shows it. */
    text = tell(&r, false, false);
    assert_non_null(strstr(text, "xl vcpu-pin"));
    assert_null(strstr(text, "wait %"));
    free(text);
    unload(&r);
}

static void test_picture(void **state)
{
    struct recorded r;
    char *text;

    (void)state;
    load(&r, "busy-pair.json", "busy-pair.plan.json");
    text = draw(&r, 0);
    compare(text, "busy-pair.svg");
    free(text);
    unload(&r);
}

/* Without steps there is one panel, and it says why. */
static void test_nothing_to_do(void **state)
{
    struct recorded r;
    char *text;

    (void)state;
    load(&r, "busy-pair.json", "busy-pair.plan.json");
    plan_free(r.plan);
    assert_int_equal(plan_new(&r.plan), 0);
    text = draw(&r, 0);
    assert_non_null(strstr(text, "nothing is to be gained"));
    assert_null(strstr(text, "After the plan"));
    free(text);
    text = tell(&r, true, false);
    assert_non_null(strstr(text, "Nothing is to be gained"));
    free(text);
    unload(&r);
}

static unsigned count(const char *text, const char *what)
{
    unsigned nr = 0;

    for (; (text = strstr(text, what)); text++)
        nr++;
    return nr;
}

/* Notes that say the same of many VMs are a few, and a number. */
static void test_many_notes(void **state)
{
    struct plan_note *note;
    struct recorded r;
    char *text;
    int i;

    (void)state;
    load(&r, "busy-pair.json", "busy-pair.plan.json");
    for (i = 0; i < 16; i++) {
        note = plan_add_note(r.plan);
        assert_non_null(note);
        note->kind = i == 14 ? PLAN_NOTE_SMT : PLAN_NOTE_NO_LINK;
        assert_true(asprintf(&note->text, "no link for %d: %s", i,
                             i == 15 ? "another" : "the same") > 0);
    }
    text = tell(&r, false, false);
    assert_int_equal(count(text, ": the same\n"), 6);
    assert_int_equal(count(text, ": another\n"), 1);
    assert_int_equal(count(text, "and 9 more that say the same"), 1);
    free(text);
    text = tell(&r, false, true);
    assert_int_equal(count(text, ": the same\n"), 15);
    free(text);
    unload(&r);
}

/* However many pCPUs there are: numbers, and names on the chips. */
static void test_large(void **state)
{
    struct recorded r;
    uint32_t i;
    char *text;

    (void)state;
    load(&r, "busy-pair.json", "busy-pair.plan.json");
    for (i = 4; i < 600; i++) {
        struct snapshot_pcpu *pcpu = snapshot_add_pcpu(r.snapshot);

        assert_non_null(pcpu);
        pcpu->os_index = i;
        pcpu->online = true;
        pcpu->core = i;
        pcpu->socket = 1;
        pcpu->node = 1;
    }
    text = draw(&r, 0);
    assert_non_null(strstr(text, ">pCPU 599<"));
    assert_non_null(strstr(text, ">web<"));
    free(text);
    unload(&r);
}

/* Names are escaped; a plan of another host draws what it can. */
static void test_hostile(void **state)
{
    struct recorded r;
    char *text;
    size_t i;

    (void)state;
    load(&r, "busy-pair.json", "busy-pair.plan.json");
    free(r.snapshot->domains[1].name);
    r.snapshot->domains[1].name = strdup("</text><b>&\"");
    for (i = 0; i < r.plan->nr_places; i++) {
        memset(r.plan->places[i].domain.uuid, (int)i, 16);
        r.plan->places[i].pcpu_after = 4000;
    }
    text = draw(&r, 0);
    assert_null(strstr(text, "<b>"));
    free(text);
    r.snapshot->nr_pcpus = 0;
    free(draw(&r, -EINVAL));
    r.snapshot->nr_pcpus = 4;
    unload(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_picture),
        cmocka_unit_test(test_nothing_to_do),
        cmocka_unit_test(test_many_notes),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
