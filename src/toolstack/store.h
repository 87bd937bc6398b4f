/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xenstore with this project's error rule, and transactions that are tried
 * again where another one came between.
 *
 * Values are untrusted: text with a zero byte in it, or longer than
 * STORE_VALUE_BYTES - 1, is refused with EINVAL.
 */
#ifndef SHMLINK_TOOLSTACK_STORE_H
#define SHMLINK_TOOLSTACK_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

enum { STORE_VALUE_BYTES = 1024, STORE_PATH_BYTES = 512 };

struct shmlink_ctx;

/* transaction: one under way, or XBT_NULL (0) for single operations. */
struct store {
    struct shmlink_ctx *ctx;
    xs_transaction_t transaction;
};

/* Read one value. Errors: ENOENT, EINVAL. */
int store_read(struct store *store, char value_r[STORE_VALUE_BYTES],
               const char *format, ...) __attribute__((format(printf, 3, 4)));
int store_read_u64(struct store *store, uint64_t min, uint64_t max,
                   uint64_t *value_r, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
bool store_exists(struct store *store, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Names below a node; *names_r is one block for the caller to free().
 * A node that does not exist has none.
 */
int store_list(struct store *store, char ***names_r, unsigned int *nr_r,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * Write a value, make or keep a node.  owner, reader: domids; the owner may do
 * all, the reader read, others nothing.  reader = owner: nobody else reads.
 */
int store_write(struct store *store, uint32_t owner, uint32_t reader,
                const char *value, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Write without touching the permissions. */
int store_set(struct store *store, const char *value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Remove a node and all below; no node is no error. */
int store_remove(struct store *store, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Remove a node that has nothing below. */
int store_remove_empty(struct store *store, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Run change() in a transaction, again where it conflicts; all or nothing.
 * change() returns 0 or -errno, which aborts.
 */
int store_transact(struct shmlink_ctx *ctx,
                   int (*change)(struct store *store, void *opaque),
                   void *opaque);

#endif /* SHMLINK_TOOLSTACK_STORE_H */
