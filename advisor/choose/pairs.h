/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who talks to whom by which vifs: both directions and both ways together.
 */
#ifndef SHMLINK_CHOOSE_PAIRS_H
#define SHMLINK_CHOOSE_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct settings;
struct snapshot;
struct snapshot_link;

/*
 * A pair of two domains' vifs, or a domain and the outside.
 * first < second; second may be SNAPSHOT_OUTSIDE.
 * vif: devids, SNAPSHOT_NONE: not known (with the outside never).  Where the
 * snapshot does not say, it is the only pair of vifs that it can be, if there
 * is one: what goes by vif does not go by a pair with a link.
 * vif_*, link_*: as measured.
 * carried_*: by the link, or by one if they had one: what was measured on it,
 * or all where that was not measured, or before it was up.
 */
struct choose_pair {
    size_t first, second;
    uint32_t vif[2];
    double vif_bytes, vif_packets, link_bytes, link_packets;
    double carried_bytes, carried_packets;
    double error;		/* of all bytes */
    double message_bytes;	/* mean packet of the direction with more
				   bytes, of those carried; 0: not known */
    const struct snapshot_link *link;	/* or NULL */
    bool link_known;		/* what went by it was measured */
    bool link_after;		/* decided by choose_links() */
    bool stray;			/* advised, but no link-group has both now */
    bool answered;		/* each side sends the other packets, one for
				   CHOOSE_ANSWER of its own at least */
};

#define CHOOSE_ANSWER		100.0

struct choose_pairs {
    struct choose_pair *pairs;	/* by first, then second, then vifs */
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

/* Sum of pair i and those of the same domains, which follow it; -> the next. */
size_t choose_pairs_sum(const struct choose_pairs *pairs, size_t i,
                        struct choose_pair *sum_r);

/* Whether they have a link, now or after. */
bool choose_pair_linked(const struct choose_pair *pair, bool after);
/* The share of their bytes that goes by it. */
double choose_pair_link_share(const struct choose_pair *pair, bool after);
/* Bytes and packets per second, both directions. */
double choose_pair_bytes(const struct choose_pair *pair);
double choose_pair_packets(const struct choose_pair *pair);

#endif
