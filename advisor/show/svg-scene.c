/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <hwloc.h>

#include "model/plan.h"
#include "model/settings.h"
#include "model/snapshot.h"
#include "show/svg-priv.h"
#include "base/compare.h"

/* --- pCPUs: by socket, cache, core ---------------------------------------- */

static int cpu_compare(const void *a, const void *b)
{
    const struct svg_pcpu *p = a, *q = b;

    return COMPARE(p->socket, q->socket) ?: COMPARE(p->cache, q->cache) ?:
           COMPARE(p->core, q->core) ?: COMPARE(p->pcpu, q->pcpu);
}

/* The last cache that more than one core may share: the greatest level. */
static uint32_t scene_cache(const struct snapshot *s, uint32_t pcpu,
                            unsigned int *level_r)
{
    uint32_t found = SNAPSHOT_NONE;
    unsigned int level = 1;
    size_t i;

    for (i = 0; i < s->nr_caches; i++)
        if (s->caches[i].level > level
            && hwloc_bitmap_isset(s->caches[i].pcpus, pcpu)) {
            level = s->caches[i].level;
            found = (uint32_t)i;
            *level_r = level;
        }
    return found;
}

static int scene_pcpus(struct svg_page *page, const struct snapshot *s,
                       const struct settings *settings)
{
    static const char *const names[] = { NULL, NULL, "L2 cache", "L3 cache",
                                         "L4 cache" };
    struct svg_pcpu *c = calloc(s->nr_pcpus + 1, sizeof(*c)), own, before;
    unsigned int level = 0;
    size_t i;

    page->pcpus = c;
    if (!c)
        return -ENOMEM;
    for (i = 0; i < s->nr_pcpus; i++) {
        const struct snapshot_pcpu *p = &s->pcpus[i];

        c[i] = (struct svg_pcpu){
            .pcpu = p->os_index,
            /* Where an offline one belongs is not known: each stands alone. */
            .core = p->online ? p->core : p->os_index,
            .cache = scene_cache(s, p->os_index, &level),
            .socket = p->socket,
            .node = p->node,
            .online = p->online,
            .banned = hwloc_bitmap_isset(settings->banned_pcpus, p->os_index),
        };
    }
    qsort(c, s->nr_pcpus, sizeof(*c), cpu_compare);
    for (i = 0; i < s->nr_pcpus; i++, c++) {
        bool socket, cache, core;

        own = *c;
        socket = i && before.socket != own.socket;
        cache = i && (socket || before.cache != own.cache);
        core = i && (cache || before.core != own.core);
        c->socket = i ? c[-1].socket + socket : 0;
        c->cache = i ? c[-1].cache + cache : 0;
        c->core = i ? c[-1].core + core : 0;
        before = own;
    }
    page->nr_pcpus = s->nr_pcpus;
    page->cache_name = level < 5 ? names[level] : NULL;
    return page->nr_pcpus ? 0 : -EINVAL;
}

/* --- VMs and their vCPUs -------------------------------------------------- */

static int scene_vms(struct svg_page *page, const struct snapshot *s)
{
    size_t i;

    page->vms = calloc(s->nr_domains + 1, sizeof(*page->vms));
    if (!page->vms)
        return -ENOMEM;
    page->nr_vms = s->nr_domains;
    for (i = 0; i < s->nr_domains; i++) {
        const struct snapshot_domain *d = &s->domains[i];

        page->vms[i] = (struct svg_vm){
            .name = d->name ? d->name : "?",
            .colour = d->domid ? -1 : -2,
            .many = d->vcpus_max > 1,
        };
    }
    return 0;
}

/* Whether some step of the plan pins this vCPU. */
static bool scene_pinned(const struct plan *plan, const uint8_t uuid[16],
                         uint32_t vcpuid)
{
    size_t i;

    for (i = 0; i < plan->nr_steps; i++) {
        const struct plan_step *step = &plan->steps[i];

        if ((step->kind == PLAN_PIN_HARD || step->kind == PLAN_PIN_SOFT)
            && step->vcpuid == vcpuid && !hwloc_bitmap_isfull(step->to)
            && !memcmp(step->subject[0].uuid, uuid, 16))
            return true;
    }
    return false;
}

