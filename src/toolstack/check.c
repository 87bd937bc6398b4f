// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/check.h"
#include "toolstack/ctx.h"
#include "toolstack/obstacle.h"
#include "base/parse.h"
#include "shmlink-wire.h"

static int check_guest(struct shmlink_ctx *ctx,
                       const struct shmlink_domain *domain)
{
    if (domain->domid == 0)
        return ctx_fail(ctx, -EINVAL, "%s is not a guest; its own traffic "
                        "needs no link", domain->name);
    if (domain->dying || domain->shutdown)
        return ctx_fail(ctx, -EBUSY, "%s (domain %u) is shut down or going "
                        "down; try again when it runs", domain->name,
                        domain->domid);
    return 0;
}

int check_guests(struct shmlink_ctx *ctx, const struct pick *pick,
                 struct check *check_r)
{
    int rc;

    *check_r = (struct check){
        .pick = pick, .domain = { pick->domain[0], pick->domain[1] },
    };
    rc = check_guest(ctx, &pick->domain[0]);
    return rc ? rc : check_guest(ctx, &pick->domain[1]);
}

int check_running(struct shmlink_ctx *ctx, const struct check *check)
{
    int i;

    for (i = 0; i < 2; i++)
        if (check->domain[i].paused)
            return ctx_fail(ctx, -EBUSY, "%s (domain %u) is paused; "
                            "xl unpause %s first", check->domain[i].name,
                            check->domain[i].domid, check->domain[i].name);
    return 0;
}

int check_drivers(struct shmlink_ctx *ctx, const struct check *check)
{
    const struct shmlink_domain *domain = check->domain;
    struct store store = { .ctx = ctx };
    char value[STORE_VALUE_BYTES];
    uint32_t min[2], max[2];
    int i, rc;

    for (i = 0; i < 2; i++) {
        rc = store_read(&store, value, "/local/domain/%u/"
                        SHMLINK_XS_VERSIONS, domain[i].domid);
        if (rc == -ENOENT)
            return ctx_fail(ctx, -EOPNOTSUPP, "%s (domain %u) has no shmlink "
                            "driver loaded; in the guest, make -C src/guest "
                            "dkms-install installs it, modprobe shmlink loads "
                            "it",
                            domain[i].name, domain[i].domid);
        if (!rc)
            rc = parse_versions(value, &min[i], &max[i]);
        if (rc)
            return ctx_fail(ctx, -EOPNOTSUPP, "the shmlink driver of %s "
                            "(domain %u) does not say what it speaks; update "
                            "it", domain[i].name, domain[i].domid);
    }
    if (min[0] > max[1] || min[1] > max[0])
        return ctx_fail(ctx, -EOPNOTSUPP, "the driver of %s speaks protocol "
                        "versions %u to %u, that of %s %u to %u; update the "
                        "older one", domain[0].name, min[0], max[0],
                        domain[1].name, min[1], max[1]);
    return 0;
}

/* Errors: EOPNOTSUPP no link can be by this pair, EPERM none should. */
static int check_pair(struct shmlink_ctx *ctx, const struct check *check,
                      const struct obstacles *obstacles)
{
    const struct vif *const vif[2] = { &check->vif[0], &check->vif[1] };
    const char *const guest[2] = { check->domain[0].name,
                                   check->domain[1].name };
    struct obstacle list[OBSTACLES_MAX];
    char what[sizeof(ctx->why)];
    size_t nr;

    nr = obstacles_between(obstacles, vif, guest, list);
    if (nr && list[0].absolute)
        return ctx_fail(ctx, -EOPNOTSUPP, "%s", list[0].text);
    if (!nr && obstacles)
        return 0;
    obstacles_join(list, nr, what, sizeof(what));
    return ctx_fail(ctx, -EPERM, "%s, which a link would bypass; --force "
                    "links all the same", nr ? what : check->unread);
}

/* The first pair to which nothing objects, or to which the least does. */
static int choose_vifs(struct shmlink_ctx *ctx, struct check *check,
                       const struct obstacles *obstacles,
                       const struct vif *const vifs[2], const size_t nr[2])
{
    struct check pair = *check;
    char why[sizeof(ctx->why)];
    int rc = 0, best = 0;
    size_t i;

    for (i = 0; i < nr[0] * nr[1]; i++) {
        pair.vif[0] = vifs[0][i / nr[1]];
        pair.vif[1] = vifs[1][i % nr[1]];
        rc = check_pair(ctx, &pair, obstacles);
        if (rc && best && (rc == best || rc != -EPERM))
            continue;
        *check = pair;
        if (!rc)
            return 0;
        best = rc;
        memcpy(why, ctx->why, sizeof(why));
    }
    memcpy(ctx->why, why, sizeof(why));
    return best;
}

