// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "model/settings.h"
#include "session.h"
#include "shmlink.h"

/* The links that the file asks for are to last, and those of before not. */
static int serve_want(struct shmlink_ctx *ctx, const struct settings *settings)
{
    struct shmlink_want *pairs = calloc(settings->nr_links + 1, sizeof(*pairs));
    size_t i;
    int rc;

    for (i = 0; i < settings->nr_links && pairs; i++)
        memcpy(pairs[i].dom, settings->links[i].names, sizeof(pairs[i].dom));
    rc = pairs ? shmlink_want_links(ctx, NULL, pairs, settings->nr_links)
               : -ENOMEM;
    free(pairs);
    return rc;
}

static int serve(const struct settings *settings)
{
    struct session session;
    int rc, status = COMMAND_OK;

    if (session_open(&session, false))
        return COMMAND_FAILED;
    /* What cannot be noted is no reason to leave alone what was before. */
    rc = serve_want(session.ctx, settings);
    if (rc && rc != -EINTR)
        session_failed(&session);
    if (rc != -EINTR && shmlink_serve(session.ctx))
        status = session_failed(&session);
    session_close(&session);
    return status;
}

int cmd_serve(int argc, char **argv)
{
    const char *config = NULL;
    const struct command_option table[] = {
        COMMAND_TEXT('c', "config", "FILE", "Links to keep up; default "
                     SETTINGS_PATH ".", &config),
        COMMAND_FLAG('N', "dry-run", "Check the file only.", &command_dry_run),
        COMMAND_END,
    };
    int status = command_parse(argc, argv, table, 0, 0,
                               "no argument is taken");
    struct settings settings;
    char *why = NULL;

    if (status)
        return status;
    /* A journal is read while it grows. */
    setvbuf(stderr, NULL, _IOLBF, 0);
    if (settings_init(&settings))
        return COMMAND_FAILED;
    /* Before anything is touched, and not tried again by systemd. */
    if (settings_load(&settings, config, &why)) {
        command_failed("%s", why ? why : strerror(ENOMEM));
        status = COMMAND_USAGE;
    } else if (!command_dry_run) {
        status = serve(&settings);
    }
    free(why);
    settings_dispose(&settings);
    return status;
}
