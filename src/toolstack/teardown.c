// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/ctx.h"
#include "toolstack/domain.h"
#include "toolstack/nodes.h"
#include "toolstack/teardown.h"
#include "toolstack/wait.h"

struct teardown_wait {
    const struct registry_entry *entries;
    size_t nr;
};

static bool end_closed(struct shmlink_ctx *ctx,
                       const struct registry_entry *entry, int end)
{
    enum xenbus_state state = nodes_state(ctx, entry, end);

    if (state == NODES_STATE_NONE || state == XenbusStateClosed)
        return true;
    return !domain_lives(ctx, entry->link.domid[end], entry->link.uuid[end]);
}

static bool link_closed(struct shmlink_ctx *ctx,
                        const struct registry_entry *entry)
{
    return end_closed(ctx, entry, NODES_BACK) &&
           end_closed(ctx, entry, NODES_FRONT);
}

/* The back end's driver wrote its own state over the request to close. */
static bool link_unasked(struct shmlink_ctx *ctx,
                         const struct registry_entry *entry)
{
    enum xenbus_state back = nodes_state(ctx, entry, NODES_BACK);

    return back != NODES_STATE_NONE && back < XenbusStateClosing;
}

static bool all_closed(struct shmlink_ctx *ctx, void *opaque)
{
    const struct teardown_wait *wait = opaque;
    bool closed = true;
    size_t i;

    for (i = 0; i < wait->nr; i++) {
        if (link_closed(ctx, &wait->entries[i]))
            continue;
        closed = false;
        if (link_unasked(ctx, &wait->entries[i]))
            nodes_ask_close(ctx, &wait->entries[i]);
    }
    return closed;
}

/*
 * Who is in a hurry interrupts twice, and not at once: timeout(1) sends its
 * signal to the command and to its group.
 */
static int teardown_wait_closed(struct shmlink_ctx *ctx,
                                const char (*paths)[STORE_PATH_BYTES],
                                struct teardown_wait *wait,
                                int64_t deadline_ms, bool stoppable)
{
    enum { AGAIN_MS = 300 };
    int64_t told_ms = -1;
    int rc;

    for (;;) {
        rc = wait_until(ctx, paths, 2 * wait->nr, all_closed, wait,
                        deadline_ms, stoppable);
        if (rc != -EINTR || !ctx_cancelled(ctx))
            return rc;
        ctx_cancel_take(ctx);
        if (told_ms >= 0 && ctx_now_ms() - told_ms >= AGAIN_MS)
            return rc;
        if (told_ms >= 0)
            continue;
        told_ms = ctx_now_ms();
        ctx_notice(ctx, "waiting for the guests to close the link%s; "
                   "interrupt again to stop waiting",
                   wait->nr == 1 ? "" : "s");
    }
}

static int teardown_wait(struct shmlink_ctx *ctx,
                         const struct registry_entry *entries, size_t nr,
                         unsigned int wait_ms, bool stoppable)
{
    struct teardown_wait wait = { entries, nr };
    char (*paths)[STORE_PATH_BYTES] = calloc(2 * nr, sizeof(*paths));
    size_t i;
    int rc;

    if (!paths)
        return ctx_fail(ctx, -ENOMEM, "out of memory");
    for (i = 0; i < 2 * nr; i++)
        nodes_path(&entries[i / 2], (int)(i % 2), paths[i]);
    rc = teardown_wait_closed(ctx, paths, &wait, ctx_now_ms() + wait_ms,
                              stoppable);
    free(paths);
    return rc;
}

/*
 * Who has not confirmed; false where both have by now.  A paused guest keeps
 * its peer waiting as well, so it is the one to name.
 */
static bool teardown_slow(struct shmlink_ctx *ctx,
                          const struct registry_entry *entry,
                          struct shmlink_domain *blamed_r)
{
    struct shmlink_domain domain;
    bool found = false;
    int end;

    for (end = 0; end < 2; end++) {
        if (end_closed(ctx, entry, end) ||
            domain_by_id(ctx, entry->link.domid[end], &domain))
            continue;
        if (!found || (domain.paused && !blamed_r->paused))
            *blamed_r = domain;
        found = true;
    }
    return found;
}

static int teardown_blame(struct shmlink_ctx *ctx,
                          const struct registry_entry *entry,
                          unsigned int wait_ms)
{
    struct shmlink_domain blamed;

    if (!teardown_slow(ctx, entry, &blamed))
        return 0;
    return ctx_fail(ctx, -ETIMEDOUT, "%s (domain %u)%s did not confirm within "
                    "%u.%u s that the link is closed; it is taken from "
                    "xenstore all the same, and the guest closes when it runs",
                    blamed.name, blamed.domid,
                    blamed.paused ? ", which is paused," : "",
                    wait_ms / 1000, wait_ms % 1000 / 100);
}

/*
 * The guests go on closing what they were asked to; without this command at
 * work the sweep sees to the rest.
 */
