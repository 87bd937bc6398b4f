/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hash table of links by their peers' MAC addresses in which no two share
 * a slot: one comparison tells whether an address is a peer's.
 */
#ifndef SHMLINK_TABLE_H
#define SHMLINK_TABLE_H

#include <linux/etherdevice.h>
#include <linux/rcupdate.h>

struct shmlink_link;

struct shmlink_table {
	struct rcu_head rcu;
	u64 factor;
	u32 mask;
	struct {
		u64 mac;
		struct shmlink_link *link;
	} slots[];
};

/* A MAC as a number: on little-endian x86 the low 48 bits of its bytes. */
static inline u64 shmlink_mac_key(const u8 *mac)
{
	u64 key = 0;

	memcpy(&key, mac, ETH_ALEN);
	return key;
}

/* Same for an address in a frame's header, in one load of eight bytes. */
static inline u64 shmlink_frame_key(const u8 *address)
{
	u64 key;

	memcpy(&key, address, sizeof(key));
	return key & 0xffffffffffffULL;
}

static inline u32 shmlink_table_index(const struct shmlink_table *table,
				      u64 mac)
{
	return (u32)((mac * table->factor) >> 32) & table->mask;
}

/* The link whose peer has this address, or NULL. */
static inline struct shmlink_link *
shmlink_table_find(const struct shmlink_table *table, u64 mac)
{
	u32 i = shmlink_table_index(table, mac);

	return table->slots[i].mac == mac ? table->slots[i].link : NULL;
}

/*
 * A table of @nr links, at least one.
 * Return: to be freed with kvfree_rcu(), or ERR_PTR(): -ENOMEM, -ENOSPC.
 */
struct shmlink_table *shmlink_table_build(struct shmlink_link *const *links,
					  unsigned int nr);

#endif /* SHMLINK_TABLE_H */
