// SPDX-License-Identifier: GPL-2.0-only
/* Frames that the driver sends, and what becomes of those it cannot. */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include <linux/vmalloc.h>

#include "peer.h"

#define BYTES_MAX	9000
/* What the peer sends of a stream. */
#define BULK_BYTES	60000
/* Fewer than a queue takes. */
#define ON_THE_WAY	200

/* Sent and not yet let go of: what a socket would be charged with. */
static atomic_t held;
static u32 next_sent, by_ring, by_vif;
/* What comes next at the earliest. */
static u32 next_number;
static u8 *wanted, *got;

static void let_go(struct sk_buff *skb)
{
	atomic_dec(&held);
}

static u32 size_of(u32 number)
{
	u32 size = number * 2654435761U;

	return 60 + (size >> 8) % (size % 4 ? 1400 : BYTES_MAX - 60);
}

/* Of each frame its number is its contents' seed, and in its last bytes. */
static void make_contents(u32 number, u8 *frame)
{
	struct ethhdr *eth = (struct ethhdr *)frame;
	u32 bytes = size_of(number);

	frame_fill(frame, bytes, number);
	ether_addr_copy(eth->h_dest, peer_mac);
	ether_addr_copy(eth->h_source, driver_mac);
	eth->h_proto = htons(ETH_P_802_EX1);
	memcpy(frame + bytes - sizeof(number), &number, sizeof(number));
}

#define TAG	7

static bool has_tag(u32 number)
{
	return number % 5 == 0;
}

static bool has_sum(u32 number)
{
	return number % 3 == 0;
}

static int send_frame(u32 number)
{
	u32 bytes = size_of(number);
	u32 linear = min_t(u32, bytes, 200);
	struct sk_buff *skb;
	int err;

	skb = alloc_skb_with_frags(NET_SKB_PAD + linear, bytes - linear,
				   number % 4, &err, GFP_KERNEL);
	CHECK(skb, "no memory");
	skb_reserve(skb, NET_SKB_PAD);
	skb_put(skb, linear);
	skb->len = bytes;
	skb->data_len = bytes - linear;
	make_contents(number, wanted);
	CHECK(!skb_store_bits(skb, 0, wanted, bytes), "frame %u", number);
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb->protocol = htons(ETH_P_802_EX1);
	if (has_tag(number))
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), TAG);
	if (has_sum(number)) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + ETH_HLEN + 20;
		skb->csum_offset = 6;
	}
	skb->dev = vif;
	skb->destructor = let_go;
	atomic_inc(&held);
	dev_queue_xmit(skb);
	return 0;
}

/* All that is in the ring: in order, and as it was sent. */
static int take_all(struct peer *p)
{
	struct shmlink_record record;
	int rc;

	while ((rc = peer_take(p, &record, got, BYTES_MAX)) > 0) {
		u32 number, bytes = record.frame_bytes;

		memcpy(&number, got + bytes - sizeof(number), sizeof(number));
		CHECK(number >= next_number && number < next_sent,
		      "frame %u instead of %u", number, next_number);
		next_number = number + 1;
		by_ring++;
		make_contents(number, wanted);
		CHECK(bytes == size_of(number) && !memcmp(got, wanted, bytes),
		      "frame %u is not as it was sent", number);
		CHECK(has_tag(number) == !!(record.flags & SHMLINK_RECORD_VLAN) &&
		      (!has_tag(number) || record.vlan_tci == TAG),
		      "frame %u has another tag", number);
		CHECK(has_sum(number) ==
		      !!(record.flags & SHMLINK_RECORD_CSUM_PARTIAL) &&
		      (!has_sum(number) || (record.csum_start == 34 &&
					    record.csum_offset == 6)),
		      "frame %u has another sum", number);
	}
	return rc;
}

static void sent_by_vif(struct sk_buff *skb)
{
	by_vif++;
}

static int send_begin(struct peer *p, bool driver_front)
{
	next_sent = 0;
	by_ring = 0;
	by_vif = 0;
	next_number = 0;
	atomic_set(&held, 0);
	vif_sent = sent_by_vif;
	wanted = wanted ? wanted : vmalloc(BYTES_MAX);
	got = got ? got : vmalloc(BULK_BYTES);
	CHECK(wanted && got, "no memory");
	return peer_start(p, driver_front);
}

/* Sends until the queue is stopped, or @count frames are on their way. */
static int fill(struct peer *p, u32 count)
{
	u32 i;

	for (i = 0; i < count && next_sent - by_ring - by_vif < ON_THE_WAY; i++) {
		TRY(send_frame(next_sent++));
		if (netif_queue_stopped(p->link->netdev))
			break;
	}
	return 0;
}

