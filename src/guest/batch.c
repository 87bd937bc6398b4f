// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches of a fast stream's frames, and acknowledgments of a small one's.
 *
 * A stream of which each write becomes a frame of its own pays for each the
 * way through both stacks, and a trip through Xen's scheduler on both sides.
 * While such a stream lasts the peer is notified once for a batch, and until
 * then the frames stay charged to their sockets, as they would be in the queue
 * of a network card: TCP then gathers the next writes into larger frames.
 *
 * Who waits for an answer must not be held up.  So this is for large frames
 * only, and a slower stream has smaller batches, so that each is filled within
 * FILL_NS_MAX at the stream's own pace; the slowest have none.  A batch that is
 * not filled within twice its time is let go by a timer, after which frames
 * pass at once: one, after the next miss two, then four and so on.  Where
 * frames are as large as they can get by themselves there is nothing to gain,
 * and none is held up either.
 *
 * Who streams small writes is clocked by the acknowledgments: TCP gathers what
 * is written until one comes.  Over a link it comes so soon that little is
 * gathered.  So the peer is notified of a bare acknowledgment a little later,
 * or with whatever comes before; but only while it sends small frames, the last
 * one and in the mean: who begins to send large ones is clocked by them as well.
 *
 * The transmit lock protects all of it.
 */
#include <linux/ktime.h>
#include <net/tcp.h>

#include "driver.h"

/* A batch, but never more than a quarter of the ring. */
#define BATCH_BYTES_MAX		(256U * 1024)
/* A slow stream's. */
#define BATCH_BYTES_MIN		(64U * 1024)
/* Smaller frames are requests, acknowledgments, datagrams. */
#define LARGE_BYTES		2048U
/* Frames that are larger than this in the mean gain nothing. */
#define MEAN_BYTES_MAX		(40U * 1024)
/* So much later the peer hears of an acknowledgment of its smaller frames. */
#define ACK_NS			NSEC_PER_MSEC
/* More than that would be noticed. */
#define FILL_NS_MAX		((s64)(4 * NSEC_PER_MSEC))
/* The time of a full batch is not followed further than that. */
#define GAP_NS_MAX		(FILL_NS_MAX * (BATCH_BYTES_MAX / BATCH_BYTES_MIN))
/* Frames that pass at once after many misses in a row: at most 2^8. */
#define MISSES_MAX		8U

static u32 full_bytes(const struct shmlink_link *link)
{
	return min(BATCH_BYTES_MAX, link->config.ring_bytes / 4);
}

/* What the stream sends in FILL_NS_MAX, within limits. */
static u32 batch_bytes(const struct shmlink_link *link)
{
	u32 full = full_bytes(link);
	s64 fill_ns = link->batch.fill_ns;

	if (fill_ns <= FILL_NS_MAX)
		return full;
	return min(full, max_t(u32, BATCH_BYTES_MIN,
			       div64_s64(full * FILL_NS_MAX, fill_ns)));
}

/* Of a full batch, where a smallest one takes FILL_NS_MAX. */
static s64 slowest_ns(const struct shmlink_link *link)
{
	return FILL_NS_MAX * max(full_bytes(link) / BATCH_BYTES_MIN, 1U);
}

/* The stream's pace, as the time that a full batch takes, and its frames. */
static void learn(struct shmlink_link *link, u32 bytes)
{
	struct shmlink_batch *batch = &link->batch;
	u64 now = ktime_get_ns();
	u64 gap = min_t(u64, now - batch->last_ns, GAP_NS_MAX);
	s64 fill = min_t(u64, div_u64(gap * full_bytes(link), bytes),
			 2 * GAP_NS_MAX);

	batch->last_ns = now;
	batch->fill_ns += (fill - batch->fill_ns) / 8;
	batch->mean_bytes += ((s32)bytes - batch->mean_bytes) / 16;
}

/* Whether to hold up a large frame, which has been counted. */
static bool is_held_up(struct shmlink_link *link)
{
	struct shmlink_batch *batch = &link->batch;

	if (batch->bytes >= batch_bytes(link)) {
		batch->misses = 0;
		return false;
	}
	if (batch->pass) {
		batch->pass--;
		return false;
	}
	return batch->fill_ns < slowest_ns(link) &&
	       batch->mean_bytes < MEAN_BYTES_MAX;
}

