/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Collecting a snapshot of the running host.
 *
 * Each source of facts is a struct collect_source in a file of its own, which
 * fills in its part of the snapshot and knows nothing of the others; any can
 * be left out or replaced by a recorded one.  All measure over the same
 * interval, driven by one loop, in one thread.
 *
 * A source that cannot be read leaves a note in the snapshot that says why and
 * what would help, and the others go on; only topology and domains are needed.
 *
 * What is switched on in the kernel and in Xen while measuring (sampling
 * filters, tracing) is switched off again at the end, and by a reaper process
 * if this one is killed.  One collection at a time; see COLLECT_LOCK.
 *
 * Functions return 0 or -errno, and print nothing; one thread per collect.
 * The reaper is made by fork(): collect before starting threads.
 */
#ifndef SHMLINK_COLLECT_COLLECT_H
#define SHMLINK_COLLECT_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

#define COLLECT_SECONDS_DEFAULT 10.0
#define COLLECT_SECONDS_MAX     3600.0
/* Not /run/lock: there anybody could make the file and hold the lock. */
#define COLLECT_LOCK            "/run/shmlink-collect.lock"
/* psample's group is host-wide; hsflowd and others take 1. */
#define COLLECT_GROUP_DEFAULT   0x5348U

struct xen;

/*
 * xen: the connection, which the caller keeps.
 * seconds: of measuring; 0: only what is known at once, no rates.
 * sysfs_net: NULL or a recorded /sys/class/net.
 * trace_file: keep the raw trace here, for xenalyze; NULL: nowhere.
 * trace, traffic: switch those sources off with false.
 * wait_seconds: at most so long for another collection to end.
 * group: of psample.  cancel_fd: readable means stop; -1 none.
 * progress: called about once per second; NULL: not.
 * set_by_us: whether the advisor set this affinity, from its journal; cpus is
 *   the mask as Xen has it.  NULL: it set none.
 */
struct collect_options {
    struct xen *xen;
    double seconds;
    double wait_seconds;
    const char *sysfs_net;
    const char *trace_file;
    bool trace;
    bool traffic;
    uint32_t group;
    int cancel_fd;
    void (*progress)(void *opaque, double done, double of);
    bool (*set_by_us)(void *opaque, const uint8_t uuid[16], uint32_t vcpuid,
                      bool hard, hwloc_const_bitmap_t cpus);
    void *opaque;
};
void collect_options_init(struct collect_options *options);

/* What the sources share. */
struct collect {
    struct snapshot *snapshot;
    const struct collect_options *options;
    struct xen *xen;
    uint64_t start_ns, end_ns;      /* of measuring, CLOCK_MONOTONIC */
    uint32_t cpu_khz;               /* of the time stamp counter */
    bool traced;                    /* runstates come from the trace */
    char *why;                      /* of a failure, for the user */
};

/*
 * A source.  Any function but begin may be NULL.
 * begin: read what is there, start measuring; its own state to *state_r.
 * fd: to be polled for reading, or -1.  due: when step() is wanted, if the fd
 * is not readable before; UINT64_MAX: no need.
 * finish: stop measuring and fill in the snapshot.  close: free the state,
 * after finish or without it; everything switched on is off afterwards.
 * A negative result of step or finish is noted, and the source closed.
 */
struct collect_source {
    const char *name;
    bool needed;                    /* the collection fails with it */
    int (*begin)(struct collect *collect, void **state_r);
    int (*fd)(void *state);
    uint64_t (*due)(void *state);
    int (*step)(struct collect *collect, void *state, bool readable);
    int (*finish)(struct collect *collect, void *state);
    void (*close)(void *state);
};

extern const struct collect_source collect_topology;
extern const struct collect_source collect_caches;
extern const struct collect_source collect_domains;
extern const struct collect_source collect_links;
extern const struct collect_source collect_counters;
extern const struct collect_source collect_trace;
extern const struct collect_source collect_sampling;
extern const struct collect_source collect_traffic;

/*
 * Collect from Xen.  Errors: EBUSY another collection is running; ECANCELED;
 * ENOMEM; EINVAL what was collected does not pass snapshot_check().
 * why_r: one line on failure, the caller frees it; may be NULL.
 */
int collect_snapshot(const struct collect_options *options,
                     struct snapshot **snapshot_r, char **why_r);

/* The same with the sources given, in order; handles may be NULL. */
int collect_run(struct collect *collect,
                const struct collect_source *const *sources, size_t nr);

/* Switch off what a killed collection left on; for the reaper and for
 * collect_snapshot. *nr_r filters were found. */
void collect_clean(unsigned int *nr_r);

/* CLOCK_MONOTONIC. */
uint64_t collect_now_ns(void);

#endif
