// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "base/parse.h"
#include "session.h"
#include "shmlink.h"

/* A service would say the same again and again. */
static void session_notice(void *opaque, const char *line)
{
    static char last[640];

    (void)opaque;
    if (!strcmp(line, last))
        return;
    snprintf(last, sizeof(last), "%s", line);
    fprintf(stderr, "xl shmlink: %s\n", line);
}

int session_open(struct session *session, bool quiet)
{
    struct shmlink_ctx_options options = { .notice = session_notice };
    char *why = NULL;
    int rc;

    session->ctx = NULL;
    session->signal_fd = command_signals();
    options.cancel_fd = session->signal_fd;
    rc = shmlink_ctx_open(&session->ctx, &options, &why);
    if (rc && !quiet)
        command_failed("%s", why ? why : strerror(-rc));
    free(why);
    if (rc)
        session_close(session);
    return rc;
}

void session_close(struct session *session)
{
    shmlink_ctx_close(session->ctx);
    session->ctx = NULL;
    if (session->signal_fd >= 0)
        close(session->signal_fd);
    session->signal_fd = -1;
}

int session_failed(const struct session *session)
{
    const char *detail = shmlink_detail(session->ctx);
    int status = command_failed("%s", shmlink_why(session->ctx));

    if (detail[0])
        fprintf(stderr, "  (%s)\n", detail);
    return status;
}

int session_wait_option(const char *command, const char *text, void *wait_ms)
{
    enum { SECONDS_MAX = 3600 };
    uint32_t seconds, tenths = 0;
    size_t len = strcspn(text, ".");
    char whole[16];

    snprintf(whole, sizeof(whole), "%.*s", (int)len, text);
    if (len >= sizeof(whole) || parse_u32(whole, 0, SECONDS_MAX, &seconds) ||
        (text[len] && parse_u32(text + len + 1, 0, 9, &tenths)) ||
        seconds * 10 + tenths == 0)
        return command_usage_error(command, "SECONDS '%s' is not a number "
                                   "from 0.1 to %d", text, SECONDS_MAX);
    *(unsigned int *)wait_ms = seconds * 1000 + tenths * 100;
    return COMMAND_OK;
}
