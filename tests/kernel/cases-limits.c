// SPDX-License-Identifier: GPL-2.0-only
/* How much a peer costs the driver's guest. */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/slab.h>
#include <net/sch_generic.h>

#include "peer.h"

#define BYTES	1000

static u8 frame[SHMLINK_FRAME_BYTES_MAX];

/* Frames for the peer that left by the vif; IPv6 sends others. */
static atomic_t by_vif;

static void count_sent(struct sk_buff *skb)
{
	if (ether_addr_equal(skb->data, peer_mac))
		atomic_inc(&by_vif);
}

static void count_anew(void)
{
	atomic_set(&by_vif, 0);
	vif_sent = count_sent;
}

static int send(u32 bytes, u32 nr)
{
	struct sk_buff *skb;

	for (; nr; nr--) {
		skb = vif_frame(bytes, nr);
		CHECK(skb, "no memory");
		dev_queue_xmit(skb);
	}
	return 0;
}

/* How many frames the peer finds in its ring; all are given back. */
static int take_all(struct peer *p)
{
	struct shmlink_record record;
	int rc, n = 0;

	while ((rc = peer_take(p, &record, frame, sizeof(frame))) == 1)
		n++;
	peer_release(p);
	peer_event(p);
	return rc ? rc : n;
}

/*
 * More than the ring holds, and the peer takes none: the rest goes by the vif,
 * and all that was sent is in one place.  Then it takes what there is.
 */
static int test_stalled(u32 count, u32 seed)
{
	int nr = 2 * SHMLINK_RING_BYTES_MIN / BYTES, taken;
	struct peer p = {};

	count_anew();
	TRY(peer_start(&p, seed & 1));
	TRY(send(BYTES, nr));
	CHECK(WAIT(READ_ONCE(p.link->hold) & SHMLINK_HELD_STALLED, SOON),
	      "frames wait without end");
	TRY(send(BYTES, 1));
	CHECK(WAIT(qdisc_all_tx_empty(p.link->netdev), SOON),
	      "frames are still queued");
	taken = take_all(&p);
	CHECK(taken > 0, "nothing in the ring");
	CHECK(WAIT(atomic_read(&by_vif) + taken == nr + 1, SOON),
	      "%d by the vif, %d in the ring of %d sent",
	      atomic_read(&by_vif), taken, nr + 1);
	CHECK(WAIT(!READ_ONCE(p.link->hold), SOON), "the link is not used again");
	TRY(send(BYTES, 1));
	CHECK(WAIT(READ_ONCE(p.from_driver.shared->prod) != p.from_driver.index,
		   SOON), "a frame is not in the ring");
	CHECK(atomic_read(&by_vif) + taken == nr + 1, "it is at the vif as well");
	return peer_close(&p);
}

/* Neither has run for long, just after a frame: that is no stall. */
static int test_late(u32 count, u32 seed)
{
	struct peer p = {};

	TRY(peer_start(&p, seed & 1));
	TRY(send(BYTES, 1));
	CHECK(WAIT(READ_ONCE(p.link->stall.waits), SOON), "no look");
	peer_quiet(&p);
	msleep(count);
	TRY(peer_poll(&p));
	CHECK(!READ_ONCE(p.link->hold), "a stall though nobody has run");
	CHECK(take_all(&p) == 1, "one frame");
	return peer_close(&p);
}

static int event(struct peer *p)
{
	peer_event(p);
	CHECK(WAIT(!fake_event_is_masked(p->port), SOON), "the event is kept");
	return 0;
}

/* A peer that takes what it gets is not slowed down; one that storms is. */
static int test_events(u32 count, u32 seed)
{
	struct peer p = {};
	u32 i;

	TRY(peer_start(&p, seed & 1));
	for (i = 0; i < count; i++) {
		u32 index = p.from_driver.index;

		TRY(send(BYTES, 1));
		CHECK(WAIT(READ_ONCE(p.from_driver.shared->prod) != index,
			   SOON), "a frame is not in the ring");
		CHECK(take_all(&p) == 1, "one frame");
		CHECK(WAIT(!fake_event_is_masked(p.port), SOON),
		      "the event is kept");
	}
	CHECK(!fake_event_spurious(p.port), "%lu events of use were delayed",
	      fake_event_spurious(p.port));
	for (i = 0; i < count && !fake_event_spurious(p.port); i++)
		TRY(event(&p));
	CHECK(fake_event_spurious(p.port), "a storm is not slowed down");
	return peer_close(&p);
}

