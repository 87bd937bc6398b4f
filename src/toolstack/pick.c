// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "toolstack/ctx.h"
#include "toolstack/domain.h"
#include "toolstack/pick.h"
#include "toolstack/remember.h"
#include "toolstack/vif.h"

int pick_find(struct shmlink_ctx *ctx, const char *const dom[2],
              const char *bridge, struct pick *pick_r)
{
    struct pick pick = { .bridge = bridge };
    int rc;

    for (; pick.nr < 2 && dom[pick.nr]; pick.nr++) {
        rc = domain_find_vif(ctx, dom[pick.nr], &pick.domain[pick.nr],
                             &pick.vif[pick.nr]);
        if (rc)
            return rc;
    }
    if (pick.nr == 2 && pick.domain[0].domid == pick.domain[1].domid)
        return ctx_fail(ctx, -EINVAL, "%s and %s are the same domain; name "
                        "two", dom[0], dom[1]);
    *pick_r = pick;
    return 0;
}

static struct pick pick_pair(const uint8_t uuid[2][16], const uint32_t vif[2],
                             const char *const name[2])
{
    struct pick pick = { .nr = 2, .vif = { vif[0], vif[1] } };
    int i;

    for (i = 0; i < 2; i++) {
        memcpy(pick.domain[i].uuid, uuid[i], 16);
        snprintf(pick.domain[i].name, sizeof(pick.domain[i].name), "%s",
                 name[i] ? name[i] : "");
    }
    return pick;
}

struct pick pick_link(const struct shmlink_link *link)
{
    return pick_pair(link->uuid, link->vif,
                     (const char *const[2]){ link->name[0], link->name[1] });
}

struct pick pick_remembered(const struct remembered *link)
{
    return pick_pair(link->uuid, link->vif,
                     (const char *const[2]){ link->name[0], link->name[1] });
}

/*
 * One end of a link; domid: NULL where only the UUID is known.  name: of a
 * guest that is known by it where none with the UUID runs, or NULL.
 */
struct pick_end {
    const uint8_t *uuid;
    const uint32_t *domid;
    const char *name;
    uint32_t vif;
};

static bool pick_is_guest(struct shmlink_ctx *ctx,
                          const struct shmlink_domain *domain,
                          const struct pick_end *end)
{
    struct shmlink_domain other;

    if (remember_known(end->uuid) && !memcmp(end->uuid, domain->uuid, 16))
        return !end->domid || *end->domid == domain->domid;
    /* "?" stands for what may differ. */
    return end->name && !strchr(end->name, '?') &&
           !strcmp(end->name, domain->name) &&
           domain_by_uuid(ctx, end->uuid, &other);
}

/* It is that of guest number i, or of any where so many are not named. */
static bool pick_is(struct shmlink_ctx *ctx, const struct pick *pick, int i,
                    const struct pick_end *end)
{
    if (i >= pick->nr)
        return true;
    return pick_is_guest(ctx, &pick->domain[i], end) &&
           (end->vif == pick->vif[i] || end->vif == SHMLINK_VIF_ANY ||
            pick->vif[i] == SHMLINK_VIF_ANY);
}

static bool pick_is_on(struct shmlink_ctx *ctx, const struct pick *pick,
                       const struct pick_end *end)
{
    struct shmlink_domain domain;
    struct vif vif;

    if (!pick->bridge)
        return true;
    if (!end->domid && domain_again(ctx, end->uuid, end->name, &domain))
        return false;
    return !vif_read(ctx, end->domid ? *end->domid : domain.domid, end->vif,
                     &vif) && !strcmp(vif.bridge, pick->bridge);
}

static bool pick_matches(struct shmlink_ctx *ctx, const struct pick *pick,
                         const struct pick_end ends[2])
{
    int back;

    for (back = 0; back < 2; back++)
        if (pick_is(ctx, pick, back, &ends[0]) &&
            pick_is(ctx, pick, !back, &ends[1]))
            return pick_is_on(ctx, pick, &ends[0]);
    return false;
}

bool pick_has(struct shmlink_ctx *ctx, const struct pick *pick,
              const struct registry_entry *entry)
{
    const struct shmlink_link *link = &entry->link;
    const struct pick_end ends[2] = {
        { link->uuid[0], &link->domid[0], NULL, link->vif[0] },
        { link->uuid[1], &link->domid[1], NULL, link->vif[1] },
    };

    return pick_matches(ctx, pick, ends);
}

bool pick_has_remembered(struct shmlink_ctx *ctx, const struct pick *pick,
                         const struct remembered *link)
{
    const struct pick_end ends[2] = {
        { link->uuid[0], NULL, link->persist ? link->name[0] : NULL,
          link->vif[0] },
        { link->uuid[1], NULL, link->persist ? link->name[1] : NULL,
          link->vif[1] },
    };

    return pick_matches(ctx, pick, ends);
}
