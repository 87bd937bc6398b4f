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
#include <linux/etherdevice.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "driver.h"

/* How often a connected link looks whether its peer is there. */
#define WATCH_PERIOD	HZ
/* And when a doubted peer should have said that it is. */
#define DOUBT_PERIOD	(HZ / 4)
/* How often a closing link looks whether it is done. */
#define CLOSE_PERIOD	msecs_to_jiffies(5)
/* How long a closing link waits for its peer. */
#define CLOSE_TIMEOUT	HZ
/* And how often it looks after that: this guest may have had no pCPU before. */
#define CLOSE_LOOKS	20
/* The same before suspend, when nothing but us can run. */
#define SUSPEND_TIMEOUT	msecs_to_jiffies(300)

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
	mod_delayed_work(shmlink_wq, &link->work, 0);
}

static bool peer_has_gone(const struct shmlink_link *link)
{
	return link->peer_state == XenbusStateUnknown;
}

static bool peer_is_closing(const struct shmlink_link *link)
{
	return peer_has_gone(link) ||
	       link->peer_state == XenbusStateClosing ||
	       link->peer_state == XenbusStateClosed;
}

/*
 * Our own state.
 */

/* A value that is written together with a state. */
struct link_value {
	const char *node;
	u32 value;
};

static enum xenbus_state link_read_state(const struct shmlink_link *link,
					 struct xenbus_transaction xbt)
{
	unsigned int state;

	if (xenbus_scanf(xbt, link->xbdev->nodename, "state", "%u",
			 &state) != 1)
		return XenbusStateUnknown;
	return state;
}

static int link_write_state(const struct shmlink_link *link,
			    struct xenbus_transaction xbt,
			    enum xenbus_state state,
			    const struct link_value *values, size_t nr)
{
	const char *dir = link->xbdev->nodename;
	int err = 0;

	/* Closed in our place, or gone. */
	if (link_read_state(link, xbt) != XenbusStateInitialising)
		return -ESHUTDOWN;
	for (; nr && !err; nr--, values++)
		err = xenbus_printf(xbt, dir, values->node, "%u",
				    values->value);
	return err ? err : xenbus_printf(xbt, dir, "state", "%d", state);
}

/*
 * The first step away from Initialising, and what belongs to it.
 *
 * Since Linux 7.0 xenbus takes a front end for a new one where its state reads
 * Initialising while xbdev->state is another.  It reads the one and compares
 * it with the other later, in a thread of its own, after each event below our
 * directory, such as those of the values.  So all is written at once, and
 * xbdev->state stays behind until xenbus_switch_state() makes the next step:
 * that is after an answer of the peer's, which has passed the same thread.
 */
static int link_leave_initialising(const struct shmlink_link *link,
				   enum xenbus_state state,
				   const struct link_value *values, size_t nr)
{
	struct xenbus_transaction xbt;
	int err;

	do {
		err = xenbus_transaction_start(&xbt);
		if (err)
			return err;
		err = link_write_state(link, xbt, state, values, nr);
		if (err) {
			xenbus_transaction_end(xbt, true);
			return err;
		}
		err = xenbus_transaction_end(xbt, false);
	} while (err == -EAGAIN);
	return err;
}

static void link_say_closed(const struct shmlink_link *link)
{
	if (link->xbdev->state != XenbusStateInitialising ||
	    link_leave_initialising(link, XenbusStateClosed, NULL, 0))
		xenbus_switch_state(link->xbdev, XenbusStateClosed);
}

/*
 * Configuration.
 */

static int read_mac(const char *dir, const char *node, u8 *mac)
{
	char *text = xenbus_read(XBT_NIL, dir, node, NULL);
	int ok;

	if (IS_ERR(text))
		return PTR_ERR(text);
	ok = mac_pton(text, mac) && is_valid_ether_addr(mac);
	kfree(text);
	return ok ? 0 : -EINVAL;
}

static int read_nonce(const char *dir, u8 *nonce, size_t bytes)
{
	char *text = xenbus_read(XBT_NIL, dir, SHMLINK_XS_NONCE, NULL);
	int err = -EINVAL;

	if (IS_ERR(text))
		return PTR_ERR(text);
	if (strlen(text) == 2 * bytes)
		err = hex2bin(nonce, text, bytes);
	kfree(text);
	return err;
}

