// SPDX-License-Identifier: GPL-2.0-or-later
/* What a record may say of its frame, at both sides of every border. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ring-pair.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))
#define PARTIAL   SHMLINK_RECORD_CSUM_PARTIAL
#define VALID     SHMLINK_RECORD_CSUM_VALID
#define VLAN      SHMLINK_RECORD_VLAN

struct expectation {
    const char *what;
    int rc;
    struct shmlink_record record;
};

static struct ring_pair pair;

/* Put @record into the ring as a hostile peer does; @lead is published. */
static int peek(__u32 start, const struct shmlink_record *record, __u32 lead)
{
    struct shmlink_record got;
    int rc;

    ring_pair_reset(&pair, start);
    shmlink_ring_put(&pair.producer, 0, record, sizeof(*record));
    pair.shared->prod = start + lead;
    rc = shmlink_ring_peek(&pair.consumer, &got);
    if (rc == 1)
        assert_memory_equal(&got, record, sizeof(got));
    assert_int_equal(pair.consumer.mine, start);
    return rc;
}

static void check(const struct expectation *e, size_t nr)
{
    /* Also where the header itself lies over a page end and over 2^32. */
    static const __u32 starts[] = { 0, 4096 - 8, 4096 - 16, UINT32_MAX - 7 };
    size_t i, s;
    int rc;

    for (i = 0; i < nr; i++) {
        /* Both directions ask the same. */
        assert_int_equal(shmlink_ring_record_is_valid(&e[i].record),
                         e[i].rc == 1);
        for (s = 0; s < NR(starts); s++) {
            rc = peek(starts[s], &e[i].record, pair.data_bytes);
            if (rc != e[i].rc)
                fail_msg("%s, at %u: %d instead of %d", e[i].what, starts[s],
                         rc, e[i].rc);
        }
    }
}

static void test_frame_bytes(void **state)
{
    static const struct expectation e[] = {
        { "nothing", -EPROTO, { 0 } },
        { "13 bytes", -EPROTO, { .frame_bytes = 13 } },
        { "14 bytes", 1, { .frame_bytes = 14 } },
        { "largest", 1, { .frame_bytes = SHMLINK_FRAME_BYTES_MAX } },
        { "too large", -EPROTO, { .frame_bytes = SHMLINK_FRAME_BYTES_MAX + 1 } },
        { "2^31", -EPROTO, { .frame_bytes = 0x80000000U } },
        { "sum wraps to 0", -EPROTO, { .frame_bytes = UINT32_MAX - 23 } },
        { "sum wraps to 7", -EPROTO, { .frame_bytes = UINT32_MAX - 16 } },
        { "2^32 - 1", -EPROTO, { .frame_bytes = UINT32_MAX } },
        { "header 100", 1, { .frame_bytes = 100, .header_bytes = 100 } },
        { "a hint that is wrong", 1,
          { .frame_bytes = 100, .header_bytes = 101 } },
        { "and more so", 1,
          { .frame_bytes = 100, .header_bytes = 0xffff } },
    };

    (void)state;
    check(e, NR(e));
}

static void test_flags(void **state)
{
    struct shmlink_record record = {
        .frame_bytes = 60, .csum_start = 14, .vlan_proto = 0x8100,
    };
    __u32 flags;

    (void)state;
    for (flags = 0; flags <= 0xffff; flags++) {
        record.flags = flags;
        assert_int_equal(peek(0, &record, 4096),
                         flags & ~SHMLINK_RECORD_FLAGS ? -EPROTO : 1);
    }
}

static void test_checksum(void **state)
{
    static const struct expectation e[] = {
        { "start 13", -EPROTO,
          { .frame_bytes = 60, .flags = PARTIAL, .csum_start = 13 } },
        { "start 0", -EPROTO,
          { .frame_bytes = 60, .flags = PARTIAL, .csum_offset = 16 } },
        { "last two bytes", 1,
          { .frame_bytes = 60, .flags = PARTIAL, .csum_start = 34,
            .csum_offset = 24 } },
        { "one byte behind", -EPROTO,
          { .frame_bytes = 60, .flags = PARTIAL, .csum_start = 34,
            .csum_offset = 25 } },
        { "start at the end", -EPROTO,
          { .frame_bytes = 60, .flags = PARTIAL, .csum_start = 60 } },
        { "sum of offsets over 16 bits", -EPROTO,
          { .frame_bytes = 60, .flags = PARTIAL, .csum_start = 0xfff0,
            .csum_offset = 0x20 } },
        { "65536 behind", -EPROTO,
          { .frame_bytes = 65536, .flags = PARTIAL, .csum_start = 0xffff,
            .csum_offset = 0xffff } },
        { "offsets unused without the flag", 1,
          { .frame_bytes = 60, .csum_start = 0xffff, .csum_offset = 0xffff } },
        { "partial and valid", 1,
          { .frame_bytes = 60, .flags = PARTIAL | VALID, .csum_start = 34,
            .csum_offset = 6 } },
    };

    (void)state;
    check(e, NR(e));
}

