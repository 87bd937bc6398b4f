/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wait and block from looking at random times.  Pure arithmetic.
 *
 * The observer is a vCPU of dom0 and holds a pCPU while it looks, so that a
 * vCPU on the same pCPU is never seen running.  Looks at a vCPU whose pCPU is
 * the observer's are therefore left out.
 */
#ifndef SHMLINK_COLLECT_SAMPLING_H
#define SHMLINK_COLLECT_SAMPLING_H

#include <stdbool.h>
#include <stdint.h>

#include "model/snapshot.h"

struct sampling_counts {
    uint64_t running, waiting, blocked;
    uint64_t left_out;      /* on the observer's own pCPU */
};

/* Count one look. */
void sampling_count(struct sampling_counts *counts, bool running,
                    bool blocked, bool beside_observer);

/*
 * Fill in wait and block, and utilisation where no exact one is known.
 * With an exact utilisation u, only what is left of it is divided: of the
 * looks that found the vCPU not running, the share that found it waiting.
 * Error of a share p of n looks: sqrt(p (1 - p) / n), with (x + 2) / (n + 4)
 * for p, so that it is not 0 after few looks.  Looks are not quite random:
 * they come when dom0 gets a pCPU, which has to do with what the others do.
 * How far they are off is seen by the share that found the vCPU running,
 * where the exact one is known; and since dom0 has often just woken those that
 * wait, SAMPLING_TOO_MUCH of the wait itself is part of the error (lab, two
 * VMs on one pCPU that talk by dom0: 0.3 to 0.6 more than in xentrace's trace
 * of the same time).
 * False: too few looks; nothing was filled in.
 */
#define SAMPLING_LOOKS_LEAST 20U
#define SAMPLING_TOO_MUCH 0.4
bool sampling_fill(const struct sampling_counts *counts,
                   struct snapshot_vcpu *vcpu);

#endif
