// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "driver.h"
#include "table.h"

#define TABLE_BITS_MAX	14
#define TABLE_TRIES	64

static bool table_fill(struct shmlink_table *table,
		       struct shmlink_link *const *links, unsigned int nr)
{
	unsigned int i;

	memset(table->slots, 0, (table->mask + 1) * sizeof(table->slots[0]));
	for (i = 0; i < nr; i++) {
		u64 mac = shmlink_mac_key(links[i]->config.peer_mac);
		u32 at = shmlink_table_index(table, mac);

		if (table->slots[at].link)
			return false;
		table->slots[at].mac = mac;
		table->slots[at].link = links[i];
	}
	return true;
}

/* Finds a factor under which the links do not collide. */
struct shmlink_table *shmlink_table_build(struct shmlink_link *const *links,
					  unsigned int nr)
{
	unsigned int bits = ilog2(roundup_pow_of_two(nr));

	for (; bits <= TABLE_BITS_MAX; bits++) {
		struct shmlink_table *table;
		unsigned int try;

		table = kvzalloc(struct_size(table, slots, 1U << bits),
				 GFP_KERNEL);
		if (!table)
			return ERR_PTR(-ENOMEM);
		table->mask = (1U << bits) - 1;
		for (try = 0; try < TABLE_TRIES; try++) {
			table->factor = GOLDEN_RATIO_64 * (2 * try + 1);
			if (table_fill(table, links, nr))
				return table;
		}
		kvfree(table);
	}
	return ERR_PTR(-ENOSPC);
}
