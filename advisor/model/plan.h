/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plan: what is wrong on a host, what to do about it, and what that is
 * predicted to bring.  choose() makes one from a snapshot; advise shows it,
 * apply carries it out, and it is saved as and loaded from JSON.
 *
 * A plan owns everything that it points to and refers to nothing outside
 * itself: domains are named by UUID, with domid and name as they were then.
 * Functions return 0 or -errno and print nothing.
 *
 * Costs and gains have one unit, the pCPU: seconds of processor time that
 * are wasted or waited for, per second, over the whole host (choose.h says
 * how they are predicted).
 *
 * A plan from a file is untrusted: apply checks each step against the host
 * as it is, and runs library calls from the fields, never `command`, which
 * is for people to read.
 */
#ifndef SHMLINK_MODEL_PLAN_H
#define SHMLINK_MODEL_PLAN_H

#include <hwloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_SCHEMA		1
#define PLAN_STEPS_MAX		262144U
#define PLAN_FINDINGS_MAX	65536U
#define PLAN_NOTES_MAX		4096U
#define PLAN_PLACES_MAX		65536U
#define PLAN_NONE		UINT32_MAX

enum plan_step_kind {
    PLAN_PIN_HARD,		/* subject[0], vcpuid, from, to */
    PLAN_PIN_SOFT,		/* the same */
    PLAN_SET_VCPUS,		/* subject[0], vcpus_from, vcpus_to */
    PLAN_LINK_ENABLE,		/* subject[0], subject[1], vif */
    PLAN_LINK_DISABLE,		/* the same, and nonce */
};

/* Why: a machine-readable cause beside the text. */
enum plan_reason {
    PLAN_REASON_SHARED_PCPU,	/* two ends of a busy pair on one pCPU */
    PLAN_REASON_SIBLING,	/* two VMs on sibling threads */
    PLAN_REASON_CONTENTION,	/* its pCPU or core is wanted by others */
    PLAN_REASON_DISTANCE,	/* far from its peer or its memory */
    PLAN_REASON_ISOLATION,	/* an isolated VM shares a core */
    PLAN_REASON_ROOM,		/* makes room for another step */
    PLAN_REASON_CPU_BOUND,	/* a sender is short of CPU */
    PLAN_REASON_UNUSED,		/* an added vCPU is not used */
    PLAN_REASON_NEW_VCPU,	/* place for a vCPU that this plan adds */
    PLAN_REASON_LINK_GAIN,	/* enough traffic in messages large enough */
    PLAN_REASON_LINK_LOSS,	/* too little, too small, or no CPU for it */
};

struct plan_domain {
    uint8_t uuid[16];
    uint32_t domid;
    char *name;
};

/*
 * Steps are in the order in which they are to be done: vCPUs online, pins,
 * links.  A step may be left out only with all those that follow it.
 * figures: the numbers behind the reason, "wait 0.43, 120 MB/s to db".
 */
struct plan_step {
    enum plan_step_kind kind;
    struct plan_domain subject[2];	/* [1].name NULL: has only one */
    uint32_t vcpuid;			/* PLAN_NONE unless a pin */
    hwloc_bitmap_t from, to;		/* a pin's masks, full = all; else
					   NULL */
    uint32_t vcpus_from, vcpus_to;
    uint32_t vif[2];			/* a link's, devids; PLAN_NONE: the
					   first that will do */
    char nonce[33];			/* of the link to disable, or "" */
    enum plan_reason reason;
    char *peer;				/* name of the other VM concerned, or
					   NULL */
    char *text;				/* the reason in a sentence, with its
					   numbers */
    double gain;			/* pCPUs, predicted for this step in
					   this order; may be negative where
					   it makes room */
    char *command;			/* the xl command that does it */
};

enum plan_finding_kind {
    PLAN_FINDING_SHARED_PCPU,		/* pair: value bytes/s */
    PLAN_FINDING_SHARED_CORE,		/* pair on siblings: bytes/s */
    PLAN_FINDING_WAIT,			/* VM: value = wait, fraction */
    PLAN_FINDING_SWITCHES,		/* VM: switches/s; [1] by whom */
    PLAN_FINDING_CPU_BOUND,		/* sender: utilisation of its vCPUs */
    PLAN_FINDING_DISTANCE,		/* pair on different nodes: bytes/s */
    PLAN_FINDING_MEMORY,		/* VM runs off its memory's node:
					   fraction of its run time */
    PLAN_FINDING_NO_LINK,		/* pair: bytes/s that a link would
					   carry */
    PLAN_FINDING_IDLE_LINK,		/* pair: bytes/s of a link that is not
					   worth it */
    PLAN_FINDING_ISOLATION,		/* isolated VM shares a core with [1] */
};

struct plan_finding {
    enum plan_finding_kind kind;
    struct plan_domain subject[2];	/* names NULL where there is none */
    uint32_t pcpu;			/* os_index or PLAN_NONE */
    double value;			/* unit: see the kind */
    double error;			/* one standard error, 0: none given */
    double cost;			/* pCPUs lost by it, for ordering */
    char *text;				/* a sentence with the numbers */
};