static int link_read_config(struct shmlink_link *link)
{
	struct shmlink_config *config = &link->config;
	const char *dir = link->xbdev->nodename;

	if (xenbus_scanf(XBT_NIL, dir, SHMLINK_XS_VIF, "%u",
			 &config->vif) != 1 ||
	    xenbus_scanf(XBT_NIL, dir, SHMLINK_XS_RING_BYTES, "%u",
			 &config->ring_bytes) != 1)
		return -EINVAL;
	if (read_mac(dir, SHMLINK_XS_MAC, config->mac) ||
	    read_mac(dir, SHMLINK_XS_PEER_MAC, config->peer_mac) ||
	    read_nonce(dir, config->nonce, sizeof(config->nonce)))
		return -EINVAL;
	if (ether_addr_equal(config->mac, config->peer_mac) ||
	    config->ring_bytes < SHMLINK_RING_BYTES_MIN ||
	    config->ring_bytes > SHMLINK_RING_BYTES_MAX ||
	    !is_power_of_2(config->ring_bytes))
		return -EINVAL;
	return 0;
}

/*
 * Tear-down.
 */

/* Gives everything back.  The peer may still have our pages mapped. */
static void link_finish(struct shmlink_link *link)
{
	shmlink_divert_stop(link);
	shmlink_queue_stop(link);
	shmlink_netdev_destroy(link);
	shmlink_divert_detach(link);
	shmlink_memory_release(&link->memory);
	link->phase = SHMLINK_CLOSED;
	link_say_closed(link);
}

/*
 * The link cannot be: say why, where the toolstack looks; it knows where it
 * has closed us itself.
 */
static void link_fail(struct shmlink_link *link, const char *why, int err)
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
static void link_close(struct shmlink_link *link, unsigned long timeout)
{
	bool drain = timeout && !peer_has_gone(link) && !link->broken;

	shmlink_divert_stop(link);
	if (link->netdev)
		shmlink_netdev_close_tx(link, drain);
	link->phase = SHMLINK_CLOSING;
	link->deadline = jiffies + (drain ? timeout : 0);
	link->looks_left = drain ? CLOSE_LOOKS : 0;
	xenbus_switch_state(link->xbdev, XenbusStateClosing);
}

/* Whether all that the peer has sent is received. */
static bool link_is_drained(struct shmlink_link *link)
{
	bool ended;

	if (!link->irq || link->broken)
		return true;

	/* NAPI has the consumer side; keep it out for the look. */
	napi_disable(&link->napi);
	ended = shmlink_ring_ended(&link->rx);
	napi_enable(&link->napi);
	shmlink_queue_look(link);
	return ended;
}

/* Whether a closing link has waited long enough. */
static bool link_is_late(struct shmlink_link *link)
{
	if (peer_has_gone(link))
		return true;
	if (time_before(jiffies, link->deadline))
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
		if (link->front && !shmlink_memory_give_back(&link->memory))
			return false;
	} else if (!drained && !peer_has_gone(link)) {
		dev_warn(&link->xbdev->dev,
			 "closed before the peer had ended: frames may be lost\n");
	}
	link_finish(link);
	return true;
}

/* Closes here and now, as far as it goes before the deadline. */
static void link_close_sync(struct shmlink_link *link, unsigned long timeout)
{
	cancel_delayed_work_sync(&link->work);
	mutex_lock(&link->lock);
	if (link->phase == SHMLINK_HANDSHAKE || link->phase == SHMLINK_NEW)
		link_finish(link);
	else if (link->phase == SHMLINK_CONNECTED)
		link_close(link, timeout);
	while (link->phase == SHMLINK_CLOSING && !link_closing(link))
		usleep_range(1000, 2000);
	mutex_unlock(&link->lock);
	/* Nothing starts it again: the event channel is closed. */
	cancel_delayed_work_sync(&link->work);
}

/*
 * Set-up.
 */

static int link_rings_init(struct shmlink_link *link)
{
	struct shmlink_queue_page *page = link->memory.queue_page;
	void **front_data = link->memory.data;
	void **back_data = front_data +
		link->config.ring_bytes / SHMLINK_PAGE_BYTES;
	struct shmlink_ring *front_to_back, *back_to_front;
	int err;

	front_to_back = link->front ? &link->tx : &link->rx;
	back_to_front = link->front ? &link->rx : &link->tx;
	err = shmlink_ring_init(front_to_back, &page->front_to_back,
				front_data, link->config.ring_bytes, 0);
	if (err)
		return err;
	return shmlink_ring_init(back_to_front, &page->back_to_front,
				 back_data, link->config.ring_bytes, 0);
}

