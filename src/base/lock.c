// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "toolstack/ctx.h"
#include "base/lock.h"

enum { NOTICE_MS = 2000, RETRY_MS = 50 };

int lock_try(struct shmlink_ctx *ctx)
{
    int rc;

    if (ctx->lock_fd < 0)
        ctx->lock_fd = open(ctx->paths.lock_path,
                            O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (ctx->lock_fd < 0) {
        rc = -errno;
        return ctx_fail(ctx, rc, "cannot open %s: %s", ctx->paths.lock_path,
                        strerror(-rc));
    }
    if (flock(ctx->lock_fd, LOCK_EX | LOCK_NB)) {
        rc = errno == EWOULDBLOCK ? -EAGAIN : -errno;
        lock_release(ctx);
        return ctx_fail(ctx, rc, "another command is changing links");
    }
    return 0;
}

int lock_take(struct shmlink_ctx *ctx)
{
    struct pollfd cancel = { .fd = ctx->options.cancel_fd, .events = POLLIN };
    int64_t start = ctx_now_ms();
    bool told = false;
    int rc;

    for (;;) {
        rc = lock_try(ctx);
        if (rc != -EAGAIN)
            return rc;
        if (!told && ctx_now_ms() - start >= NOTICE_MS) {
            ctx_notice(ctx, "waiting for another command that changes links");
            told = true;
        }
        if (poll(&cancel, 1, RETRY_MS) > 0)
            return ctx_fail(ctx, -EINTR, "interrupted; nothing was changed");
    }
}

void lock_release(struct shmlink_ctx *ctx)
{
    if (ctx->lock_fd >= 0)
        close(ctx->lock_fd);
    ctx->lock_fd = -1;
}
