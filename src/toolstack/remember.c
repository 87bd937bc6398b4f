// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "toolstack/ctx.h"
#include "toolstack/domain.h"
#include "toolstack/pick.h"
#include "toolstack/remember.h"
#include "shmlink-wire.h"
#include "base/uuid.h"

enum { KEEP_SECONDS = 7 * 24 * 3600, FILE_BYTES_MAX = 1 << 20 };

static int remember_parse_uuid(json_object *uuids, size_t index,
                               uint8_t uuid_r[16])
{
    json_object *item = json_object_array_get_idx(uuids, index);
    const char *text = item ? json_object_get_string(item) : NULL;

    return text ? domain_uuid_parse(text, uuid_r) : -EINVAL;
}

/* Before guests had a link for each pair of vifs none was noted. */
static int remember_parse_vifs(json_object *item, uint32_t vif_r[2])
{
    json_object *vifs, *vif;
    int64_t value;
    size_t i;

    vif_r[0] = vif_r[1] = SHMLINK_VIF_ANY;
    if (!json_object_object_get_ex(item, "vif", &vifs))
        return 0;
    if (!json_object_is_type(vifs, json_type_array) ||
        json_object_array_length(vifs) != 2)
        return -EINVAL;
    for (i = 0; i < 2; i++) {
        vif = json_object_array_get_idx(vifs, i);
        value = json_object_get_int64(vif);
        if (!json_object_is_type(vif, json_type_int) || value < 0 ||
            value > SHMLINK_VIF_ANY)
            return -EINVAL;
        vif_r[i] = (uint32_t)value;
    }
    return 0;
}

static int remember_parse_link(json_object *item, struct remembered *link_r)
{
    json_object *uuids, *ring_bytes, *force, *since;
    int64_t bytes;

    if (!json_object_object_get_ex(item, "uuid", &uuids) ||
        !json_object_is_type(uuids, json_type_array) ||
        json_object_array_length(uuids) != 2 ||
        !json_object_object_get_ex(item, "ring_bytes", &ring_bytes) ||
        !json_object_object_get_ex(item, "force", &force) ||
        !json_object_object_get_ex(item, "since", &since))
        return -EINVAL;
    bytes = json_object_get_int64(ring_bytes);
    if (bytes < SHMLINK_RING_BYTES_MIN || bytes > SHMLINK_RING_BYTES_MAX ||
        (bytes & (bytes - 1)))
        return -EINVAL;
    link_r->ring_bytes = (uint32_t)bytes;
    link_r->force = json_object_get_boolean(force);
    link_r->since = (time_t)json_object_get_int64(since);
    if (remember_parse_uuid(uuids, 0, link_r->uuid[0]) ||
        remember_parse_uuid(uuids, 1, link_r->uuid[1]))
        return -EINVAL;
    return remember_parse_vifs(item, link_r->vif);
}

int remember_parse(const char *text, time_t now, struct remembered **links_r,
                   size_t *nr_r)
{
    struct remembered *links = NULL;
    json_object *root, *array;
    size_t i, count, nr = 0;
    int rc = -EINVAL;

    root = json_tokener_parse(text);
    if (!json_object_is_type(root, json_type_object) ||
        !json_object_object_get_ex(root, "links", &array) ||
        !json_object_is_type(array, json_type_array))
        goto out;
    count = json_object_array_length(array);
    rc = -ENOMEM;
    links = calloc(count + 1, sizeof(*links));
    if (!links)
        goto out;
    for (i = 0; i < count; i++) {
        rc = remember_parse_link(json_object_array_get_idx(array, i),
                                 &links[nr]);
        if (rc)
            goto out;
        if (links[nr].since > now - KEEP_SECONDS)
            nr++;
    }
    rc = 0;
    *links_r = links;
    *nr_r = nr;
    links = NULL;
 out:
    free(links);
    json_object_put(root);
    return rc;
}

static void remember_path(const struct shmlink_ctx *ctx, char *path_r,
                          size_t size, const char *suffix)
{
    snprintf(path_r, size, "%s/remembered.json%s", ctx->paths.state_dir,
             suffix);
}

