// SPDX-License-Identifier: GPL-2.0-only
/* A peer that attacks by other means than a single record. */
#include <linux/etherdevice.h>
#include <linux/hw_breakpoint.h>
#include <linux/if_vlan.h>
#include <linux/kthread.h>
#include <linux/perf_event.h>

#include "peer.h"
#include "records.h"

/* Of the driver's: what it says of a link that has broken. */
static int is_broken(struct peer *p)
{
	CHECK(peer_sees(p, XenbusStateClosed), "the link goes on");
	CHECK(fake_exists(FAKE_PEER_XBT, p->dir, SHMLINK_XS_ERROR),
	      "the driver does not say why");
	return 0;
}

/*
 * The peer's index in the ring to the driver and in that from it.  (That one
 * may go back as long as it leaves what is sent in the ring: less room.)
 */
static const struct {
	bool cons;
	u32 to;
} indices[] = {
	{ false, -8 }, { false, SHMLINK_RING_BYTES_MIN + 8 }, { false, 8 },
	{ false, 0x80000000 }, { false, -1 },
	{ true, 8 }, { true, -SHMLINK_RING_BYTES_MIN },
	{ true, 0x80000000 },
};

static int send_to_full(struct peer *p)
{
	u32 i;

	for (i = 0; i < 200 && !netif_queue_stopped(p->link->netdev); i++) {
		struct sk_buff *skb = vif_frame(4000, i);

		CHECK(skb, "no memory");
		dev_queue_xmit(skb);
	}
	CHECK(netif_queue_stopped(p->link->netdev), "the ring is not full");
	return 0;
}

static int test_indices(u32 count, u32 seed)
{
	struct peer p = {};
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(indices); i++) {
		u32 to = indices[i / 2].to, sent;

		TRY(peer_start(&p, i % 2));
		if (indices[i / 2].cons) {
			TRY(send_to_full(&p));
			/* From what was sent, or from what was taken. */
			to += to == 8 ?
			      READ_ONCE(p.from_driver.shared->prod) : 0;
			WRITE_ONCE(p.from_driver.shared->cons, to);
		} else {
			peer_publish(&p, to);
		}
		peer_event(&p);
		TRY(is_broken(&p));
		sent = atomic_read(&vif_nr_sent);
		dev_queue_xmit(vif_frame(100, i));
		CHECK(WAIT(atomic_read(&vif_nr_sent) > sent, SOON),
		      "nothing goes by the vif");
		TRY(peer_remove(&p));
	}
	return 0;
}

/*
 * A word that the driver reads: with the first read it becomes another.
 */
static u32 *watched, watched_then;
static unsigned int nr_reads;
static bool armed;

static void watched_read(struct perf_event *event,
			 struct perf_sample_data *data, struct pt_regs *regs)
{
	if (READ_ONCE(armed) && !nr_reads++)
		WRITE_ONCE(*watched, watched_then);
}

/* One poll, of what is published up to @prod, with @word watched. */
static int poll_watched(struct peer *p, u32 prod, u32 *word, u32 then)
{
	struct perf_event *__percpu *events;
	struct perf_event_attr attr;
	int rc;

	watched = word;
	watched_then = then;
	nr_reads = 0;
	hw_breakpoint_init(&attr);
	attr.bp_addr = (unsigned long)word;
	attr.bp_len = HW_BREAKPOINT_LEN_4;
	attr.bp_type = HW_BREAKPOINT_RW;
	events = register_wide_hw_breakpoint(&attr, watched_read, NULL);
	CHECK(!IS_ERR((void __force *)events), "no breakpoint");
	mutex_lock(&p->link->lock);
	peer_quiet(p);
	peer_publish(p, prod);
	WRITE_ONCE(armed, true);
	rc = peer_poll(p);
	WRITE_ONCE(armed, false);
	mutex_unlock(&p->link->lock);
	unregister_wide_hw_breakpoint(events);
	CHECK(rc || nr_reads, "breakpoints do not work here");
	return rc;
}

static u32 received_bytes;

static void received(struct sk_buff *skb)
{
	received_bytes = skb->len + ETH_HLEN;
}

