// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shared pages.  The front end allocates and grants all of them, the back
 * end maps them; what the back end reads from a directory page it checks and
 * keeps in private memory.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <xen/page.h>
#include <asm/xen/page.h>

#include "driver.h"

#define QUEUE_PAGE	0
#define DIR_PAGE(n)	(1 + (n))
#define DATA_PAGE(n)	(1 + SHMLINK_DIR_PAGES_MAX + (n))

static unsigned int pages_per_ring(u32 ring_bytes)
{
	return ring_bytes / SHMLINK_PAGE_BYTES;
}

static int memory_alloc(struct shmlink_memory *memory, u32 ring_bytes)
{
	unsigned int nr_data = 2 * pages_per_ring(ring_bytes);
	unsigned int nr = DATA_PAGE(nr_data);

	BUILD_BUG_ON(PAGE_SIZE != SHMLINK_PAGE_BYTES);

	memory->pages = kvcalloc(nr, sizeof(*memory->pages), GFP_KERNEL);
	memory->data = kvcalloc(nr_data, sizeof(*memory->data), GFP_KERNEL);
	if (!memory->pages || !memory->data)
		return -ENOMEM;
	memory->nr_pages = nr;
	return 0;
}

static void memory_free(struct shmlink_memory *memory)
{
	kvfree(memory->pages);
	kvfree(memory->data);
	kvfree(memory->grefs);
	kvfree(memory->handles);
	memset(memory, 0, sizeof(*memory));
}

static void memory_set_addresses(struct shmlink_memory *memory)
{
	unsigned int i;

	memory->queue_page = page_address(memory->pages[QUEUE_PAGE]);
	for (i = DATA_PAGE(0); i < memory->nr_pages; i++)
		memory->data[i - DATA_PAGE(0)] =
			page_address(memory->pages[i]);
}

static void queue_page_fill(struct shmlink_memory *memory,
			    const struct shmlink_config *config, u32 version)
{
	struct shmlink_queue_page *page = memory->queue_page;
	unsigned int per_ring = pages_per_ring(config->ring_bytes);
	unsigned int ring, i;

	for (ring = 0; ring < SHMLINK_DIR_PAGES_MAX; ring++) {
		u32 *dir = page_address(memory->pages[DIR_PAGE(ring)]);

		for (i = 0; i < per_ring; i++)
			dir[i] = memory->grefs[DATA_PAGE(ring * per_ring + i)];
		page->dir_gref[ring] = memory->grefs[DIR_PAGE(ring)];
	}
	memcpy(page->nonce, config->nonce, sizeof(page->nonce));
	page->ring_bytes = config->ring_bytes;
	page->version = version;
	page->magic = SHMLINK_MAGIC;
}

/**
 * shmlink_memory_grant - front end: allocate, fill in and grant everything
 * @memory: zeroed
 * @domid: the back end
 * @config: of this link
 * @version: agreed protocol version
 *
 * Return: 0, -ENOMEM, -ENOSPC when the grant table is full.  On failure
 * nothing is held.
 */
int shmlink_memory_grant(struct shmlink_memory *memory, domid_t domid,
			 const struct shmlink_config *config, u32 version)
{
	unsigned int i;
	int err;

	memory->granted = true;
	memory->domid = domid;
	err = memory_alloc(memory, config->ring_bytes);
	if (err)
		goto fail;
	memory->grefs = kvcalloc(memory->nr_pages, sizeof(*memory->grefs),
				 GFP_KERNEL);
	if (!memory->grefs) {
		err = -ENOMEM;
		goto fail;
	}

	for (i = 0; i < memory->nr_pages; i++) {
		int gref;

		memory->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO |
					      __GFP_NOWARN);
		if (!memory->pages[i]) {
			err = -ENOMEM;
			goto fail;
		}
		gref = gnttab_grant_foreign_access(domid,
						   xen_page_to_gfn(memory->pages[i]),
						   0);
		if (gref < 0) {
			err = gref;
			goto fail;
		}
		memory->grefs[i] = gref;
	}
	memory_set_addresses(memory);
	queue_page_fill(memory, config, version);
	return 0;

