/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both ends of one ring in this process, for tests.
 *
 * Every data page and the index page stand alone between inaccessible pages,
 * in no order, and the consumer's view of the data is read-only: a stray
 * access ends the test with SIGSEGV.
 */
#ifndef SHMLINK_RING_PAIR_H
#define SHMLINK_RING_PAIR_H

#include "guest/ring.h"

#include <stddef.h>

/*
 * shared: at the end of its page.
 * flat: the data once more, contiguous, as the peer may scribble on it.
 * producer_pages, consumer_pages: the same memory, read-write and read-only.
 */
struct ring_pair {
    struct shmlink_ring_shared *shared;
    unsigned char *flat;
    void **producer_pages;
    void **consumer_pages;
    __u32 data_bytes;
    struct shmlink_ring producer;
    struct shmlink_ring consumer;
    void *map;
    size_t map_bytes;
};

/*
 * ring_pair_open - map a ring, both ends attached, both indices at @index.
 * The memory is shared with children. Returns 0 or -errno.
 */
int ring_pair_open(struct ring_pair *pair, __u32 data_bytes, __u32 index);
void ring_pair_close(struct ring_pair *pair);

/* ring_pair_reset - zero the data, both ends anew at @index. */
void ring_pair_reset(struct ring_pair *pair, __u32 index);

/*
 * ring_pair_send - produce one record, unpublished.
 * Returns 0, -EAGAIN when it does not fit, -EPROTO.
 */
int ring_pair_send(struct shmlink_ring *producer,
                   const struct shmlink_record *record, const void *frame);

/*
 * ring_pair_receive - consume one record, unreleased.
 * @frame: SHMLINK_FRAME_BYTES_MAX bytes. Returns as shmlink_ring_peek().
 */
int ring_pair_receive(struct shmlink_ring *consumer,
                      struct shmlink_record *record_r, void *frame);

#endif /* SHMLINK_RING_PAIR_H */
