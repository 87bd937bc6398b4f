/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/psample.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/psample.h>
#include <string.h>

/* A u16 or u32 attribute; what is of neither size is an error. */
static int number(const uint8_t *payload, size_t nr_bytes, uint32_t *value_r)
{
    uint16_t narrow;

    if (nr_bytes == sizeof(*value_r)) {
        memcpy(value_r, payload, sizeof(*value_r));
        return 0;
    }
    if (nr_bytes != sizeof(narrow))
        return -EPROTO;
    memcpy(&narrow, payload, sizeof(narrow));
    *value_r = narrow;
    return 0;
}

static int take(const struct nlattr *header, const uint8_t *payload,
                struct psample_sample *sample, bool *seen_size)
{
    size_t nr_bytes = header->nla_len - NLA_HDRLEN;

    switch (header->nla_type & NLA_TYPE_MASK) {
    case PSAMPLE_ATTR_IIFINDEX:
        sample->wide = nr_bytes == sizeof(uint32_t);
        return number(payload, nr_bytes, &sample->iif);
    case PSAMPLE_ATTR_OIFINDEX:
        sample->wide = nr_bytes == sizeof(uint32_t);
        return number(payload, nr_bytes, &sample->oif);
    case PSAMPLE_ATTR_ORIGSIZE:
        *seen_size = true;
        return number(payload, nr_bytes, &sample->size_bytes);
    case PSAMPLE_ATTR_SAMPLE_GROUP:
        return number(payload, nr_bytes, &sample->group);
    case PSAMPLE_ATTR_GROUP_SEQ:
        return number(payload, nr_bytes, &sample->sequence);
    case PSAMPLE_ATTR_SAMPLE_RATE:
        return number(payload, nr_bytes, &sample->rate);
    default:
        return 0;
    }
}

int psample_decode(const void *attributes, size_t nr_bytes,
                   struct psample_sample *sample_r)
{
    const uint8_t *p = attributes;
    struct psample_sample sample = { .wide = false };
    bool seen_size = false;
    size_t at = 0;

    while (nr_bytes - at >= NLA_HDRLEN) {
        struct nlattr header;
        int rc;

        memcpy(&header, p + at, sizeof(header));
        if (header.nla_len < NLA_HDRLEN || header.nla_len > nr_bytes - at)
            return -EPROTO;
        rc = take(&header, p + at + NLA_HDRLEN, &sample, &seen_size);
        if (rc)
            return rc;
        at += NLA_ALIGN(header.nla_len);
        if (at > nr_bytes)
            break;
    }
    if (!seen_size || !sample.rate)
        return -EPROTO;
    *sample_r = sample;
    return 0;
}
