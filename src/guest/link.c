// SPDX-License-Identifier: GPL-2.0-only
/*
 * One link, from probe to closed.  xenbus only tells of the peer's state; what
 * follows from it is done here, in a work item, so that no link's waiting
 * holds up another's.
 *
 *	NEW -> HANDSHAKE -> CONNECTED -> CLOSING -> CLOSED
 *
 * An error leads from anywhere to CLOSED.  A closed link stays closed: the
 * toolstack makes a new one.  See man/shmlink-protocol.7.
 */
#include <linux/delay.h>
#include <linux/slab.h>

#include "driver.h"

/* How often a connected link looks whether its peer is there. */
#define WATCH_PERIOD	HZ
/* And when a doubted peer should have said that it is. */
#define DOUBT_PERIOD	(HZ / 4)
/*
 * A look begins no sooner after the last one, whatever the peer does; nor does
 * a closing link look more seldom.
 */
#define LOOK_PERIOD	msecs_to_jiffies(5)
/* How long a closing link waits for its peer, with its queue empty. */
#define CLOSE_TIMEOUT	HZ
/* And how often it looks after that: this guest may have had no pCPU before. */
#define CLOSE_LOOKS	20

static struct shmlink_link *xbdev_link(struct xenbus_device *xbdev)
{
	return dev_get_drvdata(&xbdev->dev);
}

/* Look again after @delay, or sooner if somebody has kicked meanwhile. */
static void link_look_again(struct shmlink_link *link, unsigned long delay)
{
	queue_delayed_work(shmlink_wq, &link->work, delay);
}

/**
 * shmlink_link_kick - let the state machine look at the link, soon
 * @link: not being removed
 *
 * From any context.
 */
void shmlink_link_kick(struct shmlink_link *link)
{
	unsigned long since = jiffies - READ_ONCE(link->looked);

	mod_delayed_work(shmlink_wq, &link->work,
			 since < LOOK_PERIOD ? LOOK_PERIOD - since : 0);
}

static bool peer_has_gone(const struct shmlink_link *link)
{
	return READ_ONCE(link->peer_state) == XenbusStateUnknown;
}

static bool peer_is_closing(const struct shmlink_link *link)
{
	enum xenbus_state state = READ_ONCE(link->peer_state);

	return state == XenbusStateUnknown || state == XenbusStateClosing ||
	       state == XenbusStateClosed;
}

/* Gives everything back.  The peer may still have our pages mapped. */
static void link_finish(struct shmlink_link *link)
{
	shmlink_divert_stop(link);
	shmlink_queue_stop(link);
	shmlink_netdev_destroy(link);
	shmlink_divert_detach(link);
	shmlink_memory_release(&link->memory);
	WRITE_ONCE(link->phase, SHMLINK_CLOSED);
	shmlink_handshake_closed(link);
}

/**
 * shmlink_link_fail - the link cannot be: say why, where the toolstack looks
 * @link: before it is connected
 * @why: one line
 * @err: a negative errno; -ESHUTDOWN is the toolstack's own doing
 */
void shmlink_link_fail(struct shmlink_link *link, const char *why, int err)
{
	if (err != -ESHUTDOWN) {
		dev_err(&link->xbdev->dev, "%s (%d)\n", why, err);
		xenbus_printf(XBT_NIL, link->xbdev->nodename, SHMLINK_XS_ERROR,
			      "%s (%d)", why, err);
	}
	if (link->netdev)
		shmlink_netdev_close_tx(link, false);
	link_finish(link);
}

/* Diversion stops first; then what is on its way is let out. */
static void link_close(struct shmlink_link *link)
{
	bool drain = !peer_has_gone(link) && !READ_ONCE(link->broken);

	shmlink_divert_stop(link);
	if (link->netdev)
		shmlink_netdev_close_tx(link, drain);
	WRITE_ONCE(link->phase, SHMLINK_CLOSING);
	link->deadline = jiffies + (drain ? CLOSE_TIMEOUT : 0);
	link->looks_left = drain ? CLOSE_LOOKS : 0;
	xenbus_switch_state(link->xbdev, XenbusStateClosing);
}

/* Whether all that the peer has sent is received. */
static bool link_is_drained(struct shmlink_link *link)
{
	if (!link->irq || READ_ONCE(link->broken))
		return true;

	shmlink_queue_look(link);
	return READ_ONCE(link->ended);
}

static bool link_is_ordered(const struct shmlink_link *link)
{
	/* Acquire: then until when is known; pairs with order. */
	return smp_load_acquire(&link->ordered);
}

/* Whether a closing link has waited long enough. */
static bool link_is_late(struct shmlink_link *link)
{
	unsigned long deadline = link->deadline;

	if (peer_has_gone(link))
		return true;
	if (link_is_ordered(link) && time_before(link->close_by, deadline))
		deadline = link->close_by;
	if (time_before(jiffies, deadline))
		return false;
	return !link->looks_left || !--link->looks_left;
}

/*
 * One step of CLOSING; whether it was the last.  The back end unmaps as soon as
 * it has received all; only then can the front end take its grants back, which
 * also tells that the peer is done where no event of xenbus' comes through.
 */
static bool link_closing(struct shmlink_link *link)
{
	bool drained = link_is_drained(link);

	if (!link_is_late(link)) {
		if (!drained)
			return false;
		shmlink_queue_stop(link);
		if (link->front && shmlink_memory_give_back(&link->memory))
			return false;
	} else if (!drained && !peer_has_gone(link)) {
		dev_warn(&link->xbdev->dev,
			 "closed before the peer had ended: frames may be lost\n");
	}
	link_finish(link);
	return true;
}

