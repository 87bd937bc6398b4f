// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/ctx.h"
#include "toolstack/domain.h"
#include "toolstack/remember.h"
#include "shmlink-wire.h"
#include "toolstack/store.h"
#include "toolstack/wait.h"

/* A guest that was just restored says so once its kernel runs again. */
enum { DRIVER_WAIT_MS = 5000 };

static bool drivers_ready(struct shmlink_ctx *ctx, void *opaque)
{
    const struct shmlink_domain *domains = opaque;
    struct store store = { .ctx = ctx };
    int i;

    for (i = 0; i < 2; i++)
        if (!store_exists(&store, "/local/domain/%u/" SHMLINK_XS_VERSIONS,
                          domains[i].domid))
            return false;
    return true;
}

static void relink_wait(struct shmlink_ctx *ctx,
                        struct shmlink_domain domains[2])
{
    char paths[2][STORE_PATH_BYTES];
    int i;

    for (i = 0; i < 2; i++)
        snprintf(paths[i], sizeof(paths[i]),
                 "/local/domain/%u/" SHMLINK_XS_VERSIONS, domains[i].domid);
    wait_until(ctx, paths, 2, drivers_ready, domains,
               ctx_now_ms() + DRIVER_WAIT_MS, true);
}

/* 1: brought back; 0: was there, or not now: a guest is not, or told why. */
static int relink_one(struct shmlink_ctx *ctx, const struct remembered *link,
                      const uint8_t *uuid)
{
    struct shmlink_domain domains[2];
    struct shmlink_enable_options options = {
        .ring_bytes = link->ring_bytes,
        .force = link->force,
    };
    char ends[2][24];
    bool changed = false;
    int i, rc;

    if (uuid && memcmp(link->uuid[0], uuid, 16) &&
        memcmp(link->uuid[1], uuid, 16))
        return 0;
    for (i = 0; i < 2; i++) {
        if (domain_by_uuid(ctx, link->uuid[i], &domains[i]) ||
            domains[i].paused)
            return 0;
        snprintf(ends[i], sizeof(ends[i]), link->vif[i] == SHMLINK_VIF_ANY
                 ? "%u" : "%u:%u", domains[i].domid, link->vif[i]);
        options.dom[i] = ends[i];
    }
    relink_wait(ctx, domains);
    rc = shmlink_enable(ctx, &options, &changed, NULL);
    if (rc == -EINTR)
        return rc;
    if (rc)
        ctx_notice(ctx, "the link of %s and %s does not come back: %s",
                   domains[0].name, domains[1].name, ctx->why);
    return !rc && changed;
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
    ctx_unlock(ctx);
    for (i = 0; i < list.nr_links && rc >= 0; i++) {
        rc = relink_one(ctx, &list.links[i], dom ? domain.uuid : NULL);
        *nr_r += rc > 0;
    }
    free(list.links);
    return rc < 0 ? rc : 0;
}
