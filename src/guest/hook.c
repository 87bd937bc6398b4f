// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook at the egress of a vif with links: frames from the vif's own MAC to
 * the MAC of a linked peer leave by shm<n>.  Everything else passes: one
 * look-up in a table without collisions and one comparison.
 */
#include <linux/etherdevice.h>
#include <linux/netfilter_netdev.h>

#include "port.h"

#if !IS_ENABLED(CONFIG_NETFILTER_EGRESS)
#error "shmlink needs a kernel with CONFIG_NETFILTER_EGRESS (Linux >= 5.16)"
#endif

static unsigned int hook_egress(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct shmlink_port *port = priv;
	const struct shmlink_table *table = rcu_dereference(port->table);
	struct shmlink_link *link;
	struct net_device *shm;

	if (unlikely(!table || skb_headlen(skb) < ETH_HLEN))
		return NF_ACCEPT;

	link = shmlink_table_find(table, shmlink_frame_key(skb->data));
	if (!link)
		return NF_ACCEPT;

	/* What the guest bridges or routes at layer 2 for others stays. */
	if (!ether_addr_equal(skb->data + ETH_ALEN, link->config.mac) ||
	    skb->len > SHMLINK_FRAME_BYTES_MAX)
		return NF_ACCEPT;

	shm = link->netdev;
	if (unlikely(!netif_running(shm)))
		return NF_ACCEPT;

	/* The hook comes before the taps: tcpdump on the vif sees it all. */
	if (dev_nit_active(skb->dev))
		dev_queue_xmit_nit(skb, skb->dev);
	/* That it was queued has been told: not once more for shm<n>. */
	if (unlikely(skb_shinfo(skb)->tx_flags & SKBTX_SCHED_TSTAMP))
		skb_shinfo(skb)->tx_flags &= ~SKBTX_SCHED_TSTAMP;
	skb->dev = shm;
	dev_queue_xmit(skb);
	return NF_STOLEN;
}

void shmlink_hook_fill(struct shmlink_port *port, struct net_device *vif)
{
	port->ops.hook = hook_egress;
	port->ops.dev = vif;
	port->ops.priv = port;
	port->ops.pf = NFPROTO_NETDEV;
	port->ops.hooknum = NF_NETDEV_EGRESS;
	/* Last: the administrator's own egress rules have had their say. */
	port->ops.priority = INT_MAX;
}
