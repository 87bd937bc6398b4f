/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/links.h"

#include "shmlink-wire.h"
#include "choose/entity.h"
#include "choose/model.h"
#include "choose/pairs.h"
#include "choose/policy.h"
#include "choose/prices.h"
#include "choose/resize.h"
#include "choose/text.h"
#include "choose/vifs.h"
#include "model/plan.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Idle share of a domain's vCPUs, those to be added included. */
static double headroom(const struct snapshot *snapshot,
                       const struct choose_sizes *sizes, size_t index)
{
    const struct snapshot_domain *domain = &snapshot->domains[index];
    const struct snapshot_vcpu *vcpu;
    double demand = 0;

    SNAPSHOT_FOR_VCPUS(vcpu, snapshot, domain)
        if (vcpu->online)
            demand += choose_demand(vcpu);
    if (!sizes->online[index])
        return 0;
    return fmax(0, 1 - demand / sizes->online[index]);
}

struct context {
    struct plan *plan;
    const struct choose_model *model;
    const struct snapshot *snapshot;
    const struct settings *settings;
    const struct choose_sizes *sizes;
    uint32_t *nr_links;			/* of each domain */
    char name[2][1024 + PLAN_VIF_BYTES];	/* of the pair in question */
};

/* With the vifs where the pair could have a link by others. */
static void name_pair(struct context *c, const struct choose_pair *pair)
{
    const struct snapshot_domain *a = &c->snapshot->domains[pair->first];
    const struct snapshot_domain *b = &c->snapshot->domains[pair->second];
    bool only = choose_vif_pairs(a, b) < 2;
    char vif[PLAN_VIF_BYTES];
    int i;

    for (i = 0; i < 2; i++)
        snprintf(c->name[i], sizeof c->name[i], "%s%s", i ? b->name : a->name,
                 plan_vif_suffix(vif, only ? PLAN_NONE : pair->vif[i]));
}

static bool left_alone(const struct context *c, const struct choose_pair *pair)
{
    return choose_left_alone(c->model, pair->first) ||
           choose_left_alone(c->model, pair->second);
}

/* Does the administrator let advice link them? */
static bool grouped(const struct context *c, const struct choose_pair *pair)
{
    const struct snapshot_domain *a = &c->snapshot->domains[pair->first];
    const struct snapshot_domain *b = &c->snapshot->domains[pair->second];
    const struct settings_group *group = c->settings->link_groups;
    size_t i;

    for (i = 0; i < c->settings->nr_link_groups; i++, group++)
        if (choose_listed(a, group) && choose_listed(b, group))
            return true;
    return !c->settings->nr_link_groups;
}

/* A bulk stream keeps its sender busy by whatever way it goes. */
static double needed_room(const struct context *c,
                          const struct choose_pair *pair)
{
    return pair->message_bytes >= c->settings->link_bulk_bytes ? 0 :
           c->settings->link_headroom;
}

/* What is against a link that would pay; NULL: nothing. */
static const char *objection(const struct context *c,
                             const struct choose_pair *pair,
                             enum plan_note_kind *kind_r)
{
    const struct snapshot_domain *a = &c->snapshot->domains[pair->first];
    const struct snapshot_domain *b = &c->snapshot->domains[pair->second];
    const char *refused = choose_vifs_refused(a, b, pair->vif);

    *kind_r = PLAN_NOTE_UNMANAGED;
    if (left_alone(c, pair))
        return "one of them is to be left alone";
    *kind_r = PLAN_NOTE_NO_LINK;
    if (!grouped(c, pair))
        return "no link-group has both";
    *kind_r = PLAN_NOTE_NO_DRIVER;
    if (!a->driver || !b->driver)
        return "the guest driver is not loaded in both";
    *kind_r = PLAN_NOTE_NO_LINK;
    if (refused)
        return refused;
    if (!pair->answered)
        return "one of them does not answer the other, and may not want it; "
               "xl shmlink enable links them all the same";
    if (c->nr_links[pair->first] >= SHMLINK_LINKS_MAX ||
        c->nr_links[pair->second] >= SHMLINK_LINKS_MAX)
        return "one of them has as many links as a guest can have";
    *kind_r = PLAN_NOTE_COOLDOWN;
    if (choose_cooling(c->model, pair->first, pair->second))
        return "their link was changed lately";
    if (choose_link_was(c->model, pair, PAST_LINK_REFUSED))
        return "it was refused lately, see xl shmlink history; xl shmlink "
               "enable tries again";
    return NULL;
}

static void no_link(const struct context *c, const struct choose_pair *pair,
                    enum plan_note_kind kind, const char *why)
{
    choose_add_note(c->plan, c->snapshot, kind, pair->first,
                    "no link between %s and %s: %s", c->name[0], c->name[1],
                    why);
}

