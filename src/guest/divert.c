// SPDX-License-Identifier: GPL-2.0-only
/*
 * Diversion: which links divert frames from which vif.  A vif without a link
 * has no hook at all; what the hooks do is in hook.c.
 */
#include <linux/etherdevice.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

#include "port.h"

static DEFINE_MUTEX(divert_lock);
static LIST_HEAD(divert_ports);

/* Makes the table and the hooks those of the port's list of links. */
static int port_update(struct shmlink_port *port)
{
	struct shmlink_table *old, *new = NULL;
	struct net_device *vif;
	int err;

	lockdep_assert_held(&divert_lock);
	vif = rcu_dereference_protected(port->vif,
					lockdep_is_held(&divert_lock));
	old = rcu_dereference_protected(port->table,
					lockdep_is_held(&divert_lock));

	if (vif && port->nr_links) {
		new = shmlink_table_build(port->links, port->nr_links);
		if (IS_ERR(new))
			return PTR_ERR(new);
	}
	if (new && !port->hooked) {
		err = nf_register_net_hooks(dev_net(vif), port->ops,
					    ARRAY_SIZE(port->ops));
		if (err) {
			kvfree(new);
			return err;
		}
		port->hooked = true;
	}
	rcu_assign_pointer(port->table, new);
	if (!new && port->hooked) {
		nf_unregister_net_hooks(dev_net(port->ops[0].dev), port->ops,
					ARRAY_SIZE(port->ops));
		port->hooked = false;
	}
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}

static struct shmlink_port *port_get(unsigned int handle, const u8 *mac)
{
	struct shmlink_port *port;

	list_for_each_entry(port, &divert_ports, list) {
		if (port->handle == handle && rcu_access_pointer(port->vif) &&
		    ether_addr_equal(port->mac, mac)) {
			port->users++;
			return port;
		}
	}
	return NULL;
}

/* Takes over the reference to @vif. */
static struct shmlink_port *port_new(unsigned int handle,
				     struct net_device *vif, const u8 *mac)
{
	struct shmlink_port *port = kzalloc(sizeof(*port), GFP_KERNEL);

	if (!port)
		return NULL;
	port->handle = handle;
	port->users = 1;
	ether_addr_copy(port->mac, mac);
	shmlink_hook_fill(port, vif);
	rcu_assign_pointer(port->vif, vif);
	list_add(&port->list, &divert_ports);
	return port;
}

/**
 * shmlink_divert_attach - bind a link to its vif; nothing is diverted yet
 * @link: configured
 *
 * Return: 0, -ENODEV when there is no such vif, -EADDRNOTAVAIL when it has
 * another MAC address than the toolstack knows, -ENOMEM.
 */
int shmlink_divert_attach(struct shmlink_link *link)
{
	const struct shmlink_config *config = &link->config;
	struct net_device *vif = shmlink_vif_find(config->vif);
	struct shmlink_port *port;

	if (!vif)
		return -ENODEV;
	if (!ether_addr_equal(vif->dev_addr, config->mac)) {
		dev_put(vif);
		return -EADDRNOTAVAIL;
	}

	mutex_lock(&divert_lock);
	port = port_get(config->vif, config->mac);
	if (port)
		dev_put(vif);
	else
		port = port_new(config->vif, vif, config->mac);
	link->port = port;
	mutex_unlock(&divert_lock);
	if (!port)
		dev_put(vif);
	return port ? 0 : -ENOMEM;
}

/**
 * shmlink_divert_detach - undo shmlink_divert_attach()
 * @link: not diverting; may be unattached
 *
 * Sleeps until no frame is on its way to the vif through this link.
 */
void shmlink_divert_detach(struct shmlink_link *link)
{
	struct shmlink_port *port = link->port;
	struct net_device *vif;

	if (!port)
		return;

	mutex_lock(&divert_lock);
	WRITE_ONCE(link->port, NULL);
	if (--port->users) {
		port = NULL;
	} else {
		list_del(&port->list);
		vif = rcu_dereference_protected(port->vif, true);
		rcu_assign_pointer(port->vif, NULL);
	}
	mutex_unlock(&divert_lock);
	if (!port)
		return;

	synchronize_net();
	if (vif)
		dev_put(vif);
	kfree(port);
}

