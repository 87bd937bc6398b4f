/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The advisor's thresholds, and the links that shmlinkd is to keep up:
 * /etc/xen/shmlink.conf and command line options.
 *
 * The file has lines `name = value`, # starts a comment; the names are those
 * of the fields below with "-" for "_".  Lists are separated by commas or
 * blanks, "none" is an empty one; each link and link-group adds one to those
 * that there are.  Booleans are yes or no.  Unknown names and values out of
 * range are errors that name the line.  Functions return 0 or -errno, print
 * nothing.
 */
#ifndef SHMLINK_MODEL_SETTINGS_H
#define SHMLINK_MODEL_SETTINGS_H

#include <hwloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTINGS_PATH	"/etc/xen/shmlink.conf"

/* VMs, by name or UUID. */
struct settings_group {
    char **names;
    size_t nr;
};

struct settings {
    struct settings_group *links;	/* two VMs each, by name, that shmlinkd
					   links [none]; vifs as in "web:1" */
    size_t nr_links;

    /* How much must be gained, and how often may be moved. */
    double min_gain;		/* of a whole plan, pCPUs [0.1]; 0..1000 */
    double min_gain_share;	/* and as a share of what those that move
				   cost before, 0..1 [0.05] */
    double move_gain;		/* of each move, pCPUs [0.02]; 0..1000 */
    uint32_t max_moves;		/* vCPUs pinned by one plan [16];
				   0: none */
    uint32_t max_links;		/* links changed by one plan [32]; 0: none */
    uint32_t cooldown_sec;	/* a VM moved is left for that long [3600] */

    /* Load caps, demand as share of capacity, 0.1..1. */
    double core_cap;		/* of one core [0.9] */
    double node_cap;		/* of a NUMA node's cores [0.8] */

    /* Constraints. */
    bool hard_affinity;		/* pin hard instead of soft [no] */
    bool smt_sharing;		/* different VMs on sibling threads [no] */
    bool override_pins;		/* touch the administrator's pins [no] */
    bool move_dom0;		/* pin dom0's vCPUs too [no] */
    hwloc_bitmap_t banned_pcpus;	/* nothing is put there [none] */
    hwloc_bitmap_t dom0_pcpus;	/* kept for dom0 and driver domains
				   [none: counted by load only] */
    struct settings_group isolated;	/* VMs that share no core with others
					   [none]; these and the snapshot's
					   own flag count */
    struct settings_group unmanaged;	/* VMs left alone [none] */
    struct settings_group *link_groups;	/* advice links two VMs only if one
					   group has both [none: any two] */
    size_t nr_link_groups;

    /* Senders short of CPU. */
    double bound_utilisation;	/* each vCPU runs at least [0.9] */
    double bound_bytes;		/* and it sends at least, bytes/s [1e6] */
    double bound_share;		/* and sending takes that share of its CPU
				   time, by the guests' part of the vif's
				   price, 0..1 [0.02] */
    double unused_utilisation;	/* take back an added vCPU when the rest
				   would be loaded less than [0.5] */

    /* Links: on above all three, off below half of one of them. */
    double link_bytes;		/* bytes/s, both directions [1e6] */
    double link_message_bytes;	/* mean packet size [0] */
    double link_bulk_bytes;	/* packets of that size on the mean need no
				   head-room: a link takes less of the guests'
				   CPU than the vif for them [8192] */
    double link_headroom;	/* idle share of the busier end's online
				   vCPUs after added ones [0] */

    /*
     * Cost model, see choose/model.h; times in ns of one pCPU.  The network
     * paths: instructions of a whole host with two pCPUs (tests/bench/link) at
     * a third of a nanosecond each.  Datagrams of 8 KB, six packets each, and
     * TCP in packets of 60 KB give a byte and a packet: 3.1 and 34000
     * instructions by the stock path, 1.1 and 9000 by a link.  The prices of
     * switches and distances are orders of magnitude of current servers.
     */
    double switch_ns;		/* a VM switch, with cold caches [5000] */
    double cache_byte_ns;	/* more per byte than on one core: shared
				   last-level cache [0.02] */
    double node_byte_ns;	/* same node, no shared cache [0.06] */
    double remote_byte_ns;	/* per byte and 10 units of NUMA distance
				   beyond local, more than node [0.10] */
    double remote_packet_ns;	/* per packet, the same way [300] */
    double sibling_slowdown;	/* what two threads of a core lose together
				   of the time that both run: they do 2 less
				   that of what one does [0.75] */
    double memory_slowdown;	/* how much longer a vCPU runs for the same, per
				   10 units of NUMA distance beyond local to
				   its memory [0.2] */
    double vif_byte_ns;		/* CPU of the stock path, all domains, per
				   byte [1.0] */
    double vif_packet_ns;	/* and per packet [11000] */
    double link_byte_ns;	/* the same for a link [0.4] */
    double link_packet_ns;	/* [3000] */
    double dom0_share;		/* of the stock path's CPU time, in dom0 or
				   driver domain, 0..1 [0.5] */
};

/* Set the documented defaults.  Errors: -ENOMEM. */
int settings_init(struct settings *settings);

/* Safe twice; frees what settings owns, not settings itself. */
void settings_dispose(struct settings *settings);

/*
 * Read a file over the values in settings; path NULL: SETTINGS_PATH if it
 * exists.  why_r: one line on failure, caller frees; may be NULL.
 * Errors: -EINVAL, -ENOMEM, or what opening gave.
 */
int settings_load(struct settings *settings, const char *path, char **why_r);

/* Set one value by name, as for an option.  Errors: -EINVAL, -ENOMEM. */
int settings_set(struct settings *settings, const char *name, const char *value,
               char **why_r);

#endif