/* A link that is up, and stays so. */
static void link_stays(const struct context *c, const struct choose_pair *pair,
                       enum plan_note_kind kind, const char *why)
{
    choose_add_note(c->plan, c->snapshot, kind, pair->first,
                    "the link between %s and %s%s: left as it is", c->name[0],
                    c->name[1], why);
}

/* A link would pay: what is lost without, and why there is to be none. */
static void consider(const struct context *c, struct choose_pair *pair,
                     bool *changed)
{
    enum plan_note_kind kind;
    const char *why = objection(c, pair, &kind);
    char rate[32];

    choose_rate(rate, choose_pair_bytes(pair));
    choose_add_finding(c->plan, c->snapshot, &(struct plan_finding){
                           .kind = PLAN_FINDING_NO_LINK, .pcpu = PLAN_NONE,
                           .value = choose_pair_bytes(pair),
                           .cost = fmax(0, choose_link_gain(pair,
                                                            c->settings)) },
                       pair->first, pair->second,
                       "%s and %s exchange %s in packets of %.0f bytes by way "
                       "of dom0", c->name[0], c->name[1], rate,
                       pair->message_bytes);
    if (why) {
        no_link(c, pair, kind, why);
        return;
    }
    c->nr_links[pair->first]++;
    c->nr_links[pair->second]++;
    pair->link_after = true;
    *changed = true;
}

/* Enough traffic for a link; are its messages and the CPUs fit for it? */
static void judge(const struct context *c, struct choose_pair *pair,
                  double room, bool *changed)
{
    enum plan_note_kind kind = PLAN_NOTE_NO_LINK;
    char why[128] = "the size of their packets was not measured";

    if (pair->message_bytes <= 0) {
        kind = PLAN_NOTE_DATA;
    } else if (pair->message_bytes < c->settings->link_message_bytes) {
        snprintf(why, sizeof why, "their packets are small (%.0f bytes, "
                 "link-message-bytes is %.0f)", pair->message_bytes,
                 c->settings->link_message_bytes);
    } else if (room < needed_room(c, pair)) {
        snprintf(why, sizeof why, "one of them has only %.0f %% of its CPU to "
                 "spare (link-headroom is %.0f %%)", 100 * room,
                 100 * c->settings->link_headroom);
    } else {
        consider(c, pair, changed);
        return;
    }
    no_link(c, pair, kind, why);
}

/* Is a link that is up still worth it, by half of the thresholds?  If not, a
 * finding says so. */
static bool worth(const struct context *c, const struct choose_pair *pair,
                  double room)
{
    char rate[32];

    if (pair->carried_bytes >= c->settings->link_bytes / 2 &&
        room >= needed_room(c, pair) / 2 &&
        pair->message_bytes >= c->settings->link_message_bytes / 2)
        return true;
    choose_rate(rate, pair->carried_bytes);
    choose_add_finding(c->plan, c->snapshot, &(struct plan_finding){
                           .kind = PLAN_FINDING_IDLE_LINK, .pcpu = PLAN_NONE,
                           .value = pair->carried_bytes },
                       pair->first, pair->second,
                       "the link between %s and %s carries %s in packets of "
                       "%.0f bytes, with %.0f %% of CPU to spare: it is not "
                       "worth it", c->name[0], c->name[1], rate,
                       pair->message_bytes, 100 * room);
    return false;
}

/* What goes by the vifs of a link that is up; the guests keep it from it. */
static void beside(const struct context *c, const struct choose_pair *pair)
{
    double bytes = choose_pair_bytes(pair) - pair->carried_bytes;
    char rate[32];

    if (bytes >= c->settings->link_bytes && bytes > 0)
        choose_add_note(c->plan, c->snapshot, PLAN_NOTE_NO_LINK, pair->first,
                        "%s and %s exchange %s by way of dom0 beside their "
                        "link: multicast, or what one of the guests keeps on "
                        "its vif; xl shmlink list tells", c->name[0],
                        c->name[1], choose_rate(rate, bytes));
}

/* A link that is up: is it to go? */
static void review(const struct context *c, struct choose_pair *pair,
                   double room, bool *changed)
{
    bool advised = choose_link_was(c->model, pair, PAST_LINK_ENABLED);

    pair->stray = advised && !grouped(c, pair);
    /* A guest that does not answer may be as busy as ever. */
    if (!pair->stray && !pair->link_known) {
        choose_add_note(c->plan, c->snapshot, PLAN_NOTE_DATA, pair->first,
                        "the link between %s and %s: what it carries was not "
                        "measured, left as it is", c->name[0], c->name[1]);
    } else if (!pair->stray && worth(c, pair, room)) {
        return;
    } else if (!advised) {
        link_stays(c, pair, PLAN_NOTE_NO_LINK,
                   " was not enabled by advice");
    } else if (left_alone(c, pair)) {
        return;
    } else if (choose_cooling(c->model, pair->first, pair->second)) {
        link_stays(c, pair, PLAN_NOTE_COOLDOWN, " was changed lately");
    } else {
        pair->link_after = false;
        *changed = true;
    }
}

