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

const struct test link_tests[] = {
	{ "frames", test_frames },
	{ }
};
