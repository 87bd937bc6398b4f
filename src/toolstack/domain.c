// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libxl_utils.h>

#include "toolstack/ctx.h"
#include "toolstack/domain.h"
#include "toolstack/remember.h"
#include "base/file.h"
#include "base/parse.h"

static void domain_fill(struct shmlink_ctx *ctx, const libxl_dominfo *info,
                        struct shmlink_domain *domain_r)
{
    char *name = libxl_domid_to_name(ctx->xl, info->domid);

    *domain_r = (struct shmlink_domain){
        .domid = info->domid,
        .paused = info->paused,
        .shutdown = info->shutdown,
        .dying = info->dying,
    };
    memcpy(domain_r->uuid, libxl_uuid_bytearray_const(&info->uuid), 16);
    parse_sanitise(name ? name : "?", domain_r->name,
                   sizeof(domain_r->name));
    free(name);
}

int domain_by_id(struct shmlink_ctx *ctx, uint32_t domid,
                 struct shmlink_domain *domain_r)
{
    libxl_dominfo info;
    int r;

    libxl_dominfo_init(&info);
    r = libxl_domain_info(ctx->xl, &info, domid);
    if (!r)
        domain_fill(ctx, &info, domain_r);
    libxl_dominfo_dispose(&info);
    return r ? -ESRCH : 0;
}

int domain_same(struct shmlink_ctx *ctx, uint32_t domid,
                const uint8_t uuid[16], struct shmlink_domain *domain_r)
{
    struct shmlink_domain domain;

    if (domain_by_id(ctx, domid, &domain) || memcmp(domain.uuid, uuid, 16))
        return -ESRCH;
    *domain_r = domain;
    return 0;
}

int shmlink_domain_find(struct shmlink_ctx *ctx, const char *text,
                        struct shmlink_domain *domain_r)
{
    uint32_t domid;
    int rc;

    ctx_begin(ctx);
    if (parse_u32(text, 0, DOMID_FIRST_RESERVED - 1, &domid) &&
        libxl_name_to_domid(ctx->xl, text, &domid))
        return ctx_fail(ctx, -ESRCH, "no domain '%s'; xl list shows them",
                        text);
    rc = domain_by_id(ctx, domid, domain_r);
    if (rc)
        return ctx_fail(ctx, rc, "no domain '%s'; xl list shows them", text);
    return 0;
}

int domain_find_vif(struct shmlink_ctx *ctx, const char *text,
                    struct shmlink_domain *domain_r, uint32_t *vif_r)
{
    const char *colon = strrchr(text, ':');
    char dom[SHMLINK_NAME_BYTES];
    uint32_t vif, domid;
    int rc, len;

    len = colon ? snprintf(dom, sizeof(dom), "%.*s", (int)(colon - text),
                           text) : 0;
    if (len <= 0 || len >= (int)sizeof(dom) ||
        parse_u32(colon + 1, 0, SHMLINK_VIF_ANY - 1, &vif) ||
        (parse_u32(dom, 0, DOMID_FIRST_RESERVED - 1, &domid) &&
         !libxl_name_to_domid(ctx->xl, text, &domid))) {
        *vif_r = SHMLINK_VIF_ANY;
        return shmlink_domain_find(ctx, text, domain_r);
    }
    rc = shmlink_domain_find(ctx, dom, domain_r);
    if (!rc)
        *vif_r = vif;
    return rc;
}

int shmlink_domain_list(struct shmlink_ctx *ctx,
                        struct shmlink_domain **domains_r, size_t *nr_r)
{
    struct shmlink_domain *domains = NULL;
    libxl_dominfo *infos = NULL;
    int i, nr_infos = 0, rc = 0;
    size_t nr = 0;

    ctx_begin(ctx);
    infos = libxl_list_domain(ctx->xl, &nr_infos);
    if (!infos)
        return ctx_fail(ctx, -EIO, "cannot list the domains: %s",
                        ctx->xen->log);
    domains = calloc((size_t)nr_infos + 1, sizeof(*domains));
    if (!domains) {
        rc = ctx_fail(ctx, -ENOMEM, "out of memory");
        goto out;
    }
    for (i = 0; i < nr_infos; i++)
        if (infos[i].domid != 0)
            domain_fill(ctx, &infos[i], &domains[nr++]);
    *domains_r = domains;
    *nr_r = nr;
 out:
    libxl_dominfo_list_free(infos, nr_infos);
    return rc;
}

int domain_among(const struct shmlink_domain *domains, size_t nr,
                 const uint8_t uuid[16], const char *name,
                 struct shmlink_domain *domain_r)
{
    int found = -ESRCH;
    bool same;
    size_t i;

    /* A migration within the host has two for a moment. */
    for (i = 0; i < nr; i++) {
        if (domains[i].dying || domains[i].shutdown)
            continue;
        same = remember_known(uuid) && !memcmp(domains[i].uuid, uuid, 16);
        if (!same && (!found || !name || strchr(name, '?') ||
                      strcmp(domains[i].name, name)))
            continue;
        *domain_r = domains[i];
        found = 0;
        if (same)
            break;
    }
    return found;
}

int domain_again(struct shmlink_ctx *ctx, const uint8_t uuid[16],
                 const char *name, struct shmlink_domain *domain_r)
{
    struct shmlink_domain *domains;
    size_t nr;
    int rc = shmlink_domain_list(ctx, &domains, &nr);

    if (rc)
        return rc;
    rc = domain_among(domains, nr, uuid, name, domain_r);
    free(domains);
    return rc;
}

int domain_by_uuid(struct shmlink_ctx *ctx, const uint8_t uuid[16],
                   struct shmlink_domain *domain_r)
{
    return domain_again(ctx, uuid, NULL, domain_r);
}

bool domain_lives(struct shmlink_ctx *ctx, uint32_t domid,
                  const uint8_t uuid[16])
{
    struct shmlink_domain domain;

    return !domain_same(ctx, domid, uuid, &domain) && !domain.dying &&
           !domain.shutdown;
}
