// SPDX-License-Identifier: GPL-2.0-only
/*
 * shm<n>: the net device through which diverted frames go into the ring.  It
 * carries the queue, for back-pressure, and the counters.  It has no address
 * and no protocol of its own: what is not a frame from this vif to the peer
 * is refused.
 */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/netfilter_netdev.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <net/pkt_sched.h>
#include <net/sch_generic.h>

#include "driver.h"

/* Room without which the queue stops: any frame fits. */
#define ROOM_MIN	((u32)SHMLINK_RECORD_BYTES(SHMLINK_FRAME_BYTES_MAX))

/* So often at least a closing link looks whether its queue is empty. */
#define QUEUE_LOOKS	20

struct netdev_private {
	struct shmlink_link *link;
};

static struct shmlink_link *netdev_link(struct net_device *dev)
{
	return ((struct netdev_private *)netdev_priv(dev))->link;
}

/* What is no TCP is left without a type, which is not valid. */
static void fill_gso(struct shmlink_record *record, const struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);

	if (shinfo->gso_type & SKB_GSO_TCPV6)
		record->gso_type = SHMLINK_GSO_TCPV6;
	else if (shinfo->gso_type & SKB_GSO_TCPV4)
		record->gso_type = SHMLINK_GSO_TCPV4;
	if (shinfo->gso_type & SKB_GSO_TCP_ECN)
		record->gso_type |= SHMLINK_GSO_ECN;
	record->gso_size = shinfo->gso_size;
	/* From a raw socket or a tap they may be anything. */
	if (skb_transport_header_was_set(skb))
		record->header_bytes = clamp_t(int, skb_tcp_all_headers(skb),
					       0, min_t(u32, skb->len, U16_MAX));
}

static void fill_record(struct shmlink_record *record,
			const struct sk_buff *skb)
{
	memset(record, 0, sizeof(*record));
	record->frame_bytes = skb->len;

	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		record->flags |= SHMLINK_RECORD_CSUM_PARTIAL;
		record->csum_start = max(skb_checksum_start_offset(skb), 0);
		record->csum_offset = skb->csum_offset;
	} else if (skb->ip_summed == CHECKSUM_UNNECESSARY) {
		record->flags |= SHMLINK_RECORD_CSUM_VALID;
	}
	if (skb_vlan_tag_present(skb)) {
		record->flags |= SHMLINK_RECORD_VLAN;
		record->vlan_proto = ntohs(skb->vlan_proto);
		record->vlan_tci = skb_vlan_tag_get(skb);
	}
	if (skb_is_gso(skb))
		fill_gso(record, skb);
}

static void put_frame(struct shmlink_ring *ring,
		      const struct shmlink_record *record,
		      const struct sk_buff *skb)
{
	u32 offset = sizeof(*record);
	unsigned int i;

	shmlink_ring_put(ring, 0, record, sizeof(*record));
	shmlink_ring_put(ring, offset, skb->data, skb_headlen(skb));
	offset += skb_headlen(skb);
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		shmlink_ring_put(ring, offset, skb_frag_address(frag),
				 skb_frag_size(frag));
		offset += skb_frag_size(frag);
	}
	shmlink_ring_produced(ring, skb->len);
}

/* Whether this is a frame of ours for the peer. */
static bool frame_is_ours(const struct shmlink_link *link,
			  const struct sk_buff *skb)
{
	return skb_headlen(skb) >= ETH_HLEN &&
	       ether_addr_equal(skb->data, link->config.peer_mac) &&
	       ether_addr_equal(skb->data + ETH_ALEN, link->config.mac);
}

/* Whether it has a form that a record can carry, and the peer will take. */
static bool frame_is_plain(struct shmlink_record *record, struct sk_buff *skb)
{
	if (skb_has_frag_list(skb) && skb_linearize(skb))
		return false;
	fill_record(record, skb);
	return shmlink_ring_record_is_valid(record);
}

/* What cannot go by the ring, or not now, goes the long way. */
static netdev_tx_t reroute_frame(struct shmlink_link *link,
				 struct sk_buff *skb)
{
	struct net_device *vif;

	rcu_read_lock();
	vif = shmlink_divert_vif(link);
	if (vif) {
		skb->dev = vif;
		/* It has passed netfilter's egress hook, ours included. */
		nf_skip_egress(skb, true);
		dev_queue_xmit(skb);
	} else {
		link->counters.tx_drops++;
		dev_kfree_skb_any(skb);
	}
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

static void publish(struct shmlink_link *link)
{
	shmlink_batch_end(link, shmlink_ring_publish(&link->tx));
}

static bool has_room(struct shmlink_link *link)
{
	return shmlink_ring_room(&link->tx, ROOM_MIN) >= (long)ROOM_MIN;
}

/* Stops the queue; undoes it if there is room for any frame after all. */
static void stop_queue(struct shmlink_link *link, struct net_device *dev)
{
	long room;

	netif_stop_queue(dev);
	room = shmlink_ring_want_room(&link->tx, ROOM_MIN);
	if (room >= (long)ROOM_MIN) {
		netif_start_queue(dev);
	} else if (room >= 0) {
		link->counters.tx_stalls++;
	} else {
		WRITE_ONCE(link->broken, true);
		shmlink_link_kick(link);
	}
}

static netdev_tx_t shm_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct shmlink_link *link = netdev_link(dev);
	struct shmlink_record record;
	bool more = netdev_xmit_more();
	bool alone;

