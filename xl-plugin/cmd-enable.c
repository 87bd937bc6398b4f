// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <inttypes.h>

#include "command.h"
#include "base/parse.h"
#include "session.h"
#include "shmlink.h"

static int enable_parse(int argc, char **argv,
                        struct shmlink_enable_options *options)
{
    static const struct option longopts[] = {
        { "bridge", required_argument, NULL, 'b' },
        { "size", required_argument, NULL, 's' },
        { "wait", required_argument, NULL, 'w' },
        { "force", no_argument, NULL, 'f' },
        { "dry-run", no_argument, NULL, 'N' },
        { NULL, 0, NULL, 0 },
    };
    int option, status;

    while ((option = command_getopt(argc, argv, "b:s:w:fN", longopts,
                                    &status)) != -1) {
        switch (option) {
        case 'b':
            options->bridge = optarg;
            break;
        case 's':
            if (parse_ring_bytes(optarg, &options->ring_bytes))
                return command_usage_error(argv[0], "SIZE '%s' is not a power "
                                           "of two from 128K to 4M", optarg);
            break;
        case 'w':
            if (session_wait_option(argv[0], optarg, &options->wait_ms))
                return COMMAND_USAGE;
            break;
        case 'f':
            options->force = true;
            break;
        case 'N':
            options->dry_run = true;
            break;
        }
    }
    if (status)
        return status;
    if (argc - optind != 2)
        return command_usage_error(argv[0], "two domains are needed");
    options->dom[0] = argv[optind];
    options->dom[1] = argv[optind + 1];
    return COMMAND_OK;
}

int cmd_enable(int argc, char **argv)
{
    struct shmlink_enable_options options = { .dry_run = command_dry_run };
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
