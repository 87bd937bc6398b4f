/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/model-parts.h"

#include "choose/model.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Share of a slot on which nothing floated: not none, so that what may be
 * nowhere else is spread over such slots. */
#define SHARE_MIN 1e-6

static bool busy_known(const struct choose_model *model)
{
    uint32_t slot;

    for (slot = 0; slot < model->nr_slots; slot++)
        if (isnan(model->slots[slot].busy))
            return false;
    return true;
}

/* What the counters leave when all that is bound has run. */
static void set_shares(struct choose_model *model, bool known)
{
    const struct choose_entity *entity;
    struct choose_slot *s;
    uint32_t i;

    for (i = 0; i < model->nr_slots; i++) {
        s = &model->slots[i];
        s->share = known ? s->busy : 1;
        s->belief = 1;
    }
    for (i = 0; i < model->nr_entities && known; i++) {
        entity = &model->entities[i];
        if (entity->home != choose_afloat(model) && !entity->added)
            model->slots[entity->home].share -= entity->run;
    }
    for (i = 0; i < model->nr_slots && known; i++) {
        s = &model->slots[i];
        s->base = fmax(0, s->share);
        s->share = fmax(SHARE_MIN, s->share);
    }
}

/* Where one that floats runs: norm, and by nodes. */
static void set_spread(struct choose_model *model, uint32_t index)
{
    struct choose_entity *entity = &model->entities[index];
    float *spread = &model->spread[(size_t)index * model->nr_nodes];
    const struct choose_slot *s;
    uint32_t slot, node;
    double sum = 0;

    for (slot = 0; slot < model->nr_slots; slot++) {
        if (!choose_in(model, model->roams, index, slot))
            continue;
        s = &model->slots[slot];
        sum += s->share;
        spread[s->node] += (float)s->share;
    }
    entity->norm = sum > 0 ? 1 / sum : 0;
    for (node = 0; node < model->nr_nodes; node++)
        spread[node] *= (float)entity->norm;
}

int choose_spread(struct choose_model *model)
{
    uint32_t i, last = UINT32_MAX, nr = model->nr_nodes;
    size_t bytes = model->slot_bytes;
    struct choose_entity *entity;

    model->spread = arena_get(&model->arena, (size_t)model->nr_entities * nr,
                              sizeof *model->spread);
    if (!model->spread)
        return -ENOMEM;
    set_shares(model, busy_known(model));
    for (i = 0; i < model->nr_entities; i++) {
        entity = &model->entities[i];
        if (entity->home != choose_afloat(model))
            continue;
        /* Most have the same set as the one before. */
        if (last != UINT32_MAX && !memcmp(&model->roams[i * bytes],
                                          &model->roams[last * bytes],
                                          bytes)) {
            entity->norm = model->entities[last].norm;
            memcpy(&model->spread[(size_t)i * nr],
                   &model->spread[(size_t)last * nr], nr * sizeof(float));
        } else {
            set_spread(model, i);
        }
        last = i;
    }
    return 0;
}

/* What floats on each slot; base becomes what no vCPU accounts for. */
static void float_all(struct choose_model *model, double *afloat)
{
    const struct choose_entity *entity;
    struct choose_slot *s;
    uint32_t i, slot;

    for (i = 0; i < model->nr_entities; i++) {
        entity = &model->entities[i];
        if (entity->home != choose_afloat(model) || entity->added)
            continue;
        for (slot = 0; slot < model->nr_slots; slot++)
            if (choose_in(model, model->roams, i, slot))
                afloat[slot] += entity->run * entity->norm *
                                model->slots[slot].share;
    }
    for (slot = 0; slot < model->nr_slots; slot++) {
        s = &model->slots[slot];
        s->base = fmax(0, s->base - afloat[slot]);
        afloat[slot] += s->base;
    }
}

static bool wait_known(const struct choose_model *model,
                       const struct choose_entity *entity)
{
    const struct snapshot_vcpu *v = &model->snapshot->vcpus[entity->vcpu];

    return v->wait.source != SNAPSHOT_SOURCE_NONE;
}

/* Collisions of what is bound, as modelled, against what it waited, or ran
 * where that is not known. */
static void set_belief(struct choose_model *model, const double *afloat,
                       double *modelled, double *load)
{
    double *waited = load + model->nr_slots, *most = waited + model->nr_slots;
    const struct choose_entity *entity;
    const struct choose_edge *edge;
    uint32_t i, slot;

    for (i = 0; i < model->nr_entities; i++) {
        entity = &model->entities[i];
        slot = entity->home;
        if (slot == choose_afloat(model) || entity->added)
            continue;
        modelled[slot] += entity->demand * (load[slot] + afloat[slot]);
        load[slot] += entity->demand;
        waited[slot] += entity->wait;
        most[slot] += wait_known(model, entity) ? entity->wait : entity->run;
        CHOOSE_FOR_EDGES(edge, model, entity)
            if (edge->to < i && model->entities[edge->to].home == slot)
                modelled[slot] += (double)edge->meeting;
    }
    for (slot = 0; slot < model->nr_slots; slot++) {
        model->slots[slot].belief = modelled[slot] > most[slot] ?
                                    most[slot] / modelled[slot] : 1;
        model->unexplained += fmax(0, waited[slot] - modelled[slot]);
    }
}

/* Threads of a core do more than one, but less than as many. */
static double capacity(const struct choose_model *model, uint32_t core)
{
    uint32_t threads = model->core_first[core + 1] - model->core_first[core];

    return 1 + (threads - 1) * (1 - model->settings->sibling_slowdown);
}

static int set_limits(struct choose_model *model, const double *load)
{
    const struct settings *settings = model->settings;
    double *core_load, *node_load;
    uint32_t i;

    model->core_limit = arena_get(&model->arena, model->nr_cores,
                                  sizeof(double));
    model->node_limit = arena_get(&model->arena, model->nr_nodes,
                                  sizeof(double));
    if (model->arena.failed)
        return -ENOMEM;
    core_load = model->core_limit;
    node_load = model->node_limit;
    for (i = 0; i < model->nr_slots; i++) {
        core_load[model->slots[i].core] += load[i];
        node_load[model->slots[i].node] += load[i];
    }
    for (i = 0; i < model->nr_cores; i++)
        model->core_limit[i] = fmax(core_load[i], settings->core_cap *
                                                  capacity(model, i));
    for (i = 0; i < model->nr_nodes; i++)
        model->node_limit[i] = fmax(node_load[i], settings->node_cap *
                                                  model->node_cores[i]);
    return 0;
}

int choose_bounds(struct choose_model *model)
{
    size_t nr = model->nr_slots;
    double *work = arena_get(&model->arena, 5 * nr, sizeof *work);

    if (!work)
        return -ENOMEM;
    float_all(model, work);
    set_belief(model, work, work + nr, work + 2 * nr);
    return set_limits(model, work + 2 * nr);
}
