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
#include "toolstack/ctx.h"
#include "toolstack/pick.h"
#include "toolstack/remember.h"
#include "shmlink-wire.h"

enum { KEEP_SECONDS = 7 * 24 * 3600, LINKS_MAX = 10000 };

static const struct jsonio_field uuid_key[] = { { .kind = JSONIO_UUID } };
static const struct jsonio_table uuid_fields = {
    JSONIO_TABLE(uuid_key, uint8_t[16]),
};
static const struct jsonio_field vif_key[] = {
    { .kind = JSONIO_INDEX, .most = UINT32_MAX },
};
static const struct jsonio_table vif_fields = {
    JSONIO_TABLE(vif_key, uint32_t),
};

#define AT(member) offsetof(struct remembered, member)
static const struct jsonio_field link_keys[] = {
    JSONIO_KEY("uuid", ARRAY, uuid, 2, 2, .table = &uuid_fields),
    /* Before guests had a link for each pair of vifs none was noted. */
    JSONIO_KEY("vif", ARRAY, vif, 0, 2, .table = &vif_fields),
    JSONIO_KEY("ring_bytes", U32, ring_bytes, SHMLINK_RING_BYTES_MIN,
               SHMLINK_RING_BYTES_MAX, JSONIO_REQUIRED),
    JSONIO_KEY("force", BOOL, force, .missing = JSONIO_REQUIRED),
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

int remember_read(struct shmlink_ctx *ctx, struct remembered_list *list_r)
{
    struct remembered_list list = { 0 };
    struct jsonio_in in = { 0 };
    char path[512];
    size_t i;
    int rc;

    remember_path(ctx, path);
    jsonio_load(&in, &list_fields, &list, path);
    rc = jsonio_end(&in, NULL);
    if (rc)
        jsonio_dispose(&list_fields, &list);
    *list_r = (struct remembered_list){ .links = list.links };
    for (i = 0; i < list.nr_links; i++)
        if (list.links[i].since > time(NULL) - KEEP_SECONDS)
            list.links[list_r->nr_links++] = list.links[i];
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

int remember_add(struct shmlink_ctx *ctx, const struct remembered *link)
{
    struct pick pick = pick_link(link->uuid, link->vif);
    struct remembered_list list;
    struct remembered *same;
    int rc = remember_read(ctx, &list);

    for (same = list.links; same < list.links + list.nr_links; same++)
        if (pick_has_remembered(ctx, &pick, same))
            break;
    if (!rc && same == list.links + list.nr_links)
        same = JSONIO_ADD(&list, links, LINKS_MAX);
    if (!rc && same) {
        *same = *link;
        rc = remember_write(ctx, &list);
    } else if (!rc) {
        rc = ctx_fail(ctx, -ENOMEM, "out of memory");
    }
    free(list.links);
    return rc;
}

/* Write only where that changes something. */
int remember_forget(struct shmlink_ctx *ctx, const struct pick *pick)
{
    struct remembered_list list;
    size_t i, nr, kept = 0;
    int rc = remember_read(ctx, &list);

    nr = list.nr_links;
    for (i = 0; i < nr; i++)
        if (!pick_has_remembered(ctx, pick, &list.links[i]))
            list.links[kept++] = list.links[i];
    list.nr_links = kept;
    if (!rc && kept < nr)
        rc = remember_write(ctx, &list);
    free(list.links);
    return rc;
}
