// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "toolstack/ctx.h"
#include "toolstack/domain.h"
#include "base/file.h"
#include "base/parse.h"
#include "toolstack/registry.h"
#include "toolstack/vif.h"
#include "shmlink-wire.h"
#include "base/uuid.h"

#define REGISTRY_ROOT   "/tool/shmlink"
#define REGISTRY_LINKS  REGISTRY_ROOT "/links"
#define REGISTRY_ENTRY  REGISTRY_LINKS "/%s"

static const char *const phase_names[] = {
    [REGISTRY_CONNECTING] = "connecting",
    [REGISTRY_UP] = "up",
    [REGISTRY_CLOSING] = "closing",
};

#define NR_PHASES (sizeof(phase_names) / sizeof(phase_names[0]))

/*
 * An entry is one value, one line: each value that xenstore is asked for is a
 * round trip, and some commands read the entries of all links.  What came later
 * is at its end and only where it is used, so that links live over an upgrade.
 */
static void registry_format(const struct registry_entry *entry,
                            char text_r[STORE_VALUE_BYTES])
{
    const struct shmlink_link *link = &entry->link;
    char uuid[2][UUID_TEXT_BYTES], limit[32] = "";

    if (link->limit)
        snprintf(limit, sizeof(limit), " limit=%" PRIu32, link->limit);
    uuid_text(link->uuid[0], uuid[0]);
    uuid_text(link->uuid[1], uuid[1]);
    snprintf(text_r, STORE_VALUE_BYTES,
             "domid1=%" PRIu32 " uuid1=%s vif1=%" PRIu32
             " domid2=%" PRIu32 " uuid2=%s vif2=%" PRIu32
             " devid=%" PRIu32 " ring-bytes=%" PRIu32
             " force=%d made-backend=%d"
             " phase=%s since=%" PRId64 " pid=%" PRId32 " pid-start=%" PRIu64
             "%s",
             link->domid[0], uuid[0], link->vif[0],
             link->domid[1], uuid[1], link->vif[1],
             link->devid, link->ring_bytes, entry->force, entry->made_backend,
             phase_names[entry->phase], (int64_t)link->since,
             (int32_t)entry->pid, entry->pid_start, limit);
}

static int registry_phase(const char *text, enum registry_phase *phase_r)
{
    size_t i;

    for (i = 0; i < NR_PHASES; i++) {
        if (!strcmp(text, phase_names[i])) {
            *phase_r = (enum registry_phase)i;
            return 0;
        }
    }
    return -EINVAL;
}

static int registry_parse(const char *text, struct registry_entry *entry)
{
    struct shmlink_link *link = &entry->link;
    char uuid[2][UUID_TEXT_BYTES], phase[16], again[STORE_VALUE_BYTES];
    unsigned int force, made_backend;
    int64_t since;
    int32_t pid;
    int end = -1;

    sscanf(text,
           "domid1=%" SCNu32 " uuid1=%36[-0-9a-f] vif1=%" SCNu32
           " domid2=%" SCNu32 " uuid2=%36[-0-9a-f] vif2=%" SCNu32
           " devid=%" SCNu32 " ring-bytes=%" SCNu32
           " force=%1u made-backend=%1u"
           " phase=%15[a-z] since=%" SCNd64 " pid=%" SCNd32
           " pid-start=%" SCNu64 "%n limit=%" SCNu32,
           &link->domid[0], uuid[0], &link->vif[0],
           &link->domid[1], uuid[1], &link->vif[1],
           &link->devid, &link->ring_bytes, &force, &made_backend,
           phase, &since, &pid, &entry->pid_start, &end, &link->limit);
    if (end < 0 || since < 0 || pid < 0 ||
        link->domid[0] >= DOMID_FIRST_RESERVED ||
        link->domid[1] >= DOMID_FIRST_RESERVED ||
        link->ring_bytes > SHMLINK_RING_BYTES_MAX ||
        parse_bytes(uuid[0], link->uuid[0], 16, '-', PARSE_UUID_BREAKS) ||
        parse_bytes(uuid[1], link->uuid[1], 16, '-', PARSE_UUID_BREAKS) ||
        registry_phase(phase, &entry->phase))
        return -EINVAL;
    link->since = (time_t)since;
    entry->force = force;
    entry->made_backend = made_backend;
    entry->pid = (pid_t)pid;
    /* Signs, overflows and what else sscanf() lets pass. */
    registry_format(entry, again);
    return strcmp(text, again) ? -EINVAL : 0;
}

