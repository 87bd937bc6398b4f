/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One message of the kernel's psample family, decoded: which interface a
 * packet came in by, which it leaves by, its size.  Pure.
 *
 * Functions return 0 or -errno.  The packet itself is untrusted: a guest
 * wrote it.  Source: linux/psample.h, net/psample/psample.c.
 */
#ifndef SHMLINK_COLLECT_PSAMPLE_H
#define SHMLINK_COLLECT_PSAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * iif, oif: interface numbers, 0 if not given; wide: they have all their
 * bits (kernels up to 6.x give 16).  rate: one of so many was taken.
 * sequence: of the group, counts from anything.
 */
struct psample_sample {
    uint32_t iif, oif;
    bool wide;
    uint32_t size_bytes;
    uint32_t group;
    uint32_t sequence;
    uint32_t rate;
};

/*
 * Decode the attributes of a PSAMPLE_CMD_SAMPLE message: what follows the
 * generic netlink header.
 * Errors: EPROTO a number is of a wrong size, or size or rate is missing.
 */
int psample_decode(const void *attributes, size_t nr_bytes,
                   struct psample_sample *sample_r);

#endif
