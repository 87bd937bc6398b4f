/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/vifs.h"

#include "model/snapshot.h"

#include <string.h>

bool choose_vifs_meet(const struct snapshot_vif *one,
                      const struct snapshot_vif *other)
{
    return !one->bridge || !other->bridge ||
           !strcmp(one->bridge, other->bridge);
}

static const struct snapshot_vif *
find_vif(const struct snapshot_domain *domain, uint32_t devid)
{
    size_t i;

    for (i = 0; i < domain->nr_vifs; i++)
        if (domain->vifs[i].devid == devid)
            return &domain->vifs[i];
    return NULL;
}

unsigned choose_vif_pairs(const struct snapshot_domain *a,
                          const struct snapshot_domain *b)
{
    unsigned nr = 0;
    size_t i, j;

    for (i = 0; i < a->nr_vifs && nr < 2; i++)
        for (j = 0; j < b->nr_vifs && nr < 2; j++)
            nr += choose_vifs_meet(&a->vifs[i], &b->vifs[j]);
    return nr;
}

const char *choose_vifs_refused(const struct snapshot_domain *a,
                                const struct snapshot_domain *b,
                                const uint32_t vif[2])
{
    static const uint8_t unknown[6];
    const struct snapshot_vif *v = find_vif(a, vif[0]);
    const struct snapshot_vif *w = find_vif(b, vif[1]);

    if (!v || !w)
        return choose_vif_pairs(a, b)
            ? "by which of their vifs it goes was not measured"
            : "no vif of theirs is on the same bridge";
    if (!choose_vifs_meet(v, w))
        return "the vifs by which it goes are on different bridges";
    if (v->no_link || w->no_link)
        return v->no_link ? v->no_link : w->no_link;
    if (v->vlans && w->vlans && strcmp(v->vlans, w->vlans))
        return "their vifs are in different VLANs";
    if (!memcmp(v->mac, w->mac, sizeof v->mac) &&
        memcmp(v->mac, unknown, sizeof unknown))
        return "their vifs have the same MAC";
    return NULL;
}