static int teardown_stopped(struct shmlink_ctx *ctx,
                            const struct registry_entry *entries, size_t nr)
{
    struct shmlink_domain slow, blamed;
    char more[48] = "";
    size_t i, left = 0;
    int r, rc = 0;

    for (i = 0; i < nr; i++) {
        if (teardown_slow(ctx, &entries[i], &slow)) {
            if (!left++)
                blamed = slow;
            continue;
        }
        r = nodes_remove(ctx, &entries[i]);
        if (r)
            rc = r;
    }
    if (!left)
        return rc;
    if (left > 1)
        snprintf(more, sizeof(more), ", and %zu more are not closed",
                 left - 1);
    return ctx_fail(ctx, -EINTR, "stopped waiting: the link is still closing, "
                    "%s (domain %u)%s has not confirmed yet%s; the next xl "
                    "shmlink enable, disable or list finishes that",
                    blamed.name, blamed.domid,
                    blamed.paused ? ", which is paused," : "", more);
}

int teardown(struct shmlink_ctx *ctx, struct registry_entry *entries,
             size_t nr, unsigned int wait_ms, bool stoppable)
{
    int rc = 0, r;
    size_t i;

    if (nr == 0)
        return 0;
    for (i = 0; i < nr && !rc; i++) {
        rc = registry_set_phase(ctx, &entries[i], REGISTRY_CLOSING) ?:
             nodes_ask_close(ctx, &entries[i]);
    }
    if (!rc)
        rc = teardown_wait(ctx, entries, nr, wait_ms, stoppable);
    if (rc == -EINTR && stoppable)
        return teardown_stopped(ctx, entries, nr);
    if (rc == -ETIMEDOUT)
        for (i = 0, rc = 0; i < nr && !rc; i++)
            rc = teardown_blame(ctx, &entries[i], wait_ms);
    for (i = 0; i < nr; i++) {
        r = nodes_remove(ctx, &entries[i]);
        if (r)
            rc = r;
    }
    return rc;
}

enum shmlink_state teardown_state(struct shmlink_ctx *ctx,
                                  const struct registry_entry *entry)
{
    enum xenbus_state back = nodes_state(ctx, entry, NODES_BACK);
    enum xenbus_state front = nodes_state(ctx, entry, NODES_FRONT);

    if (end_closed(ctx, entry, NODES_BACK) ||
        end_closed(ctx, entry, NODES_FRONT))
        return SHMLINK_BROKEN;
    if (entry->phase == REGISTRY_CLOSING || back == XenbusStateClosing ||
        front == XenbusStateClosing)
        return SHMLINK_CLOSING;
    if (back == XenbusStateConnected && front == XenbusStateConnected)
        return SHMLINK_CONNECTED;
    return SHMLINK_CONNECTING;
}

/* A link that came up never goes back to connecting by itself. */
static bool sweep_wants(struct shmlink_ctx *ctx,
                        const struct registry_entry *entry)
{
    if (entry->phase == REGISTRY_UP)
        return teardown_state(ctx, entry) != SHMLINK_CONNECTED;
    return registry_abandoned(ctx, entry);
}

/* Say what is cleared up and why: the administrator made it. */
static void sweep_tell(struct shmlink_ctx *ctx,
                       const struct registry_entry *entry)
{
    const struct shmlink_link *link = &entry->link;
    struct shmlink_domain domain[2];
    char text[160];
    int end;

    for (end = 0; end < 2; end++)
        if (domain_same(ctx, link->domid[end], link->uuid[end],
                        &domain[end]))
            strcpy(domain[end].name, "a guest that is gone");
    if (entry->phase != REGISTRY_UP) {
        ctx_notice(ctx, "clearing up after a command that was killed%s: the "
                   "link of %s and %s",
                   entry->phase == REGISTRY_CLOSING ? " or stopped" : "",
                   domain[0].name, domain[1].name);
        return;
    }
    for (end = 0; end < 2; end++) {
        if (nodes_error_text(ctx, entry, end, text)) {
            ctx_notice(ctx, "clearing up the link of %s and %s: %s gave up: "
                       "%s", domain[0].name, domain[1].name,
                       domain[end].name, text);
            return;
        }
    }
    ctx_notice(ctx, "clearing up the link of %s (%s) and %s (%s)",
               domain[0].name,
               nodes_state_name(nodes_state(ctx, entry, NODES_BACK)),
               domain[1].name,
               nodes_state_name(nodes_state(ctx, entry, NODES_FRONT)));
}

int teardown_sweep(struct shmlink_ctx *ctx)
{
    struct registry_entry *entries = NULL;
    size_t i, nr, dead = 0;
    int rc;

    rc = registry_read(ctx, &entries, &nr);
    if (rc)
        return rc;
    for (i = 0; i < nr; i++) {
        if (!sweep_wants(ctx, &entries[i]))
            continue;
        sweep_tell(ctx, &entries[i]);
        entries[dead++] = entries[i];
    }
    rc = teardown(ctx, entries, dead, TEARDOWN_WAIT_MS, false);
    if (rc == -ETIMEDOUT) {
        ctx_notice(ctx, "%s", ctx->why);
        rc = 0;
    }
    free(entries);
    return rc;
}
