/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot: all that the advisor knows about a host, at one time.
 *
 * Collectors fill one in, choose() reads one, and it is saved as and loaded
 * from JSON, so that advice can be given, tested and fuzzed with no Xen.
 *
 * Flat arrays and counts; a snapshot owns everything that it points to.  The
 * functions return 0 or -errno, print nothing and keep no state; a snapshot
 * may be used by one thread at a time.  A loaded snapshot has passed
 * snapshot_check(), so its indices can be used unchecked; one that a
 * collector built must be checked before it is used or saved.
 *
 * Index spaces, named as in hwloc: os_index is Xen's number of a pCPU, NUMA
 * node, cpupool or domain; a "domain" or "vcpu" field that is a size_t is a
 * position in the snapshot's own array.  Sets of pCPUs hold os_index.
 *
 * Units: fractions are of one pCPU and of the interval, 0..1 (a vCPU's run +
 * wait + block is at most 1, but for rounding); rates are per second; sizes
 * are bytes.
 *
 * It does not protect against a snapshot that lies: what a hostile file can
 * do is limited to bad advice, never to memory errors or unbounded memory.
 */
#ifndef SHMLINK_MODEL_SNAPSHOT_H
#define SHMLINK_MODEL_SNAPSHOT_H

#include <hwloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Version of the JSON format, "schema" in the file.  A file of a greater
 * version is refused with -EPROTONOSUPPORT; keys that are unknown within a
 * version are ignored, so adding a key needs no new version.
 */
#define SNAPSHOT_SCHEMA		1

/* Limits; a file beyond them, or those of jsonio.h, is refused with -E2BIG. */
#define SNAPSHOT_PCPUS_MAX	4096U		/* Xen's own limit: 4095 */
#define SNAPSHOT_NODES_MAX	64U		/* Xen's MAX_NUMNODES */
#define SNAPSHOT_CACHES_MAX	(4U * SNAPSHOT_PCPUS_MAX)
#define SNAPSHOT_POOLS_MAX	4096U
#define SNAPSHOT_DOMAINS_MAX	32768U		/* DOMID_FIRST_RESERVED */
#define SNAPSHOT_VCPUS_MAX	65536U
#define SNAPSHOT_VIFS_MAX	64U		/* of one domain */
#define SNAPSHOT_TRAFFIC_MAX	262144U
#define SNAPSHOT_LINKS_MAX	65536U
#define SNAPSHOT_SWITCHES_MAX	1048576U
#define SNAPSHOT_NOTES_MAX	1024U

#define SNAPSHOT_NONE		UINT32_MAX	/* no such pCPU, node, pool */
#define SNAPSHOT_OUTSIDE	SIZE_MAX	/* traffic's end off this host,
						   or dom0 itself */

/* Where a measured value comes from. */
enum snapshot_source {
    SNAPSHOT_SOURCE_NONE,	/* not measured: the value is 0, ignore it */
    SNAPSHOT_SOURCE_COUNTER,	/* difference of two exact counters */
    SNAPSHOT_SOURCE_TRACE,	/* Xen's trace buffer */
    SNAPSHOT_SOURCE_SAMPLING,	/* random sampling: look at error */
};

/* error: one standard error, in the value's unit; 0 = exact. */
struct snapshot_value {
    double value;
    double error;
    enum snapshot_source source;
};

/*
 * core and socket are as libxl gives them: core numbers are per socket.
 * An offline pCPU has SNAPSHOT_NONE in all three.
 */
struct snapshot_pcpu {
    uint32_t os_index;
    bool online;
    uint32_t core, socket, node;
    uint32_t pool;			/* SNAPSHOT_NONE: in no cpupool */
    struct snapshot_value idle;		/* fraction */
};

/* A data or unified cache; none given: sharing is not known. */
struct snapshot_cache {
    unsigned level;			/* 1..4 */
    uint64_t size_bytes;		/* 0: not known */
    hwloc_bitmap_t pcpus;		/* those that share it */
};

