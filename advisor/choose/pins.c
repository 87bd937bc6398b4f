/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/remarks.h"

#include "choose/cost.h"
#include "choose/model.h"
#include "choose/placement.h"
#include "choose/search.h"
#include "choose/text.h"

#include <math.h>

/* Does a pin of the administrator's hold anything? */
static bool any_pin(const struct choose_model *model)
{
    uint32_t i;

    for (i = 0; i < model->nr_entities; i++)
        if (model->entities[i].fixed == CHOOSE_FIXED_ADMIN)
            return true;
    return false;
}

/* What moving would gain in that model. */
static int gain_of(const struct choose_model *model, double *gain_r)
{
    const struct settings *settings = model->settings;
    struct choose_placement *state;
    struct plan_cost stay, moved;
    int rc;

    rc = choose_placement_new(&state, model, settings->move_gain);
    if (rc)
        return rc;
    choose_cost(model, state->slot, &stay, NULL);
    rc = choose_search(state, settings->max_moves - model->isolation_others,
                       CHOOSE_EFFORT);
    choose_cost(model, state->slot, &moved, NULL);
    *gain_r = stay.total - moved.total;
    choose_placement_free(state);
    return rc;
}

int choose_pins(struct plan *plan, const struct choose_model *model,
                const struct choose_pairs *pairs,
                const struct choose_sizes *sizes, double gained)
{
    struct settings settings = *model->settings;
    struct choose_model *free_model;
    double gain = 0;
    int rc;

    if (!any_pin(model))
        return 0;
    settings.override_pins = true;
    rc = choose_model_new(&free_model, model->snapshot, &settings,
                          model->past, pairs, sizes, true);
    if (rc)
        return rc;
    rc = gain_of(free_model, &gain);
    choose_model_free(free_model);
    gain -= gained;
    if (!rc && gain > 0 && gain >= settings.min_gain)
        choose_add_note(plan, model->snapshot, PLAN_NOTE_ADMIN_PIN,
                        SNAPSHOT_OUTSIDE, "the administrator's pins keep %.2f "
                        "pCPUs from being gained: with override-pins (--set "
                        "override-pins=yes) a plan may change them", gain);
    return rc;
}
