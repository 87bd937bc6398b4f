/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/pairs.h"

#include "choose/prices.h"
#include "model/snapshot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One direction of a pair, before they are added up. */
struct flow {
    size_t first, second;
    bool backward, via_link;
    double bytes, packets, error;
    const struct snapshot_link *link;
};

static int compare_flows(const void *a, const void *b)
{
    const struct flow *p = a, *q = b;

    if (p->first != q->first)
        return p->first < q->first ? -1 : 1;
    if (p->second != q->second)
        return p->second < q->second ? -1 : 1;
    return 0;
}

static struct flow flow_between(size_t from, size_t to)
{
    struct flow flow = { .first = from, .second = to };

    /* OUTSIDE is greater than every index, so it is always second. */
    if (from > to) {
        flow.first = to;
        flow.second = from;
        flow.backward = true;
    }
    return flow;
}

static void flow_traffic(struct flow *flow,
                         const struct snapshot_traffic *traffic)
{
    *flow = flow_between(traffic->from, traffic->to);
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

    *flow = flow_between(end->domain, peer->domain);
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

static void sum_pair(struct choose_pair *pair, const struct flow *flows,
                     size_t nr)
{
    double bytes[2] = { 0 }, packets[2] = { 0 }, variance = 0;
    bool joined = false;
    unsigned top;
    size_t i;

    pair->first = flows->first;
    pair->second = flows->second;
    for (i = 0; i < nr; i++)
        if (flows[i].via_link && !flows[i].link)
            joined = true;
    for (i = 0; i < nr; i++) {
        if (flows[i].link) {
            pair->link = flows[i].link;
            if (joined)
                continue;
        }
        bytes[flows[i].backward] += flows[i].bytes;
        packets[flows[i].backward] += flows[i].packets;
        variance += flows[i].error * flows[i].error;
        if (flows[i].via_link) {
            pair->link_bytes += flows[i].bytes;
            pair->link_packets += flows[i].packets;
        } else {
            pair->vif_bytes += flows[i].bytes;
            pair->vif_packets += flows[i].packets;
        }
    }
    pair->link_known = joined || (pair->link &&
                                  (pair->link->end[0].counters_ok ||
                                   pair->link->end[1].counters_ok));
    pair->error = sqrt(variance);
    pair->answered = answered(bytes, packets);
    top = bytes[1] > bytes[0];
    pair->top_bytes = bytes[top];
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
    int order;

    if (p->pair->answered != q->pair->answered)
        return p->pair->answered ? -1 : 1;
    if (p->gain != q->gain)
        return p->gain > q->gain ? -1 : 1;
    /* Not by index: a VM's number decides nothing. */
    order = memcmp(p->uuid[0], q->uuid[0], 16);
    if (!order)
        order = memcmp(p->uuid[1], q->uuid[1], 16);
    return order ? order : p->pair < q->pair ? -1 : 1;
}

int choose_pairs_rank(struct choose_pairs *pairs,
                      const struct snapshot *snapshot,
                      const struct settings *settings)
{
    static const uint8_t outside[16];
    struct ranked *ranked = calloc(pairs->nr_pairs + 1, sizeof *ranked);
    struct choose_pair *pair;
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
        ranked[i].uuid[0] = snapshot->domains[pair->first].uuid;
        ranked[i].uuid[1] = pair->second == SNAPSHOT_OUTSIDE ? outside :
                            snapshot->domains[pair->second].uuid;
        if (memcmp(ranked[i].uuid[0], ranked[i].uuid[1], 16) > 0) {
            const uint8_t *swap = ranked[i].uuid[0];

            ranked[i].uuid[0] = ranked[i].uuid[1];
            ranked[i].uuid[1] = swap;
        }
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

double choose_pair_bytes(const struct choose_pair *pair)
{
    return pair->vif_bytes + pair->link_bytes;
}

double choose_pair_packets(const struct choose_pair *pair)
{
    return pair->vif_packets + pair->link_packets;
}
