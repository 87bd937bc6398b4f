// SPDX-License-Identifier: GPL-2.0-only
/* The peer: its part of the handshake, and its side of the rings. */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/slab.h>

#include "peer.h"

#define NONCE	"000102030405060708090a0b0c0d0e0f"

static const char front_dir[] = "device/shmlink/0";
static const char back_dir[] = "backend/shmlink/5/0";

void peer_write(struct peer *p, const char *node, const char *value)
{
	fake_printf(FAKE_PEER_XBT, p->other, node, "%s", value);
}

static void write_number(struct peer *p, const char *node, u32 value)
{
	fake_printf(FAKE_PEER_XBT, p->other, node, "%u", value);
}

void peer_say(struct peer *p, enum xenbus_state state)
{
	write_number(p, "state", state);
}

static enum xenbus_state driver_state(struct peer *p)
{
	u32 state;

	if (fake_scanf(FAKE_PEER_XBT, p->dir, "state", "%u", &state) != 1)
		return XenbusStateUnknown;
	return state;
}

bool peer_sees(struct peer *p, enum xenbus_state state)
{
	return WAIT(driver_state(p) == state, SOON);
}

void peer_event(struct peer *p)
{
	fake_event(p->port);
}

void peer_quiet(struct peer *p)
{
	napi_disable(&p->link->napi);
}

int peer_poll(struct peer *p)
{
	struct napi_struct *napi = &p->link->napi;

	napi_enable(napi);
	local_bh_disable();
	napi_schedule(napi);
	local_bh_enable();
	CHECK(WAIT(!test_bit(NAPI_STATE_SCHED, &napi->state), SOON),
	      "the driver's poll does not end");
	return 0;
}

int peer_open(struct peer *p, bool driver_front)
{
	u32 ring_bytes = p->ring_bytes ? p->ring_bytes : SHMLINK_RING_BYTES_MIN;

	*p = (struct peer) {
		.driver_front = driver_front, .ring_bytes = ring_bytes,
		.wrong = p->wrong,
	};
	strscpy(p->dir, driver_front ? front_dir : back_dir, sizeof(p->dir));
	snprintf(p->other, sizeof(p->other), "/local/domain/%u/%s", FAKE_PEER,
		 driver_front ? back_dir : front_dir);
	fake_printf(FAKE_PEER_XBT, p->dir, "state", "%u",
		    XenbusStateInitialising);
	fake_printf(FAKE_PEER_XBT, p->dir, SHMLINK_XS_VIF, "0");
	fake_printf(FAKE_PEER_XBT, p->dir, SHMLINK_XS_MAC, "%pM", driver_mac);
	fake_printf(FAKE_PEER_XBT, p->dir, SHMLINK_XS_PEER_MAC, "%pM",
		    peer_mac);
	fake_printf(FAKE_PEER_XBT, p->dir, SHMLINK_XS_NONCE, NONCE);
	fake_printf(FAKE_PEER_XBT, p->dir, SHMLINK_XS_RING_BYTES, "%u",
		    ring_bytes);
	if (p->wrong)
		fake_printf(FAKE_PEER_XBT, p->dir, p->wrong[0], "%s",
			    p->wrong[1]);
	peer_say(p, XenbusStateInitialising);

	p->nr_grefs = 1 + SHMLINK_DIR_PAGES_MAX +
		      2 * ring_bytes / SHMLINK_PAGE_BYTES;
	p->grefs = kcalloc(p->nr_grefs, sizeof(*p->grefs),
			   GFP_KERNEL | __GFP_NOFAIL);
	p->pages = kcalloc(p->nr_grefs, sizeof(*p->pages),
			   GFP_KERNEL | __GFP_NOFAIL);
	p->xbdev = fake_device_add(driver_front, SHMLINK_XS_TYPE, p->dir,
				   p->other);
	CHECK(p->xbdev, "no device");
	p->link = dev_get_drvdata(&p->xbdev->dev);
	CHECK(p->link, "the driver has not taken the device");
	return 0;
}

static u32 *directory(struct peer *p, unsigned int ring)
{
	return p->pages[1 + ring];
}

/* References of the data pages of @ring, in p->grefs. */
static grant_ref_t *ring_grefs(struct peer *p, unsigned int ring)
{
	return p->grefs + 1 + SHMLINK_DIR_PAGES_MAX +
	       ring * (p->ring_bytes / SHMLINK_PAGE_BYTES);
}