/* Only the max_links changes that gain most; the next plan has the others. */
static void limit_changes(const struct context *c, struct choose_pairs *pairs)
{
    struct choose_pair *pair;
    size_t nr = 0, i;

    for (i = 0; i < pairs->nr_pairs; i++) {
        pair = pairs->by_gain[i];
        if (pair->link_after == choose_pair_linked(pair, false))
            continue;
        if (++nr > c->settings->max_links)
            pair->link_after = !pair->link_after;
    }
    if (nr > c->settings->max_links)
        choose_add_note(c->plan, c->snapshot, PLAN_NOTE_MAX_MOVES,
                        SNAPSHOT_OUTSIDE, "%zu links should change, "
                        "max-links allows %u: those that gain most", nr,
                        c->settings->max_links);
}

int choose_links(struct choose_pairs *pairs, struct plan *plan,
                 const struct choose_model *before,
                 const struct choose_sizes *sizes, bool *changed_r)
{
    const struct snapshot *snapshot = before->snapshot;
    const struct settings *settings = before->settings;
    struct context c = {
        .plan = plan, .model = before, .snapshot = snapshot,
        .settings = settings, .sizes = sizes,
    };
    struct choose_pair *pair;
    double room;
    int rc = 0;
    size_t i;

    *changed_r = false;
    c.nr_links = calloc(snapshot->nr_domains + 1, sizeof *c.nr_links);
    rc = c.nr_links ? choose_pairs_rank(pairs, snapshot, settings) : -ENOMEM;
    for (i = 0; i < 2 * snapshot->nr_links; i++)
        c.nr_links[snapshot->links[i / 2].end[i % 2].domain]++;
    for (i = 0; i < pairs->nr_pairs && !rc; i++) {
        pair = pairs->by_gain[i];
        if (pair->second == SNAPSHOT_OUTSIDE ||
            !snapshot->domains[pair->first].domid ||
            snapshot->domains[pair->first].backend ||
            snapshot->domains[pair->second].backend)
            continue;
        name_pair(&c, pair);
        room = fmin(headroom(snapshot, sizes, pair->first),
                    headroom(snapshot, sizes, pair->second));
        if (choose_pair_linked(pair, false)) {
            review(&c, pair, room, changed_r);
            beside(&c, pair);
        } else if (!pair->link && choose_pair_bytes(pair) > 0 &&
                 choose_pair_bytes(pair) >= settings->link_bytes)
            judge(&c, pair, room, changed_r);
    }
    free(c.nr_links);
    if (!rc && *changed_r)
        limit_changes(&c, pairs);
    return rc;
}

/* Why a link goes on or off, in a sentence, and the step. */
static void link_step(struct plan *plan, const struct choose_model *before,
                      const struct choose_pair *pair)
{
    const struct snapshot *snapshot = before->snapshot;
    const struct snapshot_domain *a = &snapshot->domains[pair->first];
    const struct snapshot_domain *b = &snapshot->domains[pair->second];
    double gain = choose_link_gain(pair, before->settings);
    struct plan_step step = {
        .kind = PLAN_LINK_ENABLE, .reason = PLAN_REASON_LINK_GAIN,
        .vcpuid = PLAN_NONE, .vif = { pair->vif[0], pair->vif[1] },
        .peer = b->name, .gain = gain,
    };
    char rate[32], text[160] = "no link-group has both of them";

    choose_rate(rate, pair->carried_bytes);
    if (pair->link_after)
        snprintf(text, sizeof text, "%s in packets of %.0f bytes: by a link "
                 "that costs all domains %.2f pCPUs less", rate,
                 pair->message_bytes, gain);
    else if (!pair->stray)
        snprintf(text, sizeof text, "only %s in packets of %.0f bytes, or no "
                 "CPU to spare: a link saves %.2f pCPUs", rate,
                 pair->message_bytes, gain);
    if (!pair->link_after) {
        step.kind = PLAN_LINK_DISABLE;
        step.reason = PLAN_REASON_LINK_LOSS;
        step.gain = -gain;
        snprintf(step.nonce, sizeof step.nonce, "%s", pair->link->nonce);
    }
    choose_add_step(plan, snapshot, &step, pair->first, pair->second,
                    choose_vif_pairs(a, b) < 2 ? NULL : pair->vif, text);
}

void choose_link_steps(const struct choose_pairs *pairs, struct plan *plan,
                       const struct choose_model *before)
{
    size_t i;

    for (i = 0; i < pairs->nr_pairs; i++)
        if (pairs->by_gain[i]->link_after !=
            choose_pair_linked(pairs->by_gain[i], false))
            link_step(plan, before, pairs->by_gain[i]);
}
