/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold before two guests are linked.  Each refusal is one line of
 * why that names the thing and the way out.
 */
#ifndef SHMLINK_TOOLSTACK_CHECK_H
#define SHMLINK_TOOLSTACK_CHECK_H

#include "toolstack/registry.h"
#include "toolstack/vif.h"

/* domain: as found; vif: the pair on one bridge, as chosen. */
struct check {
    struct shmlink_domain domain[2];
    struct vif vif[2];
};

/*
 * Two different guests by these names.
 * Errors: ESRCH, EINVAL (the same, dom0), EBUSY (on its way out).
 */
int check_guests(struct shmlink_ctx *ctx, const char *const dom[2],
                 struct check *check);

/* They can answer. Errors: EBUSY one is paused. */
int check_running(struct shmlink_ctx *ctx, const struct check *check);

/* Errors: EOPNOTSUPP no driver, or none of the same protocol version. */
int check_drivers(struct shmlink_ctx *ctx, const struct check *check);

/* Choose the pair of vifs. Errors: EOPNOTSUPP no vif, none on one bridge. */
int check_vifs(struct shmlink_ctx *ctx, struct check *check);

/* What dom0 enforces on these vifs. Errors: EPERM it would be bypassed. */
int check_limits(struct shmlink_ctx *ctx, const struct check *check);

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