struct snapshot_node {
    uint32_t os_index;
    uint64_t size_bytes, free_bytes;	/* 0: not known */
    uint32_t *distances;		/* [nr_nodes], from here, 10 = local,
					   in the order of nodes[]; none: not
					   known, at all nodes */
    size_t nr_distances;
};

enum snapshot_granularity {
    SNAPSHOT_GRANULARITY_UNKNOWN,	/* treated as cpu */
    SNAPSHOT_GRANULARITY_CPU,
    SNAPSHOT_GRANULARITY_CORE,
    SNAPSHOT_GRANULARITY_SOCKET,
};

struct snapshot_pool {
    uint32_t os_index;
    char *name;
    char *scheduler;			/* "credit", "credit2", ... */
    enum snapshot_granularity granularity;	/* sched-gran */
    uint32_t ratelimit_usec;		/* 0: off or not known */
    hwloc_bitmap_t pcpus;
};

enum snapshot_domain_type {
    SNAPSHOT_DOMAIN_UNKNOWN,
    SNAPSHOT_DOMAIN_PV,
    SNAPSHOT_DOMAIN_PVH,
    SNAPSHOT_DOMAIN_HVM,
};

enum snapshot_domain_state {
    SNAPSHOT_DOMAIN_RUNNING,		/* or blocked: alive */
    SNAPSHOT_DOMAIN_PAUSED,
    SNAPSHOT_DOMAIN_OTHER,		/* shutdown, crashed, dying */
};

struct snapshot_vif {
    uint32_t devid;
    char *name;				/* in dom0: "vif3.0"; may be NULL */
    uint8_t mac[6];
    char *bridge;			/* bridge or switch; may be NULL */
    char *no_link;			/* why `enable` would refuse this vif
					   (rate limit, isolated port, ...),
					   NULL: nothing known against it */
    char *vlans;			/* those that it is in, where its bridge
					   tells VLANs apart; NULL: it does not.
					   A link needs the same on both */
};

/*
 * The vCPUs of a domain, vcpus_max of them, are
 * vcpus[first_vcpu .. first_vcpu + vcpus_max - 1], in order of vcpuid.
 */
struct snapshot_domain {
    uint32_t domid;			/* 0 is dom0 */
    uint8_t uuid[16];
    char *name;
    enum snapshot_domain_type type;
    enum snapshot_domain_state state;
    uint32_t vcpus_online, vcpus_max;
    size_t first_vcpu;
    uint32_t weight;			/* 0: not known */
    uint32_t cap;			/* percent of one pCPU; 0: none */
    uint32_t pool;			/* os_index, SNAPSHOT_NONE: not known */
    uint64_t memory_bytes;
    uint64_t *node_memory_bytes;	/* [nr_nodes], in the order of nodes[];
					   none: not known */
    size_t nr_node_memory_bytes;
    struct snapshot_vif *vifs;
    size_t nr_vifs;
    bool driver;			/* shmlink.ko is loaded in it */
    bool backend;			/* serves others' vifs (dom0 or a
					   driver domain) */
    bool isolated;			/* the administrator's list: shares
					   no core with another VM */
    bool managed;			/* false: the administrator wants the
					   advisor to leave it alone */
    size_t twin;			/* another one with this UUID, or
					   SNAPSHOT_OUTSIDE: set by
					   snapshot_check() */
};

/* Who last set an affinity; libxl's own NUMA placement counts as none. */
enum snapshot_owner {
    SNAPSHOT_OWNER_NONE,
    SNAPSHOT_OWNER_ADMIN,
    SNAPSHOT_OWNER_SHMLINK,
};

/*
 * hard, soft: as requested; a full bitmap (hwloc_bitmap_isfull) means all.
 * hard_effective, soft_effective: what Xen makes of them; NULL: not known.
 * The values are filled in for online vCPUs only.
 */
