/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guests say of their links.  Their counters are the guests' own words:
 * each end may lie, about as much as it likes and about the other.
 */
#ifndef SHMLINK_COLLECT_CLAIMS_H
#define SHMLINK_COLLECT_CLAIMS_H

#include "model/snapshot.h"

/*
 * A pCPU does not do more than this in a second: copying at 20 GB/s, a packet
 * or an event in 20 ns.  What a guest says is held against the time for which
 * it and its peer ran, with 1 % of a pCPU for clocks that differ.
 */
#define CLAIMS_BYTES_MAX	20e9
#define CLAIMS_EVENTS_MAX	50e6
#define CLAIMS_SLACK		0.01

/*
 * Drop what an end cannot have done (it counts as one that did not answer),
 * with a note that names the guest, and add as traffic what is left: of each
 * direction the smaller of what its two ends say, or what the one that
 * answered does.  The vCPUs' utilisation must be there.  Errors: -ENOMEM,
 * -E2BIG.
 */
int claims_judge(struct snapshot *snapshot);

#endif
