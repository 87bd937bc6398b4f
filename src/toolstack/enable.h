/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shmlink_enable() for who has waited for the lock and must look again.
 */
#ifndef SHMLINK_TOOLSTACK_ENABLE_H
#define SHMLINK_TOOLSTACK_ENABLE_H

#include "shmlink.h"

/*
 * As shmlink_enable(), but for persist: asked says who wants it to last, as
 * remember.h has them, 0: nobody.  Once the lock is held, and but for a dry
 * run, still() says whether it is wanted any more: 0, or the error to return.
 */
int enable_if(struct shmlink_ctx *ctx,
              const struct shmlink_enable_options *options, uint32_t asked,
              int (*still)(struct shmlink_ctx *ctx, const void *opaque),
              const void *opaque, bool *changed_r,
              struct shmlink_link *link_r);

#endif /* SHMLINK_TOOLSTACK_ENABLE_H */
