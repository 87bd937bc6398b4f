// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/ctx.h"
#include "toolstack/obstacle.h"
#include "toolstack/policy.h"
#include "toolstack/teardown.h"
#include "toolstack/vif.h"

/* What the link bypasses by now; of a vif that changes just now nothing. */
static void look_at(struct shmlink_ctx *ctx, struct shmlink_link *link,
                    const struct obstacles *obstacles)
{
    const char *const guest[2] = { link->name[0], link->name[1] };
    struct obstacle list[OBSTACLES_MAX];
    struct vif vif[2];
    const struct vif *const pair[2] = { &vif[0], &vif[1] };
    int end, rc;
    size_t nr;

    for (end = 0; end < 2; end++) {
        rc = vif_read(ctx, link->domid[end], link->vif[end], &vif[end]);
        if (rc == -ENOENT)
            snprintf(link->bypasses, sizeof(link->bypasses), "vif %u of %.200s "
                     "is gone", link->vif[end], guest[end]);
        link->impossible = rc == -ENOENT;
        if (rc)
            return;
    }
    nr = obstacles_between(obstacles, pair, guest, list);
    obstacles_join(list, nr, link->bypasses, sizeof(link->bypasses));
    link->impossible = nr && list[0].absolute;
}

void policy_look(struct shmlink_ctx *ctx, struct registry_entry *entries,
                 size_t nr)
{
    struct obstacles *obstacles = NULL;
    size_t i;

    if (nr && obstacles_read(ctx, &obstacles))
        ctx_notice(ctx, "%s; links are left as they are", ctx->why);
    for (i = 0; i < nr; i++) {
        struct shmlink_link *link = &entries[i].link;

        registry_describe(ctx, link);
        link->forced = entries[i].force;
        if (obstacles && entries[i].phase == REGISTRY_UP)
            look_at(ctx, link, obstacles);
    }
    obstacles_free(obstacles);
}

static bool is_forbidden(const struct shmlink_link *link)
{
    return link->bypasses[0] && (link->impossible || !link->forced);
}

int policy_close(struct shmlink_ctx *ctx, struct registry_entry *entries,
                 size_t *nr, bool dry_run)
{
    struct registry_entry *closing = calloc(*nr + 1, sizeof(*closing));
    size_t i, kept = 0, nr_closing = 0;
    int rc = 0;

    if (!closing)
        return ctx_fail(ctx, -ENOMEM, "out of memory");
    for (i = 0; i < *nr; i++) {
        const struct shmlink_link *link = &entries[i].link;

        if (!is_forbidden(link)) {
            entries[kept++] = entries[i];
            continue;
        }
        closing[nr_closing++] = entries[i];
        if (!dry_run)
            ctx_notice(ctx, "closing the link of %s and %s, which is forbidden "
                       "by now: %s", link->name[0], link->name[1],
                       link->bypasses);
    }
    *nr = kept;
    if (!dry_run)
        rc = teardown(ctx, closing, nr_closing, TEARDOWN_WAIT_MS, false);
    if (rc == -ETIMEDOUT) {
        ctx_notice(ctx, "%s", ctx->why);
        rc = 0;
    }
    free(closing);
    return rc;
}

int shmlink_review(struct shmlink_ctx *ctx, size_t *nr_r)
{
    struct registry_entry *entries = NULL;
    size_t nr = 0, before;
    int rc;

    ctx_begin(ctx);
    *nr_r = 0;
    rc = ctx_lock(ctx);
    if (rc)
        return rc;
    rc = teardown_sweep(ctx) ?: registry_read(ctx, &entries, &nr);
    before = nr;
    if (!rc) {
        policy_look(ctx, entries, nr);
        rc = policy_close(ctx, entries, &nr, false);
        *nr_r = before - nr;
    }
    ctx_unlock(ctx);
    free(entries);
    return rc;
}
