/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The same host with other numbers, for tests.  Failures end the test. */
#ifndef SHMLINK_RENUMBER_H
#define SHMLINK_RENUMBER_H

#include <stdint.h>

#include "model/snapshot.h"

/* Exchange, by chance, the numbers of pCPUs, NUMA nodes and guests; all that
 * is listed by number is put in order again. */
void renumber_pcpus(struct snapshot *snapshot, uint64_t seed);
void renumber_nodes(struct snapshot *snapshot, uint64_t seed);
void renumber_domains(struct snapshot *snapshot, uint64_t seed);

/* Floating vCPUs were seen last elsewhere. */
void renumber_seen(struct snapshot *snapshot, uint64_t seed);

#endif
