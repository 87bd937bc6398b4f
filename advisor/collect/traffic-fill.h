/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The traffic matrix put into a snapshot.  Pure.
 *
 * What a guest sends to the outside (other hosts, dom0) is what it sent in
 * all, which is counted, less what it sent to guests, which is estimated;
 * samples at an uplink only tell the sizes and protocols of it.
 */
#ifndef SHMLINK_COLLECT_TRAFFIC_FILL_H
#define SHMLINK_COLLECT_TRAFFIC_FILL_H

#include "model/snapshot.h"
#include "collect/traffic.h"

/*
 * correction: as for traffic_estimate().  sampled: false: there are only
 * counters, and all traffic is given as with the outside.
 * Errors: ENOMEM; E2BIG.
 */
int traffic_fill(struct snapshot *snapshot,
                 const struct traffic_matrix *matrix, double correction,
                 double seconds, bool sampled);

#endif
