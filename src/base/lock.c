/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/file.h>
#include <unistd.h>

enum { TOLD_MS = 2000, RETRY_MS = 50 };

int lock_take(int *fd_r, const char *path, int64_t wait_ms, int cancel_fd,
              void (*waiting)(void *opaque), void *opaque)
{
    struct pollfd cancel = { .fd = cancel_fd, .events = POLLIN };
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int64_t waited_ms = 0;
    int rc = 0;

    if (fd < 0)
        return -errno;
    while (!rc && flock(fd, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK)
            rc = -errno;
        else if (waited_ms >= wait_ms)
            rc = -EAGAIN;
        else if (poll(&cancel, 1, RETRY_MS) > 0)
            rc = -EINTR;
        waited_ms += RETRY_MS;
        if (!rc && waiting && waited_ms == TOLD_MS)
            waiting(opaque);
    }
    if (rc) {
        close(fd);
        return rc;
    }
    *fd_r = fd;
    return 0;
}

int lock_release(int fd)
{
    if (fd >= 0)
        close(fd);
    return -1;
}
