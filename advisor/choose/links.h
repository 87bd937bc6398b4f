/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which links are to change, and the steps that change them. */
#ifndef SHMLINK_CHOOSE_LINKS_H
#define SHMLINK_CHOOSE_LINKS_H

#include <stdbool.h>

struct choose_model;
struct choose_pairs;
struct choose_sizes;
struct plan;

/*
 * choose_links() sets link_after by traffic, message size and head-room, and
 * by_gain, and adds notes and findings, what gains most first; *changed_r: some
 * link is to change.
 * choose_link_steps() makes the steps once the places are known.
 * Errors: -ENOMEM.
 */
int choose_links(struct choose_pairs *pairs, struct plan *plan,
                 const struct choose_model *before,
                 const struct choose_sizes *sizes, bool *changed_r);
void choose_link_steps(const struct choose_pairs *pairs, struct plan *plan,
                       const struct choose_model *before);

#endif