static void find_addresses(struct peer *p)
{
	void **data = p->pages + 1 + SHMLINK_DIR_PAGES_MAX;
	struct side front_to_back, back_to_front;
	unsigned int i;

	for (i = 0; i < p->nr_grefs; i++)
		p->pages[i] = fake_address(p->grefs[i]);
	p->queue = p->pages[0];
	front_to_back = (struct side) {
		.shared = &p->queue->front_to_back,
		.pages = data,
		.bytes = p->ring_bytes,
	};
	back_to_front = (struct side) {
		.shared = &p->queue->back_to_front,
		.pages = data + p->ring_bytes / SHMLINK_PAGE_BYTES,
		.bytes = p->ring_bytes,
	};
	p->to_driver = p->driver_front ? back_to_front : front_to_back;
	p->from_driver = p->driver_front ? front_to_back : back_to_front;
}

/* The driver is the front end and has granted. */
static int map_offer(struct peer *p)
{
	unsigned int ring, i, per_ring = p->ring_bytes / SHMLINK_PAGE_BYTES;

	CHECK(fake_scanf(FAKE_PEER_XBT, p->dir, SHMLINK_XS_RING_REF, "%u",
			 &p->grefs[0]) == 1 &&
	      fake_scanf(FAKE_PEER_XBT, p->dir, SHMLINK_XS_EVTCHN, "%u",
			 &p->port) == 1, "the offer is not whole");
	CHECK(fake_peer_map(p->grefs[0]), "no queue page");
	p->queue = fake_address(p->grefs[0]);
	CHECK(p->queue->magic == SHMLINK_MAGIC &&
	      p->queue->version == SHMLINK_VERSION_MAX &&
	      p->queue->ring_bytes == p->ring_bytes, "not a queue page");
	for (ring = 0; ring < SHMLINK_DIR_PAGES_MAX; ring++) {
		p->grefs[1 + ring] = p->queue->dir_gref[ring];
		CHECK(fake_peer_map(p->grefs[1 + ring]), "no directory");
		p->pages[1 + ring] = fake_address(p->grefs[1 + ring]);
		for (i = 0; i < per_ring; i++) {
			ring_grefs(p, ring)[i] = directory(p, ring)[i];
			CHECK(fake_peer_map(directory(p, ring)[i]),
			      "no data page");
		}
	}
	fake_event_peer(p->port, true);
	return 0;
}

int peer_make_offer(struct peer *p)
{
	unsigned int ring, i, per_ring = p->ring_bytes / SHMLINK_PAGE_BYTES;

	for (i = 0; i < p->nr_grefs; i++) {
		int ref = fake_peer_grant();

		CHECK(ref >= 0, "no grants left for the peer");
		p->grefs[i] = ref;
		p->pages[i] = fake_address(ref);
	}
	p->queue = p->pages[0];
	for (ring = 0; ring < SHMLINK_DIR_PAGES_MAX; ring++) {
		p->queue->dir_gref[ring] = p->grefs[1 + ring];
		for (i = 0; i < per_ring; i++)
			directory(p, ring)[i] = ring_grefs(p, ring)[i];
	}
	CHECK(!hex2bin(p->queue->nonce, NONCE, sizeof(p->queue->nonce)),
	      "no nonce");
	p->queue->ring_bytes = p->ring_bytes;
	p->queue->version = SHMLINK_VERSION_MAX;
	p->queue->magic = SHMLINK_MAGIC;
	write_number(p, SHMLINK_XS_VERSION, SHMLINK_VERSION_MAX);
	write_number(p, SHMLINK_XS_NUM_QUEUES, 1);
	write_number(p, SHMLINK_XS_RING_REF, p->grefs[0]);
	write_number(p, SHMLINK_XS_EVTCHN, 1000);
	return 0;
}

int peer_offer(struct peer *p)
{
	if (p->driver_front) {
		write_number(p, SHMLINK_XS_MIN_VERSION, SHMLINK_VERSION_MIN);
		write_number(p, SHMLINK_XS_MAX_VERSION, SHMLINK_VERSION_MAX);
		peer_say(p, XenbusStateInitWait);
		CHECK(peer_sees(p, XenbusStateInitialised), "no offer");
		TRY(map_offer(p));
	} else {
		CHECK(peer_sees(p, XenbusStateInitWait), "the driver is not ready");
		TRY(peer_make_offer(p));
		peer_say(p, XenbusStateInitialised);
		CHECK(peer_sees(p, XenbusStateConnected), "offer not taken");
		p->port = p->link->evtchn;
	}
	find_addresses(p);
	return 0;
}

int peer_connect(struct peer *p)
{
	peer_say(p, XenbusStateConnected);
	CHECK(WAIT(READ_ONCE(p->link->phase) == SHMLINK_CONNECTED, SOON),
	      "the driver does not connect");
	return 0;
}

int peer_start(struct peer *p, bool driver_front)
{
	TRY(peer_open(p, driver_front));
	TRY(peer_offer(p));
	return peer_connect(p);
}