/* A peer that writes its state all the time: few rounds, and no queue. */
static int test_toggles(u32 count, u32 seed)
{
	unsigned long begin, looked, most = 0;
	struct peer p = {};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		TRY(peer_start(&p, i));
		looked = fake_event_looked(p.port);
		begin = jiffies;
		while (time_before(jiffies, begin + msecs_to_jiffies(count))) {
			peer_say(&p, XenbusStateConnected);
			most = max_t(unsigned long, most,
				     READ_ONCE(p.xbdev->otherend_watch.nr_pending));
		}
		looked = fake_event_looked(p.port) - looked;
		count = jiffies_to_msecs(jiffies - begin);
		CHECK(looked > 0 && looked <= 2 + count * 300 / 1000,
		      "%lu rounds in %u ms", looked, count);
		CHECK(most <= 1, "%lu events of its state wait", most);
		TRY(peer_close(&p));
	}
	return 0;
}

static u32 charged, pinned;

/* What a packet keeps from others: its blocks, or for a slab its object. */
static void weigh(struct sk_buff *skb)
{
	struct page *page = virt_to_head_page(skb->head);
	unsigned int i;

	pinned = skb->head_frag ? page_size(page) : ksize(skb->head);
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		page = skb_frag_page(&skb_shinfo(skb)->frags[i]);
		pinned += page_size(compound_head(page));
	}
	charged = skb->truesize;
}

/* A frame to the driver; not published yet. */
static void put(struct peer *p, const struct shmlink_record *record)
{
	struct ethhdr *eth = (struct ethhdr *)frame;

	memset(frame, 0, record->frame_bytes);
	ether_addr_copy(eth->h_dest, driver_mac);
	ether_addr_copy(eth->h_source, peer_mac);
	eth->h_proto = htons(ETH_P_802_EX1);
	peer_put(p, record, frame, record->frame_bytes);
}

static int receive(struct peer *p, const struct shmlink_record *record)
{
	int before = atomic_read(&vif_nr_received);

	put(p, record);
	peer_publish(p, p->to_driver.index);
	peer_event(p);
	CHECK(WAIT(atomic_read(&vif_nr_received) == before + 1, SOON),
	      "a frame of %u bytes is not received", record->frame_bytes);
	CHECK(WAIT(READ_ONCE(p->to_driver.shared->cons) == p->to_driver.index,
		   SOON), "room not given back");
	return 0;
}

static int test_charge(u32 count, u32 seed)
{
	struct shmlink_record record = { .frame_bytes = 14 };
	struct peer p = {};

	TRY(peer_start(&p, seed & 1));
	vif_received = weigh;
	for (; record.frame_bytes <= SHMLINK_FRAME_BYTES_MAX;
	     record.frame_bytes += 211) {
		TRY(receive(&p, &record));
		CHECK(2 * charged >= pinned && pinned >= record.frame_bytes,
		      "%u bytes are charged with %u and pin %u",
		      record.frame_bytes, charged, pinned);
	}
	vif_received = NULL;
	/* A hint that is wrong is no attack. */
	record.frame_bytes = BYTES;
	record.header_bytes = U16_MAX;
	TRY(receive(&p, &record));
	return peer_close(&p);
}

/* What a raw socket may say of its frame does not get to the peer. */
static int test_offload(u32 count, u32 seed)
{
	struct peer p = {};
	struct sk_buff *skb;

	count_anew();
	TRY(peer_start(&p, seed & 1));
	skb = vif_frame(BYTES, 1);
	CHECK(skb, "no memory");
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + 4;
	skb->csum_offset = 2;
	dev_queue_xmit(skb);
	CHECK(WAIT(atomic_read(&by_vif) == 1, SOON),
	      "the frame is not at the vif");
	CHECK(!take_all(&p), "it is in the ring");
	return peer_close(&p);
}

/* The ring is full, and one poll takes no more than its budget. */
static int test_budget(u32 count, u32 seed)
{
	struct shmlink_record record = { .frame_bytes = BYTES };
	int before = atomic_read(&vif_nr_received), said = 0, taken = 0;
	struct peer p = {};
	u32 i;

	TRY(peer_start(&p, seed & 1));
	peer_quiet(&p);
	for (i = 0; i < 100; i++)
		put(&p, &record);
	peer_publish(&p, p.to_driver.index);
	for (i = 0; i < 5; i++) {
		local_bh_disable();
		said += p.link->napi.poll(&p.link->napi, 16);
		local_bh_enable();
		taken = atomic_read(&vif_nr_received) - before;
	}
	/* Before anything is judged: the driver would wait for it. */
	TRY(peer_poll(&p));
	CHECK(said == 80 && taken == 80, "five polls of 16 say %d and take %d",
	      said, taken);
	CHECK(WAIT(atomic_read(&vif_nr_received) == before + 100, SOON),
	      "the rest is not received");
	return peer_close(&p);
}

