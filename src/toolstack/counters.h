/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The drivers' counters, asked for by data/shmlink/stats-seq.  A guest that
 * does not answer in time has none; that is no error.
 */
#ifndef SHMLINK_TOOLSTACK_COUNTERS_H
#define SHMLINK_TOOLSTACK_COUNTERS_H

#include "toolstack/registry.h"

/* Fill in counters and counters_ok of all links, within wait_ms. */
int counters_read(struct shmlink_ctx *ctx, struct registry_entry *entries,
                  size_t nr, unsigned int wait_ms);

/*
 * Pure: the line that a driver writes, "tx_bytes=1 tx_packets=2 ...": each key
 * once, in any order, keys not known here ignored. Errors: EINVAL.
 */
int counters_parse(const char *line, struct shmlink_counters *counters_r);

#endif /* SHMLINK_TOOLSTACK_COUNTERS_H */
