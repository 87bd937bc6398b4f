/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a snapshot to a plan.  Pure: no Xen, no files, no clock, no random
 * numbers; the same input gives the same plan on every machine.
 */
#ifndef SHMLINK_CHOOSE_CHOOSE_H
#define SHMLINK_CHOOSE_CHOOSE_H

struct past;
struct plan;
struct settings;
struct snapshot;

/*
 * Make a plan of a checked snapshot.  past may be NULL.  Cooldown counts back
 * from the snapshot's time.  A host on which nothing is to be gained gives a
 * plan with no steps.  Errors: -EINVAL the snapshot has no online pCPU (*why_r,
 * may be NULL, says so; caller frees), -ENOMEM.  Owns: caller, plan_free().
 */
int choose(struct plan **plan_r, const struct snapshot *snapshot,
           const struct settings *settings, const struct past *past,
           char **why_r);

#endif
