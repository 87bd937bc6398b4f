/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/pairs.h"

#include "choose/prices.h"
#include "choose/vifs.h"
#include "model/snapshot.h"
#include "base/compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One direction of a pair, before they are added up. */
struct flow {
    size_t first, second;
    uint32_t vif[2];
    bool backward, via_link;
    double bytes, packets, error;
    const struct snapshot_link *link;
};

static int compare_domains(const struct flow *p, const struct flow *q)
{
    return COMPARE(p->first, q->first) ?: COMPARE(p->second, q->second);
}

static int compare_flows(const void *a, const void *b)
{
    const struct flow *p = a, *q = b;

    return compare_domains(p, q) ?: COMPARE(p->vif[0], q->vif[0]) ?:
           COMPARE(p->vif[1], q->vif[1]);
}

static struct flow flow_between(size_t from, size_t to, uint32_t from_vif,
                                uint32_t to_vif)
{
    struct flow flow = { .first = from, .second = to,
                         .vif = { from_vif, to_vif } };

    /* OUTSIDE is greater than every index, so it is always second. */
    if (from > to)
        flow = (struct flow){ .first = to, .second = from,
                              .vif = { to_vif, from_vif }, .backward = true };
    if (flow.second == SNAPSHOT_OUTSIDE)
        flow.vif[0] = flow.vif[1] = SNAPSHOT_NONE;
    return flow;
}

static void flow_traffic(struct flow *flow,
                         const struct snapshot_traffic *traffic)
{
    *flow = flow_between(traffic->from, traffic->to, traffic->from_vif,
                         traffic->to_vif);
    flow->via_link = traffic->via == SNAPSHOT_VIA_LINK;
    flow->bytes = traffic->bytes.value;
    flow->packets = traffic->packets.value;
    flow->error = traffic->bytes.error;
}

/*
 * What one end sent: the smaller of its own counters and what the other has
 * received; used only where the collector has not joined them into the
 * traffic already.
 */
static void flow_link(struct flow *flow, const struct snapshot_link *link,
                      unsigned from)
{
    const struct snapshot_link_end *end = &link->end[from];
    const struct snapshot_link_end *peer = &link->end[!from];

    *flow = flow_between(end->domain, peer->domain, end->vif, peer->vif);
    flow->via_link = true;
    flow->link = link;
    if (end->counters_ok || peer->counters_ok) {
        flow->bytes = fmin(end->counters_ok ? end->tx_bytes : INFINITY,
                           peer->counters_ok ? peer->rx_bytes : INFINITY);
        flow->packets = fmin(end->counters_ok ? end->tx_packets : INFINITY,
                             peer->counters_ok ? peer->rx_packets : INFINITY);
    }
}

/* Or bytes, where packets were not counted. */
static bool answered(const double *bytes, const double *packets)
{
    const double *sent = packets[0] + packets[1] > 0 ? packets : bytes;

    return sent[0] > 0 && sent[1] > 0 &&
           CHOOSE_ANSWER * fmin(sent[0], sent[1]) >= fmax(sent[0], sent[1]);
}

/* Whether two domains, whose flows these are, have a link by these vifs. */
static bool linked(const struct flow *flows, size_t nr, uint32_t first,
                   uint32_t second)
{
    size_t i;

    for (i = 0; i < nr; i++)
        if (flows[i].link && flows[i].link->up && flows[i].vif[0] == first &&
            flows[i].vif[1] == second)
            return true;
    return false;
}

/* How many pairs of vifs there are that have no link, 2 for more; the last. */
static unsigned vifs_left(const struct snapshot *snapshot,
                          const struct flow *flows, size_t nr,
                          uint32_t vif_r[2])
{
    const struct snapshot_domain *a = &snapshot->domains[flows->first];
    const struct snapshot_domain *b = &snapshot->domains[flows->second];
    unsigned found = 0;
    size_t i, j;

    for (i = 0; i < a->nr_vifs && found < 2; i++)
        for (j = 0; j < b->nr_vifs && found < 2; j++) {
            if (!choose_vifs_meet(&a->vifs[i], &b->vifs[j]) ||
                linked(flows, nr, a->vifs[i].devid, b->vifs[j].devid))
                continue;
            found++;
            vif_r[0] = a->vifs[i].devid;
            vif_r[1] = b->vifs[j].devid;
        }
    return found;
}

