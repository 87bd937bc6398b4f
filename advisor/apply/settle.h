/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Was it worth it?  Compares the VMs that a plan touched before and after.
 * Pure.
 *
 * Both are measured in SETTLE_PARTS parts, and the error of a mean is that
 * which the differences between its parts give: it holds the poor measurement
 * as well as the everyday variation of the load.  A difference counts when it
 * is more than SETTLE_SIGMAS errors and more than a margin, so that neither
 * undoes a good plan.  Throughput decides first: what carries more is better
 * even when it waits more.  Then waiting, then VM switches per byte.  Where
 * the load itself went away (less traffic, and less demand for CPU too),
 * nothing can be said.
 */
#ifndef SHMLINK_APPLY_SETTLE_H
#define SHMLINK_APPLY_SETTLE_H

#include <stddef.h>

#define SETTLE_PARTS 5
/*
 * Student's t for 99 % at 4 to 8 degrees of freedom is 3.7 to 2.9; a load also
 * varies more slowly than the parts can tell (tests/lab/long/unchanged.sh).
 */
#define SETTLE_SIGMAS 4.0
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

/* Measured one after the other, with nothing changed between them. */
struct settle_series
{
    struct snapshot *parts[SETTLE_PARTS];
};

/* The mean of the parts, and its standard error. */
struct settle_value
{
    double mean, error;
};

/* Of the VMs concerned, together. */
struct settle_sums
{
    struct settle_value bytes;    /* per second */
    struct settle_value wait;     /* pCPUs */
    struct settle_value run;      /* pCPUs */
    struct settle_value switches; /* per second */
    size_t vms;                   /* that are there in all parts */
};

struct settle_verdict
{
    enum settle_outcome outcome;
    struct settle_sums before, after;
    char text[256]; /* a line with the numbers that decided */
};

/* All parts of both are given. */
void settle_judge(const struct plan *plan, const struct settle_series *before,
                  const struct settle_series *after,
                  struct settle_verdict *verdict_r);

/* Frees the parts; those that are NULL are fine. */
void settle_series_dispose(struct settle_series *series);

#endif
