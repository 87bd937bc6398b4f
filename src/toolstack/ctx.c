// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <fcntl.h>
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

/* Keep the first lines of warnings: later ones mostly follow from them. */
static void logger_vmessage(xentoollog_logger *vtable, xentoollog_level level,
                            int errnoval, const char *context,
                            const char *format, va_list args)
{
    struct ctx_logger *logger = (struct ctx_logger *)vtable;
    size_t used = strlen(logger->text);
    size_t room = sizeof(logger->text) - used;
    int len;

    if (level < XTL_WARN || room < 80)
        return;
    len = snprintf(logger->text + used, room, "%s%s: ", used ? "; " : "",
                   context ? context : "xen");
    used += (size_t)len;
    room = sizeof(logger->text) - used;
    vsnprintf(logger->text + used, room, format, args);
    used = strlen(logger->text);
    room = sizeof(logger->text) - used;
    if (errnoval >= 0)
        snprintf(logger->text + used, room, ": %s", strerror(errnoval));
}

static void logger_destroy(xentoollog_logger *vtable)
{
    (void)vtable;
}

static void ctx_init(struct shmlink_ctx *ctx)
{
    ctx->logger.vtable.vmessage = logger_vmessage;
    ctx->logger.vtable.destroy = logger_destroy;
    ctx->paths = ctx_paths;
    ctx->lock_fd = -1;
    ctx->options.cancel_fd = -1;
}

/* The libraries speak to one Xen version only; say so before they fail. */
static int ctx_check_version(struct shmlink_ctx *ctx)
{
    char major[16], minor[16], running[40];

    if (ctx_read_file(major, sizeof(major), "%s/hypervisor/version/major",
                      ctx->paths.sysfs) ||
        ctx_read_file(minor, sizeof(minor), "%s/hypervisor/version/minor",
                      ctx->paths.sysfs))
        return ctx_fail(ctx, -ENXIO, "this is not a Xen host: "
                        "%s/hypervisor says nothing", ctx->paths.sysfs);
    snprintf(running, sizeof(running), "%s.%s", major, minor);
    if (strcmp(running, XEN_VERSION))
        return ctx_fail(ctx, -EPROTO, "built for Xen %s but Xen %s runs; "
                        "build it again against the %s libraries",
                        XEN_VERSION, running, running);
    return 0;
}

static int ctx_connect(struct shmlink_ctx *ctx)
{
    xentoollog_logger *logger = &ctx->logger.vtable;
    int rc;

    if (geteuid() != 0)
        return ctx_fail(ctx, -EACCES, "must be run as root");
    rc = ctx_check_version(ctx);
    if (rc)
        return rc;
    ctx->xs = xs_open(0);
    if (!ctx->xs)
        return ctx_fail(ctx, -ENXIO, "cannot reach xenstore: %s; "
                        "is xenstored running?", strerror(errno));
    ctx->xc = xc_interface_open(logger, logger, 0);
    if (!ctx->xc)
        return ctx_fail(ctx, -ENXIO, "cannot reach the hypervisor: %s; "
                        "is this dom0?", strerror(errno));
    if (libxl_ctx_alloc(&ctx->xl, LIBXL_VERSION, 0, logger)) {
        ctx->xl = NULL;
        return ctx_fail(ctx, -ENXIO, "cannot start libxl: %s",
                        ctx->logger.text);
    }
    return 0;
}

int shmlink_ctx_open(struct shmlink_ctx **ctx_r,
                     const struct shmlink_ctx_options *options, char **why_r)
{
    struct shmlink_ctx *ctx = NULL;
    int rc;

    ctx = calloc(1, sizeof(*ctx));
    if (!ctx) {
        *why_r = NULL;
        return -ENOMEM;
    }
    ctx_init(ctx);
    if (options)
        ctx->options = *options;
    rc = ctx_connect(ctx);
    if (rc)
        goto out;
    *ctx_r = ctx;
    return 0;

 out:
    *why_r = strdup(ctx->why);
    shmlink_ctx_close(ctx);
    return rc;
}

void shmlink_ctx_close(struct shmlink_ctx *ctx)
{
    if (!ctx)
        return;
    lock_release(ctx);
    if (ctx->xl)
        libxl_ctx_free(ctx->xl);
    if (ctx->xc)
        xc_interface_close(ctx->xc);
    if (ctx->xs)
        xs_close(ctx->xs);
    free(ctx);
}

const char *shmlink_why(const struct shmlink_ctx *ctx)
{
    return ctx->why;
}

const char *shmlink_detail(const struct shmlink_ctx *ctx)
{
    return ctx->logger.text;
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
    ctx->logger.text[0] = '\0';
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

int ctx_read_file(char *text_r, size_t size, const char *format, ...)
{
    char path[512];
    va_list args;
    ssize_t len;
    int fd, rc;

    va_start(args, format);
    rc = vsnprintf(path, sizeof(path), format, args);
    va_end(args);
    if (rc < 0 || (size_t)rc >= sizeof(path))
        return -ENAMETOOLONG;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    len = read(fd, text_r, size);
    rc = len < 0 ? -errno : 0;
    close(fd);
    if (rc)
        return rc;
    if ((size_t)len >= size)
        return -EINVAL;
    text_r[len] = '\0';
    text_r[strcspn(text_r, "\n")] = '\0';
    return 0;
}
