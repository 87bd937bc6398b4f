/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One command at a time changes links on this host: flock on ctx->lock_path,
 * which the kernel lets go of when a command is killed.
 */
#ifndef SHMLINK_BASE_LOCK_H
#define SHMLINK_BASE_LOCK_H

struct shmlink_ctx;

/*
 * Wait for the lock; tells by notice when that takes more than 2 s.
 * Errors: EINTR cancelled while waiting; those of open.
 */
int lock_take(struct shmlink_ctx *ctx);
/* Errors: EAGAIN another command has it. */
int lock_try(struct shmlink_ctx *ctx);
/* Harmless where the lock is not held. */
void lock_release(struct shmlink_ctx *ctx);

#endif /* SHMLINK_BASE_LOCK_H */
