// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether frames go by the vif for now, as far as the peer is the reason.
 *
 * All of it runs in the poll.
 */
#include <linux/jiffies.h>

#include "barrier.h"
#include "driver.h"

/* How long the peer may take to say whether it takes frames. */
#define REPLY_TIMEOUT	(HZ / 5)

/*
 * Tells the peer whether we take frames, and hears whether it does.  A peer
 * whose address has turned up elsewhere is asked: one that has it no more says
 * so, one that does not run at all says nothing.
 */
static unsigned int talk(struct shmlink_link *link, unsigned int held)
{
	if (shmlink_ring_answer(&link->rx, !held))
		shmlink_queue_notify(link);
	if (unlikely(READ_ONCE(link->doubted)) &&
	    time_after(jiffies, link->reply_by)) {
		WRITE_ONCE(link->doubted, false);
		link->reply_by = jiffies + REPLY_TIMEOUT;
		shmlink_ring_ask(&link->tx);
		shmlink_queue_notify(link);
	}
	switch (shmlink_ring_reply(&link->tx)) {
	case SHMLINK_REPLY_TAKES:
		return 0;
	case SHMLINK_REPLY_HOLDS:
		return SHMLINK_HELD_PEER;
	case SHMLINK_REPLY_NONE:
		break;
	}
	return (link->hold & ~SHMLINK_HELD_STALLED) |
	       (time_after(jiffies, link->reply_by) ? SHMLINK_HELD_SILENT : 0);
}

/* The peer's index is in the same cache line as its reply. */
static bool is_stalled(struct shmlink_link *link)
{
	u32 published = READ_ONCE(link->tx.published);
	bool moved = shmlink_stall_moved(&link->stall,
					 ring_load(&link->tx.shared->cons),
					 published);

	if (moved)
		link->worked = true;
	return shmlink_stall_look(&link->stall, published, moved,
				  netif_queue_stopped(link->netdev), jiffies);
}

/**
 * shmlink_hold_look - decide anew, and tell the peer of our side
 * @link: in its poll
 * @held: SHMLINK_HELD_*: why our vif would not receive
 */
void shmlink_hold_look(struct shmlink_link *link, unsigned int held)
{
	unsigned int hold = 0;

	if (link->version >= SHMLINK_VERSION_REPLY)
		hold = talk(link, held);
	if (unlikely(is_stalled(link)))
		hold |= SHMLINK_HELD_STALLED;
	shmlink_netdev_hold(link, hold);
}
