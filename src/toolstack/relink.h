/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bringing one remembered link back: for the command, which waits for guests,
 * and for the service, which does not.
 */
#ifndef SHMLINK_TOOLSTACK_RELINK_H
#define SHMLINK_TOOLSTACK_RELINK_H

#include "toolstack/remember.h"
#include "toolstack/store.h"

/* Its guests among those that run. Errors: ESRCH one does not. */
int relink_find(const struct shmlink_domain *domains, size_t nr,
                const struct remembered *link,
                struct shmlink_domain domains_r[2]);
/* Both have a driver that says what it speaks. */
bool relink_drivers(struct shmlink_ctx *ctx,
                    const struct shmlink_domain domains[2]);
/* Where a guest's driver says so. */
void relink_driver_path(uint32_t domid, char path_r[STORE_PATH_BYTES]);
/*
 * Enable it.  wait_ms: 0 = default.  Returns 1 brought back, 0 it was up.
 * Errors: those of shmlink_enable(), why says so.  Takes the lock.
 */
int relink_enable(struct shmlink_ctx *ctx, const struct remembered *link,
                  const struct shmlink_domain domains[2],
                  unsigned int wait_ms);

#endif /* SHMLINK_TOOLSTACK_RELINK_H */
