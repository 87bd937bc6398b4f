// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event channel, and frames from the ring into the stack, as if the vif
 * had received them; how a frame becomes a packet is in frame.c.
 */
#include <linux/interrupt.h>
#include <linux/netdevice.h>
#include <xen/events.h>
#include <asm/xen/hypercall.h>

#include "driver.h"

/* Frames are handed to the stack in lists of at most so many bytes. */
#define LIST_BYTES		65536

void shmlink_queue_notify(struct shmlink_link *link)
{
	unsigned int irq = READ_ONCE(link->irq);

	if (irq)
		notify_remote_via_irq(irq);
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

static void flush_list(struct list_head *list, u32 *bytes)
{
	if (*bytes)
		netif_receive_skb_list(list);
	INIT_LIST_HEAD(list);
	*bytes = 0;
}

/* Sent frames' batches depend on it. */
static void learn(struct shmlink_link *link, u32 bytes)
{
	u32 mean = link->rx_mean_bytes;

	WRITE_ONCE(link->rx_last_bytes, bytes);
	WRITE_ONCE(link->rx_mean_bytes, mean + bytes / 16 - mean / 16);
}

static void release_room(struct shmlink_link *link)
{
	if (shmlink_ring_release(&link->rx))
		shmlink_queue_notify(link);
}

/*
 * What is in the ring of a link that closes is not to be lost: so much is taken
 * at once, but no more, as a peer can go on to send.
 */
static bool limit_is_reached(struct shmlink_link *link)
{
	if (likely(!shmlink_limit_is_reached(&link->limit)))
		return false;
	if (link->limit.closing || READ_ONCE(link->phase) != SHMLINK_CLOSING)
		return true;
	link->limit.closing = true;
	link->limit.left += link->config.ring_bytes;
	return shmlink_limit_is_reached(&link->limit);
}

/*
 * Takes up to @budget frames out of the ring, within dom0's limit.  What our
 * vif would not receive, or @held says that its XDP program would miss, is
 * dropped.
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
	shmlink_limit_fill(&link->limit, jiffies);
	while (done < budget && !limit_is_reached(link)) {
		struct sk_buff *skb;

		rc = shmlink_ring_peek(&link->rx, &record);
		if (rc <= 0)
			break;
		skb = shmlink_frame_take(link, &record, vif);
		shmlink_ring_consumed(&link->rx, record.frame_bytes);
		link->limit.left -= SHMLINK_RECORD_BYTES(record.frame_bytes);
		done++;
		/* Early enough for a sender that waits for half of the ring. */
		if (shmlink_ring_unreleased(&link->rx) >=
		    link->config.ring_bytes / 8)
			release_room(link);
		if (!skb) {
			link->counters.rx_drops++;
			continue;
		}
		learn(link, record.frame_bytes);
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
	if (limit_is_reached(link)) {
		/* The next look polls again. */
		if (napi_complete_done(napi, done))
			queue_eoi(link);
		shmlink_link_kick(link);
		return done;
	}

	rc = shmlink_ring_want_data(&link->rx);
	if (rc < 0)
		return poll_broken(link);
	if (rc > 0)
		return budget;
	/*
	 * Before completion: after it, another poll may use the ring.  Once and
	 * for all: a peer is not asked whether it has ended after all.
	 */
	ended = !link->ended && shmlink_ring_ended(&link->rx);
	if (unlikely(ended))
		WRITE_ONCE(link->ended, true);
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

	rc = shmlink_frame_init(link);
	if (rc)
		return rc;
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
	WRITE_ONCE(link->irq, rc);
	link->reply_by = jiffies;
	napi_enable(&link->napi);

	/* The first look arms the next event, and ends that first one. */
	shmlink_queue_look(link);
	return 0;
out:
	shmlink_frame_exit(link);
	return rc;
}

/**
 * shmlink_queue_stop - undo shmlink_queue_start()
 * @link: may not have been started
 */
void shmlink_queue_stop(struct shmlink_link *link)
{
	unsigned int irq = link->irq;
	struct netdev_queue *queue;

	if (!irq)
		return;

	disable_irq(irq);
	napi_disable(&link->napi);
	/* Who else notifies does so under this lock. */
	queue = netdev_get_tx_queue(link->netdev, 0);
	__netif_tx_lock_bh(queue);
	WRITE_ONCE(link->irq, 0);
	__netif_tx_unlock_bh(queue);
	/* Closes the port as well. */
	unbind_from_irqhandler(irq, link);
	shmlink_frame_exit(link);
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
