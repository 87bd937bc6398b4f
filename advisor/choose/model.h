/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cost model behind choose(), and its search.  Private to choose-*.c, the
 * unit tests and the bench.
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
 *   float they are taken to follow, and the pair counts directly.
 * memory: demand * memory_slowdown * (distance - 10) / 10, mean over where the
 *   VM's memory is; where Xen does not say, it is where the VM runs.
 * path, starved: do not depend on places; see choose-resize.c, choose-link.c.
 *
 * dom0 loses (or gains) dom0_share of the vif's price of what went by vif (or
 * link) and now goes by link (or vif).  Traffic of a pair of VMs is shared out
 * over their vCPUs by demand (the busiest CHOOSE_ENDS_MAX of each).
 */
#ifndef SHMLINK_CHOOSE_MODEL_H
#define SHMLINK_CHOOSE_MODEL_H

#include "choose/choose.h"
#include "model/plan.h"
#include "model/settings.h"
#include "model/snapshot.h"

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
};

struct choose_pairs {
    struct choose_pair *pairs;
    size_t nr_pairs;
};

/* How many vCPUs each domain is to have. */
struct choose_sizes {
    uint32_t *online;		/* [nr_domains] */
    bool changed;
    double starved_before, starved_after;	/* pCPUs */
};

/* choose-pair.c.  Errors: -ENOMEM.  Owns: caller, choose_pairs_free(). */
int choose_pairs_new(struct choose_pairs *pairs_r,
                     const struct snapshot *snapshot);
void choose_pairs_free(struct choose_pairs *pairs);

/*
 * choose-model.c, choose-host.c, choose-graph.c.  Build the model; sizes NULL:
 * as online now; links: pairs' link_after counts instead of what is up.
 */
int choose_model_new(struct choose_model **model_r,
                     const struct snapshot *snapshot,
                     const struct settings *settings,
                     const struct choose_history *history,
                     const struct choose_pairs *pairs,
                     const struct choose_sizes *sizes, bool links);
void choose_model_free(struct choose_model *model);
int choose_graph(struct choose_model *model, const struct choose_pairs *pairs,
                 bool links);

/* far: distances beyond local of node to node, in units of 10; the caller
 * frees it. */
int choose_host(struct choose_model *model, hwloc_topology_t topology,
                double **far_r);
int choose_host_memory(struct choose_model *model, hwloc_topology_t topology,
                       const double *far);

/* choose-entity.c. */
int choose_entities(struct choose_model *model,
                    const struct choose_history *history,
                    const struct choose_sizes *sizes);

double choose_demand(const struct snapshot_vcpu *vcpu);
bool choose_listed(const struct snapshot_domain *domain, char **names,
                   size_t nr_names);
/*
 * Another domain with the UUID of this one, or SNAPSHOT_OUTSIDE.  Plan, journal
 * and history name domains by UUID: neither can be told what to do.
 */
size_t choose_twin(const struct snapshot *snapshot, size_t index);
/* Nothing is done to it, whatever is gained. */
bool choose_left_alone(const struct snapshot *snapshot,
                       const struct settings *settings, size_t index);
bool choose_cooling(const struct snapshot *snapshot,
                    const struct settings *settings,
                    const struct choose_history *history, size_t first,
                    size_t second);

static inline bool choose_allowed(const struct choose_model *model,
                                  uint32_t entity, uint32_t slot)
{
    return model->allowed[entity * model->allowed_bytes + slot / 8] >>
           (slot % 8) & 1;
}

#define CHOOSE_NOWHERE UINT32_MAX

/*
 * choose-state.c.  The places of all entities, with sums that make a change
 * cheap.  slot[] is read by all; changed only by choose_placement_move(), to
 * CHOOSE_NOWHERE while an entity is lifted off the host (choose_placement_at()
 * wants all of them placed).
 */
struct choose_placement {
    const struct choose_model *model;
    uint32_t *slot;		/* of each entity */
    double *slot_weight;
    uint32_t *slot_count;
    double *core_weight;
    double *slot_foreign, *core_foreign;	/* weight and presence */
    uint32_t *core_count, *core_isolated;
    uint32_t *slot_bound, *core_bound;	/* by affinity or moved there */
    uint32_t *slot_moved, *core_moved;	/* of these the latter */
    double *node_demand;
    uint32_t *slot_head;	/* lists of entities on a slot */
    uint32_t *next, *previous;
    double *field;		/* work space of choose_placement_field() */
    double *group_add, *core_add, *slot_add;
    double move_cost;		/* for each entity away from home */
    uint32_t nr_moved;
};

int choose_placement_new(struct choose_placement **state_r,
                         const struct choose_model *model, double move_cost);
void choose_placement_free(struct choose_placement *state);
void choose_placement_move(struct choose_placement *state, uint32_t entity,
                           uint32_t slot);

/*
 * What the entity costs on each slot with all others where they are, whatever
 * is allowed; costs differ between slots as the whole cost does.
 */
