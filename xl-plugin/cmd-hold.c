// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hold -q DOM: for the dispatcher, before a save, migration or suspend: take
 * the links of DOM down, and remember them.  Silent where there are none; a
 * domain that does not exist is the real xl's to report.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "command.h"
#include "session.h"
#include "shmlink.h"

int cmd_hold(int argc, char **argv)
{
    struct shmlink_disable_options options = { .remember = true };
    struct session session;
    int rc, status = COMMAND_OK;
    size_t nr;

    if (argc != 3 || strcmp(argv[1], "-q"))
        return command_usage_error(argv[0], "-q and one domain are needed");
    if (session_open(&session, true))
        return SESSION_UNAVAILABLE;
    options.dom[0] = argv[2];
    rc = shmlink_disable(session.ctx, &options, &nr);
    if (rc && rc != -ESRCH)
        status = session_failed(&session);
    session_close(&session);
    return status;
}
