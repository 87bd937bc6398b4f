// SPDX-License-Identifier: GPL-2.0-only
/* Links that come and go. */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/slab.h>

#include "peer.h"

#define BYTES	1000

static u8 wanted[BYTES], got[BYTES];
static bool as_wanted;

static void compare(struct sk_buff *skb)
{
	as_wanted = skb->len + ETH_HLEN == BYTES &&
		    !skb_copy_bits(skb, -ETH_HLEN, got, BYTES) &&
		    !memcmp(wanted, got, BYTES);
}

static int one_to_driver(struct peer *p)
{
	struct shmlink_record record = { .frame_bytes = BYTES };
	struct ethhdr *eth = (struct ethhdr *)wanted;
	int before = atomic_read(&vif_nr_received);

	frame_fill(wanted, BYTES, 1);
	ether_addr_copy(eth->h_dest, driver_mac);
	ether_addr_copy(eth->h_source, peer_mac);
	eth->h_proto = htons(ETH_P_802_EX1);
	as_wanted = false;
	vif_received = compare;
	peer_put(p, &record, wanted, BYTES);
	peer_publish(p, p->to_driver.index);
	peer_event(p);
	CHECK(WAIT(atomic_read(&vif_nr_received) == before + 1, SOON),
	      "the frame is not received");
	CHECK(as_wanted, "it is not the one that was sent");
	CHECK(WAIT(READ_ONCE(p->to_driver.shared->cons) == p->to_driver.index,
		   SOON), "room not given back");
	CHECK(WAIT(READ_ONCE(p->to_driver.shared->prod_event) ==
		   p->to_driver.index + 1, SOON), "no event asked for");
	return 0;
}

static int one_from_driver(struct peer *p)
{
	struct shmlink_record record;
	struct sk_buff *skb = vif_frame(BYTES, 2);

	CHECK(skb, "no memory");
	memcpy(wanted, skb->data, BYTES);
	dev_queue_xmit(skb);
	CHECK(WAIT(READ_ONCE(p->from_driver.shared->prod) ==
		   SHMLINK_RECORD_BYTES(BYTES), SOON),
	      "the frame is not in the ring");
	TRY(peer_take(p, &record, got, BYTES) == 1 ? 0 : -EIO);
	CHECK(record.frame_bytes == BYTES && !memcmp(wanted, got, BYTES),
	      "it is not the one that was sent");
	peer_release(p);
	return 0;
}

/* A link of each role, a frame each way. */
static int test_frames(u32 count, u32 seed)
{
	struct peer p = {};
	unsigned int i;

	for (i = 0; i < 2; i++) {
		TRY(peer_start(&p, i));
		TRY(one_to_driver(&p));
		TRY(one_from_driver(&p));
		TRY(peer_close(&p));
	}
	return 0;
}

/* How far a link is, and how it ends. */
enum stage { OPENED, OFFERED, CONNECTED, BUSY, NR_STAGES };
enum way { CLOSE, VANISH, REMOVE, SUSPEND, KEEP, NR_WAYS };

static int reach(struct peer *p, enum stage stage)
{
	struct shmlink_record record = { .frame_bytes = BYTES };
	unsigned int i;

	if (stage >= OFFERED)
		TRY(peer_offer(p));
	if (stage >= CONNECTED)
		TRY(peer_connect(p));
	if (stage == BUSY) {
		for (i = 0; i < 10; i++)
			dev_queue_xmit(vif_frame(BYTES, i));
		peer_put(p, &record, wanted, BYTES);
		peer_publish(p, p->to_driver.index);
	}
	return 0;
}

static int end(struct peer *p, enum way way)
{
	switch (way) {
	case CLOSE:
		return peer_close(p);
	case VANISH:
		fake_rm(FAKE_PEER_XBT, p->other, "");
		CHECK(peer_sees(p, XenbusStateClosed), "it does not close");
		break;
	case SUSPEND:
		fake_device_suspend(p->xbdev);
		CHECK(READ_ONCE(p->link->phase) == SHMLINK_CLOSED,
		      "not closed before suspend");
		break;
	case KEEP:
		/* The peer never unmaps: the driver does not wait for it. */
		p->keeps = true;
		break;
	default:
		break;
	}
	return peer_remove(p);
}

/* From each state in each way: all is given back, and a new link works. */
static int test_ends(u32 count, u32 seed)
{
	struct peer p = {};
	unsigned int i, way, stage;

	for (i = 0; i < 2; i++) {
		for (stage = 0; stage < NR_STAGES; stage++) {
			for (way = 0; way < NR_WAYS; way++) {
				TRY(peer_open(&p, i));
				TRY(reach(&p, stage));
				TRY(end(&p, way));
			}
		}
	}
	return test_frames(1, 1);
}

const struct test link_tests[] = {
	{ "frames", test_frames },
	{ "ends", test_ends },
	{ }
};
