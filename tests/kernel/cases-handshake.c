// SPDX-License-Identifier: GPL-2.0-only
/* Settings and offers of which one thing is wrong: the link is refused. */
#include <linux/prandom.h>

#include "peer.h"

/* In the driver's own directory, as the toolstack would not write them. */
static const char *const settings[][2] = {
	{ SHMLINK_XS_VIF, "7" }, { SHMLINK_XS_VIF, "x" },
	{ SHMLINK_XS_MAC, "00:16:3e:00:00:09" }, { SHMLINK_XS_MAC, "00:16" },
	{ SHMLINK_XS_PEER_MAC, "00:16:3e:00:00:01" },
	{ SHMLINK_XS_PEER_MAC, "ff:ff:ff:ff:ff:ff" },
	{ SHMLINK_XS_NONCE, "00" },
	{ SHMLINK_XS_NONCE, "000102030405060708090a0b0c0d0e0x" },
	{ SHMLINK_XS_RING_BYTES, "0" }, { SHMLINK_XS_RING_BYTES, "4096" },
	{ SHMLINK_XS_RING_BYTES, "131080" },
	{ SHMLINK_XS_RING_BYTES, "8388608" },
};

/* In the peer's, when the driver is the front end. */
static const char *const versions[][2] = {
	{ "3", "9" }, { "0", "0" }, { "x", "2" }, { "1", "" },
};

/* And when it is the back end. */
static const char *const offers[][2] = {
	{ SHMLINK_XS_VERSION, "0" }, { SHMLINK_XS_VERSION, "3" },
	{ SHMLINK_XS_VERSION, "x" }, { SHMLINK_XS_VERSION, "1" },
	{ SHMLINK_XS_NUM_QUEUES, "0" }, { SHMLINK_XS_NUM_QUEUES, "2" },
	{ SHMLINK_XS_RING_REF, "0" }, { SHMLINK_XS_RING_REF, "4294967295" },
	{ SHMLINK_XS_EVTCHN, "5" }, { SHMLINK_XS_EVTCHN, "" },
};

static int is_refused(struct peer *p)
{
	CHECK(peer_sees(p, XenbusStateClosed), "it is not refused");
	CHECK(fake_exists(FAKE_PEER_XBT, p->dir, SHMLINK_XS_ERROR),
	      "the driver does not say why");
	return peer_remove(p);
}

static int wrong_settings(struct peer *p)
{
	unsigned int i;

	for (i = 0; i < 2 * ARRAY_SIZE(settings); i++) {
		p->wrong = settings[i / 2];
		TRY(peer_open(p, i % 2));
		TRY(is_refused(p));
	}
	p->wrong = NULL;
	return 0;
}

static int wrong_versions(struct peer *p)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		TRY(peer_open(p, true));
		peer_write(p, SHMLINK_XS_MIN_VERSION, versions[i][0]);
		peer_write(p, SHMLINK_XS_MAX_VERSION, versions[i][1]);
		peer_say(p, XenbusStateInitWait);
		TRY(is_refused(p));
	}
	return 0;
}

static int make_offer(struct peer *p)
{
	TRY(peer_open(p, false));
	CHECK(peer_sees(p, XenbusStateInitWait), "the driver is not ready");
	return peer_make_offer(p);
}

static int wrong_offers(struct peer *p)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(offers); i++) {
		TRY(make_offer(p));
		peer_write(p, offers[i][0], offers[i][1]);
		peer_say(p, XenbusStateInitialised);
		TRY(is_refused(p));
	}
	return 0;
}

/* A grant that there is not, or that is mapped already, or another nonce. */
static void spoil_pages(struct peer *p, struct rnd_state *rnd)
{
	u32 what = prandom_u32_state(rnd);
	u32 ref = what & 256 ? what | 4096 : p->grefs[0];
	u32 *directory = p->pages[1 + what % SHMLINK_DIR_PAGES_MAX];

	switch (what >> 29) {
	case 0:
		p->queue->magic ^= 1U << (what & 31);
		break;
	case 1:
		p->queue->version ^= 1U << (what & 31);
		break;
	case 2:
		p->queue->ring_bytes ^= 1U << (what & 31);
		break;
	case 3:
		p->queue->nonce[what % sizeof(p->queue->nonce)]++;
		break;
	case 4:
		p->queue->dir_gref[what % SHMLINK_DIR_PAGES_MAX] = ref;
		break;
	default:
		directory[(what >> 10) %
			  (p->ring_bytes / SHMLINK_PAGE_BYTES)] = ref;
	}
}

static int test_handshakes(u32 count, u32 seed)
{
	struct rnd_state rnd;
	struct peer p = {};
	u32 i;

	prandom_seed_state(&rnd, seed);
	TRY(wrong_settings(&p));
	TRY(wrong_versions(&p));
	TRY(wrong_offers(&p));
	for (i = 0; i < count; i++) {
		TRY(make_offer(&p));
		spoil_pages(&p, &rnd);
		peer_say(&p, XenbusStateInitialised);
		TRY(is_refused(&p));
	}
	return 0;
}

/*
 * The @n-th of all calls that can fail does; how many there were.  The link
 * comes to be or not; both sides give back what they have.
 */
static int with_failure(struct peer *p, bool driver_front, u32 n, u32 *calls_r)
{
	TRY(peer_open(p, driver_front));
	fake_fail(n);
	if (driver_front) {
		peer_write(p, SHMLINK_XS_MIN_VERSION, "1");
		peer_write(p, SHMLINK_XS_MAX_VERSION, "2");
		peer_say(p, XenbusStateInitWait);
	} else {
		WAIT(READ_ONCE(p->link->phase) != SHMLINK_NEW, SOON);
		TRY(peer_make_offer(p));
		peer_say(p, XenbusStateInitialised);
	}
	fake_watches_wait();
	WAIT(READ_ONCE(p->link->irq) ||
	     READ_ONCE(p->link->phase) == SHMLINK_CLOSED, 500);
	*calls_r = fake_fail(0);
	return peer_remove(p);
}

/* Each call fails in turn: nothing is kept, whichever it was. */
static int test_failures(u32 count, u32 seed)
{
	struct peer p = {};
	u32 i, n, all, calls;

	for (i = 0; i < 2; i++) {
		/* How many there are where none fails. */
		TRY(with_failure(&p, i, 0, &all));
		CHECK(all > 20, "only %u calls", all);
		for (n = 1; n <= all; n++)
			TRY(with_failure(&p, i, n, &calls));
	}
	return 0;
}

const struct test handshake_tests[] = {
	{ "handshakes", test_handshakes },
	{ "failures", test_failures },
	{ }
};
