// SPDX-License-Identifier: GPL-2.0-or-later
/* serve: what cannot be noted is told, and the service runs. */
#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "command.h"
#include "session.h"
#include "shmlink.h"

static int want_rc, serve_rc;
static int nr_served, nr_told;
static size_t nr_wanted;
bool command_dry_run;

int shmlink_want_links(struct shmlink_ctx *ctx, const char *guest,
                       const struct shmlink_want *pairs, size_t nr)
{
    (void)ctx, (void)guest;
    nr_wanted = nr;
    if (nr)
        assert_string_equal(pairs[0].dom[1], "db:1");
    return want_rc;
}

int shmlink_serve(struct shmlink_ctx *ctx)
{
    (void)ctx;
    nr_served++;
    return serve_rc;
}

int session_open(struct session *session, bool quiet)
{
    (void)session, (void)quiet;
    return 0;
}

void session_close(struct session *session)
{
    (void)session;
}

int session_failed(const struct session *session)
{
    (void)session;
    nr_told++;
    return COMMAND_FAILED;
}

int command_failed(const char *format, ...)
{
    (void)format;
    return COMMAND_FAILED;
}

int command_parse(int argc, char **argv, const struct command_option *table,
                  int least, int most, const char *needed)
{
    (void)argc, (void)least, (void)most, (void)needed;
    *(const char **)table->to = argv[1];
    return COMMAND_OK;
}

static int served(int want, int serve)
{
    char path[] = "/tmp/test-serve.XXXXXX", *argv[] = {
        (char *)"serve", path, NULL,
    };
    static const char line[] = "link = web db:1\n";
    int fd = mkstemp(path), status;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, line, strlen(line)), strlen(line));
    close(fd);
    want_rc = want;
    serve_rc = serve;
    nr_served = nr_told = 0;
    status = cmd_serve(2, argv);
    assert_int_equal(nr_wanted, 1);
    unlink(path);
    return status;
}

static void test_noted(void **state)
{
    (void)state;
    assert_int_equal(served(0, 0), COMMAND_OK);
    assert_int_equal(nr_served, 1);
    assert_int_equal(nr_told, 0);
    assert_int_equal(served(0, -EIO), COMMAND_FAILED);
    assert_int_equal(nr_told, 1);
}

static void test_not_noted(void **state)
{
    (void)state;
    assert_int_equal(served(-EINVAL, 0), COMMAND_OK);
    assert_int_equal(nr_served, 1);
    assert_int_equal(nr_told, 1);
    /* Ended by a signal while it waits to note them. */
    assert_int_equal(served(-EINTR, 0), COMMAND_OK);
    assert_int_equal(nr_served, 0);
    assert_int_equal(nr_told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noted),
        cmocka_unit_test(test_not_noted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
