/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/arena.h"

#include <stdint.h>
#include <stdlib.h>

struct arena_block {
    struct arena_block *before;
    max_align_t array[];
};

void *arena_get(struct arena *arena, size_t nr, size_t size)
{
    struct arena_block *block = NULL;

    if (nr <= (SIZE_MAX - sizeof *block) / size)
        block = calloc(1, sizeof *block + nr * size);
    if (!block) {
        arena->failed = true;
        return NULL;
    }
    block->before = arena->last;
    arena->last = block;
    return block->array;
}

void arena_free(struct arena *arena)
{
    struct arena_block *block, *before;

    for (block = arena->last; block; block = before) {
        before = block->before;
        free(block);
    }
}
