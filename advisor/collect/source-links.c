/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shmlink's own links: what passes by them is in no vif's counters.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/claims.h"
#include "collect/collect.h"
#include "shmlink.h"

struct links {
    struct shmlink_ctx *ctx;
    struct shmlink_link *before;
    size_t nr_before;
    uint64_t at_ns;
};

static void close_links(void *state)
{
    struct links *links = state;

    if (!links)
        return;
    free(links->before);
    if (links->ctx)
        shmlink_ctx_close(links->ctx);
    free(links);
}

static int begin(struct collect *collect, void **state_r)
{
    struct shmlink_ctx_options options = { .xen = collect->xen,
                                           .cancel_fd = -1 };
    struct links *links = calloc(1, sizeof(*links));
    char *why = NULL;
    int rc;

    if (!links)
        return -ENOMEM;
    rc = shmlink_ctx_open(&links->ctx, &options, &why) ?:
         shmlink_list(links->ctx, NULL, collect->options->seconds > 0,
                      &links->before, &links->nr_before);
    if (rc) {
        rc = snapshot_note(collect->snapshot, "links", "links are not known: "
                           "%s", why ? why : links->ctx ?
                           shmlink_why(links->ctx) : strerror(-rc));
        free(why);
        close_links(links);
        return rc ? rc : -ENOTSUP;
    }
    links->at_ns = collect_now_ns();
    *state_r = links;
    return 0;
}

static const struct shmlink_link *earlier(const struct links *links,
                                          const char *nonce)
{
    size_t i;

    for (i = 0; i < links->nr_before; i++) {
        if (!strcmp(links->before[i].nonce, nonce))
            return &links->before[i];
    }
    return NULL;
}

static double rate(uint64_t before, uint64_t now, double seconds)
{
    return now >= before ? (now - before) / seconds : 0;
}

static void fill_end(struct snapshot_link_end *end,
                     const struct shmlink_link *then,
                     const struct shmlink_link *now, unsigned int i,
                     double seconds)
{
    const struct shmlink_counters *a = &then->counters[i];
    const struct shmlink_counters *b = &now->counters[i];

    end->counters_ok = then->counters_ok[i] && now->counters_ok[i];
    if (!end->counters_ok)
        return;
    end->tx_bytes = rate(a->tx_bytes, b->tx_bytes, seconds);
    end->tx_packets = rate(a->tx_packets, b->tx_packets, seconds);
    end->rx_bytes = rate(a->rx_bytes, b->rx_bytes, seconds);
    end->rx_packets = rate(a->rx_packets, b->rx_packets, seconds);
    end->tx_notifications = rate(a->tx_notifications, b->tx_notifications,
                                 seconds);
    end->rx_notifications = rate(a->rx_notifications, b->rx_notifications,
                                 seconds);
    end->tx_stalls = rate(a->tx_stalls, b->tx_stalls, seconds);
    end->tx_drops = rate(a->tx_drops, b->tx_drops, seconds);
    end->rx_drops = rate(a->rx_drops, b->rx_drops, seconds);
}

static int add_link(struct snapshot *snapshot, const struct links *links,
                    const struct shmlink_link *now, double seconds)
{
    const struct shmlink_link *then = earlier(links, now->nonce);
    size_t domain[2] = { snapshot_find_domid(snapshot, now->domid[0]),
                         snapshot_find_domid(snapshot, now->domid[1]) };
    struct snapshot_link *link;
    unsigned int i;

    /* A guest that was started since is not in this snapshot. */
    if (domain[0] == SNAPSHOT_OUTSIDE || domain[1] == SNAPSHOT_OUTSIDE)
        return 0;
    link = snapshot_add_link(snapshot);
    if (!link)
        return -ENOMEM;
    memcpy(link->nonce, now->nonce, sizeof(link->nonce));
    link->up = now->state == SHMLINK_CONNECTED;
    link->since = now->since;
    link->ring_bytes = now->ring_bytes;
    for (i = 0; i < 2; i++) {
        link->end[i].domain = domain[i];
        link->end[i].vif = now->vif[i];
        if (then && seconds > 0)
            fill_end(&link->end[i], then, now, i, seconds);
    }
    return 0;
}

static int finish(struct collect *collect, void *state)
{
    struct links *links = state;
    struct shmlink_link *now = NULL;
    bool counters = collect->options->seconds > 0;
    size_t i, nr = 0;
    double seconds;
    int rc;

    rc = shmlink_list(links->ctx, NULL, counters, &now, &nr);
    if (rc)
        return snapshot_note(collect->snapshot, "links", "links are not "
                             "known: %s", shmlink_why(links->ctx));
    seconds = counters ? (collect_now_ns() - links->at_ns) / 1e9 : 0;
    for (i = 0; i < nr && !rc; i++)
        rc = add_link(collect->snapshot, links, &now[i], seconds);
    free(now);
    return rc ? rc : claims_judge(collect->snapshot);
}

const struct collect_source collect_links = {
    .name = "links",
    .begin = begin,
    .finish = finish,
    .close = close_links,
};
