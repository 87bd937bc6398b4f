/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/model.h"

#include "model/topology.h"
#include "base/uuid.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double choose_demand(const struct snapshot_vcpu *vcpu)
{
    double run = vcpu->utilisation.value, wait = vcpu->wait.value, block;

    if (vcpu->utilisation.source == SNAPSHOT_SOURCE_NONE)
        return CHOOSE_DEMAND_UNKNOWN;
    if (vcpu->wait.source == SNAPSHOT_SOURCE_NONE || run <= 0)
        return fmin(run, 1);
    block = fmax(0, 1 - run - wait);
    return fmin(run / (run + block), 1);
}

bool choose_listed(const struct snapshot_domain *domain, char **names,
                   size_t nr_names)
{
    char uuid[UUID_TEXT_BYTES];
    size_t i;

    if (!nr_names)
        return false;
    uuid_text(domain->uuid, uuid);
    for (i = 0; i < nr_names; i++)
        if (!strcmp(names[i], domain->name) || !strcmp(names[i], uuid))
            return true;
    return false;
}

size_t choose_twin(const struct snapshot *snapshot, size_t index)
{
    size_t i;

    for (i = 0; i < snapshot->nr_domains; i++)
        if (i != index && !memcmp(snapshot->domains[i].uuid,
                                  snapshot->domains[index].uuid, 16))
            return i;
    return SNAPSHOT_OUTSIDE;
}

bool choose_left_alone(const struct snapshot *snapshot,
                       const struct settings *settings, size_t index)
{
    const struct snapshot_domain *domain = &snapshot->domains[index];

    return !domain->managed || domain->state != SNAPSHOT_DOMAIN_RUNNING ||
           choose_listed(domain, settings->unmanaged,
                         settings->nr_unmanaged) ||
           choose_twin(snapshot, index) != SNAPSHOT_OUTSIDE;
}

static bool past_concerns(const struct choose_past *past,
                          const struct snapshot_domain *domain)
{
    return !memcmp(past->uuid[0], domain->uuid, 16) ||
           ((past->kind == CHOOSE_PAST_LINK_ENABLED ||
             past->kind == CHOOSE_PAST_LINK_DISABLED) &&
            !memcmp(past->uuid[1], domain->uuid, 16));
}

bool choose_cooling(const struct snapshot *snapshot,
                    const struct settings *settings,
                    const struct choose_history *history, size_t first,
                    size_t second)
{
    const struct choose_past *past;
    size_t i;

    for (i = 0; history && i < history->nr_past; i++) {
        past = &history->past[i];
        if (past->time > snapshot->time ||
            snapshot->time - past->time >= (int64_t)settings->cooldown_sec)
            continue;
        if (!past_concerns(past, &snapshot->domains[first]))
            continue;
        if (second == SNAPSHOT_OUTSIDE ||
            past_concerns(past, &snapshot->domains[second]))
            return true;
    }
    return false;
}

/*
 * What went by vif and now goes by a link, dom0 no longer does, and the other
 * way round, on all its vCPUs by their demand.  Links change by this plan, or
 * have changed since a recorded load was measured.
 */
static void relieve_dom0(struct choose_model *model,
                         const struct choose_pairs *pairs, bool links)
{
    size_t domain = snapshot_find_domid(model->snapshot, 0), i;
    const struct settings *settings = model->settings;
    const struct choose_pair *pair;
    double saved = 0, demand = 0, share;
    struct choose_entity *entity;
    uint32_t e;

    for (i = 0; i < pairs->nr_pairs; i++) {
        pair = &pairs->pairs[i];
        if (choose_pair_linked(pair, links))
            saved += choose_vif_cost(settings, pair->vif_bytes,
                                     pair->vif_packets);
        else
            saved -= choose_vif_cost(settings, pair->link_bytes,
                                     pair->link_packets);
    }
    saved *= settings->dom0_share;
    if (domain == SNAPSHOT_OUTSIDE)
        return;
    for (e = model->domain_first[domain]; e < model->domain_first[domain + 1];
         e++)
        demand += model->entities[e].demand;
    if (demand <= 0)
        return;
    /* The prices are guesses: a tenth is always left, and a doubling is the
     * most that is added. */
    share = fmin(2, fmax(0.1, 1 - saved / demand));
    for (e = model->domain_first[domain]; e < model->domain_first[domain + 1];
         e++) {
        entity = &model->entities[e];
        entity->weight = fmin(1, entity->weight * share);
        entity->demand = fmin(1, entity->demand * share);
    }
}

int choose_model_new(struct choose_model **model_r,
                     const struct snapshot *snapshot,
                     const struct settings *settings,
                     const struct choose_history *history,
                     const struct choose_pairs *pairs,
                     const struct choose_sizes *sizes, bool links)
{
    hwloc_topology_t topology = NULL;
    struct choose_model *model;
    double *far = NULL;
    int rc;

    model = calloc(1, sizeof *model);
    if (!model)
        return -ENOMEM;
    model->snapshot = snapshot;
    model->settings = settings;
    rc = topology_new(&topology, snapshot, &model->dropped);
    if (rc)
        goto out;
    rc = choose_host(model, topology, &far);
    if (!rc)
        rc = choose_entities(model, history, sizes);
    if (!rc)
        relieve_dom0(model, pairs, links);
    if (!rc)
        rc = choose_host_memory(model, topology, far);
    if (!rc)
        rc = choose_graph(model, pairs, links);

 out:
    if (topology)
        hwloc_topology_destroy(topology);
    free(far);
    if (rc)
        choose_model_free(model);
    else
        *model_r = model;
    return rc;
}

void choose_model_free(struct choose_model *model)
{
    uint32_t i;

    if (!model)
        return;
    for (i = 0; i < model->nr_slots; i++)
        hwloc_bitmap_free(model->slots[i].pcpus);
    free(model->slots);
    free(model->core_first);
    free(model->node_cores);
    free(model->node_index);
    free(model->byte_cost);
    free(model->packet_cost);
    free(model->entities);
    free(model->allowed);
    free(model->domain_first);
    free(model->memory_cost);
    free(model->edges);
    free(model);
}
