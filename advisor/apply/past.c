/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apply/state.h"
#include "apply/apply.h"
#include "choose/choose.h"
#include "apply/journal.h"

/* Older runs have neither cooldown nor vCPUs worth asking about. */
#define PAST_RUNS 500
/* So long a link that enable refused is not asked for again. */
#define REFUSED_SECONDS (7 * 24 * 3600)

struct past
{
    struct choose_history history; /* first: what the caller holds */
    struct choose_past *past;
    size_t nr_past, room;
    char **bad;
    size_t nr_bad;
};

static int past_add(struct past *past, const struct choose_past *entry)
{
    if (past->nr_past == past->room) {
        size_t room = past->room ? 2 * past->room : 32;
        struct choose_past *grown = reallocarray(past->past, room,
                                                 sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        past->past = grown;
        past->room = room;
    }
    past->past[past->nr_past++] = *entry;
    return 0;
}

/* Those that are added by now: from what was left of earlier ones, unless
 * somebody else changed the number in between. */
static int past_vcpus(struct past *past, struct choose_past *entry,
                      const struct apply_state *before,
                      const struct apply_state *after)
{
    int was = hwloc_bitmap_weight(before->set), added = 0;
    size_t i;

    for (i = past->nr_past; i-- > 0;) {
        const struct choose_past *last = &past->past[i];

        if (last->kind != CHOOSE_PAST_VCPUS_ADDED
            || memcmp(last->uuid[0], entry->uuid[0], 16))
            continue;
        if (last->vcpus_online == (uint32_t)was)
            added = (int)last->vcpus;
        break;
    }
    entry->kind = CHOOSE_PAST_VCPUS_ADDED;
    entry->vcpus_online = (uint32_t)hwloc_bitmap_weight(after->set);
    added += (int)entry->vcpus_online - was;
    entry->vcpus = added > 0 ? (uint32_t)added : 0;
    return past_add(past, entry);
}

static int past_step(struct past *past, const struct journal_run *run,
                     const struct journal_step *step)
{
    struct apply_state before = { 0 }, after = { 0 };
    struct choose_past entry = { .time = run->started_s };
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
        entry.kind = CHOOSE_PAST_PIN;
        rc = past_add(past, &entry);
        break;
    case PLAN_SET_VCPUS:
        rc = past_vcpus(past, &entry, &before, &after);
        break;
    default:
        entry.kind = step->state == JOURNAL_STEP_REFUSED
                         ? CHOOSE_PAST_LINK_REFUSED
                         : after.link.linked ? CHOOSE_PAST_LINK_ENABLED
                                             : CHOOSE_PAST_LINK_DISABLED;
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

int apply_past(struct journal *journal, int64_t now_s,
               struct choose_history **record_r)
{
    struct journal_run *runs = NULL;
    struct past *past = calloc(1, sizeof(*past));
    size_t nr_runs = 0, i, j;
    int rc = -ENOMEM;

    if (!past)
        return rc;
    rc = journal_list(journal, PAST_RUNS, &runs, &nr_runs);
    /* The oldest first: what was added and taken back is counted up. */
    for (i = nr_runs; i-- > 0 && !rc;)
        for (j = 0; j < runs[i].nr_steps && !rc; j++)
            if (past_counts(&runs[i], &runs[i].steps[j], now_s))
                rc = past_step(past, &runs[i], &runs[i].steps[j]);
    if (!rc)
        rc = journal_bad_list(journal, now_s, &past->bad, &past->nr_bad);
    journal_runs_free(runs, nr_runs);
    past->history = (struct choose_history){
        .past = past->past,
        .nr_past = past->nr_past,
        .bad_plans = (const char *const *)past->bad,
        .nr_bad_plans = past->nr_bad,
    };
    if (rc) {
        apply_past_free(&past->history);
        return rc;
    }
    *record_r = &past->history;
    return 0;
}

void apply_past_free(struct choose_history *history)
{
    struct past *past = (struct past *)history;
    size_t i;

    if (!past)
        return;
    for (i = 0; i < past->nr_bad; i++)
        free(past->bad[i]);
    free(past->bad);
    free(past->past);
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

/* Of the same vCPU, hard or soft, in a later run. */
static bool owned_since(const struct apply_owned *owned,
                        const struct apply_state *state)
{
    size_t i;

    for (i = 0; i < owned->nr_states; i++)
        if (owned->states[i].kind == state->kind
            && owned->states[i].vcpuid == state->vcpuid
            && !memcmp(owned->states[i].uuid[0], state->uuid[0], 16))
            return true;
    return false;
}

/* Called newest first. */
static int owned_add(struct apply_owned *owned,
                     const struct journal_step *step)
{
    struct apply_state state = { 0 };
    struct apply_state *grown;

    if (step->state != JOURNAL_STEP_DONE
        || apply_state_parse(&state, step->after))
        return 0;
    if ((state.kind != PLAN_PIN_HARD && state.kind != PLAN_PIN_SOFT)
        || owned_since(owned, &state)) {
        apply_state_dispose(&state);
        return 0;
    }
    grown = reallocarray(owned->states, owned->nr_states + 1, sizeof(*grown));
    if (!grown) {
        apply_state_dispose(&state);
        return -ENOMEM;
    }
    owned->states = grown;
    owned->states[owned->nr_states++] = state;
    return 0;
}

int apply_owned_load(struct journal *journal, struct apply_owned **owned_r)
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
    const struct apply_owned *owned = opaque;
    size_t i;

    for (i = 0; owned && i < owned->nr_states; i++) {
        const struct apply_state *state = &owned->states[i];

        if (!memcmp(state->uuid[0], uuid, 16) && state->vcpuid == vcpuid
            && state->kind == (hard ? PLAN_PIN_HARD : PLAN_PIN_SOFT)
            && hwloc_bitmap_isequal(state->set, pcpus))
            return true;
    }
    return false;
}
