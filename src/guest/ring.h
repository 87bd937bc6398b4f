/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One direction of a link: records of bytes from one producer to one consumer
 * through memory that both can write.
 *
 * The same source runs in the guest driver, in the unit tests and under the
 * fuzzer that plays a hostile peer.  Nothing here sleeps, allocates, prints or
 * notifies: functions say when the peer has to be notified, the caller does it.
 *
 * Errors: 0 or a negative errno; -EPROTO means that the peer has written
 * something that no correct peer writes.  The ring is then not to be used any
 * more.  Threads: each ring has one producer and one consumer; each side's
 * functions are called by one thread at a time, the two sides need no lock.
 *
 * What it does not protect against: a peer that rewrites a record's bytes
 * while they are copied out.  Callers check what they have copied, never what
 * is in the ring.
 */
#ifndef SHMLINK_RING_H
#define SHMLINK_RING_H

#include "shmlink-wire.h"

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#endif

/*
 * One side's private view of a ring.
 *
 * shared: the peer's and our own indices; untrusted.
 * pages: data_bytes / SHMLINK_PAGE_BYTES pages of data, not owned.
 * data_bytes: size, a power of two.
 * mine: the index that this side owns (prod or cons), never read back from
 *	shared memory; counts what is published and what is not yet.
 * published: what the peer was last told of it.
 * theirs: the peer's index, as last read and checked.
 * asked: producer: how often it has asked whether the consumer takes frames.
 * reply: consumer: what it last said to that.
 */
struct shmlink_ring {
	struct shmlink_ring_shared *shared;
	void **pages;
	__u32 data_bytes;
	__u32 mine;
	__u32 published;
	__u32 theirs;
	__u32 asked;
	__u32 reply;
};

/* What a consumer says to whether it takes frames. */
enum shmlink_reply {
	SHMLINK_REPLY_TAKES,
	SHMLINK_REPLY_HOLDS,
	SHMLINK_REPLY_NONE,	/* it has not seen the last question yet */
};

/*
 * shmlink_ring_init - attach to a ring, as producer or consumer.
 * @data_bytes: SHMLINK_RING_BYTES_MIN to SHMLINK_RING_BYTES_MAX, a power of two
 * @index: where both indices stand; 0 but in tests.
 * Returns 0, or -EINVAL for a size that is not allowed.  Owns nothing.
 */
int shmlink_ring_init(struct shmlink_ring *ring,
		      struct shmlink_ring_shared *shared, void **pages,
		      __u32 data_bytes, __u32 index);

/*
 * shmlink_ring_record_is_valid - whether lengths, flags and offsets fit.
 * A producer asks it of what it is about to put: anything else ends the link.
 */
bool shmlink_ring_record_is_valid(const struct shmlink_record *record);

/*
 * Producer.
 */

/*
 * shmlink_ring_room - bytes that can be put now.
 * @need: stop looking when this much is known to be free, so that the peer's
 *	cache line is read only when it matters.
 * Returns 0 to data_bytes, or -EPROTO for an index that the peer cannot have.
 */
long shmlink_ring_room(struct shmlink_ring *ring, __u32 need);

/*
 * shmlink_ring_put - copy bytes to @offset after the producer's index.
 * The caller has made sure of the room.  Nothing is visible to the peer before
 * shmlink_ring_publish().
 */
void shmlink_ring_put(struct shmlink_ring *ring, __u32 offset,
		      const void *from, __u32 bytes);

/* shmlink_ring_produced - move the producer's index behind a whole record. */
static inline void shmlink_ring_produced(struct shmlink_ring *ring,
					 __u32 frame_bytes)
{
	ring->mine += SHMLINK_RECORD_BYTES(frame_bytes);
}

/*
 * shmlink_ring_publish - let the peer see what was produced.
 * Returns whether the peer asked to be notified of it.
 */
bool shmlink_ring_publish(struct shmlink_ring *ring);

/*
 * shmlink_ring_want_room - ask to be notified when half of the ring, or
 * @need bytes if that is more, has become free.
 * Returns the room as shmlink_ring_room() does, looked up after asking:
 * @need or more means that there is no need to wait.
 */
long shmlink_ring_want_room(struct shmlink_ring *ring, __u32 need);

/* shmlink_ring_close - the producer's last word; notify the peer after it. */
void shmlink_ring_close(struct shmlink_ring *ring);

/*
 * shmlink_ring_ask - ask whether the consumer takes frames; notify it after.
 */
void shmlink_ring_ask(struct shmlink_ring *ring);

/* shmlink_ring_reply - what the consumer says to the last question, if any. */
enum shmlink_reply shmlink_ring_reply(const struct shmlink_ring *ring);

/*
 * Consumer.
 */

/*
 * shmlink_ring_peek - copy out the next record's header and check it.
 * Returns 1 with a record whose frame is wholly in the ring, whose lengths,
 * flags and offsets are consistent; 0 when the ring is empty; -EPROTO.
 */
int shmlink_ring_peek(struct shmlink_ring *ring,
		      struct shmlink_record *record_r);

/* shmlink_ring_get - copy @bytes at @offset of the record's frame out. */
void shmlink_ring_get(const struct shmlink_ring *ring, __u32 offset, void *to,
		      __u32 bytes);

/* shmlink_ring_consumed - move the consumer's index behind a whole record. */
static inline void shmlink_ring_consumed(struct shmlink_ring *ring,
					 __u32 frame_bytes)
{
	ring->mine += SHMLINK_RECORD_BYTES(frame_bytes);
}

/* shmlink_ring_unreleased - bytes consumed that the peer was not told of. */
static inline __u32 shmlink_ring_unreleased(const struct shmlink_ring *ring)
{
	return ring->mine - ring->published;
}

/*
 * shmlink_ring_release - give consumed room back to the peer.
 * Returns whether the peer asked to be notified of it.
 */
bool shmlink_ring_release(struct shmlink_ring *ring);

/*
 * shmlink_ring_want_data - ask to be notified of the next record.
 * Returns 1 if there is one already (looked up after asking), 0 if the
 * consumer may sleep, -EPROTO.
 */
int shmlink_ring_want_data(struct shmlink_ring *ring);

/*
 * shmlink_ring_answer - tell the producer whether this side takes frames.
 * Returns whether that is anything new, so that it has to be notified.
 */
bool shmlink_ring_answer(struct shmlink_ring *ring, bool takes);

/*
 * shmlink_ring_ended - whether the peer has closed the ring and all that it
 * had put into it is consumed.
 */
bool shmlink_ring_ended(struct shmlink_ring *ring);

#endif /* SHMLINK_RING_H */
