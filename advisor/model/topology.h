/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's topology as hwloc sees one, built from a snapshot.
 *
 * Plain hwloc in dom0 sees dom0's own vCPUs in a made-up topology; this one is
 * made of what Xen said, as XML in memory that hwloc imports.  hwloc then
 * knows that it is not this machine, and refuses to bind to it.
 *
 * Offline pCPUs are only in the machine's complete cpuset.  Objects that
 * cross others cannot be shown in a tree: caches give way, and so do nodes that
 * cross packages or split cores; those then belong to the whole machine.
 */
#ifndef SHMLINK_MODEL_TOPOLOGY_H
#define SHMLINK_MODEL_TOPOLOGY_H

#include <hwloc.h>

struct snapshot;

/*
 * snapshot must have passed snapshot_check().  dropped_r, may be NULL: number
 * of objects that gave way.  Errors: -EINVAL no online pCPU, -ENOMEM, -EIO
 * hwloc refused the result.  Owns: caller, hwloc_topology_destroy().
 */
int topology_new(hwloc_topology_t *topology_r, const struct snapshot *snapshot,
                 unsigned *dropped_r);

/*
 * The XML that topology_new() imports, without the distances, which hwloc is
 * given apart.  Errors as above.  Owns: caller, free().
 */
int topology_xml(const struct snapshot *snapshot, char **text_r,
                 unsigned *dropped_r);

#endif