void peer_give_back(struct peer *p)
{
	unsigned int i;

	for (i = 0; i < p->nr_grefs; i++) {
		if (!p->grefs[i])
			continue;
		if (p->driver_front)
			fake_peer_unmap(p->grefs[i]);
		else
			fake_peer_end_grant(p->grefs[i]);
	}
}

void peer_forget(struct peer *p)
{
	fake_device_remove(p->xbdev);
	put_device(&p->xbdev->dev);
	fake_rm(FAKE_PEER_XBT, p->dir, "");
	fake_rm(FAKE_PEER_XBT, p->other, "");
	fake_watches_wait();
}

void peer_free(struct peer *p)
{
	kfree(p->grefs);
	kfree(p->pages);
	p->grefs = NULL;
	p->pages = NULL;
}

int peer_remove(struct peer *p)
{
	bool before = p->driver_front && !p->keeps;

	if (before)
		peer_give_back(p);
	peer_forget(p);
	if (!before)
		peer_give_back(p);
	peer_free(p);
	/* What was kept is taken back later. */
	CHECK(WAIT(!fake_held(), SOON),
	      "%u of Xen's things are not given back", fake_held());
	CHECK(!fake_faults(), "the driver has misused Xen");
	return 0;
}

int peer_close(struct peer *p)
{
	bool connected = READ_ONCE(p->link->phase) == SHMLINK_CONNECTED;
	bool reached = p->to_driver.shared;

	if (reached) {
		/* Release: after the last record. */
		smp_store_release(&p->to_driver.shared->closed,
				  SHMLINK_PROD_CLOSED);
		peer_event(p);
	}
	peer_say(p, XenbusStateClosing);
	if (reached && p->driver_front) {
		/* Where it was not connected yet there is none. */
		CHECK(WAIT(READ_ONCE(p->from_driver.shared->closed) ==
			   SHMLINK_PROD_CLOSED ||
			   driver_state(p) == XenbusStateClosed, SOON),
		      "no end");
		CHECK(!connected || READ_ONCE(p->from_driver.shared->closed),
		      "no last word");
		peer_give_back(p);
	}
	CHECK(peer_sees(p, XenbusStateClosed), "the driver does not close");
	peer_say(p, XenbusStateClosed);
	return peer_remove(p);
}

/* Into the ring where @to is NULL, out of it where @from is. */
void side_copy(struct side *side, u32 index, void *to, const void *from,
	       u32 bytes)
{
	while (bytes) {
		u32 at = index & (side->bytes - 1);
		u32 run = min_t(u32, bytes, PAGE_SIZE - at % PAGE_SIZE);
		void *ring = side->pages[at / PAGE_SIZE] + at % PAGE_SIZE;

		if (from) {
			memcpy(ring, from, run);
			from += run;
		} else {
			memcpy(to, ring, run);
			to += run;
		}
		index += run;
		bytes -= run;
	}
}

void peer_put(struct peer *p, const struct shmlink_record *record,
	      const void *frame, u32 bytes)
{
	struct side *side = &p->to_driver;

	side_copy(side, side->index, NULL, record, sizeof(*record));
	side_copy(side, side->index + sizeof(*record), NULL, frame, bytes);
	side->index += SHMLINK_RECORD_BYTES(bytes);
}

void peer_publish(struct peer *p, u32 prod)
{
	/* Release: after the records. */
	smp_store_release(&p->to_driver.shared->prod, prod);
	/* Before prod_event is looked at. */
	smp_mb();
}

int peer_take(struct peer *p, struct shmlink_record *record_r, void *frame,
	      u32 room)
{
	struct side *side = &p->from_driver;
	u32 used;

	/* Acquire: before the record. */
	used = smp_load_acquire(&side->shared->prod) - side->index;
	if (!used)
		return 0;
	CHECK(used <= side->bytes && used >= sizeof(*record_r),
	      "the driver's index is wrong: %u used", used);
	side_copy(side, side->index, record_r, NULL, sizeof(*record_r));
	CHECK(record_r->frame_bytes <= room &&
	      SHMLINK_RECORD_BYTES(record_r->frame_bytes) <= used,
	      "the driver's record is too long: %u", record_r->frame_bytes);
	side_copy(side, side->index + sizeof(*record_r), frame, NULL,
		  record_r->frame_bytes);
	side->index += SHMLINK_RECORD_BYTES(record_r->frame_bytes);
	return 1;
}

void peer_release(struct peer *p)
{
	/* Release: our reads are done. */
	smp_store_release(&p->from_driver.shared->cons,
			  p->from_driver.index);
	/* Before cons_event is looked at. */
	smp_mb();
}
