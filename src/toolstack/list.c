// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "toolstack/counters.h"
#include "toolstack/ctx.h"
#include "toolstack/pick.h"
#include "toolstack/policy.h"
#include "toolstack/teardown.h"

enum { COUNTERS_WAIT_MS = 1000 };

const char *shmlink_state_name(enum shmlink_state state)
{
    static const char *const names[] = {
        [SHMLINK_CONNECTING] = "connecting",
        [SHMLINK_CONNECTED] = "connected",
        [SHMLINK_CLOSING] = "closing",
        [SHMLINK_BROKEN] = "broken",
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

int shmlink_list(struct shmlink_ctx *ctx, const char *dom, bool counters,
                 struct shmlink_link **links_r, size_t *nr_r)
{
    struct registry_entry *entries = NULL;
    struct shmlink_link *links = NULL;
    const char *const doms[2] = { dom, NULL };
    struct pick pick;
    size_t i, nr = 0, wanted = 0;
    int rc;

    ctx_begin(ctx);
    rc = pick_find(ctx, doms, NULL, &pick);
    if (!rc)
        rc = list_sweep(ctx);
    if (!rc)
        rc = registry_read(ctx, &entries, &nr);
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
    for (i = 0; i < wanted; i++) {
        links[i] = entries[i].link;
        links[i].state = teardown_state(ctx, &entries[i]);
    }
    *links_r = links;
    *nr_r = wanted;
 out:
    free(entries);
    return rc;
}
