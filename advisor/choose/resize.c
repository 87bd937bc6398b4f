/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/resize.h"

#include "choose/choose.h"
#include "choose/model.h"
#include "choose/policy.h"
#include "choose/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes per second that each domain sends. */
static double *sent_new(const struct snapshot *snapshot)
{
    double *sent = calloc(snapshot->nr_domains + 1, sizeof *sent);
    const struct snapshot_link_end *end;
    bool joined = false;
    size_t i;

    if (!sent)
        return NULL;
    for (i = 0; i < snapshot->nr_traffic; i++) {
        if (snapshot->traffic[i].via == SNAPSHOT_VIA_LINK)
            joined = true;
        if (snapshot->traffic[i].from != SNAPSHOT_OUTSIDE)
            sent[snapshot->traffic[i].from] +=
                snapshot->traffic[i].bytes.value;
    }
    for (i = 0; i < 2 * snapshot->nr_links && !joined; i++) {
        end = &snapshot->links[i / 2].end[i % 2];
        if (end->counters_ok)
            sent[end->domain] += end->tx_bytes;
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
    uint32_t i;

    for (i = 0; i < domain->vcpus_max; i++) {
        vcpu = &snapshot->vcpus[domain->first_vcpu + i];
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

/* Is there room for half a pCPU more among the cores of its cpupool? */
static bool room_for_one(const struct choose_model *model, uint32_t pool)
{
    double demand = 0;
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
    return demand + CHOOSE_STARVED <= model->settings->node_cap * cores;
}

/*
 * How many of its vCPUs the advisor added and has not taken back.  None, where
 * it has not as many as then: it was started anew, or somebody changed it.
 */
static uint32_t added_before(const struct choose_history *history,
                             const struct snapshot_domain *domain)
{
    const struct choose_past *past;
    uint32_t added = 0;
    int64_t latest = INT64_MIN;
    size_t i;

    for (i = 0; history && i < history->nr_past; i++) {
        past = &history->past[i];
        if (past->kind != CHOOSE_PAST_VCPUS_ADDED || past->time < latest ||
            memcmp(past->uuid[0], domain->uuid, 16))
            continue;
        latest = past->time;
        added = past->vcpus_online == domain->vcpus_online ? past->vcpus : 0;
    }
    return added;
}

static int set_vcpus(struct plan *plan, const struct choose_model *model,
                     struct choose_sizes *sizes, size_t index, uint32_t to,
                     double gain, const char *text)
{
    const struct snapshot_domain *domain = &model->snapshot->domains[index];
    struct plan_step *step;
    char name[16];
    int rc;

    rc = choose_add_step(plan, model->snapshot, &step, PLAN_SET_VCPUS,
                         to > domain->vcpus_online ? PLAN_REASON_CPU_BOUND
                                                   : PLAN_REASON_UNUSED,
                         index, SNAPSHOT_OUTSIDE, gain, "%s", text);
    if (rc)
        return rc;
    step->vcpus_from = domain->vcpus_online;
    step->vcpus_to = to;
    sizes->online[index] = to;
    sizes->changed = true;
    return choose_command(step, "xl vcpu-set %s %u",
                          choose_shell_name(name, domain), to);
}

/* Why a CPU-bound sender gets no vCPU; NULL: it gets one. */
static const char *why_not(const struct choose_model *model,
                           const struct choose_history *history, size_t index,
                           const struct usage *usage,
                           enum plan_note_kind *kind_r)
{
    const struct snapshot_domain *domain = &model->snapshot->domains[index];

    *kind_r = PLAN_NOTE_MAXVCPUS;
    if (domain->vcpus_online == domain->vcpus_max)
        return "it has all the vCPUs of its maxvcpus; more need a restart "
               "with a greater maxvcpus";
    if (domain->cap && 100 * usage->mean * usage->nr >= 0.95 * domain->cap)
        return "its cap holds it, not the number of its vCPUs";
    if (!room_for_one(model, domain->pool))
        return "the host has no pCPU to spare for one more vCPU";
    *kind_r = PLAN_NOTE_COOLDOWN;
    if (choose_cooling(model->snapshot, model->settings, history, index,
                       SNAPSHOT_OUTSIDE))
        return "it was changed lately: no vCPU is added yet";
    return NULL;
}

static int grow(struct choose_sizes *sizes, struct plan *plan,
                const struct choose_model *model,
                const struct choose_history *history, size_t index,
                const struct usage *usage, double sent)
{
    const struct snapshot_domain *domain = &model->snapshot->domains[index];
    double starved = CHOOSE_STARVED * usage->mean;
    enum plan_note_kind kind;
    const char *why;
    char rate[32], text[160];
    int rc;

    sizes->starved_before += starved;
    sizes->starved_after += starved;
    choose_rate(rate, sent);
    rc = choose_add_finding(plan, model->snapshot, NULL,
                            PLAN_FINDING_CPU_BOUND, index, SNAPSHOT_OUTSIDE,
                            usage->mean, starved,
                            "%s sends %s and is short of CPU: its %u vCPU%s "
                            "run%s %.0f %% of the time", domain->name, rate,
                            usage->nr, usage->nr == 1 ? "" : "s",
                            usage->nr == 1 ? "s" : "", 100 * usage->mean);
    if (rc)
        return rc;
    why = why_not(model, history, index, usage, &kind);
    if (why)
        return choose_add_note(plan, model->snapshot, kind, index, "%s: %s",
                               domain->name, why);
    sizes->starved_after -= starved;
    snprintf(text, sizeof text, "its %u vCPU%s %s %.0f %% of the time while "
             "it sends %s, and maxvcpus allows %u", usage->nr,
             usage->nr == 1 ? "" : "s", usage->nr == 1 ? "runs" : "run",
             100 * usage->mean, rate, domain->vcpus_max);
    return set_vcpus(plan, model, sizes, index, domain->vcpus_online + 1,
                     starved, text);
}

static int shrink(struct choose_sizes *sizes, struct plan *plan,
                  const struct choose_model *model,
                  const struct choose_history *history, size_t index,
                  const struct usage *usage)
{
    const struct snapshot_domain *domain = &model->snapshot->domains[index];
    char text[160];

    if (domain->vcpus_online < 2 || !usage->known ||
        !added_before(history, domain) ||
        usage->mean * usage->nr >= model->settings->unused_utilisation *
                                   (domain->vcpus_online - 1) ||
        choose_cooling(model->snapshot, model->settings, history, index,
                       SNAPSHOT_OUTSIDE))
        return 0;
    snprintf(text, sizeof text, "a vCPU that was added is not needed: without "
             "it the others would run %.0f %% of the time",
             100 * usage->mean * usage->nr / (domain->vcpus_online - 1));
    return set_vcpus(plan, model, sizes, index, domain->vcpus_online - 1, 0,
                     text);
}

int choose_resize(struct choose_sizes *sizes, struct plan *plan,
                  const struct choose_model *model,
                  const struct choose_history *history)
{
    const struct snapshot *snapshot = model->snapshot;
    const struct settings *settings = model->settings;
    const struct snapshot_domain *domain;
    struct usage usage;
    double *sent;
    int rc = 0;
    size_t i;

    memset(sizes, 0, sizeof *sizes);
    sizes->online = calloc(snapshot->nr_domains + 1, sizeof(uint32_t));
    sent = sent_new(snapshot);
    if (!sizes->online || !sent) {
        free(sent);
        return -ENOMEM;
    }
    for (i = 0; i < snapshot->nr_domains; i++)
        sizes->online[i] = snapshot->domains[i].vcpus_online;
    for (i = 0; i < snapshot->nr_domains && !rc; i++) {
        domain = &snapshot->domains[i];
        if (!domain->domid || domain->backend ||
            choose_left_alone(snapshot, settings, i))
            continue;
        usage = usage_of(snapshot, i);
        /* One that waits for a pCPU wants another place first. */
        if (usage.known && usage.least >= settings->bound_utilisation &&
            sent[i] >= settings->bound_bytes && sent[i] > 0)
            rc = grow(sizes, plan, model, history, i, &usage, sent[i]);
        else
            rc = shrink(sizes, plan, model, history, i, &usage);
    }
    free(sent);
    return rc;
}

void choose_sizes_free(struct choose_sizes *sizes)
{
    free(sizes->online);
    sizes->online = NULL;
}
