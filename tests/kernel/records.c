// SPDX-License-Identifier: GPL-2.0-only
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/slab.h>
#include <linux/tcp.h>

#include "records.h"

/* Some are too long. */
#define FRAME_ROOM	(SHMLINK_FRAME_BYTES_MAX + 64)
#define TCP_HEADERS	(ETH_HLEN + sizeof(struct iphdr) + sizeof(struct tcphdr))

struct trial *trial_new(u32 seed)
{
	struct trial *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	prandom_seed_state(&t->rnd, seed);
	t->frame = kvmalloc(FRAME_ROOM, GFP_KERNEL);
	t->got = kvmalloc(FRAME_ROOM, GFP_KERNEL);
	if (!t->frame || !t->got) {
		trial_free(t);
		return NULL;
	}
	return t;
}

void trial_free(struct trial *t)
{
	if (!t)
		return;
	kvfree(t->frame);
	kvfree(t->got);
	kfree(t);
}

u32 trial_random(struct trial *t, u32 below)
{
	return prandom_u32_state(&t->rnd) % below;
}

/* Sizes, most of them small, and those where something changes. */
static u32 random_bytes(struct trial *t)
{
	static const u32 edges[] = {
		14, 15, 60, 128, 1514, 1799, 1800, 1801, 4072, 4096, 32768,
		32896, 32897, 65535, SHMLINK_FRAME_BYTES_MAX,
	};
	u32 what = trial_random(t, 16);

	if (what < 4)
		return edges[trial_random(t, ARRAY_SIZE(edges))];
	if (what == 4)
		return 14 + trial_random(t, SHMLINK_FRAME_BYTES_MAX - 13);
	if (what < 8)
		return 14 + trial_random(t, 4096);
	return 14 + trial_random(t, 300);
}

static void fill_frame(struct trial *t)
{
	struct ethhdr *eth = (struct ethhdr *)t->frame;

	frame_fill(t->frame, t->bytes, prandom_u32_state(&t->rnd));
	memset(t->frame + t->bytes, 0, SHMLINK_RECORD_ALIGN);
	ether_addr_copy(eth->h_dest, driver_mac);
	ether_addr_copy(eth->h_source, peer_mac);
	eth->h_proto = htons(ETH_P_802_EX1);
}

/* A large TCP packet, as the stack makes them. */
static void make_gso(struct trial *t)
{
	struct ethhdr *eth = (struct ethhdr *)t->frame;
	struct iphdr *ip = (struct iphdr *)(eth + 1);
	struct tcphdr *tcp = (struct tcphdr *)(ip + 1);

	if (t->bytes < TCP_HEADERS + 1)
		t->bytes = TCP_HEADERS + 1;
	if (t->bytes > 65535)
		t->bytes = 65535;
	fill_frame(t);
	eth->h_proto = htons(ETH_P_IP);
	ip->version = 4;
	ip->ihl = 5;
	ip->protocol = IPPROTO_TCP;
	ip->frag_off = 0;
	ip->tot_len = htons(t->bytes - ETH_HLEN);
	tcp->doff = 5;
	t->record.flags = SHMLINK_RECORD_CSUM_PARTIAL;
	t->record.csum_start = ETH_HLEN + sizeof(*ip);
	t->record.csum_offset = offsetof(struct tcphdr, check);
	t->record.gso_type = SHMLINK_GSO_TCPV4;
	t->record.gso_size = 1000 + trial_random(t, 460);
	t->record.header_bytes = TCP_HEADERS;
}

static void make_valid(struct trial *t)
{
	struct shmlink_record *r = &t->record;

	memset(r, 0, sizeof(*r));
	t->bytes = random_bytes(t);
	t->plain = true;
	switch (trial_random(t, 8)) {
	case 0:
		r->flags = SHMLINK_RECORD_VLAN | SHMLINK_RECORD_CSUM_VALID;
		r->vlan_proto = trial_random(t, 2) ? ETH_P_8021Q : ETH_P_8021AD;
		r->vlan_tci = prandom_u32_state(&t->rnd);
		break;
	case 1:
		if (t->bytes < 60)
			break;
		r->flags = SHMLINK_RECORD_CSUM_PARTIAL;
		r->csum_start = 14 + trial_random(t, t->bytes - 20);
		r->csum_offset =
			trial_random(t, t->bytes - r->csum_start - 1);
		/* The kernel wants the sum in the linear part. */
		t->plain = r->csum_start + r->csum_offset < 100;
		break;
	case 2:
	case 3:
		make_gso(t);
		r->frame_bytes = t->bytes;
		return;
	case 4:
		r->flags = SHMLINK_RECORD_CSUM_VALID;
		break;
	case 5:
		if (!trial_random(t, 8))
			t->bytes = SHMLINK_FRAME_BYTES_MAX + trial_random(t, 8);
		break;
	}
	fill_frame(t);
	r->frame_bytes = t->bytes;
}

