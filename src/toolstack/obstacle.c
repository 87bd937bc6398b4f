// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "toolstack/ctx.h"
#include "toolstack/dom0-net.h"
#include "toolstack/obstacle.h"
#include "toolstack/vif.h"

struct obstacles {
    struct dom0_net net;
};

int obstacles_read(struct shmlink_ctx *ctx, struct obstacles **obstacles_r)
{
    struct obstacles *obstacles = calloc(1, sizeof(*obstacles));
    int rc;

    if (!obstacles)
        return ctx_fail(ctx, -ENOMEM, "out of memory");
    rc = dom0_net_read(ctx, &obstacles->net);
    if (rc) {
        obstacles_free(obstacles);
        return rc;
    }
    *obstacles_r = obstacles;
    return 0;
}

void obstacles_free(struct obstacles *obstacles)
{
    if (obstacles)
        dom0_net_dispose(&obstacles->net);
    free(obstacles);
}

const char *obstacles_vlans(const struct obstacles *obstacles,
                            const struct vif *vif)
{
    size_t i;

    for (i = 0; obstacles && i < obstacles->net.nr_ports; i++)
        if (!strcmp(obstacles->net.ports[i].name, vif->ifname))
            return obstacles->net.ports[i].vlans;
    return NULL;
}

/* A list that is being made. */
struct listing {
    struct obstacle *list;
    size_t nr;
};

__attribute__((format(printf, 3, 4)))
static void list_add(struct listing *listing, bool absolute,
                     const char *format, ...)
{
    struct obstacle *obstacle = &listing->list[listing->nr];
    va_list args;

    if (listing->nr == OBSTACLES_MAX)
        return;
    obstacle->absolute = absolute;
    va_start(args, format);
    vsnprintf(obstacle->text, sizeof(obstacle->text), format, args);
    va_end(args);
    listing->nr++;
}

/* True: nothing more can be said of this vif. */
static bool list_absolute(struct listing *listing, const struct vif *vif,
                          const char *guest)
{
    if (vif->backend_domid)
        list_add(listing, true, "vif %u of %s is served by domain %u, not by "
                 "dom0, which cannot see whose network it is on", vif->devid,
                 guest, vif->backend_domid);
    else if (!vif->bridge[0])
        list_add(listing, true, "%s of %s is on no bridge; put it on the "
                 "bridge of the other guest", vif->ifname, guest);
    return vif->backend_domid || !vif->bridge[0];
}

static void list_vif(struct listing *listing,
                     const struct obstacles *obstacles, const struct vif *vif,
                     const char *guest)
{
    const struct dom0_fact *fact;
    size_t i;

    if (vif->rate_limited)
        list_add(listing, false, "%s of %s has a rate limit", vif->ifname,
                 guest);
    for (i = 0; obstacles && i < obstacles->net.nr_facts; i++) {
        fact = &obstacles->net.facts[i];
        if (fact->prefix ? !strncmp(vif->ifname, fact->on, strlen(fact->on))
                         : !strcmp(vif->ifname, fact->on))
            list_add(listing, false, "%s of %s %s", vif->ifname, guest,
                     fact->text);
    }
}

static void list_bridge(struct listing *listing,
                        const struct obstacles *obstacles,
                        const struct vif *vif)
{
    const struct dom0_fact *fact;
    size_t i;

    if (vif->openvswitch)
        list_add(listing, false, "bridge %s is Open vSwitch's and may have "
                 "rules that cannot be read here", vif->bridge);
    for (i = 0; obstacles && i < obstacles->net.nr_facts; i++) {
        fact = &obstacles->net.facts[i];
        if (fact->prefix)
            continue;
        if (!fact->on[0])
            list_add(listing, false, "dom0 %s", fact->text);
        else if (!strcmp(vif->bridge, fact->on))
            list_add(listing, false, "bridge %s %s", fact->on, fact->text);
    }
}

size_t obstacles_of(const struct obstacles *obstacles, const struct vif *vif,
                    const char *guest, struct obstacle list_r[OBSTACLES_MAX])
{
    struct listing listing = { .list = list_r };

    if (!list_absolute(&listing, vif, guest)) {
        list_vif(&listing, obstacles, vif, guest);
        list_bridge(&listing, obstacles, vif);
    }
    return listing.nr;
}

size_t obstacles_between(const struct obstacles *obstacles,
                         const struct vif *const vif[2],
                         const char *const guest[2],
                         struct obstacle list_r[OBSTACLES_MAX])
{
    struct listing listing = { .list = list_r };
    const char *vlans[2];
    int i;

    for (i = 0; i < 2; i++)
        if (list_absolute(&listing, vif[i], guest[i]))
            return listing.nr;
    if (strcmp(vif[0]->bridge, vif[1]->bridge))
        list_add(&listing, true, "%s of %s is on bridge %s, %s of %s on %s; a "
                 "link needs both on one bridge", vif[0]->ifname, guest[0],
                 vif[0]->bridge, vif[1]->ifname, guest[1], vif[1]->bridge);
    else if (!strcasecmp(vif[0]->mac, vif[1]->mac))
        list_add(&listing, true, "%s of %s and %s of %s have the same MAC %s; "
                 "give one of them another", vif[0]->ifname, guest[0],
                 vif[1]->ifname, guest[1], vif[0]->mac);
    if (listing.nr)
        return listing.nr;
    for (i = 0; i < 2; i++) {
        list_vif(&listing, obstacles, vif[i], guest[i]);
        vlans[i] = obstacles_vlans(obstacles, vif[i]);
    }
    if (vlans[0] && vlans[1] && strcmp(vlans[0], vlans[1]))
        list_add(&listing, false, "%s of %s and %s of %s are in different "
                 "VLANs of bridge %s", vif[0]->ifname, guest[0],
                 vif[1]->ifname, guest[1], vif[0]->bridge);
    list_bridge(&listing, obstacles, vif[0]);
    return listing.nr;
}

void obstacles_join(const struct obstacle *list, size_t nr, char *text_r,
                    size_t size)
{
    size_t i, used = 0;

    *text_r = '\0';
    for (i = 0; i < nr && used + strlen(list[i].text) + 3 <= size; i++)
        used += (size_t)snprintf(text_r + used, size - used, "%s%s",
                                 i ? "; " : "", list[i].text);
}
