// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include "command.h"
#include "session.h"
#include "shmlink.h"

int cmd_serve(int argc, char **argv)
{
    static const struct command_option table[] = { COMMAND_END };
    int status = command_parse(argc, argv, table);
    struct session session;

    if (status)
        return status;
    if (argc > optind)
        return command_usage_error(argv[0], "no argument is taken");
    /* A journal is read while it grows. */
    setvbuf(stderr, NULL, _IOLBF, 0);
    if (session_open(&session, false))
        return COMMAND_FAILED;
    if (shmlink_serve(session.ctx))
        status = session_failed(&session);
    session_close(&session);
    return status;
}
