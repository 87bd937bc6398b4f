/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps of what the kernel knows, by libnl; 0 or -errno. */
#ifndef SHMLINK_TOOLSTACK_NETLINK_H
#define SHMLINK_TOOLSTACK_NETLINK_H

#include <stddef.h>

struct nlmsghdr;

/*
 * Ask for a dump by NETLINK_ROUTE, say.  head: what follows the message's
 * header.
 * see: called for each message, and with NULL first and whenever the dump
 * begins again, since what it tells changed meanwhile; its error ends it.
 * Errors: EAGAIN it changed whenever it was read; EOPNOTSUPP not in this
 * kernel; ENODEV.
 */
int netlink_dump(int protocol, int type, void *head, size_t bytes,
                 int (*see)(void *opaque, struct nlmsghdr *message),
                 void *opaque);

#endif /* SHMLINK_TOOLSTACK_NETLINK_H */
