/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which links a command means: those of the guests that it names, by the vifs
 * that it names ("web:1" is vif 1 of web), on the bridge that it names.
 */
#ifndef SHMLINK_TOOLSTACK_PICK_H
#define SHMLINK_TOOLSTACK_PICK_H

#include "toolstack/registry.h"

struct remembered;

/* nr: guests named, 0 to 2; vif: SHMLINK_VIF_ANY; bridge: NULL for any. */
struct pick {
    int nr;
    struct shmlink_domain domain[2];
    uint32_t vif[2];
    const char *bridge;
};

/*
 * dom: up to the first NULL.  bridge is kept, not copied.
 * Errors: ESRCH; EINVAL the same domain twice.
 */
int pick_find(struct shmlink_ctx *ctx, const char *const dom[2],
              const char *bridge, struct pick *pick_r);

/* A guest's domid alone may be used again, so its UUID counts too. */
bool pick_has(struct shmlink_ctx *ctx, const struct pick *pick,
              const struct registry_entry *entry);

/* The link of these guests by these vifs, for the next call. */
struct pick pick_link(const struct shmlink_link *link);
struct pick pick_remembered(const struct remembered *link);

/*
 * By UUIDs, or, for a link that lasts, by the name of a guest whose UUID does
 * not run; on a bridge is only what runs.
 */
bool pick_has_remembered(struct shmlink_ctx *ctx, const struct pick *pick,
                         const struct remembered *link);

#endif /* SHMLINK_TOOLSTACK_PICK_H */
