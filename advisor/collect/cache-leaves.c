/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/cache-leaves.h"

bool cache_leaf_decode(uint32_t eax, uint32_t ebx, uint32_t ecx,
                       struct cache_leaf *leaf_r)
{
    enum { DATA = 1, UNIFIED = 3 };
    unsigned int type = eax & 0x1f, level = eax >> 5 & 7, shift = 0;
    uint32_t sharing = (eax >> 14 & 0xfff) + 1;
    uint64_t line = (ebx & 0xfff) + 1;
    uint64_t partitions = (ebx >> 12 & 0x3ff) + 1;
    uint64_t ways = (ebx >> 22 & 0x3ff) + 1;

    if ((type != DATA && type != UNIFIED) || level < 1 || level > 4)
        return false;
    while (1U << shift < sharing)
        shift++;
    if (__builtin_mul_overflow(ways * partitions * line, (uint64_t)ecx + 1,
                               &leaf_r->size_bytes))
        return false;
    leaf_r->level = level;
    leaf_r->apic_shift = shift;
    return true;
}
