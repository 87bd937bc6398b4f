/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every command that talks to Xen begins and ends with: the context,
 * signals turned into cancellation, and the report of a failure.
 */
#ifndef SHMLINK_SESSION_H
#define SHMLINK_SESSION_H

#include <stdbool.h>

struct shmlink_ctx;

/* Exit status of hold where links cannot be looked at at all: no Xen. */
enum { SESSION_UNAVAILABLE = 3 };

struct session {
    struct shmlink_ctx *ctx;
    int signal_fd;
};

/*
 * From here on SIGINT, SIGTERM and SIGHUP cancel the library call under way
 * and end the command in an orderly way.  Reports failure on stderr, unless
 * quiet.  Returns 0 or -errno.
 */
int session_open(struct session *session, bool quiet);
void session_close(struct session *session);

/* Report the last call's failure on stderr; returns COMMAND_FAILED. */
int session_failed(const struct session *session);

/* Options that several commands have. */
#define SESSION_BRIDGE(to) \
    COMMAND_TEXT('b', "bridge", "BRIDGE", "By vifs on this bridge.", to)
#define SESSION_WAIT(to) \
    COMMAND_PARSED('w', "wait", "SECONDS", \
                   "Wait this long for the guests; default 10.", to, \
                   session_wait_option)

/* SECONDS of --wait into milliseconds, an unsigned int. */
int session_wait_option(const char *command, const char *text, void *wait_ms);

#endif /* SHMLINK_SESSION_H */
