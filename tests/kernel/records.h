/* SPDX-License-Identifier: GPL-2.0-only */
/* Random records, and what is to become of them. */
#ifndef RECORDS_H
#define RECORDS_H

#include <linux/prandom.h>

#include "peer.h"

enum verdict {
	NOTHING,	/* the ring is empty */
	ACCEPT,		/* received as it is */
	DROP,		/* not ours */
	REFUSE,		/* the peer breaks the protocol */
	EITHER,		/* received or dropped, as the kernel's checks say */
};

/*
 * @index: where the record is to start, @used: bytes from there to prod
 * @bytes: of the frame that is really there
 * @plain: nothing is wrong with it, so that no check may drop it
 * @received, @dropped, @broken: what came of it
 * @altered: received, but not as it was sent
 */
struct trial {
	struct rnd_state rnd;
	u32 number;
	u32 index;
	u32 used;
	u32 bytes;
	bool plain;
	struct shmlink_record record;
	u8 *frame;
	u8 *got;
	u32 received;
	u32 dropped;
	u32 altered;
	bool broken;
};

struct trial *trial_new(u32 seed);
void trial_free(struct trial *t);
u32 trial_random(struct trial *t, u32 below);
/* The next one, for a ring of @ring_bytes. */
void record_make(struct trial *t, u32 ring_bytes);
enum verdict record_judge(const struct trial *t);
void record_print(const struct trial *t);

#endif /* RECORDS_H */
