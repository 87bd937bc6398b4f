/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_CHOOSE_FINDINGS_H
#define SHMLINK_CHOOSE_FINDINGS_H

struct choose_pairs;
struct choose_placement;
struct plan;

/* What is wrong now, greatest cost first.  Errors: -ENOMEM. */
int choose_findings(struct plan *plan, struct choose_placement *before,
                    const struct choose_pairs *pairs);

#endif
