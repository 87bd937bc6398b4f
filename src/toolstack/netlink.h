/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dumps of what the kernel knows, by libnl; 0 or -errno. */
#ifndef SHMLINK_TOOLSTACK_NETLINK_H
#define SHMLINK_TOOLSTACK_NETLINK_H

#include <stddef.h>

struct nl_sock;
struct nlmsghdr;

/* Errors: EOPNOTSUPP not in this kernel. */
int netlink_open(int protocol, struct nl_sock **sock_r);

/*
 * Ask for a dump.  head: what follows the message's header.
 * see: called for each message, and with NULL first and whenever the dump
 * begins again, since what it tells changed meanwhile; its error ends it.
 * Errors: EAGAIN it changed whenever it was read; EOPNOTSUPP; ENODEV.
 */
int netlink_dump(struct nl_sock *sock, int type, void *head, size_t bytes,
                 int (*see)(void *opaque, struct nlmsghdr *message),
                 void *opaque);

#endif /* SHMLINK_TOOLSTACK_NETLINK_H */