/**
 * shmlink_link_order - close the link for good, whatever it is at
 * @link: in any phase
 * @close_by: wait for the peer until then at most, in jiffies
 */
void shmlink_link_order(struct shmlink_link *link, unsigned long close_by)
{
	if (READ_ONCE(link->ordered))
		return;
	link->close_by = close_by;
	/* Release: whoever sees it sees until when; pairs with ordered. */
	smp_store_release(&link->ordered, true);
	shmlink_link_kick(link);
}

/**
 * shmlink_link_wait_closed - sleep until everything is given back
 * @link: ordered to close
 */
void shmlink_link_wait_closed(struct shmlink_link *link)
{
	while (READ_ONCE(link->phase) != SHMLINK_CLOSED)
		usleep_range(1000, 2000);
	/* Its last word; nothing starts it again: the event channel is closed. */
	cancel_delayed_work_sync(&link->work);
}

static bool vif_is_there(struct shmlink_link *link)
{
	bool there;

	rcu_read_lock();
	there = shmlink_divert_vif(link);
	rcu_read_unlock();
	return there;
}

/* Nobody tells of some changes at the vif, and some peers fall silent. */
static void link_look_on(struct shmlink_link *link)
{
	bool doubted = READ_ONCE(link->doubted);

	shmlink_queue_look(link);
	link_look_again(link, doubted ? DOUBT_PERIOD : WATCH_PERIOD);
}

static bool link_is_to_close(struct shmlink_link *link)
{
	return link_is_ordered(link) || peer_is_closing(link) ||
	       !vif_is_there(link) || READ_ONCE(link->ended) ||
	       READ_ONCE(link->rx.shared->closed);
}

static void link_watch(struct shmlink_link *link)
{
	if (READ_ONCE(link->broken)) {
		xenbus_printf(XBT_NIL, link->xbdev->nodename, SHMLINK_XS_ERROR,
			      "the peer broke the ring protocol");
		dev_err(&link->xbdev->dev, "the peer broke the protocol\n");
		link_close(link);
	} else if (peer_has_gone(link) || !shmlink_queue_peer_is_there(link)) {
		WRITE_ONCE(link->peer_state, XenbusStateUnknown);
		link_close(link);
	} else if (link_is_to_close(link)) {
		link_close(link);
	} else if (link->version < SHMLINK_VERSION_REPLY &&
		   shmlink_divert_held(link, NULL)) {
		/* An old peer cannot be told to wait. */
		xenbus_printf(XBT_NIL, link->xbdev->nodename, SHMLINK_XS_ERROR,
			      "its vif does not receive now");
		link_close(link);
	} else {
		return link_look_on(link);
	}
	shmlink_link_kick(link);
}

static void link_work(struct work_struct *work)
{
	struct shmlink_link *link =
		container_of(to_delayed_work(work), struct shmlink_link, work);

	mutex_lock(&link->lock);
	WRITE_ONCE(link->looked, jiffies);
	switch (link->phase) {
	case SHMLINK_NEW:
		shmlink_handshake_begin(link);
		if (link->phase != SHMLINK_HANDSHAKE)
			break;
		fallthrough;
	case SHMLINK_HANDSHAKE:
		if (link_is_ordered(link) || peer_is_closing(link))
			link_finish(link);
		else
			shmlink_handshake_step(link);
		break;
	case SHMLINK_CONNECTED:
		link_watch(link);
		break;
	case SHMLINK_CLOSING:
		if (!link_closing(link))
			link_look_again(link, LOOK_PERIOD);
		break;
	case SHMLINK_CLOSED:
		break;
	}
	mutex_unlock(&link->lock);
}

/*
 * xenbus.
 */

int shmlink_link_probe(struct xenbus_device *xbdev, bool front)
{
	struct shmlink_link *link;

	link = kzalloc(sizeof(*link), GFP_KERNEL);
	if (!link)
		return -ENOMEM;
	link->xbdev = xbdev;
	link->front = front;
	link->peer_state = XenbusStateInitialising;
	link->looked = jiffies - LOOK_PERIOD;
	mutex_init(&link->lock);
	INIT_DELAYED_WORK(&link->work, link_work);
	dev_set_drvdata(&xbdev->dev, link);
	shmlink_list_add(link);
	shmlink_link_kick(link);
	return 0;
}

void shmlink_link_remove(struct xenbus_device *xbdev)
{
	struct shmlink_link *link = xbdev_link(xbdev);

	shmlink_list_del(link);
	shmlink_link_order(link, jiffies + CLOSE_TIMEOUT + HZ / 2);
	shmlink_link_wait_closed(link);
	dev_set_drvdata(&xbdev->dev, NULL);
	kfree(link);
}

static bool no_event_waits(struct xenbus_watch *watch, const char *path,
			   const char *token)
{
	return !watch->nr_pending;
}

/*
 * xenbus keeps one event of a front end waiting for us, since one read of its
 * state tells of all, but any number of a back end, which it trusts.  We do not
 * trust it.  The watch is made after the probe, and anew after a resume, and
 * fires each time.
 */
static void bound_events(struct xenbus_watch *watch)
{
	if (!watch->will_handle)
		WRITE_ONCE(watch->will_handle, no_event_waits);
}

void shmlink_link_peer_changed(struct xenbus_device *xbdev,
			       enum xenbus_state state)
{
	struct shmlink_link *link = xbdev_link(xbdev);

	bound_events(&xbdev->otherend_watch);
	WRITE_ONCE(link->peer_state, state);
	shmlink_link_kick(link);
}
