// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of closed links that their peers have not unmapped.  Xen does not let
 * a guest take them back by force, so they wait here, and their peer gets no
 * new link meanwhile: it keeps no more than the links it had at once.
 */
#include <linux/slab.h>

#include "driver.h"

/* How often it is tried; one who looks tries as well. */
#define KEPT_PERIOD	HZ

struct kept {
	struct list_head list;
	struct shmlink_memory memory;
};

static DEFINE_MUTEX(kept_lock);
static LIST_HEAD(kept_list);

static void kept_look(struct work_struct *work);
static DECLARE_DELAYED_WORK(kept_work, kept_look);

/* Takes back what it can; how many pages @domid still keeps. */
static unsigned int kept_take_back(domid_t domid)
{
	unsigned int pages = 0;
	struct kept *kept, *next;

	lockdep_assert_held(&kept_lock);
	list_for_each_entry_safe(kept, next, &kept_list, list) {
		unsigned int left = shmlink_memory_give_back(&kept->memory);

		if (kept->memory.domid == domid)
			pages += left;
		if (left)
			continue;
		pr_info("shmlink: domain %u has unmapped a closed link's pages\n",
			kept->memory.domid);
		list_del(&kept->list);
		shmlink_memory_release(&kept->memory);
		kfree(kept);
	}
	if (!list_empty(&kept_list))
		queue_delayed_work(shmlink_wq, &kept_work, KEPT_PERIOD);
	return pages;
}

static void kept_look(struct work_struct *work)
{
	mutex_lock(&kept_lock);
	kept_take_back(DOMID_INVALID);
	mutex_unlock(&kept_lock);
}

/**
 * shmlink_kept_add - wait until the peer has unmapped these pages
 * @memory: granted; zeroed afterwards
 * @left: pages that it still has mapped
 */
void shmlink_kept_add(struct shmlink_memory *memory, unsigned int left)
{
	struct kept *kept = kzalloc(sizeof(*kept), GFP_KERNEL | __GFP_NOFAIL);

	pr_warn("shmlink: domain %u keeps %u pages of a closed link mapped\n",
		memory->domid, left);
	kept->memory = *memory;
	memset(memory, 0, sizeof(*memory));
	mutex_lock(&kept_lock);
	list_add_tail(&kept->list, &kept_list);
	queue_delayed_work(shmlink_wq, &kept_work, KEPT_PERIOD);
	mutex_unlock(&kept_lock);
}

/**
 * shmlink_kept_by - how many pages of closed links a peer has mapped now
 * @domid: the peer
 *
 * Return: their number.
 */
unsigned int shmlink_kept_by(domid_t domid)
{
	unsigned int pages;

	mutex_lock(&kept_lock);
	pages = kept_take_back(domid);
	mutex_unlock(&kept_lock);
	return pages;
}

/* When the module goes: to the kernel, which has a list like this. */
void shmlink_kept_exit(void)
{
	struct kept *kept, *next;

	cancel_delayed_work_sync(&kept_work);
	list_for_each_entry_safe(kept, next, &kept_list, list) {
		list_del(&kept->list);
		shmlink_memory_abandon(&kept->memory);
		kfree(kept);
	}
}
