/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs and their affinities: as requested, as effective, and who set them.
 *
 * Xen keeps what was requested and uses less: hard and the cpupool; soft, hard
 * and the cpupool (xen/common/domctl.c, vcpuaffinity).
 * An affinity that is not "all" is the administrator's unless the journal says
 * that we set it, or it is libxl's own NUMA placement: soft, of whole nodes,
 * the same for all vCPUs, and not asked for in the domain's configuration.
 */
#ifndef SHMLINK_COLLECT_AFFINITY_H
#define SHMLINK_COLLECT_AFFINITY_H

#include "collect/collect.h"

/*
 * Add the vCPUs of the domain that was added last, vcpus_max of them, and set
 * its vcpus_online.  A domain that vanishes meanwhile has none online.
 * Errors: ENOMEM.
 */
int affinity_read(struct collect *collect, struct snapshot_domain *domain);

/* Is set a union of whole nodes' pCPUs, at least one? Pure. */
bool affinity_is_nodes(const struct snapshot *snapshot,
                       hwloc_const_bitmap_t set);

#endif
