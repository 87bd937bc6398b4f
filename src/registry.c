// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctx.h"
#include "domain.h"
#include "parse.h"
#include "registry.h"
#include "shmlink-wire.h"
#include "uuid.h"

#define REGISTRY_ROOT   "/tool/shmlink"
#define REGISTRY_LINKS  REGISTRY_ROOT "/links"
#define REGISTRY_ENTRY  REGISTRY_LINKS "/%s"

static const char *const phase_names[] = {
    [REGISTRY_CONNECTING] = "connecting",
    [REGISTRY_UP] = "up",
    [REGISTRY_CLOSING] = "closing",
};

#define NR_PHASES (sizeof(phase_names) / sizeof(phase_names[0]))

static int registry_number(struct store *store, const char *nonce,
                           const char *key, uint64_t max, uint64_t *value_r)
{
    return store_read_u64(store, 0, max, value_r, REGISTRY_ENTRY "/%s", nonce,
                          key);
}

static int registry_read_end(struct store *store, int end,
                             struct shmlink_link *link)
{
    char value[STORE_VALUE_BYTES], key[16];
    uint64_t number;
    int rc;

    snprintf(key, sizeof(key), "domid%d", end + 1);
    rc = registry_number(store, link->nonce, key, DOMID_FIRST_RESERVED - 1,
                         &number);
    if (rc)
        return rc;
    link->domid[end] = (uint32_t)number;
    snprintf(key, sizeof(key), "vif%d", end + 1);
    rc = registry_number(store, link->nonce, key, UINT32_MAX, &number);
    if (rc)
        return rc;
    link->vif[end] = (uint32_t)number;
    rc = store_read(store, value, REGISTRY_ENTRY "/uuid%d", link->nonce,
                    end + 1);
    return rc ? rc : domain_uuid_parse(value, link->uuid[end]);
}

static int registry_read_phase(struct store *store,
                               struct registry_entry *entry)
{
    char value[STORE_VALUE_BYTES];
    size_t i;
    int rc;

    rc = store_read(store, value, REGISTRY_ENTRY "/phase", entry->link.nonce);
    if (rc)
        return rc;
    for (i = 0; i < NR_PHASES; i++) {
        if (!strcmp(value, phase_names[i])) {
            entry->phase = (enum registry_phase)i;
            return 0;
        }
    }
    return -EINVAL;
}

static int registry_read_entry(struct store *store, const char *nonce,
                               struct registry_entry *entry_r)
{
    struct registry_entry entry = { 0 };
    struct shmlink_link *link = &entry.link;
    const struct {
        const char *key;
        uint64_t max;
    } keys[] = {
        { "devid", UINT32_MAX }, { "ring-bytes", SHMLINK_RING_BYTES_MAX },
        { "since", INT64_MAX }, { "force", 1 }, { "made-backend", 1 },
        { "pid", INT32_MAX }, { "pid-start", UINT64_MAX },
    };
    uint64_t numbers[sizeof(keys) / sizeof(keys[0])];
    uint8_t bytes[16];
    size_t i;
    int rc;

    if (parse_hex(nonce, bytes, sizeof(bytes)))
        return -EINVAL;
    memcpy(link->nonce, nonce, sizeof(link->nonce));
    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        rc = registry_number(store, nonce, keys[i].key, keys[i].max,
                             &numbers[i]);
        if (rc)
            return rc;
    }
    link->devid = (uint32_t)numbers[0];
    link->ring_bytes = (uint32_t)numbers[1];
    link->since = (time_t)numbers[2];
    entry.force = numbers[3];
    entry.made_backend = numbers[4];
    entry.pid = (pid_t)numbers[5];
    entry.pid_start = numbers[6];
    rc = registry_read_end(store, 0, link);
    if (!rc)
        rc = registry_read_end(store, 1, link);
    if (!rc)
        rc = registry_read_phase(store, &entry);
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

static int registry_put(struct store *store, const char *nonce,
                        const char *key, const char *value)
{
    return store_set(store, value, REGISTRY_ENTRY "/%s", nonce, key);
}

static int registry_put_u64(struct store *store, const char *nonce,
                            const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    return registry_put(store, nonce, key, text);
}

static int registry_write_phase(struct store *store,
                                const struct registry_entry *entry)
{
    const char *nonce = entry->link.nonce;
    int rc;

    rc = registry_put(store, nonce, "phase", phase_names[entry->phase]);
    if (!rc)
        rc = registry_put_u64(store, nonce, "since",
                              (uint64_t)entry->link.since);
    if (!rc)
        rc = registry_put_u64(store, nonce, "pid", (uint64_t)entry->pid);
    if (!rc)
        rc = registry_put_u64(store, nonce, "pid-start", entry->pid_start);
    return rc;
}

int registry_write(struct store *store, const struct registry_entry *entry)
{
    const struct shmlink_link *link = &entry->link;
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        { "domid1", link->domid[0] }, { "domid2", link->domid[1] },
        { "vif1", link->vif[0] }, { "vif2", link->vif[1] },
        { "devid", link->devid }, { "ring-bytes", link->ring_bytes },
        { "force", entry->force }, { "made-backend", entry->made_backend },
    };
    char uuid[UUID_TEXT_BYTES], key[16];
    size_t i;
    int rc;

    /* dom0's alone; what is below inherits that. */
    rc = store_write(store, 0, 0, "", REGISTRY_ENTRY, link->nonce);
    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !rc; i++)
        rc = registry_put_u64(store, link->nonce, numbers[i].key,
                              numbers[i].value);
    for (i = 0; i < 2 && !rc; i++) {
        snprintf(key, sizeof(key), "uuid%zu", i + 1);
        uuid_text(link->uuid[i], uuid);
        rc = registry_put(store, link->nonce, key, uuid);
    }
    return rc ? rc : registry_write_phase(store, entry);
}

int registry_remove(struct store *store, const char *nonce)
{
    int rc;

    rc = store_remove(store, REGISTRY_ENTRY, nonce);
    if (!rc)
        rc = store_remove_empty(store, REGISTRY_LINKS);
    if (!rc)
        rc = store_remove_empty(store, REGISTRY_ROOT);
    return rc;
}

static int registry_change_phase(struct store *store, void *opaque)
{
    return registry_write_phase(store, opaque);
}

int registry_set_phase(struct shmlink_ctx *ctx, struct registry_entry *entry,
                       enum registry_phase phase)
{
    int rc;

    entry->phase = phase;
    entry->pid = getpid();
    rc = process_start(ctx, entry->pid, &entry->pid_start);
    if (!rc)
        rc = store_transact(ctx, registry_change_phase, entry);
    if (rc)
        return ctx_fail(ctx, rc, "cannot write " REGISTRY_LINKS
                        " in xenstore: %s", strerror(-rc));
    return 0;
}

bool registry_has(const struct registry_entry *entry,
                  const struct shmlink_domain *domain)
{
    const struct shmlink_link *link = &entry->link;
    int end;

    for (end = 0; end < 2; end++)
        if (link->domid[end] == domain->domid &&
            !memcmp(link->uuid[end], domain->uuid, 16))
            return true;
    return false;
}

bool registry_abandoned(struct shmlink_ctx *ctx,
                        const struct registry_entry *entry)
{
    uint64_t start;

    if (entry->phase == REGISTRY_UP)
        return false;
    return process_start(ctx, entry->pid, &start) ||
           start != entry->pid_start;
}
