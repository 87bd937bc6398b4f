// SPDX-License-Identifier: GPL-2.0-or-later
/* Links that a save's command keeps down, as long as it lives. */
#include "config.h"

#include <unistd.h>

#include "base/file.h"
#include "toolstack/ctx.h"
#include "toolstack/pick.h"
#include "toolstack/remember.h"

void remember_hold(struct shmlink_ctx *ctx, struct remembered *link)
{
    link->holder = (uint32_t)getppid();
    if (file_process_start(ctx->paths.procfs, getppid(), &link->holder_start))
        link->holder = 0;
}

bool remember_is_held(struct shmlink_ctx *ctx, const struct remembered *link)
{
    uint64_t start;

    return link->holder && link->holder != (uint32_t)getppid() &&
           !file_process_start(ctx->paths.procfs, (pid_t)link->holder,
                               &start) && start == link->holder_start;
}

static enum remember_look look_hold(struct shmlink_ctx *ctx,
                                    struct remembered *link,
                                    const void *opaque)
{
    if (!link->persist || !pick_has_remembered(ctx, opaque, link))
        return REMEMBER_AS_IT_IS;
    remember_hold(ctx, link);
    return REMEMBER_CHANGED;
}

int remember_hold_lasting(struct shmlink_ctx *ctx, const struct pick *pick)
{
    return remember_edit(ctx, look_hold, pick);
}

static enum remember_look look_release(struct shmlink_ctx *ctx,
                                       struct remembered *link,
                                       const void *opaque)
{
    (void)opaque;
    if (!link->persist || !link->holder || remember_is_held(ctx, link))
        return REMEMBER_AS_IT_IS;
    link->holder = 0;
    return REMEMBER_CHANGED;
}

int remember_release(struct shmlink_ctx *ctx)
{
    return remember_edit(ctx, look_release, NULL);
}
