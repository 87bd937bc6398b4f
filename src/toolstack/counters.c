// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "toolstack/counters.h"
#include "toolstack/ctx.h"
#include "toolstack/nodes.h"
#include "base/parse.h"
#include "shmlink-wire.h"
#include "toolstack/wait.h"

#define DRIVER_NODE "/local/domain/%" PRIu32 "/"

#define COUNTER(name) { #name, offsetof(struct shmlink_counters, name) }

static const struct {
    const char *key;
    size_t offset;
} keys[] = {
    COUNTER(tx_bytes), COUNTER(tx_packets),
    COUNTER(rx_bytes), COUNTER(rx_packets),
    COUNTER(tx_notifications), COUNTER(rx_notifications),
    COUNTER(tx_stalls), COUNTER(tx_drops), COUNTER(rx_drops),
    COUNTER(held),  /* last: older drivers do not tell it */
};

#define NR_KEYS (sizeof(keys) / sizeof(keys[0]))

const char *shmlink_held_word(unsigned int n)
{
    static const char *const words[] = {
        "peer", "silent", "down", "mac", "backup", "moved", "xdp", "filter",
        "qdisc", "stalled",
    };

    _Static_assert(1U << (sizeof(words) / sizeof(words[0]) - 1) ==
                   SHMLINK_HELD_STALLED, "one word for each bit");
    return n < sizeof(words) / sizeof(words[0]) ? words[n] : NULL;
}

static int counters_parse_word(char *word, struct shmlink_counters *counters,
                               unsigned int *seen)
{
    char *equals = strchr(word, '=');
    uint64_t value;
    size_t i;

    if (!equals)
        return -EINVAL;
    *equals = '\0';
    if (parse_u64(equals + 1, 0, UINT64_MAX, &value))
        return -EINVAL;
    for (i = 0; i < NR_KEYS; i++) {
        if (strcmp(word, keys[i].key))
            continue;
        if (*seen & 1U << i)
            return -EINVAL;
        *seen |= 1U << i;
        *(uint64_t *)((char *)counters + keys[i].offset) = value;
    }
    return 0;
}

int counters_parse(const char *line, struct shmlink_counters *counters_r)
{
    struct shmlink_counters counters = { 0 };
    char copy[STORE_VALUE_BYTES], *word, *save = NULL;
    unsigned int seen = 0;

    if (strlen(line) >= sizeof(copy))
        return -EINVAL;
    strcpy(copy, line);
    for (word = strtok_r(copy, " ", &save); word;
         word = strtok_r(NULL, " ", &save))
        if (counters_parse_word(word, &counters, &seen))
            return -EINVAL;
    if ((seen | 1U << (NR_KEYS - 1)) != (1U << NR_KEYS) - 1)
        return -EINVAL;
    *counters_r = counters;
    return 0;
}

/* The guests asked: a set of domids, and which number each was given. */
struct counters_wait {
    size_t nr;
    struct {
        uint32_t domid;
        uint64_t seq;
        bool answered;
    } *guests;
};

static bool counters_answered(struct shmlink_ctx *ctx, void *opaque)
{
    struct counters_wait *wait = opaque;
    struct store store = { .ctx = ctx };
    bool all = true;
    uint64_t ack;
    size_t i;

    for (i = 0; i < wait->nr; i++) {
        /* Another command may have asked again meanwhile: newer will do. */
        if (!wait->guests[i].answered &&
            !store_read_u64(&store, wait->guests[i].seq, UINT64_MAX, &ack,
                            DRIVER_NODE SHMLINK_XS_STATS_ACK,
                            wait->guests[i].domid))
            wait->guests[i].answered = true;
        all = all && wait->guests[i].answered;
    }
    return all;
}

struct counters_question {
    uint32_t domid;
    uint64_t seq;
};

