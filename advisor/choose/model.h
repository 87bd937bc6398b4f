/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cost model behind choose().  Private to this folder, the unit tests and
 * the bench.
 *
 * THE MODEL.  What is placed are entities: online vCPUs, or with sched-gran
 * other than cpu the groups of vCPUs that Xen schedules together.  They are
 * put on slots: pCPUs, or the whole cores or sockets of such a cpupool.
 * An entity is either bound to one slot, by its affinity or by the plan, or
 * afloat: the scheduler moves it.  Where a floating one was seen last says
 * nothing and is not looked at.
 *
 * Cost: every term is in pCPUs, seconds of processor time that are wasted or
 * waited for per second, and none is more than what was measured as run or
 * waited for.
 *
 * demand of a vCPU: with run, wait and block fractions r, w, b (sum 1), what
 *   it would use if it never waited: r / (r + b), since a cycle of work and
 *   blocking would take just that much less; r where wait is not known.
 * afloat: what it ran is spread over the slots where it may run, as the idle
 *   counters say that floating vCPUs ran there; evenly where they do not.
 *   What a counter says beyond that is spread nowhere: it stays there.
 * waiting: one that floats waits as it did: w, 0 where that is not known.  Two
 *   demands a and b on one slot collide a * b of the time (they are busy
 *   independently), for which one of them waits; so do a bound one and what
 *   floats there.  Not so far as two work for each other: what wakes the one
 *   comes while the other runs.  As much of them as min(1, packets / VM
 *   switches) of each is such work, and collides min(a, b) of the time.
 *   Among those that are bound to a slot and stay, all that is scaled down to
 *   what they waited.  What they waited beyond that is added as it is, whatever
 *   a plan does: nothing is known that would end it.
 * siblings: on different threads of a core sibling_slowdown * a * b.
 * switches: a pair on one slot is switched as often as it exchanges packets,
 *   at most as often as both are now; switch_ns each.
 * distance: bytes and packets of a pair * what they cost more than within one
 *   core (cache_byte_ns, node_byte_ns, remote_*_ns * (distance - 10) / 10); of
 *   what floats, the mean over the nodes where it runs.  At most what they ran.
 *   What goes by vif goes by the backend's vCPUs if these are pinned; if they
 *   float they are taken to follow, and the pair counts directly.  Nothing
 *   draws a VM to one that does not answer it: any VM can send to any other.
 * memory: with x = memory_slowdown * (distance - 10) / 10, demand * x / (1 + x),
 *   mean over where the VM's memory is; where Xen does not say, it is where the
 *   VM runs.
 * path, starved: do not depend on places; see prices.h, resize.h.
 *
 * Penalty: what a plan must not do; it steers the search and is in no cost.
 *   barred: CHOOSE_BARRED for two VMs on sibling threads by doing of the plan
 *   (unless smt_sharing), and for another VM's entity bound to a core of an
 *   isolated one, or an isolated one afloat.
 *   overload: CHOOSE_OVERLOAD for each pCPU of demand that is bound to a core
 *   beyond core_cap of it, or to a node beyond node_cap of its cores; what is
 *   bound there now is allowed, and one alone on its core is no overload.
 *
 * dom0 loses (or gains) dom0_share of the vif's price of what went by vif (or
 * link) and now goes by link (or vif).  Traffic of a pair of VMs is shared out
 * over their vCPUs by demand (the busiest CHOOSE_ENDS_MAX of each).
 *
 * Entities, slots and nodes are in an order that does not depend on numbers
 * (order.c): with nodes, pCPUs or domains renumbered, the same is decided.
 */
#ifndef SHMLINK_CHOOSE_MODEL_H
#define SHMLINK_CHOOSE_MODEL_H

#include "choose/arena.h"
#include "model/settings.h"
#include "model/snapshot.h"

struct choose_pairs;
struct choose_sizes;
struct past;

#define CHOOSE_OVERLOAD		4.0
#define CHOOSE_BARRED		100.0
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
    uint32_t core, group, node;
    uint32_t pool;		/* index in snapshot->pools */
    double busy;		/* measured; NAN: not known */
    double share;		/* of what floats, relative to others */
    double base;		/* busy beyond all that is known to run here */
    double belief;		/* of collisions among those at home, 0..1 */
    hwloc_bitmap_t pcpus;
};

