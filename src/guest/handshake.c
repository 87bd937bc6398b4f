// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a link comes to be: what the toolstack says of it, our own state, and the
 * exchange of references with the peer.  See man/shmlink-protocol.7.
 */
#include <linux/etherdevice.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "driver.h"

/*
 * Our own state.
 */

/* A value that is written together with a state. */
struct state_value {
	const char *node;
	u32 value;
};

static enum xenbus_state read_state(const struct shmlink_link *link,
				    struct xenbus_transaction xbt)
{
	unsigned int state;

	if (xenbus_scanf(xbt, link->xbdev->nodename, "state", "%u",
			 &state) != 1)
		return XenbusStateUnknown;
	return state;
}

static int write_state(const struct shmlink_link *link,
		       struct xenbus_transaction xbt,
		       enum xenbus_state state,
		       const struct state_value *values, size_t nr)
{
	const char *dir = link->xbdev->nodename;
	int err = 0;

	/* Closed in our place, or gone. */
	if (read_state(link, xbt) != XenbusStateInitialising)
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
static int leave_initialising(const struct shmlink_link *link,
			      enum xenbus_state state,
			      const struct state_value *values, size_t nr)
{
	struct xenbus_transaction xbt;
	int err;

	do {
		err = xenbus_transaction_start(&xbt);
		if (err)
			return err;
		err = write_state(link, xbt, state, values, nr);
		if (err) {
			xenbus_transaction_end(xbt, true);
			return err;
		}
		err = xenbus_transaction_end(xbt, false);
	} while (err == -EAGAIN);
	return err;
}

/**
 * shmlink_handshake_closed - say that the link is closed
 * @link: with nothing left to give back
 */
void shmlink_handshake_closed(const struct shmlink_link *link)
{
	if (link->xbdev->state != XenbusStateInitialising ||
	    leave_initialising(link, XenbusStateClosed, NULL, 0))
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

static int read_config(struct shmlink_link *link)
{
	struct shmlink_config *config = &link->config;
	const char *dir = link->xbdev->nodename;
	int rc;

	if (xenbus_scanf(XBT_NIL, dir, SHMLINK_XS_VIF, "%u",
			 &config->vif) != 1 ||
	    xenbus_scanf(XBT_NIL, dir, SHMLINK_XS_RING_BYTES, "%u",
			 &config->ring_bytes) != 1)
		return -EINVAL;
	rc = xenbus_scanf(XBT_NIL, dir, SHMLINK_XS_LIMIT, "%u", &config->limit);
	if (rc == -ENOENT)
		config->limit = 0;
	else if (rc != 1 || config->limit < config->ring_bytes)
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
 * Set-up.
 */

static int rings_init(struct shmlink_link *link)
{
	struct shmlink_queue_page *page = link->memory.queue_page;
	void **front_data = link->memory.data;
	void **back_data = front_data +
		link->config.ring_bytes / SHMLINK_PAGE_BYTES;
	struct shmlink_ring *front_to_back, *back_to_front;
	int err;

	link->limit.rate = link->config.limit;
	front_to_back = link->front ? &link->tx : &link->rx;
	back_to_front = link->front ? &link->rx : &link->tx;
	err = shmlink_ring_init(front_to_back, &page->front_to_back,
				front_data, link->config.ring_bytes, 0);
	if (err)
		return err;
	return shmlink_ring_init(back_to_front, &page->back_to_front,
				 back_data, link->config.ring_bytes, 0);
}

/**
 * shmlink_handshake_begin - read what the toolstack wants, and begin
 * @link: new; then in the handshake, or closed
 */
void shmlink_handshake_begin(struct shmlink_link *link)
{
	static const struct state_value versions[] = {
		{ SHMLINK_XS_MIN_VERSION, SHMLINK_VERSION_MIN },
		{ SHMLINK_XS_MAX_VERSION, SHMLINK_VERSION_MAX },
	};
	int err;

	/*
	 * A link from before the module was loaded again is not ours, and one
	 * that was asked to close before we came need not begin.
	 */
	if (read_state(link, XBT_NIL) != XenbusStateInitialising)
		return shmlink_link_fail(link, "", -ESHUTDOWN);
	err = read_config(link);
	if (err)
		return shmlink_link_fail(link, "the toolstack's settings are not valid",
					 err);
	err = shmlink_divert_attach(link);
	if (err)
		return shmlink_link_fail(link, err == -EADDRNOTAVAIL ?
					 "its vif has another MAC address than its configuration" :
					 "no such vif in this guest", err);

	if (!link->front) {
		err = leave_initialising(link, XenbusStateInitWait,
					 versions, ARRAY_SIZE(versions));
		if (err)
			return shmlink_link_fail(link, "cannot write to xenstore", err);
	}
	WRITE_ONCE(link->phase, SHMLINK_HANDSHAKE);
}

/* Front end: the highest version that both speak, 0 for none. */
static u32 negotiate(struct shmlink_link *link)
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

static int write_offer(const struct shmlink_link *link, u32 version)
{
	const struct state_value offer[] = {
		{ SHMLINK_XS_VERSION, version },
		{ SHMLINK_XS_NUM_QUEUES, 1 },
		{ SHMLINK_XS_RING_REF, link->memory.grefs[0] },
		{ SHMLINK_XS_EVTCHN, link->evtchn },
	};

	return leave_initialising(link, XenbusStateInitialised, offer,
				  ARRAY_SIZE(offer));
}

/* Front end, when the back end waits: make the queue and offer it. */
static void offer(struct shmlink_link *link)
{
	u32 version = negotiate(link);
	int err;

	if (!version)
		return shmlink_link_fail(link, "the peer speaks another version",
					 -EPROTONOSUPPORT);
	link->version = version;
	if (shmlink_kept_by(link->xbdev->otherend_id))
		return shmlink_link_fail(link, "the peer still has an earlier link's pages mapped",
					 -EBUSY);
	err = shmlink_memory_grant(&link->memory, link->xbdev->otherend_id,
				   &link->config, version);
	if (err)
		return shmlink_link_fail(link, err == -ENOSPC ?
					 "no grant references left in this guest" :
					 "not enough memory for the ring", err);
	err = rings_init(link);
	if (!err)
		err = shmlink_netdev_create(link);
	if (!err)
		err = shmlink_queue_start(link, 0);
	if (!err)
		err = write_offer(link, version);
	if (err)
		return shmlink_link_fail(link, "cannot set up the queue", err);
}

static int read_offer(struct shmlink_link *link, u32 *version_r,
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
static void accept(struct shmlink_link *link)
{
	u32 version, gref, evtchn;
	int err;

	err = read_offer(link, &version, &gref, &evtchn);
	if (err)
		return shmlink_link_fail(link, "the peer's offer is not valid", err);
	link->version = version;
	err = shmlink_memory_map(&link->memory, link->xbdev->otherend_id,
				 &link->config, version, gref);
	if (err)
		return shmlink_link_fail(link, "cannot map the peer's ring", err);
	err = rings_init(link);
	if (!err)
		err = shmlink_netdev_create(link);
	if (!err)
		err = shmlink_queue_start(link, evtchn);
	if (err)
		return shmlink_link_fail(link, "cannot set up the queue", err);
	xenbus_switch_state(link->xbdev, XenbusStateConnected);
}

static void connected(struct shmlink_link *link)
{
	int err = shmlink_divert_start(link);

	if (err)
		return shmlink_link_fail(link, "cannot divert to the peer", err);
	WRITE_ONCE(link->phase, SHMLINK_CONNECTED);
	/* The front end says so when it is ready to receive: so are we. */
	if (link->front)
		xenbus_switch_state(link->xbdev, XenbusStateConnected);
	dev_info(&link->xbdev->dev, "%s: %pM to %pM, 2 * %u KiB\n",
		 link->netdev->name, link->config.mac, link->config.peer_mac,
		 link->config.ring_bytes / 1024);
	shmlink_link_kick(link);
}

/**
 * shmlink_handshake_step - do what the peer's state asks for
 * @link: in the handshake, and the peer is not closing
 */
void shmlink_handshake_step(struct shmlink_link *link)
{
	bool offered = link->memory.nr_pages;
	enum xenbus_state peer = READ_ONCE(link->peer_state);

	if (offered && peer == XenbusStateConnected)
		connected(link);
	else if (link->front && !offered && peer == XenbusStateInitWait)
		offer(link);
	else if (!link->front && !offered && peer == XenbusStateInitialised)
		accept(link);
}
