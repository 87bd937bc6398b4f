// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a frame costs the driver's guest, in instructions: run --instructions
 * has QEMU count them as nanoseconds, so that each run gives the same figures.
 */
#include <linux/etherdevice.h>
#include <linux/if_ether.h>

#include "peer.h"

/* Frames, and so many each of which the peer tells or asks. */
#define FRAMES		2048
#define BURST		16
#define RING_BYTES	(1024 * 1024)

static const u32 sizes[] = { 66, 590, 1514, 4096, 16384, 60000 };
static u8 frame[SHMLINK_FRAME_BYTES_MAX];

static void receive(struct peer *p, u32 bytes, u32 burst)
{
	struct shmlink_record record = { .frame_bytes = bytes };
	u32 i;

	for (i = 0; i < burst; i++)
		peer_put(p, &record, frame, bytes);
	peer_publish(p, p->to_driver.index);
}

/* As after an event of the peer's.  Seldom another thread is to do it. */
static u64 poll_cost(struct peer *p)
{
	struct napi_struct *napi = &p->link->napi;
	u64 begin = rdtsc_ordered();

	local_bh_disable();
	napi_schedule(napi);
	local_bh_enable();
	while (test_bit(NAPI_STATE_SCHED, &napi->state))
		yield();
	return rdtsc_ordered() - begin;
}

static int cost_of_receiving(struct peer *p, u32 bytes, u32 burst, u64 *cost_r)
{
	int before = atomic_read(&vif_nr_received);
	u32 i;

	*cost_r = 0;
	for (i = 0; i < FRAMES; i += burst) {
		receive(p, bytes, burst);
		*cost_r += poll_cost(p);
	}
	CHECK(atomic_read(&vif_nr_received) == before + FRAMES,
	      "%d of %u bytes were received, %llu dropped",
	      atomic_read(&vif_nr_received) - before, bytes,
	      p->link->counters.rx_drops);
	return 0;
}

/* The peer has taken the lot before it is told of it. */
static int cost_of_sending(struct peer *p, u32 bytes, u32 burst, u64 *cost_r)
{
	struct side *side = &p->from_driver;
	u64 begin, sent = p->link->counters.tx_packets;
	struct sk_buff *skb;
	u32 i;

	*cost_r = 0;
	for (i = 0; i < FRAMES; i++) {
		skb = vif_frame(bytes, 1);
		CHECK(skb, "no memory");
		begin = rdtsc_ordered();
		dev_queue_xmit(skb);
		*cost_r += rdtsc_ordered() - begin;
		if ((i + 1) % burst)
			continue;
		side->index = READ_ONCE(side->shared->prod);
		WRITE_ONCE(side->shared->prod_event, side->index + 1);
		peer_release(p);
		*cost_r += poll_cost(p);
	}
	CHECK(p->link->counters.tx_packets == sent + FRAMES,
	      "not all were sent");
	return 0;
}

static int test_cost(u32 count, u32 seed)
{
	struct peer p = { .ring_bytes = RING_BYTES };
	struct ethhdr *eth = (struct ethhdr *)frame;
	u64 cost[4];
	u32 i;

	ether_addr_copy(eth->h_dest, driver_mac);
	ether_addr_copy(eth->h_source, peer_mac);
	eth->h_proto = htons(ETH_P_802_EX1);
	TRY(peer_start(&p, seed & 1));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		TRY(cost_of_receiving(&p, sizes[i], 1, &cost[0]));
		TRY(cost_of_receiving(&p, sizes[i], BURST, &cost[1]));
		TRY(cost_of_sending(&p, sizes[i], 1, &cost[2]));
		TRY(cost_of_sending(&p, sizes[i], BURST, &cost[3]));
		pr_warn("cost of %5u bytes: received %6llu alone %6llu of %u, sent %6llu alone %6llu of %u\n",
			sizes[i], cost[0] / FRAMES, cost[1] / FRAMES, BURST,
			cost[2] / FRAMES, cost[3] / FRAMES, BURST);
	}
	return peer_close(&p);
}

const struct test cost_tests[] = {
	{ "cost", test_cost },
	{ }
};
