/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By which of their vifs two domains can be linked. */
#ifndef SHMLINK_CHOOSE_VIFS_H
#define SHMLINK_CHOOSE_VIFS_H

#include <stdbool.h>
#include <stdint.h>

struct snapshot_domain;
struct snapshot_vif;

/* On one bridge; where a bridge is not known, `enable` will find out. */
bool choose_vifs_meet(const struct snapshot_vif *one,
                      const struct snapshot_vif *other);

/* How many pairs of vifs a link could be by; 2 for more. */
unsigned choose_vif_pairs(const struct snapshot_domain *a,
                          const struct snapshot_domain *b);

/* What speaks against a link for what goes by these vifs; NULL: nothing. */
const char *choose_vifs_refused(const struct snapshot_domain *a,
                                const struct snapshot_domain *b,
                                const uint32_t vif[2]);

#endif
