/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tdestroy, twalk_r */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "collect/trace-metrics.h"
#include "base/compare.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY (-1)

struct tracked_vcpu {
    struct trace_vcpu row;      /* first: the tree compares by it */
    uint64_t since_tsc;
    uint64_t losses_seen;       /* of the walk, at the last record */
    uint8_t state;
    bool placed;                /* seen to be put on a pCPU */
    int running_on;             /* pCPU, or NOBODY */
};

struct tracked_pcpu {
    struct tracked_vcpu *current;
    struct tracked_vcpu *last;  /* of a VM, last to run here, or NULL */
    bool idled;                 /* since then */
};

struct walk {
    struct trace_metrics *metrics;
    void *vcpus;                /* tsearch trees */
    void *switches;
    struct tracked_pcpu *pcpus;
    uint64_t losses;
    size_t nr_vcpus;
    size_t nr_switches;
};

static int compare_vcpus(const void *a, const void *b)
{
    const struct trace_vcpu *x = a, *y = b;

    return COMPARE(x->domid, y->domid) ?: COMPARE(x->vcpuid, y->vcpuid);
}

static int compare_switches(const void *a, const void *b)
{
    const struct trace_switch *x = a, *y = b;

    return COMPARE(x->from_domid, y->from_domid) ?:
           COMPARE(x->from_vcpuid, y->from_vcpuid) ?:
           COMPARE(x->to_domid, y->to_domid);
}

/* The object like *key in a tree; a zeroed one of size bytes if none yet. */
static void *find_or_add(void **tree, const void *key, size_t key_size,
                         size_t size, int (*compare)(const void *, const void *),
                         size_t *nr)
{
    void **node = tsearch(key, tree, compare);
    void *object;

    if (!node)
        return NULL;
    if (*node != key)
        return *node;
    object = calloc(1, size);
    if (!object) {
        tdelete(key, tree, compare);
        return NULL;
    }
    memcpy(object, key, key_size);
    *node = object;
    (*nr)++;
    return object;
}

/* Account the time since the vCPU's last record to a state. */
static void charge(struct tracked_vcpu *vcpu, enum trace_state state,
                   uint64_t tsc, bool edge)
{
    uint64_t cycles = tsc - vcpu->since_tsc;

    vcpu->row.cycles[state] += cycles;
    if (edge || !vcpu->placed)
        vcpu->row.edge_cycles[state] += cycles;
    vcpu->since_tsc = tsc;
}

static struct tracked_vcpu *vcpu_of(struct walk *walk,
                                    const struct trace_event *event)
{
    struct trace_vcpu key = { .domid = event->domid, .vcpuid = event->vcpuid };
    size_t before = walk->nr_vcpus;
    struct tracked_vcpu *vcpu;

    vcpu = find_or_add(&walk->vcpus, &key, sizeof(key), sizeof(*vcpu),
                       compare_vcpus, &walk->nr_vcpus);
    if (!vcpu || walk->nr_vcpus == before)
        return vcpu;

    /* Its first record tells the state that it was in all along, ... */
    vcpu->state = event->old_state;
    /* ... unless that may have changed in a gap. */
    if (walk->losses)
        vcpu->state = TRACE_UNKNOWN;
    vcpu->since_tsc = walk->metrics->start_tsc;
    vcpu->losses_seen = walk->losses;
    vcpu->running_on = NOBODY;
    if (vcpu->state == TRACE_RUNNING)
        vcpu->running_on = event->pcpu;
    return vcpu;
}

static void leave_pcpu(struct walk *walk, struct tracked_vcpu *vcpu)
{
    struct tracked_pcpu *pcpu;

    if (vcpu->running_on == NOBODY)
        return;
    pcpu = &walk->pcpus[vcpu->running_on];
    vcpu->running_on = NOBODY;
    if (pcpu->current == vcpu)
        pcpu->current = NULL;
    if (vcpu->row.domid != TRACE_DOMID_IDLE) {
        pcpu->last = vcpu;
        pcpu->idled = false;
    }
}

