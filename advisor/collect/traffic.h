/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The traffic matrix: who sends how much to whom, estimated from samples and
 * from exact counters.  Pure arithmetic; no netlink.
 *
 * A port is a place where traffic leaves towards a guest or an uplink; each
 * has an exact count of what left by it.  Samples at a port tell from where it
 * came.  With counts, the sampled shares of the known total are used (a ratio
 * estimate: its error vanishes where one sender has all); without, each
 * sample stands for the packets it was picked from.
 *
 * Errors are one standard error.  With few samples the shares' error has a
 * floor, that of (x + 1/2) / (n + 1) (Jeffreys), so that four samples that
 * agree are not taken for certainty.
 */
#ifndef SHMLINK_COLLECT_TRAFFIC_H
#define SHMLINK_COLLECT_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/psample.h"

#define TRAFFIC_OUTSIDE UINT64_MAX  /* not a guest of this host */

/* A guest's vif, domid below devid, so that its vif 0 is its domid. */
static inline uint64_t traffic_vif(uint32_t domid, uint32_t devid)
{
    return (uint64_t)devid << 32 | domid;
}

/* Samples of one sender at one receiver, vifs or the outside. */
struct traffic_cell {
    uint64_t from, to;
    uint64_t samples;
    double packets, bytes;          /* weighted: samples times rate */
    double packets2, bytes2;        /* sums of the squared weights */
};

/* By the counters of vifs: what really left to each, or what each sent. */
struct traffic_total {
    uint64_t vif;
    double packets, bytes;
};
struct traffic_totals {
    struct traffic_total *totals;
    size_t nr_totals;
};

struct traffic_matrix {
    struct traffic_cell *cells;
    size_t nr_cells;
    struct traffic_totals received, sent;
};

/* One cell of the result, over the whole interval. */
struct traffic_estimate {
    double packets, packets_error;
    double bytes, bytes_error;
};

void traffic_reset(struct traffic_matrix *matrix);

/* Count one sample. Errors: ENOMEM. */
int traffic_add(struct traffic_matrix *matrix, uint64_t from, uint64_t to,
                const struct psample_sample *sample);

/* Add to what left to a vif, or what it sent. Errors: ENOMEM. */
int traffic_add_total(struct traffic_totals *totals, uint64_t vif,
                      double packets, double bytes);
/* NULL: nothing was counted. */
const struct traffic_total *
traffic_total_of(const struct traffic_totals *totals, uint64_t vif);

/*
 * Estimate a cell.  correction: by how much to multiply for samples that were
 * lost on the way to us, 1 for none; used where there is no total.
 */
void traffic_estimate(const struct traffic_matrix *matrix,
                      const struct traffic_cell *cell, double correction,
                      struct traffic_estimate *estimate_r);

/*
 * The rate to sample a port at, for `target` samples per second where it
 * passes `packets` per second: a power of two, so that small changes of load
 * do not change it, from TRAFFIC_RATE_MIN to TRAFFIC_RATE_MAX.
 */
#define TRAFFIC_RATE_MIN 1U
#define TRAFFIC_RATE_MAX (1U << 20)
uint32_t traffic_rate(double packets, double target);

#endif
