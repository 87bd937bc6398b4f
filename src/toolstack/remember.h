/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links to be brought back: those that the dispatcher took down for a save, a
 * migration or a suspend, by the two guests' UUIDs and vifs, in
 * ctx->state_dir/remembered.json.  One that nobody asked for in 7 days is
 * forgotten.  All calls need the lock.
 */
#ifndef SHMLINK_TOOLSTACK_REMEMBER_H
#define SHMLINK_TOOLSTACK_REMEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pick;
struct shmlink_ctx;

/* vif: SHMLINK_VIF_ANY where the file is an older version's. */
struct remembered {
    uint8_t uuid[2][16];
    uint32_t vif[2];
    uint32_t ring_bytes;
    bool force;
    int64_t since;          /* seconds since 1970 */
};

struct remembered_list {
    struct remembered *links;
    size_t nr_links;
};

/* list_r->links is the caller's to free(), none after an error; no file is no
 * links. */
int remember_read(struct shmlink_ctx *ctx, struct remembered_list *list_r);
/* Add a link, or replace the one of the same two guests' same vifs. */
int remember_add(struct shmlink_ctx *ctx, const struct remembered *link);
/* Forget the links that a command means; none is no error. */
int remember_forget(struct shmlink_ctx *ctx, const struct pick *pick);

#endif /* SHMLINK_TOOLSTACK_REMEMBER_H */
