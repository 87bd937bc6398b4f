/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/resize.h"

#include "choose/entity.h"
#include "choose/model.h"
#include "choose/policy.h"
#include "choose/prices.h"
#include "choose/text.h"
#include "base/compare.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a domain sends, per second. */
struct sent {
    double bytes, packets;
};

static struct sent *sent_new(const struct snapshot *snapshot)
{
    struct sent *sent = calloc(snapshot->nr_domains + 1, sizeof *sent);
    const struct snapshot_traffic *traffic;
    size_t i;

    for (i = 0; sent && i < snapshot->nr_traffic; i++) {
        traffic = &snapshot->traffic[i];
        if (traffic->from == SNAPSHOT_OUTSIDE)
            continue;
        sent[traffic->from].bytes += traffic->bytes.value;
        sent[traffic->from].packets += traffic->packets.value;
    }
    return sent;
}

struct usage {
    double mean, least, wait;	/* of the online vCPUs */
    uint32_t nr;
    bool known;
};

static struct usage usage_of(const struct snapshot *snapshot, size_t index)
{
    const struct snapshot_domain *domain = &snapshot->domains[index];
    struct usage usage = { .least = 1, .known = true };
    const struct snapshot_vcpu *vcpu;

    SNAPSHOT_FOR_VCPUS(vcpu, snapshot, domain) {
        if (!vcpu->online)
            continue;
        usage.nr++;
        usage.known &= vcpu->utilisation.source != SNAPSHOT_SOURCE_NONE;
        usage.mean += vcpu->utilisation.value;
        usage.least = fmin(usage.least, vcpu->utilisation.value +
                                        vcpu->utilisation.error);
        usage.wait = fmax(usage.wait, vcpu->wait.value);
    }
    if (usage.nr)
        usage.mean /= usage.nr;
    else
        usage.known = false;
    return usage;
}

/* Is there room for half a pCPU more among the cores of its cpupool, beside
 * what was added to it already? */
static bool room_for_one(const struct choose_model *model,
                         const struct choose_sizes *sizes, uint32_t pool)
{
    const struct snapshot_domain *domains = model->snapshot->domains;
    double demand = 0;
    size_t d;
    uint32_t cores = 0, i;

    for (i = 0; i < model->nr_slots; i++) {
        if (model->snapshot->pools[model->slots[i].pool].os_index != pool)
            continue;
        if (!i || model->slots[i - 1].core != model->slots[i].core)
            cores++;
    }
    for (i = 0; i < model->nr_entities; i++)
        if (model->snapshot->domains[model->entities[i].domain].pool == pool)
            demand += model->entities[i].demand;
    for (d = 0; d < model->snapshot->nr_domains; d++)
        if (domains[d].pool == pool &&
            sizes->online[d] > domains[d].vcpus_online)
            demand += CHOOSE_STARVED;
    return demand + CHOOSE_STARVED <= model->settings->node_cap * cores;
}

/*
 * How many of its vCPUs the advisor added and has not taken back.  None, where
 * it has not as many as then: it was started anew, or somebody changed it.
 */
static uint32_t added_before(const struct past *past,
                             const struct snapshot_domain *domain)
{
    const struct past_change *change;
    uint32_t added = 0;
    int64_t latest = INT64_MIN;
    size_t i;

    for (i = 0; past && i < past->nr_changes; i++) {
        change = &past->changes[i];
        if (change->kind != PAST_VCPUS_ADDED || change->time < latest ||
            memcmp(change->uuid[0], domain->uuid, 16))
            continue;
        latest = change->time;
        added = change->vcpus_online == domain->vcpus_online ? change->vcpus
                                                             : 0;
    }
    return added;
}

static void set_vcpus(struct plan *plan, const struct choose_model *model,
                      struct choose_sizes *sizes, size_t index, uint32_t to,
                      double gain, const char *text)
{
    const struct snapshot_domain *domain = &model->snapshot->domains[index];
    const struct plan_step step = {
        .kind = PLAN_SET_VCPUS,
        .reason = to > domain->vcpus_online ? PLAN_REASON_CPU_BOUND
                                            : PLAN_REASON_UNUSED,
        .vcpuid = PLAN_NONE, .vif = { PLAN_NONE, PLAN_NONE },
        .vcpus_from = domain->vcpus_online, .vcpus_to = to, .gain = gain,
    };

    choose_add_step(plan, model->snapshot, &step, index, SNAPSHOT_OUTSIDE,
                    NULL, text);
    sizes->online[index] = to;
    sizes->changed = true;
}

/* Why a CPU-bound sender gets no vCPU; NULL: it gets one. */
static const char *why_not(const struct choose_model *model,
                           const struct choose_sizes *sizes,
                           size_t index, enum plan_note_kind *kind_r)
{
    const struct snapshot_domain *domain = &model->snapshot->domains[index];

    *kind_r = PLAN_NOTE_MAXVCPUS;
    if (domain->vcpus_online == domain->vcpus_max)
        return "it has all the vCPUs of its maxvcpus; more need a restart "
               "with a greater maxvcpus";
    if (choose_capped(model->snapshot, domain))
        return "its cap holds it, not the number of its vCPUs";
    if (!room_for_one(model, sizes, domain->pool))
        return "the host has no pCPU to spare for one more vCPU";
    *kind_r = PLAN_NOTE_COOLDOWN;
    if (choose_cooling(model, index, SNAPSHOT_OUTSIDE))
        return "it was changed lately: no vCPU is added yet";
    return NULL;
}

