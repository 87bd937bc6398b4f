/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cost model behind choose().  Private to this folder, the unit tests and
 * the bench.
 *
 * THE MODEL.  What is placed are entities: online vCPUs, or with sched-gran
 * other than cpu the groups of vCPUs that Xen schedules together.  They are
 * put on slots: pCPUs, or the whole cores or sockets of such a cpupool.
 * Every term is in pCPUs: seconds of processor time that are wasted or waited
 * for per second.
 *
 * demand of a vCPU: with run, wait and block fractions r, w, b (sum 1), what
 *   it would use if it never waited: r / (r + b), since a cycle of work and
 *   blocking would take just that much less; r where wait is not known.
 * weight: the demand that it presses on one slot.  A vCPU that the scheduler
 *   may move has demand * rigidity, where rigidity is 4 * w / (r + w) within
 *   [0.25, 1]: a vCPU that waits a quarter of the time in which it could run
 *   was not helped by the scheduler; 0.5 where wait is not known.  One that
 *   is pinned to one slot, or that the plan moves, has its whole demand.
 * contention: weights a and b on one slot collide a * b of the time (they are
 *   busy independently), for which one of them waits.  Not so far as they work
 *   for each other: what wakes the one comes while the other runs.  As much of
 *   them as min(1, packets / VM switches) of each is such work, and collides
 *   min(a, b) of the time.
 *   On sibling threads of one core: sibling_slowdown * a * b for vCPUs of one
 *   VM, or if smt_sharing; else, so that it is worse than one thread and not
 *   worth it for a short way, 1.25 * (a + 0.2) * (b + 0.2), where 0.2 is
 *   times the rigidity of each.  A plan makes no such neighbours: where it
 *   moves one and the other is bound to its place too, CHOOSE_BARRED more.
 *   An isolated VM: CHOOSE_BARRED for each entity of another VM on a core of
 *   its own, which nothing that is gained elsewhere pays for.
 * overload: 4 for each pCPU of weight beyond core_cap on a core, and of demand
 *   beyond node_cap on the cores of a node: higher than what distance can
 *   bring, so that chatty VMs are not piled up.
 * switches: the packets of a pair on one slot * switch_ns, at most the two
 *   demands.
 * distance: bytes and packets of a pair * what they cost more than within one
 *   core (cache_byte_ns, node_byte_ns, remote_*_ns * (distance - 10) / 10).
 *   What goes by vif goes by the backend's vCPUs if these are pinned; if they
 *   float they are taken to follow, and the pair counts directly.  Nothing
 *   draws a VM to one that does not answer it: any VM can send to any other.
 * memory: demand * memory_slowdown * (distance - 10) / 10, mean over where the
 *   VM's memory is; where Xen does not say, it is where the VM runs.
 * path, starved: do not depend on places; see resize.h, prices.h.
 *
 * dom0 loses (or gains) dom0_share of the vif's price of what went by vif (or
 * link) and now goes by link (or vif).  Traffic of a pair of VMs is shared out
 * over their vCPUs by demand (the busiest CHOOSE_ENDS_MAX of each).
 */
#ifndef SHMLINK_CHOOSE_MODEL_H
#define SHMLINK_CHOOSE_MODEL_H

#include "model/settings.h"
#include "model/snapshot.h"

struct choose_history;
struct choose_pairs;
struct choose_sizes;

#define CHOOSE_OVERLOAD		4.0
#define CHOOSE_FOREIGN		1.25
#define CHOOSE_PRESENCE		0.2
#define CHOOSE_BARRED		100.0
#define CHOOSE_RIGIDITY_MIN	0.25
#define CHOOSE_RIGIDITY_UNKNOWN	0.5
#define CHOOSE_DEMAND_UNKNOWN	0.1
#define CHOOSE_SWITCHES_UNKNOWN	1000.0	/* per second */
#define CHOOSE_ENDS_MAX		8U
#define CHOOSE_EDGES_MAX	1000000U

/* Why an entity may not be moved. */
enum choose_fixed {
    CHOOSE_MOVABLE,
    CHOOSE_FIXED_TWIN,
    CHOOSE_FIXED_DOM0,
    CHOOSE_FIXED_UNMANAGED,
    CHOOSE_FIXED_ADMIN,
    CHOOSE_FIXED_COOLDOWN,
    CHOOSE_FIXED_GRANULARITY,
    CHOOSE_FIXED_NOWHERE,	/* no slot is allowed */
};

struct choose_slot {
    uint32_t pcpu;		/* lowest os_index in it */
    uint32_t core, group, node;	/* logical */
    uint32_t pool;		/* index in snapshot->pools */
    hwloc_bitmap_t pcpus;
};

struct choose_entity {
    size_t domain;		/* index in snapshot->domains */
    size_t vcpu;		/* index in snapshot->vcpus, of the first */
    uint32_t nr_vcpus;
    double demand;
    double weight;		/* at home; elsewhere it is demand */
    double presence;		/* at home; elsewhere CHOOSE_PRESENCE */
    uint32_t home;		/* slot where it is now */
    bool bound;			/* there by its affinity */
    enum choose_fixed fixed;
    bool isolated;
    bool added;			/* this plan brings it online */
    uint32_t first_edge, nr_edges;
};

struct choose_edge {
    uint32_t to;		/* entity */
    float bytes, packets;	/* per second, both directions */
    float storm;		/* VM switches on one slot, pCPUs */
    float meeting;		/* collisions there beyond those by chance */
    float meeting_home;		/* the same where both are at home */
};

struct choose_model {
    const struct snapshot *snapshot;
    const struct settings *settings;

    struct choose_slot *slots;
    uint32_t nr_slots, nr_cores, nr_groups, nr_nodes;
    uint32_t *core_first;	/* [nr_cores + 1]: slots are sorted by core */
    uint32_t *node_cores;	/* cores of each node */
    uint32_t *node_index;	/* os_index of each node */
    bool caches_known;
    double *byte_cost;		/* [node * nr_nodes + node], pCPUs per byte/s,
				   between different cache groups */
    double *packet_cost;
    double group_cost;		/* per byte/s within a group */
    unsigned dropped;		/* objects that topology_new() dropped */

    struct choose_entity *entities;
    uint32_t nr_entities, nr_movable;
    uint8_t *allowed;		/* [entity * allowed_bytes], bit = slot */
    size_t allowed_bytes;
    uint32_t *domain_first;	/* [nr_domains + 1]: entities by domain */
    float *memory_cost;		/* [domain * nr_nodes + node], per demand */
    struct choose_edge *edges;
    uint32_t nr_edges;
    bool edges_dropped;
};

/*
 * sizes NULL: as online now; links: pairs' link_after counts instead of what is
 * up.  Errors: -EINVAL no online pCPU, -ENOMEM.  Owns: caller.
 */
int choose_model_new(struct choose_model **model_r,
                     const struct snapshot *snapshot,
                     const struct settings *settings,
                     const struct choose_history *history,
                     const struct choose_pairs *pairs,
                     const struct choose_sizes *sizes, bool links);
void choose_model_free(struct choose_model *model);

static inline bool choose_allowed(const struct choose_model *model,
                                  uint32_t entity, uint32_t slot)
{
    return model->allowed[entity * model->allowed_bytes + slot / 8] >>
           (slot % 8) & 1;
}

#endif
