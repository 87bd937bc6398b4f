// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event channel, and frames from the ring into the stack, as if the vif
 * had received them.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/interrupt.h>
#include <linux/virtio_net.h>
#include <xen/events.h>
#include <asm/xen/hypercall.h>

#include "driver.h"

/* Frames up to this size are copied into one linear buffer. */
#define COPY_BYTES_MAX		1800
/* Of larger ones this much, or all headers, is linear; at most the second. */
#define LINEAR_BYTES		128
#define LINEAR_BYTES_MAX	512
/* The rest comes from the pool, which keeps so many blocks of pages. */
#define POOL_ORDER		PAGE_ALLOC_COSTLY_ORDER
#define POOL_BLOCKS		64
/* Frames are handed to the stack in lists of at most so many bytes. */
#define LIST_BYTES		65536

void shmlink_queue_notify(struct shmlink_link *link)
{
	if (link->irq)
		notify_remote_via_irq(link->irq);
}

static irqreturn_t queue_event(int irq, void *data)
{
	struct shmlink_link *link = data;

	link->counters.rx_notifications++;
	/* The channel stays masked until the poll is complete. */
	atomic_set(&link->eoi_pending, 1);
	napi_schedule(&link->napi);
	return IRQ_HANDLED;
}

/*
 * An event after which there was nothing to do is normal now and then: the
 * poll had already seen to it.  A peer that sends little else is slowed down
 * by the late-EOI machinery.
 */
static void queue_eoi(struct shmlink_link *link)
{
	unsigned int flags = 0;

	if (!atomic_xchg(&link->eoi_pending, 0))
		return;

	if (shmlink_events_count(&link->events, link->worked, jiffies))
		flags = XEN_EOI_FLAG_SPURIOUS;
	link->worked = false;
	xen_irq_lateeoi(link->irq, flags);
}

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

/*
 * Into pages that the pool gets back: fresh ones would be zeroed first, on
 * kernels that do so, which costs as much as the copying.
 */
static struct sk_buff *alloc_pooled(struct shmlink_link *link,
				    const struct shmlink_record *record)
{
	u32 offset = linear_bytes(record);
	struct sk_buff *skb = napi_alloc_skb(&link->napi, offset);

	if (!skb)
		return NULL;
	skb_mark_for_recycle(skb);
	shmlink_ring_get(&link->rx, 0, skb_put(skb, offset), offset);
	while (offset < record->frame_bytes) {
		u32 run = min_t(u32, record->frame_bytes - offset,
				PAGE_SIZE << POOL_ORDER);
		unsigned int at;
		struct page *page = page_pool_alloc_frag(link->pool, &at, run,
							 GFP_ATOMIC |
							 __GFP_NOWARN);

		if (!page) {
			kfree_skb(skb);
			return NULL;
		}
		shmlink_ring_get(&link->rx, offset, page_address(page) + at,
				 run);
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, at, run,
				ALIGN(run, SMP_CACHE_BYTES));
		offset += run;
	}
	return skb;
}