fail:
	shmlink_memory_release(memory);
	return err;
}

/* Map @count grants to the pages from @first on. */
static int map_range(struct shmlink_memory *memory, domid_t domid,
		     unsigned int first, const grant_ref_t *grefs,
		     unsigned int count)
{
	struct gnttab_map_grant_ref *ops;
	unsigned int i;
	int err;

	ops = kvcalloc(count, sizeof(*ops), GFP_KERNEL);
	if (!ops)
		return -ENOMEM;

	for (i = 0; i < count; i++)
		gnttab_set_map_op(&ops[i],
				  (unsigned long)page_address(memory->pages[first + i]),
				  GNTMAP_host_map, grefs[i], domid);
	/* Where the hypercall itself fails Xen writes none. */
	for (i = 0; i < count; i++)
		ops[i].status = GNTST_general_error;
	err = gnttab_map_refs(ops, NULL, &memory->pages[first], count);
	for (i = 0; i < count; i++) {
		if (ops[i].status == GNTST_okay)
			memory->handles[first + i] = ops[i].handle;
		else if (!err)
			err = -EACCES;
	}
	kvfree(ops);
	return err;
}

static int queue_page_check(const struct shmlink_memory *memory,
			    const struct shmlink_config *config, u32 version)
{
	const struct shmlink_queue_page *page = memory->queue_page;

	if (READ_ONCE(page->magic) != SHMLINK_MAGIC ||
	    READ_ONCE(page->version) != version ||
	    READ_ONCE(page->ring_bytes) != config->ring_bytes ||
	    memcmp(page->nonce, config->nonce, sizeof(config->nonce)))
		return -EPROTO;
	return 0;
}

static int map_data(struct shmlink_memory *memory, domid_t domid,
		    unsigned int per_ring)
{
	struct shmlink_queue_page *page =
		page_address(memory->pages[QUEUE_PAGE]);
	grant_ref_t dir_grefs[SHMLINK_DIR_PAGES_MAX];
	grant_ref_t *grefs;
	unsigned int ring;
	int err;

	for (ring = 0; ring < SHMLINK_DIR_PAGES_MAX; ring++)
		dir_grefs[ring] = READ_ONCE(page->dir_gref[ring]);
	err = map_range(memory, domid, DIR_PAGE(0), dir_grefs,
			SHMLINK_DIR_PAGES_MAX);
	if (err)
		return err;

	/* A copy: the peer may rewrite the directory while we map. */
	grefs = kvcalloc(per_ring, sizeof(*grefs), GFP_KERNEL);
	if (!grefs)
		return -ENOMEM;
	for (ring = 0; ring < SHMLINK_DIR_PAGES_MAX && !err; ring++) {
		memcpy(grefs, page_address(memory->pages[DIR_PAGE(ring)]),
		       per_ring * sizeof(*grefs));
		barrier();
		err = map_range(memory, domid, DATA_PAGE(ring * per_ring),
				grefs, per_ring);
	}
	kvfree(grefs);
	return err;
}

/**
 * shmlink_memory_map - back end: map everything that the front end grants
 * @memory: zeroed
 * @domid: the front end
 * @config: of this link
 * @version: agreed protocol version
 * @queue_gref: of the queue page
 *
 * Return: 0, -ENOMEM, -EACCES when Xen refuses a grant, -EPROTO when the
 * queue page is not that of this link.  On failure nothing is held.
 */
