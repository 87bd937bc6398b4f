/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of psample, frames of guests, and the request for a filter. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/psample.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include "collect/psample.h"
#include "collect/sampler.h"

struct message {
    uint8_t bytes[512];
    size_t size;
};

static void put(struct message *m, unsigned int type, const void *payload,
                size_t nr_bytes)
{
    struct nlattr header = { .nla_type = type,
                             .nla_len = NLA_HDRLEN + nr_bytes };

    assert_true(m->size + NLA_ALIGN(header.nla_len) <= sizeof(m->bytes));
    memcpy(m->bytes + m->size, &header, sizeof(header));
    memcpy(m->bytes + m->size + NLA_HDRLEN, payload, nr_bytes);
    m->size += NLA_ALIGN(header.nla_len);
}

static void put_u16(struct message *m, unsigned int type, uint16_t value)
{
    put(m, type, &value, sizeof(value));
}

static void put_u32(struct message *m, unsigned int type, uint32_t value)
{
    put(m, type, &value, sizeof(value));
}

static const uint8_t frame[] = {
    1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1, 0x08, 0x00,
    0x45, 0, 5, 0xdc, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
};

static void fill(struct message *m)
{
    put_u16(m, PSAMPLE_ATTR_IIFINDEX, 5);
    put_u16(m, PSAMPLE_ATTR_OIFINDEX, 6);
    put_u32(m, PSAMPLE_ATTR_SAMPLE_RATE, 64);
    put_u32(m, PSAMPLE_ATTR_ORIGSIZE, 1514);
    put_u32(m, PSAMPLE_ATTR_SAMPLE_GROUP, 9);
    put_u32(m, PSAMPLE_ATTR_GROUP_SEQ, 77);
    put(m, PSAMPLE_ATTR_DATA, frame, sizeof(frame));
}

static void test_decode(void **state)
{
    struct message m = { .size = 0 };
    struct psample_sample sample;

    (void)state;
    fill(&m);
    assert_int_equal(psample_decode(m.bytes, m.size, &sample), 0);
    assert_int_equal(sample.iif, 5);
    assert_int_equal(sample.oif, 6);
    assert_false(sample.wide);
    assert_int_equal(sample.rate, 64);
    assert_int_equal(sample.size_bytes, 1514);
    assert_int_equal(sample.group, 9);
    assert_int_equal(sample.sequence, 77);

    /* Wide numbers, and attributes of kernels to come. */
    put_u32(&m, PSAMPLE_ATTR_OIFINDEX, 70000);
    put_u32(&m, 1000, 1);
    assert_int_equal(psample_decode(m.bytes, m.size, &sample), 0);
    assert_true(sample.wide);
    assert_int_equal(sample.oif, 70000);
}

static void test_decode_hostile(void **state)
{
    struct message m = { .size = 0 }, bad;
    struct psample_sample sample = { .rate = 4711 };
    size_t cut, i;

    (void)state;
    assert_int_equal(psample_decode("", 0, &sample), -EPROTO);
    fill(&m);
    for (cut = 0; cut < m.size; cut++) {
        uint8_t exact[512];

        memcpy(exact, m.bytes, cut);
        psample_decode(exact, cut, &sample);
    }
    for (i = 0; i < m.size; i++) {
        bad = m;
        bad.bytes[i] ^= 0xff;
        psample_decode(bad.bytes, bad.size, &sample);
    }
    /* A length that runs past the end, and one that does not move on. */
    bad = m;
    bad.bytes[0] = 0xff;
    assert_int_equal(psample_decode(bad.bytes, bad.size, &sample), -EPROTO);
    bad.bytes[0] = 0;
    assert_int_equal(psample_decode(bad.bytes, bad.size, &sample), -EPROTO);
    /* No rate, rate 0, a number of 3 bytes. */
    memset(&bad, 0, sizeof(bad));
    put_u32(&bad, PSAMPLE_ATTR_ORIGSIZE, 60);
    assert_int_equal(psample_decode(bad.bytes, bad.size, &sample), -EPROTO);
    put_u32(&bad, PSAMPLE_ATTR_SAMPLE_RATE, 0);
    assert_int_equal(psample_decode(bad.bytes, bad.size, &sample), -EPROTO);
    put(&bad, PSAMPLE_ATTR_SAMPLE_RATE, "abc", 3);
    assert_int_equal(psample_decode(bad.bytes, bad.size, &sample), -EPROTO);
}

static void test_filter(void **state)
{
    struct nl_msg *msg = sampler_filter_request(7, 21, SAMPLER_HANDLE_MADE,
                                                500, 3);
    struct nlmsghdr *header;
    struct tcmsg *tc;

    (void)state;
    assert_non_null(msg);
    header = nlmsg_hdr(msg);
    tc = nlmsg_data(header);
    assert_int_equal(header->nlmsg_type, RTM_NEWTFILTER);
    assert_int_equal(header->nlmsg_flags & NLM_F_EXCL, NLM_F_EXCL);
    assert_int_equal(tc->tcm_ifindex, 7);
    assert_int_equal(tc->tcm_parent, 0xfffffff3);
    assert_int_equal(tc->tcm_info >> 16, 21);
    assert_int_equal(tc->tcm_handle, SAMPLER_HANDLE_MADE);
    nlmsg_free(msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_decode_hostile),
        cmocka_unit_test(test_filter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
