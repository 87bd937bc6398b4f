/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links to be brought back, by the two guests' UUIDs and vifs, in
 * ctx->state_dir/remembered.json: those that are to last (enable --persist),
 * until they are disabled; and those that the dispatcher took down for a save,
 * a migration or a suspend, of which one that nobody asked for in 7 days is
 * forgotten.  All calls that change something need the lock.
 */
#ifndef SHMLINK_TOOLSTACK_REMEMBER_H
#define SHMLINK_TOOLSTACK_REMEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pick;
struct shmlink_ctx;
struct shmlink_link;

/*
 * Who wants a link to last: enable --persist, shmlink.conf, the own
 * configuration of the guest at end 0 and at end 1.
 */
enum {
    REMEMBER_HAND = 1,
    REMEMBER_CONF = 2,
    REMEMBER_GUEST = 4,
    REMEMBER_ASKED = 15,
};

/*
 * uuid: all 0 of a guest that has not run since it was asked for by its name.
 * vif: or SHMLINK_VIF_ANY.  name: as the guests were called, or NULL.  persist:
 * to last, since somebody asked.  holder, holder_start: the process that took
 * it down for a save and is to bring it back; 0: none.
 */
struct remembered {
    uint8_t uuid[2][16];
    char *name[2];
    uint32_t vif[2];
    uint32_t ring_bytes;
    uint32_t limit;         /* 0: none */
    bool force;
    bool persist;
    uint32_t asked;
    uint32_t holder;
    uint64_t holder_start;
    int64_t since;          /* seconds since 1970 */
};

struct remembered_list {
    struct remembered *links;
    size_t nr_links;
};

/* A guest's UUID is known. */
bool remember_known(const uint8_t uuid[16]);

/* Of a link, with no names; neither lasting nor held. */
struct remembered remembered_link(const struct shmlink_link *link, bool force);

/* Whose command this is, the dispatcher's: what it holds nobody else links. */
void remember_hold(struct shmlink_ctx *ctx, struct remembered *link);
/* Another process holds it, and lives. */
bool remember_is_held(struct shmlink_ctx *ctx, const struct remembered *link);

/* list_r is the caller's to remember_free(), empty after an error; no file is
 * no links. */
int remember_read(struct shmlink_ctx *ctx, struct remembered_list *list_r);
void remember_free(struct remembered_list *list);
/* The one of the same two guests' same vifs, or NULL. */
struct remembered *remember_find(struct shmlink_ctx *ctx,
                                 const struct remembered_list *list,
                                 const struct pick *pick);
/*
 * Add a link in place of those of the same two guests' same vifs: it lasts
 * where one of them did.  Copies the names; one that is NULL stays as it was.
 */
int remember_add(struct shmlink_ctx *ctx, const struct remembered *link);
/*
 * Forget the links that a command means; none is no error.  Those that last
 * only stop being held, unless lasting is said.
 */
int remember_forget(struct shmlink_ctx *ctx, const struct pick *pick,
                    bool lasting);

/* What a look at a link says of it. */
enum remember_look { REMEMBER_AS_IT_IS, REMEMBER_CHANGED, REMEMBER_GONE };
typedef enum remember_look (*remember_looker)(struct shmlink_ctx *ctx,
                                              struct remembered *link,
                                              const void *opaque);
/* Look at all links; write only where that changes something. */
int remember_edit(struct shmlink_ctx *ctx, remember_looker look,
                  const void *opaque);

/* Hold those of a command's links that last, up or not. */
int remember_hold_lasting(struct shmlink_ctx *ctx, const struct pick *pick);
/* What lasts is held no more, but by others that live. */
int remember_release(struct shmlink_ctx *ctx);
/*
 * Forget the links that last between guests of these names, maybe with a vif
 * each, of which one or both may not run; dom[1] NULL: with any.  *nr_r: how
 * many.  dry_run: count.
 */
int remember_forget_names(struct shmlink_ctx *ctx, const char *const dom[2],
                          bool dry_run, size_t *nr_r);

#endif /* SHMLINK_TOOLSTACK_REMEMBER_H */