void choose_placement_field(struct choose_placement *state, uint32_t entity,
                            double *cost_r);

/* The same for one slot, and by terms. */
struct choose_parts {
    double waiting, sibling, core, node, storm, distance, memory, isolation;
    double move;
};
void choose_placement_parts(struct choose_placement *state, uint32_t entity,
                            uint32_t slot, struct choose_parts *parts_r);
double choose_placement_at(struct choose_placement *state, uint32_t entity,
                           uint32_t slot);

/* choose-cost.c.  What a pair's traffic costs between two slots; 0 on one
 * core. */
double choose_edge_distance(const struct choose_model *model,
                            const struct choose_edge *edge, uint32_t from,
                            uint32_t to);

/* All terms that depend on places, from the definition; for reports and to
 * check the above.  path and starved are 0. */
void choose_cost(const struct choose_model *model, const uint32_t *slot,
                 struct plan_cost *cost_r);

/*
 * choose-search.c, choose-local.c.  Improve places from those in state, moving
 * at most max_moves entities away from home, with about `effort` evaluations
 * of a slot.  Deterministic.  Errors: -ENOMEM.
 */
int choose_search(struct choose_placement *state, uint32_t max_moves,
                  uint64_t effort);
#define CHOOSE_EFFORT 40000000U

/*
 * choose-resize.c.  vCPUs to add and take back, as steps, findings and notes.
 * before: the model of the host as it is.
 * A sender all of whose vCPUs run all the time lacks at least half of one
 * more: starved is CHOOSE_STARVED * their mean utilisation.
 * Errors: -ENOMEM.  Owns: caller, choose_sizes_free().
 */
#define CHOOSE_STARVED 0.5
int choose_resize(struct choose_sizes *sizes_r, struct plan *plan,
                  const struct choose_model *before,
                  const struct choose_history *history);
void choose_sizes_free(struct choose_sizes *sizes);

/*
 * choose-link.c.  choose_links() sets link_after by traffic, message size and
 * head-room and adds notes and findings; *changed_r: some link is to change.
 * choose_link_steps() makes the steps once the places are known.
 * Errors: -ENOMEM.
 */
int choose_links(struct choose_pairs *pairs, struct plan *plan,
                 const struct snapshot *snapshot,
                 const struct settings *settings,
                 const struct choose_history *history,
                 const struct choose_sizes *sizes, bool *changed_r);
int choose_link_steps(struct choose_pairs *pairs, struct plan *plan,
                      const struct choose_placement *state);
/* choose-link-step.c.  Bytes per second of a pair, both directions; pCPUs that
 * a link saves it (or costs, below 0). */
double choose_pair_bytes(const struct choose_pair *pair);
double choose_link_gain(const struct choose_pair *pair,
                        const struct settings *settings);
/* By dom0's bridge; bytes and packets per second. */
double choose_vif_cost(const struct settings *settings, double bytes,
                       double packets);
/* Whether they have a link, now or after. */
bool choose_pair_linked(const struct choose_pair *pair, bool after);
/* What all pairs' traffic costs on its way, now or after. */
double choose_path(const struct choose_pairs *pairs,
                   const struct settings *settings, bool after);

/* choose-finding.c: what is wrong now, greatest cost first. */
int choose_findings(struct plan *plan, struct choose_placement *before,
                    const struct choose_pairs *pairs);

/* choose-step.c: pins for all that is away from home, best first. */
int choose_steps(struct plan *plan, struct choose_placement *after);

/* choose-note.c: constraints and limits of the data. */
int choose_notes(struct plan *plan, const struct choose_model *model);

/*
 * choose-text.c.  Append with a text; names are copied from domains of the
 * snapshot (SNAPSHOT_OUTSIDE: none).  *_r, may be NULL, is the new element.
 * Errors: -ENOMEM.
 */
int choose_add_finding(struct plan *plan, const struct snapshot *snapshot,
                       struct plan_finding **finding_r,
                       enum plan_finding_kind kind, size_t first,
                       size_t second, double value, double cost,
                       const char *format, ...)
    __attribute__((format(printf, 9, 10)));
int choose_add_note(struct plan *plan, const struct snapshot *snapshot,
                    enum plan_note_kind kind, size_t domain,
                    const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int choose_add_step(struct plan *plan, const struct snapshot *snapshot,
                    struct plan_step **step_r, enum plan_step_kind kind,
                    enum plan_reason reason, size_t first, size_t second,
                    double gain, const char *format, ...)
    __attribute__((format(printf, 9, 10)));
int choose_command(struct plan_step *step, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "120 MB/s"; text has room for 32 bytes. */
const char *choose_rate(char *text, double bytes);

/* How commands name a domain: its name if a shell takes it as it is, else its
 * domid.  text has room for 16 bytes. */
const char *choose_shell_name(char *text, const struct snapshot_domain *domain);

#endif