/* The flow of the only link that there is, or NULL. */
static const struct flow *only_link(const struct flow *flows, size_t nr)
{
    const struct flow *only = NULL;
    size_t i;

    for (i = 0; i < nr; i++) {
        if (!flows[i].link)
            continue;
        if (only && only->link != flows[i].link)
            return NULL;
        only = &flows[i];
    }
    return only;
}

static bool vifs_known(const struct flow *flow)
{
    return flow->vif[0] != SNAPSHOT_NONE && flow->vif[1] != SNAPSHOT_NONE;
}

/* Fill in the vifs of two domains' flows where they are not told. */
static void find_vifs(const struct snapshot *snapshot, struct flow *flows,
                      size_t nr)
{
    uint32_t none[2] = { SNAPSHOT_NONE, SNAPSHOT_NONE }, free_pair[2];
    const uint32_t *by_vif = none, *by_link = none;
    const struct flow *link;
    unsigned left;
    size_t i;

    for (i = 0; i < nr && vifs_known(&flows[i]); i++)
        ;
    if (i == nr || flows->second == SNAPSHOT_OUTSIDE)
        return;
    link = only_link(flows, nr);
    left = vifs_left(snapshot, flows, nr, free_pair);
    if (link)
        by_link = link->vif;
    if (left == 1)
        by_vif = free_pair;
    else if (left == 0)
        by_vif = by_link;
    if (!link)
        by_link = by_vif;
    for (i = 0; i < nr; i++)
        if (!vifs_known(&flows[i]))
            memcpy(flows[i].vif, flows[i].via_link ? by_link : by_vif,
                   sizeof flows[i].vif);
    qsort(flows, nr, sizeof *flows, compare_flows);
}

static void sum_pair(struct choose_pair *pair, const struct flow *flows,
                     size_t nr)
{
    double bytes[2] = { 0 }, packets[2] = { 0 }, variance = 0;
    double all_bytes[2] = { 0 }, all_packets[2] = { 0 };
    bool joined = false, measured;
    unsigned top;
    size_t i;

    pair->first = flows->first;
    pair->second = flows->second;
    memcpy(pair->vif, flows->vif, sizeof pair->vif);
    for (i = 0; i < nr; i++) {
        if (flows[i].link)
            pair->link = flows[i].link;
        else if (flows[i].via_link)
            joined = true;
    }
    measured = pair->link && (pair->link->end[0].counters_ok ||
                              pair->link->end[1].counters_ok);
    for (i = 0; i < nr; i++) {
        if (flows[i].link && joined)
            continue;
        variance += flows[i].error * flows[i].error;
        all_bytes[flows[i].backward] += flows[i].bytes;
        all_packets[flows[i].backward] += flows[i].packets;
        if (flows[i].via_link) {
            pair->link_bytes += flows[i].bytes;
            pair->link_packets += flows[i].packets;
        } else {
            pair->vif_bytes += flows[i].bytes;
            pair->vif_packets += flows[i].packets;
        }
        if (measured && pair->link->up && !flows[i].via_link)
            continue;
        pair->carried_bytes += flows[i].bytes;
        pair->carried_packets += flows[i].packets;
        bytes[flows[i].backward] += flows[i].bytes;
        packets[flows[i].backward] += flows[i].packets;
    }
    pair->link_known = joined || measured;
    pair->error = sqrt(variance);
    pair->answered = answered(all_bytes, all_packets);
    top = bytes[1] > bytes[0];
    pair->message_bytes = packets[top] > 0 ? bytes[top] / packets[top] : 0;
    pair->link_after = choose_pair_linked(pair, false);
}

