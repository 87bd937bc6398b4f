/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/model-parts.h"

#include "base/compare.h"
#include "base/jsonio.h"
#include "choose/model.h"
#include "choose/pairs.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* An edge before it is stored at both its ends.  met: packets that the one
 * sends the other, by whatever way. */
struct wire {
    uint32_t a, b;
    double bytes, packets, met;
    double believed;		/* of what they cost by distance */
};

struct graph {
    struct choose_model *model;
    struct wire *wires;
    size_t nr;
    bool full;
};

/* The busiest entities of a domain, with their shares of its traffic. */
struct ends {
    uint32_t entity[CHOOSE_ENDS_MAX];
    double share[CHOOSE_ENDS_MAX];
    uint32_t nr;
};

static void find_ends(const struct choose_model *model, size_t domain,
                      struct ends *ends)
{
    uint32_t i, j;
    double sum = 0;

    ends->nr = 0;
    CHOOSE_FOR_DOMAIN(i, model, domain) {
        /* Insert by falling demand; drop what falls off the end. */
        for (j = ends->nr; j > 0; j--) {
            if (model->entities[ends->entity[j - 1]].demand >=
                model->entities[i].demand)
                break;
            if (j < CHOOSE_ENDS_MAX)
                ends->entity[j] = ends->entity[j - 1];
        }
        if (j < CHOOSE_ENDS_MAX)
            ends->entity[j] = i;
        if (ends->nr < CHOOSE_ENDS_MAX)
            ends->nr++;
    }
    for (i = 0; i < ends->nr; i++)
        sum += model->entities[ends->entity[i]].demand;
    for (i = 0; i < ends->nr; i++)
        ends->share[i] = sum > 0 ?
            model->entities[ends->entity[i]].demand / sum : 1.0 / ends->nr;
}

static int add_wire(struct graph *graph, uint32_t a, uint32_t b, double bytes,
                    double packets, double met)
{
    struct wire *wire;

    if (graph->nr == CHOOSE_EDGES_MAX) {
        graph->full = true;
        return 0;
    }
    wire = jsonio_add(&graph->wires, &graph->nr, CHOOSE_EDGES_MAX,
                      sizeof *wire);
    if (!wire)
        return -ENOMEM;
    *wire = (struct wire) {
        .a = a < b ? a : b, .b = a < b ? b : a,
        .bytes = bytes, .packets = packets, .met = met,
    };
    return 0;
}

static int join(struct graph *graph, const struct ends *from,
                const struct ends *to, double bytes, double packets,
                double met)
{
    uint32_t i, j;
    double share;
    int rc = 0;

    for (i = 0; i < from->nr; i++) {
        for (j = 0; j < to->nr && !rc; j++) {
            share = from->share[i] * to->share[j];
            rc = add_wire(graph, from->entity[i], to->entity[j],
                          bytes * share, packets * share,
                          met * share);
        }
    }
    return rc;
}

static int join_pair(struct graph *graph, const struct choose_pair *pair,
                     const struct ends *backend, bool links)
{
    double bytes = pair->vif_bytes + pair->link_bytes;
    double packets = pair->vif_packets + pair->link_packets;
    double share = backend->nr ? choose_pair_link_share(pair, links) : 1;
    struct ends from, to;
    int rc = 0;

    find_ends(graph->model, pair->first, &from);
    if (pair->second == SNAPSHOT_OUTSIDE) {
        if (backend->nr)
            rc = join(graph, &from, backend, bytes, packets, packets);
        return rc;
    }
    find_ends(graph->model, pair->second, &to);
    if (!pair->answered)
        return join(graph, &from, &to, 0, 0, packets);
    rc = join(graph, &from, &to, bytes * share, packets * share, packets);
    if (share < 1) {
        bytes *= 1 - share;
        packets *= 1 - share;
        if (!rc)
            rc = join(graph, &from, backend, bytes, packets, packets);
        if (!rc)
            rc = join(graph, &to, backend, bytes, packets, packets);
    }
    return rc;
}

static int compare_wires(const void *a, const void *b)
{
    const struct wire *p = a, *q = b;

    return COMPARE(p->a, q->a) ?: COMPARE(p->b, q->b);
}

/* dom0's vCPUs, if each is pinned; else none. */
static void find_backend(const struct choose_model *model, struct ends *ends)
{
    const struct snapshot *snapshot = model->snapshot;
    size_t domain = snapshot_find_domid(snapshot, 0);
    const struct snapshot_vcpu *vcpu;
    uint32_t i;

    ends->nr = 0;
    if (domain == SNAPSHOT_OUTSIDE)
        return;
    CHOOSE_FOR_DOMAIN(i, model, domain) {
        vcpu = &snapshot->vcpus[model->entities[i].vcpu];
        if (hwloc_bitmap_isfull(vcpu->hard) && hwloc_bitmap_isfull(vcpu->soft))
            return;
    }
    find_ends(model, domain, ends);
}

