// SPDX-License-Identifier: GPL-2.0-or-later
/* How much a peer may cost, at the pace of a poll a second and faster. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "guest/peer.h"
#include "shmlink-wire.h"

#define SECOND ((unsigned long)SHMLINK_SECOND)

/* A peer's ring from this end: what we published, how far the peer is. */
struct ring {
    struct shmlink_stall stall;
    __u32 published, cons;
    bool stopped;
    unsigned long now;
};

/* Times before and over the end of both counters. */
static struct ring ring_at(__u32 index, unsigned long now)
{
    return (struct ring){
        .stall = { .taken = index },
        .published = index, .cons = index, .now = now,
    };
}

static bool look(struct ring *ring, unsigned long later)
{
    bool moved;

    ring->now += later;
    moved = shmlink_stall_moved(&ring->stall, ring->cons, ring->published);
    return shmlink_stall_look(&ring->stall, ring->published, moved,
                              ring->stopped, ring->now);
}

/* How many looks, one a second, until the answer is @stalled; -1: never. */
static int looks_until(struct ring *ring, bool stalled)
{
    int n;

    for (n = 1; n < 1000; n++)
        if (look(ring, SECOND) == stalled)
            return n;
    return -1;
}

static void test_idle(void **state)
{
    struct ring ring = ring_at(UINT32_MAX - 10, ULONG_MAX - SECOND);

    (void)state;
    assert_int_equal(looks_until(&ring, true), -1);
}

/* Sent just before a look or just after one: within 2 to 5 seconds. */
static void test_paused(void **state)
{
    struct ring ring = ring_at(UINT32_MAX - 10, ULONG_MAX - SECOND);
    int n;

    (void)state;
    look(&ring, SECOND);
    ring.published += 100;
    n = looks_until(&ring, true);
    assert_in_range(n, 3, 4);
    assert_int_equal(looks_until(&ring, false), -1);
    /* Some is not all. */
    ring.cons += 60;
    assert_int_equal(looks_until(&ring, false), -1);
    ring.cons = ring.published;
    assert_int_equal(looks_until(&ring, false), 1);
    assert_int_equal(looks_until(&ring, true), -1);
}

/* Slow is not stalled, as long as the queue does not wait. */
static void test_slow(void **state)
{
    struct ring ring = ring_at(0, 0);
    int i;

    (void)state;
    ring.published = 1000;
    for (i = 0; i < 1000; i++) {
        ring.cons++;
        ring.published++;
        assert_false(look(&ring, SECOND));
    }
    ring.stopped = true;
    for (i = 0; i < 3; i++) {
        ring.cons++;
        assert_false(look(&ring, SECOND));
    }
    ring.cons++;
    assert_true(look(&ring, SECOND));
}

/* Who did not look for long knows nothing: we may not have run, as the peer. */
static void test_late(void **state)
{
    struct ring ring = ring_at(0, 0);

    (void)state;
    ring.published = 100;
    assert_false(look(&ring, 100 * SECOND));
    assert_int_equal(looks_until(&ring, true), 3);
    ring.cons = ring.published;
    assert_int_equal(looks_until(&ring, false), 1);
    ring.published++;
    ring.stopped = true;
    assert_false(look(&ring, 100 * SECOND));
    /* Nor who has seen it wait before that. */
    assert_false(look(&ring, 100 * SECOND));
    assert_int_equal(looks_until(&ring, true), 2);
}

/* One who always looks late sees it all the same. */
static void test_always_late(void **state)
{
    struct ring ring = ring_at(0, ULONG_MAX - SECOND);
    int n = 0;

    (void)state;
    ring.published = 100;
    while (!look(&ring, 5 * SECOND))
        n++;
    assert_int_equal(n, 2);
}

/* Indices that no consumer has are no progress, and do no harm. */
static void test_hostile_index(void **state)
{
    static const __u32 steps[] = { 101, UINT32_MAX, 0x80000000U, 1U << 20 };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct ring ring = ring_at(50, 0);
        int n = 0;

        ring.published += 100;
        do {
            ring.cons = 50 + (n & 1 ? 0 : steps[i]);
        } while (!look(&ring, SECOND) && ++n < 10);
        assert_in_range(n, 2, 4);
        assert_int_equal(ring.stall.taken, 50);
    }
}

