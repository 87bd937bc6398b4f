/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/psample.h"

#include <errno.h>
#include <linux/psample.h>
#include <netlink/attr.h>

/* Of 16 or 32 bits; 0: not given.  *rc is set if it is of another size. */
static uint32_t number(const struct nlattr *attribute, int *rc)
{
    if (!attribute)
        return 0;
    if (nla_len(attribute) == sizeof(uint32_t))
        return nla_get_u32(attribute);
    if (nla_len(attribute) == sizeof(uint16_t))
        return nla_get_u16(attribute);
    *rc = -EPROTO;
    return 0;
}

static bool is_wide(const struct nlattr *attribute)
{
    return attribute && nla_len(attribute) == sizeof(uint32_t);
}

int psample_decode(const void *attributes, size_t nr_bytes,
                   struct psample_sample *sample_r)
{
    struct nlattr *found[PSAMPLE_ATTR_MAX + 1];
    int rc = 0;

    if (nla_parse(found, PSAMPLE_ATTR_MAX, (struct nlattr *)attributes,
                  (int)nr_bytes, NULL) < 0 || !found[PSAMPLE_ATTR_ORIGSIZE])
        return -EPROTO;
    *sample_r = (struct psample_sample){
        .iif = number(found[PSAMPLE_ATTR_IIFINDEX], &rc),
        .oif = number(found[PSAMPLE_ATTR_OIFINDEX], &rc),
        .wide = is_wide(found[PSAMPLE_ATTR_IIFINDEX]) ||
                is_wide(found[PSAMPLE_ATTR_OIFINDEX]),
        .size_bytes = number(found[PSAMPLE_ATTR_ORIGSIZE], &rc),
        .group = number(found[PSAMPLE_ATTR_SAMPLE_GROUP], &rc),
        .sequence = number(found[PSAMPLE_ATTR_GROUP_SEQ], &rc),
        .rate = number(found[PSAMPLE_ATTR_SAMPLE_RATE], &rc),
    };
    return sample_r->rate ? rc : -EPROTO;
}