/* Whether the peer may hear of @skb later. */
static bool may_wait(const struct shmlink_link *link, const struct sk_buff *skb)
{
	return skb_is_tcp_pure_ack(skb) && !link->batch.bytes &&
	       max(READ_ONCE(link->rx_last_bytes),
		   READ_ONCE(link->rx_mean_bytes)) < LARGE_BYTES;
}

/* The timer looks at the deadline at the latest. */
static void start_timer(struct shmlink_batch *batch)
{
	/*
	 * One that runs for an earlier batch goes on for this one.  Whether it
	 * does is known under the lock only: hrtimer_active() is still true
	 * when the timer has found nothing to do and is about to end.
	 */
	if (batch->armed && ktime_to_ns(hrtimer_get_expires(&batch->timer)) <=
			    (s64)batch->deadline_ns)
		return;
	batch->armed = true;
	hrtimer_start(&batch->timer, ns_to_ktime(batch->deadline_ns),
		      HRTIMER_MODE_ABS_SOFT);
}

/**
 * shmlink_batch_end - notify the peer, if it asked for that, and let go
 * @link: under the transmit lock
 * @notify: the peer has asked to be notified of what is in the ring now
 */
void shmlink_batch_end(struct shmlink_link *link, bool notify)
{
	struct shmlink_batch *batch = &link->batch;
	struct sk_buff *skb;

	if (notify || batch->notify) {
		link->counters.tx_notifications++;
		shmlink_queue_notify(link);
	}
	batch->notify = false;
	batch->bytes = 0;
	while ((skb = __skb_dequeue(&batch->held)))
		dev_consume_skb_any(skb);
}

/* Published; the peer asked to be notified of it or what came before. */
static void wait_with_ack(struct shmlink_batch *batch, bool notify)
{
	if (!notify || batch->notify)
		return;
	batch->notify = true;
	batch->deadline_ns = ktime_get_ns() + ACK_NS;
	start_timer(batch);
}

/**
 * shmlink_batch_add - a frame has been put into the ring and published
 * @link: under the transmit lock
 * @skb: the frame; taken over
 * @notify: the peer asked to be notified of it
 * @alone: no other frame was published with it
 */
void shmlink_batch_add(struct shmlink_link *link, struct sk_buff *skb,
		       bool notify, bool alone)
{
	struct shmlink_batch *batch = &link->batch;
	/* An acknowledgment that waits for it already is not told of later. */
	u64 by = batch->notify ? batch->deadline_ns : U64_MAX;
	u32 bytes = skb->len;

	if (alone && may_wait(link, skb)) {
		wait_with_ack(batch, notify);
		dev_consume_skb_any(skb);
		return;
	}
	__skb_queue_tail(&batch->held, skb);
	batch->notify |= notify;
	if (bytes < LARGE_BYTES)
		return shmlink_batch_end(link, false);

	learn(link, bytes);
	if (!batch->bytes)
		batch->deadline_ns =
			min_t(u64, by, batch->last_ns +
			      2 * min(batch->fill_ns, FILL_NS_MAX));
	batch->bytes += bytes;
	if (!is_held_up(link))
		return shmlink_batch_end(link, false);
	start_timer(batch);
}

static enum hrtimer_restart batch_expired(struct hrtimer *timer)
{
	struct shmlink_link *link =
		container_of(timer, struct shmlink_link, batch.timer);
	struct shmlink_batch *batch = &link->batch;
	struct netdev_queue *queue = netdev_get_tx_queue(link->netdev, 0);

	__netif_tx_lock(queue, smp_processor_id());
	/* From here on whoever holds frames up starts it, running or not. */
	batch->armed = false;
	if (!batch->bytes && !batch->notify)
		goto out;
	if (ktime_get_ns() < batch->deadline_ns) {
		start_timer(batch);
		goto out;
	}
	if (batch->bytes) {
		batch->pass = 1U << batch->misses;
		batch->misses = min(batch->misses + 1, MISSES_MAX);
	}
	shmlink_batch_end(link, false);
out:
	__netif_tx_unlock(queue);
	return HRTIMER_NORESTART;
}

/**
 * shmlink_batch_init - before the first frame
 * @batch: zeroed
 */
void shmlink_batch_init(struct shmlink_batch *batch)
{
	__skb_queue_head_init(&batch->held);
	hrtimer_setup(&batch->timer, batch_expired, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_SOFT);
}

/**
 * shmlink_batch_stop - stop the timer for good
 * @link: whose net device transmits no more, and still exists
 */
void shmlink_batch_stop(struct shmlink_link *link)
{
	hrtimer_cancel(&link->batch.timer);
	shmlink_batch_end(link, false);
}
