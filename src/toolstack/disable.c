// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "toolstack/ctx.h"
#include "base/lock.h"
#include "toolstack/remember.h"
#include "toolstack/teardown.h"

/* The guests named; nr of them. */
struct disable_guests {
    struct shmlink_domain domain[2];
    int nr;
};

static int disable_find(struct shmlink_ctx *ctx,
                        const struct shmlink_disable_options *options,
                        struct disable_guests *guests)
{
    int rc;

    for (guests->nr = 0; guests->nr < 2 && options->dom[guests->nr];
         guests->nr++) {
        rc = shmlink_domain_find(ctx, options->dom[guests->nr],
                                 &guests->domain[guests->nr]);
        if (rc)
            return rc;
    }
    if (guests->nr == 2 && guests->domain[0].domid == guests->domain[1].domid)
        return ctx_fail(ctx, -EINVAL, "%s and %s are the same domain; name "
                        "two", options->dom[0], options->dom[1]);
    return 0;
}

static bool disable_wants(const struct disable_guests *guests,
                          const struct registry_entry *entry)
{
    int i;

    for (i = 0; i < guests->nr; i++)
        if (!registry_has(entry, &guests->domain[i]))
            return false;
    return true;
}

static int disable_remember(struct shmlink_ctx *ctx,
                            const struct registry_entry *entry)
{
    struct remembered link = {
        .ring_bytes = entry->link.ring_bytes,
        .force = entry->force,
        .since = time(NULL),
    };

    memcpy(link.uuid, entry->link.uuid, sizeof(link.uuid));
    return remember_add(ctx, &link);
}

/* The administrator wants the links away: also those only remembered. */
static int disable_forget(struct shmlink_ctx *ctx,
                          const struct disable_guests *guests)
{
    if (guests->nr == 2)
        return remember_remove(ctx, guests->domain[0].uuid,
                               guests->domain[1].uuid);
    return remember_remove_guest(ctx, guests->nr ? guests->domain[0].uuid
                                                 : NULL);
}

/* A link is taken down also where it cannot be forgotten; that fails later. */
static int disable_entries(struct shmlink_ctx *ctx,
                           const struct shmlink_disable_options *options,
                           const struct disable_guests *guests,
                           struct registry_entry *entries, size_t nr)
{
    int rc, forget = options->remember ? 0 : disable_forget(ctx, guests);
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
                          const struct disable_guests *guests, size_t *nr_r)
{
    struct registry_entry *entries = NULL;
    size_t i, nr = 0, wanted = 0;
    int rc = 0;

    if (!options->dry_run)
        rc = teardown_sweep(ctx);
    if (!rc)
        rc = registry_read(ctx, &entries, &nr);
    if (rc)
        goto out;
    for (i = 0; i < nr; i++)
        if (disable_wants(guests, &entries[i]))
            entries[wanted++] = entries[i];
    *nr_r = wanted;
    if (options->dry_run)
        goto out;
    for (i = 0; i < wanted && options->remember && !rc; i++)
        rc = disable_remember(ctx, &entries[i]);
    if (!rc)
        rc = disable_entries(ctx, options, guests, entries, wanted);
 out:
    free(entries);
    return rc;
}

int shmlink_disable(struct shmlink_ctx *ctx,
                    const struct shmlink_disable_options *options,
                    size_t *nr_r)
{
    struct disable_guests guests;
    int rc;

    ctx_begin(ctx);
    *nr_r = 0;
    rc = disable_find(ctx, options, &guests);
    if (rc)
        return rc;
    if (options->dry_run)
        return disable_locked(ctx, options, &guests, nr_r);
    rc = lock_take(ctx);
    if (rc)
        return rc;
    rc = disable_locked(ctx, options, &guests, nr_r);
    lock_release(ctx);
    return rc;
}
