/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dom0's policy changes while links are up: look at it again.  A dom0 whose
 * kernel does not tell is noticed, and closes nothing.
 */
#ifndef SHMLINK_TOOLSTACK_POLICY_H
#define SHMLINK_TOOLSTACK_POLICY_H

#include "toolstack/registry.h"

/*
 * Fill in what each link bypasses, and its guests' names.  Links that are not
 * up yet, or close, are left out.
 */
void policy_look(struct shmlink_ctx *ctx, struct registry_entry *entries,
                 size_t nr);

/*
 * After policy_look(): close what is forbidden, told by notice, and take it
 * from the list.  dry_run: only the latter.  Needs the lock.
 * Errors: those of teardown(), but for ETIMEDOUT, which is noticed.
 */
int policy_close(struct shmlink_ctx *ctx, struct registry_entry *entries,
                 size_t *nr, bool dry_run);

#endif /* SHMLINK_TOOLSTACK_POLICY_H */
