// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "toolstack/counters.h"
#include "toolstack/ctx.h"
#include "toolstack/domain.h"
#include "toolstack/pick.h"
#include "toolstack/policy.h"
#include "toolstack/relink.h"
#include "toolstack/teardown.h"

enum { COUNTERS_WAIT_MS = 1000 };

const char *shmlink_state_name(enum shmlink_state state)
{
    static const char *const names[] = {
        [SHMLINK_CONNECTING] = "connecting",
        [SHMLINK_CONNECTED] = "connected",
        [SHMLINK_CLOSING] = "closing",
        [SHMLINK_BROKEN] = "broken",
        [SHMLINK_ABSENT] = "absent",
    };

    return names[state];
}

static int list_compare(const void *a, const void *b)
{
    const struct shmlink_link *p = &((const struct registry_entry *)a)->link;
    const struct shmlink_link *q = &((const struct registry_entry *)b)->link;

    return COMPARE(p->domid[0], q->domid[0]) ?:
           COMPARE(p->domid[1], q->domid[1]) ?:
           COMPARE(p->vif[0], q->vif[0]) ?: COMPARE(p->vif[1], q->vif[1]) ?:
           strcmp(p->nonce, q->nonce);
}

/* Sweep unless a command is at work, whose links are not ours to judge. */
static int list_sweep(struct shmlink_ctx *ctx)
{
    int rc = ctx_lock_try(ctx);

    if (rc)
        return rc == -EAGAIN ? 0 : rc;
    rc = teardown_sweep(ctx);
    ctx_unlock(ctx);
    return rc;
}

/* What is to last, as far as that can be read. */
static struct remembered_list list_remembered(struct shmlink_ctx *ctx)
{
    struct remembered_list list;

    if (remember_read(ctx, &list))
        ctx_notice(ctx, "%s", ctx->why);
    return list;
}

static bool list_lasts(struct shmlink_ctx *ctx,
                       const struct remembered_list *list,
                       const struct shmlink_link *link)
{
    struct pick pick = pick_link(link);
    const struct remembered *found = remember_find(ctx, list, &pick);

    return found && found->persist;
}

int shmlink_list(struct shmlink_ctx *ctx, const char *dom, bool counters,
                 struct shmlink_link **links_r, size_t *nr_r)
{
    struct registry_entry *entries = NULL;
    struct remembered_list lasting = { 0 };
    struct shmlink_link *links = NULL;
    const char *const doms[2] = { dom, NULL };
    struct pick pick;
    size_t i, nr = 0, wanted = 0;
    int rc;

    ctx_begin(ctx);
    rc = pick_find(ctx, doms, NULL, &pick) ?:
         list_sweep(ctx) ?:
         registry_read(ctx, &entries, &nr);
    if (rc)
        goto out;
    for (i = 0; i < nr; i++)
        if (pick_has(ctx, &pick, &entries[i]))
            entries[wanted++] = entries[i];
    qsort(entries, wanted, sizeof(*entries), list_compare);
    if (counters)
        rc = counters_read(ctx, entries, wanted, COUNTERS_WAIT_MS);
    if (rc)
        goto out;
    links = calloc(wanted + 1, sizeof(*links));
    if (!links) {
        rc = ctx_fail(ctx, -ENOMEM, "out of memory");
        goto out;
    }
    policy_look(ctx, entries, wanted);
    lasting = list_remembered(ctx);
    for (i = 0; i < wanted; i++) {
        links[i] = entries[i].link;
        links[i].state = teardown_state(ctx, &entries[i]);
        links[i].persist = list_lasts(ctx, &lasting, &links[i]);
    }
    *links_r = links;
    *nr_r = wanted;
 out:
    remember_free(&lasting);
    free(entries);
    return rc;
}

static void list_fill_absent(struct shmlink_ctx *ctx,
                             const struct remembered *remembered,
                             struct shmlink_link *link)
{
    struct shmlink_domain domain;
    const char *name;
    int end;

    *link = (struct shmlink_link){
        .ring_bytes = remembered->ring_bytes,
        .limit = remembered->limit,
        .state = SHMLINK_ABSENT,
        .forced = remembered->force,
        .persist = true,
    };
    memcpy(link->uuid, remembered->uuid, sizeof(link->uuid));
    memcpy(link->vif, remembered->vif, sizeof(link->vif));
    for (end = 0; end < 2; end++) {
        name = remembered->name[end] ? remembered->name[end] : "?";
        link->domid[end] = SHMLINK_DOMID_NONE;
        if (!domain_again(ctx, remembered->uuid[end], remembered->name[end],
                          &domain)) {
            link->domid[end] = domain.domid;
            name = domain.name;
        }
        snprintf(link->name[end], sizeof(link->name[end]), "%s", name);
    }
}

static bool list_has(struct shmlink_ctx *ctx,
                     const struct registry_entry *entries, size_t nr,
                     const struct remembered *remembered)
{
    struct pick pick;
    size_t i;

    for (i = 0; i < nr; i++) {
        pick = pick_link(&entries[i].link);
        if (pick_has_remembered(ctx, &pick, remembered))
            return true;
    }
    return false;
}

int shmlink_list_absent(struct shmlink_ctx *ctx, const char *dom,
                        struct shmlink_link **links_r, size_t *nr_r)
{
    struct remembered_list list = { 0 };
    struct registry_entry *entries = NULL;
    const char *const doms[2] = { dom, NULL };
    struct shmlink_link *links;
    size_t i, nr = 0, wanted = 0;
    struct pick pick;
    int rc;

    ctx_begin(ctx);
    rc = pick_find(ctx, doms, NULL, &pick) ?:
         registry_read(ctx, &entries, &nr) ?:
         remember_read(ctx, &list);
    if (rc)
        goto out;
    links = calloc(list.nr_links + 1, sizeof(*links));
    if (!links) {
        rc = ctx_fail(ctx, -ENOMEM, "out of memory");
        goto out;
    }
    for (i = 0; i < nr; i++)
        registry_describe(ctx, &entries[i].link);
    for (i = 0; i < list.nr_links; i++)
        if (list.links[i].persist &&
            pick_has_remembered(ctx, &pick, &list.links[i]) &&
            !list_has(ctx, entries, nr, &list.links[i]))
            list_fill_absent(ctx, &list.links[i], &links[wanted++]);
    *links_r = links;
    *nr_r = wanted;
 out:
    remember_free(&list);
    free(entries);
    return rc;
}
