// SPDX-License-Identifier: GPL-2.0-only
/* The guest's own vif. */
#include <linux/rtnetlink.h>
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