enum plan_note_kind {
    PLAN_NOTE_ADMIN_PIN,
    PLAN_NOTE_CPUPOOL,
    PLAN_NOTE_BANNED,
    PLAN_NOTE_ISOLATED,
    PLAN_NOTE_UNMANAGED,
    PLAN_NOTE_GRANULARITY,		/* sched-gran */
    PLAN_NOTE_COOLDOWN,
    PLAN_NOTE_BAD_PLAN,			/* tried before and undone */
    PLAN_NOTE_MAX_MOVES,
    PLAN_NOTE_MIN_GAIN,
    PLAN_NOTE_SMT,
    PLAN_NOTE_MAXVCPUS,
    PLAN_NOTE_NO_DRIVER,
    PLAN_NOTE_NO_LINK,			/* a link would be refused */
    PLAN_NOTE_DATA,			/* something was not measured */
};

/* A constraint that stopped something, or a limit of the data. */
struct plan_note {
    enum plan_note_kind kind;
    struct plan_domain subject;		/* name NULL: the host */
    char *text;
};

/* Where a vCPU is expected to run, for drawing; offline ones are left out. */
struct plan_place {
    struct plan_domain domain;		/* name may be shared: never NULL */
    uint32_t vcpuid;
    uint32_t pcpu_before, pcpu_after;	/* os_index; PLAN_NONE before: a vCPU
					   that the plan adds */
    double load_before, load_after;	/* demand, pCPUs */
};

/* The terms of choose.h's model, pCPUs. */
struct plan_cost {
    double contention;		/* waiting for a pCPU, sibling slow-down */
    double switches;		/* busy pairs on one pCPU */
    double distance;		/* traffic, by cache and NUMA distance */
    double memory;		/* running off the memory's node */
    double path;		/* the network path, by vif or link */
    double starved;		/* CPU-bound senders without a vCPU */
    double total;
};

struct plan {
    uint32_t schema;
    int64_t time;			/* of the snapshot */
    char *host;				/* may be NULL */
    char id[17];			/* 16 hexadecimal digits: a hash of the
					   steps alone (by UUID), so that a
					   plan that went badly is known
					   again */
    struct plan_cost before, after;
    struct plan_step *steps;
    size_t nr_steps;
    struct plan_finding *findings;	/* greatest cost first */
    size_t nr_findings;
    uint32_t findings_left_out;		/* of less cost than those */
    struct plan_note *notes;
    size_t nr_notes;
    uint32_t notes_left_out;
    struct plan_place *places;
    size_t nr_places;
    bool no_memory;			/* while it was made: it lacks something,
					   and is not to be used */
};

/* Errors: -ENOMEM.  Owns: caller, plan_free(); NULL is fine. */
int plan_new(struct plan **plan_r);
void plan_free(struct plan *plan);

/* Append a zeroed element (numbers of kinds at PLAN_NONE where that is
 * their "none"); good until the next add.  NULL: no memory or limit. */
struct plan_step *plan_add_step(struct plan *plan);
struct plan_finding *plan_add_finding(struct plan *plan);
void plan_drop_finding(struct plan_finding *finding);
void plan_drop_steps(struct plan *plan);
struct plan_note *plan_add_note(struct plan *plan);
struct plan_place *plan_add_place(struct plan *plan);

/* Copy a subject.  Errors: -ENOMEM. */
int plan_domain_set(struct plan_domain *domain, const uint8_t uuid[16],
                    uint32_t domid, const char *name);

/* A name that a shell takes as it is, and xl for no domid: commands have it.
 * Else they have the domid. */
bool plan_name_plain(const char *name);

/* Whether something but missing data kept advice back: a limit, a wish of the
 * administrator's. */
bool plan_limited(const struct plan *plan);

/* Set plan->id from the steps. */
void plan_identify(struct plan *plan);

/* How xl shmlink has a vif behind its guest: ":1", or "" for PLAN_NONE. */
#define PLAN_VIF_BYTES		12
const char *plan_vif_suffix(char text_r[PLAN_VIF_BYTES], uint32_t vif);

/*
 * The command of a step of that kind.  number: the vCPU of a pin, or how many
 * are to be online.  pcpus: of a pin.  vif: of a link; NULL: any.
 * NULL: no memory.  Owns: caller.
 */
char *plan_command(enum plan_step_kind kind, const char *const name[2],
                   uint32_t number, hwloc_const_bitmap_t pcpus,
                   const uint32_t vif[2]);

/* Words of the JSON, "shared-pcpu", "cpu-bound", "admin-pin": of each reason,
 * and each kind of finding and note. */
extern const char *const plan_reasons[];
extern const char *const plan_finding_kinds[];
extern const char *const plan_note_kinds[];

/* JSON; contracts as snapshot_load() and its family in snapshot.h. */
int plan_load(struct plan **plan_r, const char *path, char **why_r);
int plan_format(const struct plan *plan, char **text_r);

#endif