struct snapshot_vcpu {
    size_t domain;			/* index into domains[] */
    uint32_t vcpuid;
    bool online;
    uint32_t pcpu;			/* where seen last; SNAPSHOT_NONE */
    hwloc_bitmap_t hard, soft;
    hwloc_bitmap_t hard_effective, soft_effective;
    enum snapshot_owner hard_owner, soft_owner;
    struct snapshot_value utilisation;	/* fraction running */
    struct snapshot_value wait;		/* fraction runnable, not running */
    struct snapshot_value block;	/* fraction blocked */
    struct snapshot_value switches;	/* VM switches to it, per second */
    struct snapshot_value execution_usec;	/* mean run time each time it
						   is scheduled */
};

/* For each vCPU of a domain, a pointer. */
#define SNAPSHOT_FOR_VCPUS(vcpu, snapshot, domain) \
    for (vcpu = &(snapshot)->vcpus[(domain)->first_vcpu]; \
         vcpu < &(snapshot)->vcpus[(domain)->first_vcpu + \
                                   (domain)->vcpus_max]; vcpu++)

/* How often a domain took the pCPU from a vCPU: "switches by whom". */
struct snapshot_switch {
    size_t vcpu;			/* index into vcpus[] */
    size_t by_domain;			/* index into domains[], or
					   SNAPSHOT_OUTSIDE: idle */
    double per_second;
};

enum snapshot_via {
    SNAPSHOT_VIA_VIF,
    SNAPSHOT_VIA_LINK,
};

/*
 * One direction of one pair of vifs by one way; at most one end is OUTSIDE.
 */
struct snapshot_traffic {
    size_t from, to;			/* index into domains[] or OUTSIDE */
    uint32_t from_vif, to_vif;		/* devid; SNAPSHOT_NONE: not known, or
					   OUTSIDE has none */
    enum snapshot_via via;
    struct snapshot_value bytes;	/* per second */
    struct snapshot_value packets;	/* per second; GSO packets count 1 */
};

/* As struct shmlink_counters of include/shmlink.h, as rates. */
struct snapshot_link_end {
    size_t domain;
    uint32_t vif;			/* devid */
    bool counters_ok;			/* false: the guest did not answer */
    double tx_bytes, tx_packets, rx_bytes, rx_packets;
    double tx_notifications, rx_notifications;
    double tx_stalls, tx_drops, rx_drops;
};

struct snapshot_link {
    char nonce[33];			/* 32 hexadecimal digits */
    bool up;				/* Connected at both ends */
    int64_t since;			/* seconds since 1970 */
    uint32_t ring_bytes;
    struct snapshot_link_end end[2];
};

/* What could not be collected or was corrected, for the user to read. */
struct snapshot_note {
    char *source;			/* "trace", "psample", "caches", ... */
    char *text;				/* one line */
};

struct snapshot {
    uint32_t schema;			/* SNAPSHOT_SCHEMA */
    int64_t time;			/* of the end, seconds since 1970 */
    double duration;			/* measured interval, seconds; 0: no
					   rates and fractions in it */
    char *host;				/* name; may be NULL */
    char *xen_version;			/* "4.17.5"; may be NULL */

    struct snapshot_pcpu *pcpus;	/* ascending os_index */
    size_t nr_pcpus;
    struct snapshot_cache *caches;
    size_t nr_caches;
    struct snapshot_node *nodes;	/* ascending os_index */
    size_t nr_nodes;
    struct snapshot_pool *pools;
    size_t nr_pools;
    struct snapshot_domain *domains;	/* ascending domid */
    size_t nr_domains;
    size_t *by_uuid;			/* domains[] by UUID, then domid: made
					   by snapshot_check() */
    struct snapshot_vcpu *vcpus;	/* by domain, then vcpuid */
    size_t nr_vcpus;
    struct snapshot_switch *switches;
    size_t nr_switches;
    struct snapshot_traffic *traffic;
    size_t nr_traffic;
    struct snapshot_link *links;
    size_t nr_links;
    struct snapshot_note *notes;
    size_t nr_notes;
};

/* An empty snapshot.  Errors: -ENOMEM.  Owns: caller, snapshot_free(). */
int snapshot_new(struct snapshot **snapshot_r);