/* A record whose word is @then after its first read: as it was before. */
static int reread(struct peer *p, u32 word, u32 then)
{
	struct shmlink_record record = { .frame_bytes = 1000 };
	struct sk_buff *skb = vif_frame(record.frame_bytes, 1);
	struct ethhdr *eth = (struct ethhdr *)skb->data;
	struct side *side = &p->to_driver;
	u32 at = side->index & (side->bytes - 1);
	u32 *header = side->pages[at / PAGE_SIZE] + at % PAGE_SIZE;

	CHECK(at % PAGE_SIZE + sizeof(record) <= PAGE_SIZE, "does not fit");
	ether_addr_copy(eth->h_dest, driver_mac);
	ether_addr_copy(eth->h_source, peer_mac);
	vif_received = received;
	received_bytes = 0;
	peer_put(p, &record, skb->data, record.frame_bytes);
	kfree_skb(skb);
	side_copy(side, side->index, NULL, &(struct shmlink_record) {},
		  sizeof(record));
	TRY(poll_watched(p, side->index, header + word, then));
	CHECK(received_bytes == record.frame_bytes,
	      "word %u: %u bytes, read %u times", word, received_bytes,
	      nr_reads);
	CHECK(word || nr_reads == 1, "its length is read %u times", nr_reads);
	return 0;
}

/* The producer's index moves on once it was read: one frame, then the end. */
static int reread_prod(struct peer *p)
{
	struct shmlink_record record = { .frame_bytes = 100 };
	int before = atomic_read(&vif_nr_received);
	struct sk_buff *skb = vif_frame(record.frame_bytes, 1);
	struct ethhdr *eth = (struct ethhdr *)skb->data;

	ether_addr_copy(eth->h_dest, driver_mac);
	ether_addr_copy(eth->h_source, peer_mac);
	peer_put(p, &record, skb->data, record.frame_bytes);
	kfree_skb(skb);
	TRY(poll_watched(p, p->to_driver.index, &p->to_driver.shared->prod,
			 -8));
	CHECK(READ_ONCE(p->link->broken), "not seen");
	CHECK(atomic_read(&vif_nr_received) == before + 1,
	      "%d frames instead of 1",
	      atomic_read(&vif_nr_received) - before);
	return 0;
}

/* What is in shared memory is read once, or has been copied before. */
static int test_reread(u32 count, u32 seed)
{
	struct peer p = {};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		TRY(peer_start(&p, i));
		TRY(reread(&p, 0, SHMLINK_FRAME_BYTES_MAX));
		TRY(reread(&p, 0, 14));
		TRY(reread(&p, 0, 0));
		TRY(reread_prod(&p));
		TRY(is_broken(&p));
		TRY(peer_remove(&p));
	}
	return 0;
}

/*
 * Another processor writes to the records while the driver reads them.  Each
 * BLOCK of the ring begins with a header, and any of the lengths that it gets
 * leads to another one: whatever the driver reads, it is a good record.
 */
#define BLOCK	512

static struct peer *scribbled;

static struct shmlink_record *block_header(struct side *side, u32 block)
{
	u32 at = block * BLOCK & (side->bytes - 1);

	return side->pages[at / PAGE_SIZE] + at % PAGE_SIZE;
}

static void fill_blocks(struct side *side)
{
	u32 i;

	for (i = 0; i < side->bytes / BLOCK; i++) {
		struct shmlink_record *record = block_header(side, i);
		struct ethhdr *eth = (struct ethhdr *)(record + 1);

		memset(record, 0, BLOCK);
		record->frame_bytes = BLOCK - sizeof(*record);
		record->vlan_proto = ETH_P_8021Q;
		record->flags = SHMLINK_RECORD_CSUM_VALID;
		ether_addr_copy(eth->h_dest, driver_mac);
		ether_addr_copy(eth->h_source, peer_mac);
		eth->h_proto = htons(ETH_P_802_EX1);
	}
}

