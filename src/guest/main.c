// SPDX-License-Identifier: GPL-2.0-only
/*
 * shmlink: traffic between two Xen guests of one host through shared memory.
 *
 * The module is both ends of a xenbus split device; which end a guest has in
 * a link is the toolstack's choice.  It says in xenstore that it is there,
 * and what its links have counted when it is asked.
 */
#include <linux/module.h>
#include <linux/reboot.h>
#include <xen/xen.h>

#include "driver.h"

/*
 * For so long all links together wait for their peers before suspend and
 * reboot.  What they do besides takes no longer than the rest of a second.
 */
#define ALL_TIMEOUT	msecs_to_jiffies(700)

struct workqueue_struct *shmlink_wq;

static DEFINE_MUTEX(links_lock);
static LIST_HEAD(links);

void shmlink_list_add(struct shmlink_link *link)
{
	mutex_lock(&links_lock);
	list_add_tail(&link->list, &links);
	mutex_unlock(&links_lock);
}

void shmlink_list_del(struct shmlink_link *link)
{
	mutex_lock(&links_lock);
	list_del(&link->list);
	mutex_unlock(&links_lock);
}

/* Closes all links at once. */
static void close_all(void)
{
	unsigned long close_by = jiffies + ALL_TIMEOUT;
	struct shmlink_link *link;

	mutex_lock(&links_lock);
	list_for_each_entry(link, &links, list)
		shmlink_link_order(link, close_by);
	list_for_each_entry(link, &links, list)
		shmlink_link_wait_closed(link);
	mutex_unlock(&links_lock);
}

static void write_stats(const struct shmlink_link *link)
{
	const struct shmlink_counters *c = &link->counters;
	unsigned int policy = 0, held = shmlink_divert_held(link, &policy);

	held |= policy | READ_ONCE(link->hold);
	xenbus_printf(XBT_NIL, link->xbdev->nodename, SHMLINK_XS_STATS,
		      "tx_bytes=%llu tx_packets=%llu tx_notifications=%llu tx_stalls=%llu tx_drops=%llu rx_bytes=%llu rx_packets=%llu rx_notifications=%llu rx_drops=%llu held=%u",
		      c->tx_bytes, c->tx_packets, c->tx_notifications,
		      c->tx_stalls, c->tx_drops, c->rx_bytes, c->rx_packets,
		      c->rx_notifications, c->rx_drops,
		      held);
}

static void answer_stats(unsigned long long seq)
{
	struct shmlink_link *link;

	mutex_lock(&links_lock);
	list_for_each_entry(link, &links, list)
		write_stats(link);
	mutex_unlock(&links_lock);
	xenbus_printf(XBT_NIL, SHMLINK_XS_STATS_ACK, "", "%llu", seq);
}

static bool directory_is_gone(struct shmlink_link *link)
{
	return READ_ONCE(link->phase) == SHMLINK_CLOSED &&
	       !xenbus_exists(XBT_NIL, link->xbdev->nodename, "");
}

/*
 * A link's directory can go while its guest is suspended, or stay behind with
 * the domain that was saved.  xenbus is not told then, and would not probe a
 * new link of the same name.  Only for xenbus' own thread, which is who
 * unregisters devices.
 */
static void unregister_gone(void)
{
	struct shmlink_link *link;
	struct device *gone;

	do {
		gone = NULL;
		mutex_lock(&links_lock);
		list_for_each_entry(link, &links, list) {
			if (directory_is_gone(link)) {
				gone = get_device(&link->xbdev->dev);
				break;
			}
		}
		mutex_unlock(&links_lock);
		if (gone) {
			device_unregister(gone);
			put_device(gone);
			/* What xenbus said when it could not resume it. */
			xenbus_rm(XBT_NIL, "error/device", SHMLINK_XS_TYPE);
		}
	} while (gone);
}

/*
 * Fires when the toolstack asks for counters, when the watch is registered,
 * and after a resume, perhaps in a new domain: then all is to be said again,
 * but nothing before we are ready for new links.
 */