/**
 * shmlink_divert_start - send frames for the peer through the link
 * @link: attached, with a running net device
 *
 * Return: 0, -EEXIST when another link has the same peer MAC, -ENOSPC when
 * the vif has SHMLINK_LINKS_MAX links, -ENOMEM.
 */
int shmlink_divert_start(struct shmlink_link *link)
{
	struct shmlink_port *port = link->port;
	unsigned int i;
	int err = 0;

	mutex_lock(&divert_lock);
	for (i = 0; i < port->nr_links && !err; i++)
		if (ether_addr_equal(port->links[i]->config.peer_mac,
				     link->config.peer_mac))
			err = -EEXIST;
	if (!err && port->nr_links == SHMLINK_LINKS_MAX)
		err = -ENOSPC;
	if (!err) {
		port->links[port->nr_links++] = link;
		err = port_update(port);
		if (err)
			port->nr_links--;
		else
			shmlink_queue_look(link);
	}
	mutex_unlock(&divert_lock);
	return err;
}

/**
 * shmlink_divert_stop - back to the vif
 * @link: diverting or not
 *
 * When it returns no frame is on its way into the link's net device.
 */
void shmlink_divert_stop(struct shmlink_link *link)
{
	struct shmlink_port *port = link->port;
	unsigned int i;

	if (!port)
		return;

	mutex_lock(&divert_lock);
	for (i = 0; i < port->nr_links; i++)
		if (port->links[i] == link)
			break;
	if (i < port->nr_links) {
		port->links[i] = port->links[--port->nr_links];
		/* No memory for a table without us: none for anybody. */
		if (port_update(port)) {
			struct shmlink_table *old;

			old = rcu_dereference_protected(port->table, true);
			rcu_assign_pointer(port->table, NULL);
			kvfree_rcu(old, rcu);
		}
	}
	mutex_unlock(&divert_lock);
	synchronize_net();
}

/**
 * shmlink_divert_vif - the vif of a link, NULL once it has gone
 * @link: attached
 *
 * Caller is in an RCU read-side section.
 */
struct net_device *shmlink_divert_vif(const struct shmlink_link *link)
{
	return rcu_dereference(link->port->vif);
}

/**
 * shmlink_divert_held - why frames of this link would not be received
 * @link: may be unattached
 * @policy_r: if not NULL: and why none are sent
 *
 * Return: 0 when they are, or SHMLINK_HELD_*.
 */
unsigned int shmlink_divert_held(const struct shmlink_link *link,
				 unsigned int *policy_r)
{
	const struct shmlink_port *port;
	const struct net_device *vif;
	unsigned int held = 0;

	rcu_read_lock();
	port = READ_ONCE(link->port);
	if (port) {
		vif = rcu_dereference(port->vif);
		held = shmlink_vif_state(vif, port->mac);
		if (READ_ONCE(port->moved))
			held |= SHMLINK_HELD_MOVED;
		if (vif && policy_r)
			*policy_r = shmlink_vif_policy(vif);
	}
	rcu_read_unlock();
	return held;
}

/* The vif has gone, or into another network namespace. */
static void port_lose_vif(struct shmlink_port *port)
{
	unsigned int i;

	rcu_assign_pointer(port->vif, NULL);
	for (i = 0; i < port->nr_links; i++)
		shmlink_link_kick(port->links[i]);
	port->nr_links = 0;
	port_update(port);
}

static int divert_netdev_event(struct notifier_block *nb, unsigned long event,
			       void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct shmlink_port *port;
	bool lost = false;
	unsigned int i;

	mutex_lock(&divert_lock);
	list_for_each_entry(port, &divert_ports, list) {
		if (rcu_access_pointer(port->vif) != dev)
			continue;
		if (event == NETDEV_UNREGISTER) {
			port_lose_vif(port);
			lost = true;
			break;
		}
		/* Up, down, another address, a bond's choice: tell the peers. */
		for (i = 0; i < port->nr_links; i++)
			shmlink_queue_look(port->links[i]);
		break;
	}
	mutex_unlock(&divert_lock);
	if (lost) {
		synchronize_net();
		dev_put(dev);
	}
	return NOTIFY_DONE;
}

static struct notifier_block divert_notifier = {
	.notifier_call = divert_netdev_event,
};

int shmlink_divert_init(void)
{
	return register_netdevice_notifier(&divert_notifier);
}

void shmlink_divert_exit(void)
{
	unregister_netdevice_notifier(&divert_notifier);
}