static int scribble(void *data)
{
	struct side *side = &scribbled->to_driver;
	struct rnd_state rnd;
	u32 n = 0;

	prandom_seed_state(&rnd, (unsigned long)data);
	while (!kthread_should_stop()) {
		u32 cons = READ_ONCE(side->shared->cons);
		u32 what = prandom_u32_state(&rnd);
		struct shmlink_record *record =
			block_header(side, cons / BLOCK + what % 8);

		WRITE_ONCE(record->frame_bytes,
			   BLOCK * (1 + (what >> 8) % 8) - sizeof(*record));
		WRITE_ONCE(record->flags, (what >> 16) % 2 ?
			   SHMLINK_RECORD_VLAN : SHMLINK_RECORD_CSUM_VALID);
		if (!(++n % 256)) {
			peer_publish(scribbled, cons + side->bytes / 2);
			cond_resched();
		}
	}
	return 0;
}

static u32 nr_wrong, nr_received;

/* Whatever it is, it fits together and is for us. */
static void received_any(struct sk_buff *skb)
{
	const struct ethhdr *eth = eth_hdr(skb);
	u32 bytes = skb->len + ETH_HLEN + sizeof(struct shmlink_record);

	nr_received++;
	if (bytes % BLOCK || bytes > 8 * BLOCK ||
	    !ether_addr_equal(eth->h_source, peer_mac) ||
	    !ether_addr_equal(eth->h_dest, driver_mac) ||
	    skb_vlan_tag_present(skb) ==
	    (skb->ip_summed == CHECKSUM_UNNECESSARY))
		nr_wrong++;
}

static int race(struct peer *p, u32 count, unsigned long seed)
{
	struct task_struct *task;
	u32 i;

	scribbled = p;
	vif_received = received_any;
	fill_blocks(&p->to_driver);
	task = kthread_create(scribble, (void *)seed, "scribble");
	CHECK(!IS_ERR(task), "no thread");
	kthread_bind(task, 1);
	wake_up_process(task);
	for (i = 0; i < count && p->link->phase == SHMLINK_CONNECTED; i++) {
		peer_event(p);
		usleep_range(20, 60);
	}
	kthread_stop(task);
	return 0;
}

static int test_race(u32 count, u32 seed)
{
	u32 done = 0, links;
	struct peer p = {};

	nr_received = 0;
	nr_wrong = 0;
	for (links = 0; done < count && links < 100; links++) {
		u32 before = nr_received;

		TRY(peer_start(&p, links % 2));
		TRY(race(&p, count / 4, seed + links));
		TRY(peer_remove(&p));
		done += nr_received - before;
	}
	CHECK(!nr_wrong, "%u of %u frames do not fit", nr_wrong, nr_received);
	CHECK(nr_received, "none received");
	return 0;
}

static int storm_thread(void *peer)
{
	u32 n = 0;

	while (!kthread_should_stop()) {
		peer_event(peer);
		if (!(++n % 64))
			cond_resched();
	}
	return 0;
}

/* Events with nothing to do come no faster than the driver lets them. */
static int test_storm(u32 count, u32 seed)
{
	struct task_struct *task;
	struct peer p = {};
	u64 notified, most;
	unsigned long begun;

	TRY(peer_start(&p, true));
	task = kthread_create(storm_thread, &p, "storm");
	CHECK(!IS_ERR(task), "no thread");
	kthread_bind(task, 1);
	begun = jiffies;
	notified = p.link->counters.rx_notifications;
	wake_up_process(task);
	msleep(count);
	kthread_stop(task);
	notified = p.link->counters.rx_notifications - notified;
	/* One for each delay, those before the first, and some. */
	most = 200 + 2 * (jiffies - begun);
	CHECK(notified <= most, "%llu events in %lu jiffies", notified,
	      jiffies - begun);
	CHECK(fake_event_spurious(p.port), "none was called spurious");
	/* And the link still works. */
	TRY(reread(&p, 0, 0));
	return peer_close(&p);
}

const struct test hostile_tests[] = {
	{ "indices", test_indices },
	{ "reread", test_reread },
	{ "race", test_race },
	{ "storm", test_storm },
	{ }
};