static u32 random_length(struct trial *t)
{
	const u32 lengths[] = {
		0, 1, 13, t->bytes - 1, t->bytes + 1, t->bytes + 8,
		SHMLINK_FRAME_BYTES_MAX, SHMLINK_FRAME_BYTES_MAX + 1,
		0x7fffffff, 0x80000000, 0xffffffe8, 0xffffffff,
		prandom_u32_state(&t->rnd),
	};

	return lengths[trial_random(t, ARRAY_SIZE(lengths))];
}

static u32 random_used(struct trial *t, u32 ring_bytes)
{
	const u32 lengths[] = {
		0, 1, 8, 23, t->used - 8, t->used - 1, t->used + 1,
		t->used + 8, t->used + 24, t->used + 32, ring_bytes + 1,
		ring_bytes + 8, 0x80000000, -8, -1,
		prandom_u32_state(&t->rnd),
	};

	return lengths[trial_random(t, ARRAY_SIZE(lengths))];
}

/* One thing is wrong with it, or may be. */
static void mutate(struct trial *t, u32 ring_bytes)
{
	struct shmlink_record *r = &t->record;
	u16 *words[] = {
		&r->gso_size, &r->header_bytes, &r->csum_start,
		&r->csum_offset, &r->vlan_proto, &r->flags,
	};
	u32 what = trial_random(t, 14);

	t->plain = false;
	if (what < ARRAY_SIZE(words)) {
		*words[what] = trial_random(t, 2) ?
			prandom_u32_state(&t->rnd) :
			r->frame_bytes - 2 + trial_random(t, 5);
	} else if (what < 8) {
		r->frame_bytes = random_length(t);
	} else if (what < 10) {
		t->used = random_used(t, ring_bytes);
	} else if (what == 10) {
		r->gso_type = prandom_u32_state(&t->rnd);
	} else if (what == 11) {
		r->flags ^= 1U << trial_random(t, 16);
	} else if (what == 12) {
		t->frame[trial_random(t, 12)] ^= 1U << trial_random(t, 8);
	} else {
		t->frame[trial_random(t, t->bytes)] ^= 1U << trial_random(t, 8);
	}
}

void record_make(struct trial *t, u32 ring_bytes)
{
	/* Anywhere, and often where the index passes zero. */
	t->index = prandom_u32_state(&t->rnd) & ~(SHMLINK_RECORD_ALIGN - 1);
	if (!trial_random(t, 4))
		t->index = -(t->index % ring_bytes);
	make_valid(t);
	t->used = SHMLINK_RECORD_BYTES(t->bytes);
	if (trial_random(t, 2))
		mutate(t, ring_bytes);
}

static bool offload_is_valid(const struct shmlink_record *r)
{
	u32 end = (u32)r->csum_start + r->csum_offset + 2;
	u8 type = r->gso_type & ~SHMLINK_GSO_ECN;

	if ((r->flags & SHMLINK_RECORD_CSUM_PARTIAL) &&
	    (r->csum_start < ETH_HLEN || end > r->frame_bytes))
		return false;
	if (!r->gso_type)
		return !r->gso_size;
	return (r->flags & SHMLINK_RECORD_CSUM_PARTIAL) && r->gso_size &&
	       (type == SHMLINK_GSO_TCPV4 || type == SHMLINK_GSO_TCPV6);
}

enum verdict record_judge(const struct trial *t)
{
	const struct shmlink_record *r = &t->record;
	const struct ethhdr *eth = (const struct ethhdr *)t->frame;

	if (!t->used)
		return NOTHING;
	if (t->used > SHMLINK_RING_BYTES_MIN || t->used < sizeof(*r) ||
	    r->frame_bytes < SHMLINK_FRAME_BYTES_MIN ||
	    r->frame_bytes > SHMLINK_FRAME_BYTES_MAX ||
	    SHMLINK_RECORD_BYTES(r->frame_bytes) > t->used ||
	    (r->flags & ~7) || !offload_is_valid(r) ||
	    ((r->flags & SHMLINK_RECORD_VLAN) &&
	     r->vlan_proto != ETH_P_8021Q && r->vlan_proto != ETH_P_8021AD))
		return REFUSE;
	if (!ether_addr_equal(eth->h_source, peer_mac) ||
	    !ether_addr_equal(eth->h_dest, driver_mac))
		return DROP;
	if (t->plain || !(r->flags & SHMLINK_RECORD_CSUM_PARTIAL))
		return ACCEPT;
	return EITHER;
}

void record_print(const struct trial *t)
{
	const struct shmlink_record *r = &t->record;

	pr_err("trial %u: at %u used %u of %u: frame %u flags %#x gso %#x %u headers %u csum %u %u vlan %#x; received %u altered %u dropped %u broken %u\n",
	       t->number, t->index, t->used, t->bytes, r->frame_bytes,
	       r->flags, r->gso_type, r->gso_size, r->header_bytes,
	       r->csum_start, r->csum_offset, r->vlan_proto, t->received,
	       t->altered, t->dropped, t->broken);
}