int remember_read(struct shmlink_ctx *ctx, struct remembered **links_r,
                  size_t *nr_r)
{
    char path[512], *text = NULL;
    FILE *file = NULL;
    size_t len;
    int rc = 0;

    remember_path(ctx, path, sizeof(path), "");
    *links_r = NULL;
    *nr_r = 0;
    file = fopen(path, "re");
    if (!file) {
        rc = errno == ENOENT ? 0 : -errno;
        goto out;
    }
    text = calloc(1, FILE_BYTES_MAX + 1);
    if (!text) {
        rc = -ENOMEM;
        goto out;
    }
    len = fread(text, 1, FILE_BYTES_MAX, file);
    if (ferror(file))
        rc = -EIO;
    else if (len)
        rc = remember_parse(text, time(NULL), links_r, nr_r);
 out:
    if (file)
        fclose(file);
    free(text);
    if (rc == -EINVAL)
        return ctx_fail(ctx, rc, "%s holds no list of links; remove "
                        "it", path);
    return rc ? ctx_fail(ctx, rc, "cannot read %s: %s", path, strerror(-rc))
              : 0;
}

static json_object *remember_build(const struct remembered *links, size_t nr)
{
    json_object *root = json_object_new_object();
    json_object *array = json_object_new_array();
    size_t i, end;

    json_object_object_add(root, "links", array);
    for (i = 0; i < nr; i++) {
        json_object *item = json_object_new_object();
        json_object *uuids = json_object_new_array();
        json_object *vifs = json_object_new_array();
        char uuid[UUID_TEXT_BYTES];

        for (end = 0; end < 2; end++) {
            uuid_text(links[i].uuid[end], uuid);
            json_object_array_add(uuids, json_object_new_string(uuid));
            json_object_array_add(vifs,
                                  json_object_new_int64(links[i].vif[end]));
        }
        json_object_object_add(item, "uuid", uuids);
        json_object_object_add(item, "vif", vifs);
        json_object_object_add(item, "ring_bytes",
                               json_object_new_int64(links[i].ring_bytes));
        json_object_object_add(item, "force",
                               json_object_new_boolean(links[i].force));
        json_object_object_add(item, "since",
                               json_object_new_int64(links[i].since));
        json_object_array_add(array, item);
    }
    return root;
}

/* A new file in place of the old one, whole or not at all. */
static int remember_replace(const char *path, const char *temporary,
                            const char *text)
{
    FILE *file = fopen(temporary, "we");
    int rc = 0;

    if (!file)
        return -errno;
    if (fprintf(file, "%s\n", text) < 0 || fflush(file) ||
        fsync(fileno(file)))
        rc = -errno;
    if (fclose(file) && !rc)
        rc = -errno;
    if (!rc && rename(temporary, path))
        rc = -errno;
    if (rc)
        unlink(temporary);
    return rc;
}

static int remember_write(struct shmlink_ctx *ctx,
                          const struct remembered *links, size_t nr)
{
    char path[512], temporary[512];
    json_object *root;
    int rc = 0;

    remember_path(ctx, path, sizeof(path), "");
    remember_path(ctx, temporary, sizeof(temporary), ".new");
    if (nr == 0) {
        if (unlink(path) && errno != ENOENT)
            rc = -errno;
        goto out;
    }
    if (mkdir(ctx->paths.state_dir, 0700) && errno != EEXIST) {
        rc = -errno;
        goto out;
    }
    root = remember_build(links, nr);
    rc = remember_replace(path, temporary, json_object_to_json_string_ext(
                              root, JSON_C_TO_STRING_PRETTY));
    json_object_put(root);
 out:
    return rc ? ctx_fail(ctx, rc, "cannot write %s: %s", path, strerror(-rc))
              : 0;
}

int remember_add(struct shmlink_ctx *ctx, const struct remembered *link)
{
    struct pick pick = pick_link(link->uuid, link->vif);
    struct remembered *links = NULL, *more;
    size_t i, nr;
    int rc;

    rc = remember_read(ctx, &links, &nr);
    if (rc)
        return rc;
    for (i = 0; i < nr; i++)
        if (pick_has_remembered(ctx, &pick, &links[i]))
            break;
    more = realloc(links, (nr + 1) * sizeof(*links));
    if (more) {
        links = more;
        links[i] = *link;
        rc = remember_write(ctx, links, i == nr ? nr + 1 : nr);
    } else {
        rc = ctx_fail(ctx, -ENOMEM, "out of memory");
    }
    free(links);
    return rc;
}

/* Write only where that changes something. */
int remember_forget(struct shmlink_ctx *ctx, const struct pick *pick)
{
    struct remembered *links = NULL;
    size_t i, nr, kept = 0;
    int rc;

    rc = remember_read(ctx, &links, &nr);
    if (rc)
        return rc;
    for (i = 0; i < nr; i++)
        if (!pick_has_remembered(ctx, pick, &links[i]))
            links[kept++] = links[i];
    if (kept < nr)
        rc = remember_write(ctx, links, kept);
    free(links);
    return rc;
}