/* In a transaction, as the guest, and its home with it, may just go. */
static int counters_ask_change(struct store *store, void *opaque)
{
    struct counters_question *question = opaque;
    struct timespec now;
    uint64_t seq = 0, now_ms;
    char text[24];

    /* The driver makes the node; no node, no driver to answer. */
    if (store_read_u64(store, 0, UINT64_MAX - 1, &seq,
                       DRIVER_NODE SHMLINK_XS_STATS_SEQ,
                       question->domid) == -ENOENT)
        return -ENOENT;
    clock_gettime(CLOCK_REALTIME, &now);
    now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    question->seq = now_ms > seq ? now_ms : seq + 1;
    snprintf(text, sizeof(text), "%" PRIu64, question->seq);
    return store_set(store, text, DRIVER_NODE SHMLINK_XS_STATS_SEQ,
                     question->domid);
}

static void counters_ask(struct shmlink_ctx *ctx, struct counters_wait *wait,
                         uint32_t domid)
{
    struct counters_question question = { .domid = domid };
    size_t i;

    for (i = 0; i < wait->nr; i++)
        if (wait->guests[i].domid == domid)
            return;
    if (store_transact(ctx, counters_ask_change, &question))
        return;
    wait->guests[wait->nr].domid = domid;
    wait->guests[wait->nr].seq = question.seq;
    wait->nr++;
}

static int counters_wait(struct shmlink_ctx *ctx, struct counters_wait *wait,
                         unsigned int wait_ms)
{
    char (*paths)[STORE_PATH_BYTES] = calloc(wait->nr + 1, sizeof(*paths));
    size_t i;
    int rc;

    if (!paths)
        return ctx_fail(ctx, -ENOMEM, "out of memory");
    for (i = 0; i < wait->nr; i++)
        snprintf(paths[i], sizeof(paths[i]),
                 DRIVER_NODE SHMLINK_XS_STATS_ACK, wait->guests[i].domid);
    rc = wait_until(ctx, paths, wait->nr, counters_answered, wait,
                    ctx_now_ms() + wait_ms, true);
    if (rc == -ETIMEDOUT)
        rc = 0;
    if (rc == -EINTR)
        ctx_fail(ctx, rc, "interrupted while guests were asked for their "
                 "counters");
    free(paths);
    return rc;
}

static void counters_fill(struct shmlink_ctx *ctx,
                          const struct counters_wait *wait,
                          struct registry_entry *entry, int end)
{
    struct shmlink_link *link = &entry->link;
    char path[STORE_PATH_BYTES], value[STORE_VALUE_BYTES];
    struct store store = { .ctx = ctx };
    size_t i;

    for (i = 0; i < wait->nr; i++)
        if (wait->guests[i].domid == link->domid[end] &&
            wait->guests[i].answered)
            break;
    if (i == wait->nr)
        return;
    nodes_path(entry, end, path);
    link->counters_ok[end] =
        !store_read(&store, value, "%s/" SHMLINK_XS_STATS, path) &&
        !counters_parse(value, &link->counters[end]);
}

int counters_read(struct shmlink_ctx *ctx, struct registry_entry *entries,
                  size_t nr, unsigned int wait_ms)
{
    struct counters_wait wait = { 0 };
    size_t i;
    int rc;

    if (nr == 0)
        return 0;
    wait.guests = calloc(2 * nr, sizeof(*wait.guests));
    if (!wait.guests)
        return ctx_fail(ctx, -ENOMEM, "out of memory");
    for (i = 0; i < nr; i++) {
        counters_ask(ctx, &wait, entries[i].link.domid[0]);
        counters_ask(ctx, &wait, entries[i].link.domid[1]);
    }
    rc = counters_wait(ctx, &wait, wait_ms);
    for (i = 0; i < nr && !rc; i++) {
        counters_fill(ctx, &wait, &entries[i], NODES_BACK);
        counters_fill(ctx, &wait, &entries[i], NODES_FRONT);
    }
    free(wait.guests);
    return rc;
}
