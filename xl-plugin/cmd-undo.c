// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include "advice.h"
#include "base/parse.h"

static int undo_parse(int argc, char **argv, struct advice *advice,
                      uint32_t *run_r)
{
    const struct command_option table[] = {
        COMMAND_FLAG('f', "force", "Also what somebody changed since.",
                     &advice->force),
        COMMAND_DRY_RUN,
        ADVICE_STATE_DIR(advice),
        COMMAND_END,
    };
    int status = advice_parse(advice, argc, argv, table, 0, 1,
                              "one number at most");

    if (status)
        return status;
    if (argc - optind == 1
        && parse_u32(argv[optind], 1, UINT32_MAX, run_r))
        return command_usage_error(argv[0], "'%s' is not a number of "
                                   "xl shmlink history", argv[optind]);
    return COMMAND_OK;
}

int cmd_undo(int argc, char **argv)
{
    struct advice advice;
    uint32_t run = 0;
    int status = advice_init(&advice) ?:
                 undo_parse(argc, argv, &advice, &run) ?:
                 advice_undo(&advice, run);

    advice_close(&advice);
    return status;
}
