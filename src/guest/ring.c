// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * INVARIANTS
 *
 * 1. prod and cons are free-running; 0 <= prod - cons <= data_bytes, modulo
 *    2^32.  A peer's index that breaks this is an error, not an empty ring.
 * 2. Each side keeps its own index in private memory.  Its copy in shared
 *    memory is written, never read.
 * 3. The peer's index is read once for each decision, with acquire: what the
 *    peer wrote before it moved the index is then visible.  It pairs with the
 *    release in publish and release.
 * 4. A record's header is copied out, checked, and used from the copy only.
 * 5. Sleeping: ask for an event, full barrier, look again.  Publishing: move
 *    the index, full barrier, look whether an event was asked for.  One of
 *    the two always sees the other's write, so no wake-up is lost.
 */
#include "ring.h"
#include "barrier.h"

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/string.h>
#else
#include <errno.h>
#include <string.h>
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define is_power_of_2(n) ((n) != 0 && ((n) & ((n) - 1)) == 0)
#endif

int shmlink_ring_init(struct shmlink_ring *ring,
		      struct shmlink_ring_shared *shared, void **pages,
		      __u32 data_bytes, __u32 index)
{
	if (data_bytes < SHMLINK_RING_BYTES_MIN ||
	    data_bytes > SHMLINK_RING_BYTES_MAX || !is_power_of_2(data_bytes))
		return -EINVAL;

	ring->shared = shared;
	ring->pages = pages;
	ring->data_bytes = data_bytes;
	ring->mine = index;
	ring->published = index;
	ring->theirs = index;
	ring->asked = 0;
	ring->reply = 0;
	return 0;
}

/* The longest run of bytes at @index that stays in one page. */
static void *ring_run(const struct shmlink_ring *ring, __u32 index,
		      __u32 *bytes)
{
	__u32 at = index & (ring->data_bytes - 1);
	__u32 in_page = at % SHMLINK_PAGE_BYTES;

	*bytes = min(*bytes, SHMLINK_PAGE_BYTES - in_page);
	return (char *)ring->pages[at / SHMLINK_PAGE_BYTES] + in_page;
}

/* Whether moving an index from @from to @to passes @event. */
static bool ring_passes(__u32 from, __u32 to, __u32 event)
{
	return (__u32)(to - event) < (__u32)(to - from);
}

long shmlink_ring_room(struct shmlink_ring *ring, __u32 need)
{
	__u32 used = ring->mine - ring->theirs;
	__u32 cons;

	if (ring->data_bytes - used >= need)
		return ring->data_bytes - used;

	/* Acquire: the consumer has finished reading what it gives back. */
	cons = ring_load_acquire(&ring->shared->cons);
	used = ring->mine - cons;
	/* Neither more than the ring holds nor beyond what was published. */
	if (used > ring->data_bytes || used < ring->mine - ring->published)
		return -EPROTO;
	ring->theirs = cons;
	return ring->data_bytes - used;
}

void shmlink_ring_put(struct shmlink_ring *ring, __u32 offset,
		      const void *from, __u32 bytes)
{
	__u32 index = ring->mine + offset;

	while (bytes > 0) {
		__u32 run = bytes;
		void *to = ring_run(ring, index, &run);

		memcpy(to, from, run);
		from = (const char *)from + run;
		index += run;
		bytes -= run;
	}
}

bool shmlink_ring_publish(struct shmlink_ring *ring)
{
	__u32 from = ring->published;

	if (ring->mine == from)
		return false;

	/* Release: the records are there before the index says so. */
	ring_store_release(&ring->shared->prod, ring->mine);
	/* Relaxed: the poll looks at it without the lock. */
	ring_store(&ring->published, ring->mine);
	/* Index before event, see invariant 5; pairs with want_data. */
	ring_full_barrier();
	return ring_passes(from, ring->mine,
			   ring_load(&ring->shared->prod_event));
}

long shmlink_ring_want_room(struct shmlink_ring *ring, __u32 need)
{
	/*
	 * Room for the sake of one record would mean a notification for each
	 * record: wait for half of the ring, as the stack's own drivers do.
	 */
	__u32 free = max(need, ring->data_bytes / 2);

	/* "cons has passed event" means that it stands at event or behind. */
	ring_store(&ring->shared->cons_event,
		   ring->mine - (ring->data_bytes - free));
	/* Event before index, see invariant 5; pairs with release. */
	ring_full_barrier();
	return shmlink_ring_room(ring, need);
}

void shmlink_ring_close(struct shmlink_ring *ring)
{
	shmlink_ring_publish(ring);
	/* Release: whoever sees the end sees the last record as well. */
	ring_store_release(&ring->shared->closed, SHMLINK_PROD_CLOSED);
}

void shmlink_ring_ask(struct shmlink_ring *ring)
{
	ring_store(&ring->shared->asked, ++ring->asked);
}

enum shmlink_reply shmlink_ring_reply(const struct shmlink_ring *ring)
{
	__u32 reply = ring_load(&ring->shared->reply);