/* A sender whose vCPUs all run all the time. */
struct starving {
    size_t domain;
    struct usage usage;
    double bytes;
    const uint8_t *uuid;
};

/* What lacks most first; a VM's number decides nothing. */
static int compare_starving(const void *a, const void *b)
{
    const struct starving *p = a, *q = b;

    return COMPARE(q->usage.mean, p->usage.mean) ?:
           COMPARE(q->bytes, p->bytes) ?: memcmp(p->uuid, q->uuid, 16);
}

static void grow(struct choose_sizes *sizes, struct plan *plan,
                 const struct choose_model *model, const struct starving *who)
{
    const struct snapshot_domain *domain =
        &model->snapshot->domains[who->domain];
    const struct usage *usage = &who->usage;
    double starved = CHOOSE_STARVED * usage->mean;
    enum plan_note_kind kind;
    const char *why;
    char rate[32], text[160];

    sizes->starved_before += starved;
    sizes->starved_after += starved;
    choose_rate(rate, who->bytes);
    choose_add_finding(plan, model->snapshot, &(struct plan_finding){
                           .kind = PLAN_FINDING_CPU_BOUND, .pcpu = PLAN_NONE,
                           .value = usage->mean, .cost = starved },
                       who->domain, SNAPSHOT_OUTSIDE,
                       "%s sends %s and is short of CPU: its %u vCPU%s "
                       "run%s %.0f %% of the time", domain->name, rate,
                       usage->nr, usage->nr == 1 ? "" : "s",
                       usage->nr == 1 ? "s" : "", 100 * usage->mean);
    why = why_not(model, sizes, who->domain, &kind);
    if (why) {
        choose_add_note(plan, model->snapshot, kind, who->domain, "%s: %s",
                        domain->name, why);
        return;
    }
    sizes->starved_after -= starved;
    snprintf(text, sizeof text, "its %u vCPU%s %s %.0f %% of the time while "
             "it sends %s, and maxvcpus allows %u", usage->nr,
             usage->nr == 1 ? "" : "s", usage->nr == 1 ? "runs" : "run",
             100 * usage->mean, rate, domain->vcpus_max);
    set_vcpus(plan, model, sizes, who->domain, domain->vcpus_online + 1,
              starved, text);
}

static void shrink(struct choose_sizes *sizes, struct plan *plan,
                   const struct choose_model *model, size_t index,
                   const struct usage *usage)
{
    const struct snapshot_domain *domain = &model->snapshot->domains[index];
    char text[160];

    if (domain->vcpus_online < 2 || !usage->known ||
        !added_before(model->past, domain) ||
        usage->mean * usage->nr >= model->settings->unused_utilisation *
                                   (domain->vcpus_online - 1) ||
        choose_cooling(model, index, SNAPSHOT_OUTSIDE))
        return;
    snprintf(text, sizeof text, "a vCPU that was added is not needed: without "
             "it the others would run %.0f %% of the time",
             100 * usage->mean * usage->nr / (domain->vcpus_online - 1));
    set_vcpus(plan, model, sizes, index, domain->vcpus_online - 1, 0, text);
}

/* Does it send, and does sending take it more than next to nothing? */
static bool is_sender(const struct settings *settings,
                      const struct sent *sent, const struct usage *usage)
{
    double guests = (1 - settings->dom0_share) *
                    choose_vif_cost(settings, sent->bytes, sent->packets);

    return sent->bytes > 0 && sent->bytes >= settings->bound_bytes &&
           guests >= settings->bound_share * usage->mean * usage->nr;
}

static void resize(struct choose_sizes *sizes, struct plan *plan,
                   const struct choose_model *model, const struct sent *sent,
                   struct starving *starving)
{
    const struct snapshot *snapshot = model->snapshot;
    const struct settings *settings = model->settings;
    const struct snapshot_domain *domain;
    struct usage usage;
    size_t i, nr = 0;

    for (i = 0; i < snapshot->nr_domains; i++) {
        domain = &snapshot->domains[i];
        if (!domain->domid || domain->backend ||
            choose_left_alone(model, i))
            continue;
        usage = usage_of(snapshot, i);
        /* One that waits for a pCPU wants another place first. */
        if (usage.known && usage.least >= settings->bound_utilisation &&
            is_sender(settings, &sent[i], &usage))
            starving[nr++] = (struct starving) { i, usage, sent[i].bytes,
                                                 domain->uuid };
        else
            shrink(sizes, plan, model, i, &usage);
    }
    qsort(starving, nr, sizeof *starving, compare_starving);
    for (i = 0; i < nr; i++)
        grow(sizes, plan, model, &starving[i]);
}

int choose_resize(struct choose_sizes *sizes, struct plan *plan,
                  const struct choose_model *model)
{
    const struct snapshot *snapshot = model->snapshot;
    size_t nr = snapshot->nr_domains, i;
    struct starving *starving = calloc(nr + 1, sizeof *starving);
    struct sent *sent = sent_new(snapshot);
    bool ok;

    memset(sizes, 0, sizeof *sizes);
    sizes->online = calloc(nr + 1, sizeof(uint32_t));
    for (i = 0; sizes->online && i < nr; i++)
        sizes->online[i] = snapshot->domains[i].vcpus_online;
    ok = sizes->online && sent && starving;
    if (ok)
        resize(sizes, plan, model, sent, starving);
    free(sent);
    free(starving);
    return ok ? 0 : -ENOMEM;
}

void choose_sizes_free(struct choose_sizes *sizes)
{
    free(sizes->online);
    sizes->online = NULL;
}