/* The record's frame as a packet, or NULL when memory is short. */
static struct sk_buff *copy_frame(struct shmlink_link *link,
				  const struct shmlink_record *record)
{
	struct sk_buff *skb;

	if (record->frame_bytes > COPY_BYTES_MAX) {
		skb = alloc_pooled(link, record);
		return skb ? skb : alloc_large(&link->rx, record);
	}

	skb = napi_alloc_skb(&link->napi, record->frame_bytes);
	if (skb)
		shmlink_ring_get(&link->rx, 0,
				 skb_put(skb, record->frame_bytes),
				 record->frame_bytes);
	return skb;
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

static void flush_list(struct list_head *list, u32 *bytes)
{
	if (*bytes)
		netif_receive_skb_list(list);
	INIT_LIST_HEAD(list);
	*bytes = 0;
}

static void release_room(struct shmlink_link *link)
{
	if (shmlink_ring_release(&link->rx))
		shmlink_queue_notify(link);
}

/*
 * Takes up to @budget frames out of the ring.  What our vif would not receive
 * or @held says that its XDP program would miss, is dropped.
 * Return: how many, or a negative errno when the peer breaks the protocol.
 */
static int receive(struct shmlink_link *link, int budget, unsigned int held)
{
	struct shmlink_record record;
	struct net_device *vif;
	LIST_HEAD(list);
	u32 list_bytes = 0;
	int done = 0, rc = 0;

	rcu_read_lock();
	vif = held & (SHMLINK_HELD_DOWN | SHMLINK_HELD_XDP) ?
		NULL : shmlink_divert_vif(link);
	while (done < budget) {
		struct sk_buff *skb;

		rc = shmlink_ring_peek(&link->rx, &record);
		if (rc <= 0)
			break;
		skb = copy_frame(link, &record);
		shmlink_ring_consumed(&link->rx, record.frame_bytes);
		done++;
		/* Early enough for a sender that waits for half of the ring. */
		if (shmlink_ring_unreleased(&link->rx) >=
		    link->config.ring_bytes / 8)
			release_room(link);
		if (!skb || !skb_prepare(link, skb, &record, vif)) {
			link->counters.rx_drops++;
			dev_kfree_skb_any(skb);
			continue;
		}
		link->counters.rx_packets++;
		link->counters.rx_bytes += record.frame_bytes;
		list_add_tail(&skb->list, &list);
		list_bytes += record.frame_bytes;
		if (list_bytes >= LIST_BYTES)
			flush_list(&list, &list_bytes);
	}
	release_room(link);
	flush_list(&list, &list_bytes);
	rcu_read_unlock();
	return rc < 0 ? rc : done;
}

/* The peer breaks the protocol: touch nothing more, let the link close. */
static int poll_broken(struct shmlink_link *link)
{
	WRITE_ONCE(link->broken, true);
	napi_complete(&link->napi);
	shmlink_link_kick(link);
	return 0;
}

/**
 * shmlink_queue_look - poll soon: what decides where frames go may have changed
 * @link: started
 *
 * Not in hard interrupts.
 */
void shmlink_queue_look(struct shmlink_link *link)
{
	local_bh_disable();
	napi_schedule(&link->napi);
	local_bh_enable();
}

/* NAPI: receive, and wake the transmit queue. */
int shmlink_queue_poll(struct napi_struct *napi, int budget)
{
	struct shmlink_link *link =
		container_of(napi, struct shmlink_link, napi);
	unsigned int held;
	int done, rc;
	bool ended;

	if (unlikely(READ_ONCE(link->broken))) {
		napi_complete(napi);
		return 0;
	}
	held = shmlink_divert_held(link, NULL);
	if (!shmlink_netdev_may_wake(link))
		return poll_broken(link);
	shmlink_hold_look(link, held);
	done = receive(link, budget, held);
	if (done < 0)
		return poll_broken(link);
	if (done)
		link->worked = true;
	if (done == budget)
		return budget;

	rc = shmlink_ring_want_data(&link->rx);
	if (rc < 0)
		return poll_broken(link);
	if (rc > 0)
		return budget;
	/* Before completion: after it, another poll may use the ring. */
	ended = shmlink_ring_ended(&link->rx);
	if (napi_complete_done(napi, done))
		queue_eoi(link);
	if (unlikely(ended))
		shmlink_link_kick(link);
	return done;
}

static int bind_interdomain(domid_t domid, evtchn_port_t remote_port,
			    evtchn_port_t *port_r)
{
	struct evtchn_bind_interdomain bind = {
		.remote_dom = domid,
		.remote_port = remote_port,
	};
	int err = HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &bind);

	if (!err)
		*port_r = bind.local_port;
	return err;
}

static struct page_pool *make_pool(void)
{
	struct page_pool_params params = {
#ifdef PP_FLAG_PAGE_FRAG	/* 6.7 and later: always possible */
		.flags = PP_FLAG_PAGE_FRAG,
#endif
		.order = POOL_ORDER,
		.pool_size = POOL_BLOCKS,
		.nid = NUMA_NO_NODE,
	};

	return page_pool_create(&params);
}

/**
 * shmlink_queue_start - open the event channel and start receiving
 * @link: with rings and a net device
 * @remote_port: back end: the front end's port; front end: ignored, a port
 *	is made for the peer to bind to and left in link->evtchn
 *
 * Return: 0, or a negative errno with nothing opened.
 */
int shmlink_queue_start(struct shmlink_link *link, evtchn_port_t remote_port)
{
	int rc;

	link->pool = make_pool();
	if (IS_ERR(link->pool))
		return PTR_ERR(link->pool);
	if (link->front)
		rc = xenbus_alloc_evtchn(link->xbdev, &link->evtchn);
	else
		rc = bind_interdomain(link->xbdev->otherend_id, remote_port,
				      &link->evtchn);
	if (rc)
		goto out;

	rc = bind_evtchn_to_irqhandler_lateeoi(link->evtchn, queue_event, 0,
					       link->netdev->name, link);
	if (rc < 0) {
		xenbus_free_evtchn(link->xbdev, link->evtchn);
		goto out;
	}
	/* Xen raises an event at once: no poll before the number is known. */
	link->irq = rc;
	shmlink_hold_init(link);
	napi_enable(&link->napi);

	/* The first look arms the next event, and ends that first one. */
	shmlink_queue_look(link);
	return 0;
out:
	page_pool_destroy(link->pool);
	return rc;
}

/**
 * shmlink_queue_stop - undo shmlink_queue_start()
 * @link: may not have been started
 */
void shmlink_queue_stop(struct shmlink_link *link)
{
	if (!link->irq)
		return;

	/* Closes the port as well. */
	disable_irq(link->irq);
	napi_disable(&link->napi);
	unbind_from_irqhandler(link->irq, link);
	page_pool_destroy(link->pool);
	link->irq = 0;
	link->evtchn = 0;
}

/**
 * shmlink_queue_peer_is_there - whether the event channel has a peer
 * @link: started, and seen connected
 *
 * When a domain dies Xen leaves the survivor's port unbound, silently.
 */
bool shmlink_queue_peer_is_there(const struct shmlink_link *link)
{
	struct evtchn_status status = {
		.dom = DOMID_SELF,
		.port = link->evtchn,
	};

	if (HYPERVISOR_event_channel_op(EVTCHNOP_status, &status))
		return true;
	return status.status == EVTCHNSTAT_interdomain;
}