int shmlink_memory_map(struct shmlink_memory *memory, domid_t domid,
		       const struct shmlink_config *config, u32 version,
		       grant_ref_t queue_gref)
{
	unsigned int i;
	int err;

	err = memory_alloc(memory, config->ring_bytes);
	if (err)
		goto fail;
	memory->handles = kvcalloc(memory->nr_pages, sizeof(*memory->handles),
				   GFP_KERNEL);
	if (!memory->handles) {
		err = -ENOMEM;
		goto fail;
	}
	for (i = 0; i < memory->nr_pages; i++)
		memory->handles[i] = INVALID_GRANT_HANDLE;
	err = gnttab_alloc_pages(memory->nr_pages, memory->pages);
	if (err) {
		/* It frees what it had got, and leaves the pointers. */
		memory->nr_pages = 0;
		goto fail;
	}

	err = map_range(memory, domid, QUEUE_PAGE, &queue_gref, 1);
	if (err)
		goto fail;
	memory->queue_page = page_address(memory->pages[QUEUE_PAGE]);
	err = queue_page_check(memory, config, version);
	if (err)
		goto fail;
	err = map_data(memory, domid, pages_per_ring(config->ring_bytes));
	if (err)
		goto fail;
	memory_set_addresses(memory);
	return 0;

fail:
	shmlink_memory_release(memory);
	return err;
}

/**
 * shmlink_memory_give_back - granter: end the grants that the peer has unmapped
 * @memory: not in use on this side any more
 *
 * Return: how many it still has mapped.
 */
unsigned int shmlink_memory_give_back(struct shmlink_memory *memory)
{
	unsigned int i, left = 0;

	for (i = 0; i < memory->nr_pages; i++) {
		if (!memory->grefs[i])
			continue;
		if (!gnttab_try_end_foreign_access(memory->grefs[i])) {
			left++;
			continue;
		}
		memory->grefs[i] = 0;
		put_page(memory->pages[i]);
		memory->pages[i] = NULL;
	}
	return left;
}

/**
 * shmlink_memory_abandon - granter: leave the rest to the kernel
 * @memory: zeroed afterwards
 */
void shmlink_memory_abandon(struct shmlink_memory *memory)
{
	unsigned int i;

	for (i = 0; i < memory->nr_pages; i++) {
		if (memory->grefs[i])
			gnttab_end_foreign_access(memory->grefs[i],
						  memory->pages[i]);
		else if (memory->pages[i])
			put_page(memory->pages[i]);	/* was never granted */
	}
	memory_free(memory);
}

static void memory_ungrant(struct shmlink_memory *memory)
{
	unsigned int i, left = shmlink_memory_give_back(memory);

	if (left)
		return shmlink_kept_add(memory, left);
	/* One that could not be granted. */
	for (i = 0; i < memory->nr_pages; i++)
		if (memory->pages[i])
			put_page(memory->pages[i]);
}

static void memory_unmap(struct shmlink_memory *memory)
{
	struct gnttab_unmap_grant_ref *ops;
	struct page **pages;
	unsigned int i, count = 0;

	if (!memory->nr_pages)
		return;

	/* No memory, no unmapping: this must not fail. */
	ops = kvcalloc(memory->nr_pages, sizeof(*ops),
		       GFP_KERNEL | __GFP_NOFAIL);
	pages = kvcalloc(memory->nr_pages, sizeof(*pages),
			 GFP_KERNEL | __GFP_NOFAIL);
	for (i = 0; i < memory->nr_pages; i++) {
		if (memory->handles[i] == INVALID_GRANT_HANDLE)
			continue;
		gnttab_set_unmap_op(&ops[count],
				    (unsigned long)page_address(memory->pages[i]),
				    GNTMAP_host_map, memory->handles[i]);
		pages[count++] = memory->pages[i];
	}
	if (count) {
		struct gntab_unmap_queue_data unmap = {
			.unmap_ops = ops,
			.pages = pages,
			.count = count,
		};

		/* Sleeps until nobody else uses the pages: we never lend any. */
		WARN_ON_ONCE(gnttab_unmap_refs_sync(&unmap));
	}
	kvfree(ops);
	kvfree(pages);
	gnttab_free_pages(memory->nr_pages, memory->pages);
}

/**
 * shmlink_memory_release - give everything back, whatever state it is in
 * @memory: may be zeroed; zeroed afterwards
 *
 * What the peer still has mapped goes to kept.c.
 */
void shmlink_memory_release(struct shmlink_memory *memory)
{
	if (memory->granted && memory->grefs)
		memory_ungrant(memory);
	else if (!memory->granted && memory->handles)
		memory_unmap(memory);
	memory_free(memory);
}
