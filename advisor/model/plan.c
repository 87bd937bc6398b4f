/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/plan.h"

#include "model/plan-fields.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int plan_new(struct plan **plan_r)
{
    struct plan *plan = calloc(1, sizeof *plan);

    if (!plan)
        return -ENOMEM;
    jsonio_init(&plan_fields, plan);
    plan_identify(plan);
    *plan_r = plan;
    return 0;
}

void plan_free(struct plan *plan)
{
    if (plan)
        jsonio_dispose(&plan_fields, plan);
    free(plan);
}

#define ADDER(kind, list, max) \
struct plan_ ## kind *plan_add_ ## kind(struct plan *plan) \
{ \
    return jsonio_add_new(&plan_ ## kind ## _fields, &plan->list, \
                          &plan->nr_ ## list, (max)); \
}

ADDER(step, steps, PLAN_STEPS_MAX)
ADDER(finding, findings, PLAN_FINDINGS_MAX)
ADDER(note, notes, PLAN_NOTES_MAX)
ADDER(place, places, PLAN_PLACES_MAX)

void plan_drop_finding(struct plan_finding *finding)
{
    jsonio_dispose(&plan_finding_fields, finding);
    memset(finding, 0, sizeof *finding);
}

void plan_drop_steps(struct plan *plan)
{
    while (plan->nr_steps)
        jsonio_dispose(&plan_step_fields, &plan->steps[--plan->nr_steps]);
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

char *plan_command(enum plan_step_kind kind, const char *const name[2],
                   uint32_t number, hwloc_const_bitmap_t pcpus,
                   const uint32_t vif[2])
{
    char *text = NULL, *list = NULL, suffix[2][PLAN_VIF_BYTES];
    int r;

    switch (kind) {
    case PLAN_PIN_HARD:
    case PLAN_PIN_SOFT:
        if (!hwloc_bitmap_isfull(pcpus) &&
            hwloc_bitmap_list_asprintf(&list, pcpus) < 0)
            return NULL;
        r = asprintf(&text, kind == PLAN_PIN_HARD ? "xl vcpu-pin %s %u %s -"
                                                  : "xl vcpu-pin %s %u - %s",
                     name[0], number, list ? list : "all");
        free(list);
        break;
    case PLAN_SET_VCPUS:
        r = asprintf(&text, "xl vcpu-set %s %u", name[0], number);
        break;
    default:
        r = asprintf(&text, "xl shmlink %s %s%s %s%s",
                     kind == PLAN_LINK_ENABLE ? "enable" : "disable", name[0],
                     plan_vif_suffix(suffix[0], vif ? vif[0] : PLAN_NONE),
                     name[1],
                     plan_vif_suffix(suffix[1], vif ? vif[1] : PLAN_NONE));
        break;
    }
    return r < 0 ? NULL : text;
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
    number = htole32(number);
    return hash(sum, &number, sizeof number);
}

bool plan_name_plain(const char *name)
{
    const char *c;

    for (c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-+", *c))
            return false;
    return isalpha((unsigned char)*name);
}

bool plan_limited(const struct plan *plan)
{
    size_t i;

    for (i = 0; i < plan->nr_notes; i++)
        if (plan->notes[i].kind != PLAN_NOTE_DATA)
            return true;
    return false;
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

int plan_load(struct plan **plan_r, const char *path, char **why_r)
{
    struct jsonio_in in = { 0 };
    struct plan *plan = NULL;

    if (plan_new(&plan))
        jsonio_no_memory(&in);
    else
        jsonio_load(&in, &plan_fields, plan, path);
    if (in.rc) {
        plan_free(plan);
    } else {
        /* Not taken from the file, which may have been edited. */
        plan_identify(plan);
        *plan_r = plan;
    }
    return jsonio_end(&in, why_r);
}

int plan_format(const struct plan *plan, char **text_r)
{
    return jsonio_format(&plan_fields, plan, text_r);
}
