/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/model.h"

#include "choose/model-parts.h"
#include "choose/pairs.h"
#include "choose/prices.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

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
            saved += choose_vif_cost(settings, pair->carried_bytes,
                                     pair->carried_packets);
        saved -= choose_vif_cost(settings, pair->link_bytes,
                                 pair->link_packets);
    }
    saved *= settings->dom0_share;
    if (domain == SNAPSHOT_OUTSIDE)
        return;
    CHOOSE_FOR_DOMAIN(e, model, domain)
        demand += model->entities[e].demand;
    if (demand <= 0)
        return;
    /* The prices are guesses: a tenth is always left, and a doubling is the
     * most that is added. */
    share = fmin(2, fmax(0.1, 1 - saved / demand));
    CHOOSE_FOR_DOMAIN(e, model, domain) {
        entity = &model->entities[e];
        entity->run = fmin(1, entity->run * share);
        entity->demand = fmin(1, entity->demand * share);
    }
}

int choose_model_new(struct choose_model **model_r,
                     const struct snapshot *snapshot,
                     const struct settings *settings,
                     const struct past *past,
                     const struct choose_pairs *pairs,
                     const struct choose_sizes *sizes, bool links)
{
    struct choose_model *model;
    int rc;

    model = calloc(1, sizeof *model);
    if (!model)
        return -ENOMEM;
    model->snapshot = snapshot;
    model->settings = settings;
    model->past = past;
    rc = choose_host(model) ?:
         choose_entities(model, sizes) ?:
         choose_spread(model) ?:
         choose_host_memory(model) ?:
         choose_graph(model, pairs, links) ?:
         choose_bounds(model);
    if (rc) {
        choose_model_free(model);
        return rc;
    }
    relieve_dom0(model, pairs, links);
    *model_r = model;
    return 0;
}

void choose_model_free(struct choose_model *model)
{
    uint32_t i;

    if (!model)
        return;
    for (i = 0; model->slots && i < model->snapshot->nr_pcpus; i++)
        hwloc_bitmap_free(model->slots[i].pcpus);
    arena_free(&model->arena);
    free(model);
}