/* NULL and half-built snapshots are fine. */
void snapshot_free(struct snapshot *snapshot);

/*
 * Append one zeroed element (with os_index, pool, pcpu and vif fields set to
 * SNAPSHOT_NONE, bitmaps allocated: hard and soft full, others empty,
 * *_effective NULL, managed true).  The pointer is good until the next add of
 * the same kind.  NULL: no memory, or the limit is reached.
 *
 * snapshot_add_vcpu: add each domain's vcpus_max vCPUs in order right after
 * the domain; the domain is the last one added, vcpuid is counted up and
 * first_vcpu is set; the caller sets vcpus_max (offline vCPUs are added too).
 * snapshot_add_vif: adds to `domain`.
 */
struct snapshot_pcpu *snapshot_add_pcpu(struct snapshot *snapshot);
struct snapshot_cache *snapshot_add_cache(struct snapshot *snapshot);
struct snapshot_node *snapshot_add_node(struct snapshot *snapshot);
struct snapshot_pool *snapshot_add_pool(struct snapshot *snapshot);
struct snapshot_domain *snapshot_add_domain(struct snapshot *snapshot);
struct snapshot_vif *snapshot_add_vif(struct snapshot_domain *domain);
struct snapshot_vcpu *snapshot_add_vcpu(struct snapshot *snapshot);
struct snapshot_switch *snapshot_add_switch(struct snapshot *snapshot);
struct snapshot_traffic *snapshot_add_traffic(struct snapshot *snapshot);
struct snapshot_link *snapshot_add_link(struct snapshot *snapshot);

/*
 * Append a note; source and format's result are copied.
 * Errors: -ENOMEM, -E2BIG.
 */
int snapshot_note(struct snapshot *snapshot, const char *source,
                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * A copy of at most 1023 bytes of a name from outside (guest, xenstore), with
 * what snapshot_check() refuses, control characters and no UTF-8, as '?'.
 * NULL: no memory.  Owns: caller.
 */
char *snapshot_copy_text(const char *text);

/* Index of a domain, the first; SNAPSHOT_OUTSIDE if there is none such.  By
 * UUID needs a checked snapshot. */
size_t snapshot_find_domid(const struct snapshot *snapshot, uint32_t domid);
size_t snapshot_find_uuid(const struct snapshot *snapshot,
                          const uint8_t uuid[16]);

/* The pCPU with this os_index, or NULL.  Needs a checked snapshot. */
const struct snapshot_pcpu *snapshot_find_pcpu(const struct snapshot *snapshot,
                                               uint32_t os_index);

/* The cpupool with this os_index, or NULL. */
const struct snapshot_pool *snapshot_find_pool(const struct snapshot *snapshot,
                                               uint32_t os_index);
bool snapshot_has_node(const struct snapshot *snapshot, uint32_t os_index);

/*
 * Check order, limits, references, and that numbers are finite and in range;
 * and put the UUIDs in order.
 * why_r: one line for the user on -EINVAL, unset otherwise; may be NULL.
 * Owns: caller frees *why_r.  Errors: -EINVAL, -ENOMEM.
 */
int snapshot_check(struct snapshot *snapshot, char **why_r);

/*
 * JSON.  What each key means stands beside the field of the same name above;
 * the layout is in snapshot-fields.c.  Domains are referred to by
 * domid, the outside is null, sets of pCPUs are strings such as "0-3,8" or
 * "all", UUIDs and MACs are in their usual spelling, values are
 * {"value", "error", "source"} or null.
 *
 * snapshot_load: *snapshot_r is untouched on failure; why_r as above, set on
 * every failure.
 * Errors: -EINVAL not a snapshot, -EPROTONOSUPPORT a newer schema, -E2BIG
 * beyond a limit, -ENOMEM, or what opening and reading gave.
 *
 * snapshot_save: to a file of its owner's alone, by jsonio_write_file().
 */
int snapshot_load(struct snapshot **snapshot_r, const char *path,
                  char **why_r);
int snapshot_save(const struct snapshot *snapshot, const char *path);

#endif
