// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's own vif: which device it is, and whether it would receive.
 */
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>
#include <net/bonding.h>
#include <net/net_namespace.h>

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

/**
 * shmlink_vif_state - why the vif would not receive what comes by a link
 * @vif: in an RCU read-side section; may have gone
 * @mac: what its address should be
 *
 * Return: 0 when it would, or SHMLINK_HELD_*.
 */
unsigned int shmlink_vif_state(const struct net_device *vif, const u8 *mac)
{
	unsigned int held = 0;

	if (unlikely(!vif))
		return SHMLINK_HELD_DOWN;

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