static int all_arrive(struct peer *p)
{
	unsigned long end = jiffies + msecs_to_jiffies(SOON);

	while (atomic_read(&held) || p->from_driver.index !=
				     READ_ONCE(p->from_driver.shared->prod)) {
		CHECK(time_before(jiffies, end), "%d frames are kept",
		      atomic_read(&held));
		TRY(take_all(p));
		peer_release(p);
		peer_event(p);
		usleep_range(20, 60);
	}
	return 0;
}

/*
 * The peer takes nothing until the ring is full, then all, and so on: nothing
 * is lost, altered or out of order.  A peer that seems to have
 * stalled gets the frames by the vif: on a slow machine that may happen here.
 */
static int test_full(u32 count, u32 seed)
{
	struct peer p = {};
	unsigned long end;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		end = jiffies + msecs_to_jiffies(6 * SOON);
		TRY(send_begin(&p, i));
		while (by_ring < count / 2) {
			CHECK(time_before(jiffies, end), "%u by the ring, %u by the vif",
			      by_ring, by_vif);
			TRY(fill(&p, ON_THE_WAY));
			TRY(take_all(&p));
			peer_release(&p);
			peer_event(&p);
			usleep_range(20, 60);
		}
		TRY(all_arrive(&p));
		CHECK(by_ring + by_vif == next_sent, "%u and %u of %u arrived",
		      by_ring, by_vif, next_sent);
		CHECK(p.link->counters.tx_packets + by_vif == next_sent &&
		      !p.link->counters.tx_drops, "miscounted");
		CHECK(p.link->counters.tx_stalls, "the ring was never full");
		TRY(peer_close(&p));
	}
	return 0;
}

/*
 * One large frame of a stream, of which the ring has room for 15; whether it
 * was kept from its socket.
 */
static bool send_large(void)
{
	struct sk_buff *skb = vif_frame(4096, 1);

	if (!skb)
		return false;
	skb->destructor = let_go;
	atomic_inc(&held);
	dev_queue_xmit(skb);
	return atomic_read(&held);
}

/* What a batch has held up is let go, and told of, without another frame. */
static int test_batch(u32 count, u32 seed)
{
	struct shmlink_record record;
	struct peer p = {};
	u32 i, n, kept = 0;

	TRY(send_begin(&p, true));
	for (i = 0; i < count; i++) {
		unsigned long notified = fake_event_notified(p.port);

		WRITE_ONCE(p.from_driver.shared->prod_event,
			   p.from_driver.index + 1);
		for (n = 0; n <= i % 12; n++)
			kept += send_large();
		CHECK(WAIT(!atomic_read(&held), SOON), "%d frames are kept",
		      atomic_read(&held));
		CHECK(fake_event_notified(p.port) > notified,
		      "the peer is not told");
		while (peer_take(&p, &record, got, BYTES_MAX) > 0)
			;
		peer_release(&p);
	}
	CHECK(kept, "there was no batch");
	return peer_close(&p);
}

/* A frame of the peer's; then what the driver sends next is on its way. */
static int hear(struct peer *p, u32 bytes)
{
	struct shmlink_record record = { .frame_bytes = bytes };
	struct ethhdr *eth = (struct ethhdr *)got;

	ether_addr_copy(eth->h_dest, driver_mac);
	ether_addr_copy(eth->h_source, peer_mac);
	eth->h_proto = htons(ETH_P_802_EX1);
	peer_put(p, &record, got, bytes);
	peer_publish(p, p->to_driver.index);
	peer_event(p);
	CHECK(WAIT(READ_ONCE(p->to_driver.shared->cons) == p->to_driver.index &&
		   !READ_ONCE(p->link->batch.armed), SOON),
	      "the driver does not get to rest");
	return 0;
}

/* As TCP sends it, or another small frame; the peer sleeps and is to be told. */
static int send_small(struct peer *p, bool ack)
{
	struct sk_buff *skb = vif_frame(66, 1);
	u32 index = READ_ONCE(p->from_driver.shared->prod);

	CHECK(skb, "no memory");
	WRITE_ONCE(p->from_driver.shared->prod_event, index + 1);
	skb->destructor = let_go;
	if (ack)
		skb->truesize = 2;
	atomic_inc(&held);
	dev_queue_xmit(skb);
	CHECK(WAIT(READ_ONCE(p->from_driver.shared->prod) != index, SOON),
	      "the frame is not in the ring");
	CHECK(WAIT(!atomic_read(&held), SOON), "the frame is kept");
	return 0;
}

