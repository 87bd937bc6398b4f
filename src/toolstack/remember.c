// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/jsonio.h"
#include "toolstack/ctx.h"
#include "toolstack/pick.h"
#include "toolstack/remember.h"
#include "shmlink-wire.h"

enum { KEEP_SECONDS = 7 * 24 * 3600, LINKS_MAX = 10000 };

static const struct jsonio_field uuid_key[] = { { .kind = JSONIO_UUID } };
static const struct jsonio_table uuid_fields = {
    JSONIO_TABLE(uuid_key, uint8_t[16]),
};
static const struct jsonio_field number_key[] = {
    { .kind = JSONIO_INDEX, .most = UINT32_MAX },
};
static bool number_there(const void *number)
{
    return *(const uint32_t *)number != UINT32_MAX;
}

static const struct jsonio_table number_fields = {
    JSONIO_TABLE(number_key, uint32_t), .there = number_there,
};
static const struct jsonio_field name_key[] = { { .kind = JSONIO_TEXT } };
static bool name_there(const void *name)
{
    return *(char *const *)name != NULL;
}

static const struct jsonio_table name_fields = {
    JSONIO_TABLE(name_key, char *), .there = name_there,
};

#define AT(member) offsetof(struct remembered, member)
static const struct jsonio_field link_keys[] = {
    JSONIO_KEY("uuid", ARRAY, uuid, 2, 2, .table = &uuid_fields),
    /* Before guests had a link for each pair of vifs none was noted. */
    JSONIO_KEY("vif", ARRAY, vif, 0, 2, .table = &number_fields),
    JSONIO_KEY("name", ARRAY, name, 0, 2, .table = &name_fields),
    JSONIO_KEY("ring_bytes", U32, ring_bytes, SHMLINK_RING_BYTES_MIN,
               SHMLINK_RING_BYTES_MAX, JSONIO_REQUIRED),
    JSONIO_KEY("force", BOOL, force, .missing = JSONIO_REQUIRED),
    JSONIO_KEY("persist", BOOL, persist),
    JSONIO_KEY("holder", U32, holder, 0, UINT32_MAX),
    JSONIO_KEY("holder_start", U64, holder_start),
    JSONIO_KEY("since", TIME, since, .missing = JSONIO_REQUIRED),
};
#undef AT

static void check_link(struct jsonio_in *in, const void *object)
{
    const struct remembered *link = object;

    if (link->ring_bytes & (link->ring_bytes - 1))
        jsonio_fail(in, -EINVAL, "ring_bytes: no power of two");
}

static const struct jsonio_table link_fields = {
    JSONIO_TABLE(link_keys, struct remembered), .check = check_link,
};

#define AT(member) offsetof(struct remembered_list, member)
static const struct jsonio_field list_keys[] = {
    JSONIO_KEY("links", LIST, links, 0, LINKS_MAX, JSONIO_REQUIRED,
               .table = &link_fields, .offset_nr = AT(nr_links)),
};
static const struct jsonio_table list_fields = {
    JSONIO_TABLE(list_keys, struct remembered_list),
};

static void remember_path(const struct shmlink_ctx *ctx, char path_r[512])
{
    snprintf(path_r, 512, "%s/remembered.json", ctx->paths.state_dir);
}

struct remembered remembered_link(const struct shmlink_link *link, bool force)
{
    struct remembered remembered = {
        .ring_bytes = link->ring_bytes,
        .force = force,
        .since = time(NULL),
    };

    memcpy(remembered.uuid, link->uuid, sizeof(remembered.uuid));
    memcpy(remembered.vif, link->vif, sizeof(remembered.vif));
    return remembered;
}

void remember_hold(struct shmlink_ctx *ctx, struct remembered *link)
{
    link->holder = (uint32_t)getppid();
    if (file_process_start(ctx->paths.procfs, getppid(), &link->holder_start))
        link->holder = 0;
}

bool remember_is_held(struct shmlink_ctx *ctx, const struct remembered *link)
{
    uint64_t start;

    return link->holder && link->holder != (uint32_t)getppid() &&
           !file_process_start(ctx->paths.procfs, (pid_t)link->holder,
                               &start) && start == link->holder_start;
}