/* The vifs of one guest that are asked for. */
static int wanted_vifs(struct shmlink_ctx *ctx, const struct check *check,
                       int end, struct vif **vifs_r, size_t *nr_r)
{
    const struct shmlink_domain *domain = &check->domain[end];
    uint32_t wanted = check->pick->vif[end];
    const char *bridge = check->pick->bridge;
    size_t i, nr = 0;
    int rc;

    rc = vif_list(ctx, domain->domid, vifs_r, nr_r);
    if (rc)
        return rc;
    if (*nr_r == 0)
        return ctx_fail(ctx, -EOPNOTSUPP, "%s (domain %u) has no vif, so no "
                        "traffic to move; xl network-attach gives it one",
                        domain->name, domain->domid);
    for (i = 0; i < *nr_r; i++)
        if (wanted == SHMLINK_VIF_ANY || (*vifs_r)[i].devid == wanted)
            (*vifs_r)[nr++] = (*vifs_r)[i];
    if (nr == 0)
        return ctx_fail(ctx, -EOPNOTSUPP, "%s (domain %u) has no vif %u; xl "
                        "network-list %s shows those that it has",
                        domain->name, domain->domid, wanted, domain->name);
    *nr_r = nr;
    for (i = 0, nr = 0; i < *nr_r; i++)
        if (!bridge || !strcmp((*vifs_r)[i].bridge, bridge))
            (*vifs_r)[nr++] = (*vifs_r)[i];
    if (nr == 0)
        return ctx_fail(ctx, -EOPNOTSUPP, "%s of %s is not on bridge %s",
                        *nr_r > 1 ? "any vif" : (*vifs_r)[0].ifname,
                        domain->name, bridge);
    *nr_r = nr;
    return 0;
}

int check_vifs(struct shmlink_ctx *ctx, bool force, struct check *check)
{
    struct vif *vifs[2] = { NULL, NULL };
    struct obstacles *obstacles = NULL;
    size_t nr[2] = { 0, 0 };
    int i, rc = 0;

    for (i = 0; i < 2 && !rc; i++)
        rc = wanted_vifs(ctx, check, i, &vifs[i], &nr[i]);
    if (rc)
        goto out;
    if (obstacles_read(ctx, &obstacles))
        snprintf(check->unread, sizeof(check->unread), "%s", ctx->why);
    rc = choose_vifs(ctx, check, obstacles, (const struct vif *const *)vifs,
                     nr);
    if (rc == -EPERM && force)
        rc = 0;
 out:
    obstacles_free(obstacles);
    free(vifs[0]);
    free(vifs[1]);
    return rc;
}

static uint32_t ring_grants(uint32_t ring_bytes)
{
    /* Two rings of data, a directory page each, and the queue page. */
    return 2 * (ring_bytes / SHMLINK_PAGE_BYTES) + 2 + 1;
}

static int check_grants(struct shmlink_ctx *ctx,
                        const struct shmlink_domain *front, uint32_t need)
{
    /* What disks and vifs of a small guest take; Linux uses version 1. */
    enum { GRANTS_PER_FRAME = 512, RESERVE = 1024 };
    struct gnttab_query_size query = { .dom = (domid_t)front->domid };
    uint64_t most;

    if (xc_gnttab_query_size(ctx->xc, &query) || query.status != GNTST_okay)
        return 0;       /* the driver will notice */
    most = (uint64_t)query.max_nr_frames * GRANTS_PER_FRAME;
    if ((uint64_t)need + RESERVE <= most)
        return 0;
    return ctx_fail(ctx, -ENOSPC, "%s (domain %u) may have %llu grants, too "
                    "few for %u for its links and %u for its other devices; "
                    "use a smaller -s, or max_grant_frames= in its "
                    "configuration", front->name, front->domid,
                    (unsigned long long)most, need, RESERVE);
}

/* As in the guest's configuration; 0: not known. */
static uint32_t event_channels_max(struct shmlink_ctx *ctx, uint32_t domid)
{
    enum { DEFAULT = 1023 };
    libxl_domain_config config;
    uint32_t max = 0;

    libxl_domain_config_init(&config);
    if (!libxl_retrieve_domain_configuration(ctx->xl, domid, &config, NULL))
        max = config.b_info.event_channels ? config.b_info.event_channels
                                           : DEFAULT;
    libxl_domain_config_dispose(&config);
    return max;
}

static int check_event_channels(struct shmlink_ctx *ctx,
                                const struct shmlink_domain *domain)
{
    /* So few are below any limit; libxl takes long to tell it, and a lock. */
    enum { FEW = 64, MOST = 1 << 17 };
    uint32_t port, used = 0, max;

    for (port = 1; port < MOST; port++) {
        xc_evtchn_status_t status = {
            .dom = (domid_t)domain->domid,
            .port = port,
        };

        /* Ports above those ever used are an error, and so free. */
        if (xc_evtchn_status(ctx->xc, &status))
            break;
        used += status.status != EVTCHNSTAT_closed;
    }
    if (used < FEW)
        return 0;
    max = event_channels_max(ctx, domain->domid);
    if (max == 0 || used < max)
        return 0;
    return ctx_fail(ctx, -ENOSPC, "%s (domain %u) uses all its %u event "
                    "channels; max_event_channels= in its configuration "
                    "gives more", domain->name, domain->domid, max);
}

int check_headroom(struct shmlink_ctx *ctx, const struct check *check,
                   uint32_t ring_bytes, const struct registry_entry *entries,
                   size_t nr)
{
    uint32_t grants = ring_grants(ring_bytes);
    int end, rc;
    size_t i;

    for (end = 0; end < 2; end++) {
        const struct shmlink_domain *domain = &check->domain[end];
        unsigned int links = 0;

        for (i = 0; i < nr; i++)
            links += entries[i].link.domid[0] == domain->domid ||
                     entries[i].link.domid[1] == domain->domid;
        if (links >= SHMLINK_LINKS_MAX)
            return ctx_fail(ctx, -ENOSPC, "%s (domain %u) has %u links "
                            "already, the most there can be; disable one",
                            domain->name, domain->domid, links);
        rc = check_event_channels(ctx, domain);
        if (rc)
            return rc;
    }
    for (i = 0; i < nr; i++)
        if (entries[i].link.domid[1] == check->domain[1].domid)
            grants += ring_grants(entries[i].link.ring_bytes);
    return check_grants(ctx, &check->domain[1], grants);
}