static void link_start(struct shmlink_link *link)
{
	static const struct link_value versions[] = {
		{ SHMLINK_XS_MIN_VERSION, SHMLINK_VERSION_MIN },
		{ SHMLINK_XS_MAX_VERSION, SHMLINK_VERSION_MAX },
	};
	int err;

	err = link_read_config(link);
	if (err)
		return link_fail(link, "the toolstack's settings are not valid",
				 err);
	err = shmlink_divert_attach(link);
	if (err)
		return link_fail(link, err == -EADDRNOTAVAIL ?
				 "its vif has another MAC address than its configuration" :
				 "no such vif in this guest", err);

	if (!link->front) {
		err = link_leave_initialising(link, XenbusStateInitWait,
					      versions, ARRAY_SIZE(versions));
		if (err)
			return link_fail(link, "cannot write to xenstore", err);
	}
	link->phase = SHMLINK_HANDSHAKE;
}

/* Front end: the highest version that both speak, 0 for none. */
static u32 link_negotiate(struct shmlink_link *link)
{
	const char *dir = link->xbdev->otherend;
	u32 min, max;

	if (xenbus_scanf(XBT_NIL, dir, SHMLINK_XS_MIN_VERSION, "%u",
			 &min) != 1 ||
	    xenbus_scanf(XBT_NIL, dir, SHMLINK_XS_MAX_VERSION, "%u",
			 &max) != 1)
		return 0;
	max = min_t(u32, max, SHMLINK_VERSION_MAX);
	min = max_t(u32, min, SHMLINK_VERSION_MIN);
	return max >= min ? max : 0;
}

static int link_write_offer(const struct shmlink_link *link, u32 version)
{
	const struct link_value offer[] = {
		{ SHMLINK_XS_VERSION, version },
		{ SHMLINK_XS_NUM_QUEUES, 1 },
		{ SHMLINK_XS_RING_REF, link->memory.grefs[0] },
		{ SHMLINK_XS_EVTCHN, link->evtchn },
	};

	return link_leave_initialising(link, XenbusStateInitialised, offer,
				       ARRAY_SIZE(offer));
}

/* Front end, when the back end waits: make the queue and offer it. */
static void link_offer(struct shmlink_link *link)
{
	u32 version = link_negotiate(link);
	int err;

	if (!version)
		return link_fail(link, "the peer speaks another version",
				 -EPROTONOSUPPORT);
	link->version = version;
	err = shmlink_memory_grant(&link->memory, link->xbdev->otherend_id,
				   &link->config, version);
	if (err)
		return link_fail(link, err == -ENOSPC ?
				 "no grant references left in this guest" :
				 "not enough memory for the ring", err);
	err = link_rings_init(link);
	if (!err)
		err = shmlink_netdev_create(link);
	if (!err)
		err = shmlink_queue_start(link, 0);
	if (!err)
		err = link_write_offer(link, version);
	if (err)
		return link_fail(link, "cannot set up the queue", err);
}

static int link_read_offer(struct shmlink_link *link, u32 *version_r,
			   u32 *gref_r, u32 *evtchn_r)
{
	const char *dir = link->xbdev->otherend;
	u32 queues;

	if (xenbus_scanf(XBT_NIL, dir, SHMLINK_XS_VERSION, "%u",
			 version_r) != 1 ||
	    xenbus_scanf(XBT_NIL, dir, SHMLINK_XS_NUM_QUEUES, "%u",
			 &queues) != 1 ||
	    xenbus_scanf(XBT_NIL, dir, SHMLINK_XS_RING_REF, "%u",
			 gref_r) != 1 ||
	    xenbus_scanf(XBT_NIL, dir, SHMLINK_XS_EVTCHN, "%u", evtchn_r) != 1)
		return -EPROTO;
	if (*version_r < SHMLINK_VERSION_MIN ||
	    *version_r > SHMLINK_VERSION_MAX ||
	    queues < 1 || queues > SHMLINK_QUEUES_MAX)
		return -EPROTO;
	return 0;
}

/* Back end, when the front end has offered: take the offer. */
static void link_accept(struct shmlink_link *link)
{
	u32 version, gref, evtchn;
	int err;

	err = link_read_offer(link, &version, &gref, &evtchn);
	if (err)
		return link_fail(link, "the peer's offer is not valid", err);
	link->version = version;
	err = shmlink_memory_map(&link->memory, link->xbdev->otherend_id,
				 &link->config, version, gref);
	if (err)
		return link_fail(link, "cannot map the peer's ring", err);
	err = link_rings_init(link);
	if (!err)
		err = shmlink_netdev_create(link);
	if (!err)
		err = shmlink_queue_start(link, evtchn);
	if (err)
		return link_fail(link, "cannot set up the queue", err);
	xenbus_switch_state(link->xbdev, XenbusStateConnected);
}

