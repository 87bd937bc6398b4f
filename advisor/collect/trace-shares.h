/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The metrics of several bursts of tracing, put into a snapshot.  Pure.
 *
 * The bursts are samples of the interval: the error of a value is that of the
 * mean of the bursts' own values, weighted by their length.  Where the exact
 * CPU time of the whole interval is known, wait is kept below what it leaves,
 * and block is the rest.  Switches are in order of vCPU and domain, those with
 * what left a pCPU idle last.
 */
#ifndef SHMLINK_COLLECT_TRACE_SHARES_H
#define SHMLINK_COLLECT_TRACE_SHARES_H

#include "model/snapshot.h"
#include "collect/trace-metrics.h"

/* seconds_r: traced in all.
 * Errors: EINVAL khz is 0 or nothing was traced; ENOMEM; E2BIG. */
int trace_shares_fill(struct snapshot *snapshot,
                      const struct trace_metrics *const *bursts, size_t nr,
                      uint32_t khz, double *seconds_r);

#endif