/* A peer that sends without end where dom0 has set a limit. */
static int test_limit(u32 count, u32 seed)
{
	static const char *const limit[] = { SHMLINK_XS_LIMIT, "300000" };
	struct shmlink_record record = { .frame_bytes = BYTES };
	int before = atomic_read(&vif_nr_received);
	struct peer p = { .wrong = limit };
	unsigned long begin, looked, ms;
	u32 i;

	TRY(peer_start(&p, seed & 1));
	begin = jiffies;
	looked = fake_event_looked(p.port);
	for (i = 0; i < count; i++) {
		put(&p, &record);
		CHECK(WAIT(p.to_driver.index -
			   READ_ONCE(p.to_driver.shared->cons) <=
			   p.ring_bytes - SHMLINK_RECORD_BYTES(BYTES), SOON),
		      "no room in the ring");
		peer_publish(&p, p.to_driver.index);
		peer_event(&p);
	}
	ms = jiffies_to_msecs(jiffies - begin);
	/* What is still in the ring was not taken, and some was at once. */
	CHECK(ms >= (count * BYTES - p.ring_bytes - 300000 / 16) / 300,
	      "%u frames in %lu ms", count, ms);
	looked = fake_event_looked(p.port) - looked;
	CHECK(looked <= 2 + ms * 300 / 1000, "%lu rounds in %lu ms", looked, ms);
	/* The end is not delayed. */
	TRY(peer_close(&p));
	CHECK(atomic_read(&vif_nr_received) == before + count,
	      "%d frames of %u received",
	      atomic_read(&vif_nr_received) - before, count);
	return 0;
}

/* A peer that says that it closes, and goes on to send for @count ms. */
static int test_closing(u32 count, u32 seed)
{
	static const char *const limit[] = { SHMLINK_XS_LIMIT, "300000" };
	struct shmlink_record record = { .frame_bytes = BYTES };
	int before = atomic_read(&vif_nr_received);
	struct peer p = { .wrong = limit };
	unsigned long begin;
	u32 ms, taken;

	TRY(peer_start(&p, seed & 1));
	begin = jiffies;
	peer_say(&p, XenbusStateClosing);
	while (time_before(jiffies, begin + msecs_to_jiffies(count))) {
		if (p.to_driver.index -
		    READ_ONCE(p.to_driver.shared->cons) >
		    p.ring_bytes - SHMLINK_RECORD_BYTES(BYTES)) {
			usleep_range(200, 400);
			continue;
		}
		put(&p, &record);
		peer_publish(&p, p.to_driver.index);
		peer_event(&p);
	}
	ms = jiffies_to_msecs(jiffies - begin);
	taken = atomic_read(&vif_nr_received) - before;
	/* What the ring had, what may come at once, and a frame. */
	CHECK(taken * SHMLINK_RECORD_BYTES(BYTES) <=
	      p.ring_bytes + 300000 / 16 + 300 * ms +
	      SHMLINK_RECORD_BYTES(BYTES), "%u frames in %u ms", taken, ms);
	CHECK(taken * BYTES >= p.ring_bytes / 2, "%u frames", taken);
	return peer_close(&p);
}

/* The peer leaves its pages mapped, and wants the next link. */
static int test_kept(u32 count, u32 seed)
{
	struct peer keeper = {}, p = {};

	TRY(peer_start(&keeper, true));
	/* Release: after the last record. */
	smp_store_release(&keeper.to_driver.shared->closed,
			  SHMLINK_PROD_CLOSED);
	peer_say(&keeper, XenbusStateClosing);
	CHECK(peer_sees(&keeper, XenbusStateClosed), "the driver does not close");
	peer_forget(&keeper);
	CHECK(fake_held() == keeper.nr_grefs, "%u pages are kept", fake_held());

	TRY(peer_open(&p, true));
	peer_write(&p, SHMLINK_XS_MIN_VERSION, "1");
	peer_write(&p, SHMLINK_XS_MAX_VERSION, "2");
	peer_say(&p, XenbusStateInitWait);
	CHECK(peer_sees(&p, XenbusStateClosed), "a link while pages are kept");
	peer_forget(&p);
	peer_free(&p);

	peer_give_back(&keeper);
	CHECK(WAIT(!fake_held(), SOON), "%u pages are not taken back",
	      fake_held());
	peer_free(&keeper);
	TRY(peer_start(&p, true));
	return peer_close(&p);
}

const struct test limits_tests[] = {
	{ "stalled", test_stalled },
	{ "late", test_late },
	{ "events", test_events },
	{ "toggles", test_toggles },
	{ "charge", test_charge },
	{ "offload", test_offload },
	{ "budget", test_budget },
	{ "limit", test_limit },
	{ "closing", test_closing },
	{ "kept", test_kept },
	{ }
};
