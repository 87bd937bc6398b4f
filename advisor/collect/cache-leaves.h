/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One subleaf of CPUID leaf 4 (Intel SDM vol. 2A, CPUID): a cache's size and
 * how many APIC ids share it.  Pure.
 */
#ifndef SHMLINK_COLLECT_CACHE_LEAVES_H
#define SHMLINK_COLLECT_CACHE_LEAVES_H

#include <stdbool.h>
#include <stdint.h>

#define CACHE_LEAVES_MAX 8

struct cache_leaf {
    unsigned int level;         /* 1..4 */
    uint64_t size_bytes;
    unsigned int apic_shift;    /* APIC ids >> this are the cache's number */
};

/* False: no cache, or an instruction cache. */
bool cache_leaf_decode(uint32_t eax, uint32_t ebx, uint32_t ecx,
                       struct cache_leaf *leaf_r);

#endif
