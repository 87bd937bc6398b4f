/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The links that this host has, as dom0 noted them where no guest can write:
 * /tool/shmlink/links/NONCE in xenstore.  The entry comes and goes in the same
 * transaction as the devices' nodes, so what is not here does not exist.
 */
#ifndef SHMLINK_TOOLSTACK_REGISTRY_H
#define SHMLINK_TOOLSTACK_REGISTRY_H

#include <sys/types.h>

#include "shmlink.h"
#include "toolstack/store.h"

enum registry_phase {
    REGISTRY_CONNECTING,
    REGISTRY_UP,
    REGISTRY_CLOSING,
};

/*
 * link: but for names, bridge, state and counters, which are not noted.
 * made_backend: the back end's guest had no backend/ before the first link.
 * pid, pid_start: the command that works on it while connecting or closing.
 */
struct registry_entry {
    struct shmlink_link link;
    enum registry_phase phase;
    bool force;
    bool made_backend;
    pid_t pid;
    uint64_t pid_start;
};

/* All entries; *entries_r is the caller's to free(). Unreadable
 * ones are left out: nobody but dom0 can have written them. */
int registry_read(struct shmlink_ctx *ctx, struct registry_entry **entries_r,
                  size_t *nr_r);

/* Within a transaction. */
int registry_write(struct store *store, const struct registry_entry *entry);
/* Also removes what is empty then. */
int registry_remove(struct store *store, const char *nonce);

/* Note a phase, and this process as the one at work. */
int registry_set_phase(struct shmlink_ctx *ctx, struct registry_entry *entry,
                       enum registry_phase phase);

/* Fill in what is not noted but can be looked up: names and bridge. */
void registry_describe(struct shmlink_ctx *ctx, struct shmlink_link *link);

/* The process at work on the entry is gone. */
bool registry_abandoned(struct shmlink_ctx *ctx,
                        const struct registry_entry *entry);

#endif /* SHMLINK_TOOLSTACK_REGISTRY_H */
