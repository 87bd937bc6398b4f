/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of filter.c that ask the kernel by netlink; 1, 0 or -errno. */
#ifndef SHMLINK_TOOLSTACK_FILTER_NETLINK_H
#define SHMLINK_TOOLSTACK_FILTER_NETLINK_H

#include "toolstack/filter.h"

/*
 * A chain of nf_tables for which filter_chain_matters().
 * Errors: EAGAIN the rules changed whenever they were read.
 */
int filter_netlink_tables(const struct vif *const vifs[2],
                          const struct filter_bridge_nf *bridge_nf,
                          char text_r[FILTER_TEXT_BYTES]);

/*
 * A queueing discipline on either vif that limits or drops, or any filter of
 * a clsact but the advisor's own, which takes samples.
 */
int filter_netlink_shaping(const struct vif *const vifs[2],
                           char text_r[FILTER_TEXT_BYTES]);

#endif /* SHMLINK_TOOLSTACK_FILTER_NETLINK_H */
