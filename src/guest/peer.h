/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How much a peer may cost this guest: decisions without side effects, which
 * the unit tests make as well.
 *
 * Nothing here sleeps, allocates or locks; each structure has one user at a
 * time.  Times are in jiffies, SHMLINK_SECOND of them are a second.
 */
#ifndef SHMLINK_PEER_H
#define SHMLINK_PEER_H

#include <linux/types.h>

#include "shmlink-wire.h"

#ifdef __KERNEL__
#include <asm/param.h>
#define SHMLINK_SECOND	HZ
#else
#include <stdbool.h>
#define SHMLINK_SECOND	250
#endif

/* A peer that takes nothing for so long has stalled. */
#define SHMLINK_STALL_TIME	(3 * SHMLINK_SECOND)
/* A look counts no more of it: we, and so the peer, may not have run before. */
#define SHMLINK_LOOK_TIME	(3 * SHMLINK_SECOND / 2)
/* What one that stalls again and again rests at most before it is trusted. */
#define SHMLINK_REST_MAX	(64 * SHMLINK_SECOND)

/*
 * Whether the peer takes what we send; all zero at the start.
 *
 * taken: its index as far as it has moved in ways that a consumer's can.
 * waits: at the last look it had not, with frames there, or the transmit queue
 *	was stopped.
 * since: when a look first found that, less what looks that came late do not
 *	count.
 * looked: when the last look was.
 * stalled: it does not; @since is when that was found.
 * rest: how long it is not trusted after that, at least.
 * trusted: when it was last trusted again.
 */
struct shmlink_stall {
	__u32 taken;
	bool waits;
	unsigned long since;
	unsigned long looked;
	bool stalled;
	unsigned long rest;
	unsigned long trusted;
};

/*
 * shmlink_stall_moved - note how far the peer has come.
 * @cons: its index, as it stands in shared memory; not checked
 * @published: ours
 * Returns whether it has come further, which it can as far as we have sent.
 */
bool shmlink_stall_moved(struct shmlink_stall *stall, __u32 cons,
			 __u32 published);

/*
 * shmlink_stall_look - whether frames are not to wait for the peer.
 * @moved: what shmlink_stall_moved() has returned just now
 * @stopped: the transmit queue waits for room: half of the ring in
 *	SHMLINK_STALL_TIME is the least that counts then
 * To be called once a second at least.  A stall ends when all has been taken,
 * and not before its rest, which is longer for who has just stalled before.
 */
bool shmlink_stall_look(struct shmlink_stall *stall, __u32 published,
			bool moved, bool stopped, unsigned long now);

/* So many events with nothing to do, more than is normal, slow a peer down. */
#define SHMLINK_IDLE_MAX	64U
/* And so many a second are normal, for each with something to do so many. */
#define SHMLINK_IDLE_A_SECOND	16U
#define SHMLINK_IDLE_FOR_WORK	4U

/*
 * The peer's events; all zero at the start.
 *
 * idle: after how many there was nothing to do, less what is normal.
 * since: from when on normal ones are still to be taken off.
 */
struct shmlink_events {
	unsigned int idle;
	unsigned long since;
};

/*
 * shmlink_events_count - one more.
 * @worked: whether anything has moved since the last one
 * Returns whether the peer is to be slowed down.
 */
bool shmlink_events_count(struct shmlink_events *events, bool worked,
			  unsigned long now);

/* After a rest, one with a limit may send at once what it may in so long. */
#define SHMLINK_LIMIT_BURST	(SHMLINK_SECOND / 16)

/*
 * How much is taken out of the ring; all zero but @rate at the start.
 *
 * rate: bytes a second, at least SHMLINK_SECOND; 0 for no limit.
 * left: may be taken now; where it is negative the last frame was longer.
 * since: from when on more is to be added.
 * closing: a ring's worth was added, since the link closes.
 */
struct shmlink_limit {
	__u32 rate;
	__s64 left;
	unsigned long since;
	bool closing;
};

/* shmlink_limit_fill - add what has come to be allowed until @now. */
void shmlink_limit_fill(struct shmlink_limit *limit, unsigned long now);

/* shmlink_limit_is_reached - whether the next frame has to wait. */
static inline bool shmlink_limit_is_reached(const struct shmlink_limit *limit)
{
	return limit->rate && limit->left <= 0;
}

/* Received frames are in blocks of up to 2^3 pages. */
#define SHMLINK_BLOCK_ORDER_MAX	3U

/*
 * shmlink_block_order - how large the next block for @left bytes of a received
 * frame is: 2^order pages.  No other frame has a part of it, so that what is
 * charged is what is pinned; half of it at least is used, or it is a page.
 */
static inline unsigned int shmlink_block_order(__u32 left)
{
	unsigned int order = 0;

	while (order < SHMLINK_BLOCK_ORDER_MAX &&
	       left > SHMLINK_PAGE_BYTES << order)
		order++;
	return order;
}

#endif /* SHMLINK_PEER_H */
