// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/file.h"
#include "toolstack/check.h"
#include "toolstack/ctx.h"
#include "toolstack/domain.h"
#include "toolstack/enable.h"
#include "toolstack/nodes.h"
#include "toolstack/policy.h"
#include "toolstack/remember.h"
#include "shmlink-wire.h"
#include "toolstack/teardown.h"
#include "toolstack/wait.h"

/*
 * 1: linked already, as asked; 0: not linked.  A dry run does not sweep, so
 * it looks past what a sweep would take away.
 */
static int enable_linked(struct shmlink_ctx *ctx, const struct check *check,
                         const struct shmlink_enable_options *options,
                         const struct registry_entry *entries, size_t nr,
                         struct shmlink_link *link_r)
{
    const struct shmlink_link *other = NULL;
    size_t i;

    for (i = 0; i < nr; i++) {
        if (!pick_has(ctx, check->pick, &entries[i]) ||
            teardown_state(ctx, &entries[i]) != SHMLINK_CONNECTED)
            continue;
        other = &entries[i].link;
        if ((options->ring_bytes &&
             options->ring_bytes != other->ring_bytes) ||
            (options->limit && options->limit != other->limit))
            continue;
        *link_r = *other;
        registry_describe(ctx, link_r);
        return 1;
    }
    if (other)
        return ctx_fail(ctx, -EEXIST, "%s and %s are linked already, with "
                        "rings of %uK and a limit of %u bytes/s (0: none); "
                        "disable the link to change that",
                        check->domain[0].name, check->domain[1].name,
                        other->ring_bytes / 1024, other->limit);
    return 0;
}

/* From now on the links that are meant are forced. */
static int enable_force(struct shmlink_ctx *ctx, const struct check *check,
                        struct registry_entry *entries, size_t nr)
{
    int rc = 0;
    size_t i;

    for (i = 0; i < nr && !rc; i++) {
        if (entries[i].force || entries[i].phase != REGISTRY_UP ||
            !pick_has(ctx, check->pick, &entries[i]))
            continue;
        entries[i].force = true;
        rc = registry_set_phase(ctx, &entries[i], REGISTRY_UP);
    }
    return rc;
}