/* A vCPU is put where another domain's ran last. */
static int count_switch(struct walk *walk, struct tracked_vcpu *vcpu,
                        struct tracked_pcpu *pcpu)
{
    struct trace_switch key = { .from_domid = pcpu->last->row.domid,
                                .from_vcpuid = pcpu->last->row.vcpuid,
                                .to_domid = vcpu->row.domid };
    struct trace_switch *s;

    s = find_or_add(&walk->switches, &key, sizeof(key), sizeof(*s),
                    compare_switches, &walk->nr_switches);
    if (!s)
        return -ENOMEM;
    s->count++;
    vcpu->row.vm_switches += vcpu->row.domid != TRACE_DOMID_IDLE;
    return 0;
}

static int enter_pcpu(struct walk *walk, struct tracked_vcpu *vcpu,
                      const struct trace_event *event)
{
    struct tracked_pcpu *pcpu = &walk->pcpus[event->pcpu];
    bool idle = vcpu->row.domid == TRACE_DOMID_IDLE;
    int rc = 0;

    if (event->kind == TRACE_RUNSTATE) {
        vcpu->row.executions++;
        if (pcpu->last && pcpu->last->row.domid != vcpu->row.domid &&
            !(idle && pcpu->idled))
            rc = count_switch(walk, vcpu, pcpu);
    }
    vcpu->placed = true;
    vcpu->running_on = event->pcpu;
    pcpu->current = vcpu;
    pcpu->idled |= idle;
    return rc;
}

/* What ran on a pCPU when its buffer filled up is unknown from there on. */
static void loss_begins(struct walk *walk, const struct trace_event *event)
{
    struct tracked_pcpu *pcpu = &walk->pcpus[event->pcpu];
    struct tracked_vcpu *vcpu = pcpu->current;

    walk->losses++;
    if (vcpu) {
        charge(vcpu, vcpu->state, event->tsc, false);
        vcpu->state = TRACE_UNKNOWN;
        vcpu->running_on = NOBODY;
    }
    pcpu->current = NULL;
    pcpu->last = NULL;
}

/*
 * The state that a vCPU was in until this record, or -EAGAIN for a record to
 * be left out.  Where the record contradicts what is tracked, either others
 * were lost since, and nothing is known of the time between; or the clocks of
 * two pCPUs differ a little, and what is tracked stands.
 */
static int state_until(struct walk *walk, const struct tracked_vcpu *vcpu,
                       const struct trace_event *event)
{
    if (event->kind == TRACE_LOSS_ENDS || vcpu->state == TRACE_UNKNOWN)
        return TRACE_UNKNOWN;
    if (vcpu->state == event->old_state)
        return vcpu->state;
    if (vcpu->losses_seen != walk->losses)
        return TRACE_UNKNOWN;
    walk->metrics->disordered++;
    /* Its wake-up, by a pCPU whose clock is ahead: it runs already. */
    if (vcpu->state == TRACE_RUNNING)
        return -EAGAIN;
    return vcpu->state;
}

static int vcpu_event(struct walk *walk, const struct trace_event *event)
{
    struct tracked_vcpu *vcpu = vcpu_of(walk, event);
    int state;

    if (!vcpu)
        return -ENOMEM;
    state = state_until(walk, vcpu, event);
    if (state == -EAGAIN)
        return 0;
    charge(vcpu, state, event->tsc, false);
    vcpu->losses_seen = walk->losses;

    /* After a gap its last record of running tells where it ran. */
    if (vcpu->running_on == NOBODY && event->old_state == TRACE_RUNNING)
        vcpu->running_on = event->pcpu;
    leave_pcpu(walk, vcpu);
    vcpu->state = event->new_state;
    if (event->new_state == TRACE_RUNNING)
        return enter_pcpu(walk, vcpu, event);
    return 0;
}

