// SPDX-License-Identifier: GPL-2.0-or-later
/* The ring's indices, notifications and end; records: test-ring-record.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ring-pair.h"

#define SIZE    SHMLINK_RING_BYTES_MIN
#define HEADER  ((__u32)sizeof(struct shmlink_record))

/* Where both indices start: the plain case and the way over 2^32. */
static const __u32 starts[] = {
    0, 8, SIZE - 8, UINT32_MAX - 7, UINT32_MAX - 23, UINT32_MAX - 4095,
    UINT32_MAX - SIZE + 1, UINT32_MAX - SIZE + 9, 0x80000000U - 8,
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static struct ring_pair pair;
static unsigned char pattern[SHMLINK_FRAME_BYTES_MAX + 256];
static unsigned char frame[SHMLINK_FRAME_BYTES_MAX];

static int setup(void **state)
{
    size_t i;

    (void)state;
    srand(1);
    for (i = 0; i < sizeof(pattern); i++)
        pattern[i] = rand() >> 8;
    return ring_pair_open(&pair, SIZE, 0);
}

static int teardown(void **state)
{
    (void)state;
    ring_pair_close(&pair);
    return 0;
}

static int send_frame(__u32 frame_bytes, __u32 seed)
{
    struct shmlink_record record = { .frame_bytes = frame_bytes };

    return ring_pair_send(&pair.producer, &record, pattern + seed % 256);
}

static void expect_frame(__u32 frame_bytes, __u32 seed)
{
    struct shmlink_record record;

    assert_int_equal(ring_pair_receive(&pair.consumer, &record, frame), 1);
    assert_int_equal(record.frame_bytes, frame_bytes);
    assert_memory_equal(frame, pattern + seed % 256, frame_bytes);
}

static void expect_empty(void)
{
    struct shmlink_record record;

    assert_int_equal(shmlink_ring_peek(&pair.consumer, &record), 0);
}

static void test_init_refuses_sizes(void **state)
{
    static const __u32 bad[] = {
        0, 1, SIZE - 1, SIZE / 2, SIZE + 1, SIZE + SIZE / 2,
        SHMLINK_RING_BYTES_MAX + 1, SHMLINK_RING_BYTES_MAX * 2, 0x80000000U,
        UINT32_MAX,
    };
    struct shmlink_ring ring;
    __u32 size;
    size_t i;

    (void)state;
    for (i = 0; i < NR(bad); i++)
        assert_int_equal(shmlink_ring_init(&ring, pair.shared,
                                           pair.producer_pages, bad[i], 0),
                         -EINVAL);
    for (size = SIZE; size <= SHMLINK_RING_BYTES_MAX; size *= 2)
        assert_int_equal(shmlink_ring_init(&ring, pair.shared,
                                           pair.producer_pages, size, 0), 0);
}

static void test_empty(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < NR(starts); i++) {
        ring_pair_reset(&pair, starts[i]);
        expect_empty();
        assert_int_equal(shmlink_ring_want_data(&pair.consumer), 0);
        assert_false(shmlink_ring_ended(&pair.consumer));
        assert_false(shmlink_ring_release(&pair.consumer));
        assert_int_equal(shmlink_ring_unreleased(&pair.consumer), 0);
        assert_int_equal(shmlink_ring_room(&pair.producer, 1), SIZE);
        assert_int_equal(shmlink_ring_want_room(&pair.producer, SIZE), SIZE);
        assert_false(shmlink_ring_publish(&pair.producer));
    }
}

static void test_full(void **state)
{
    __u32 nr, i, each = SHMLINK_RECORD_BYTES(64);
    size_t s;

    (void)state;
    for (s = 0; s < NR(starts); s++) {
        ring_pair_reset(&pair, starts[s]);
        for (nr = 0; send_frame(64, nr) == 0; nr++)
            ;
        assert_int_equal(nr, SIZE / each);
        shmlink_ring_publish(&pair.producer);
        assert_int_equal(shmlink_ring_room(&pair.producer, each),
                         SIZE - nr * each);
        for (i = 0; i < nr; i++)
            expect_frame(64, i);
        expect_empty();
        /* Consumed is not given back before it is released. */
        assert_int_equal(send_frame(64, 0), -EAGAIN);
        assert_int_equal(shmlink_ring_unreleased(&pair.consumer), nr * each);
        shmlink_ring_release(&pair.consumer);
        assert_int_equal(shmlink_ring_room(&pair.producer, SIZE), SIZE);
    }
}

