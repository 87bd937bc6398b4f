/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays of zeros that live as long as each other. */
#ifndef SHMLINK_CHOOSE_ARENA_H
#define SHMLINK_CHOOSE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena {
    struct arena_block *last;
    bool failed;		/* some arena_get() found no memory */
};

/* nr may be 0.  NULL: no memory. */
void *arena_get(struct arena *arena, size_t nr, size_t size);
/* Free them all. */
void arena_free(struct arena *arena);

#endif
