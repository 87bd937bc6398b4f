/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/remarks.h"

#include "choose/model.h"
#include "choose/policy.h"
#include "choose/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum choose_fixed fixed;
    enum plan_note_kind kind;
    const char *text;
} reasons[] = {
    { CHOOSE_FIXED_UNMANAGED, PLAN_NOTE_UNMANAGED,
      "is to be left alone, or does not run" },
    { CHOOSE_FIXED_COOLDOWN, PLAN_NOTE_COOLDOWN,
      "was changed lately: not moved yet" },
    { CHOOSE_FIXED_GRANULARITY, PLAN_NOTE_GRANULARITY,
      "its cpupool schedules whole sockets (sched-gran), or is not known: "
      "not moved" },
    { CHOOSE_FIXED_NOWHERE, PLAN_NOTE_CPUPOOL,
      "no pCPU is allowed for it by its cpupool, its affinity and the banned "
      "pCPUs: not moved" },
};

/* Which vCPUs of a domain the administrator has pinned, in one note. */
static void note_pins(struct plan *plan, const struct choose_model *model,
                      size_t index)
{
    const struct snapshot *snapshot = model->snapshot;
    hwloc_bitmap_t vcpus = hwloc_bitmap_alloc();
    char *list = NULL;
    uint32_t i, j;

    CHOOSE_FOR_DOMAIN(i, model, index)
        if (vcpus && model->entities[i].fixed == CHOOSE_FIXED_ADMIN)
            for (j = 0; j < model->entities[i].nr_vcpus; j++)
                hwloc_bitmap_set(vcpus, snapshot->
                                 vcpus[model->entities[i].vcpu + j].vcpuid);
    if (!vcpus || hwloc_bitmap_list_asprintf(&list, vcpus) < 0)
        plan->no_memory = true;
    else if (!hwloc_bitmap_iszero(vcpus))
        choose_add_note(plan, snapshot, PLAN_NOTE_ADMIN_PIN, index,
                        "%s: the administrator pinned its vCPU%s %s: left as "
                        "%s", snapshot->domains[index].name,
                        hwloc_bitmap_weight(vcpus) == 1 ? "" : "s", list,
                        hwloc_bitmap_weight(vcpus) == 1 ? "it is"
                                                        : "they are");
    free(list);
    hwloc_bitmap_free(vcpus);
}

static void note_twin(struct plan *plan, const struct choose_model *model,
                      size_t index)
{
    const struct snapshot_domain *domains = model->snapshot->domains;
    const struct snapshot_domain *domain = &domains[index], *twin;

    if (domain->twin == SNAPSHOT_OUTSIDE)
        return;
    twin = &domains[domain->twin];
    choose_add_note(plan, model->snapshot, PLAN_NOTE_UNMANAGED, index,
                    "%s (domain %u) and %s (domain %u) have the same UUID: "
                    "left alone, a plan could not tell one from the other",
                    domain->name, domain->domid, twin->name, twin->domid);
}

