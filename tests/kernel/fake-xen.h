/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen as the driver's files see it, in a kernel that does not run on Xen.
 *
 * This header is forced into each of them: their calls of xenbus, grants and
 * event channels go to fake-xen.ko, all else is the kernel's own.  What is
 * below "the test's side" is what the peer uses.
 */
#ifndef FAKE_XEN_H
#define FAKE_XEN_H

#include <linux/interrupt.h>
#include <linux/netdevice.h>
#include <xen/xen.h>
#include <xen/events.h>
#include <xen/grant_table.h>
#include <xen/page.h>
#include <xen/xenbus.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/page.h>

int fake_register_frontend(struct xenbus_driver *drv, struct module *owner,
			   const char *mod_name);
int fake_register_backend(struct xenbus_driver *drv, struct module *owner,
			  const char *mod_name);
void fake_unregister_driver(struct xenbus_driver *drv);
int fake_register_watch(struct xenbus_watch *watch);
void fake_unregister_watch(struct xenbus_watch *watch);

__printf(4, 5)
int fake_printf(struct xenbus_transaction t, const char *dir,
		const char *node, const char *fmt, ...);
__scanf(4, 5)
int fake_scanf(struct xenbus_transaction t, const char *dir, const char *node,
	       const char *fmt, ...);
void *fake_read(struct xenbus_transaction t, const char *dir,
		const char *node, unsigned int *len);
int fake_exists(struct xenbus_transaction t, const char *dir,
		const char *node);
int fake_rm(struct xenbus_transaction t, const char *dir, const char *node);
int fake_transaction_start(struct xenbus_transaction *t);
int fake_transaction_end(struct xenbus_transaction t, bool abort);
int fake_switch_state(struct xenbus_device *dev, enum xenbus_state state);

int fake_alloc_evtchn(struct xenbus_device *dev, evtchn_port_t *port);
int fake_free_evtchn(struct xenbus_device *dev, evtchn_port_t port);
int fake_event_channel_op(int cmd, void *arg);
int fake_bind_irqhandler(evtchn_port_t port, irq_handler_t handler,
			 unsigned long flags, const char *name, void *dev_id);
void fake_unbind_irqhandler(unsigned int irq, void *dev_id);
void fake_lateeoi(unsigned int irq, unsigned int flags);
void fake_notify(int irq);

int fake_grant(domid_t domid, unsigned long frame, int readonly);
int fake_try_end_grant(grant_ref_t ref);
void fake_end_grant(grant_ref_t ref, struct page *page);
int fake_alloc_pages(int nr, struct page **pages);
void fake_free_pages(int nr, struct page **pages);
int fake_map_refs(struct gnttab_map_grant_ref *ops,
		  struct gnttab_map_grant_ref *kernel_ops,
		  struct page **pages, unsigned int count);
int fake_unmap_refs(struct gntab_unmap_queue_data *unmap);

#ifndef FAKE_XEN

#undef xen_domain
#define xen_domain()				true
#define __xenbus_register_frontend		fake_register_frontend
#define __xenbus_register_backend		fake_register_backend
#define xenbus_unregister_driver		fake_unregister_driver
#define register_xenbus_watch			fake_register_watch
#define unregister_xenbus_watch			fake_unregister_watch
#define xenbus_printf				fake_printf
#define xenbus_scanf				fake_scanf
#define xenbus_read				fake_read
#define xenbus_exists				fake_exists
#define xenbus_rm				fake_rm
#define xenbus_transaction_start		fake_transaction_start
#define xenbus_transaction_end			fake_transaction_end
#define xenbus_switch_state			fake_switch_state
#define xenbus_alloc_evtchn			fake_alloc_evtchn
#define xenbus_free_evtchn			fake_free_evtchn
#define HYPERVISOR_event_channel_op		fake_event_channel_op
#define bind_evtchn_to_irqhandler_lateeoi	fake_bind_irqhandler
#define unbind_from_irqhandler			fake_unbind_irqhandler
#define xen_irq_lateeoi				fake_lateeoi
#define notify_remote_via_irq			fake_notify
#define gnttab_grant_foreign_access		fake_grant
#define gnttab_try_end_foreign_access		fake_try_end_grant
#define gnttab_end_foreign_access		fake_end_grant
#define gnttab_alloc_pages			fake_alloc_pages
#define gnttab_free_pages			fake_free_pages
#define gnttab_map_refs				fake_map_refs
#define gnttab_unmap_refs_sync			fake_unmap_refs

#else

/*
 * The test's side.
 */

/* The peer's domain, and its transaction: the driver's own can fail. */
#define FAKE_PEER	5
#define FAKE_PEER_XBT	((struct xenbus_transaction) { 3 })

/*
 * A device appears in the driver's domain: @dir is its directory, @other_dir
 * the peer's.  Goes by fake_device_remove(), or by the driver's own
 * device_unregister(); the reference that is returned is to be put.
 */
struct xenbus_device *fake_device_add(bool front, const char *type,
				      const char *dir, const char *other_dir);
void fake_device_remove(struct xenbus_device *dev);
/* What xenbus calls before a suspend. */
void fake_device_suspend(struct xenbus_device *dev);
/* Waits until all watches that have fired are worked off. */
void fake_watches_wait(void);
/* Wakes when the store changes. */
extern wait_queue_head_t fake_store_wait;

/* An event for the driver; the peer is at @port, or goes. */
void fake_event(evtchn_port_t port);
void fake_event_peer(evtchn_port_t port, bool there);
/* Whether the channel waits for its late EOI. */
bool fake_event_is_masked(evtchn_port_t port);
/* How often the driver has notified its peer, and called an event spurious. */
unsigned long fake_event_notified(evtchn_port_t port);
unsigned long fake_event_spurious(evtchn_port_t port);
/* How often it has looked whether the peer is there, as in each of its rounds. */
unsigned long fake_event_looked(evtchn_port_t port);

/* The peer grants a page, zeroed: the reference, or a negative errno. */
int fake_peer_grant(void);
void fake_peer_end_grant(grant_ref_t ref);
/* The peer maps what the driver grants: whether there is such a grant. */
bool fake_peer_map(grant_ref_t ref);
void fake_peer_unmap(grant_ref_t ref);
/* Where a granted page is now: it moves when it is mapped and unmapped. */
void *fake_address(grant_ref_t ref);

/*
 * The @nr-th call from now on of what can fail in the driver's domain fails
 * (0: none); returns how many there were since.
 */
unsigned int fake_fail(unsigned int nr);
bool fake_fails(void);

/* What the driver holds of Xen's and has not given back. */
unsigned int fake_held(void);
/* What it did that Xen would not forgive, such as a write behind a page. */
unsigned int fake_faults(void);
void fake_fault(const char *what);

/* Between the files of fake-xen.ko. */
unsigned int fake_grants_held(void);
unsigned int fake_events_held(void);
int fake_store_init(void);
void fake_store_exit(void);
int fake_bus_init(void);
void fake_bus_exit(void);

#endif /* FAKE_XEN */

#endif /* FAKE_XEN_H */
