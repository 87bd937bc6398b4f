// SPDX-License-Identifier: GPL-2.0-or-later
/* What list prints of a link that is to last and is not up. */
#include "config.h"

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

/* One link: a guest that runs, and one that has never been seen. */
int shmlink_list_absent(struct shmlink_ctx *ctx, const char *dom,
                        struct shmlink_link **links_r, size_t *nr_r)
{
    struct shmlink_link *link = calloc(1, sizeof(*link));

    (void)ctx, (void)dom;
    link->state = SHMLINK_ABSENT;
    link->persist = true;
    link->ring_bytes = SHMLINK_RING_BYTES_DEFAULT;
    strcpy(link->name[0], "web");
    memset(link->uuid[0], 0x11, 16);
    link->domid[0] = 3;
    link->vif[0] = 1;
    strcpy(link->name[1], "db");
    link->domid[1] = SHMLINK_DOMID_NONE;
    link->vif[1] = SHMLINK_VIF_ANY;
    *links_r = link;
    *nr_r = 1;
    return 0;
}

int shmlink_list(struct shmlink_ctx *ctx, const char *dom, bool counters,
                 struct shmlink_link **links_r, size_t *nr_r)
{
    (void)ctx, (void)dom, (void)counters;
    *links_r = NULL;
    *nr_r = 0;
    return 0;
}

const char *shmlink_state_name(enum shmlink_state state)
{
    return state == SHMLINK_ABSENT ? "absent" : "?";
}

const char *shmlink_held_word(unsigned int n)
{
    (void)n;
    return NULL;
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
    return COMMAND_FAILED;
}

bool command_dry_run;

int command_parse(int argc, char **argv, const struct command_option *table,
                  int least, int most, const char *needed)
{
    (void)least, (void)most, (void)needed;
    for (optind = 1; optind < argc; optind++)
        for (; table->to; table++)
            if (table->letter == argv[optind][1])
                *(bool *)table->to = true;
    return COMMAND_OK;
}

/* All that is printed, for the caller to free. */
static char *printed(const char *option)
{
    char *argv[] = { (char *)"list", (char *)option, NULL };
    int saved = dup(STDOUT_FILENO);
    FILE *file = tmpfile();
    char *text = calloc(1, 4096);

    assert_non_null(file);
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    assert_int_equal(cmd_list(option ? 2 : 1, argv), COMMAND_OK);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(file);
    assert_true(fread(text, 1, 4095, file) > 0);
    fclose(file);
    return text;
}

static void test_line(void **state)
{
    char *text = printed(NULL), name[2][32], domid[2][32], vif[2][32];
    const char *line = strchr(text, '\n');

    (void)state;
    assert_non_null(line);
    assert_int_equal(sscanf(line, "%31s %31s %31s %31s %31s %31s", name[0],
                            domid[0], vif[0], name[1], domid[1], vif[1]), 6);
    assert_string_equal(name[0], "web");
    assert_string_equal(domid[0], "3");
    assert_string_equal(vif[0], "1");
    assert_string_equal(name[1], "db");
    assert_string_equal(domid[1], "-");
    assert_string_equal(vif[1], "-");
    free(text);
}

static void test_json(void **state)
{
    char *text = printed("-j");
    const char *end = strstr(text, "\"db\"");

    (void)state;
    assert_non_null(strstr(text, "\"domid\": 3"));
    assert_non_null(strstr(text, "\"vif\": 1"));
    assert_non_null(strstr(text, "\"uuid\": \"11111111-"));
    assert_non_null(end);
    assert_non_null(strstr(end, "\"domid\": null"));
    assert_non_null(strstr(end, "\"uuid\": null"));
    assert_non_null(strstr(end, "\"vif\": null"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
