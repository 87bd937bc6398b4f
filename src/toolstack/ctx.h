/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of libshmlink share: the connections, where to look, and the
 * reason of the last failure.
 */
#ifndef SHMLINK_TOOLSTACK_CTX_H
#define SHMLINK_TOOLSTACK_CTX_H

#include <libxl.h>
#include <xenctrl.h>
#include <xenstore.h>
#include <xentoollog.h>

#include "shmlink.h"

struct ctx_logger {
    xentoollog_logger vtable;   /* first, as xentoollog wants it */
    char text[1024];
};

/* Where a new context looks; unit tests put their own here. */
struct ctx_paths {
    const char *sysfs;
    const char *procfs;
    const char *state_dir;
    const char *lock_path;
};
extern struct ctx_paths ctx_paths;

struct shmlink_ctx {
    libxl_ctx *xl;
    xc_interface *xc;
    struct xs_handle *xs;
    struct ctx_logger logger;
    struct shmlink_ctx_options options;
    struct ctx_paths paths;
    int lock_fd;
    char why[640];
};

/*
 * Note why a call fails and return rc, so that one line can say
 * "return ctx_fail(ctx, -EBUSY, ...)".
 */
int ctx_fail(struct shmlink_ctx *ctx, int rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A public call begins: forget the last one's reason and logs. */
void ctx_begin(struct shmlink_ctx *ctx);

/* Tell the caller of something on the way. */
void ctx_notice(struct shmlink_ctx *ctx, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* True once the caller wants everything taken back. */
bool ctx_cancelled(const struct shmlink_ctx *ctx);

/* Read one cancellation: it counts no more. */
void ctx_cancel_take(struct shmlink_ctx *ctx);

/* CLOCK_MONOTONIC in milliseconds. */
int64_t ctx_now_ms(void);

/*
 * One line of a small file in sysfs or procfs, without its newline.
 * Errors: those of open; EINVAL longer than size.
 */
int ctx_read_file(char *text_r, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif /* SHMLINK_TOOLSTACK_CTX_H */
