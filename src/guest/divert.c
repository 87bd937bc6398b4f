// SPDX-License-Identifier: GPL-2.0-only
/*
 * Diversion: at the egress of a vif, frames from the vif's own MAC to the MAC
 * of a linked peer leave by shm<n>.  Everything else passes: one look-up in a
 * table without collisions and one comparison.  A vif without a link has no
 * hook at all.
 */
#include <linux/etherdevice.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/netfilter_netdev.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>

#include "driver.h"

#if !IS_ENABLED(CONFIG_NETFILTER_EGRESS)
#error "shmlink needs a kernel with CONFIG_NETFILTER_EGRESS (Linux >= 5.16)"
#endif

#define MAC_MASK	0xffffffffffffULL
#define TABLE_BITS_MAX	14
#define TABLE_TRIES	64

struct divert_slot {
	u64 peer_mac;
	struct shmlink_link *link;
};

/* A hash table in which no two links share a slot. */
struct divert_table {
	struct rcu_head rcu;
	u64 factor;
	u32 mask;
	struct divert_slot slots[];
};

/**
 * struct divert_port - a vif with links
 * @list: in divert_ports
 * @handle: the vif's number
 * @users: links that are attached
 * @vif: the net device, NULL once it has gone
 * @ops: the hook, registered while there is a table
 * @hooked: it is registered
 * @table: the links that divert, NULL for none
 * @links: the same links, for building the next table
 * @nr_links: how many
 */
struct divert_port {
	struct list_head list;
	unsigned int handle;
	unsigned int users;
	struct net_device __rcu *vif;
	struct nf_hook_ops ops;
	bool hooked;
	struct divert_table __rcu *table;
	struct shmlink_link *links[SHMLINK_LINKS_MAX];
	unsigned int nr_links;
};

static DEFINE_MUTEX(divert_lock);
static LIST_HEAD(divert_ports);

/* A MAC as a number: on little-endian x86 the low 48 bits of its bytes. */
static u64 mac_key(const u8 *mac)
{
	u64 key = 0;

	memcpy(&key, mac, ETH_ALEN);
	return key;
}

/* Same for a frame's first six of at least eight bytes, in one load. */
static u64 frame_key(const u8 *frame)
{
	u64 key;

	memcpy(&key, frame, sizeof(key));
	return key & MAC_MASK;
}

static u32 table_index(const struct divert_table *table, u64 key)
{
	return (u32)((key * table->factor) >> 32) & table->mask;
}

static bool table_fill(struct divert_table *table,
		       const struct divert_port *port)
{
	unsigned int i;

	memset(table->slots, 0, (table->mask + 1) * sizeof(table->slots[0]));
	for (i = 0; i < port->nr_links; i++) {
		u64 key = mac_key(port->links[i]->config.peer_mac);
		struct divert_slot *slot =
			&table->slots[table_index(table, key)];

		if (slot->link)
			return false;
		slot->peer_mac = key;
		slot->link = port->links[i];
	}
	return true;
}

/* Finds a factor under which the port's links do not collide. */
static struct divert_table *table_build(const struct divert_port *port)
{
	unsigned int bits = ilog2(roundup_pow_of_two(port->nr_links));

	for (; bits <= TABLE_BITS_MAX; bits++) {
		struct divert_table *table;
		unsigned int try;

		table = kvzalloc(struct_size(table, slots, 1U << bits),
				 GFP_KERNEL);
		if (!table)
			return ERR_PTR(-ENOMEM);
		table->mask = (1U << bits) - 1;
		for (try = 0; try < TABLE_TRIES; try++) {
			table->factor = GOLDEN_RATIO_64 * (2 * try + 1);
			if (table_fill(table, port))
				return table;
		}
		kvfree(table);
	}
	return ERR_PTR(-ENOSPC);
}

