/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links to be brought back: those that the dispatcher took down for a save, a
 * migration or a suspend, by the two guests' UUIDs, in
 * ctx->state_dir/remembered.json.  One that nobody asked for in 7 days is
 * forgotten.  All calls need the lock.
 */
#ifndef SHMLINK_TOOLSTACK_REMEMBER_H
#define SHMLINK_TOOLSTACK_REMEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct shmlink_ctx;

struct remembered {
    uint8_t uuid[2][16];
    uint32_t ring_bytes;
    bool force;
    time_t since;
};

/* *links_r is the caller's to free(); no file is no links. */
int remember_read(struct shmlink_ctx *ctx, struct remembered **links_r,
                  size_t *nr_r);
/* Add a link, or replace the one of the same two guests. */
int remember_add(struct shmlink_ctx *ctx, const struct remembered *link);
/* Forget the link of these two guests, in either order; none is no error. */
int remember_remove(struct shmlink_ctx *ctx, const uint8_t one[16],
                    const uint8_t other[16]);
/* Forget all that have this guest, or all where uuid is NULL. */
int remember_remove_guest(struct shmlink_ctx *ctx, const uint8_t *uuid);

/*
 * Pure: the file's text. Errors: EINVAL not such a file.
 * now: what is older than 7 days before is left out.
 */
int remember_parse(const char *text, time_t now, struct remembered **links_r,
                   size_t *nr_r);

#endif /* SHMLINK_TOOLSTACK_REMEMBER_H */
