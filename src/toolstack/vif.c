// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "toolstack/ctx.h"
#include "base/compare.h"
#include "base/file.h"
#include "base/parse.h"
#include "toolstack/store.h"
#include "toolstack/vif.h"

#define LIBXL_VIFS "/libxl/%" PRIu32 "/device/vif"

/* What may stand for an interface in a path: no slash, no "..". */
static bool ifname_valid(const char *name)
{
    return name[0] && strlen(name) < IF_NAMESIZE && !strchr(name, '/') &&
           strcmp(name, ".") && strcmp(name, "..");
}

static void vif_read_bridge(struct store *store, const char *backend,
                            struct vif *vif)
{
    struct shmlink_ctx *ctx = store->ctx;
    char master[IF_NAMESIZE], path[PATH_MAX], value[STORE_VALUE_BYTES];

    if (file_link(master, sizeof(master), "%s/class/net/%s/master",
                  ctx->paths.sysfs, vif->ifname) || !ifname_valid(master))
        return;
    snprintf(path, sizeof(path), "%s/class/net/%s/bridge", ctx->paths.sysfs,
             master);
    if (!access(path, F_OK)) {
        strcpy(vif->bridge, master);
        return;
    }
    if (strcmp(master, "ovs-system"))
        return;
    vif->openvswitch = true;
    if (!store_read(store, value, "%s/bridge", backend) &&
        ifname_valid(value))
        strcpy(vif->bridge, value);
}

/* "BYTES,USEC": no limit where no node, or nothing per interval. */
static bool vif_read_rate(struct store *store, const char *backend)
{
    char value[STORE_VALUE_BYTES];
    uint64_t bytes;

    if (store_read(store, value, "%s/rate", backend))
        return false;
    value[strcspn(value, ",")] = '\0';
    /* netback takes what it cannot read, or all ones, as no limit. */
    return !parse_u64(value, 1, UINT64_MAX - 1, &bytes);
}

/* A vif that the toolstack is just making or removing has not all of these. */
int vif_read(struct shmlink_ctx *ctx, uint32_t domid, uint32_t devid,
             struct vif *vif_r)
{
    struct vif vif = { .domid = domid, .devid = devid };
    struct store store = { .ctx = ctx };
    char backend[STORE_VALUE_BYTES], value[STORE_VALUE_BYTES], *end;
    uint8_t mac[6];
    int rc;

    rc = store_read(&store, backend, LIBXL_VIFS "/%" PRIu32 "/backend", domid,
                    devid);
    if (rc)
        return rc;
    if (strncmp(backend, "/local/domain/", 14))
        return -EINVAL;
    snprintf(value, sizeof(value), "%s", backend + 14);
    end = strchr(value, '/');
    if (!end)
        return -EINVAL;
    *end = '\0';
    rc = parse_u32(value, 0, UINT32_MAX, &vif.backend_domid);
    if (rc)
        return rc;
    if (vif.backend_domid != 0) {
        *vif_r = vif;
        return 0;
    }
    rc = store_read(&store, value, "%s/mac", backend) ?: parse_mac(value, mac);
    if (rc)
        return rc;
    strcpy(vif.mac, value);
    if (store_read(&store, value, "%s/vifname", backend) || !value[0])
        snprintf(value, sizeof(value), "vif%" PRIu32 ".%" PRIu32, domid,
                 devid);
    if (!ifname_valid(value))
        return -EINVAL;
    strcpy(vif.ifname, value);
    vif_read_bridge(&store, backend, &vif);
    vif.rate_limited = vif_read_rate(&store, backend);
    *vif_r = vif;
    return 0;
}

static int vif_compare(const void *a, const void *b)
{
    const struct vif *one = a, *other = b;

    return COMPARE(one->devid, other->devid);
}

int vif_list(struct shmlink_ctx *ctx, uint32_t domid, struct vif **vifs_r,
             size_t *nr_r)
{
    struct store store = { .ctx = ctx };
    struct vif *vifs = NULL;
    unsigned int i, nr_names = 0;
    char **names = NULL;
    uint32_t devid;
    size_t nr = 0;
    int rc;

    rc = store_list(&store, &names, &nr_names, LIBXL_VIFS, domid);
    if (rc)
        return ctx_fail(ctx, rc, "cannot read the vifs of domain %u in "
                        "xenstore: %s", domid, strerror(-rc));
    vifs = calloc((size_t)nr_names + 1, sizeof(*vifs));
    if (!vifs) {
        rc = ctx_fail(ctx, -ENOMEM, "out of memory");
        goto out;
    }
    for (i = 0; i < nr_names; i++)
        if (!parse_u32(names[i], 0, UINT32_MAX, &devid) &&
            !vif_read(ctx, domid, devid, &vifs[nr]))
            nr++;
    qsort(vifs, nr, sizeof(*vifs), vif_compare);
    *vifs_r = vifs;
    *nr_r = nr;
 out:
    free(names);
    return rc;
}

int shmlink_vif_list(struct shmlink_ctx *ctx, uint32_t domid,
                     uint32_t **vifs_r, size_t *nr_r)
{
    struct vif *vifs = NULL;
    size_t i, nr;
    int rc;

    ctx_begin(ctx);
    rc = vif_list(ctx, domid, &vifs, &nr);
    if (rc)
        return rc;
    *vifs_r = calloc(nr + 1, sizeof(**vifs_r));
    for (i = 0; i < nr && *vifs_r; i++)
        (*vifs_r)[i] = vifs[i].devid;
    *nr_r = nr;
    free(vifs);
    return *vifs_r ? 0 : ctx_fail(ctx, -ENOMEM, "out of memory");
}
