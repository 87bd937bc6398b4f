/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apply/state.h"
#include "apply/apply.h"
#include "apply/journal.h"
#include "base/jsonio.h"
#include "model/past.h"

/* Older runs have neither cooldown nor vCPUs worth asking about. */
#define PAST_RUNS 500
/* So long a link that enable refused is not asked for again. */
#define REFUSED_SECONDS (7 * 24 * 3600)

static int past_add(struct past *past, const struct past_change *entry)
{
    struct past_change *change = JSONIO_ADD(past, changes, SIZE_MAX);

    if (!change)
        return -ENOMEM;
    *change = *entry;
    return 0;
}

/* Those that are added by now: from what was left of earlier ones, unless
 * somebody else changed the number in between. */
static int past_vcpus(struct past *past, struct past_change *entry,
                      const struct apply_state *before,
                      const struct apply_state *after)
{
    int was = hwloc_bitmap_weight(before->set), added = 0;
    size_t i;

    for (i = past->nr_changes; i-- > 0;) {
        const struct past_change *last = &past->changes[i];

        if (last->kind != PAST_VCPUS_ADDED
            || memcmp(last->uuid[0], entry->uuid[0], 16))
            continue;
        if (last->vcpus_online == (uint32_t)was)
            added = (int)last->vcpus;
        break;
    }
    entry->kind = PAST_VCPUS_ADDED;
    entry->vcpus_online = (uint32_t)hwloc_bitmap_weight(after->set);
    added += (int)entry->vcpus_online - was;
    entry->vcpus = added > 0 ? (uint32_t)added : 0;
    return past_add(past, entry);
}

static int past_step(struct past *past, const struct journal_run *run,
                     const struct journal_step *step)
{
    struct apply_state before = { 0 }, after = { 0 };
    struct past_change entry = { .time = run->started_s };
    int rc = 0;

    /* An entry that cannot be read is no reason to give no advice. */
    if (apply_state_parse(&before, step->before)
        || apply_state_parse(&after, step->after))
        goto out;
    memcpy(entry.uuid, after.uuid, sizeof(entry.uuid));
    memcpy(entry.vif, after.vif, sizeof(entry.vif));
    switch (after.kind) {
    case PLAN_PIN_HARD:
    case PLAN_PIN_SOFT:
        entry.kind = PAST_PIN;
        rc = past_add(past, &entry);
        break;
    case PLAN_SET_VCPUS:
        rc = past_vcpus(past, &entry, &before, &after);
        break;
    default:
        entry.kind = step->state == JOURNAL_STEP_REFUSED
                         ? PAST_LINK_REFUSED
                         : after.link.linked ? PAST_LINK_ENABLED
                                             : PAST_LINK_DISABLED;
        rc = past_add(past, &entry);
        break;
    }
out:
    apply_state_dispose(&before);
    apply_state_dispose(&after);
    return rc;
}

static bool past_counts(const struct journal_run *run,
                        const struct journal_step *step, int64_t now_s)
{
    return step->state == JOURNAL_STEP_DONE
           || (step->state == JOURNAL_STEP_REFUSED
               && now_s - run->started_s < REFUSED_SECONDS);
}

int apply_past(struct sqlite3 *journal, int64_t now_s, struct past **past_r)
{
    struct past *past = calloc(1, sizeof(*past));
    struct journal_run *runs = NULL;
    size_t nr_runs = 0, i, j;
    int rc;

    if (!past)
        return -ENOMEM;
    rc = journal_list(journal, PAST_RUNS, &runs, &nr_runs);
    /* The oldest first: what was added and taken back is counted up. */
    for (i = nr_runs; i-- > 0 && !rc;)
        for (j = 0; j < runs[i].nr_steps && !rc; j++)
            if (past_counts(&runs[i], &runs[i].steps[j], now_s))
                rc = past_step(past, &runs[i], &runs[i].steps[j]);
    if (!rc)
        rc = journal_bad_list(journal, now_s, &past->bad_plans,
                              &past->nr_bad_plans);
    journal_runs_free(runs, nr_runs);
    if (rc)
        apply_past_free(past);
    else
        *past_r = past;
    return rc;
}

void apply_past_free(struct past *past)
{
    size_t i;

    if (!past)
        return;
    for (i = 0; i < past->nr_bad_plans; i++)
        free(past->bad_plans[i]);
    free(past->bad_plans);
    free(past->changes);
    free(past);
}

struct apply_owned
{
    struct apply_state *states;
    size_t nr_states;
};

void apply_owned_free(struct apply_owned *owned)
{
    size_t i;

    if (!owned)
        return;
    for (i = 0; i < owned->nr_states; i++)
        apply_state_dispose(&owned->states[i]);
    free(owned->states);
    free(owned);
}

/* The last affinity, hard or soft, that was set for a vCPU; NULL: none. */
static const struct apply_state *owned_find(const struct apply_owned *owned,
                                            enum plan_step_kind kind,
                                            const uint8_t uuid[16],
                                            uint32_t vcpuid)
{
    const struct apply_state *state = owned->states;
    size_t i;

    for (i = 0; i < owned->nr_states; i++, state++)
        if (state->kind == kind && state->vcpuid == vcpuid
            && !memcmp(state->uuid[0], uuid, 16))
            return state;
    return NULL;
}

/* Called newest first. */
static int owned_add(struct apply_owned *owned,
                     const struct journal_step *step)
{
    struct apply_state state = { 0 }, *added = NULL;
    bool add;

    if (step->state != JOURNAL_STEP_DONE
        || apply_state_parse(&state, step->after))
        return 0;
    add = (state.kind == PLAN_PIN_HARD || state.kind == PLAN_PIN_SOFT)
          && !owned_find(owned, state.kind, state.uuid[0], state.vcpuid);
    if (add)
        added = JSONIO_ADD(owned, states, SIZE_MAX);
    if (added)
        *added = state;
    else
        apply_state_dispose(&state);
    return add && !added ? -ENOMEM : 0;
}

int apply_owned_load(struct sqlite3 *journal, struct apply_owned **owned_r)
{
    struct apply_owned *owned = calloc(1, sizeof(*owned));
    struct journal_run *runs = NULL;
    size_t nr_runs = 0, i, j;
    int rc;

    if (!owned)
        return -ENOMEM;
    rc = journal_list(journal, PAST_RUNS, &runs, &nr_runs);
    for (i = 0; i < nr_runs && !rc; i++)
        for (j = runs[i].nr_steps; j-- > 0 && !rc;)
            rc = owned_add(owned, &runs[i].steps[j]);
    journal_runs_free(runs, nr_runs);
    if (rc)
        apply_owned_free(owned);
    else
        *owned_r = owned;
    return rc;
}

bool apply_owned(void *opaque, const uint8_t uuid[16], uint32_t vcpuid,
                 bool hard, hwloc_const_bitmap_t pcpus)
{
    const struct apply_state *last = NULL;

    if (opaque)
        last = owned_find(opaque, hard ? PLAN_PIN_HARD : PLAN_PIN_SOFT, uuid,
                          vcpuid);
    return last && hwloc_bitmap_isequal(last->set, pcpus);
}