static void test_full_to_the_last_byte(void **state)
{
    __u32 nr, i;
    size_t s;

    (void)state;
    for (s = 0; s < NR(starts); s++) {
        ring_pair_reset(&pair, starts[s]);
        /* 4096 bytes each, so prod - cons becomes exactly the size. */
        for (nr = 0; send_frame(4096 - HEADER, nr) == 0; nr++)
            ;
        assert_int_equal(nr, SIZE / 4096);
        shmlink_ring_publish(&pair.producer);
        assert_int_equal(pair.shared->prod - pair.shared->cons, SIZE);
        assert_int_equal(shmlink_ring_room(&pair.producer, 1), 0);
        assert_int_equal(shmlink_ring_want_data(&pair.consumer), 1);
        for (i = 0; i < nr; i++)
            expect_frame(4096 - HEADER, i);
        expect_empty();
    }
}

/* Headers and frames over page ends, the ring's end and 2^32. */
static void test_typical_sizes_wrap(void **state)
{
    static const __u32 sizes[] = {
        SHMLINK_FRAME_BYTES_MIN, 15, 16, 17, 60, 61, 1499, 1514, 4071, 4072,
        4073, 9014, 65535, 65536, SHMLINK_FRAME_BYTES_MAX,
    };
    __u32 i, size;
    size_t s;

    (void)state;
    for (s = 0; s < NR(starts); s++) {
        ring_pair_reset(&pair, starts[s]);
        for (i = 0; i < 600; i++) {
            size = sizes[(i * 7 + s) % NR(sizes)];
            assert_int_equal(send_frame(size, i), 0);
            expect_empty();
            shmlink_ring_publish(&pair.producer);
            expect_frame(size, i);
            expect_empty();
            shmlink_ring_release(&pair.consumer);
        }
    }
}

/* @event passes for (@from, @to] and for nothing else. */
static void test_notify_thresholds(void **state)
{
    __u32 each = SHMLINK_RECORD_BYTES(64), from, to;
    size_t s;
    int delta;

    (void)state;
    for (s = 0; s < NR(starts); s++)
        for (delta = -200; delta <= 200; delta++) {
            bool want = delta > 0 && delta <= (int)each;

            ring_pair_reset(&pair, starts[s]);
            from = starts[s];
            to = from + each;
            pair.shared->prod_event = from + delta;
            pair.shared->cons_event = from + delta;
            send_frame(64, 0);
            assert_int_equal(shmlink_ring_publish(&pair.producer), want);
            assert_int_equal(pair.shared->prod, to);
            expect_frame(64, 0);
            assert_int_equal(shmlink_ring_release(&pair.consumer), want);
            assert_int_equal(pair.shared->cons, to);
            /* Nothing moved, nothing to tell. */
            assert_false(shmlink_ring_publish(&pair.producer));
            assert_false(shmlink_ring_release(&pair.consumer));
        }
}

static void test_want_data(void **state)
{
    size_t s;

    (void)state;
    for (s = 0; s < NR(starts); s++) {
        ring_pair_reset(&pair, starts[s]);
        assert_int_equal(shmlink_ring_want_data(&pair.consumer), 0);
        send_frame(64, 0);
        send_frame(64, 1);
        assert_int_equal(shmlink_ring_want_data(&pair.consumer), 0);
        assert_true(shmlink_ring_publish(&pair.producer));
        /* Told once; not again before it asks again. */
        send_frame(64, 2);
        assert_false(shmlink_ring_publish(&pair.producer));
        assert_int_equal(shmlink_ring_want_data(&pair.consumer), 1);
        expect_frame(64, 0);
        expect_frame(64, 1);
        expect_frame(64, 2);
        assert_int_equal(shmlink_ring_want_data(&pair.consumer), 0);
        send_frame(64, 3);
        assert_true(shmlink_ring_publish(&pair.producer));
    }
}

/* Fill with 4096-byte records, ask for @need, count releases until told. */
static void check_want_room(__u32 start, __u32 need, __u32 want_pages)
{
    __u32 nr = 0, i;

    ring_pair_reset(&pair, start);
    while (send_frame(4096 - HEADER, nr) == 0)
        nr++;
    shmlink_ring_publish(&pair.producer);
    assert_int_equal(shmlink_ring_want_room(&pair.producer, need), 0);
    for (i = 1; i <= nr; i++) {
        expect_frame(4096 - HEADER, i - 1);
        assert_int_equal(shmlink_ring_release(&pair.consumer),
                         i == want_pages);
        if (i == want_pages)
            assert_true(shmlink_ring_room(&pair.producer, need) >=
                        (long)need);
    }
}

