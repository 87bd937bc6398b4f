/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who talks to whom: both directions and both ways of a pair together. */
#ifndef SHMLINK_CHOOSE_PAIRS_H
#define SHMLINK_CHOOSE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

struct settings;
struct snapshot;
struct snapshot_link;

/*
 * A pair of domains, or a domain and the outside, both directions together.
 * first < second; second may be SNAPSHOT_OUTSIDE.
 */
struct choose_pair {
    size_t first, second;
    double vif_bytes, vif_packets, link_bytes, link_packets;
    double error;		/* of all bytes */
    double message_bytes;	/* mean packet of the direction with more
				   bytes; 0: not known */
    double top_bytes;		/* of that direction */
    const struct snapshot_link *link;	/* or NULL */
    bool link_known;		/* what went by it was measured */
    bool link_after;		/* decided by choose_links() */
    bool stray;			/* advised, but no link-group has both now */
    bool answered;		/* each side sends the other packets, one for
				   CHOOSE_ANSWER of its own at least */
};

#define CHOOSE_ANSWER		100.0

struct choose_pairs {
    struct choose_pair *pairs;	/* by first, then second */
    size_t nr_pairs;
    struct choose_pair **by_gain;	/* answered ones first, then by what a
					   link changes; from choose_pairs_rank() */
};

/* Errors: -ENOMEM.  Owns: caller, choose_pairs_free(). */
int choose_pairs_new(struct choose_pairs *pairs_r,
                     const struct snapshot *snapshot);
void choose_pairs_free(struct choose_pairs *pairs);
/* Fill by_gain.  Errors: -ENOMEM. */
int choose_pairs_rank(struct choose_pairs *pairs,
                      const struct snapshot *snapshot,
                      const struct settings *settings);

/* Whether they have a link, now or after. */
bool choose_pair_linked(const struct choose_pair *pair, bool after);
/* Bytes and packets per second, both directions. */
double choose_pair_bytes(const struct choose_pair *pair);
double choose_pair_packets(const struct choose_pair *pair);

#endif
