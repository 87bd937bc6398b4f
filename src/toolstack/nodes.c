// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/ctx.h"
#include "toolstack/nodes.h"
#include "base/parse.h"
#include "shmlink-wire.h"

#define HOME            "/local/domain/%" PRIu32
#define BACKEND         HOME "/backend"
#define BACKEND_TYPE    BACKEND "/" SHMLINK_XS_TYPE
#define BACKEND_PEER    BACKEND_TYPE "/%" PRIu32
#define FRONTEND_TYPE   HOME "/device/" SHMLINK_XS_TYPE

void nodes_path(const struct registry_entry *entry, int end,
                char path_r[STORE_PATH_BYTES])
{
    const struct shmlink_link *link = &entry->link;

    if (end == NODES_BACK)
        snprintf(path_r, STORE_PATH_BYTES, BACKEND_PEER "/%" PRIu32,
                 link->domid[0], link->domid[1], link->devid);
    else
        snprintf(path_r, STORE_PATH_BYTES, FRONTEND_TYPE "/%" PRIu32,
                 link->domid[1], link->devid);
}

struct nodes_change {
    struct registry_entry *entry;
    const char *const *macs;
};

/* Directories of dom0's that the guests may read; those that are there stay. */
static int nodes_parents(struct store *store, const struct shmlink_link *link)
{
    char paths[4][STORE_PATH_BYTES];
    int i, rc = 0;

    snprintf(paths[0], sizeof(paths[0]), BACKEND, link->domid[0]);
    snprintf(paths[1], sizeof(paths[1]), BACKEND_TYPE, link->domid[0]);
    snprintf(paths[2], sizeof(paths[2]), BACKEND_PEER, link->domid[0],
             link->domid[1]);
    snprintf(paths[3], sizeof(paths[3]), FRONTEND_TYPE, link->domid[1]);
    for (i = 0; i < 4 && !rc; i++)
        if (!store_exists(store, "%s", paths[i]))
            rc = store_write(store, 0, link->domid[i == 3], "", "%s",
                             paths[i]);
    return rc;
}

/*
 * A number that is free at both ends, and that was not lately another link's:
 * a guest that has not heard that a directory was removed takes a new one of
 * the same name for the old.
 */
static int nodes_devid(struct store *store, struct shmlink_link *link)
{
    uint8_t nonce[16];
    uint16_t devid;
    unsigned int try;

    if (parse_bytes(link->nonce, nonce, sizeof(nonce), 0, 0))
        return -EINVAL;
    devid = nonce[0] | nonce[1] << 8;
    for (try = 0; try < 2 * SHMLINK_LINKS_MAX; try++, devid++) {
        if (store_exists(store, FRONTEND_TYPE "/%" PRIu16, link->domid[1],
                         devid) ||
            store_exists(store, BACKEND_PEER "/%" PRIu16, link->domid[0],
                         link->domid[1], devid))
            continue;
        link->devid = devid;
        return 0;
    }
    return -ENOSPC;
}

/*
 * One end's directory.  The directory and `state` are the guest's, the peer
 * may read them; what the guest is to believe is dom0's, and its own to read.
 */