static void note_domain(struct plan *plan, const struct choose_model *model,
                        size_t index)
{
    const struct snapshot *snapshot = model->snapshot;
    const struct snapshot_domain *domain = &snapshot->domains[index];
    uint32_t first = model->domain_first[index];
    const struct snapshot_pool *pool;
    size_t i;

    note_twin(plan, model, index);
    if (first == model->domain_end[index])
        return;
    note_pins(plan, model, index);
    for (i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (model->entities[first].fixed == reasons[i].fixed)
            choose_add_note(plan, snapshot, reasons[i].kind, index, "%s: %s",
                            domain->name, reasons[i].text);
    pool = snapshot_find_pool(snapshot, domain->pool);
    if (pool && snapshot->nr_pools > 1 && domain->domid && pool->os_index)
        choose_add_note(plan, snapshot, PLAN_NOTE_CPUPOOL, index,
                        "%s: kept within cpupool %s", domain->name,
                        pool->name ? pool->name : "");
}

/* format has one %s, for the list; nothing is said of an empty one. */
static void note_set(struct plan *plan, const struct snapshot *snapshot,
                     enum plan_note_kind kind, hwloc_const_bitmap_t set,
                     const char *format)
{
    char *list = NULL;

    if (hwloc_bitmap_list_asprintf(&list, set) < 0)
        plan->no_memory = true;
    else if (!hwloc_bitmap_iszero(set))
        choose_add_note(plan, snapshot, kind, SNAPSHOT_OUTSIDE, format, list);
    free(list);
}

/* Names that are of no use: mistyped, or of VMs that do not run. */
static void note_names(struct plan *plan, const struct snapshot *snapshot,
                       enum plan_note_kind kind, const char *setting,
                       const struct settings_group *group)
{
    struct settings_group one = { NULL, 1 };
    size_t i, d;

    for (i = 0; i < group->nr; i++) {
        one.names = &group->names[i];
        for (d = 0; d < snapshot->nr_domains; d++)
            if (choose_listed(&snapshot->domains[d], &one))
                break;
        if (d == snapshot->nr_domains)
            choose_add_note(plan, snapshot, kind, SNAPSHOT_OUTSIDE,
                            "%s: no VM here has the name or UUID %s", setting,
                            group->names[i]);
    }
}

static void note_settings(struct plan *plan, const struct snapshot *snapshot,
                          const struct settings *settings)
{
    const struct settings_group *group = settings->link_groups;
    size_t i;

    note_names(plan, snapshot, PLAN_NOTE_UNMANAGED, "unmanaged",
               &settings->unmanaged);
    note_names(plan, snapshot, PLAN_NOTE_ISOLATED, "isolated",
               &settings->isolated);
    for (i = 0; i < settings->nr_link_groups; i++, group++)
        note_names(plan, snapshot, PLAN_NOTE_NO_LINK, "link-group", group);
    if (!settings->max_moves)
        choose_add_note(plan, snapshot, PLAN_NOTE_MAX_MOVES, SNAPSHOT_OUTSIDE,
                        "no vCPU is moved, whatever that would gain: "
                        "max-moves is 0");
}

static void note_host(struct plan *plan, const struct choose_model *model)
{
    const struct snapshot *snapshot = model->snapshot;
    size_t i;

    note_settings(plan, snapshot, model->settings);
    note_set(plan, snapshot, PLAN_NOTE_BANNED, model->settings->banned_pcpus,
             "nothing is put on pCPUs %s: they are banned");
    note_set(plan, snapshot, PLAN_NOTE_BANNED, model->settings->dom0_pcpus,
             "no guest is put on pCPUs %s: they are kept for dom0");
    for (i = 0; i < snapshot->nr_pools; i++)
        if (snapshot->pools[i].granularity == SNAPSHOT_GRANULARITY_CORE)
            choose_add_note(plan, snapshot, PLAN_NOTE_GRANULARITY,
                            SNAPSHOT_OUTSIDE, "cpupool %s schedules whole "
                            "cores (sched-gran=core): vCPUs are placed by "
                            "cores", snapshot->pools[i].name ?
                            snapshot->pools[i].name : "");
}

/* Threads of its core, and bytes of its L2 cache. */
struct likeness {
    uint32_t threads;
    uint64_t cache_bytes;
};

static struct likeness likeness_of(const struct snapshot *snapshot,
                                   const struct snapshot_pcpu *pcpu)
{
    struct likeness likeness = { 0 };
    size_t i;

    for (i = 0; i < snapshot->nr_pcpus; i++)
        likeness.threads += snapshot->pcpus[i].online &&
                            snapshot->pcpus[i].core == pcpu->core &&
                            snapshot->pcpus[i].socket == pcpu->socket;
    for (i = 0; i < snapshot->nr_caches; i++)
        if (snapshot->caches[i].level == 2 &&
            hwloc_bitmap_isset(snapshot->caches[i].pcpus, pcpu->os_index))
            likeness.cache_bytes = snapshot->caches[i].size_bytes;
    return likeness;
}

/* pCPUs of unknown node, and those that are unlike the first: *unlike. */
static void note_pcpus(struct plan *plan, const struct choose_model *model)
{
    const struct snapshot *snapshot = model->snapshot;
    hwloc_bitmap_t nowhere = hwloc_bitmap_alloc();
    hwloc_bitmap_t unlike = hwloc_bitmap_alloc();
    struct likeness first = { 0 }, other;
    const struct snapshot_pcpu *pcpu;
    bool offline = false, any = false, ok = nowhere && unlike;
    size_t i;

    for (i = 0; i < snapshot->nr_pcpus; i++)
        offline |= !snapshot->pcpus[i].online;
    for (i = 0; i < snapshot->nr_pcpus && ok; i++) {
        pcpu = &snapshot->pcpus[i];
        if (!pcpu->online)
            continue;
        if (pcpu->node == SNAPSHOT_NONE && snapshot->nr_nodes)
            hwloc_bitmap_set(nowhere, pcpu->os_index);
        other = likeness_of(snapshot, pcpu);
        if (!any)
            first = other;
        any = true;
        /* Where a thread is offline, fewer are no other kind of core. */
        if (other.cache_bytes != first.cache_bytes ||
            (other.threads != first.threads && !offline))
            hwloc_bitmap_set(unlike, pcpu->os_index);
    }
    plan->no_memory |= !ok;
    if (ok) {
        note_set(plan, snapshot, PLAN_NOTE_DATA, nowhere,
                 "the NUMA node of pCPUs %s is not known: they count as on "
                 "the first node, however far they are");
        note_set(plan, snapshot, PLAN_NOTE_DATA, unlike,
                 "cores are not alike (pCPUs %s are of another kind than the "
                 "first): they count as equally fast; banned-pcpus keeps VMs "
                 "off the slower ones");
    }
    hwloc_bitmap_free(nowhere);
    hwloc_bitmap_free(unlike);
}

/* Of the whole host's. */
#define NOTE_DATA(...) \
    choose_add_note(plan, snapshot, PLAN_NOTE_DATA, SNAPSHOT_OUTSIDE, \
                    __VA_ARGS__)

static void note_data(struct plan *plan, const struct choose_model *model)
{
    const struct snapshot *snapshot = model->snapshot;
    bool run = false, wait = false, caches = model->caches_known;
    size_t i;

    for (i = 0; i < snapshot->nr_vcpus; i++) {
        run |= snapshot->vcpus[i].utilisation.source != SNAPSHOT_SOURCE_NONE;
        wait |= snapshot->vcpus[i].wait.source != SNAPSHOT_SOURCE_NONE;
    }
    for (i = 0; i < snapshot->nr_notes; i++) {
        /* The collector says why better than is said below. */
        caches |= !strcmp(snapshot->notes[i].source, "caches");
        NOTE_DATA("%s: %s", snapshot->notes[i].source,
                  snapshot->notes[i].text);
    }
    if (!run)
        NOTE_DATA("no CPU use was measured: each vCPU is taken to want %.1f "
                  "of a pCPU", CHOOSE_DEMAND_UNKNOWN);
    else if (!wait)
        NOTE_DATA("waiting was not measured: VMs that are not pinned are "
                  "taken not to wait");
    if (!snapshot->nr_traffic && !snapshot->nr_links)
        NOTE_DATA("no traffic was measured: VMs are placed by load alone, "
                  "and links are left as they are");
    if (!caches)
        NOTE_DATA("shared caches are not known: distance is by core and NUMA "
                  "node");
    if (model->dropped)
        NOTE_DATA("the topology is odd: %u of its objects cross others and "
                  "were left out", model->dropped);
    if (model->edges_dropped)
        NOTE_DATA("too many pairs: some traffic was left out");
}

void choose_notes(struct plan *plan, const struct choose_model *model)
{
    size_t d;

    note_host(plan, model);
    note_data(plan, model);
    note_pcpus(plan, model);
    for (d = 0; d < model->snapshot->nr_domains; d++)
        note_domain(plan, model, d);
}