	/* One bit of the question does not fit: the peer is not that late. */
	if ((reply ^ ring->asked << 1) & ~1U)
		return SHMLINK_REPLY_NONE;
	return reply & 1 ? SHMLINK_REPLY_HOLDS : SHMLINK_REPLY_TAKES;
}

/* Bytes that wait in the ring, or -EPROTO. */
static long ring_used(struct shmlink_ring *ring)
{
	__u32 used = ring->theirs - ring->mine;

	if (used == 0) {
		/* Acquire: the records up to the index can be read. */
		ring->theirs = ring_load_acquire(&ring->shared->prod);
		used = ring->theirs - ring->mine;
	}
	if (used > ring->data_bytes)
		return -EPROTO;
	return used;
}

static void ring_copy_out(const struct shmlink_ring *ring, __u32 index,
			  void *to, __u32 bytes)
{
	while (bytes > 0) {
		__u32 run = bytes;
		const void *from = ring_run(ring, index, &run);

		memcpy(to, from, run);
		to = (char *)to + run;
		index += run;
		bytes -= run;
	}
	/* What is checked next is the copy, see invariant 4. */
	ring_compiler_barrier();
}

static bool record_gso_is_valid(const struct shmlink_record *record)
{
	__u32 type = record->gso_type & SHMLINK_GSO_TYPE_MASK;

	if (record->gso_type == SHMLINK_GSO_NONE)
		return record->gso_size == 0;

	return (type == SHMLINK_GSO_TCPV4 || type == SHMLINK_GSO_TCPV6) &&
	       record->gso_size != 0 &&
	       (record->flags & SHMLINK_RECORD_CSUM_PARTIAL);
}

bool shmlink_ring_record_is_valid(const struct shmlink_record *record)
{
	/* Not header_bytes: a hint. */
	if (record->frame_bytes < SHMLINK_FRAME_BYTES_MIN ||
	    record->frame_bytes > SHMLINK_FRAME_BYTES_MAX)
		return false;
	if (record->flags & ~SHMLINK_RECORD_FLAGS)
		return false;
	/* The sum's two bytes lie in the frame, behind the Ethernet header. */
	if ((record->flags & SHMLINK_RECORD_CSUM_PARTIAL) &&
	    (record->csum_start < SHMLINK_FRAME_BYTES_MIN ||
	     (__u32)record->csum_start + record->csum_offset + 2 >
	     record->frame_bytes))
		return false;
	if ((record->flags & SHMLINK_RECORD_VLAN) &&
	    record->vlan_proto != 0x8100 && record->vlan_proto != 0x88a8)
		return false;
	return record_gso_is_valid(record);
}

int shmlink_ring_peek(struct shmlink_ring *ring,
		      struct shmlink_record *record_r)
{
	long used = ring_used(ring);

	if (used <= 0)
		return used;
	if (used < (long)sizeof(*record_r))
		return -EPROTO;

	ring_copy_out(ring, ring->mine, record_r, sizeof(*record_r));
	if (!shmlink_ring_record_is_valid(record_r) ||
	    SHMLINK_RECORD_BYTES(record_r->frame_bytes) > (__u32)used)
		return -EPROTO;
	return 1;
}

void shmlink_ring_get(const struct shmlink_ring *ring, __u32 offset, void *to,
		      __u32 bytes)
{
	ring_copy_out(ring,
		      ring->mine + (__u32)sizeof(struct shmlink_record) + offset,
		      to, bytes);
}

bool shmlink_ring_release(struct shmlink_ring *ring)
{
	__u32 from = ring->published;

	if (ring->mine == from)
		return false;

	/* Release: our reads are done before the room is given back. */
	ring_store_release(&ring->shared->cons, ring->mine);
	ring->published = ring->mine;
	/* Index before event, see invariant 5; pairs with want_room. */
	ring_full_barrier();
	return ring_passes(from, ring->mine,
			   ring_load(&ring->shared->cons_event));
}

int shmlink_ring_want_data(struct shmlink_ring *ring)
{
	long used;

	ring_store(&ring->shared->prod_event, ring->mine + 1);
	/* Event before index, see invariant 5; pairs with publish. */
	ring_full_barrier();
	used = ring_used(ring);
	return used > 0 ? 1 : used;
}

bool shmlink_ring_answer(struct shmlink_ring *ring, bool takes)
{
	__u32 reply = ring_load(&ring->shared->asked) << 1 |
		      (takes ? 0 : 1);

	if (reply == ring->reply)
		return false;
	ring_store(&ring->shared->reply, reply);
	ring->reply = reply;
	return true;
}

bool shmlink_ring_ended(struct shmlink_ring *ring)
{
	/* Acquire, before the index is read: pairs with close. */
	if (ring_load_acquire(&ring->shared->closed) != SHMLINK_PROD_CLOSED)
		return false;
	return ring_used(ring) <= 0;
}