struct choose_entity {
    size_t domain;		/* index in snapshot->domains */
    size_t vcpu;		/* index in snapshot->vcpus, of the first */
    uint32_t nr_vcpus;
    double demand;
    double run, wait;		/* measured */
    uint32_t home;		/* slot that it is bound to now; else
				   choose_afloat() */
    double norm;		/* run * norm * slot's share: its part there */
    uint32_t pool;		/* index in snapshot->pools; UINT32_MAX: none */
    bool everywhere;		/* it may run on all slots of that */
    enum choose_fixed fixed;
    bool isolated;
    bool added;			/* this plan brings it online */
    uint32_t first_edge, nr_edges;
};

struct choose_edge {
    uint32_t to;		/* entity */
    float exchanged;		/* bytes per second, both directions */
    float bytes, packets;	/* the same, as far as distance counts */
    float storm;		/* VM switches on one slot, pCPUs */
    float meeting;		/* collisions there beyond those by chance */
};

struct choose_model {
    struct arena arena;		/* of all arrays below */
    const struct snapshot *snapshot;
    const struct settings *settings;
    const struct past *past;	/* or NULL */

    struct choose_slot *slots;
    uint32_t nr_slots, nr_cores, nr_groups, nr_nodes;
    uint32_t *core_first;	/* [nr_cores + 1]: slots are sorted by core */
    double *core_limit;		/* demand that may be bound to each */
    double *node_limit;
    uint32_t *node_cores;	/* cores of each node */
    uint32_t *node_index;	/* os_index of each node */
    uint32_t *nodes;		/* which of snapshot->nodes each is */
    bool caches_known;
    double *byte_cost;		/* [node * nr_nodes + node], pCPUs per byte/s,
				   between different cache groups */
    double *packet_cost;
    double *far;		/* units of 10 beyond local */
    double group_cost;		/* per byte/s within a group */
    double unexplained;		/* waited by what is bound, by no collision */
    unsigned dropped;		/* objects that no tree could hold */

    struct choose_entity *entities;
    uint32_t nr_entities, nr_movable;
    uint32_t *hinders;		/* [nr_pools + 1]: see isolate.h */
    uint32_t isolation_pins;	/* vCPUs to be pinned hard for isolation */
    uint32_t isolation_others;	/* those of them of other VMs */
    size_t slot_bytes;		/* of a set of slots */
    uint8_t *allowed;		/* [entity * slot_bytes], bit = slot */
    uint8_t *roams;		/* the same: where its affinity lets it run */
    float *spread;		/* [entity * nr_nodes]: where it floats */
    uint32_t *domain_first, *domain_end;	/* entities by domain */
    float *memory_cost;		/* [domain * nr_nodes + node], per demand */
    struct choose_edge *edges;	/* each entity's by `to` */
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
                     const struct past *past,
                     const struct choose_pairs *pairs,
                     const struct choose_sizes *sizes, bool links);
void choose_model_free(struct choose_model *model);

/* For each entity of a domain, slot of a core, edge (a pointer to it). */
#define CHOOSE_FOR_DOMAIN(i, model, domain) \
    for (i = (model)->domain_first[domain]; \
         i < (model)->domain_end[domain]; i++)
#define CHOOSE_FOR_CORE(slot, model, core) \
    for (slot = (model)->core_first[core]; \
         slot < (model)->core_first[(core) + 1]; slot++)
#define CHOOSE_FOR_EDGES(edge, model, entity) \
    for (edge = &(model)->edges[(entity)->first_edge]; \
         edge < &(model)->edges[(entity)->first_edge + \
                                (entity)->nr_edges]; edge++)

static inline bool choose_in(const struct choose_model *model,
                             const uint8_t *sets, uint32_t entity,
                             uint32_t slot)
{
    return sets[entity * model->slot_bytes + slot / 8] >> (slot % 8) & 1;
}

/* May the plan put it there? */
static inline bool choose_allowed(const struct choose_model *model,
                                  uint32_t entity, uint32_t slot)
{
    return choose_in(model, model->allowed, entity, slot);
}

/* In the place of a slot: bound to none. */
static inline uint32_t choose_afloat(const struct choose_model *model)
{
    return model->nr_slots;
}

#endif