static int registry_read_entry(struct store *store, const char *nonce,
                               struct registry_entry *entry_r)
{
    struct registry_entry entry = { 0 };
    char text[STORE_VALUE_BYTES];
    uint8_t bytes[16];
    int rc;

    if (parse_bytes(nonce, bytes, sizeof(bytes), 0, 0))
        return -EINVAL;
    memcpy(entry.link.nonce, nonce, sizeof(entry.link.nonce));
    rc = store_read(store, text, REGISTRY_ENTRY, nonce) ?:
         registry_parse(text, &entry);
    if (!rc)
        *entry_r = entry;
    return rc;
}

int registry_read(struct shmlink_ctx *ctx, struct registry_entry **entries_r,
                  size_t *nr_r)
{
    struct registry_entry *entries = NULL;
    struct store store = { .ctx = ctx };
    char **names = NULL;
    unsigned int i, nr_names;
    size_t nr = 0;
    int rc;

    rc = store_list(&store, &names, &nr_names, REGISTRY_LINKS);
    if (rc)
        return ctx_fail(ctx, rc, "cannot read " REGISTRY_LINKS
                        " in xenstore: %s", strerror(-rc));
    entries = calloc((size_t)nr_names + 1, sizeof(*entries));
    if (!entries) {
        rc = ctx_fail(ctx, -ENOMEM, "out of memory");
        goto out;
    }
    for (i = 0; i < nr_names; i++) {
        rc = registry_read_entry(&store, names[i], &entries[nr]);
        if (!rc)
            nr++;
        else if (rc != -ENOENT)     /* ENOENT: just removed */
            ctx_notice(ctx, "ignoring " REGISTRY_ENTRY " in xenstore: %s",
                       names[i], strerror(-rc));
    }
    rc = 0;
    *entries_r = entries;
    *nr_r = nr;
 out:
    free(names);
    return rc;
}

int registry_write(struct store *store, const struct registry_entry *entry)
{
    char text[STORE_VALUE_BYTES];

    registry_format(entry, text);
    return store_write(store, 0, 0, text, REGISTRY_ENTRY, entry->link.nonce);
}

int registry_remove(struct store *store, const char *nonce)
{
    return store_remove(store, REGISTRY_ENTRY, nonce) ?:
           store_remove_empty(store, REGISTRY_LINKS) ?:
           store_remove_empty(store, REGISTRY_ROOT);
}

int registry_set_phase(struct shmlink_ctx *ctx, struct registry_entry *entry,
                       enum registry_phase phase)
{
    struct store store = { .ctx = ctx };
    int rc;

    entry->phase = phase;
    entry->pid = getpid();
    rc = file_process_start(ctx->paths.procfs, entry->pid, &entry->pid_start) ?:
         registry_write(&store, entry);
    if (rc)
        return ctx_fail(ctx, rc, "cannot write " REGISTRY_LINKS
                        " in xenstore: %s", strerror(-rc));
    return 0;
}

void registry_describe(struct shmlink_ctx *ctx, struct shmlink_link *link)
{
    struct shmlink_domain domain;
    struct vif vif;
    int end;

    for (end = 0; end < 2; end++) {
        if (domain_same(ctx, link->domid[end], link->uuid[end], &domain))
            strcpy(link->name[end], "?");
        else
            memcpy(link->name[end], domain.name, sizeof(link->name[end]));
    }
    if (!vif_read(ctx, link->domid[0], link->vif[0], &vif))
        memcpy(link->bridge, vif.bridge, sizeof(link->bridge));
}

bool registry_abandoned(struct shmlink_ctx *ctx,
                        const struct registry_entry *entry)
{
    uint64_t start;

    if (entry->phase == REGISTRY_UP)
        return false;
    return file_process_start(ctx->paths.procfs, entry->pid, &start) ||
           start != entry->pid_start;
}