void remember_free(struct remembered_list *list)
{
    jsonio_dispose(&list_fields, list);
}

/* What a look at a link says of it. */
enum remember_look { REMEMBER_AS_IT_IS, REMEMBER_CHANGED, REMEMBER_GONE };
typedef enum remember_look (*remember_looker)(struct shmlink_ctx *ctx,
                                              struct remembered *link,
                                              const void *opaque);

/* Look at all, and keep those that stay in their order; whether any changed. */
static bool remember_filter(struct shmlink_ctx *ctx,
                            struct remembered_list *list, remember_looker look,
                            const void *opaque)
{
    bool changed = false;
    size_t i, kept = 0;

    for (i = 0; i < list->nr_links; i++) {
        enum remember_look found = look(ctx, &list->links[i], opaque);

        changed = changed || found != REMEMBER_AS_IT_IS;
        if (found == REMEMBER_GONE)
            jsonio_dispose(&link_fields, &list->links[i]);
        else
            list->links[kept++] = list->links[i];
    }
    /* What is added next is to be empty. */
    for (i = kept; i < list->nr_links; i++)
        list->links[i] = (struct remembered){ 0 };
    list->nr_links = kept;
    return changed;
}

static enum remember_look look_expired(struct shmlink_ctx *ctx,
                                       struct remembered *link,
                                       const void *opaque)
{
    (void)ctx, (void)opaque;
    return link->persist || link->since > time(NULL) - KEEP_SECONDS
               ? REMEMBER_AS_IT_IS : REMEMBER_GONE;
}

int remember_read(struct shmlink_ctx *ctx, struct remembered_list *list_r)
{
    struct jsonio_in in = { 0 };
    char path[512];
    int rc;

    *list_r = (struct remembered_list){ 0 };
    remember_path(ctx, path);
    jsonio_load(&in, &list_fields, list_r, path);
    rc = jsonio_end(&in, NULL);
    if (rc)
        remember_free(list_r);
    remember_filter(ctx, list_r, look_expired, NULL);
    if (!rc || rc == -ENOENT)
        return 0;
    if (rc == -EINVAL || rc == -E2BIG)
        return ctx_fail(ctx, rc, "%s holds no list of links; remove it", path);
    return ctx_fail(ctx, rc, "cannot read %s: %s", path, strerror(-rc));
}

static int remember_write(struct shmlink_ctx *ctx,
                          const struct remembered_list *list)
{
    char path[512];
    int rc = 0;

    remember_path(ctx, path);
    if (!list->nr_links)
        rc = unlink(path) && errno != ENOENT ? -errno : 0;
    else if (mkdir(ctx->paths.state_dir, 0700) && errno != EEXIST)
        rc = -errno;
    else
        rc = jsonio_save(&list_fields, list, path);
    return rc ? ctx_fail(ctx, rc, "cannot write %s: %s", path, strerror(-rc))
              : 0;
}

struct remembered *remember_find(struct shmlink_ctx *ctx,
                                 const struct remembered_list *list,
                                 const struct pick *pick)
{
    size_t i;

    for (i = 0; i < list->nr_links; i++)
        if (pick_has_remembered(ctx, pick, &list->links[i]))
            return &list->links[i];
    return NULL;
}

/*
 * A name that is not given stays its guest's.  Errors: ENOMEM, and *to is as
 * before.
 */
static int remember_copy(struct remembered *to, const struct remembered *from)
{
    bool turned = memcmp(from->uuid[0], to->uuid[0], 16);
    const char *known;
    char *name[2];
    int i;

    for (i = 0; i < 2; i++) {
        known = from->name[i] ? from->name[i] : to->name[turned ? !i : i];
        name[i] = known ? strdup(known) : NULL;
        if (!known || name[i])
            continue;
        free(i ? name[0] : NULL);
        return -ENOMEM;
    }
    jsonio_dispose(&link_fields, to);
    *to = *from;
    memcpy(to->name, name, sizeof(name));
    return 0;
}

