// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <limits.h>

#include "command.h"
#include "session.h"
#include "shmlink.h"

static int disable_parse(int argc, char **argv,
                         struct shmlink_disable_options *options)
{
    bool all = false;
    const struct command_option table[] = {
        COMMAND_FLAG('a', "all", "All links, or all of DOM.", &all),
        SESSION_BRIDGE(&options->bridge),
        SESSION_WAIT(&options->wait_ms),
        COMMAND_DRY_RUN,
        COMMAND_END,
    };
    int i, status = command_parse(argc, argv, table, 0, INT_MAX, NULL);

    if (status)
        return status;
    if (all && argc - optind > 1)
        return command_usage_error(argv[0], "-a takes one domain at most");
    if (!all && argc - optind != 2)
        return command_usage_error(argv[0], "two domains are needed, or -a");
    for (i = optind; i < argc; i++)
        options->dom[i - optind] = argv[i];
    options->dry_run = command_dry_run;
    return COMMAND_OK;
}

static void disable_report(const struct shmlink_disable_options *options,
                           size_t nr)
{
    const char *verb = options->dry_run ? "would be " : "";
    const char *on = options->bridge ? " on " : "";
    const char *bridge = options->bridge ? options->bridge : "";

    if (options->dom[1])
        printf("%s and %s are %s%s%s\n", options->dom[0], options->dom[1],
               !nr ? "not linked" : options->dry_run
               ? "linked and would be unlinked" : "not linked any more",
               on, bridge);
    else
        printf("%zu link%s%s%s%s%s %s%s\n", nr, nr == 1 ? "" : "s",
               options->dom[0] ? " of " : "",
               options->dom[0] ? options->dom[0] : "", on, bridge, verb,
               "disabled");
}

int cmd_disable(int argc, char **argv)
{
    struct shmlink_disable_options options = { .stoppable = true };
    struct session session;
    size_t nr = 0;
    int status;

    status = disable_parse(argc, argv, &options);
    if (status)
        return status;
    if (session_open(&session, false))
        return COMMAND_FAILED;
    if (shmlink_disable(session.ctx, &options, &nr))
        status = session_failed(&session);
    else
        disable_report(&options, nr);
    session_close(&session);
    return status;
}
