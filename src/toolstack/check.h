/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold before two guests are linked.  Each refusal is one line of
 * why that names the thing and the way out.
 */
#ifndef SHMLINK_TOOLSTACK_CHECK_H
#define SHMLINK_TOOLSTACK_CHECK_H

#include "toolstack/pick.h"
#include "toolstack/vif.h"

/*
 * pick: as asked for; domain: as found; vif: the pair as chosen.  unread: why
 * dom0's state could not be read.
 */
struct check {
    const struct pick *pick;
    struct shmlink_domain domain[2];
    struct vif vif[2];
    char unread[640];
};

/* Two guests. Errors: EINVAL dom0, EBUSY one is on its way out. */
int check_guests(struct shmlink_ctx *ctx, const struct pick *pick,
                 struct check *check_r);

/* They can answer. Errors: EBUSY one is paused. */
int check_running(struct shmlink_ctx *ctx, const struct check *check);

/* Errors: EOPNOTSUPP no driver, or none of the same protocol version. */
int check_drivers(struct shmlink_ctx *ctx, const struct check *check);

/*
 * Choose the pair of vifs: the first, in the order of their numbers, for which
 * dom0 enforces nothing, or else, with force, the first.
 * Errors: EOPNOTSUPP no vif, none on one bridge; EPERM what dom0 enforces
 * would be bypassed.
 */
int check_vifs(struct shmlink_ctx *ctx, bool force, struct check *check);

/*
 * Links per guest, grants and event channels; entries: the links there are.
 * Xen does not tell how many grants a guest uses, only how many it may have:
 * what is used otherwise only the driver knows, and reports.
 * Errors: ENOSPC.
 */
int check_headroom(struct shmlink_ctx *ctx, const struct check *check,
                   uint32_t ring_bytes, const struct registry_entry *entries,
                   size_t nr);

#endif /* SHMLINK_TOOLSTACK_CHECK_H */
