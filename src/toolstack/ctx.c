// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/ctx.h"
#include "base/lock.h"

struct ctx_paths ctx_paths = {
    .sysfs = "/sys",
    .procfs = "/proc",
    .state_dir = SHMLINK_STATE_DIR,
    /* Not /run/lock: there anybody could make the file and hold the lock. */
    .lock_path = "/run/shmlink.lock",
};

int shmlink_ctx_open(struct shmlink_ctx **ctx_r,
                     const struct shmlink_ctx_options *options, char **why_r)
{
    struct shmlink_ctx *ctx;
    int rc = 0;

    *why_r = NULL;
    ctx = calloc(1, sizeof(*ctx));
    if (!ctx)
        return -ENOMEM;
    ctx->paths = ctx_paths;
    ctx->lock_fd = -1;
    ctx->options.cancel_fd = -1;
    if (options)
        ctx->options = *options;
    ctx->xen = ctx->options.xen;
    if (!ctx->xen) {
        rc = xen_open(&ctx->own_xen, ctx->paths.sysfs, why_r);
        ctx->xen = ctx->own_xen;
    }
    if (rc) {
        free(ctx);
        return rc;
    }
    ctx->xl = ctx->xen->xl;
    ctx->xc = ctx->xen->xc;
    ctx->xs = ctx->xen->xs;
    *ctx_r = ctx;
    return 0;
}

void shmlink_ctx_close(struct shmlink_ctx *ctx)
{
    if (!ctx)
        return;
    ctx_unlock(ctx);
    xen_close(ctx->own_xen);
    free(ctx);
}

void shmlink_ctx_heed(struct shmlink_ctx *ctx, int cancel_fd)
{
    ctx->options.cancel_fd = cancel_fd;
}

const char *shmlink_why(const struct shmlink_ctx *ctx)
{
    return ctx->why;
}

const char *shmlink_detail(const struct shmlink_ctx *ctx)
{
    return ctx->xen->log;
}

int ctx_fail(struct shmlink_ctx *ctx, int rc, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(ctx->why, sizeof(ctx->why), format, args);
    va_end(args);
    return rc;
}

void ctx_begin(struct shmlink_ctx *ctx)
{
    ctx->why[0] = '\0';
    xen_forget(ctx->xen);
}

void ctx_notice(struct shmlink_ctx *ctx, const char *format, ...)
{
    char line[640];
    va_list args;

    if (!ctx->options.notice)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    ctx->options.notice(ctx->options.opaque, line);
}

bool ctx_cancelled(const struct shmlink_ctx *ctx)
{
    struct pollfd pollfd = { .fd = ctx->options.cancel_fd, .events = POLLIN };

    return poll(&pollfd, 1, 0) > 0;
}

void ctx_cancel_take(struct shmlink_ctx *ctx)
{
    struct signalfd_siginfo signal;

    /* What cannot be read counts again. */
    while (read(ctx->options.cancel_fd, &signal, sizeof(signal)) < 0 &&
           errno == EINTR)
        ;
}

int64_t ctx_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void ctx_waiting(void *opaque)
{
    ctx_notice(opaque, "waiting for another command that changes links");
}

int ctx_lock_within(struct shmlink_ctx *ctx, int64_t wait_ms)
{
    int rc = lock_take(&ctx->lock_fd, ctx->paths.lock_path, wait_ms,
                       ctx->options.cancel_fd, ctx_waiting, ctx);

    if (rc == -EAGAIN)
        return ctx_fail(ctx, rc, "another command is changing links");
    if (rc == -EINTR)
        return ctx_fail(ctx, rc, "interrupted; nothing was changed");
    if (rc)
        return ctx_fail(ctx, rc, "cannot open %s: %s", ctx->paths.lock_path,
                        strerror(-rc));
    return 0;
}

int ctx_lock(struct shmlink_ctx *ctx)
{
    return ctx_lock_within(ctx, INT64_MAX);
}

int ctx_lock_try(struct shmlink_ctx *ctx)
{
    return ctx_lock_within(ctx, 0);
}

void ctx_unlock(struct shmlink_ctx *ctx)
{
    ctx->lock_fd = lock_release(ctx->lock_fd);
}