static int walk_log(struct walk *walk, const struct trace_log *log)
{
    size_t i;

    for (i = 0; i < log->nr_events; i++) {
        const struct trace_event *event = &log->events[i];
        int rc = 0;

        if (event->kind == TRACE_LOSS_BEGINS)
            loss_begins(walk, event);
        else
            rc = vcpu_event(walk, event);
        if (rc)
            return rc;
    }
    return 0;
}

static void take_vcpu(const void *node, VISIT order, void *closure)
{
    struct walk *walk = closure;
    struct trace_metrics *metrics = walk->metrics;
    struct tracked_vcpu *vcpu = *(struct tracked_vcpu *const *)node;

    if (order != postorder && order != leaf)
        return;
    charge(vcpu, vcpu->state, metrics->end_tsc, true);
    if (vcpu->row.domid != TRACE_DOMID_IDLE)
        metrics->vcpus[metrics->nr_vcpus++] = vcpu->row;
}

static void take_switch(const void *node, VISIT order, void *closure)
{
    struct trace_metrics *metrics = ((struct walk *)closure)->metrics;

    if (order == postorder || order == leaf)
        metrics->switches[metrics->nr_switches++] =
            **(struct trace_switch *const *)node;
}

static int take_rows(struct walk *walk)
{
    struct trace_metrics *metrics = walk->metrics;

    metrics->vcpus = calloc(walk->nr_vcpus + 1, sizeof(*metrics->vcpus));
    metrics->switches = calloc(walk->nr_switches + 1,
                               sizeof(*metrics->switches));
    if (!metrics->vcpus || !metrics->switches)
        return -ENOMEM;
    twalk_r(walk->vcpus, take_vcpu, walk);
    twalk_r(walk->switches, take_switch, walk);
    return 0;
}

static unsigned int highest_pcpu(const struct trace_log *log)
{
    unsigned int highest = 0;
    size_t i;

    for (i = 0; i < log->nr_events; i++) {
        if (log->events[i].pcpu > highest)
            highest = log->events[i].pcpu;
    }
    return highest;
}

int trace_metrics_compute(const struct trace_log *log,
                          struct trace_metrics **metrics_r)
{
    struct walk walk = { 0 };
    struct trace_metrics *metrics;
    int rc = -ENOMEM;

    if (!log->nr_events)
        return -ENODATA;
    metrics = walk.metrics = calloc(1, sizeof(*metrics));
    if (!metrics)
        return -ENOMEM;
    metrics->start_tsc = log->events[0].tsc;
    metrics->end_tsc = log->events[log->nr_events - 1].tsc;
    metrics->lost_records = log->lost_records;
    walk.pcpus = calloc(highest_pcpu(log) + 1, sizeof(*walk.pcpus));
    if (walk.pcpus)
        rc = walk_log(&walk, log) ?: take_rows(&walk);
    tdestroy(walk.vcpus, free);
    tdestroy(walk.switches, free);
    free(walk.pcpus);
    if (rc)
        trace_metrics_free(metrics);
    else
        *metrics_r = metrics;
    return rc;
}

void trace_metrics_free(struct trace_metrics *metrics)
{
    if (!metrics)
        return;
    free(metrics->vcpus);
    free(metrics->switches);
    free(metrics);
}

const struct trace_vcpu *
trace_metrics_vcpu(const struct trace_metrics *metrics, unsigned int domid,
                   unsigned int vcpuid)
{
    struct trace_vcpu key = { .domid = domid, .vcpuid = vcpuid };

    /* No array is none to bsearch(), whatever its length. */
    if (domid > UINT16_MAX || vcpuid > UINT16_MAX || !metrics->nr_vcpus)
        return NULL;
    return bsearch(&key, metrics->vcpus, metrics->nr_vcpus, sizeof(key),
                   compare_vcpus);
}
