/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What links cost and save, and the steps that change them. */
#include "choose/model.h"

#include "choose/terms.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

double choose_pair_bytes(const struct choose_pair *pair)
{
    return pair->vif_bytes + pair->link_bytes;
}

static double pair_packets(const struct choose_pair *pair)
{
    return pair->vif_packets + pair->link_packets;
}

double choose_link_gain(const struct choose_pair *pair,
                        const struct settings *settings)
{
    return 1e-9 * (choose_pair_bytes(pair) *
                   (settings->vif_byte_ns - settings->link_byte_ns) +
                   pair_packets(pair) *
                   (settings->vif_packet_ns - settings->link_packet_ns));
}

double choose_vif_cost(const struct settings *settings, double bytes,
                       double packets)
{
    return 1e-9 * (bytes * settings->vif_byte_ns +
                   packets * settings->vif_packet_ns);
}

bool choose_pair_linked(const struct choose_pair *pair, bool after)
{
    return after ? pair->link_after : pair->link && pair->link->up;
}

double choose_path(const struct choose_pairs *pairs,
                   const struct settings *settings, bool after)
{
    const struct choose_pair *pair;
    double cost = 0;
    size_t i;

    for (i = 0; i < pairs->nr_pairs; i++) {
        pair = &pairs->pairs[i];
        cost += choose_vif_cost(settings, choose_pair_bytes(pair),
                                pair_packets(pair));
        if (choose_pair_linked(pair, after))
            cost -= choose_link_gain(pair, settings);
    }
    return cost;
}

static int link_step(struct plan *plan, const struct choose_model *model,
                     const struct choose_pair *pair, bool enable)
{
    const struct snapshot *snapshot = model->snapshot;
    const struct snapshot_domain *a = &snapshot->domains[pair->first];
    const struct snapshot_domain *b = &snapshot->domains[pair->second];
    char rate[32], name_a[16], name_b[16];
    double gain = choose_link_gain(pair, model->settings);
    struct plan_step *step;
    int rc;

    choose_rate(rate, choose_pair_bytes(pair));
    rc = choose_add_step(plan, snapshot, &step, enable ? PLAN_LINK_ENABLE
                                                       : PLAN_LINK_DISABLE,
                         enable ? PLAN_REASON_LINK_GAIN
                                : PLAN_REASON_LINK_LOSS,
                         pair->first, pair->second, enable ? gain : -gain,
                         enable ? "%s in packets of %.0f bytes: by a link "
                                  "that costs all domains %.2f pCPUs less"
                                : "only %s in packets of %.0f bytes, or no "
                                  "CPU to spare: a link saves %.2f pCPUs",
                         rate, pair->message_bytes, gain);
    if (rc)
        return rc;
    step->peer = strdup(b->name);
    if (!step->peer)
        return -ENOMEM;
    if (!enable)
        snprintf(step->nonce, sizeof step->nonce, "%s", pair->link->nonce);
    return choose_command(step, "xl shmlink %s %s %s",
                          enable ? "enable" : "disable",
                          choose_shell_name(name_a, a),
                          choose_shell_name(name_b, b));
}

int choose_link_steps(struct choose_pairs *pairs, struct plan *plan,
                      const struct choose_placement *state)
{
    const struct choose_model *model = state->model;
    struct choose_pair *pair;
    int rc = 0;
    size_t i;

    for (i = 0; i < pairs->nr_pairs && !rc; i++) {
        pair = &pairs->pairs[i];
        if (pair->link_after == choose_pair_linked(pair, false))
            continue;
        rc = link_step(plan, model, pair, pair->link_after);
    }
    return rc;
}
