/* SPDX-License-Identifier: GPL-2.0-only */
/* A vif with links: what divert.c keeps of it and the hooks in hook.c use. */
#ifndef SHMLINK_PORT_H
#define SHMLINK_PORT_H

#include <linux/netfilter.h>

#include "driver.h"
#include "table.h"

/**
 * struct shmlink_port - a vif with links
 * @list: in divert_ports
 * @handle: the vif's number
 * @users: links that are attached
 * @mac: its MAC address, as the toolstack knows it
 * @moved: somebody else was seen to use that
 * @vif: the net device, NULL once it has gone
 * @ops: the hooks, registered while there is a table
 * @hooked: they are registered
 * @table: the links that divert, NULL for none
 * @links: the same links, for building the next table
 * @nr_links: how many
 */
struct shmlink_port {
	struct list_head list;
	unsigned int handle;
	unsigned int users;
	u8 mac[ETH_ALEN];
	bool moved;
	struct net_device __rcu *vif;
	struct nf_hook_ops ops[2];
	bool hooked;
	struct shmlink_table __rcu *table;
	struct shmlink_link *links[SHMLINK_LINKS_MAX];
	unsigned int nr_links;
};

/* Fills in the hooks; they are not registered yet. */
void shmlink_hook_fill(struct shmlink_port *port, struct net_device *vif);

#endif /* SHMLINK_PORT_H */