int choose_pairs_new(struct choose_pairs *pairs_r,
                     const struct snapshot *snapshot)
{
    size_t nr = snapshot->nr_traffic + 2 * snapshot->nr_links, i, first;
    struct choose_pair *pairs;
    struct flow *flows;
    size_t nr_pairs = 0;

    flows = calloc(nr + 1, sizeof *flows);
    pairs = calloc(nr + 1, sizeof *pairs);
    if (!flows || !pairs) {
        free(flows);
        free(pairs);
        return -ENOMEM;
    }
    for (i = 0; i < snapshot->nr_traffic; i++)
        flow_traffic(&flows[i], &snapshot->traffic[i]);
    for (i = 0; i < 2 * snapshot->nr_links; i++)
        flow_link(&flows[snapshot->nr_traffic + i], &snapshot->links[i / 2],
                  i % 2);
    qsort(flows, nr, sizeof *flows, compare_flows);
    for (first = 0; first < nr; first = i) {
        for (i = first; i < nr; i++)
            if (compare_domains(&flows[i], &flows[first]))
                break;
        find_vifs(snapshot, &flows[first], i - first);
    }
    for (first = 0; first < nr; first = i) {
        for (i = first; i < nr; i++)
            if (compare_flows(&flows[i], &flows[first]))
                break;
        sum_pair(&pairs[nr_pairs++], &flows[first], i - first);
    }
    free(flows);
    pairs_r->pairs = pairs;
    pairs_r->by_gain = NULL;
    pairs_r->nr_pairs = nr_pairs;
    return 0;
}

struct ranked {
    struct choose_pair *pair;
    double gain;
    const uint8_t *uuid[2];
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *p = a, *q = b;

    /* Not by index: a VM's number decides nothing. */
    return COMPARE(q->pair->answered, p->pair->answered) ?:
           COMPARE(q->gain, p->gain) ?:
           memcmp(p->uuid[0], q->uuid[0], 16) ?:
           memcmp(p->uuid[1], q->uuid[1], 16) ?: COMPARE(p->pair, q->pair);
}

int choose_pairs_rank(struct choose_pairs *pairs,
                      const struct snapshot *snapshot,
                      const struct settings *settings)
{
    static const uint8_t outside[16];
    struct ranked *ranked = calloc(pairs->nr_pairs + 1, sizeof *ranked);
    const uint8_t *a, *b;
    struct choose_pair *pair;
    bool greater;
    size_t i;

    pairs->by_gain = calloc(pairs->nr_pairs + 1, sizeof *pairs->by_gain);
    if (!ranked || !pairs->by_gain) {
        free(ranked);
        return -ENOMEM;
    }
    for (i = 0; i < pairs->nr_pairs; i++) {
        pair = &pairs->pairs[i];
        ranked[i].pair = pair;
        ranked[i].gain = fabs(choose_link_gain(pair, settings));
        a = snapshot->domains[pair->first].uuid;
        b = pair->second == SNAPSHOT_OUTSIDE ? outside :
            snapshot->domains[pair->second].uuid;
        greater = memcmp(a, b, 16) > 0;
        ranked[i].uuid[greater] = a;
        ranked[i].uuid[!greater] = b;
    }
    qsort(ranked, pairs->nr_pairs, sizeof *ranked, compare_ranked);
    for (i = 0; i < pairs->nr_pairs; i++)
        pairs->by_gain[i] = ranked[i].pair;
    free(ranked);
    return 0;
}

void choose_pairs_free(struct choose_pairs *pairs)
{
    free(pairs->by_gain);
    free(pairs->pairs);
    pairs->by_gain = NULL;
    pairs->pairs = NULL;
    pairs->nr_pairs = 0;
}

bool choose_pair_linked(const struct choose_pair *pair, bool after)
{
    return after ? pair->link_after : pair->link && pair->link->up;
}

double choose_pair_link_share(const struct choose_pair *pair, bool after)
{
    double bytes = choose_pair_bytes(pair);

    if (!choose_pair_linked(pair, after))
        return 0;
    return bytes > 0 ? pair->carried_bytes / bytes : 1;
}

size_t choose_pairs_sum(const struct choose_pairs *pairs, size_t i,
                        struct choose_pair *sum_r)
{
    const struct choose_pair *pair = &pairs->pairs[i];

    for (*sum_r = *pair++; ++i < pairs->nr_pairs &&
         pair->first == sum_r->first && pair->second == sum_r->second;
         pair++) {
        sum_r->vif_bytes += pair->vif_bytes;
        sum_r->vif_packets += pair->vif_packets;
        sum_r->link_bytes += pair->link_bytes;
        sum_r->link_packets += pair->link_packets;
        sum_r->carried_bytes += pair->carried_bytes;
        sum_r->carried_packets += pair->carried_packets;
        sum_r->error = hypot(sum_r->error, pair->error);
    }
    return i;
}

double choose_pair_bytes(const struct choose_pair *pair)
{
    return pair->vif_bytes + pair->link_bytes;
}

double choose_pair_packets(const struct choose_pair *pair)
{
    return pair->vif_packets + pair->link_packets;
}
