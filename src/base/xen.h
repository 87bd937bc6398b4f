/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection to Xen: libxl, libxc, xenstore, and what they log.  A command
 * opens one and hands it down.  For one thread; a fork() must not use it.
 */
#ifndef SHMLINK_BASE_XEN_H
#define SHMLINK_BASE_XEN_H

#include <libxl.h>
#include <xenctrl.h>
#include <xenstore.h>
#include <xentoollog.h>

struct xen {
    xentoollog_logger logger;   /* first, as xentoollog wants it */
    libxl_ctx *xl;
    xc_interface *xc;
    struct xs_handle *xs;
    char log[1024];             /* warnings since xen_forget(), or "" */
};

/*
 * sysfs: "/sys", or a test's.  why_r: one line on failure, the caller frees
 * it.  Errors: ENXIO no Xen, or this is not dom0; EPROTO built for another
 * Xen than runs; EACCES.  Owns: the caller, xen_close().
 */
int xen_open(struct xen **xen_r, const char *sysfs, char **why_r);
void xen_close(struct xen *xen);

/* Forget what was logged. */
void xen_forget(struct xen *xen);

#endif
