// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/ctx.h"
#include "base/parse.h"
#include "toolstack/store.h"

static int store_path(char path_r[STORE_PATH_BYTES], const char *format,
                      va_list args)
{
    int len = vsnprintf(path_r, STORE_PATH_BYTES, format, args);

    return len < 0 || len >= STORE_PATH_BYTES ? -ENAMETOOLONG : 0;
}

/* Fill path from the caller's format, or return from the caller. */
#define STORE_PATH(path, format)                    \
    do {                                            \
        va_list args_;                              \
        int rc_;                                    \
                                                    \
        va_start(args_, format);                    \
        rc_ = store_path(path, format, args_);      \
        va_end(args_);                              \
        if (rc_)                                    \
            return rc_;                             \
    } while (0)

int store_read(struct store *store, char value_r[STORE_VALUE_BYTES],
               const char *format, ...)
{
    char path[STORE_PATH_BYTES], *value;
    unsigned int len = 0;
    int rc = 0;

    STORE_PATH(path, format);
    value = xs_read(store->ctx->xs, store->transaction, path, &len);
    if (!value)
        return -errno;
    if (len >= STORE_VALUE_BYTES || memchr(value, '\0', len)) {
        rc = -EINVAL;
    } else {
        memcpy(value_r, value, len);
        value_r[len] = '\0';
    }
    free(value);
    return rc;
}

int store_read_u64(struct store *store, uint64_t min, uint64_t max,
                   uint64_t *value_r, const char *format, ...)
{
    char path[STORE_PATH_BYTES], value[STORE_VALUE_BYTES];

    STORE_PATH(path, format);
    return store_read(store, value, "%s", path) ?:
           parse_u64(value, min, max, value_r);
}

bool store_exists(struct store *store, const char *format, ...)
{
    char path[STORE_PATH_BYTES], *value;
    unsigned int len;
    va_list args;
    int rc;

    va_start(args, format);
    rc = store_path(path, format, args);
    va_end(args);
    value = rc ? NULL : xs_read(store->ctx->xs, store->transaction, path,
                                &len);
    free(value);
    return value != NULL;
}

int store_list(struct store *store, char ***names_r, unsigned int *nr_r,
               const char *format, ...)
{
    char path[STORE_PATH_BYTES];
    unsigned int nr = 0;
    char **names;

    STORE_PATH(path, format);
    names = xs_directory(store->ctx->xs, store->transaction, path, &nr);
    if (!names && errno != ENOENT)
        return -errno;
    *names_r = names;
    *nr_r = names ? nr : 0;
    return 0;
}

int store_set(struct store *store, const char *value, const char *format, ...)
{
    char path[STORE_PATH_BYTES];

    STORE_PATH(path, format);
    if (!xs_write(store->ctx->xs, store->transaction, path, value,
                  (unsigned int)strlen(value)))
        return -errno;
    return 0;
}

int store_write(struct store *store, uint32_t owner, uint32_t reader,
                const char *value, const char *format, ...)
{
    struct xs_permissions permissions[] = {
        { .id = owner, .perms = XS_PERM_NONE },
        { .id = reader, .perms = XS_PERM_READ },
    };
    char path[STORE_PATH_BYTES];
    int rc;

    STORE_PATH(path, format);
    rc = store_set(store, value, "%s", path);
    if (rc)
        return rc;
    if (!xs_set_permissions(store->ctx->xs, store->transaction, path,
                            permissions, owner == reader ? 1 : 2))
        return -errno;
    return 0;
}

int store_remove(struct store *store, const char *format, ...)
{
    char path[STORE_PATH_BYTES];

    STORE_PATH(path, format);
    if (!xs_rm(store->ctx->xs, store->transaction, path) && errno != ENOENT)
        return -errno;
    return 0;
}

int store_remove_empty(struct store *store, const char *format, ...)
{
    char path[STORE_PATH_BYTES];
    unsigned int nr;
    char **names;
    int rc;

    STORE_PATH(path, format);
    rc = store_list(store, &names, &nr, "%s", path);
    if (rc)
        return rc;
    free(names);
    return nr ? 0 : store_remove(store, "%s", path);
}

int store_transact(struct shmlink_ctx *ctx,
                   int (*change)(struct store *store, void *opaque),
                   void *opaque)
{
    enum { TRIES = 64 };
    int rc = -EAGAIN, try;

    for (try = 0; try < TRIES; try++) {
        struct store store = {
            .ctx = ctx,
            .transaction = xs_transaction_start(ctx->xs),
        };

        if (store.transaction == XBT_NULL)
            return -errno;
        rc = change(&store, opaque);
        if (rc) {
            xs_transaction_end(ctx->xs, store.transaction, true);
            return rc;
        }
        if (xs_transaction_end(ctx->xs, store.transaction, false))
            return 0;
        rc = -errno;
        if (rc != -EAGAIN)
            return rc;
    }
    return rc;
}
