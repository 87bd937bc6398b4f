// SPDX-License-Identifier: GPL-2.0-only
/*
 * A frame out of the ring as a packet that the vif has received.
 *
 * A packet is charged to its socket with at least half of the memory that it
 * keeps from others: a half of a page for its head, and blocks of pages that it
 * does not share.  Smaller parts, as napi_alloc_skb() gives, would be charged
 * with their own size, while one that is left in a socket pins its block.
 *
 * All of it comes from pools, which get it back: fresh memory would be zeroed
 * first, on kernels that do so, which costs as much as the copying.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/virtio_net.h>

#include "driver.h"

/* Two of them share a page. */
#define HEAD_BYTES		2048U
#define HEAD_PAD		(NET_SKB_PAD + NET_IP_ALIGN)
/* Frames up to this size are all head. */
#define COPY_BYTES_MAX		min_t(u32, SKB_WITH_OVERHEAD(HEAD_BYTES) - \
					   HEAD_PAD, 1600)
/* Of larger ones this much, or all headers, is; at most the second. */
#define LINEAR_BYTES		128
#define LINEAR_BYTES_MAX	512
/* Each pool keeps so many pages. */
#define POOL_PAGES		256

/* Checksum and GSO as the peer says, in the form that the kernel checks. */
static int skb_set_offload(struct sk_buff *skb,
			   const struct shmlink_record *record)
{
	struct virtio_net_hdr hdr = { .gso_type = VIRTIO_NET_HDR_GSO_NONE };

	if (record->flags & SHMLINK_RECORD_CSUM_PARTIAL) {
		hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr.csum_start = (__force __virtio16)
			cpu_to_le16(record->csum_start);
		hdr.csum_offset = (__force __virtio16)
			cpu_to_le16(record->csum_offset);
	} else if (record->flags & SHMLINK_RECORD_CSUM_VALID) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	}
	switch (record->gso_type & SHMLINK_GSO_TYPE_MASK) {
	case SHMLINK_GSO_TCPV4:
		hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		break;
	case SHMLINK_GSO_TCPV6:
		hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
		break;
	}
	if (record->gso_type & SHMLINK_GSO_ECN)
		hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	hdr.gso_size = (__force __virtio16)cpu_to_le16(record->gso_size);
	return virtio_net_hdr_to_skb(skb, &hdr, true);
}

static u32 linear_bytes(const struct shmlink_record *record)
{
	u32 bytes = max_t(u32, LINEAR_BYTES, record->header_bytes);

	if (record->flags & SHMLINK_RECORD_CSUM_PARTIAL)
		bytes = max_t(u32, bytes, (u32)record->csum_start +
					  record->csum_offset + 2);
	return min_t(u32, min_t(u32, bytes, LINEAR_BYTES_MAX),
		     record->frame_bytes);
}

static struct sk_buff *alloc_linear(struct shmlink_link *link, u32 bytes)
{
	struct page_pool *pool = link->pools[SHMLINK_POOL_HEADS];
	struct sk_buff *skb;
	struct page *page;
	unsigned int at;

	page = page_pool_alloc_frag(pool, &at, HEAD_BYTES,
				    GFP_ATOMIC | __GFP_NOWARN);
	if (!page)
		return NULL;
	skb = napi_build_skb(page_address(page) + at, HEAD_BYTES);
	if (!skb) {
		page_pool_put_full_page(pool, page, true);
		return NULL;
	}
	skb_mark_for_recycle(skb);
	skb_reserve(skb, HEAD_PAD);
	shmlink_ring_get(&link->rx, 0, skb_put(skb, bytes), bytes);
	return skb;
}

static struct sk_buff *alloc_large(const struct shmlink_ring *ring,
				   const struct shmlink_record *record)
{
	u32 linear = linear_bytes(record);
	u32 offset = linear;
	struct sk_buff *skb;
	unsigned int i;
	int err;

	skb = alloc_skb_with_frags(NET_SKB_PAD + linear,
				   record->frame_bytes - linear,
				   PAGE_ALLOC_COSTLY_ORDER, &err,
				   GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD);
	shmlink_ring_get(ring, 0, skb_put(skb, linear), linear);
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		shmlink_ring_get(ring, offset, skb_frag_address(frag),
				 skb_frag_size(frag));
		offset += skb_frag_size(frag);
	}
	skb->len = record->frame_bytes;
	skb->data_len = record->frame_bytes - linear;
	return skb;
}

