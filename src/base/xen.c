/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "base/xen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

/* Keep the first lines of warnings: later ones mostly follow from them. */
static void log_line(xentoollog_logger *logger, xentoollog_level level,
                     int errnoval, const char *context, const char *format,
                     va_list args)
{
    struct xen *xen = (struct xen *)logger;
    size_t used = strlen(xen->log), room = sizeof(xen->log) - used;
    int len;

    if (level < XTL_WARN || room < 80)
        return;
    len = snprintf(xen->log + used, room, "%s%s: ", used ? "; " : "",
                   context ? context : "xen");
    used += (size_t)len;
    room = sizeof(xen->log) - used;
    vsnprintf(xen->log + used, room, format, args);
    used = strlen(xen->log);
    room = sizeof(xen->log) - used;
    if (errnoval >= 0)
        snprintf(xen->log + used, room, ": %s", strerror(errnoval));
    text_clean(xen->log);
}

static void log_progress(xentoollog_logger *logger, const char *context,
                         const char *what, int percent, unsigned long done,
                         unsigned long total)
{
    (void)logger, (void)context, (void)what;
    (void)percent, (void)done, (void)total;
}

static void log_destroy(xentoollog_logger *logger)
{
    (void)logger;
}

__attribute__((format(printf, 3, 4)))
static int fail(char **why_r, int rc, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (vasprintf(why_r, format, args) < 0)
        *why_r = NULL;
    va_end(args);
    return rc;
}

/* The libraries speak to one Xen version only; say so before they fail. */
static int check_version(const char *sysfs, char **why_r)
{
    char major[16], minor[16], running[40];

    if (file_line(major, sizeof(major), "%s/hypervisor/version/major",
                  sysfs) ||
        file_line(minor, sizeof(minor), "%s/hypervisor/version/minor", sysfs))
        return fail(why_r, -ENXIO, "this is not a Xen host: %s/hypervisor "
                    "says nothing", sysfs);
    snprintf(running, sizeof(running), "%s.%s", major, minor);
    if (strcmp(running, XEN_VERSION))
        return fail(why_r, -EPROTO, "built for Xen %s but Xen %s runs; build "
                    "it again against the %s libraries", XEN_VERSION, running,
                    running);
    return 0;
}

static int connect_all(struct xen *xen, char **why_r)
{
    xen->xs = xs_open(0);
    if (!xen->xs)
        return fail(why_r, -ENXIO, "cannot reach xenstore: %s; is xenstored "
                    "running?", strerror(errno));
    xen->xc = xc_interface_open(&xen->logger, &xen->logger, 0);
    if (!xen->xc)
        return fail(why_r, -ENXIO, "cannot reach the hypervisor: %s; is this "
                    "dom0?", strerror(errno));
    if (libxl_ctx_alloc(&xen->xl, LIBXL_VERSION, 0, &xen->logger)) {
        xen->xl = NULL;
        return fail(why_r, -ENXIO, "cannot start libxl: %s", xen->log);
    }
    return 0;
}

int xen_open(struct xen **xen_r, const char *sysfs, char **why_r)
{
    struct xen *xen;
    int rc;

    *why_r = NULL;
    if (geteuid() != 0)
        return fail(why_r, -EACCES, "must be run as root");
    rc = check_version(sysfs, why_r);
    if (rc)
        return rc;
    xen = calloc(1, sizeof(*xen));
    if (!xen)
        return -ENOMEM;
    xen->logger.vmessage = log_line;
    xen->logger.progress = log_progress;
    xen->logger.destroy = log_destroy;
    rc = connect_all(xen, why_r);
    if (rc) {
        xen_close(xen);
        return rc;
    }
    *xen_r = xen;
    return 0;
}

void xen_close(struct xen *xen)
{
    if (!xen)
        return;
    if (xen->xl)
        libxl_ctx_free(xen->xl);
    if (xen->xc)
        xc_interface_close(xen->xc);
    if (xen->xs)
        xs_close(xen->xs);
    free(xen);
}

void xen_forget(struct xen *xen)
{
    xen->log[0] = '\0';
}