/*
 * The peer hears of an acknowledgment of small frames later, but without
 * another frame; of any other frame, and with it of those before it, at once.
 */
static int test_acks(u32 count, u32 seed)
{
	struct shmlink_batch *batch;
	unsigned long notified;
	struct peer p = {};
	u64 begin;
	u32 i;

	TRY(send_begin(&p, seed & 1));
	batch = &p.link->batch;
	for (i = 0; i < count; i++) {
		TRY(hear(&p, 66));
		notified = fake_event_notified(p.port);
		begin = ktime_get_ns();
		TRY(send_small(&p, true));
		CHECK(WAIT(fake_event_notified(p.port) > notified, SOON),
		      "the peer does not hear of it");
		CHECK(ktime_get_ns() - begin >= NSEC_PER_MSEC / 2,
		      "the peer hears of it at once");

		TRY(hear(&p, 66));
		notified = fake_event_notified(p.port);
		TRY(send_small(&p, false));
		CHECK(!READ_ONCE(batch->armed) &&
		      fake_event_notified(p.port) == notified + 1,
		      "a frame that is alone has to wait");
		TRY(send_small(&p, true));
		TRY(send_small(&p, false));
		CHECK(!READ_ONCE(batch->notify) &&
		      fake_event_notified(p.port) > notified + 1,
		      "a frame behind an acknowledgment has to wait");

		TRY(hear(&p, 2100));
		notified = fake_event_notified(p.port);
		TRY(send_small(&p, true));
		CHECK(!READ_ONCE(batch->armed) &&
		      fake_event_notified(p.port) == notified + 1,
		      "an acknowledgment of a large frame has to wait");
		p.from_driver.index = READ_ONCE(p.from_driver.shared->prod);
		peer_release(&p);
	}
	/* As behind a write of 128 KB. */
	for (i = 0; i < 16; i++)
		TRY(hear(&p, BULK_BYTES));
	TRY(hear(&p, 66));
	notified = fake_event_notified(p.port);
	TRY(send_small(&p, true));
	CHECK(fake_event_notified(p.port) == notified + 1,
	      "an acknowledgment in a bulk stream has to wait");
	return peer_close(&p);
}

static int send_some(u32 *by_vif_r)
{
	u32 before = by_vif;
	unsigned int i;

	for (i = 0; i < 5; i++)
		TRY(send_frame(next_sent++));
	CHECK(WAIT(!atomic_read(&held), SOON), "frames are kept");
	*by_vif_r = by_vif - before;
	return 0;
}

static int set_vif(bool up)
{
	int err = 0;

	rtnl_lock();
	if (up)
		err = dev_open(vif, NULL);
	else
		dev_close(vif);
	rtnl_unlock();
	return err;
}

/* Neither sends to who does not take, nor takes what could not be received. */
static int test_hold(u32 count, u32 seed)
{
	struct peer p = {};
	u32 *asked, *reply, n;

	TRY(send_begin(&p, true));
	TRY(send_some(&n));
	CHECK(n == 0, "%u went by the vif", n);
	WRITE_ONCE(p.from_driver.shared->reply, 1);
	peer_event(&p);
	CHECK(WAIT(READ_ONCE(p.link->hold), SOON), "not held");
	TRY(send_some(&n));
	CHECK(n == 5, "%u went by the vif", n);
	WRITE_ONCE(p.from_driver.shared->reply, 0);
	peer_event(&p);
	CHECK(WAIT(!READ_ONCE(p.link->hold), SOON), "held");
	TRY(send_some(&n));
	CHECK(n == 0, "%u went by the vif", n);

	asked = &p.to_driver.shared->asked;
	reply = &p.to_driver.shared->reply;
	WRITE_ONCE(*asked, 3);
	peer_event(&p);
	CHECK(WAIT(READ_ONCE(*reply) == 6, SOON), "no reply");
	TRY(set_vif(false));
	CHECK(WAIT(READ_ONCE(*reply) == 7, SOON), "takes what it cannot");
	TRY(set_vif(true));
	CHECK(WAIT(READ_ONCE(*reply) == 6, SOON), "does not take");
	TRY(take_all(&p));
	return peer_close(&p);
}

const struct test send_tests[] = {
	{ "full", test_full },
	{ "batch", test_batch },
	{ "acks", test_acks },
	{ "hold", test_hold },
	{ }
};
