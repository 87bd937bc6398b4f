/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks between commands: flock on files in /run, which the kernel lets go of
 * when a command is killed.  Not in /run/lock: there anybody could make the
 * file and hold the lock.
 */
#ifndef SHMLINK_BASE_LOCK_H
#define SHMLINK_BASE_LOCK_H

#include <stdint.h>

/*
 * Take the lock of a file, waiting for it up to wait_ms; INT64_MAX: as long as
 * it takes.  cancel_fd: readable means stop; -1 none.  waiting: called once
 * where it takes more than 2 s; may be NULL.
 * *fd_r: the lock, held until lock_release().
 * Errors: EAGAIN another command has it; EINTR cancelled; those of open.
 */
int lock_take(int *fd_r, const char *path, int64_t wait_ms, int cancel_fd,
              void (*waiting)(void *opaque), void *opaque);
/* fd: below 0 it is not held, and this does nothing.  Returns: -1. */
int lock_release(int fd);

#endif
