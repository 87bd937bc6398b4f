/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/psample-socket.h"

#include <errno.h>
#include <linux/psample.h>
#include <linux/rtnetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collect/sampler.h"

#define BUFFER_BYTES (8 << 20)
/* A gap larger than this is another user's restart of the group, not loss. */
#define GAP_MOST (1U << 24)

struct psample_socket {
    struct nl_sock *samples;
    struct nl_sock *links;
    int epoll;
    uint32_t group;
    void (*take)(void *opaque, const struct psample_sample *sample);
    void *opaque;
    uint32_t sequence;
    uint64_t got, lost;
    bool changed;
};

static int see_sample(struct nl_msg *msg, void *opaque)
{
    struct psample_socket *socket = opaque;
    struct nlmsghdr *header = nlmsg_hdr(msg);
    struct genlmsghdr *genl = nlmsg_data(header);
    struct psample_sample sample;
    uint32_t gap;

    if (!genlmsg_valid_hdr(header, 0) || genl->cmd != PSAMPLE_CMD_SAMPLE ||
        psample_decode(genlmsg_attrdata(genl, 0), genlmsg_attrlen(genl, 0),
                       &sample) || sample.group != socket->group)
        return NL_OK;
    gap = sample.sequence - socket->sequence - 1;
    if (socket->got && gap < GAP_MOST)
        socket->lost += gap;
    socket->sequence = sample.sequence;
    socket->got++;
    socket->take(socket->opaque, &sample);
    return NL_OK;
}

static int see_link(struct nl_msg *msg, void *opaque)
{
    struct psample_socket *socket = opaque;
    int type = nlmsg_hdr(msg)->nlmsg_type;

    socket->changed |= type == RTM_NEWLINK || type == RTM_DELLINK;
    return NL_OK;
}

static int watch(struct psample_socket *socket, struct nl_sock *sock)
{
    struct epoll_event event = { .events = EPOLLIN };

    return epoll_ctl(socket->epoll, EPOLL_CTL_ADD, nl_socket_get_fd(sock),
                     &event) ? -errno : 0;
}

static int listen_to(struct nl_sock *sock, int group,
                     nl_recvmsg_msg_cb_t see, void *opaque)
{
    int bytes = BUFFER_BYTES, r;

    nl_socket_disable_seq_check(sock);
    nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, see, opaque);
    /* Forced, beyond rmem_max; without the right to, as much as goes. */
    if (setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
                   sizeof(bytes)))
        nl_socket_set_buffer_size(sock, bytes, 0);
    r = nl_socket_add_membership(sock, group);
    if (r >= 0)
        r = nl_socket_set_nonblocking(sock);
    return r < 0 ? sampler_error(r) : 0;
}

static int open_samples(struct psample_socket *socket)
{
    int group;

    socket->samples = nl_socket_alloc();
    if (!socket->samples)
        return -ENOMEM;
    if (genl_connect(socket->samples) < 0)
        return -EPROTONOSUPPORT;
    group = genl_ctrl_resolve_grp(socket->samples, PSAMPLE_GENL_NAME,
                                  PSAMPLE_NL_MCGRP_SAMPLE_NAME);
    if (group < 0)
        return -ENOENT;
    return listen_to(socket->samples, group, see_sample, socket);
}

static int open_links(struct psample_socket *socket)
{
    int r;

    socket->links = nl_socket_alloc();
    if (!socket->links)
        return -ENOMEM;
    r = nl_connect(socket->links, NETLINK_ROUTE);
    if (r < 0)
        return sampler_error(r);
    return listen_to(socket->links, RTNLGRP_LINK, see_link, socket);
}

int psample_socket_open(struct psample_socket **socket_r, uint32_t group,
                        void (*take)(void *opaque,
                                     const struct psample_sample *sample),
                        void *opaque)
{
    struct psample_socket *socket = calloc(1, sizeof(*socket));
    int rc;

    if (!socket)
        return -ENOMEM;
    socket->group = group;
    socket->take = take;
    socket->opaque = opaque;
    socket->epoll = epoll_create1(EPOLL_CLOEXEC);
    rc = socket->epoll < 0 ? -errno : 0;
    if (!rc)
        rc = open_samples(socket) ?:
             open_links(socket) ?:
             watch(socket, socket->samples) ?:
             watch(socket, socket->links);
    if (rc)
        psample_socket_close(socket);
    else
        *socket_r = socket;
    return rc;
}

void psample_socket_close(struct psample_socket *socket)
{
    if (!socket)
        return;
    if (socket->samples)
        nl_socket_free(socket->samples);
    if (socket->links)
        nl_socket_free(socket->links);
    if (socket->epoll >= 0)
        close(socket->epoll);
    free(socket);
}

int psample_socket_fd(const struct psample_socket *socket)
{
    return socket->epoll;
}

/* Until there is nothing more; an overflow shows in the sequence numbers. */
static int read_all(struct nl_sock *sock, bool *overflow_r)
{
    int r;

    *overflow_r = false;
    do {
        r = nl_recvmsgs_default(sock);
        *overflow_r |= r == -NLE_NOMEM;
    } while (r >= 0 || r == -NLE_NOMEM || r == -NLE_INTR);
    return r == -NLE_AGAIN ? 0 : sampler_error(r);
}

int psample_socket_read(struct psample_socket *socket, bool *links_r)
{
    bool overflow;
    int rc;

    rc = read_all(socket->samples, &overflow);
    if (rc)
        return rc;
    rc = read_all(socket->links, &overflow);
    *links_r = socket->changed || overflow;
    socket->changed = false;
    return rc;
}

void psample_socket_counts(const struct psample_socket *socket,
                           uint64_t *got_r, uint64_t *lost_r)
{
    *got_r = socket->got;
    *lost_r = socket->lost;
}
