/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_CHOOSE_SHAKE_H
#define SHMLINK_CHOOSE_SHAKE_H

#include <stdint.h>

struct choose_local;

/*
 * Change something at random, within what is allowed; a number below `below`,
 * from the search's own generator.
 */
void choose_shake(struct choose_local *search);
uint32_t choose_shake_draw(struct choose_local *search, uint32_t below);

#endif
