/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for guests by xenstore watches, with a deadline.
 */
#ifndef SHMLINK_TOOLSTACK_WAIT_H
#define SHMLINK_TOOLSTACK_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "toolstack/store.h"

struct shmlink_ctx;

/*
 * Wait until done() says true.  paths: what to watch, nr of them; done() runs
 * once before anything is waited for, after each change below a path, and at
 * the deadline.
 * deadline_ms: in ctx_now_ms()'s time.  cancellable: stop on cancellation.
 * Errors: ETIMEDOUT; EINTR cancelled; what xs_watch gave, why says so.
 */
int wait_until(struct shmlink_ctx *ctx,
               const char (*paths)[STORE_PATH_BYTES], size_t nr,
               bool (*done)(struct shmlink_ctx *ctx, void *opaque),
               void *opaque, int64_t deadline_ms, bool cancellable);

#endif /* SHMLINK_TOOLSTACK_WAIT_H */