static void test_want_room(void **state)
{
    size_t s;

    (void)state;
    for (s = 0; s < NR(starts); s++) {
        check_want_room(starts[s], 1, SIZE / 2 / 4096);
        check_want_room(starts[s], SIZE / 2, SIZE / 2 / 4096);
        check_want_room(starts[s], SIZE / 2 + 1, SIZE / 2 / 4096 + 1);
        check_want_room(starts[s], SIZE, SIZE / 4096);
    }
}

static void test_want_room_sees_room(void **state)
{
    (void)state;
    ring_pair_reset(&pair, UINT32_MAX - 7);
    while (send_frame(4096 - HEADER, 0) == 0)
        ;
    shmlink_ring_publish(&pair.producer);
    expect_frame(4096 - HEADER, 0);
    shmlink_ring_release(&pair.consumer);
    /* Given back before the question: no need to wait for half the ring. */
    assert_int_equal(shmlink_ring_want_room(&pair.producer, 4096), 4096);
}

static void test_close(void **state)
{
    size_t s;

    (void)state;
    for (s = 0; s < NR(starts); s++) {
        ring_pair_reset(&pair, starts[s]);
        send_frame(64, 7);
        /* Closing publishes what was produced. */
        shmlink_ring_close(&pair.producer);
        assert_int_equal(pair.shared->closed, SHMLINK_PROD_CLOSED);
        assert_false(shmlink_ring_ended(&pair.consumer));
        expect_frame(64, 7);
        assert_true(shmlink_ring_ended(&pair.consumer));
        expect_empty();
    }
    ring_pair_reset(&pair, 0);
    shmlink_ring_close(&pair.producer);
    assert_true(shmlink_ring_ended(&pair.consumer));
    pair.shared->closed = 2;
    assert_false(shmlink_ring_ended(&pair.consumer));
}

/* What is said of taking frames, over the question's way past 2^32. */
static void test_reply(void **state)
{
    static const __u32 asked[] = { 0, 1, 0x7ffffffeU, UINT32_MAX - 1 };
    size_t i;

    (void)state;
    for (i = 0; i < NR(asked); i++) {
        ring_pair_reset(&pair, 0);
        pair.producer.asked = pair.shared->asked = asked[i];
        shmlink_ring_answer(&pair.consumer, true);
        assert_int_equal(shmlink_ring_reply(&pair.producer),
                         SHMLINK_REPLY_TAKES);
        assert_false(shmlink_ring_answer(&pair.consumer, true));
        assert_true(shmlink_ring_answer(&pair.consumer, false));
        assert_false(shmlink_ring_answer(&pair.consumer, false));
        assert_int_equal(shmlink_ring_reply(&pair.producer),
                         SHMLINK_REPLY_HOLDS);
        shmlink_ring_ask(&pair.producer);
        assert_int_equal(shmlink_ring_reply(&pair.producer),
                         SHMLINK_REPLY_NONE);
        assert_true(shmlink_ring_answer(&pair.consumer, false));
        assert_int_equal(shmlink_ring_reply(&pair.producer),
                         SHMLINK_REPLY_HOLDS);
        shmlink_ring_ask(&pair.producer);
        shmlink_ring_ask(&pair.producer);
        assert_true(shmlink_ring_answer(&pair.consumer, true));
        assert_int_equal(shmlink_ring_reply(&pair.producer),
                         SHMLINK_REPLY_TAKES);
    }
}

/* What was asked and said stands in shared memory only for the other side. */
static void test_hostile_reply(void **state)
{
    __u32 n;

    (void)state;
    ring_pair_reset(&pair, 0);
    shmlink_ring_ask(&pair.producer);
    shmlink_ring_answer(&pair.consumer, true);
    for (n = 0; n < 1000; n++) {
        pair.shared->reply = (__u32)rand() << 3;
        assert_int_equal(shmlink_ring_reply(&pair.producer),
                         SHMLINK_REPLY_NONE);
    }
    /* A peer that writes over what is not its own changes nothing. */
    assert_false(shmlink_ring_answer(&pair.consumer, true));
    pair.shared->asked = 77;
    shmlink_ring_ask(&pair.producer);
    assert_int_equal(pair.shared->asked, 2);
    assert_true(shmlink_ring_answer(&pair.consumer, true));
    assert_int_equal(shmlink_ring_reply(&pair.producer), SHMLINK_REPLY_TAKES);
}