static struct sk_buff *alloc_pooled(struct shmlink_link *link,
				    const struct shmlink_record *record)
{
	u32 offset = linear_bytes(record);
	struct sk_buff *skb = alloc_linear(link, offset);

	if (!skb)
		return NULL;
	while (offset < record->frame_bytes) {
		u32 left = record->frame_bytes - offset;
		unsigned int order = shmlink_block_order(left);
		u32 block = PAGE_SIZE << order;
		struct page *page =
			page_pool_alloc_pages(link->pools[order],
					      GFP_ATOMIC | __GFP_NOWARN);

		if (!page) {
			kfree_skb(skb);
			return NULL;
		}
		left = min(left, block);
		shmlink_ring_get(&link->rx, offset, page_address(page), left);
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, 0, left,
				block);
		offset += left;
	}
	return skb;
}

/* The record's frame as a packet, or NULL when memory is short. */
static struct sk_buff *copy_frame(struct shmlink_link *link,
				  const struct shmlink_record *record)
{
	struct sk_buff *skb;

	if (record->frame_bytes <= COPY_BYTES_MAX)
		return alloc_linear(link, record->frame_bytes);
	skb = alloc_pooled(link, record);
	return skb ? skb : alloc_large(&link->rx, record);
}

/* Makes the packet one that @vif received, or refuses it. */
static bool skb_prepare(struct shmlink_link *link, struct sk_buff *skb,
			const struct shmlink_record *record,
			struct net_device *vif)
{
	const struct ethhdr *eth = (const struct ethhdr *)skb->data;

	if (!vif ||
	    !ether_addr_equal(eth->h_source, link->config.peer_mac) ||
	    !ether_addr_equal(eth->h_dest, link->config.mac) ||
	    skb_set_offload(skb, record))
		return false;

	if (record->flags & SHMLINK_RECORD_VLAN)
		__vlan_hwaccel_put_tag(skb, htons(record->vlan_proto),
				       record->vlan_tci);
	skb->protocol = eth_type_trans(skb, vif);
	return true;
}

/**
 * shmlink_frame_take - a packet of the next record's frame
 * @link: in its poll
 * @record: as peeked at; the caller goes on to the next one
 * @vif: what receives it, NULL for none
 *
 * Return: the packet, or NULL when it is not one that the vif would receive, or
 * memory is short.
 */
struct sk_buff *shmlink_frame_take(struct shmlink_link *link,
				   const struct shmlink_record *record,
				   struct net_device *vif)
{
	struct sk_buff *skb = copy_frame(link, record);

	if (skb && !skb_prepare(link, skb, record, vif)) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

static struct page_pool *make_pool(unsigned int order, unsigned int flags)
{
	struct page_pool_params params = {
		.flags = flags,
		.order = order,
		.pool_size = POOL_PAGES >> order,
		.nid = NUMA_NO_NODE,
	};

	return page_pool_create(&params);
}

/**
 * shmlink_frame_init - what taking frames needs
 * @link: zeroed in this respect
 *
 * Return: 0, or a negative errno with nothing made.
 */
int shmlink_frame_init(struct shmlink_link *link)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(link->pools); i++) {
		bool heads = i == SHMLINK_POOL_HEADS;
		struct page_pool *pool = make_pool(heads ? 0 : i,
						   heads ? PP_FLAG_PAGE_FRAG : 0);

		if (IS_ERR(pool)) {
			shmlink_frame_exit(link);
			return PTR_ERR(pool);
		}
		link->pools[i] = pool;
	}
	return 0;
}

/**
 * shmlink_frame_exit - undo shmlink_frame_init(), or what it has done of it
 * @link: not polled any more; packets may still be anywhere
 */
void shmlink_frame_exit(struct shmlink_link *link)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(link->pools); i++) {
		page_pool_destroy(link->pools[i]);
		link->pools[i] = NULL;
	}
}
