/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of libshmlink share: the connections, where to look, and the
 * reason of the last failure.
 */
#ifndef SHMLINK_TOOLSTACK_CTX_H
#define SHMLINK_TOOLSTACK_CTX_H


#include "base/xen.h"
#include "shmlink.h"

/* Where a new context looks; unit tests put their own here. */
struct ctx_paths {
    const char *sysfs;
    const char *procfs;
    const char *state_dir;
    const char *lock_path;
};
extern struct ctx_paths ctx_paths;

struct shmlink_ctx {
    struct xen *xen;
    struct xen *own_xen;        /* to be closed with the context, or NULL */
    libxl_ctx *xl;              /* xen's, for short */
    xc_interface *xc;
    struct xs_handle *xs;
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
 * One command at a time changes links on this host.  Wait for that; tells by
 * notice when it takes more than 2 s.
 * Errors: EINTR cancelled while waiting; those of open.
 */
int ctx_lock(struct shmlink_ctx *ctx);
/* For so long.  Errors: EAGAIN another command has it. */
int ctx_lock_within(struct shmlink_ctx *ctx, int64_t wait_ms);
/* Do not wait.  Errors: EAGAIN. */
int ctx_lock_try(struct shmlink_ctx *ctx);
/* Harmless where the lock is not held. */
void ctx_unlock(struct shmlink_ctx *ctx);

#endif /* SHMLINK_TOOLSTACK_CTX_H */
