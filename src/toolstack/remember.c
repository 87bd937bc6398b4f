// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/jsonio.h"
#include "base/parse.h"
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
static const struct jsonio_table number_fields = {
    JSONIO_TABLE(number_key, uint32_t),
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
    JSONIO_KEY("limit", U32, limit, 0, UINT32_MAX),
    JSONIO_KEY("force", BOOL, force, .missing = JSONIO_REQUIRED),
    JSONIO_KEY("persist", BOOL, persist),
    JSONIO_KEY("asked", U32, asked, 0, REMEMBER_ASKED),
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

bool remember_known(const uint8_t uuid[16])
{
    static const uint8_t none[16];

    return memcmp(uuid, none, 16);
}

struct remembered remembered_link(const struct shmlink_link *link, bool force)
{
    struct remembered remembered = {
        .ring_bytes = link->ring_bytes,
        .limit = link->limit,
        .force = force,
        .since = time(NULL),
    };

    memcpy(remembered.uuid, link->uuid, sizeof(remembered.uuid));
    memcpy(remembered.vif, link->vif, sizeof(remembered.vif));
    return remembered;
}

void remember_free(struct remembered_list *list)
{
    jsonio_dispose(&list_fields, list);
}

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

static enum remember_look look_read(struct shmlink_ctx *ctx,
                                    struct remembered *link,
                                    const void *opaque)
{
    (void)ctx, (void)opaque;
    /* Files could not ask before it was noted who did. */
    if (link->persist && !link->asked)
        link->asked = REMEMBER_HAND;
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
    remember_filter(ctx, list_r, look_read, NULL);
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

static bool same_end(const struct remembered *a, int i,
                     const struct remembered *b, int k, bool by_name)
{
    if (by_name)
        return a->name[i] && b->name[k] && !strcmp(a->name[i], b->name[k]);
    return remember_known(a->uuid[i]) && !memcmp(a->uuid[i], b->uuid[k], 16);
}

/* End 0 of the one is end 1 of the other: by UUID, or else by name. */
static bool remember_turned(const struct remembered *a,
                            const struct remembered *b)
{
    int by_name, i;

    for (by_name = 0; by_name < 2; by_name++)
        for (i = 0; i < 2; i++) {
            if (same_end(a, i, b, i, by_name))
                return false;
            if (same_end(a, i, b, !i, by_name))
                return true;
        }
    return false;
}

static uint32_t asked_turned(uint32_t asked)
{
    const uint32_t ends = 3 * REMEMBER_GUEST;
    uint32_t guests = asked & ends;

    return (asked & ~ends) | (guests << 1 & ends) | (guests >> 1 & ends);
}

/* What an old note tells the new one that is to stand in its place. */
struct remember_replace {
    const struct pick *pick;
    struct remembered *new;
};

static enum remember_look look_replaced(struct shmlink_ctx *ctx,
                                        struct remembered *old,
                                        const void *opaque)
{
    const struct remember_replace *replace = opaque;
    struct remembered *new = replace->new;
    bool turned = remember_turned(new, old);
    int end;

    if (!pick_has_remembered(ctx, replace->pick, old))
        return REMEMBER_AS_IT_IS;
    new->persist = new->persist || old->persist;
    new->asked |= turned ? asked_turned(old->asked) : old->asked;
    for (end = 0; end < 2; end++)
        if (!new->name[end]) {
            new->name[end] = old->name[turned ? !end : end];
            old->name[turned ? !end : end] = NULL;
        }
    return REMEMBER_GONE;
}

/* Errors: ENOMEM, and nothing is to be freed. */
static int remember_copy(struct remembered *to, const struct remembered *from)
{
    int end;

    *to = *from;
    for (end = 0; end < 2; end++)
        to->name[end] = from->name[end] ? strdup(from->name[end]) : NULL;
    for (end = 0; end < 2; end++)
        if (from->name[end] && !to->name[end]) {
            jsonio_dispose(&link_fields, to);
            return -ENOMEM;
        }
    return 0;
}

int remember_add(struct shmlink_ctx *ctx, const struct remembered *link)
{
    struct remembered new, *added = NULL;
    struct pick pick = pick_remembered(link);
    const struct remember_replace replace = { &pick, &new };
    struct remembered_list list;
    int rc = remember_read(ctx, &list);

    if (rc)
        return rc;
    if (!remember_copy(&new, link)) {
        remember_filter(ctx, &list, look_replaced, &replace);
        added = JSONIO_ADD(&list, links, LINKS_MAX);
        if (added)
            *added = new;
        else
            jsonio_dispose(&link_fields, &new);
    }
    rc = added ? remember_write(ctx, &list)
               : ctx_fail(ctx, -ENOMEM, "out of memory");
    remember_free(&list);
    return rc;
}

int remember_edit(struct shmlink_ctx *ctx, remember_looker look,
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

/* dom: a name, which may have a colon, or one and a vif; NULL: any. */
static bool has_name(const struct remembered *link, int end, const char *dom)
{
    char name[SHMLINK_NAME_BYTES];
    uint32_t vif;

    if (!dom || !link->name[end])
        return !dom;
    return !strcmp(link->name[end], dom) ||
           (!parse_guest(dom, name, sizeof(name), &vif) &&
            !strcmp(link->name[end], name) &&
            (vif == link->vif[end] || link->vif[end] == SHMLINK_VIF_ANY));
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
