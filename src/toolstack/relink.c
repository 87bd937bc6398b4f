// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/ctx.h"
#include "toolstack/domain.h"
#include "toolstack/enable.h"
#include "toolstack/pick.h"
#include "toolstack/relink.h"
#include "shmlink-wire.h"
#include "toolstack/wait.h"

/* A guest that was just restored says so once its kernel runs again. */
enum { DRIVER_WAIT_MS = 5000 };

int relink_find(const struct shmlink_domain *domains, size_t nr,
                const struct remembered *link,
                struct shmlink_domain domains_r[2])
{
    int i;

    for (i = 0; i < 2; i++)
        if (domain_among(domains, nr, link->uuid[i],
                         link->persist ? link->name[i] : NULL, &domains_r[i]))
            return -ESRCH;
    return domains_r[0].domid == domains_r[1].domid ? -ESRCH : 0;
}

void relink_driver_path(uint32_t domid, char path_r[STORE_PATH_BYTES])
{
    snprintf(path_r, STORE_PATH_BYTES, "/local/domain/%u/"
             SHMLINK_XS_VERSIONS, domid);
}

bool relink_drivers(struct shmlink_ctx *ctx,
                    const struct shmlink_domain domains[2])
{
    struct store store = { .ctx = ctx };
    char path[STORE_PATH_BYTES];
    int i;

    for (i = 0; i < 2; i++) {
        relink_driver_path(domains[i].domid, path);
        if (!store_exists(&store, "%s", path))
            return false;
    }
    return true;
}

static bool drivers_ready(struct shmlink_ctx *ctx, void *opaque)
{
    return relink_drivers(ctx, opaque);
}

static void relink_wait(struct shmlink_ctx *ctx,
                        struct shmlink_domain domains[2])
{
    char paths[2][STORE_PATH_BYTES];
    int i;

    for (i = 0; i < 2; i++)
        relink_driver_path(domains[i].domid, paths[i]);
    wait_until(ctx, paths, 2, drivers_ready, domains,
               ctx_now_ms() + DRIVER_WAIT_MS, true);
}

/*
 * The list was read without the lock: nobody has disabled or held the link
 * since.  Errors: ENOENT.
 */
static int relink_still(struct shmlink_ctx *ctx, const void *opaque)
{
    const struct remembered *link = opaque, *now;
    struct pick pick = pick_remembered(link);
    struct remembered_list list;
    int rc = remember_read(ctx, &list);

    if (rc)
        return rc;
    now = remember_find(ctx, &list, &pick);
    if (!now || now->asked != link->asked || remember_is_held(ctx, now))
        rc = -ENOENT;
    remember_free(&list);
    return rc;
}

int relink_enable(struct shmlink_ctx *ctx, const struct remembered *link,
                  const struct shmlink_domain domains[2],
                  unsigned int wait_ms)
{
    struct shmlink_enable_options options = {
        .ring_bytes = link->ring_bytes,
        .limit = link->limit,
        .wait_ms = wait_ms,
        .force = link->force,
    };
    char ends[2][24];
    bool changed = false;
    int i, rc;

    for (i = 0; i < 2; i++) {
        snprintf(ends[i], sizeof(ends[i]), link->vif[i] == SHMLINK_VIF_ANY
                 ? "%u" : "%u:%u", domains[i].domid, link->vif[i]);
        options.dom[i] = ends[i];
    }
    rc = enable_if(ctx, &options, link->asked, relink_still, link, &changed,
                   NULL);
    /* Not wanted any more; or there, with other rings or another limit. */
    if (rc == -ENOENT || rc == -EEXIST)
        return 0;
    return rc ? rc : changed;
}

/* 1: brought back; 0: was there, or not now: a guest is not, or told why. */
static int relink_one(struct shmlink_ctx *ctx, const struct remembered *link,
                      const uint8_t *uuid)
{
    struct shmlink_domain domains[2], *all;
    size_t nr;
    int rc = shmlink_domain_list(ctx, &all, &nr);

    if (rc)
        return rc;
    rc = relink_find(all, nr, link, domains);
    free(all);
    if (rc || domains[0].paused || domains[1].paused ||
        remember_is_held(ctx, link))
        return 0;
    if (uuid && memcmp(domains[0].uuid, uuid, 16) &&
        memcmp(domains[1].uuid, uuid, 16))
        return 0;
    /* Only what was just taken down has a driver to be waited for. */
    if (!link->persist || link->holder)
        relink_wait(ctx, domains);
    else if (!relink_drivers(ctx, domains))
        return 0;
    rc = relink_enable(ctx, link, domains, 0);
    if (rc >= 0 || rc == -EINTR)
        return rc;
    ctx_notice(ctx, "the link of %s and %s does not come back: %s",
               domains[0].name, domains[1].name, ctx->why);
    return 0;
}

int shmlink_relink(struct shmlink_ctx *ctx, const char *dom, size_t *nr_r)
{
    struct remembered_list list;
    struct shmlink_domain domain;
    size_t i;
    int rc;

    ctx_begin(ctx);
    *nr_r = 0;
    rc = dom ? shmlink_domain_find(ctx, dom, &domain) : 0;
    if (!rc)
        rc = ctx_lock(ctx);
    if (rc)
        return rc;
    rc = remember_read(ctx, &list);
    if (!rc && remember_release(ctx))
        ctx_notice(ctx, "%s", ctx->why);
    ctx_unlock(ctx);
    for (i = 0; i < list.nr_links && rc >= 0; i++) {
        rc = relink_one(ctx, &list.links[i], dom ? domain.uuid : NULL);
        *nr_r += rc > 0;
    }
    remember_free(&list);
    return rc < 0 ? rc : 0;
}