static int nodes_end(struct store *store, const struct nodes_change *change,
                     int end)
{
    const struct shmlink_link *link = &change->entry->link;
    uint32_t own = link->domid[end], peer = link->domid[!end];
    const char *other = end == NODES_BACK ? "frontend" : "backend";
    char path[STORE_PATH_BYTES], peer_path[STORE_PATH_BYTES];
    char vif[16], ring_bytes[16], limit[16], peer_id[16], peer_id_key[16];
    const char *const keys[][2] = {
        { other, peer_path }, { peer_id_key, peer_id },
        { SHMLINK_XS_VIF, vif }, { SHMLINK_XS_MAC, change->macs[end] },
        { SHMLINK_XS_PEER_MAC, change->macs[!end] },
        { SHMLINK_XS_NONCE, link->nonce },
        { SHMLINK_XS_RING_BYTES, ring_bytes },
        { link->limit ? SHMLINK_XS_LIMIT : NULL, limit },
        { end == NODES_BACK ? "online" : NULL, "1" },
    };
    size_t i;
    char state[4];
    int rc;

    nodes_path(change->entry, end, path);
    nodes_path(change->entry, !end, peer_path);
    snprintf(vif, sizeof(vif), "%" PRIu32, link->vif[end]);
    snprintf(ring_bytes, sizeof(ring_bytes), "%" PRIu32, link->ring_bytes);
    snprintf(limit, sizeof(limit), "%" PRIu32, link->limit);
    snprintf(peer_id, sizeof(peer_id), "%" PRIu32, peer);
    snprintf(peer_id_key, sizeof(peer_id_key), "%s-id", other);
    snprintf(state, sizeof(state), "%d", XenbusStateInitialising);

    rc = store_write(store, own, peer, "", "%s", path);
    for (i = 0; i < sizeof(keys) / sizeof(keys[0]) && !rc; i++)
        if (keys[i][0])
            rc = store_write(store, 0, own, keys[i][1], "%s/%s", path,
                             keys[i][0]);
    return rc ?: store_write(store, own, peer, state, "%s/state", path);
}

/* A dead guest's home must not come to life again by our writing there. */
static int nodes_create_change(struct store *store, void *opaque)
{
    struct nodes_change *change = opaque;
    struct registry_entry *entry = change->entry;
    bool has_backend = store_exists(store, BACKEND, entry->link.domid[0]);
    int i;

    for (i = 0; i < 2; i++)
        if (!store_exists(store, HOME, entry->link.domid[i]))
            return -ESRCH;
    if (!has_backend)
        entry->made_backend = true;
    return nodes_devid(store, &entry->link) ?:
           nodes_parents(store, &entry->link) ?:
           nodes_end(store, change, NODES_BACK) ?:
           nodes_end(store, change, NODES_FRONT) ?:
           registry_write(store, entry);
}

int nodes_create(struct shmlink_ctx *ctx, struct registry_entry *entry,
                 const char *const macs[2])
{
    struct nodes_change change = { entry, macs };
    int rc = store_transact(ctx, nodes_create_change, &change);

    if (rc == -ESRCH)
        return ctx_fail(ctx, rc, "domain %" PRIu32 " or %" PRIu32 " is gone",
                        entry->link.domid[0], entry->link.domid[1]);
    if (rc == -ENOSPC)
        return ctx_fail(ctx, rc, "no device number is free");
    if (rc)
        return ctx_fail(ctx, rc, "cannot write the link into xenstore: %s",
                        strerror(-rc));
    return 0;
}

static int nodes_remove_change(struct store *store, void *opaque)
{
    const struct registry_entry *entry = opaque;
    const struct shmlink_link *link = &entry->link;
    char front[STORE_PATH_BYTES], back[STORE_PATH_BYTES];
    int rc;

    nodes_path(entry, NODES_FRONT, front);
    nodes_path(entry, NODES_BACK, back);
    rc = store_remove(store, "%s", front) ?:
         store_remove_empty(store, FRONTEND_TYPE, link->domid[1]) ?:
         store_remove(store, "%s", back) ?:
         store_remove_empty(store, BACKEND_PEER, link->domid[0],
                            link->domid[1]) ?:
         store_remove_empty(store, BACKEND_TYPE, link->domid[0]);
    if (!rc && entry->made_backend)
        rc = store_remove_empty(store, BACKEND, link->domid[0]);
    return rc ?: registry_remove(store, link->nonce);
}

/* The ends' directories alone, which the guests write to. */
static int nodes_remove_ends(struct shmlink_ctx *ctx,
                             const struct registry_entry *entry)
{
    struct store store = { .ctx = ctx };
    char path[STORE_PATH_BYTES];
    int end, rc = 0;

    for (end = 0; end < 2 && !rc; end++) {
        nodes_path(entry, end, path);
        rc = store_remove(&store, "%s", path);
    }
    return rc;
}

