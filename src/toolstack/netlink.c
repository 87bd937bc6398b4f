// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdbool.h>
#include <time.h>

#include "toolstack/netlink.h"

struct dump {
    int (*see)(void *opaque, struct nlmsghdr *message);
    void *opaque;
    int rc;
};

static int netlink_errno(int r)
{
    switch (-r) {
    case NLE_NOMEM:
        return -ENOMEM;
    case NLE_DUMP_INTR:
        return -EAGAIN;
    case NLE_PERM:
        return -EPERM;
    case NLE_NODEV:
    case NLE_OBJ_NOTFOUND:
        return -ENODEV;
    case NLE_PROTO_MISMATCH:
    case NLE_AF_NOSUPPORT:
    case NLE_OPNOTSUPP:
    case NLE_INVAL:
        return -EOPNOTSUPP;
    default:
        return r < 0 ? -EIO : 0;
    }
}

static int dump_message(struct nl_msg *msg, void *opaque)
{
    struct dump *dump = opaque;

    if (!dump->rc)
        dump->rc = dump->see(dump->opaque, nlmsg_hdr(msg));
    return NL_OK;
}

static int dump_ask(struct nl_sock *sock, int type, void *head, size_t bytes)
{
    struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_DUMP);
    int r;

    if (!msg)
        return -NLE_NOMEM;
    r = nlmsg_append(msg, head, bytes, NLMSG_ALIGNTO);
    if (!r)
        r = nl_send_auto(sock, msg);
    nlmsg_free(msg);
    if (r >= 0)
        r = nl_recvmsgs_default(sock);
    return r;
}

/*
 * What changes meanwhile interrupts a dump, and what came of it is not to be
 * relied on; libnl has read it to its end.
 */
static int dump_all(struct nl_sock *sock, struct dump *dump, int type,
                    void *head, size_t bytes)
{
    enum { TRIES = 5, PAUSE_NS = 20 * 1000 * 1000 };
    const struct timespec pause = { .tv_nsec = PAUSE_NS };
    int r = 0, try;

    for (try = 0; try < TRIES; try++) {
        if (try)
            nanosleep(&pause, NULL);
        dump->rc = dump->see(dump->opaque, NULL);
        if (dump->rc)
            return dump->rc;
        r = dump_ask(sock, type, head, bytes);
        if (r != -NLE_DUMP_INTR)
            break;
    }
    return dump->rc ? dump->rc : netlink_errno(r);
}

int netlink_dump(int protocol, int type, void *head, size_t bytes,
                 int (*see)(void *opaque, struct nlmsghdr *message),
                 void *opaque)
{
    struct dump dump = { .see = see, .opaque = opaque };
    struct nl_sock *sock = nl_socket_alloc();
    int rc;

    if (!sock)
        return -ENOMEM;
    rc = netlink_errno(nl_connect(sock, protocol));
    if (!rc) {
        nl_socket_enable_msg_peek(sock);
        nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, dump_message,
                            &dump);
        rc = dump_all(sock, &dump, type, head, bytes);
    }
    nl_socket_free(sock);
    return rc;
}