static void test_gso(void **state)
{
    static const struct expectation e[] = {
        { "size without type", -EPROTO,
          { .frame_bytes = 3000, .gso_size = 1448 } },
        { "TCPv4", 1,
          { .frame_bytes = 3000, .flags = PARTIAL, .gso_type = 1,
            .gso_size = 1448, .csum_start = 34, .csum_offset = 16 } },
        { "TCPv6", 1,
          { .frame_bytes = 3000, .flags = PARTIAL, .gso_type = 2,
            .gso_size = 1, .csum_start = 54, .csum_offset = 16 } },
        { "TCPv4 with ECN", 1,
          { .frame_bytes = 3000, .flags = PARTIAL, .gso_type = 0x81,
            .gso_size = 1448, .csum_start = 34, .csum_offset = 16 } },
        { "ECN alone", -EPROTO,
          { .frame_bytes = 3000, .flags = PARTIAL, .gso_type = 0x80,
            .gso_size = 1448, .csum_start = 34, .csum_offset = 16 } },
        { "ECN alone, no size", -EPROTO,
          { .frame_bytes = 3000, .flags = PARTIAL, .gso_type = 0x80,
            .csum_start = 34, .csum_offset = 16 } },
        { "size 0", -EPROTO,
          { .frame_bytes = 3000, .flags = PARTIAL, .gso_type = 1,
            .csum_start = 34, .csum_offset = 16 } },
        { "checksum not partial", -EPROTO,
          { .frame_bytes = 3000, .flags = VALID, .gso_type = 1,
            .gso_size = 1448, .csum_start = 34, .csum_offset = 16 } },
    };
    struct shmlink_record record = e[1].record;
    int type;

    (void)state;
    check(e, NR(e));
    for (type = 0; type <= 0xff; type++) {
        int bare = type & ~SHMLINK_GSO_ECN;

        record.gso_type = type;
        assert_int_equal(peek(0, &record, 4096),
                         bare == SHMLINK_GSO_TCPV4 ||
                         bare == SHMLINK_GSO_TCPV6 ? 1 : -EPROTO);
    }
}

static void test_vlan(void **state)
{
    static const struct expectation e[] = {
        { "802.1Q", 1, { .frame_bytes = 60, .flags = VLAN,
                         .vlan_proto = 0x8100, .vlan_tci = 0xffff } },
        { "802.1ad", 1, { .frame_bytes = 60, .flags = VLAN,
                          .vlan_proto = 0x88a8 } },
        { "bytes swapped", -EPROTO, { .frame_bytes = 60, .flags = VLAN,
                                      .vlan_proto = 0x0081 } },
        { "IPv4", -EPROTO, { .frame_bytes = 60, .flags = VLAN,
                             .vlan_proto = 0x0800 } },
        { "none", -EPROTO, { .frame_bytes = 60, .flags = VLAN } },
        { "unused without the flag", 1,
          { .frame_bytes = 60, .vlan_proto = 0x1234, .vlan_tci = 5 } },
    };

    (void)state;
    check(e, NR(e));
}

/* The frame has to be there, wholly, with its padding. */
static void test_published_part(void **state)
{
    static const __u32 sizes[] = { 14, 40, 60, 61, 1514, 65568 };
    size_t i;

    (void)state;
    for (i = 0; i < NR(sizes); i++) {
        struct shmlink_record record = { .frame_bytes = sizes[i] };
        __u32 whole = SHMLINK_RECORD_BYTES(sizes[i]);
        __u32 start = UINT32_MAX - 15;

        assert_int_equal(peek(start, &record, whole), 1);
        assert_int_equal(peek(start, &record, whole + 24), 1);
        assert_int_equal(peek(start, &record, whole - 1), -EPROTO);
        assert_int_equal(peek(start, &record, whole - 8), -EPROTO);
        assert_int_equal(peek(start, &record, sizeof(record)), -EPROTO);
        assert_int_equal(peek(start, &record, sizeof(record) - 1), -EPROTO);
        assert_int_equal(peek(start, &record, 1), -EPROTO);
    }
}

static int setup(void **state)
{
    (void)state;
    return ring_pair_open(&pair, SHMLINK_RING_BYTES_MIN, 0);
}

static int teardown(void **state)
{
    (void)state;
    ring_pair_close(&pair);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_bytes),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_gso),
        cmocka_unit_test(test_vlan),
        cmocka_unit_test(test_published_part),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
