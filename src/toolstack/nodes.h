/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A link's nodes in xenstore: the back end's under the first guest, the front
 * end's under the second, and the entry in the registry, all made and removed
 * in one transaction.  See man/shmlink-protocol.7 for the names.
 */
#ifndef SHMLINK_TOOLSTACK_NODES_H
#define SHMLINK_TOOLSTACK_NODES_H

#include <stdbool.h>
#include <xen/io/xenbus.h>

#include "toolstack/registry.h"

enum { NODES_BACK, NODES_FRONT };
/* The end's directory is gone, or holds no state. */
#define NODES_STATE_NONE XenbusStateUnknown

/*
 * Make a link; fills in entry->link.devid and entry->made_backend.
 * macs: of the two vifs, as text.  Errors: ENOSPC no device number free;
 * ESRCH a guest is gone.
 */
int nodes_create(struct shmlink_ctx *ctx, struct registry_entry *entry,
                 const char *const macs[2]);

/*
 * Remove it, and the directories that are empty then; the ends' directories
 * before the rest where a guest's writing lets no transaction succeed.
 */
int nodes_remove(struct shmlink_ctx *ctx, const struct registry_entry *entry);

/*
 * Ask both ends to close.  To be repeated while one has not: a driver that was
 * just about to write another state overwrites the request.
 */
int nodes_ask_close(struct shmlink_ctx *ctx,
                    const struct registry_entry *entry);

/* An end's xenbus state, or NODES_STATE_NONE. */
enum xenbus_state nodes_state(struct shmlink_ctx *ctx,
                              const struct registry_entry *entry, int end);
const char *nodes_state_name(enum xenbus_state state);
/* An end's directory, for watches and the like. */
void nodes_path(const struct registry_entry *entry, int end,
                char path_r[STORE_PATH_BYTES]);
/* What an end's driver gave as the reason; false where it gave none. */
bool nodes_error_text(struct shmlink_ctx *ctx,
                      const struct registry_entry *entry, int end,
                      char text_r[160]);

#endif /* SHMLINK_TOOLSTACK_NODES_H */
