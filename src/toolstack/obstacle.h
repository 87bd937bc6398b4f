/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What forbids a link: whatever dom0 does to frames between two vifs, and
 * would no longer do to frames that a link carries.  dom0's state is read
 * once, then asked for any number of vifs; enable, the looking again later and
 * the advisor's collector all ask here.
 *
 * Not seen: what another domain enforces that serves a vif, Open vSwitch's
 * rules (it counts as one obstacle), and hooks of modules that no kernel has.
 */
#ifndef SHMLINK_TOOLSTACK_OBSTACLE_H
#define SHMLINK_TOOLSTACK_OBSTACLE_H

#include <stdbool.h>
#include <stddef.h>

struct obstacles;
struct shmlink_ctx;
struct vif;

enum { OBSTACLES_MAX = 8, OBSTACLE_TEXT_BYTES = 400 };

/* absolute: no link is possible; else one would bypass it, and may be forced */
struct obstacle {
    bool absolute;
    char text[OBSTACLE_TEXT_BYTES];
};

/*
 * Read dom0's state.  Errors: EAGAIN its rules changed whenever they were
 * read; EIO, EPERM the kernel does not say; why says what.
 * Owns: obstacles_free(), of NULL too.
 */
int obstacles_read(struct shmlink_ctx *ctx, struct obstacles **obstacles_r);
void obstacles_free(struct obstacles *obstacles);

/*
 * The obstacles between two vifs, each one line, absolute ones first; returns
 * how many.  guest: their names.  obstacles NULL: only what needs no more than
 * the vifs.
 */
size_t obstacles_between(const struct obstacles *obstacles,
                         const struct vif *const vif[2],
                         const char *const guest[2],
                         struct obstacle list_r[OBSTACLES_MAX]);
/* Those of one vif, whatever the other. */
size_t obstacles_of(const struct obstacles *obstacles, const struct vif *vif,
                    const char *guest,
                    struct obstacle list_r[OBSTACLES_MAX]);
/* All in one line, the first ones where they are too long; "": none. */
void obstacles_join(const struct obstacle *list, size_t nr, char *text_r,
                    size_t size);

/*
 * The VLANs of a bridge port, such as "1pu 10-12" (p: of untagged frames in,
 * u: untagged out), the same text for the same VLANs; NULL: its bridge does not
 * tell VLANs apart.  Valid as long as obstacles.
 */
const char *obstacles_vlans(const struct obstacles *obstacles,
                            const struct vif *vif);

/*
 * Handles of the filters by which the advisor samples vifs, matchall with the
 * action sample alone: they pass everything on.
 */
#define OBSTACLE_SAMPLER         0x73686d6cU     /* "shml" */
#define OBSTACLE_SAMPLER_MADE    0x73686d6dU

#endif /* SHMLINK_TOOLSTACK_OBSTACLE_H */
