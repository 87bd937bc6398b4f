// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grants, without a hypervisor that maps one page at two addresses: while the
 * driver has a page of the peer's mapped, the peer uses the driver's.  That
 * one lies between two pages of its own which nobody may write to, and is
 * filled when it is unmapped, to be looked at when it is freed.
 */
#include <linux/module.h>
#include <linux/slab.h>

#define FAKE_XEN
#include "fake-xen.h"

/* A link of the largest size has 2051. */
#define GRANTS		4096
#define GUARD		0x5a
#define UNMAPPED	0x6b

struct grant {
	bool used;
	bool by_peer;
	bool mapped;
	bool ended;		/* by the driver while the peer had it mapped */
	struct page *page;	/* the granter's */
	struct page *mapper;	/* the driver's, where it has it mapped */
};

static struct grant grants[GRANTS];
static DEFINE_SPINLOCK(grants_lock);
static atomic_t pages_held;

static int grant_new(struct page *page, bool by_peer)
{
	int i, ref = -ENOSPC;

	spin_lock(&grants_lock);
	/* Xen's first ones are reserved. */
	for (i = 8; i < GRANTS && ref < 0; i++) {
		if (grants[i].used)
			continue;
		grants[i] = (struct grant){
			.used = true, .by_peer = by_peer, .page = page,
		};
		ref = i;
	}
	spin_unlock(&grants_lock);
	return ref;
}

static struct grant *grant_find(grant_ref_t ref, bool by_peer)
{
	struct grant *grant = &grants[ref];

	if (ref >= GRANTS || !grant->used || grant->by_peer != by_peer)
		return NULL;
	return grant;
}

/*
 * The driver grants.
 */

int fake_grant(domid_t domid, unsigned long frame, int readonly)
{
	if (domid != FAKE_PEER || readonly)
		fake_fault("grants to somebody else, or read-only");
	return fake_fails() ? -ENOSPC : grant_new(pfn_to_page(frame), false);
}
EXPORT_SYMBOL_GPL(fake_grant);

int fake_try_end_grant(grant_ref_t ref)
{
	struct grant *grant = grant_find(ref, false);

	if (!grant) {
		fake_fault("ends a grant that is none");
		return 1;
	}
	if (grant->mapped)
		return 0;
	grant->used = false;
	return 1;
}
EXPORT_SYMBOL_GPL(fake_try_end_grant);

void fake_end_grant(grant_ref_t ref, struct page *page)
{
	struct grant *grant = grant_find(ref, false);

	if (!grant)
		return fake_fault("ends a grant that is none");
	if (page != grant->page)
		fake_fault("frees another page than it granted");
	grant->ended = true;
	if (!grant->mapped) {
		grant->used = false;
		put_page(page);
	}
}
EXPORT_SYMBOL_GPL(fake_end_grant);

bool fake_peer_map(grant_ref_t ref)
{
	struct grant *grant = grant_find(ref, false);

	if (!grant || grant->ended)
		return false;
	grant->mapped = true;
	return true;
}
EXPORT_SYMBOL_GPL(fake_peer_map);

void fake_peer_unmap(grant_ref_t ref)
{
	struct grant *grant = grant_find(ref, false);

	if (!grant)
		return;
	grant->mapped = false;
	if (grant->ended) {
		grant->used = false;
		put_page(grant->page);
	}
}
EXPORT_SYMBOL_GPL(fake_peer_unmap);

void *fake_address(grant_ref_t ref)
{
	const struct grant *grant = &grants[ref];

	return page_address(grant->mapper ? grant->mapper : grant->page);
}
EXPORT_SYMBOL_GPL(fake_address);

/*
 * The driver maps.
 */

int fake_peer_grant(void)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO | __GFP_NOFAIL);
	int ref = grant_new(page, true);

	if (ref < 0)
		put_page(page);
	return ref;
}
EXPORT_SYMBOL_GPL(fake_peer_grant);

void fake_peer_end_grant(grant_ref_t ref)
{
	struct grant *grant = grant_find(ref, true);

	if (!grant)
		return;
	if (grant->mapper)
		fake_fault("has a grant mapped whose granter is done");
	grant->used = false;
	put_page(grant->page);
}
EXPORT_SYMBOL_GPL(fake_peer_end_grant);

int fake_alloc_pages(int nr, struct page **pages)
{
	int i;

	if (fake_fails())
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		struct page *block = alloc_pages(GFP_KERNEL, 2);

		if (WARN_ON(!block))
			return -ENOMEM;
		split_page(block, 2);
		memset(page_address(block), GUARD, 4 * PAGE_SIZE);
		/* The fourth is not needed. */
		__free_page(block + 3);
		pages[i] = block + 1;
		memset(page_address(pages[i]), UNMAPPED, PAGE_SIZE);
	}
	atomic_add(nr, &pages_held);
	return 0;
}
EXPORT_SYMBOL_GPL(fake_alloc_pages);

static bool is_filled(struct page *page, u8 with)
{
	return !memchr_inv(page_address(page), with, PAGE_SIZE);
}

void fake_free_pages(int nr, struct page **pages)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (!is_filled(pages[i] - 1, GUARD) ||
		    !is_filled(pages[i] + 1, GUARD))
			fake_fault("wrote behind or before a page");
		if (!is_filled(pages[i], UNMAPPED))
			fake_fault("wrote to a page that is not mapped");
		__free_page(pages[i] - 1);
		__free_page(pages[i]);
		__free_page(pages[i] + 1);
	}
	atomic_sub(nr, &pages_held);
}
EXPORT_SYMBOL_GPL(fake_free_pages);

int fake_map_refs(struct gnttab_map_grant_ref *ops,
		  struct gnttab_map_grant_ref *kernel_ops,
		  struct page **pages, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		struct grant *grant = grant_find(ops[i].ref, true);

		if (!grant || grant->mapper || ops[i].dom != FAKE_PEER ||
		    fake_fails()) {
			ops[i].status = GNTST_bad_gntref;
			continue;
		}
		copy_page(page_address(pages[i]), page_address(grant->page));
		grant->mapper = pages[i];
		ops[i].handle = ops[i].ref;
		ops[i].status = GNTST_okay;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(fake_map_refs);

int fake_unmap_refs(struct gntab_unmap_queue_data *unmap)
{
	unsigned int i;

	for (i = 0; i < unmap->count; i++) {
		grant_handle_t handle = unmap->unmap_ops[i].handle;
		struct grant *grant = grant_find(handle, true);

		if (!grant || grant->mapper != unmap->pages[i]) {
			fake_fault("unmaps what is not mapped");
			continue;
		}
		copy_page(page_address(grant->page),
			  page_address(grant->mapper));
		memset(page_address(grant->mapper), UNMAPPED, PAGE_SIZE);
		grant->mapper = NULL;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(fake_unmap_refs);

unsigned int fake_grants_held(void)
{
	unsigned int i, held = atomic_read(&pages_held);

	for (i = 0; i < GRANTS; i++)
		held += grants[i].used && (!grants[i].by_peer ||
					   grants[i].mapper);
	return held;
}
