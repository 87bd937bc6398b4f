/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Made-up hosts for the advisor's tests and bench: a snapshot from a few
 * numbers and a seed, the same on every machine.
 */
#ifndef SHMLINK_GENERATE_H
#define SHMLINK_GENERATE_H

#include <stdint.h>

#include "model/snapshot.h"

struct generate {
    uint32_t sockets, cores, threads;	/* per socket, per core */
    uint32_t nodes_per_socket;		/* 0: as 1 */
    bool caches;			/* an L3 for each 4 cores */
    uint32_t vms;
    uint32_t vcpus_min, vcpus_max;	/* of each VM */
    double load;			/* mean utilisation of a vCPU, 0..1 */
    uint32_t peers;			/* each VM talks to up to so many */
    double bytes;			/* most of a pair, bytes/s */
    bool pinned;			/* each vCPU is bound to where it is, by
					   us; else it floats */
    bool dom0_pinned;
    uint64_t seed;
};

/* Errors: -ENOMEM.  Owns: caller, snapshot_free(). */
int generate(struct snapshot **snapshot_r, const struct generate *options);

/* The same generator's numbers, for tests: below > 0. */
uint32_t generate_draw(uint64_t *seed, uint32_t below);
double generate_real(uint64_t *seed);	/* 0 <= x < 1 */

#endif
