// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/ctx.h"
#include "toolstack/pick.h"
#include "toolstack/policy.h"
#include "toolstack/remember.h"
#include "toolstack/teardown.h"

static int disable_remember(struct shmlink_ctx *ctx,
                            const struct registry_entry *entry)
{
    struct remembered link = remembered_link(&entry->link, entry->force);

    remember_hold(ctx, &link);
    return remember_add(ctx, &link);
}

/*
 * The administrator wants the links away: also those only remembered.  A link
 * is taken down also where it cannot be forgotten; that fails later.
 */
static int disable_entries(struct shmlink_ctx *ctx,
                           const struct shmlink_disable_options *options,
                           const struct pick *pick,
                           struct registry_entry *entries, size_t nr)
{
    int rc, forget = options->remember ? 0 : remember_forget(ctx, pick, true);
    char why[sizeof(ctx->why)];

    memcpy(why, ctx->why, sizeof(why));
    rc = teardown(ctx, entries, nr, options->wait_ms
                  ? options->wait_ms : SHMLINK_WAIT_MS_DEFAULT,
                  options->stoppable);
    if (rc || !forget)
        return rc;
    memcpy(ctx->why, why, sizeof(why));
    return forget;
}

static int disable_locked(struct shmlink_ctx *ctx,
                          const struct shmlink_disable_options *options,
                          const struct pick *pick, size_t *nr_r)
{
    struct registry_entry *entries = NULL, entry;
    size_t i, nr = 0, wanted = 0, others;
    int rc = 0;

    if (!options->dry_run)
        rc = teardown_sweep(ctx);
    if (!rc)
        rc = registry_read(ctx, &entries, &nr);
    if (rc)
        goto out;
    for (i = 0; i < nr; i++) {
        if (!pick_has(ctx, pick, &entries[i]))
            continue;
        entry = entries[wanted];
        entries[wanted++] = entries[i];
        entries[i] = entry;
    }
    *nr_r = wanted;
    if (options->dry_run)
        goto out;
    others = nr - wanted;
    policy_look(ctx, entries + wanted, others);
    rc = policy_close(ctx, entries + wanted, &others, false);
    for (i = 0; i < wanted && options->remember && !rc; i++)
        rc = disable_remember(ctx, &entries[i]);
    /* Those that last and are not up are not to come up meanwhile either. */
    if (!rc && options->remember && remember_hold_lasting(ctx, pick))
        ctx_notice(ctx, "%s", ctx->why);
    if (!rc)
        rc = disable_entries(ctx, options, pick, entries, wanted);
 out:
    free(entries);
    return rc;
}

/* A link that is to last, of a guest that does not run, goes by its names. */
static int disable_absent(struct shmlink_ctx *ctx,
                          const struct shmlink_disable_options *options,
                          size_t *nr_r)
{
    char why[sizeof(ctx->why)];
    int rc;

    memcpy(why, ctx->why, sizeof(why));
    rc = ctx_lock(ctx);
    if (rc)
        return rc;
    rc = remember_forget_names(ctx, options->dom, options->dry_run, nr_r);
    ctx_unlock(ctx);
    if (rc || *nr_r)
        return rc;
    memcpy(ctx->why, why, sizeof(why));
    return -ESRCH;
}

int shmlink_disable(struct shmlink_ctx *ctx,
                    const struct shmlink_disable_options *options,
                    size_t *nr_r)
{
    struct pick pick;
    int rc;

    ctx_begin(ctx);
    *nr_r = 0;
    rc = pick_find(ctx, options->dom, options->bridge, &pick);
    if (rc == -ESRCH && options->dom[0] && !options->bridge &&
        !options->remember)
        return disable_absent(ctx, options, nr_r);
    if (rc)
        return rc;
    if (options->dry_run)
        return disable_locked(ctx, options, &pick, nr_r);
    rc = ctx_lock(ctx);
    if (rc)
        return rc;
    rc = disable_locked(ctx, options, &pick, nr_r);
    ctx_unlock(ctx);
    return rc;
}