int remember_add(struct shmlink_ctx *ctx, const struct remembered *link)
{
    struct pick pick = pick_link(link->uuid, link->vif);
    struct remembered_list list;
    struct remembered *same;
    int rc = remember_read(ctx, &list);
    bool persist;

    if (rc)
        return rc;
    same = remember_find(ctx, &list, &pick);
    if (!same)
        same = JSONIO_ADD(&list, links, LINKS_MAX);
    persist = link->persist || (same && same->persist);
    if (!same || remember_copy(same, link)) {
        rc = ctx_fail(ctx, -ENOMEM, "out of memory");
    } else {
        same->persist = persist;
        rc = remember_write(ctx, &list);
    }
    remember_free(&list);
    return rc;
}

/* Look at all links; write only where that changes something. */
static int remember_edit(struct shmlink_ctx *ctx, remember_looker look,
                         const void *opaque)
{
    struct remembered_list list;
    int rc = remember_read(ctx, &list);

    if (remember_filter(ctx, &list, look, opaque))
        rc = remember_write(ctx, &list);
    remember_free(&list);
    return rc;
}

struct remember_forget {
    const struct pick *pick;
    bool lasting;
};

static enum remember_look look_forget(struct shmlink_ctx *ctx,
                                      struct remembered *link,
                                      const void *opaque)
{
    const struct remember_forget *forget = opaque;

    if (!pick_has_remembered(ctx, forget->pick, link))
        return REMEMBER_AS_IT_IS;
    if (!link->persist || forget->lasting)
        return REMEMBER_GONE;
    if (!link->holder)
        return REMEMBER_AS_IT_IS;
    link->holder = 0;
    return REMEMBER_CHANGED;
}

int remember_forget(struct shmlink_ctx *ctx, const struct pick *pick,
                    bool lasting)
{
    const struct remember_forget forget = { pick, lasting };

    return remember_edit(ctx, look_forget, &forget);
}

struct remember_names {
    const char *const *dom;
    bool dry_run;
    size_t *nr;
};

static bool has_name(const struct remembered *link, int end, const char *dom)
{
    return !dom || (link->name[end] && !strcmp(link->name[end], dom));
}

static enum remember_look look_names(struct shmlink_ctx *ctx,
                                     struct remembered *link,
                                     const void *opaque)
{
    const struct remember_names *names = opaque;
    int end;

    (void)ctx;
    for (end = 0; end < 2; end++) {
        if (!link->persist || !has_name(link, end, names->dom[0]) ||
            !has_name(link, !end, names->dom[1]))
            continue;
        (*names->nr)++;
        return names->dry_run ? REMEMBER_AS_IT_IS : REMEMBER_GONE;
    }
    return REMEMBER_AS_IT_IS;
}

int remember_forget_names(struct shmlink_ctx *ctx, const char *const dom[2],
                          bool dry_run, size_t *nr_r)
{
    const struct remember_names names = { dom, dry_run, nr_r };

    *nr_r = 0;
    return remember_edit(ctx, look_names, &names);
}

static enum remember_look look_hold(struct shmlink_ctx *ctx,
                                    struct remembered *link,
                                    const void *opaque)
{
    if (!link->persist || !pick_has_remembered(ctx, opaque, link))
        return REMEMBER_AS_IT_IS;
    remember_hold(ctx, link);
    return REMEMBER_CHANGED;
}

int remember_hold_lasting(struct shmlink_ctx *ctx, const struct pick *pick)
{
    return remember_edit(ctx, look_hold, pick);
}

static enum remember_look look_release(struct shmlink_ctx *ctx,
                                       struct remembered *link,
                                       const void *opaque)
{
    (void)opaque;
    if (!link->persist || !link->holder || remember_is_held(ctx, link))
        return REMEMBER_AS_IT_IS;
    link->holder = 0;
    return REMEMBER_CHANGED;
}

int remember_release(struct shmlink_ctx *ctx)
{
    return remember_edit(ctx, look_release, NULL);
}