static void merge(struct graph *graph)
{
    size_t i, nr = 0;

    for (i = 0; i < graph->nr; i++) {
        if (nr && !compare_wires(&graph->wires[nr - 1], &graph->wires[i])) {
            graph->wires[nr - 1].bytes += graph->wires[i].bytes;
            graph->wires[nr - 1].packets += graph->wires[i].packets;
            graph->wires[nr - 1].met += graph->wires[i].met;
        } else if (graph->wires[i].a != graph->wires[i].b) {
            graph->wires[nr++] = graph->wires[i];
        }
    }
    graph->nr = nr;
}

/* VM switches per second of all its vCPUs. */
static double switches_of(const struct choose_model *model,
                          const struct choose_entity *entity)
{
    const struct snapshot_vcpu *v = &model->snapshot->vcpus[entity->vcpu];
    double switches = 0;
    uint32_t i;

    for (i = 0; i < entity->nr_vcpus; i++)
        switches += v[i].switches.source == SNAPSHOT_SOURCE_NONE ?
                    CHOOSE_SWITCHES_UNKNOWN : v[i].switches.value;
    return switches;
}

/* What share of an entity's work so many packets per second stand for. */
static double share_of_work(double packets, double switches)
{
    return packets < switches ? packets / switches : packets > 0;
}

/*
 * The prices are guesses: nobody loses more by the distance of its peers than
 * it ran, wherever they are.  What is beyond that costs nothing; each end
 * stands for a half.
 */
static int set_believed(struct graph *graph)
{
    struct choose_model *model = graph->model;
    double *worst = calloc(model->nr_entities + 1, sizeof *worst), cost, a, b;
    double bytes = model->group_cost, packets = 0;
    struct wire *wire;
    uint32_t i;

    if (!worst)
        return -ENOMEM;
    for (i = 0; i < model->nr_nodes * model->nr_nodes; i++) {
        bytes = fmax(bytes, model->byte_cost[i]);
        packets = fmax(packets, model->packet_cost[i]);
    }
    for (wire = graph->wires; wire < graph->wires + graph->nr; wire++) {
        cost = wire->bytes * bytes + wire->packets * packets;
        worst[wire->a] += cost;
        worst[wire->b] += cost;
    }
    for (wire = graph->wires; wire < graph->wires + graph->nr; wire++) {
        a = model->entities[wire->a].run / fmax(1e-9, worst[wire->a]);
        b = model->entities[wire->b].run / fmax(1e-9, worst[wire->b]);
        wire->believed = (fmin(1, a) + fmin(1, b)) / 2;
    }
    free(worst);
    return 0;
}

static void store_edge(struct choose_model *model, uint32_t from, uint32_t to,
                       const struct wire *wire)
{
    struct choose_entity *a = &model->entities[from];
    const struct choose_entity *b = &model->entities[to];
    double of_a = switches_of(model, a), of_b = switches_of(model, b);
    double storm = fmin(wire->met, of_a + of_b) *
                   model->settings->switch_ns * 1e-9;
    double meeting = (fmin(a->demand, b->demand) - a->demand * b->demand) *
                     fmin(share_of_work(wire->met, of_a),
                          share_of_work(wire->met, of_b));

    model->edges[a->first_edge + a->nr_edges++] = (struct choose_edge) {
        .to = to, .exchanged = (float)wire->bytes,
        .bytes = (float)(wire->bytes * wire->believed),
        .packets = (float)(wire->packets * wire->believed),
        .storm = (float)fmin(a->run + b->run, storm),
        .meeting = (float)meeting,
    };
}

static int store(struct graph *graph)
{
    struct choose_model *model = graph->model;
    uint32_t next = 0, i;
    size_t w;

    model->nr_edges = (uint32_t)(2 * graph->nr);
    model->edges = arena_get(&model->arena, model->nr_edges,
                             sizeof *model->edges);
    if (!model->edges)
        return -ENOMEM;
    for (w = 0; w < graph->nr; w++) {
        model->entities[graph->wires[w].a].nr_edges++;
        model->entities[graph->wires[w].b].nr_edges++;
    }
    for (i = 0; i < model->nr_entities; i++) {
        model->entities[i].first_edge = next;
        next += model->entities[i].nr_edges;
        model->entities[i].nr_edges = 0;
    }
    for (w = 0; w < graph->nr; w++) {
        store_edge(model, graph->wires[w].a, graph->wires[w].b,
                   &graph->wires[w]);
        store_edge(model, graph->wires[w].b, graph->wires[w].a,
                   &graph->wires[w]);
    }
    return 0;
}

int choose_graph(struct choose_model *model, const struct choose_pairs *pairs,
                 bool links)
{
    struct graph graph = { .model = model };
    struct ends backend;
    size_t i;
    int rc = 0;

    find_backend(model, &backend);
    for (i = 0; i < pairs->nr_pairs && !rc && !graph.full; i++)
        rc = join_pair(&graph, &pairs->pairs[i], &backend, links);
    model->edges_dropped = graph.full;
    if (!rc && graph.nr)
        qsort(graph.wires, graph.nr, sizeof *graph.wires, compare_wires);
    if (!rc) {
        merge(&graph);
        rc = set_believed(&graph) ?: store(&graph);
    }
    free(graph.wires);
    return rc;
}