static void test_hostile_prod(void **state)
{
    static const __u32 bad[] = {
        SIZE + 1, SIZE + 8, 2 * SIZE, 0x80000000U, (__u32)-1, (__u32)-8,
        (__u32)-SIZE, 1, 8, HEADER - 1,
    };
    struct shmlink_record record;
    size_t s, i;

    (void)state;
    for (s = 0; s < NR(starts); s++)
        for (i = 0; i < NR(bad); i++) {
            ring_pair_reset(&pair, starts[s]);
            pair.shared->prod = starts[s] + bad[i];
            assert_int_equal(shmlink_ring_peek(&pair.consumer, &record),
                             -EPROTO);
            /* Mending the index does not mend the ring. */
            if (bad[i] > SIZE)
                pair.shared->prod = starts[s];
            assert_int_equal(shmlink_ring_peek(&pair.consumer, &record),
                             -EPROTO);
            assert_int_equal(pair.consumer.mine, starts[s]);
        }
    ring_pair_reset(&pair, 0);
    pair.shared->prod = SIZE + 8;
    assert_int_equal(shmlink_ring_want_data(&pair.consumer), -EPROTO);
}

static void test_hostile_cons(void **state)
{
    size_t s;

    (void)state;
    for (s = 0; s < NR(starts); s++) {
        __u32 at = starts[s], to = at + SIZE;

        ring_pair_reset(&pair, at);
        while (send_frame(4096 - HEADER, 0) == 0)
            ;
        shmlink_ring_publish(&pair.producer);
        /* Full is fine, one byte more is not, nor is more than was put. */
        assert_int_equal(shmlink_ring_room(&pair.producer, 1), 0);
        pair.shared->cons = at - 1;
        assert_int_equal(shmlink_ring_room(&pair.producer, 1), -EPROTO);
        pair.shared->cons = to + 1;
        assert_int_equal(shmlink_ring_room(&pair.producer, 1), -EPROTO);
        pair.shared->cons = to + 0x80000000U;
        assert_int_equal(shmlink_ring_want_room(&pair.producer, 1), -EPROTO);
        pair.shared->cons = to;
        assert_int_equal(shmlink_ring_room(&pair.producer, SIZE), SIZE);
    }
}

/* A consumer cannot have taken what it was not told of. */
static void test_hostile_cons_unpublished(void **state)
{
    size_t s;

    (void)state;
    for (s = 0; s < NR(starts); s++) {
        ring_pair_reset(&pair, starts[s]);
        send_frame(4096 - HEADER, 0);
        shmlink_ring_publish(&pair.producer);
        send_frame(4096 - HEADER, 1);
        pair.shared->cons = starts[s] + 4096;
        assert_int_equal(shmlink_ring_room(&pair.producer, SIZE),
                         SIZE - 4096);
        pair.shared->cons = starts[s] + 4096 + 8;
        assert_int_equal(shmlink_ring_room(&pair.producer, SIZE), -EPROTO);
    }
}

/* What we own in shared memory is written, never read. */
static void test_own_index_is_private(void **state)
{
    (void)state;
    ring_pair_reset(&pair, 0);
    send_frame(64, 1);
    shmlink_ring_publish(&pair.producer);
    pair.shared->prod = 0xdeadbeefU;
    send_frame(64, 2);
    shmlink_ring_publish(&pair.producer);
    pair.shared->cons = 0;
    assert_int_equal(pair.shared->prod, 2 * SHMLINK_RECORD_BYTES(64));
    expect_frame(64, 1);
    pair.shared->cons = 0xdeadbeefU;
    expect_frame(64, 2);
    shmlink_ring_release(&pair.consumer);
    assert_int_equal(pair.shared->cons, 2 * SHMLINK_RECORD_BYTES(64));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_refuses_sizes),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_full_to_the_last_byte),
        cmocka_unit_test(test_typical_sizes_wrap),
        cmocka_unit_test(test_notify_thresholds),
        cmocka_unit_test(test_want_data),
        cmocka_unit_test(test_want_room),
        cmocka_unit_test(test_want_room_sees_room),
        cmocka_unit_test(test_close),
        cmocka_unit_test(test_reply),
        cmocka_unit_test(test_hostile_reply),
        cmocka_unit_test(test_hostile_prod),
        cmocka_unit_test(test_hostile_cons),
        cmocka_unit_test(test_hostile_cons_unpublished),
        cmocka_unit_test(test_own_index_is_private),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
