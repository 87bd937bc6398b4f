/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operations of apply-state.h on this host: affinity and vCPUs through
 * libxl, links through libshmlink.
 */
#ifndef SHMLINK_APPLY_XEN_H
#define SHMLINK_APPLY_XEN_H

struct apply_ops;
struct apply_xen;
struct xen;

/*
 * Args: xen, which the caller keeps open; cancel_fd, readable means stop
 * waiting for a link; -1 none.
 * why_r: one line on failure; the caller frees it.  Errors: ENXIO no Xen, or
 * those of shmlink_ctx_open().  Owns: the caller, apply_xen_close().
 */
int apply_xen_open(struct apply_xen **host_r, struct xen *xen, int cancel_fd,
                   char **why_r);
void apply_xen_close(struct apply_xen *host);

/* Their `host` is a struct apply_xen. */
extern const struct apply_ops apply_xen_ops;

#endif
