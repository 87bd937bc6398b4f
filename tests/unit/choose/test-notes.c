/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What advice says of the data: that which it cannot know it does not hide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "generate.h"
#include "hosts.h"

static struct snapshot *host(void)
{
    struct generate options = {
        .sockets = 2, .cores = 4, .threads = 2, .vms = 2, .vcpus_min = 1,
        .vcpus_max = 1, .load = 0.1, .seed = 3,
    };
    struct snapshot *snapshot;

    assert_int_equal(generate(&snapshot, &options), 0);
    return snapshot;
}

static bool noted(const struct snapshot *snapshot, const char *text)
{
    struct settings settings;
    struct plan *plan;
    bool found = false;
    size_t i;

    assert_int_equal(settings_init(&settings), 0);
    plan = hosts_plan(snapshot, &settings, NULL);
    for (i = 0; i < plan->nr_notes; i++)
        found |= plan->notes[i].kind == PLAN_NOTE_DATA &&
                 strstr(plan->notes[i].text, text) != NULL;
    plan_free(plan);
    settings_dispose(&settings);
    return found;
}

/* Such as those of a node without memory. */
static void test_node(void **state)
{
    struct snapshot *snapshot = host();
    size_t i;

    (void)state;
    assert_false(noted(snapshot, "NUMA node of pCPUs"));
    for (i = 8; i < 16; i++)
        snapshot->pcpus[i].node = SNAPSHOT_NONE;
    assert_true(noted(snapshot, "the NUMA node of pCPUs 8-15 is not known"));
    snapshot_free(snapshot);
}

/* The last four cores have one thread, or another L2 cache. */
static void test_hybrid(void **state)
{
    struct snapshot *snapshot = host();
    struct snapshot_cache *cache;
    int i;

    (void)state;
    assert_false(noted(snapshot, "not alike"));
    for (i = 8; i < 16; i++)
        snapshot->pcpus[i].core = 10 + (uint32_t)i;
    assert_true(noted(snapshot, "not alike (pCPUs 8-15 "));
    /* That may be for want of siblings that are offline. */
    snapshot->pcpus[7].online = false;
    assert_false(noted(snapshot, "not alike"));
    for (i = 0; i < 16; i += 4) {
        cache = snapshot_add_cache(snapshot);
        assert_non_null(cache);
        cache->level = 2;
        cache->size_bytes = i < 12 ? 1 << 20 : 1 << 21;
        hwloc_bitmap_set_range(cache->pcpus, (unsigned)i, i + 3);
    }
    assert_true(noted(snapshot, "not alike (pCPUs 12-15 "));
    snapshot_free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_node), cmocka_unit_test(test_hybrid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
