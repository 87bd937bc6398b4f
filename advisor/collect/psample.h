/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One message of the kernel's psample family, decoded: which interface a
 * packet came in by, which it leaves by, its size and protocol.  Pure.
 *
 * Functions return 0 or -errno.  The packet itself is untrusted: a guest
 * wrote it.  Source: linux/psample.h, net/psample/psample.c.
 */
#ifndef SHMLINK_COLLECT_PSAMPLE_H
#define SHMLINK_COLLECT_PSAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum psample_protocol {
    PSAMPLE_OTHER,
    PSAMPLE_TCP,
    PSAMPLE_UDP,
};

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
    enum psample_protocol protocol;
};

/*
 * Decode the attributes of a PSAMPLE_CMD_SAMPLE message: what follows the
 * generic netlink header.
 * Errors: EPROTO the attributes do not add up, or size or rate is missing.
 */
int psample_decode(const void *attributes, size_t nr_bytes,
                   struct psample_sample *sample_r);

/* Protocol of an Ethernet frame, or of the first bytes of one. */
enum psample_protocol psample_protocol(const uint8_t *frame, size_t nr_bytes);

#endif