static void stats_asked(struct xenbus_watch *watch, const char *path,
			const char *token)
{
	unsigned long long seq, ack;

	unregister_gone();
	if (!xenbus_exists(XBT_NIL, SHMLINK_XS_VERSIONS, ""))
		xenbus_printf(XBT_NIL, SHMLINK_XS_VERSIONS, "", "%u %u",
			      SHMLINK_VERSION_MIN, SHMLINK_VERSION_MAX);
	if (xenbus_scanf(XBT_NIL, SHMLINK_XS_STATS_SEQ, "", "%llu",
			 &seq) != 1) {
		/* Writing it fires the watch once more. */
		xenbus_printf(XBT_NIL, SHMLINK_XS_STATS_SEQ, "", "0");
		return;
	}
	if (xenbus_scanf(XBT_NIL, SHMLINK_XS_STATS_ACK, "", "%llu",
			 &ack) != 1 || ack != seq)
		answer_stats(seq);
}

static struct xenbus_watch stats_watch = {
	.node = SHMLINK_XS_STATS_SEQ,
	.callback = stats_asked,
};

static int front_probe(struct xenbus_device *xbdev,
		       const struct xenbus_device_id *id)
{
	return shmlink_link_probe(xbdev, true);
}

static int back_probe(struct xenbus_device *xbdev,
		      const struct xenbus_device_id *id)
{
	return shmlink_link_probe(xbdev, false);
}

/*
 * Before suspend everything is given back: a mapped grant would make the save
 * fail, and after a restore neither grants nor ports are what they were.  The
 * first device that is asked closes the links of all.
 */
static int front_suspend(struct xenbus_device *xbdev)
{
	close_all();
	return 0;
}

/* The back-end bus does not pass suspend on; its devices' drivers can. */
static int back_freeze(struct device *dev)
{
	close_all();
	return 0;
}

/* xenbus would wait for each peer in turn, 5 s for one that does not answer. */
static int reboot_begins(struct notifier_block *nb, unsigned long event,
			 void *data)
{
	close_all();
	return NOTIFY_DONE;
}

static struct notifier_block reboot_notifier = {
	.notifier_call = reboot_begins,
};

static const struct dev_pm_ops back_pm_ops = {
	.freeze = back_freeze,
};

static const struct xenbus_device_id shmlink_ids[] = {
	{ SHMLINK_XS_TYPE },
	{ "" }
};

static struct xenbus_driver front_driver = {
	.name = "shmlink",
	.ids = shmlink_ids,
	.probe = front_probe,
	.remove = shmlink_link_remove,
	.otherend_changed = shmlink_link_peer_changed,
	.suspend = front_suspend,
	.not_essential = true,
};

static struct xenbus_driver back_driver = {
	.name = "shmlink-back",
	.ids = shmlink_ids,
	.probe = back_probe,
	.remove = shmlink_link_remove,
	.otherend_changed = shmlink_link_peer_changed,
	.driver.pm = &back_pm_ops,
};

static int __init shmlink_init(void)
{
	int err;

	if (!xen_domain())
		return -ENODEV;

	shmlink_wq = alloc_workqueue("shmlink", WQ_UNBOUND, 0);
	if (!shmlink_wq)
		return -ENOMEM;
	err = shmlink_divert_init();
	if (err)
		goto out_wq;
	err = xenbus_register_backend(&back_driver);
	if (err)
		goto out_divert;
	err = xenbus_register_frontend(&front_driver);
	if (err)
		goto out_back;
	err = register_xenbus_watch(&stats_watch);
	if (err)
		goto out_front;
	err = register_reboot_notifier(&reboot_notifier);
	if (err)
		goto out_watch;
	return 0;

out_watch:
	unregister_xenbus_watch(&stats_watch);
out_front:
	xenbus_unregister_driver(&front_driver);
out_back:
	xenbus_unregister_driver(&back_driver);
out_divert:
	shmlink_divert_exit();
	shmlink_kept_exit();
out_wq:
	destroy_workqueue(shmlink_wq);
	return err;
}

static void __exit shmlink_exit(void)
{
	unregister_reboot_notifier(&reboot_notifier);
	unregister_xenbus_watch(&stats_watch);
	xenbus_rm(XBT_NIL, SHMLINK_XS_DRIVER, "");
	xenbus_unregister_driver(&front_driver);
	xenbus_unregister_driver(&back_driver);
	shmlink_divert_exit();
	shmlink_kept_exit();
	destroy_workqueue(shmlink_wq);
}

module_init(shmlink_init);
module_exit(shmlink_exit);

MODULE_DESCRIPTION("Shared-memory link between two Xen guests");
MODULE_LICENSE("GPL");
MODULE_VERSION(SHMLINK_DRIVER_VERSION);
MODULE_ALIAS("xen:" SHMLINK_XS_TYPE);
MODULE_ALIAS("xen-backend:" SHMLINK_XS_TYPE);
