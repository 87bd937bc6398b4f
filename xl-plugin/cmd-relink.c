// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include "command.h"
#include "session.h"
#include "shmlink.h"

int cmd_relink(int argc, char **argv)
{
    bool quiet = false;
    const struct command_option table[] = {
        COMMAND_FLAG('q', "quiet", "Say nothing where there is nothing to do.",
                     &quiet),
        COMMAND_END,
    };
    int status = command_parse(argc, argv, table, 0, 1, "one domain at most");
    struct session session;
    size_t nr = 0;

    if (status)
        return status;
    if (session_open(&session, quiet))
        return COMMAND_FAILED;
    if (shmlink_relink(session.ctx, argv[optind], &nr))
        status = session_failed(&session);
    else if (nr || !quiet)
        fprintf(stderr, "xl shmlink: %zu link%s brought back\n", nr,
                nr == 1 ? "" : "s");
    session_close(&session);
    return status;
}
