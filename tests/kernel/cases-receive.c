// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records that the driver receives: each is judged here by the wire format's
 * own words, and the driver has to come to the same end.
 *
 * A refused record ends a link, which takes a while.  So the link's lock is
 * held meanwhile, and what the driver has noted is taken back, so that its
 * state machine finds a link that is well.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/vmalloc.h>

#include "peer.h"
#include "records.h"

/* What the trial that runs has sent, and what came of it. */
static struct trial *current_trial;

/* Some kernels raise a tiny size; what fits into one segment has none. */
static bool is_segmented_as_sent(const struct trial *t,
				 const struct sk_buff *skb)
{
	const struct shmlink_record *r = &t->record;
	u16 size = skb_shinfo(skb)->gso_size;

	if (skb_is_gso(skb))
		return r->gso_type && (size == r->gso_size ||
				       (r->gso_size < 8 && size == 8));
	return !r->gso_type || !t->plain ||
	       r->frame_bytes <= 200 + r->gso_size;
}

/* What is received has to be what was sent, whatever is true of that. */
static bool is_as_sent(const struct trial *t, struct sk_buff *skb)
{
	const struct shmlink_record *r = &t->record;
	bool csum = r->flags & SHMLINK_RECORD_CSUM_PARTIAL;

	if (skb->len + ETH_HLEN != r->frame_bytes ||
	    skb->truesize < skb->len ||
	    skb_copy_bits(skb, -ETH_HLEN, t->got, r->frame_bytes) ||
	    memcmp(t->got, t->frame, r->frame_bytes))
		return false;
	if (skb_vlan_tag_present(skb) != !!(r->flags & SHMLINK_RECORD_VLAN))
		return false;
	if (skb_vlan_tag_present(skb) &&
	    (skb->vlan_proto != htons(r->vlan_proto) ||
	     skb_vlan_tag_get(skb) != r->vlan_tci))
		return false;
	if (!is_segmented_as_sent(t, skb))
		return false;
	if (!csum)
		return skb->ip_summed ==
		       (r->flags & SHMLINK_RECORD_CSUM_VALID ?
			CHECKSUM_UNNECESSARY : CHECKSUM_NONE);
	return skb->ip_summed == CHECKSUM_PARTIAL &&
	       skb_checksum_start_offset(skb) + ETH_HLEN == r->csum_start &&
	       skb->csum_offset == r->csum_offset &&
	       r->csum_start + r->csum_offset + 2 <=
	       skb_headlen(skb) + ETH_HLEN;
}

static void received(struct sk_buff *skb)
{
	struct trial *t = current_trial;

	t->received++;
	if (!is_as_sent(t, skb))
		t->altered++;
}

/* Both sides agree again, at @index, and nothing has happened. */
static void reset(struct peer *p, u32 index)
{
	struct shmlink_ring *rx = &p->link->rx;

	rx->mine = index;
	rx->published = index;
	rx->theirs = index;
	p->to_driver.index = index;
	p->to_driver.shared->cons = index;
	peer_publish(p, index);
	WRITE_ONCE(p->link->broken, false);
}

/* Sends the trial's record; the link's lock is held. */
static int send(struct peer *p, struct trial *t)
{
	u64 drops = p->link->counters.rx_drops;
	static const struct shmlink_record none;

	t->received = 0;
	t->altered = 0;
	current_trial = t;
	peer_quiet(p);
	reset(p, t->index);
	peer_put(p, &t->record, t->frame,
		 ALIGN(t->bytes, SHMLINK_RECORD_ALIGN));
	/* What follows is no record. */
	side_copy(&p->to_driver, p->to_driver.index, NULL, &none, sizeof(none));
	peer_publish(p, t->index + t->used);
	TRY(peer_poll(p));
	t->dropped = p->link->counters.rx_drops - drops;
	t->broken = READ_ONCE(p->link->broken);
	return 0;
}

static int check(struct peer *p, const struct trial *t, u32 index)
{
	u32 cons = READ_ONCE(p->to_driver.shared->cons);
	enum verdict verdict = record_judge(t);
	bool more = t->used > SHMLINK_RECORD_BYTES(t->record.frame_bytes);

	CHECK(!t->altered, "trial %u: not as it was sent", t->number);
	CHECK(READ_ONCE(p->from_driver.shared->prod) == 0,
	      "trial %u: something was sent", t->number);
	switch (verdict) {
	case NOTHING:
		CHECK(!t->broken && !t->received && !t->dropped,
		      "trial %u: was nothing", t->number);
		return 0;
	case REFUSE:
		CHECK(t->broken && !t->received && !t->dropped,
		      "trial %u: was to be refused", t->number);
		return 0;
	case ACCEPT:
		CHECK(t->received == 1, "trial %u: was to be received",
		      t->number);
		break;
	case DROP:
		CHECK(t->dropped == 1, "trial %u: was to be dropped",
		      t->number);
		break;
	case EITHER:
		break;
	}
	CHECK(t->received + t->dropped == 1, "trial %u: %u and %u", t->number,
	      t->received, t->dropped);
	/* Behind the record there is none. */
	CHECK(t->broken == more, "trial %u: what follows is no record",
	      t->number);
	CHECK(cons == (u32)(index + SHMLINK_RECORD_BYTES(t->record.frame_bytes)),
	      "trial %u: room not given back", t->number);
	return 0;
}

static int one_trial(struct peer *p, struct trial *t)
{
	u32 index = t->index;
	int rc;

	mutex_lock(&p->link->lock);
	rc = send(p, t);
	if (!rc)
		rc = check(p, t, index);
	if (rc)
		record_print(t);
	peer_quiet(p);
	reset(p, index);
	rc = peer_poll(p) ? -EIO : rc;
	mutex_unlock(&p->link->lock);
	return rc;
}

static int many_trials(struct peer *p, struct trial *t, u32 count)
{
	vif_received = received;
	for (t->number = 0; t->number < count; t->number++) {
		record_make(t, p->to_driver.bytes);
		TRY(one_trial(p, t));
		cond_resched();
	}
	return 0;
}

/* Records, half of them with something wrong, in both roles. */
static int test_records(u32 count, u32 seed)
{
	struct trial *t = trial_new(seed);
	struct peer p = {};
	unsigned int i;
	int rc = t ? 0 : -ENOMEM;

	for (i = 0; i < 2 && !rc; i++) {
		rc = peer_start(&p, i);
		if (!rc)
			rc = many_trials(&p, t, count / 2);
		if (!rc)
			rc = peer_close(&p);
	}
	trial_free(t);
	return rc;
}

const struct test receive_tests[] = {
	{ "records", test_records },
	{ }
};
