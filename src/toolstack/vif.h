/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vifs of a guest as dom0 knows them: from the toolstack's own nodes in
 * xenstore, which no guest can write, and from the bridge in dom0's kernel.
 */
#ifndef SHMLINK_TOOLSTACK_VIF_H
#define SHMLINK_TOOLSTACK_VIF_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shmlink_ctx;

/*
 * backend_domid: who serves it; where that is not dom0, nothing below is
 * known.  bridge: "" where the vif is on none.  openvswitch: the bridge is not
 * the kernel's, and its name is the configured one.
 */
struct vif {
    uint32_t domid;
    uint32_t devid;
    uint32_t backend_domid;
    char mac[18];
    char ifname[IF_NAMESIZE];
    char bridge[IF_NAMESIZE];
    bool openvswitch;
    bool rate_limited;
};

/* One vif of a guest. Errors: ENOENT, EINVAL not all of it is there. */
int vif_read(struct shmlink_ctx *ctx, uint32_t domid, uint32_t devid,
             struct vif *vif_r);

/* All vifs of a guest by number; *vifs_r is the caller's to free(). */
int vif_list(struct shmlink_ctx *ctx, uint32_t domid, struct vif **vifs_r,
             size_t *nr_r);

#endif /* SHMLINK_TOOLSTACK_VIF_H */