static unsigned int divert_frame(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	struct divert_port *port = priv;
	const struct divert_table *table = rcu_dereference(port->table);
	const struct divert_slot *slot;
	struct net_device *shm;
	u64 key;

	if (unlikely(!table || skb_headlen(skb) < ETH_HLEN))
		return NF_ACCEPT;

	key = frame_key(skb->data);
	slot = &table->slots[table_index(table, key)];
	if (slot->peer_mac != key || !slot->link)
		return NF_ACCEPT;

	/* What the guest bridges or routes at layer 2 for others stays. */
	if (!ether_addr_equal(skb->data + ETH_ALEN, slot->link->config.mac) ||
	    skb->len > SHMLINK_FRAME_BYTES_MAX)
		return NF_ACCEPT;

	shm = slot->link->netdev;
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

/* Makes the table and the hook those of the port's list of links. */
static int port_update(struct divert_port *port)
{
	struct divert_table *old, *new = NULL;
	struct net_device *vif;
	int err;

	lockdep_assert_held(&divert_lock);
	vif = rcu_dereference_protected(port->vif,
					lockdep_is_held(&divert_lock));
	old = rcu_dereference_protected(port->table,
					lockdep_is_held(&divert_lock));

	if (vif && port->nr_links) {
		new = table_build(port);
		if (IS_ERR(new))
			return PTR_ERR(new);
	}
	if (new && !port->hooked) {
		err = nf_register_net_hook(dev_net(vif), &port->ops);
		if (err) {
			kvfree(new);
			return err;
		}
		port->hooked = true;
	}
	rcu_assign_pointer(port->table, new);
	if (!new && port->hooked) {
		nf_unregister_net_hook(dev_net(port->ops.dev), &port->ops);
		port->hooked = false;
	}
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}

/* The net device of vif number @handle, with a reference, or NULL. */
static struct net_device *find_vif(unsigned int handle)
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

static struct divert_port *port_get(unsigned int handle)
{
	struct divert_port *port;

	list_for_each_entry(port, &divert_ports, list) {
		if (port->handle == handle && rcu_access_pointer(port->vif)) {
			port->users++;
			return port;
		}
	}
	return NULL;
}

/**
 * shmlink_divert_attach - bind a link to its vif; nothing is diverted yet
 * @link: configured
 *
 * Return: 0, -ENODEV when there is no such vif, -ENOMEM.
 */
int shmlink_divert_attach(struct shmlink_link *link)
{
	unsigned int handle = link->config.vif;
	struct net_device *vif = find_vif(handle);
	struct divert_port *port;
	int err = 0;

	if (!vif)
		return -ENODEV;

	mutex_lock(&divert_lock);
	port = port_get(handle);
	if (port) {
		dev_put(vif);
		goto out;
	}
	port = kzalloc(sizeof(*port), GFP_KERNEL);
	if (!port) {
		dev_put(vif);
		err = -ENOMEM;
		goto out;
	}
	port->handle = handle;
	port->users = 1;
	port->ops.hook = divert_frame;
	port->ops.dev = vif;
	port->ops.priv = port;
	port->ops.pf = NFPROTO_NETDEV;
	port->ops.hooknum = NF_NETDEV_EGRESS;
	/* Last: the administrator's own egress rules have had their say. */
	port->ops.priority = INT_MAX;
	rcu_assign_pointer(port->vif, vif);
	list_add(&port->list, &divert_ports);
out:
	if (!err)
		link->port = port;
	mutex_unlock(&divert_lock);
	return err;
}

/**
 * shmlink_divert_detach - undo shmlink_divert_attach()
 * @link: not diverting; may be unattached
 *
 * Sleeps until no frame is on its way to the vif through this link.
 */
void shmlink_divert_detach(struct shmlink_link *link)
{
	struct divert_port *port = link->port;
	struct net_device *vif;

	if (!port)
		return;

	mutex_lock(&divert_lock);
	link->port = NULL;
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
	struct divert_port *port = link->port;
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
	struct divert_port *port = link->port;
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
			struct divert_table *old;

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

static int divert_netdev_event(struct notifier_block *nb, unsigned long event,
			       void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct divert_port *port;
	bool ours = false;

	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;

	mutex_lock(&divert_lock);
	list_for_each_entry(port, &divert_ports, list) {
		if (rcu_access_pointer(port->vif) != dev)
			continue;
		ours = true;
		port->nr_links = 0;
		port_update(port);
		rcu_assign_pointer(port->vif, NULL);
		break;
	}
	mutex_unlock(&divert_lock);
	if (ours) {
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
