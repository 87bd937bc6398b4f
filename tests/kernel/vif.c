// SPDX-License-Identifier: GPL-2.0-only
/* The driver's vif: what it receives and sends is handed to the case. */
#include <linux/etherdevice.h>
#include <linux/prandom.h>
#include <linux/rtnetlink.h>

#include "peer.h"

const u8 driver_mac[ETH_ALEN] = { 0x00, 0x16, 0x3e, 0, 0, 1 };
const u8 peer_mac[ETH_ALEN] = { 0x00, 0x16, 0x3e, 0, 0, 2 };

struct net_device *vif;
void (*vif_received)(struct sk_buff *skb);
void (*vif_sent)(struct sk_buff *skb);
atomic_t vif_nr_received, vif_nr_sent;

static struct xenbus_device *vif_xbdev;

static rx_handler_result_t vif_receive(struct sk_buff **pskb)
{
	void (*received)(struct sk_buff *skb) = READ_ONCE(vif_received);
	struct sk_buff *skb = *pskb;

	if (received)
		received(skb);
	atomic_inc(&vif_nr_received);
	kfree_skb(skb);
	return RX_HANDLER_CONSUMED;
}

static netdev_tx_t vif_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	void (*sent)(struct sk_buff *skb) = READ_ONCE(vif_sent);

	/* Not what IPv6 says of itself. */
	if (skb->protocol == htons(ETH_P_802_EX1)) {
		if (sent)
			sent(skb);
		atomic_inc(&vif_nr_sent);
	}
	dev_kfree_skb_any(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops vif_ops = {
	.ndo_start_xmit = vif_start_xmit,
	.ndo_set_mac_address = eth_mac_addr,
};

static int vif_open(void)
{
	int err;

	rtnl_lock();
	err = dev_open(vif, NULL);
	if (!err)
		err = netdev_rx_handler_register(vif, vif_receive, NULL);
	rtnl_unlock();
	return err;
}

int vif_add(void)
{
	int err = -ENOMEM;

	vif_xbdev = fake_device_add(true, "vif", "device/vif/0",
				    "/local/domain/0/backend/vif/1/0");
	if (!vif_xbdev)
		return -ENODEV;
	vif = alloc_etherdev(0);
	if (!vif)
		goto out_device;
	vif->netdev_ops = &vif_ops;
	vif->hw_features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_TSO |
			   NETIF_F_TSO6 | NETIF_F_TSO_ECN | NETIF_F_HIGHDMA |
			   NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_STAG_TX;
	vif->features = vif->hw_features;
	vif->max_mtu = ETH_MAX_MTU;
	eth_hw_addr_set(vif, driver_mac);
	SET_NETDEV_DEV(vif, &vif_xbdev->dev);
	strscpy(vif->name, "eth%d", sizeof(vif->name));
	err = register_netdev(vif);
	if (err)
		goto out_netdev;
	err = vif_open();
	if (!err)
		return 0;
	unregister_netdev(vif);
out_netdev:
	free_netdev(vif);
out_device:
	fake_device_remove(vif_xbdev);
	put_device(&vif_xbdev->dev);
	return err;
}

void vif_del(void)
{
	rtnl_lock();
	netdev_rx_handler_unregister(vif);
	rtnl_unlock();
	unregister_netdev(vif);
	free_netdev(vif);
	fake_device_remove(vif_xbdev);
	put_device(&vif_xbdev->dev);
}

void frame_fill(void *frame, u32 bytes, u32 seed)
{
	struct rnd_state rnd;

	prandom_seed_state(&rnd, seed);
	prandom_bytes_state(&rnd, frame, bytes);
}

struct sk_buff *vif_frame(u32 bytes, u32 seed)
{
	struct sk_buff *skb = alloc_skb(NET_SKB_PAD + bytes, GFP_KERNEL);
	struct ethhdr *eth;

	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD);
	eth = skb_put(skb, bytes);
	frame_fill(eth, bytes, seed);
	ether_addr_copy(eth->h_dest, peer_mac);
	ether_addr_copy(eth->h_source, driver_mac);
	eth->h_proto = htons(ETH_P_802_EX1);
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb->protocol = eth->h_proto;
	skb->dev = vif;
	return skb;
}
