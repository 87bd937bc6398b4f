/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sampling filters on network interfaces: clsact, matchall on the egress side
 * and the sample action, which libnl 3.7 does not know, so that its messages
 * are made here.
 *
 * Ours are told from others' by preference, handle, kind and side together.
 * Only ours are ever removed, and a clsact only where sampler_attach() made it,
 * which the filter's handle tells whoever removes it, and nothing else is on
 * it.
 *
 * Functions return 0 or -errno; sampler_error() turns libnl's codes into them.
 */
#ifndef SHMLINK_COLLECT_SAMPLER_H
#define SHMLINK_COLLECT_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "toolstack/obstacle.h"

/*
 * Before other filters, of which one may end the look-up; ours passes all on.
 * Where somebody has that preference: one far from what tc hands out by itself
 * (49152 and down) and from round ones.
 */
#define SAMPLER_PREFERENCE_FIRST    1U
#define SAMPLER_PREFERENCE_LATE     21101U
#define SAMPLER_HANDLE      OBSTACLE_SAMPLER        /* on somebody's clsact */
#define SAMPLER_HANDLE_MADE OBSTACLE_SAMPLER_MADE   /* on one made for it */
/* Bytes of a packet that come with a sample: headers up to TCP's. */
#define SAMPLER_TRUNC_BYTES 128U
/* The action's index is this and the interface's number. */
#define SAMPLER_INDEX_BASE  0x73000000U

struct nl_sock;
struct nl_msg;

/* A rtnetlink socket for the functions below; nl_socket_free() closes it. */
int sampler_open(struct nl_sock **sock_r);

/*
 * Sample one of `rate` packets that leave by an interface.  *late_r is set to
 * whether others' filters come first: what they let through at once is not
 * sampled.
 * Errors: ENOENT the kernel lacks clsact, matchall or the sample action;
 * EEXIST our filter is there already; ENODEV; EPERM.
 */
int sampler_attach(struct nl_sock *sock, uint32_t ifindex, uint32_t rate,
                   uint32_t group, bool *late_r);
/*
 * Another rate, in place: every packet is seen at the old or at the new one.
 * Errors: ENOENT our filter is not there any more; as sampler_attach(), with
 * the rate as it was.
 */
int sampler_change(struct nl_sock *sock, uint32_t ifindex, uint32_t rate,
                   uint32_t group);

/*
 * Remove our filter, and the clsact that was made for it unless others use it.
 * Errors: ENOENT none there; ENODEV.
 */
int sampler_detach(struct nl_sock *sock, uint32_t ifindex);

/*
 * Remove what a killed run left on any interface; *nr_r filters.  Needs no
 * memory of that run: it looks for the filters themselves.
 */
int sampler_sweep(struct nl_sock *sock, unsigned int *nr_r);

/* The request that attaches the filter. NULL: no memory. For tests, too. */
struct nl_msg *sampler_filter_request(uint32_t ifindex, uint32_t preference,
                                      uint32_t handle, uint32_t rate,
                                      uint32_t group);

/* Whether a matchall filter with this handle is ours. */
static inline bool sampler_is_handle(uint32_t handle)
{
    return handle == SAMPLER_HANDLE || handle == SAMPLER_HANDLE_MADE;
}

/* -errno for a negative libnl code. */
int sampler_error(int nl_code);

#endif
