/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/policy.h"

#include "base/uuid.h"
#include "choose/choose.h"
#include "choose/pairs.h"
#include "model/settings.h"
#include "model/snapshot.h"

#include <string.h>

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

bool choose_left_alone(const struct snapshot *snapshot,
                       const struct settings *settings, size_t index)
{
    const struct snapshot_domain *domain = &snapshot->domains[index];

    return !domain->managed || domain->state != SNAPSHOT_DOMAIN_RUNNING ||
           choose_listed(domain, settings->unmanaged,
                         settings->nr_unmanaged) ||
           domain->twin != SNAPSHOT_OUTSIDE;
}

bool choose_to_isolate(const struct snapshot *snapshot,
                       const struct settings *settings, size_t index)
{
    const struct snapshot_domain *domain = &snapshot->domains[index];

    return domain->isolated ||
           choose_listed(domain, settings->isolated, settings->nr_isolated);
}

static bool past_concerns(const struct choose_past *past,
                          const struct snapshot_domain *domain)
{
    if (past->kind == CHOOSE_PAST_LINK_REFUSED)
        return false;
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

/* A link's end was this one. */
static bool past_end(const struct choose_past *past, int end,
                     const uint8_t uuid[16], uint32_t vif)
{
    return !memcmp(past->uuid[end], uuid, 16) &&
           (past->vif[end] == SNAPSHOT_NONE || past->vif[end] == vif);
}

bool choose_link_was(const struct snapshot *snapshot,
                     const struct choose_history *history,
                     const struct choose_pair *pair,
                     enum choose_past_kind kind)
{
    const uint8_t *a = snapshot->domains[pair->first].uuid;
    const uint8_t *b = snapshot->domains[pair->second].uuid;
    const struct choose_past *past;
    int64_t latest = INT64_MIN;
    bool is = false;
    size_t i;

    for (i = 0; history && i < history->nr_past; i++) {
        past = &history->past[i];
        if ((past->kind != CHOOSE_PAST_LINK_ENABLED &&
             past->kind != CHOOSE_PAST_LINK_DISABLED &&
             past->kind != CHOOSE_PAST_LINK_REFUSED) ||
            past->time < latest)
            continue;
        if (!past_end(past, 0, a, pair->vif[0]) &&
            !past_end(past, 0, b, pair->vif[1]))
            continue;
        if (!past_end(past, 1, a, pair->vif[0]) &&
            !past_end(past, 1, b, pair->vif[1]))
            continue;
        latest = past->time;
        is = past->kind == kind;
    }
    return is;
}
