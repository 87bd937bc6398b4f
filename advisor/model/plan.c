/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/plan.h"

#include "base/jsonio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const step_kinds[] = {
    "pin-hard", "pin-soft", "set-vcpus", "link-enable", "link-disable",
};
static const char *const reasons[] = {
    "shared-pcpu", "sibling", "contention", "node-load", "distance",
    "isolation", "room", "cpu-bound", "unused", "new-vcpu", "link-gain",
    "link-loss",
};
static const char *const finding_kinds[] = {
    "shared-pcpu", "shared-core", "wait", "switches", "cpu-bound", "distance",
    "memory", "core-load", "node-load", "no-link", "idle-link", "isolation",
};
static const char *const note_kinds[] = {
    "admin-pin", "cpupool", "banned", "isolated", "unmanaged", "granularity",
    "cooldown", "bad-plan", "max-moves", "min-gain", "smt", "maxvcpus",
    "no-driver", "no-link", "data",
};

#define NAME(words, kind) \
    ((size_t)(kind) < sizeof (words) / sizeof *(words) ? (words)[kind] : NULL)

const char *plan_step_kind_name(enum plan_step_kind kind)
{
    return NAME(step_kinds, kind);
}

const char *plan_reason_name(enum plan_reason reason)
{
    return NAME(reasons, reason);
}

const char *plan_finding_kind_name(enum plan_finding_kind kind)
{
    return NAME(finding_kinds, kind);
}

const char *plan_note_kind_name(enum plan_note_kind kind)
{
    return NAME(note_kinds, kind);
}

int plan_new(struct plan **plan_r)
{
    struct plan *plan = calloc(1, sizeof *plan);

    if (!plan)
        return -ENOMEM;
    plan->schema = PLAN_SCHEMA;
    plan_identify(plan);
    *plan_r = plan;
    return 0;
}

void plan_free(struct plan *plan)
{
    size_t i;

    if (!plan)
        return;
    for (i = 0; i < plan->nr_steps; i++) {
        free(plan->steps[i].subject[0].name);
        free(plan->steps[i].subject[1].name);
        hwloc_bitmap_free(plan->steps[i].from);
        hwloc_bitmap_free(plan->steps[i].to);
        free(plan->steps[i].peer);
        free(plan->steps[i].text);
        free(plan->steps[i].command);
    }
    for (i = 0; i < plan->nr_findings; i++) {
        free(plan->findings[i].subject[0].name);
        free(plan->findings[i].subject[1].name);
        free(plan->findings[i].text);
    }
    for (i = 0; i < plan->nr_notes; i++) {
        free(plan->notes[i].subject.name);
        free(plan->notes[i].text);
    }
    for (i = 0; i < plan->nr_places; i++)
        free(plan->places[i].domain.name);
    free(plan->steps);
    free(plan->findings);
    free(plan->notes);
    free(plan->places);
    free(plan->host);
    free(plan);
}

struct plan_step *plan_add_step(struct plan *plan)
{
    struct plan_step *step = JSONIO_ADD(plan, steps, PLAN_STEPS_MAX);

    if (step)
        step->vcpuid = step->vif[0] = step->vif[1] = PLAN_NONE;
    return step;
}

struct plan_finding *plan_add_finding(struct plan *plan)
{
    struct plan_finding *finding = JSONIO_ADD(plan, findings,
                                              PLAN_FINDINGS_MAX);

    if (finding)
        finding->pcpu = finding->node = PLAN_NONE;
    return finding;
}

struct plan_note *plan_add_note(struct plan *plan)
{
    return JSONIO_ADD(plan, notes, PLAN_NOTES_MAX);
}

struct plan_place *plan_add_place(struct plan *plan)
{
    struct plan_place *place = JSONIO_ADD(plan, places, PLAN_PLACES_MAX);

    if (place)
        place->pcpu_before = place->pcpu_after = PLAN_NONE;
    return place;
}

int plan_domain_set(struct plan_domain *domain, const uint8_t uuid[16],
                    uint32_t domid, const char *name)
{
    char *copy = strdup(name);

    if (!copy)
        return -ENOMEM;
    free(domain->name);
    domain->name = copy;
    domain->domid = domid;
    memcpy(domain->uuid, uuid, 16);
    return 0;
}

const char *plan_vif_suffix(char text_r[PLAN_VIF_BYTES], uint32_t vif)
{
    *text_r = '\0';
    if (vif != PLAN_NONE)
        snprintf(text_r, PLAN_VIF_BYTES, ":%u", vif);
    return text_r;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/: 64 bits are plenty to
 * tell apart the plans of one host, and nothing here is secret. */
static uint64_t hash(uint64_t sum, const void *data, size_t bytes)
{
    const uint8_t *byte = data;

    while (bytes--)
        sum = (sum ^ *byte++) * 0x100000001b3U;
    return sum;
}

static uint64_t hash_number(uint64_t sum, uint32_t number)
{
    uint8_t bytes[4] = { number & 0xff, number >> 8 & 0xff,
                         number >> 16 & 0xff, number >> 24 };

    return hash(sum, bytes, sizeof bytes);
}

void plan_identify(struct plan *plan)
{
    uint64_t sum = 0xcbf29ce484222325U;
    const struct plan_step *step;
    unsigned pcpu;
    size_t i;

    for (i = 0; i < plan->nr_steps; i++) {
        step = &plan->steps[i];
        sum = hash_number(sum, (uint32_t)step->kind);
        sum = hash(sum, step->subject[0].uuid, 16);
        sum = hash(sum, step->subject[1].uuid, 16);
        sum = hash_number(sum, step->vcpuid);
        sum = hash_number(sum, step->vcpus_to);
        if (step->vif[0] != PLAN_NONE || step->vif[1] != PLAN_NONE)
            sum = hash_number(hash_number(sum, step->vif[0]), step->vif[1]);
        if (step->to && hwloc_bitmap_isfull(step->to))
            sum = hash_number(sum, PLAN_NONE);
        else if (step->to)
            hwloc_bitmap_foreach_begin(pcpu, step->to)
                sum = hash_number(sum, pcpu);
            hwloc_bitmap_foreach_end();
    }
    snprintf(plan->id, sizeof plan->id, "%016llx", (unsigned long long)sum);
}
