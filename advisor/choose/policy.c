/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/policy.h"

#include "base/uuid.h"
#include "choose/model.h"
#include "choose/pairs.h"

#include <string.h>

bool choose_listed(const struct snapshot_domain *domain,
                   const struct settings_group *group)
{
    char uuid[UUID_TEXT_BYTES];
    size_t i;

    if (!group->nr)
        return false;
    uuid_text(domain->uuid, uuid);
    for (i = 0; i < group->nr; i++)
        if (!strcmp(group->names[i], domain->name) ||
            !strcmp(group->names[i], uuid))
            return true;
    return false;
}

bool choose_left_alone(const struct choose_model *model, size_t index)
{
    const struct snapshot_domain *domain = &model->snapshot->domains[index];

    return !domain->managed || domain->state != SNAPSHOT_DOMAIN_RUNNING ||
           choose_listed(domain, &model->settings->unmanaged) ||
           domain->twin != SNAPSHOT_OUTSIDE;
}

bool choose_to_isolate(const struct choose_model *model, size_t index)
{
    const struct snapshot_domain *domain = &model->snapshot->domains[index];

    return domain->isolated ||
           choose_listed(domain, &model->settings->isolated);
}

static bool past_concerns(const struct past_change *change,
                          const struct snapshot_domain *domain)
{
    if (change->kind == PAST_LINK_REFUSED)
        return false;
    return !memcmp(change->uuid[0], domain->uuid, 16) ||
           ((change->kind == PAST_LINK_ENABLED ||
             change->kind == PAST_LINK_DISABLED) &&
            !memcmp(change->uuid[1], domain->uuid, 16));
}

bool choose_cooling(const struct choose_model *model, size_t first,
                    size_t second)
{
    const struct snapshot *snapshot = model->snapshot;
    const struct past *past = model->past;
    const struct past_change *change;
    size_t i;

    for (i = 0; past && i < past->nr_changes; i++) {
        change = &past->changes[i];
        if (change->time > snapshot->time || snapshot->time - change->time >=
                                        (int64_t)model->settings->cooldown_sec)
            continue;
        if (!past_concerns(change, &snapshot->domains[first]))
            continue;
        if (second == SNAPSHOT_OUTSIDE ||
            past_concerns(change, &snapshot->domains[second]))
            return true;
    }
    return false;
}

/* A link's end was this one. */
static bool past_end(const struct past_change *change, int end,
                     const uint8_t uuid[16], uint32_t vif)
{
    return !memcmp(change->uuid[end], uuid, 16) &&
           (change->vif[end] == SNAPSHOT_NONE || change->vif[end] == vif);
}

bool choose_link_was(const struct choose_model *model,
                     const struct choose_pair *pair, enum past_kind kind)
{
    const uint8_t *a = model->snapshot->domains[pair->first].uuid;
    const uint8_t *b = model->snapshot->domains[pair->second].uuid;
    const struct past *past = model->past;
    const struct past_change *change;
    int64_t latest = INT64_MIN;
    bool is = false;
    size_t i;

    for (i = 0; past && i < past->nr_changes; i++) {
        change = &past->changes[i];
        if ((change->kind != PAST_LINK_ENABLED &&
             change->kind != PAST_LINK_DISABLED &&
             change->kind != PAST_LINK_REFUSED) ||
            change->time < latest)
            continue;
        if (!past_end(change, 0, a, pair->vif[0]) &&
            !past_end(change, 0, b, pair->vif[1]))
            continue;
        if (!past_end(change, 1, a, pair->vif[0]) &&
            !past_end(change, 1, b, pair->vif[1]))
            continue;
        latest = change->time;
        is = change->kind == kind;
    }
    return is;
}