static void link_connected(struct shmlink_link *link)
{
	int err = shmlink_divert_start(link);

	if (err)
		return link_fail(link, "cannot divert to the peer", err);
	link->phase = SHMLINK_CONNECTED;
	/* The front end says so when it is ready to receive: so are we. */
	if (link->front)
		xenbus_switch_state(link->xbdev, XenbusStateConnected);
	dev_info(&link->xbdev->dev, "%s: %pM to %pM, 2 * %u KiB\n",
		 link->netdev->name, link->config.mac, link->config.peer_mac,
		 link->config.ring_bytes / 1024);
	link_look_again(link, WATCH_PERIOD);
}

static void link_handshake(struct shmlink_link *link)
{
	bool offered = link->memory.nr_pages;

	if (peer_is_closing(link))
		return link_finish(link);

	if (link->front) {
		if (!offered && link->peer_state == XenbusStateInitWait)
			link_offer(link);
		else if (offered && link->peer_state == XenbusStateConnected)
			link_connected(link);
	} else {
		if (!offered && link->peer_state == XenbusStateInitialised)
			link_accept(link);
		else if (offered && link->peer_state == XenbusStateConnected)
			link_connected(link);
	}
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

static void link_watch(struct shmlink_link *link)
{
	if (link->broken) {
		xenbus_printf(XBT_NIL, link->xbdev->nodename, SHMLINK_XS_ERROR,
			      "the peer broke the ring protocol");
		dev_err(&link->xbdev->dev, "the peer broke the protocol\n");
		link_close(link, 0);
	} else if (peer_has_gone(link) || !shmlink_queue_peer_is_there(link)) {
		link->peer_state = XenbusStateUnknown;
		link_close(link, 0);
	} else if (peer_is_closing(link) || !vif_is_there(link) ||
		   READ_ONCE(link->rx.shared->closed)) {
		link_close(link, CLOSE_TIMEOUT);
	} else if (link->version < SHMLINK_VERSION_REPLY &&
		   shmlink_divert_held(link, NULL)) {
		/* An old peer cannot be told to wait. */
		xenbus_printf(XBT_NIL, link->xbdev->nodename, SHMLINK_XS_ERROR,
			      "its vif does not receive now");
		link_close(link, CLOSE_TIMEOUT);
	} else {
		return link_look_on(link);
	}
	link_look_again(link, 0);
}

static void link_work(struct work_struct *work)
{
	struct shmlink_link *link =
		container_of(to_delayed_work(work), struct shmlink_link, work);

	mutex_lock(&link->lock);
	switch (link->phase) {
	case SHMLINK_NEW:
		link_start(link);
		if (link->phase != SHMLINK_HANDSHAKE)
			break;
		fallthrough;
	case SHMLINK_HANDSHAKE:
		link_handshake(link);
		break;
	case SHMLINK_CONNECTED:
		link_watch(link);
		break;
	case SHMLINK_CLOSING:
		if (!link_closing(link))
			link_look_again(link, CLOSE_PERIOD);
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
	mutex_init(&link->lock);
	INIT_DELAYED_WORK(&link->work, link_work);
	dev_set_drvdata(&xbdev->dev, link);
	shmlink_list_add(link);

	/*
	 * A link from before the module was loaded again is not ours, and one
	 * that was asked to close before we came need not begin.
	 */
	if (link_read_state(link, XBT_NIL) != XenbusStateInitialising) {
		link->phase = SHMLINK_CLOSED;
		link_say_closed(link);
		return 0;
	}
	shmlink_link_kick(link);
	return 0;
}

void shmlink_link_remove(struct xenbus_device *xbdev)
{
	struct shmlink_link *link = xbdev_link(xbdev);

	shmlink_list_del(link);
	link_close_sync(link, CLOSE_TIMEOUT);
	dev_set_drvdata(&xbdev->dev, NULL);
	kfree(link);
}

void shmlink_link_peer_changed(struct xenbus_device *xbdev,
			       enum xenbus_state state)
{
	struct shmlink_link *link = xbdev_link(xbdev);

	WRITE_ONCE(link->peer_state, state);
	shmlink_link_kick(link);
}

/*
 * Before suspend everything is given back: a mapped grant would make the save
 * fail, and after a restore neither grants nor ports are what they were.
 */
int shmlink_link_suspend(struct xenbus_device *xbdev)
{
	link_close_sync(xbdev_link(xbdev), SUSPEND_TIMEOUT);
	return 0;
}
