// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/ctx.h"
#include "toolstack/wait.h"

#define WAIT_TOKEN "shmlink-wait"

/* Take all events that are there; what they say is looked up anyway. */
static void wait_drain(struct shmlink_ctx *ctx)
{
    char **event;

    while ((event = xs_check_watch(ctx->xs)))
        free(event);
}

/*
 * Guests die without a word in a place that is watched, so look again from
 * time to time even where nothing changed.
 */
static int wait_event(struct shmlink_ctx *ctx, int64_t deadline_ms,
                      bool cancellable)
{
    enum { LOOK_MS = 250 };
    struct pollfd fds[] = {
        { .fd = xs_fileno(ctx->xs), .events = POLLIN },
        { .fd = cancellable ? ctx->options.cancel_fd : -1,
          .events = POLLIN },
    };
    int64_t left = deadline_ms - ctx_now_ms();

    if (left <= 0)
        return -ETIMEDOUT;
    poll(fds, 2, left < LOOK_MS ? (int)left : LOOK_MS);
    if (fds[1].revents)
        return -EINTR;
    wait_drain(ctx);
    return 0;
}

int wait_until(struct shmlink_ctx *ctx,
               const char (*paths)[STORE_PATH_BYTES], size_t nr,
               bool (*done)(struct shmlink_ctx *ctx, void *opaque),
               void *opaque, int64_t deadline_ms, bool cancellable)
{
    size_t watched;
    int rc = 0;

    for (watched = 0; watched < nr; watched++) {
        if (!xs_watch(ctx->xs, paths[watched], WAIT_TOKEN)) {
            rc = -errno;
            ctx_fail(ctx, rc, "cannot watch xenstore: %s", strerror(-rc));
            goto out;
        }
    }
    while (!done(ctx, opaque)) {
        rc = wait_event(ctx, deadline_ms, cancellable);
        if (rc)
            break;
    }
    if (rc == -ETIMEDOUT && done(ctx, opaque))
        rc = 0;
 out:
    while (watched--)
        xs_unwatch(ctx->xs, paths[watched], WAIT_TOKEN);
    wait_drain(ctx);
    return rc;
}
