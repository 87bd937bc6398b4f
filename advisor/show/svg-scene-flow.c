/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scene's traffic: which VMs talk, where, and so which share a colour. */
#include <errno.h>
#include <stdlib.h>

#include "model/plan.h"
#include "model/snapshot.h"
#include "show/svg-priv.h"
#include "base/compare.h"

/* A pair below this is not counted as busy, nor are VMs grouped by it. */
#define BUSY_BYTES 100e3
#define GROUP_MAX 5

static int flow_compare_pair(const void *a, const void *b)
{
    const struct svg_flow *f = a, *g = b;

    return COMPARE(f->from, g->from) ?: COMPARE(f->to, g->to);
}

static int flow_compare_rate(const void *a, const void *b)
{
    const struct svg_flow *f = a, *g = b;

    return COMPARE(g->bytes_per_second, f->bytes_per_second) ?:
           flow_compare_pair(a, b);
}

/* Both directions and both ways of a pair become one line. */
static void scene_merge(struct svg_host *host)
{
    size_t i, n = 0;

    qsort(host->flows, host->nr_flows, sizeof(*host->flows),
          flow_compare_pair);
    for (i = 0; i < host->nr_flows; i++) {
        struct svg_flow *f = &host->flows[i];

        if (n && !flow_compare_pair(f, f - i + n - 1)) {
            host->flows[n - 1].bytes_per_second += f->bytes_per_second;
            host->flows[n - 1].link |= f->link;
        } else {
            host->flows[n++] = *f;
        }
    }
    host->nr_flows = n;
}

static void scene_link_after(struct svg_host *host, const struct snapshot *s,
                             const struct plan *plan)
{
    size_t i, j;

    for (i = 0; i < plan->nr_steps; i++) {
        const struct plan_step *step = &plan->steps[i];
        size_t a, b;

        if (step->kind != PLAN_LINK_ENABLE && step->kind != PLAN_LINK_DISABLE)
            continue;
        a = snapshot_find_uuid(s, step->subject[0].uuid);
        b = snapshot_find_uuid(s, step->subject[1].uuid);
        for (j = 0; j < host->nr_flows; j++)
            if ((host->flows[j].from == a && host->flows[j].to == b)
                || (host->flows[j].from == b && host->flows[j].to == a))
                host->flows[j].link = step->kind == PLAN_LINK_ENABLE;
    }
}

/* The busiest vCPU of a VM.  The vCPUs are sorted by VM. */
static size_t scene_busiest(const struct svg_host *host, const size_t *first,
                            unsigned int vm)
{
    size_t i, found = SIZE_MAX;

    for (i = first[vm]; i < first[vm + 1]; i++)
        if (found == SIZE_MAX || host->vcpus[i].util > host->vcpus[found].util)
            found = i;
    return found;
}

/* Where the two ends are: on one core, if any two vCPUs are. */
static void scene_ends(const struct svg_page *page,
                       const struct svg_host *host, const size_t *first,
                       struct svg_flow *f)
{
    const struct svg_pcpu *a, *b;
    size_t i, j;

    f->ends[0] = scene_busiest(host, first, f->from);
    f->ends[1] = scene_busiest(host, first, f->to);
    f->heat = SVG_HEAT_FINE;
    if (f->ends[0] == SIZE_MAX || f->ends[1] == SIZE_MAX)
        return;
    a = &page->pcpus[host->vcpus[f->ends[0]].at];
    b = &page->pcpus[host->vcpus[f->ends[1]].at];
    if (a->node != b->node)
        f->heat = SVG_HEAT_FAR;
    if (f->bytes_per_second < BUSY_BYTES)
        return;
    for (i = first[f->from]; i < first[f->from + 1]; i++)
        for (j = first[f->to]; j < first[f->to + 1]; j++)
            if (!host->vcpus[i].floating && !host->vcpus[j].floating
                && page->pcpus[host->vcpus[i].at].core
                       == page->pcpus[host->vcpus[j].at].core) {
                f->heat = SVG_HEAT_SHARED;
                f->ends[0] = i;
                f->ends[1] = j;
                return;
            }
}

static int vcpu_compare(const void *a, const void *b)
{
    const struct svg_vcpu *v = a, *w = b;

    return COMPARE(v->vm, w->vm) ?: COMPARE(v->vcpu, w->vcpu);
}

int svg_scene_flows(struct svg_page *page, const struct snapshot *s,
                    const struct plan *plan, int when)
{
    struct svg_host *host = &page->hosts[when];
    size_t *first = calloc(page->nr_vms + 2, sizeof(*first));
    size_t i;

    host->flows = calloc(s->nr_traffic + 1, sizeof(*host->flows));
    if (!first || !host->flows) {
        free(first);
        return -ENOMEM;
    }
    for (i = 0; i < s->nr_traffic; i++) {
        const struct snapshot_traffic *t = &s->traffic[i];

        if (t->from == SNAPSHOT_OUTSIDE || t->to == SNAPSHOT_OUTSIDE
            || t->from == t->to || t->bytes.value <= 0)
            continue;
        host->flows[host->nr_flows++] = (struct svg_flow){
            .from = (unsigned int)(t->from < t->to ? t->from : t->to),
            .to = (unsigned int)(t->from < t->to ? t->to : t->from),
            .bytes_per_second = t->bytes.value,
            .link = t->via == SNAPSHOT_VIA_LINK,
        };
    }
    scene_merge(host);
    if (when == AFTER)
        scene_link_after(host, s, plan);
    qsort(host->vcpus, host->nr_vcpus, sizeof(*host->vcpus), vcpu_compare);
    for (i = 0; i < host->nr_vcpus; i++)
        first[host->vcpus[i].vm + 1] = i + 1;
    for (i = 1; i <= page->nr_vms; i++)
        if (first[i] < first[i - 1])
            first[i] = first[i - 1];
    for (i = 0; i < host->nr_flows; i++)
        scene_ends(page, host, first, &host->flows[i]);
    qsort(host->flows, host->nr_flows, sizeof(*host->flows),
          flow_compare_rate);
    free(first);
    return 0;
}

/* How many VMs have this colour. */
static size_t scene_count(const struct svg_page *page, int colour)
{
    size_t i, n = 0;

    for (i = 0; i < page->nr_vms; i++)
        n += page->vms[i].colour == colour;
    return n;
}

/* Busiest pairs first; groups stay small, since a picture in one colour tells
 * nothing. */
void svg_scene_colours(struct svg_page *page, const struct svg_host *host)
{
    int colours = 0;
    size_t i;

    for (i = 0; i < host->nr_flows; i++) {
        struct svg_vm *a = &page->vms[host->flows[i].from];
        struct svg_vm *b = &page->vms[host->flows[i].to];

        if (host->flows[i].bytes_per_second < BUSY_BYTES || a->colour == -2
            || b->colour == -2 || (a->colour >= 0 && b->colour >= 0))
            continue;
        if (a->colour < 0 && b->colour < 0) {
            a->colour = b->colour = colours++;
        } else {
            struct svg_vm *known = a->colour >= 0 ? a : b;
            struct svg_vm *other = known == a ? b : a;

            other->colour = scene_count(page, known->colour) < GROUP_MAX
                                ? known->colour
                                : colours++;
        }
    }
}
