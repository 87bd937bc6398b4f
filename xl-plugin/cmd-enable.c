// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <inttypes.h>

#include "command.h"
#include "base/parse.h"
#include "session.h"
#include "shmlink.h"

static int enable_size(const char *command, const char *text, void *to)
{
    if (!parse_ring_bytes(text, to))
        return COMMAND_OK;
    return command_usage_error(command, "SIZE '%s' is not a power of two from "
                               "128K to 4M", text);
}

static int enable_limit(const char *command, const char *text, void *to)
{
    if (!parse_rate(text, to))
        return COMMAND_OK;
    return command_usage_error(command, "RATE '%s' is not a number with b/s, "
                               "Kb/s, Mb/s, Gb/s or B/s up to 4GB/s", text);
}

static int enable_parse(int argc, char **argv,
                        struct shmlink_enable_options *options)
{
    const struct command_option table[] = {
        SESSION_BRIDGE(&options->bridge),
        COMMAND_PARSED('s', "size", "SIZE", "Ring of each direction: 128K to "
                       "4M, a power of two.", &options->ring_bytes,
                       enable_size),
        COMMAND_PARSED('l', "limit", "RATE", "What each guest takes at most, "
                       "as of a vif: 100Mb/s, 20MB/s.", &options->limit,
                       enable_limit),
        SESSION_WAIT(&options->wait_ms),
        COMMAND_FLAG('f', "force", "Link although dom0's limits or filters no "
                     "longer apply.", &options->force),
        COMMAND_FLAG('p', "persist", "Bring it back whenever both guests run.",
                     &options->persist),
        COMMAND_DRY_RUN,
        COMMAND_END,
    };
    int status = command_parse(argc, argv, table, 2, 2,
                               "two domains are needed");

    if (status)
        return status;
    options->dom[0] = argv[optind];
    options->dom[1] = argv[optind + 1];
    options->dry_run = command_dry_run;
    return COMMAND_OK;
}

int cmd_enable(int argc, char **argv)
{
    struct shmlink_enable_options options = { 0 };
    struct shmlink_link link;
    struct session session;
    bool changed = false;
    int status;

    status = enable_parse(argc, argv, &options);
    if (status)
        return status;
    if (session_open(&session, false))
        return COMMAND_FAILED;
    if (shmlink_enable(session.ctx, &options, &changed, &link))
        status = session_failed(&session);
    else
        printf("%s:%" PRIu32 " and %s:%" PRIu32 " %s%s%s\n", link.name[0],
               link.vif[0], link.name[1], link.vif[1],
               !changed ? "are linked already" :
               options.dry_run ? "would be linked" : "are linked",
               link.bridge[0] ? " on " : "", link.bridge);
    session_close(&session);
    return status;
}