	if (unlikely(READ_ONCE(link->reroute) || READ_ONCE(link->hold)))
		return reroute_frame(link, skb);

	if (unlikely(!frame_is_ours(link, skb))) {
		link->counters.tx_drops++;
		dev_kfree_skb_any(skb);
		if (!more)
			publish(link);
		return NETDEV_TX_OK;
	}
	if (unlikely(!has_room(link))) {
		stop_queue(link, dev);
		publish(link);
		return NETDEV_TX_BUSY;
	}
	if (unlikely(!frame_is_plain(&record, skb))) {
		if (!more)
			publish(link);
		return reroute_frame(link, skb);
	}

	alone = !shmlink_ring_unreleased(&link->tx);
	put_frame(&link->tx, &record, skb);
	skb_tx_timestamp(skb);
	link->counters.tx_packets++;
	link->counters.tx_bytes += skb->len;
	if (unlikely(!has_room(link)))
		stop_queue(link, dev);
	if (more && !netif_queue_stopped(dev)) {
		dev_consume_skb_any(skb);
		return NETDEV_TX_OK;
	}
	shmlink_batch_add(link, skb, shmlink_ring_publish(&link->tx), alone);
	if (netif_queue_stopped(dev))
		shmlink_batch_end(link, false);
	return NETDEV_TX_OK;
}

/**
 * shmlink_netdev_may_wake - wake the queue if it is stopped and has room
 * @link: with a net device
 *
 * Called by the poll.  Return: false when the peer's index is impossible.
 */
bool shmlink_netdev_may_wake(struct shmlink_link *link)
{
	long enough = max(ROOM_MIN, link->config.ring_bytes / 2);
	struct netdev_queue *queue;
	long room;

	if (likely(!netif_queue_stopped(link->netdev)))
		return true;

	/* The transmit lock: the ring's producer side has one user at a time. */
	queue = netdev_get_tx_queue(link->netdev, 0);
	__netif_tx_lock(queue, smp_processor_id());
	room = shmlink_ring_room(&link->tx, enough);
	if (room >= 0 && room < enough)
		room = shmlink_ring_want_room(&link->tx, ROOM_MIN);
	if (room >= enough)
		netif_tx_wake_queue(queue);
	__netif_tx_unlock(queue);
	return room >= 0;
}

/**
 * shmlink_netdev_hold - send frames by the vif from now on, or no longer
 * @link: with a net device
 * @hold: SHMLINK_HELD_*, 0 for none
 *
 * Called by the poll.
 */
void shmlink_netdev_hold(struct shmlink_link *link, unsigned int hold)
{
	struct netdev_queue *queue = netdev_get_tx_queue(link->netdev, 0);

	if (likely(hold == link->hold))
		return;

	/* Under the lock: no transmission that has not seen it stops it. */
	__netif_tx_lock(queue, smp_processor_id());
	WRITE_ONCE(link->hold, hold);
	shmlink_batch_end(link, false);
	netif_tx_wake_queue(queue);
	__netif_tx_unlock(queue);
}

static void shm_get_stats64(struct net_device *dev,
			    struct rtnl_link_stats64 *stats)
{
	const struct shmlink_counters *counters = &netdev_link(dev)->counters;

	stats->tx_bytes = counters->tx_bytes;
	stats->tx_packets = counters->tx_packets;
	stats->tx_dropped = counters->tx_drops;
	stats->rx_bytes = counters->rx_bytes;
	stats->rx_packets = counters->rx_packets;
	stats->rx_dropped = counters->rx_drops;
}

/* The protocol has no GSO without a sum to be filled in: segment it here. */
static netdev_features_t shm_features_check(struct sk_buff *skb,
					    struct net_device *dev,
					    netdev_features_t features)
{
	if (skb_is_gso(skb) && skb->ip_summed != CHECKSUM_PARTIAL)
		features &= ~NETIF_F_GSO_MASK;
	return features;
}

static const struct net_device_ops shm_netdev_ops = {
	.ndo_features_check = shm_features_check,
	.ndo_start_xmit = shm_start_xmit,
	.ndo_get_stats64 = shm_get_stats64,
};

static const struct {
	const char name[ETH_GSTRING_LEN];
	size_t offset;
} shm_stats[] = {
#define STAT(field) { #field, offsetof(struct shmlink_counters, field) }
	STAT(tx_bytes),
	STAT(tx_packets),
	STAT(tx_notifications),
	STAT(tx_stalls),
	STAT(tx_drops),
	STAT(rx_bytes),
	STAT(rx_packets),
	STAT(rx_notifications),
	STAT(rx_drops),
#undef STAT
};

static int shm_get_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? ARRAY_SIZE(shm_stats) : -EOPNOTSUPP;
}

