/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/psample.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <linux/psample.h>
#include <netinet/in.h>
#include <string.h>

#define VLAN_TAGS_MAX 2
#define IPV6_EXTENSIONS_MAX 8

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
    case PSAMPLE_ATTR_DATA:
        sample->protocol = psample_protocol(payload, nr_bytes);
        return 0;
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

static enum psample_protocol by_number(uint8_t number)
{
    switch (number) {
    case IPPROTO_TCP:
        return PSAMPLE_TCP;
    case IPPROTO_UDP:
        return PSAMPLE_UDP;
    default:
        return PSAMPLE_OTHER;
    }
}

static enum psample_protocol ipv6_protocol(const uint8_t *p, size_t nr_bytes)
{
    enum { HEADER_BYTES = 40, NEXT = 6 };
    size_t at = HEADER_BYTES, length;
    unsigned int i;
    uint8_t next;

    if (nr_bytes < HEADER_BYTES)
        return PSAMPLE_OTHER;
    next = p[NEXT];
    for (i = 0; i < IPV6_EXTENSIONS_MAX; i++) {
        if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING &&
            next != IPPROTO_DSTOPTS && next != IPPROTO_FRAGMENT)
            return by_number(next);
        if (at + 8 > nr_bytes)
            return PSAMPLE_OTHER;
        /* A fragment header has no length: it is 8 bytes. */
        length = next == IPPROTO_FRAGMENT ? 8 : 8 * ((size_t)p[at + 1] + 1);
        next = p[at];
        at += length;
    }
    return PSAMPLE_OTHER;
}

enum psample_protocol psample_protocol(const uint8_t *frame, size_t nr_bytes)
{
    enum { TYPE = 12, IPV4_PROTOCOL = 9, IPV4_BYTES = 20 };
    size_t at = TYPE;
    unsigned int tags;

    for (tags = 0; tags <= VLAN_TAGS_MAX; tags++) {
        unsigned int type;

        if (at + 2 > nr_bytes)
            return PSAMPLE_OTHER;
        type = frame[at] << 8 | frame[at + 1];
        at += 2;
        if (type == ETH_P_IP)
            return nr_bytes - at >= IPV4_BYTES ?
                   by_number(frame[at + IPV4_PROTOCOL]) : PSAMPLE_OTHER;
        if (type == ETH_P_IPV6)
            return ipv6_protocol(frame + at, nr_bytes - at);
        if (type != ETH_P_8021Q && type != ETH_P_8021AD)
            return PSAMPLE_OTHER;
        at += 2;
    }
    return PSAMPLE_OTHER;
}
