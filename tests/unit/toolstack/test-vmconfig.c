// SPDX-License-Identifier: GPL-2.0-or-later
/* The key shmlink of a VM's configuration, by xl's own reader. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "toolstack/vmconfig.h"

static int read_text(struct vmconfig *config, const char *text)
{
    return vmconfig_read(config, text, strlen(text));
}

static void test_empty(void **state)
{
    struct vmconfig config;

    (void)state;
    assert_int_equal(read_text(&config, ""), -EINVAL);
    assert_int_equal(read_text(&config, "shmlink = [ 'db' ]"), -EINVAL);
    assert_int_equal(read_text(&config, "name = 'web'"), 0);
    assert_string_equal(config.name, "web");
    assert_int_equal(config.nr_links, 0);
    assert_false(config.wrong);
    vmconfig_free(&config);
    assert_int_equal(read_text(&config, "name = 'web'\nshmlink = [ ]"), 0);
    assert_int_equal(config.nr_links, 0);
    assert_false(config.wrong);
    vmconfig_free(&config);
}

static void test_typical(void **state)
{
    struct vmconfig config;

    (void)state;
    assert_int_equal(read_text(&config, "name = 'old'  # a comment\n"
                               "vif = [ 'bridge=xenbr0' ]\n"
                               "shmlink = [ 'db',\n  \"log:1\", ]\n"
                               "\nname=\"web\"\n"), 0);
    assert_string_equal(config.name, "web");
    assert_int_equal(config.nr_links, 2);
    assert_string_equal(config.links[0], "db");
    assert_string_equal(config.links[1], "log:1");
    assert_false(config.wrong);
    vmconfig_free(&config);
    vmconfig_free(&config);
}

static void test_hostile(void **state)
{
    static const char *const bad[] = {
        "shmlink = [ 'db'\nname = 'web'", "name = [ 'web' ]", "name =",
        "def name():\n", "\1\2",
    };
    struct vmconfig config;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(read_text(&config, bad[i]), -EINVAL);
        assert_null(config.name);
    }
    assert_int_equal(read_text(&config, "name = 'web'\nshmlink = 'db'"), 0);
    assert_true(config.wrong);
    assert_int_equal(config.nr_links, 0);
    vmconfig_free(&config);
    assert_int_equal(read_text(&config, "name = 'web'\n"
                               "shmlink = [ [ 'a', 'b' ], 'db' ]"), 0);
    assert_true(config.wrong);
    assert_int_equal(config.nr_links, 1);
    assert_string_equal(config.links[0], "db");
    vmconfig_free(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_typical),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