/* Stalls whenever it is trusted: packets wait for it ever more seldom. */
static void test_again_and_again(void **state)
{
    struct ring ring = ring_at(0, 0);
    int waited = 0, rested = 0, i;

    (void)state;
    for (i = 0; i < 20; i++) {
        ring.published += 1 << 20;
        ring.stopped = true;
        waited += looks_until(&ring, true);
        ring.stopped = false;
        ring.cons = ring.published;
        rested += looks_until(&ring, false);
    }
    assert_true(waited <= 20 * 4);
    assert_true(rested >= 14 * 64);
    /* All is forgotten after a while. */
    for (i = 0; i < 70; i++)
        assert_false(look(&ring, SECOND));
    ring.published += 1;
    assert_in_range(looks_until(&ring, true), 3, 4);
    ring.cons = ring.published;
    assert_int_equal(looks_until(&ring, false), 1);
}

/* How many of @nr events are slowed down; one of @each has work. */
static int slowed(int nr, int each, unsigned long apart)
{
    struct shmlink_events events = { 0 };
    int i, n = 0;

    for (i = 0; i < nr; i++)
        n += shmlink_events_count(&events, i % each == 0, i * apart);
    return n;
}

static void test_events(void **state)
{
    struct shmlink_events events = { 0 };
    unsigned long now = ULONG_MAX - 1000;
    int i;

    (void)state;
    assert_int_equal(slowed(100000, 1, 0), 0);
    /* What races with the poll: even three of four at any pace. */
    assert_int_equal(slowed(100000, 4, 0), 0);
    /* Few a second at any share. */
    assert_int_equal(slowed(100000, 100000, SECOND / 10), 0);
    /* A storm, with a frame here and there or none. */
    assert_in_range(slowed(100000, 100000, 0), 99900, 99999);
    assert_in_range(slowed(100000, 64, 0), 95000, 99999);
    /* It is forgotten in seconds, also where time wraps. */
    events.since = now;
    for (i = 0; i < 100000; i++)
        shmlink_events_count(&events, false, now);
    now += 2 * SHMLINK_IDLE_MAX / SHMLINK_IDLE_A_SECOND * SECOND;
    assert_false(shmlink_events_count(&events, false, now));
    /* A sender's: woken for room each time, and nothing comes. */
    assert_false(shmlink_events_count(&events, true, now));
}

/* What a peer that always has more gets taken in @seconds, polled at @apart. */
static long taken(__u32 rate, unsigned int seconds, unsigned long apart)
{
    struct shmlink_limit limit = { .rate = rate };
    unsigned long now = ULONG_MAX - SECOND, end = now + seconds * SECOND;
    long bytes = 0;

    /* Nothing has come before. */
    shmlink_limit_fill(&limit, now - 100 * SECOND);
    for (; now - end > seconds * SECOND; now += apart) {
        shmlink_limit_fill(&limit, now);
        while (!shmlink_limit_is_reached(&limit)) {
            limit.left -= 65536;
            bytes += 65536;
        }
    }
    return bytes;
}

static void test_limit(void **state)
{
    struct shmlink_limit none = { 0 };

    (void)state;
    none.left = -1;
    assert_false(shmlink_limit_is_reached(&none));
    /* A sixteenth of a second at once, and the last frame is whole. */
    assert_in_range(taken(1000000, 20, 1), 19800000, 20140000);
    assert_in_range(taken(1000000, 20, 5), 19800000, 20140000);
    assert_in_range(taken(UINT32_MAX, 10, 1), 42500000000, 43300000000);
    /* Who polls too seldom gets less, never more. */
    assert_in_range(taken(1000000, 20, SECOND), 900000, 2700000);
}

/* Few blocks, and a socket's buffer holds half of what it is charged with. */
static void test_blocks(void **state)
{
    __u32 bytes;

    (void)state;
    for (bytes = 1; bytes <= SHMLINK_FRAME_BYTES_MAX; bytes++) {
        __u32 left = bytes, charged = 0, block;
        int nr;

        for (nr = 0; left > 0; nr++) {
            block = SHMLINK_PAGE_BYTES << shmlink_block_order(left);
            charged += block;
            left -= left < block ? left : block;
        }
        /* MAX_SKB_FRAGS is 17. */
        assert_true(nr <= 3);
        assert_true(charged >= bytes);
        assert_true(charged < 2 * bytes + SHMLINK_PAGE_BYTES);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_paused),
        cmocka_unit_test(test_slow),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_always_late),
        cmocka_unit_test(test_hostile_index),
        cmocka_unit_test(test_again_and_again),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