int nodes_remove(struct shmlink_ctx *ctx, const struct registry_entry *entry)
{
    int rc = store_transact(ctx, nodes_remove_change, (void *)entry);

    /*
     * A guest that never stops writing makes every transaction conflict, but
     * once its directory is gone it cannot make another.
     */
    if (rc == -EAGAIN) {
        rc = nodes_remove_ends(ctx, entry) ?:
             store_transact(ctx, nodes_remove_change, (void *)entry);
    }
    if (rc)
        return ctx_fail(ctx, rc, "cannot remove the link from xenstore: %s",
                        strerror(-rc));
    return 0;
}

/* Within a transaction, or not. */
static int nodes_read_state(struct store *store,
                            const struct registry_entry *entry, int end,
                            uint64_t *state_r)
{
    char path[STORE_PATH_BYTES];

    nodes_path(entry, end, path);
    return store_read_u64(store, XenbusStateInitialising,
                          XenbusStateReconfigured, state_r, "%s/state", path);
}

static int nodes_write_state(struct store *store,
                             const struct registry_entry *entry, int end,
                             enum xenbus_state state)
{
    char path[STORE_PATH_BYTES], text[4];

    nodes_path(entry, end, path);
    snprintf(text, sizeof(text), "%d", (int)state);
    return store_set(store, text, "%s/state", path);
}

/*
 * An end that has not started never will in another state than Initialising,
 * so it is closed in its place; that also tells the other end.
 */
static int nodes_close_change(struct store *store, void *opaque)
{
    const struct registry_entry *entry = opaque;
    char path[STORE_PATH_BYTES];
    uint64_t back, front;
    int rc = 0;

    nodes_path(entry, NODES_BACK, path);
    if (!nodes_read_state(store, entry, NODES_BACK, &back)) {
        rc = store_set(store, "0", "%s/online", path);
        if (!rc && back < XenbusStateClosing)
            rc = nodes_write_state(store, entry, NODES_BACK,
                                   back == XenbusStateInitialising
                                   ? XenbusStateClosed : XenbusStateClosing);
    }
    if (!rc && !nodes_read_state(store, entry, NODES_FRONT, &front) &&
        front == XenbusStateInitialising)
        rc = nodes_write_state(store, entry, NODES_FRONT, XenbusStateClosed);
    return rc;
}

int nodes_ask_close(struct shmlink_ctx *ctx,
                    const struct registry_entry *entry)
{
    struct store store = { .ctx = ctx };
    int rc = store_transact(ctx, nodes_close_change, (void *)entry);

    /* See nodes_remove(); a guest that writes does not go meanwhile. */
    if (rc == -EAGAIN)
        rc = nodes_close_change(&store, (void *)entry);
    if (rc)
        return ctx_fail(ctx, rc, "cannot write to xenstore: %s",
                        strerror(-rc));
    return 0;
}

enum xenbus_state nodes_state(struct shmlink_ctx *ctx,
                              const struct registry_entry *entry, int end)
{
    struct store store = { .ctx = ctx };
    uint64_t state;

    if (nodes_read_state(&store, entry, end, &state))
        return NODES_STATE_NONE;
    return (enum xenbus_state)state;
}

const char *nodes_state_name(enum xenbus_state state)
{
    static const char *const names[] = {
        "gone", "Initialising", "InitWait", "Initialised", "Connected",
        "Closing", "Closed", "Reconfiguring", "Reconfigured",
    };

    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

bool nodes_error_text(struct shmlink_ctx *ctx,
                      const struct registry_entry *entry, int end,
                      char text_r[160])
{
    char path[STORE_PATH_BYTES], value[STORE_VALUE_BYTES];
    struct store store = { .ctx = ctx };

    nodes_path(entry, end, path);
    if (store_read(&store, value, "%s/" SHMLINK_XS_ERROR, path) || !value[0])
        return false;
    parse_sanitise(value, text_r, 160);
    return true;
}
