/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains by libxl, and processes by /proc: who is still the one that it was.
 */
#ifndef SHMLINK_TOOLSTACK_DOMAIN_H
#define SHMLINK_TOOLSTACK_DOMAIN_H

#include <stdbool.h>
#include <sys/types.h>

#include "shmlink.h"

/*
 * "DOM" or "DOM:VIF"; *vif_r is SHMLINK_VIF_ANY for the former.  A domain
 * that is called like the whole text goes before, but not before numbers.
 * Errors: ESRCH.
 */
int domain_find_vif(struct shmlink_ctx *ctx, const char *text,
                    struct shmlink_domain *domain_r, uint32_t *vif_r);

/* By number. Errors: ESRCH. */
int domain_by_id(struct shmlink_ctx *ctx, uint32_t domid,
                 struct shmlink_domain *domain_r);
/* By number, where it is still the guest with this UUID. Errors: ESRCH. */
int domain_same(struct shmlink_ctx *ctx, uint32_t domid,
                const uint8_t uuid[16], struct shmlink_domain *domain_r);
/* By UUID, a running one where several have it. Errors: ESRCH. */
int domain_by_uuid(struct shmlink_ctx *ctx, const uint8_t uuid[16],
                   struct shmlink_domain *domain_r);
/* The same, or else one that runs by this name; NULL: none. */
int domain_among(const struct shmlink_domain *domains, size_t nr,
                 const uint8_t uuid[16], const char *name,
                 struct shmlink_domain *domain_r);
/* Among all. */
int domain_again(struct shmlink_ctx *ctx, const uint8_t uuid[16],
                 const char *name, struct shmlink_domain *domain_r);
/* domid is there, is no shell of a dead guest, and has this UUID. */
bool domain_lives(struct shmlink_ctx *ctx, uint32_t domid,
                  const uint8_t uuid[16]);

#endif /* SHMLINK_TOOLSTACK_DOMAIN_H */