static void shm_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	unsigned int i;

	if (sset != ETH_SS_STATS)
		return;
	for (i = 0; i < ARRAY_SIZE(shm_stats); i++)
		ethtool_sprintf(&data, "%s", shm_stats[i].name);
}

static void shm_get_ethtool_stats(struct net_device *dev,
				  struct ethtool_stats *stats, u64 *data)
{
	const u8 *counters = (const u8 *)&netdev_link(dev)->counters;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shm_stats); i++)
		data[i] = *(const u64 *)(counters + shm_stats[i].offset);
}

static void shm_get_drvinfo(struct net_device *dev,
			    struct ethtool_drvinfo *info)
{
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->bus_info, dev_name(&netdev_link(dev)->xbdev->dev),
		sizeof(info->bus_info));
}

static const struct ethtool_ops shm_ethtool_ops = {
	.get_drvinfo = shm_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = shm_get_sset_count,
	.get_strings = shm_get_strings,
	.get_ethtool_stats = shm_get_ethtool_stats,
};

static void shm_setup(struct net_device *dev)
{
	dev->netdev_ops = &shm_netdev_ops;
	dev->ethtool_ops = &shm_ethtool_ops;
	/* Void: no address, no ARP, no IPv6 autoconfiguration on it. */
	dev->type = ARPHRD_VOID;
	dev->flags = IFF_NOARP;
	dev->hard_header_len = ETH_HLEN;
	dev->min_mtu = 0;
	dev->max_mtu = ETH_MAX_MTU;
	dev->mtu = ETH_MAX_MTU;
	dev->tx_queue_len = DEFAULT_TX_QUEUE_LEN;
	dev->features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA |
			NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_TSO_ECN |
			NETIF_F_TSO_MANGLEID | NETIF_F_GSO_ROBUST |
			NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_STAG_TX;
	dev->hw_features = dev->features;
	dev->vlan_features = dev->features;
}

/**
 * shmlink_netdev_create - make shm<n> and start receiving on it
 * @link: with rings; not diverting yet
 *
 * Return: 0 or a negative errno with nothing made.
 */
int shmlink_netdev_create(struct shmlink_link *link)
{
	struct net_device *dev;
	int err;

	dev = alloc_netdev(sizeof(struct netdev_private), "shm%d",
			   NET_NAME_ENUM, shm_setup);
	if (!dev)
		return -ENOMEM;
	((struct netdev_private *)netdev_priv(dev))->link = link;
	shmlink_batch_init(&link->batch);
	SET_NETDEV_DEV(dev, &link->xbdev->dev);
	netif_napi_add(dev, &link->napi, shmlink_queue_poll);

	/* Others can find it and send from then on. */
	link->netdev = dev;
	err = register_netdev(dev);
	if (err) {
		link->netdev = NULL;
		free_netdev(dev);
		return err;
	}
	rtnl_lock();
	err = dev_open(dev, NULL);
	rtnl_unlock();
	if (err) {
		shmlink_netdev_destroy(link);
		return err;
	}
	return 0;
}

/**
 * shmlink_netdev_destroy - remove shm<n>
 * @link: not diverting, NAPI disabled; may have no net device
 */
void shmlink_netdev_destroy(struct shmlink_link *link)
{
	if (!link->netdev)
		return;

	unregister_netdev(link->netdev);
	shmlink_batch_stop(link);
	free_netdev(link->netdev);
	link->netdev = NULL;
}

/* Looks a few times in any case: there may have been no pCPU for this guest. */
static bool wait_queue_empty(struct net_device *dev, unsigned int ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);
	unsigned int looks = 0;

	while (!qdisc_all_tx_empty(dev)) {
		if (++looks > QUEUE_LOOKS && time_after(jiffies, end))
			return false;
		usleep_range(200, 1000);
	}
	return true;
}

/**
 * shmlink_netdev_close_tx - send nothing more, and tell the peer so
 * @link: with a net device, not diverting
 * @drain: let what is queued go into the ring while the peer takes it;
 *	the rest, or all of it, goes by the vif
 *
 * Sleeps for up to half a second.
 */
void shmlink_netdev_close_tx(struct shmlink_link *link, bool drain)
{
	struct net_device *dev = link->netdev;
	struct netdev_queue *queue = netdev_get_tx_queue(dev, 0);

	if (drain)
		wait_queue_empty(dev, 300);
	/*
	 * Under the lock: no transmission that has not seen it stops the queue.
	 * The queue's own, since netif_tx_lock() keeps neither poll nor timer out.
	 */
	__netif_tx_lock_bh(queue);
	WRITE_ONCE(link->reroute, true);
	netif_tx_wake_queue(queue);
	__netif_tx_unlock_bh(queue);
	if (!wait_queue_empty(dev, 200))
		netdev_warn(dev, "closed with frames in the queue\n");

	__netif_tx_lock_bh(queue);
	shmlink_ring_close(&link->tx);
	/* Asked for or not: the peer is to see the end. */
	shmlink_batch_end(link, true);
	__netif_tx_unlock_bh(queue);
}
