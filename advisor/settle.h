/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Was it worth it?  Compares the VMs that a plan touched before and after.
 * Pure.
 *
 * A difference counts when it is more than SETTLE_SIGMAS standard errors and
 * more than a margin, so that neither a poor measurement nor the everyday
 * variation of a load undoes a good plan.  Throughput decides first: what
 * carries more is better even when it waits more.  Then waiting, then VM
 * switches per byte.  Where the load itself went away (less traffic, and less
 * demand for CPU too), nothing can be said.
 */
#ifndef SHMLINK_SETTLE_H
#define SHMLINK_SETTLE_H

#include <stddef.h>

#define SETTLE_SIGMAS 2.0
#define SETTLE_MARGIN 0.10       /* of throughput and of waiting */
#define SETTLE_WAIT_PCPUS 0.05   /* less more waiting is not looked at */
#define SETTLE_SWITCHES 200.0    /* per second; fewer are not looked at */

struct plan;
struct snapshot;

enum settle_outcome
{
    SETTLE_BETTER,
    SETTLE_SAME,
    SETTLE_WORSE,
    SETTLE_UNKNOWN,
};

/* Of the VMs concerned, together. */
struct settle_sums
{
    double bytes, bytes_error;       /* per second */
    double wait, wait_error;         /* pCPUs */
    double run;                      /* pCPUs */
    double switches, switches_error; /* per second */
    size_t vms;
};

struct settle_verdict
{
    enum settle_outcome outcome;
    struct settle_sums before, after;
    char text[256]; /* a line with the numbers that decided */
};

void settle_judge(const struct plan *plan, const struct snapshot *before,
                  const struct snapshot *after,
                  struct settle_verdict *verdict_r);

#endif
