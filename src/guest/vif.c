// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's own vif: which device it is, and what is there that a link
 * would bypass.
 *
 * The hook of divert.c comes after netfilter's egress chains, but before
 * filters and programs of tc and before the queueing discipline; frames of a
 * link come in behind the vif's native XDP program.  All of it is looked at
 * for each frame, or for each poll, and not remembered: only some of these
 * changes are told to anybody, and then too late.
 */
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>
#include <net/bonding.h>
#include <net/net_namespace.h>
#include <net/sch_generic.h>
#ifdef CONFIG_NET_XGRESS	/* 6.6 and later */
#include <net/tcx.h>
#endif

#include "driver.h"

/**
 * shmlink_vif_find - the net device of a vif
 * @handle: its number
 *
 * Return: the device with a reference, or NULL.
 */
struct net_device *shmlink_vif_find(unsigned int handle)
{
	struct net_device *dev, *vif = NULL;
	char node[32];

	snprintf(node, sizeof(node), "device/vif/%u", handle);
	rtnl_lock();
	for_each_netdev(&init_net, dev) {
		struct device *parent = dev->dev.parent;

		if (parent && parent->bus && !strcmp(parent->bus->name, "xen") &&
		    !strcmp(to_xenbus_device(parent)->nodename, node)) {
			dev_hold(dev);
			vif = dev;
			break;
		}
	}
	rtnl_unlock();
	return vif;
}

static bool has_egress_filter(const struct net_device *vif)
{
#ifdef CONFIG_NET_XGRESS
	struct bpf_mprog_entry *entry = rcu_dereference(vif->tcx_egress);

	return entry && (rcu_access_pointer(tcx_entry(entry)->miniq) ||
			 READ_ONCE(entry->fp_items[0].prog));
#elif defined(CONFIG_NET_CLS_ACT)
	return rcu_access_pointer(vif->miniq_egress);
#else
	return false;
#endif
}

/* Neither limits nor drops nor delays, whatever it is told. */
static bool is_plain(const struct Qdisc *qdisc)
{
	static const char plain[][IFNAMSIZ] = {
		"fq_codel", "pfifo_fast", "noqueue", "pfifo", "bfifo", "codel",
		"fq_pie", "pie", "sfq",
	};
	unsigned int i;

	/* No handle: the kernel's default, as shm<n> has it, too. */
	if (!qdisc->handle)
		return true;
	for (i = 0; i < ARRAY_SIZE(plain); i++)
		if (!strcmp(qdisc->ops->id, plain[i]))
			return true;
	return false;
}

/**
 * shmlink_vif_policy - what would become of a frame that leaves by the vif
 * @vif: in an RCU read-side section
 *
 * Return: 0 when it would just be sent, or SHMLINK_HELD_*.
 */
unsigned int shmlink_vif_policy(const struct net_device *vif)
{
	unsigned int i, held = 0;

	if (unlikely(has_egress_filter(vif)))
		held |= SHMLINK_HELD_FILTER;
	for (i = 0; i < vif->real_num_tx_queues; i++) {
		struct netdev_queue *queue = netdev_get_tx_queue(vif, i);

		if (unlikely(!is_plain(rcu_dereference(queue->qdisc))))
			held |= SHMLINK_HELD_QDISC;
	}
	return held;
}

/**
 * shmlink_vif_state - why the vif would not receive what comes by a link
 * @vif: in an RCU read-side section; may have gone
 * @mac: what its address should be
 *
 * Return: 0 when it would, or SHMLINK_HELD_*.
 */
unsigned int shmlink_vif_state(const struct net_device *vif, const u8 *mac)
{
	const struct bpf_xdp_entity *xdp;
	unsigned int held = 0;

	if (unlikely(!vif))
		return SHMLINK_HELD_DOWN;

	/* A program in generic mode comes later and sees it all. */
	xdp = &vif->xdp_state[XDP_MODE_DRV];
	if (unlikely(READ_ONCE(xdp->prog) || READ_ONCE(xdp->link)))
		held |= SHMLINK_HELD_XDP;
	if (unlikely(!netif_running(vif) || !netif_carrier_ok(vif)))
		held |= SHMLINK_HELD_DOWN;
	if (unlikely(!ether_addr_equal(vif->dev_addr, mac)))
		held |= SHMLINK_HELD_MAC;
	if (unlikely(netif_is_bond_slave(vif))) {
		struct slave *slave = bond_slave_get_rcu(vif);

		if (slave && !bond_is_active_slave(slave))
			held |= SHMLINK_HELD_BACKUP;
	}
	return held;
}
