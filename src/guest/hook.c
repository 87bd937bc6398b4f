// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks at a vif with links.
 *
 * At its egress, frames from the vif's own MAC to the MAC of a linked peer
 * leave by shm<n>, unless the guest has put something below the hook that they
 * would miss.  Everything else passes: one look-up in a table without
 * collisions and one comparison.
 *
 * At its ingress we learn, as a bridge does, that an address has moved: the
 * peer's, whom we then ask whether it still takes frames, or our own.
 */
#include <linux/etherdevice.h>
#include <linux/netfilter_netdev.h>

#include "port.h"

/* Who has the vif's MAC now; the links' peers are to know. */
static void port_moved(struct shmlink_port *port,
		       const struct shmlink_table *table, bool moved)
{
	u32 i;

	WRITE_ONCE(port->moved, moved);
	for (i = 0; i <= table->mask; i++)
		if (table->slots[i].link)
			napi_schedule(&table->slots[i].link->napi);
}

static unsigned int hook_egress(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct shmlink_port *port = priv;
	const struct shmlink_table *table = rcu_dereference(port->table);
	struct shmlink_link *link;
	bool moved = READ_ONCE(port->moved), ours;
	struct net_device *shm;

	if (unlikely(!table || skb_headlen(skb) < ETH_HLEN))
		return NF_ACCEPT;

	link = shmlink_table_find(table, shmlink_frame_key(skb->data));
	if (!link && likely(!moved))
		return NF_ACCEPT;

	/* What the guest bridges or routes at layer 2 for others stays. */
	ours = ether_addr_equal(skb->data + ETH_ALEN, port->mac);
	if (unlikely(moved)) {
		/* The bridge learns from this frame that we have it again. */
		if (ours)
			port_moved(port, table, false);
		return NF_ACCEPT;
	}
	if (!ours || skb->len > SHMLINK_FRAME_BYTES_MAX ||
	    READ_ONCE(link->hold) || shmlink_vif_policy(skb->dev))
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

static unsigned int hook_ingress(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	struct shmlink_port *port = priv;
	const struct shmlink_table *table = rcu_dereference(port->table);
	const u8 *source = skb_mac_header(skb) + ETH_ALEN;
	struct shmlink_link *link;

	/* Only the vif's own frames have the number of a NAPI instance. */
	if (!skb_napi_id(skb) || unlikely(!table))
		return NF_ACCEPT;

	link = shmlink_table_find(table, shmlink_frame_key(source));
	if (unlikely(link)) {
		if (!READ_ONCE(link->doubted)) {
			WRITE_ONCE(link->doubted, true);
			shmlink_link_kick(link);
		}
	} else if (unlikely(ether_addr_equal(source, port->mac)) &&
		   !READ_ONCE(port->moved)) {
		port_moved(port, table, true);
	}
	return NF_ACCEPT;
}

void shmlink_hook_fill(struct shmlink_port *port, struct net_device *vif)
{
	unsigned int i;

	port->ops[0].hook = hook_egress;
	port->ops[0].hooknum = NF_NETDEV_EGRESS;
	/* Last: the administrator's own egress rules have had their say. */
	port->ops[0].priority = INT_MAX;
	port->ops[1].hook = hook_ingress;
	port->ops[1].hooknum = NF_NETDEV_INGRESS;
	/* First: what they drop on the way in tells us something, too. */
	port->ops[1].priority = INT_MIN;
	for (i = 0; i < ARRAY_SIZE(port->ops); i++) {
		port->ops[i].dev = vif;
		port->ops[i].priv = port;
		port->ops[i].pf = NFPROTO_NETDEV;
	}
}
