/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking links down, and with them whatever a killed command or a dead guest
 * left.  All calls need the lock.
 */
#ifndef SHMLINK_TOOLSTACK_TEARDOWN_H
#define SHMLINK_TOOLSTACK_TEARDOWN_H

#include "toolstack/registry.h"

/* For a link that is taken down because something else failed. */
enum { TEARDOWN_WAIT_MS = 3000 };

/*
 * Ask the ends of all entries to close, wait for them together, then remove
 * their nodes, whether they closed or not.  An end whose guest is gone counts
 * as closed.  stoppable: see shmlink_disable_options.
 * Errors: ETIMEDOUT an end did not confirm, why says which; its nodes are
 * gone, upon which its driver closes as soon as its guest runs.  EINTR stopped:
 * what is not closed stays for the sweep, once this process is gone.
 */
int teardown(struct shmlink_ctx *ctx, struct registry_entry *entries,
             size_t nr, unsigned int wait_ms, bool stoppable);

/* What entry's link is like now, from both ends' states. */
enum shmlink_state teardown_state(struct shmlink_ctx *ctx,
                                  const struct registry_entry *entry);

/*
 * Take down every link of which an end is gone, or closed, or whose command
 * was killed or stopped.
 */
int teardown_sweep(struct shmlink_ctx *ctx);

#endif /* SHMLINK_TOOLSTACK_TEARDOWN_H */