/* pcpu (Xen's number) to the page's index; nr_pcpus: there is none. */
static unsigned int scene_at(const struct svg_page *page, uint32_t pcpu)
{
    unsigned int i;

    for (i = 0; i < page->nr_pcpus; i++)
        if (page->pcpus[i].pcpu == pcpu)
            break;
    return i;
}

static int scene_vcpus(struct svg_page *page, const struct snapshot *s,
                       const struct plan *plan, int when)
{
    struct svg_host *host = &page->hosts[when];
    size_t i;

    host->vcpus = calloc(plan->nr_places + 1, sizeof(*host->vcpus));
    if (!host->vcpus)
        return -ENOMEM;
    for (i = 0; i < plan->nr_places; i++) {
        const struct plan_place *place = &plan->places[i];
        size_t d = snapshot_find_uuid(s, place->domain.uuid);
        const struct snapshot_vcpu *v;
        bool floating, pinned = when == AFTER
                      && scene_pinned(plan, place->domain.uuid,
                                      place->vcpuid);
        unsigned int at = scene_at(page, when == AFTER ? place->pcpu_after
                                                       : place->pcpu_before);

        if (d == SNAPSHOT_OUTSIDE || at == page->nr_pcpus
            || place->vcpuid >= s->domains[d].vcpus_max)
            continue;
        v = &s->vcpus[s->domains[d].first_vcpu + place->vcpuid];
        /* It runs what it did; one that is bound gets what it wants. */
        floating = !pinned && v->online && hwloc_bitmap_isfull(v->hard)
                   && hwloc_bitmap_isfull(v->soft);
        page->pcpus[at].chips[when]++;
        host->vcpus[host->nr_vcpus++] = (struct svg_vcpu){
            .vm = (unsigned int)d,
            .vcpu = place->vcpuid,
            .at = at,
            .util = floating        ? v->utilisation.value
                    : when == AFTER ? place->load_after
                                    : place->load_before,
            .floating = floating,
            .moved = pinned,
            .added = when == AFTER && place->pcpu_before == PLAN_NONE,
        };
    }
    return 0;
}

/*
 * What floats is nowhere in particular, as in choose/model.h: each pCPU has the
 * share of it that its idle counter leaves beside what is bound there.
 */
static void scene_shares(struct svg_page *page, const struct snapshot *s)
{
    const struct svg_host *host = &page->hosts[BEFORE];
    bool known = true;
    double sum = 0;
    size_t i;

    for (i = 0; i < s->nr_pcpus; i++)
        known &= !s->pcpus[i].online
                 || s->pcpus[i].idle.source != SNAPSHOT_SOURCE_NONE;
    for (i = 0; i < page->nr_pcpus && known; i++)
        if (page->pcpus[i].online)
            page->pcpus[i].share =
                1 - snapshot_find_pcpu(s, page->pcpus[i].pcpu)->idle.value;
    for (i = 0; i < host->nr_vcpus && known; i++)
        if (!host->vcpus[i].floating)
            page->pcpus[host->vcpus[i].at].share -= host->vcpus[i].util;
    for (i = 0; i < page->nr_pcpus; i++)
        sum += page->pcpus[i].share = fmax(0, page->pcpus[i].share);
    for (i = 0; i < page->nr_pcpus && sum <= 0; i++)
        page->pcpus[i].share = page->pcpus[i].online;
}

int svg_scene_fill(struct svg_page *page, const struct snapshot *snapshot,
                   const struct plan *plan, const struct settings *settings)
{
    size_t h;
    int rc;

    *page = (struct svg_page){
        .steps = plan->steps,
        .nr_steps = plan->nr_steps,
        .nr_hosts = plan->nr_steps ? 2 : 1,
        .hosts = { { .title = "Now" }, { .title = "After the plan" } },
    };
    rc = scene_pcpus(page, snapshot, settings) ?: scene_vms(page, snapshot);
    for (h = 0; h < page->nr_hosts && !rc; h++) {
        rc = scene_vcpus(page, snapshot, plan, (int)h);
        if (!rc && h == BEFORE)
            scene_shares(page, snapshot);
        if (!rc)
            rc = svg_scene_flows(page, snapshot, plan, (int)h);
    }
    if (rc)
        return rc;
    svg_scene_colours(page, &page->hosts[BEFORE]);
    svg_words_titles(page, snapshot, plan);
    return svg_words_figures(page, plan);
}
