/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_CHOOSE_SEARCH_H
#define SHMLINK_CHOOSE_SEARCH_H

#include <stdint.h>

struct choose_placement;

/*
 * Improve places from those in state, moving at most max_moves entities away
 * from home, with about `effort` evaluations of a slot.  Deterministic.
 * Errors: -ENOMEM.
 */
int choose_search(struct choose_placement *state, uint32_t max_moves,
                  uint64_t effort);
#define CHOOSE_EFFORT 40000000U

#endif