static int enable_nonce(char nonce_r[33])
{
    uint8_t bytes[16];
    size_t i;

    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        return -EIO;
    for (i = 0; i < sizeof(bytes); i++)
        snprintf(nonce_r + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

/* Over, one way or the other. */
static bool enable_settled(struct shmlink_ctx *ctx, void *opaque)
{
    const struct registry_entry *entry = opaque;
    enum shmlink_state state = teardown_state(ctx, entry);

    return state != SHMLINK_CONNECTING;
}

/* The link did not come up: say why, by what the guests say or do not say. */
static int enable_explain(struct shmlink_ctx *ctx, const struct check *check,
                          const struct registry_entry *entry, int rc,
                          unsigned int wait_ms)
{
    enum xenbus_state state[2];
    char text[160];
    int end, slow;

    for (end = 0; end < 2; end++) {
        state[end] = nodes_state(ctx, entry, end);
        if (nodes_error_text(ctx, entry, end, text))
            return ctx_fail(ctx, -EPROTO, "%s (domain %u) gave up: %s",
                            check->domain[end].name,
                            check->domain[end].domid, text);
    }
    if (rc == -EINTR)
        return ctx_fail(ctx, rc, "interrupted; the link of %s and %s is "
                        "taken back", check->domain[0].name,
                        check->domain[1].name);
    if (rc && rc != -ETIMEDOUT)
        return rc;      /* and why says so */
    for (end = 0; end < 2; end++)
        if (!domain_lives(ctx, check->domain[end].domid,
                          check->domain[end].uuid))
            return ctx_fail(ctx, -ESRCH, "%s (domain %u) is gone",
                            check->domain[end].name,
                            check->domain[end].domid);
    if (!rc)
        return ctx_fail(ctx, -EPROTO, "%s or %s closed the link and does not "
                        "say why; see the guests' kernel logs",
                        check->domain[0].name, check->domain[1].name);
    /* The front end's turn is at InitWait, and once the back end is up. */
    slow = state[NODES_BACK] == XenbusStateConnected ||
           (state[NODES_BACK] == XenbusStateInitWait &&
            state[NODES_FRONT] < XenbusStateInitialised);
    return ctx_fail(ctx, rc, "%s (domain %u) did not answer within %u.%u s; "
                    "the link is taken back (its driver: %s, that of %s: %s); "
                    "see the guest's kernel log", check->domain[slow].name,
                    check->domain[slow].domid, wait_ms / 1000,
                    wait_ms % 1000 / 100, nodes_state_name(state[slow]),
                    check->domain[!slow].name,
                    nodes_state_name(state[!slow]));
}

static int enable_connect(struct shmlink_ctx *ctx, const struct check *check,
                          struct registry_entry *entry, unsigned int wait_ms)
{
    char paths[2][STORE_PATH_BYTES];
    int rc;

    nodes_path(entry, NODES_BACK, paths[0]);
    nodes_path(entry, NODES_FRONT, paths[1]);
    rc = wait_until(ctx, paths, 2, enable_settled, entry,
                    ctx_now_ms() + wait_ms, true);
    if (!rc && teardown_state(ctx, entry) == SHMLINK_CONNECTED) {
        entry->link.since = time(NULL);
        return registry_set_phase(ctx, entry, REGISTRY_UP);
    }
    return enable_explain(ctx, check, entry, rc, wait_ms);
}

/* The link that is to be, as far as it is known before. */
static void enable_describe(const struct check *check,
                            const struct shmlink_enable_options *options,
                            struct shmlink_link *link_r)
{
    int i;

    *link_r = (struct shmlink_link){
        .ring_bytes = options->ring_bytes ? options->ring_bytes
                                          : SHMLINK_RING_BYTES_DEFAULT,
        .limit = options->limit,
    };
    for (i = 0; i < 2; i++) {
        link_r->domid[i] = check->domain[i].domid;
        link_r->vif[i] = check->vif[i].devid;
        memcpy(link_r->uuid[i], check->domain[i].uuid, 16);
        memcpy(link_r->name[i], check->domain[i].name,
               sizeof(link_r->name[i]));
    }
    memcpy(link_r->bridge, check->vif[0].bridge, sizeof(link_r->bridge));
}

/* Note who wants a link that is up to last. */
static int enable_note(struct shmlink_ctx *ctx,
                       const struct shmlink_enable_options *options,
                       uint32_t asked, const struct shmlink_link *link)
{
    struct pick pick = pick_link(link);
    struct remembered note = remembered_link(link, options->force ||
                                                   link->forced);
    struct remembered_list list;
    struct remembered *old;
    bool noted;
    int i, rc;

    if (!asked)
        return 0;
    rc = remember_read(ctx, &list);
    if (rc)
        return rc;
    old = remember_find(ctx, &list, &pick);
    noted = old && old->persist;
    remember_free(&list);
    note.persist = true;
    /* Which guests asked the old note tells, in its own order. */
    note.asked = asked & (REMEMBER_HAND | REMEMBER_CONF);
    for (i = 0; i < 2; i++)
        note.name[i] = (char *)link->name[i];
    rc = remember_add(ctx, &note);
    if (!rc || !noted)
        return rc;
    ctx_notice(ctx, "%s", ctx->why);
    return 0;
}

/*
 * Make the nodes and see the link up, or leave nothing of it.  What is to last
 * is noted last: a command that is killed before leaves a link that the next
 * one takes back, and no service makes.
 */
static int enable_make(struct shmlink_ctx *ctx, const struct check *check,
                       const struct shmlink_enable_options *options,
                       uint32_t asked, struct registry_entry *entry)
{
    const char *const macs[2] = { check->vif[0].mac, check->vif[1].mac };
    char why[sizeof(ctx->why)];
    int rc = nodes_create(ctx, entry, macs);

    if (rc)
        return rc;
    rc = enable_connect(ctx, check, entry, options->wait_ms
                        ? options->wait_ms : SHMLINK_WAIT_MS_DEFAULT);
    if (!rc)
        rc = enable_note(ctx, options, asked, &entry->link);
    if (!rc)
        return 0;
    /* The reason is why it failed, not how the clearing up went. */
    memcpy(why, ctx->why, sizeof(why));
    teardown(ctx, entry, 1, TEARDOWN_WAIT_MS, false);
    memcpy(ctx->why, why, sizeof(why));
    return rc;
}

static int enable_link(struct shmlink_ctx *ctx, const struct check *check,
                       const struct shmlink_enable_options *options,
                       uint32_t asked, bool made_backend,
                       struct shmlink_link *link)
{
    struct registry_entry entry = {
        .phase = REGISTRY_CONNECTING,
        .force = options->force,
        .made_backend = made_backend,
        .pid = getpid(),
        .link = *link,
    };
    int rc;

    entry.link.since = time(NULL);
    rc = enable_nonce(entry.link.nonce) ?:
         file_process_start(ctx->paths.procfs, entry.pid, &entry.pid_start);
    if (rc)
        return ctx_fail(ctx, rc, "cannot name the link: %s", strerror(-rc));
    if (ctx_cancelled(ctx))
        return ctx_fail(ctx, -EINTR, "interrupted; nothing was changed");
    rc = enable_make(ctx, check, options, asked, &entry);
    if (!rc)
        *link = entry.link;
    return rc;
}

static bool made_backend_before(const struct registry_entry *entries,
                                size_t nr, uint32_t domid)
{
    size_t i;

    for (i = 0; i < nr; i++)
        if (entries[i].link.domid[0] == domid && entries[i].made_backend)
            return true;
    return false;
}

static int enable_locked(struct shmlink_ctx *ctx,
                         const struct shmlink_enable_options *options,
                         uint32_t asked, struct check *check, bool *changed_r,
                         struct shmlink_link *link)
{
    struct registry_entry *entries = NULL;
    struct pick made;
    size_t nr = 0;
    int rc = 0;

    if (!options->dry_run)
        rc = teardown_sweep(ctx);
    if (!rc)
        rc = registry_read(ctx, &entries, &nr);
    if (!rc && options->force && !options->dry_run)
        rc = enable_force(ctx, check, entries, nr);
    if (!rc) {
        policy_look(ctx, entries, nr);
        rc = policy_close(ctx, entries, &nr, options->dry_run);
    }
    if (!rc)
        rc = enable_linked(ctx, check, options, entries, nr, link);
    if (rc) {
        *changed_r = false;
        rc = rc < 0 || options->dry_run ? rc
             : enable_note(ctx, options, asked, link);
        rc = rc > 0 ? 0 : rc;
        goto out;
    }
    /* Only now: a link that is up stays so while a guest is paused. */
    rc = check_running(ctx, check) ?:
         check_drivers(ctx, check) ?:
         check_vifs(ctx, options->force, check);
    if (!rc) {
        enable_describe(check, options, link);
        rc = check_headroom(ctx, check, link->ring_bytes, entries, nr);
    }
    if (!rc && !options->dry_run)
        rc = enable_link(ctx, check, options, asked,
                         made_backend_before(entries, nr,
                                             check->domain[0].domid), link);
    *changed_r = !rc;
 out:
    /* The link is up, whatever is noted of it elsewhere. */
    if (!rc && !options->dry_run) {
        made = pick_link(link);
        if (remember_forget(ctx, &made, false))
            ctx_notice(ctx, "%s", ctx->why);
    }
    free(entries);
    return rc;
}

/* A ring that takes longer to be emptied would count as stalled. */
static int enable_limit(struct shmlink_ctx *ctx,
                        const struct shmlink_enable_options *options)
{
    uint32_t least = options->ring_bytes ? options->ring_bytes
                                         : SHMLINK_RING_BYTES_DEFAULT;

    if (!options->limit || options->limit >= least)
        return 0;
    return ctx_fail(ctx, -EINVAL, "a limit of %u bytes/s is less than rings of "
                    "%uK a second: ask for a higher one, or smaller rings",
                    options->limit, least / 1024);
}

/* The guests as they are now. */
static int enable_find(struct shmlink_ctx *ctx,
                       const struct shmlink_enable_options *options,
                       struct pick *pick, struct check *check)
{
    int rc = pick_find(ctx, options->dom, options->bridge, pick);

    return rc ? rc : check_guests(ctx, pick, check);
}

int enable_if(struct shmlink_ctx *ctx,
              const struct shmlink_enable_options *options, uint32_t asked,
              int (*still)(struct shmlink_ctx *ctx, const void *opaque),
              const void *opaque, bool *changed_r, struct shmlink_link *link_r)
{
    struct shmlink_link link;
    struct check check;
    struct pick pick;
    int rc;

    ctx_begin(ctx);
    rc = enable_limit(ctx, options);
    if (!rc)
        rc = enable_find(ctx, options, &pick, &check);
    if (rc)
        return rc;
    if (options->dry_run) {
        rc = enable_locked(ctx, options, asked, &check, changed_r, &link);
        goto out;
    }
    rc = ctx_lock(ctx);
    if (rc)
        return rc;
    /* Who was there before waiting for the lock need not be there now. */
    rc = enable_find(ctx, options, &pick, &check);
    if (!rc && still)
        rc = still(ctx, opaque);
    if (!rc)
        rc = enable_locked(ctx, options, asked, &check, changed_r, &link);
    ctx_unlock(ctx);
 out:
    if (!rc && link_r)
        *link_r = link;
    return rc;
}

int shmlink_enable(struct shmlink_ctx *ctx,
                   const struct shmlink_enable_options *options,
                   bool *changed_r, struct shmlink_link *link_r)
{
    return enable_if(ctx, options, options->persist ? REMEMBER_HAND : 0, NULL,
                     NULL, changed_r, link_r);
}
