/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How good are the advisor's placements, and how fast?
 *
 * bench-choose exact [HOSTS]: small hosts against the exact optimum; fails if
 *   the median is more than 2 % above it, or the worst more than 5 %.
 * bench-choose large [HOSTS]: large ones against Scotch's static mapping,
 *   greedy, random and libxl's way; fails if one of them is better.
 * bench-choose size [VMS VCPUS_EACH]: time and memory of a huge host; fails
 *   at 1 second or 100 MB.
 *
 * Everything is judged by choose/model.h's cost, from an empty table: moves
 * are free here, since the question is what the search can find.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <scotch/scotch.h>

#include "choose/choose.h"
#include "choose/cost.h"
#include "choose/field.h"
#include "choose/model.h"
#include "choose/pairs.h"
#include "choose/placement.h"
#include "choose/search.h"
#include "choose/terms.h"
#include "generate.h"
#include "model/past.h"
#include "model/plan.h"

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void check(int rc, const char *what)
{
    if (!rc)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(-rc));
    exit(1);
}

struct host {
    struct snapshot *snapshot;
    struct settings settings;
    struct choose_pairs pairs;
    struct choose_model *model;
};

static void host_open(struct host *host, const struct generate *options)
{
    check(generate(&host->snapshot, options), "generate");
    check(settings_init(&host->settings), "settings");
    check(choose_pairs_new(&host->pairs, host->snapshot), "pairs");
    check(choose_model_new(&host->model, host->snapshot, &host->settings,
                           NULL, &host->pairs, NULL, false), "model");
}

static void host_close(struct host *host)
{
    choose_model_free(host->model);
    choose_pairs_free(&host->pairs);
    settings_dispose(&host->settings);
    snapshot_free(host->snapshot);
}

static double cost_of(const struct choose_placement *state)
{
    struct plan_cost cost;
    double penalty;

    choose_cost(state->model, state->slot, &cost, &penalty);
    return cost.total + penalty;
}

/* The rivals know of no rule against siblings: it is not held against them. */
static double cost_of_rival(const struct choose_placement *state)
{
    const struct choose_model *model = state->model;
    double cost = cost_of(state);
    uint32_t i, j, s, t;

    for (i = 0; i < model->nr_entities; i++) {
        s = state->slot[i];
        for (j = 0; j < i; j++) {
            t = state->slot[j];
            if (s != t && s < model->nr_slots && t < model->nr_slots &&
                model->slots[s].core == model->slots[t].core)
                cost -= choose_barred(model, &model->entities[i], s,
                                      &model->entities[j], t);
        }
    }
    return cost;
}

static double searched(const struct choose_model *model)
{
    struct choose_placement *state;
    double cost;

    check(choose_placement_new(&state, model, 0), "state");
    check(choose_search(state, UINT32_MAX, CHOOSE_EFFORT), "search");
    cost = cost_of(state);
    choose_placement_free(state);
    return cost;
}

/* --- the exact optimum: branch and bound, every marginal cost being >= 0 --- */
struct exact {
    struct choose_placement *state;
    uint32_t *order, nr;
    double best;
    uint64_t nodes;
};

static void branch(struct exact *exact, uint32_t depth, double sum)
{
    const struct choose_model *model = exact->state->model;
    double cost[65];
    uint32_t slot, entity;

    exact->nodes++;
    if (depth == exact->nr) {
        exact->best = sum;
        return;
    }
    entity = exact->order[depth];
    choose_field(exact->state, entity, cost);
    for (slot = 0; slot <= model->nr_slots; slot++) {
        if (sum + cost[slot] >= exact->best - 1e-12 ||
            (slot != model->entities[entity].home &&
             !choose_allowed(model, entity, slot)))
            continue;
        choose_placement_move(exact->state, entity, slot);
        branch(exact, depth + 1, sum + cost[slot]);
        choose_placement_move(exact->state, entity, CHOOSE_NOWHERE);
    }
}

/* The optimum, or the bound if nothing below it exists. */
static double optimum(const struct choose_model *model, double bound)
{
    struct exact exact = { .best = 0 };
    struct choose_placement *state;
    double sum, *cost;
    uint32_t i, slot;

    check(choose_placement_new(&state, model, 0), "state");
    exact.state = state;
    exact.order = calloc(model->nr_entities, sizeof(uint32_t));
    cost = calloc(model->nr_slots + 1, sizeof *cost);
    for (i = 0; i < model->nr_entities; i++)
        choose_placement_move(state, i, CHOOSE_NOWHERE);
    /* The fixed ones first: their cost is the same in every solution, as is
     * what nothing explains. */
    for (sum = model->unexplained, i = 0; i < model->nr_entities; i++) {
        if (!model->entities[i].fixed) {
            exact.order[exact.nr++] = i;
            continue;
        }
        slot = model->entities[i].home;
        choose_field(state, i, cost);
        sum += cost[slot];
        choose_placement_move(state, i, slot);
    }
    exact.best = bound;
    branch(&exact, 0, sum);
    free(cost);
    free(exact.order);
    choose_placement_free(state);
    return exact.best;
}

static int compare_doubles(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;

    return (p > q) - (p < q);
}

static int bench_exact(uint32_t hosts)
{
    double *gap, cost, best, search_time = 0, exact_time = 0, start;
    uint32_t i, vcpus = 0, optimal = 0;
    uint64_t seed = 1;

    gap = calloc(hosts, sizeof *gap);
    for (i = 0; i < hosts; i++) {
        struct generate options = {
            .sockets = 1 + generate_draw(&seed, 2), .cores = 2,
            .threads = 1 + generate_draw(&seed, 2),
            .caches = generate_draw(&seed, 2), .vms = 2 +
            generate_draw(&seed, 4), .vcpus_min = 1, .vcpus_max = 2,
            .load = 0.1 + 0.4 * generate_real(&seed), .peers = 3,
            .bytes = 5e8, .pinned = generate_draw(&seed, 2),
            .dom0_pinned = generate_draw(&seed, 2), .seed = i,
        };
        struct host host;

        host_open(&host, &options);
        vcpus += host.model->nr_movable;
        start = now();
        cost = searched(host.model);
        search_time += now() - start;
        start = now();
        best = optimum(host.model, cost + 1e-9);
        exact_time += now() - start;
        if (best > cost)
            best = cost;
        gap[i] = best > 1e-9 ? cost / best - 1 : cost > 1e-9;
        optimal += gap[i] < 1e-9;
        host_close(&host);
    }
    qsort(gap, hosts, sizeof *gap, compare_doubles);
    printf("exact: %u hosts, %.1f vCPUs each: median %.3f %%, p99 %.3f %%, "
           "worst %.3f %% above the optimum; %u optimal; search %.1f ms, "
           "branch and bound %.1f ms each\n", hosts, (double)vcpus / hosts,
           100 * gap[hosts / 2], 100 * gap[hosts * 99 / 100],
           100 * gap[hosts - 1], optimal, 1e3 * search_time / hosts,
           1e3 * exact_time / hosts);
    start = gap[hosts - 1];
    cost = gap[hosts / 2];
    free(gap);
    return cost > 0.02 || start > 0.05;
}

/* --- the rivals on large hosts -------------------------------------------- */
static void lift(struct choose_placement *state)
{
    uint32_t i;

    for (i = 0; i < state->model->nr_entities; i++)
        if (!state->model->entities[i].fixed)
            choose_placement_move(state, i, CHOOSE_NOWHERE);
}

/* Best of 50 tries. */
static double random_cost(const struct choose_model *model)
{
    struct choose_placement *state;
    uint32_t tries, i, slot;
    double best = INFINITY;
    uint64_t seed = 7;

    check(choose_placement_new(&state, model, 0), "state");
    for (tries = 0; tries < 50; tries++) {
        for (i = 0; i < model->nr_entities; i++) {
            slot = generate_draw(&seed, model->nr_slots);
            if (!model->entities[i].fixed && choose_allowed(model, i, slot))
                choose_placement_move(state, i, slot);
        }
        best = fmin(best, cost_of_rival(state));
    }
    choose_placement_free(state);
    return best;
}

struct busy {
    uint32_t entity;
    double demand;
};

static int compare_busy(const void *a, const void *b)
{
    const struct busy *p = a, *q = b;

    return (q->demand > p->demand) - (q->demand < p->demand);
}

/* Busiest first, each where it is cheapest among those placed. */
static double greedy_cost(const struct choose_model *model)
{
    struct choose_placement *state;
    struct busy *list;
    uint32_t nr = 0, i, slot, best;
    double *cost, total;

    check(choose_placement_new(&state, model, 0), "state");
    list = calloc(model->nr_entities, sizeof *list);
    cost = calloc(model->nr_slots + 1, sizeof *cost);
    for (i = 0; i < model->nr_entities; i++)
        if (!model->entities[i].fixed)
            list[nr++] = (struct busy) { i, model->entities[i].demand };
    qsort(list, nr, sizeof *list, compare_busy);
    lift(state);
    for (i = 0; i < nr; i++) {
        choose_field(state, list[i].entity, cost);
        best = model->entities[list[i].entity].home;
        for (slot = 0; slot < model->nr_slots; slot++)
            if (cost[slot] < cost[best] &&
                choose_allowed(model, list[i].entity, slot))
                best = slot;
        choose_placement_move(state, list[i].entity, best);
    }
    total = cost_of_rival(state);
    free(list);
    free(cost);
    choose_placement_free(state);
    return total;
}

/*
 * libxl's way (xl-numa-placement.7): each VM to the node with the fewest
 * vCPUs, free memory being equal; there the scheduler balances by load.
 */
static double libxl_cost(const struct choose_model *model)
{
    uint32_t vcpus[SNAPSHOT_NODES_MAX] = { 0 }, i, slot, node, best;
    struct choose_placement *state;
    double total;
    size_t d;

    check(choose_placement_new(&state, model, 0), "state");
    lift(state);
    for (d = 0; d < model->snapshot->nr_domains; d++) {
        for (node = 0, i = 1; i < model->nr_nodes; i++)
            if (vcpus[i] < vcpus[node])
                node = i;
        for (i = model->domain_first[d]; i < model->domain_end[d];
             i++) {
            if (model->entities[i].fixed)
                continue;
            vcpus[node]++;
            best = CHOOSE_NOWHERE;
            for (slot = 0; slot < model->nr_slots; slot++)
                if (model->slots[slot].node == node &&
                    (best == CHOOSE_NOWHERE ||
                     state->slots[slot].demand +
                     state->cores[model->slots[slot].core].demand <
                     state->slots[best].demand +
                     state->cores[model->slots[best].core].demand))
                    best = slot;
            choose_placement_move(state, i, best);
        }
    }
    total = cost_of_rival(state);
    choose_placement_free(state);
    return total;
}

/*
 * Scotch maps the traffic onto a tree of sockets, caches, cores and threads,
 * balanced by demand; afterwards, if polish is set, our search goes on from
 * there, to see whether its start is better than ours.
 */
static double scotch_cost(const struct choose_model *model,
                          const struct generate *options, double imbalance,
                          bool polish, double *time)
{
    SCOTCH_Num nr = (SCOTCH_Num)model->nr_entities, *first, *load, *to, *bytes;
    SCOTCH_Num *part, edges = 0, sizes[4], links[4], levels = 0;
    const struct choose_entity *entity;
    struct choose_placement *state;
    SCOTCH_Strat strat;
    SCOTCH_Graph graph;
    SCOTCH_Arch arch;
    double total, start = now();
    uint32_t i, j;

    first = calloc((size_t)nr + 1, sizeof *first);
    load = calloc((size_t)nr, sizeof *load);
    part = calloc((size_t)nr, sizeof *part);
    to = calloc(model->nr_edges + 1, sizeof *to);
    bytes = calloc(model->nr_edges + 1, sizeof *bytes);
    for (i = 0; i < model->nr_entities; i++) {
        entity = &model->entities[i];
        first[i] = edges;
        load[i] = 1 + (SCOTCH_Num)(1000 * entity->demand);
        part[i] = entity->fixed && entity->home < model->nr_slots ?
                  (SCOTCH_Num)entity->home : -1;
        for (j = 0; j < entity->nr_edges; j++) {
            to[edges] = (SCOTCH_Num)model->edges[entity->first_edge + j].to;
            bytes[edges++] = 1 + (SCOTCH_Num)
                (model->edges[entity->first_edge + j].bytes / 1e5);
        }
    }
    first[nr] = edges;
    /* Link costs as our bytes cost: socket, node, cache. */
    sizes[levels] = (SCOTCH_Num)options->sockets;
    links[levels++] = 17;
    if (options->caches && options->cores > 4) {
        sizes[levels] = (SCOTCH_Num)options->cores / 4;
        links[levels++] = 6;
        sizes[levels] = 4;
        links[levels++] = 2;
    } else {
        sizes[levels] = (SCOTCH_Num)options->cores;
        links[levels++] = 6;
    }
    if (options->threads > 1) {
        sizes[levels] = (SCOTCH_Num)options->threads;
        links[levels++] = 1;
    }
    SCOTCH_graphInit(&graph);
    SCOTCH_archInit(&arch);
    SCOTCH_stratInit(&strat);
    SCOTCH_randomReset();
    if (SCOTCH_graphBuild(&graph, 0, nr, first, NULL, load, NULL, edges, to,
                          bytes) ||
        SCOTCH_archTleaf(&arch, levels, sizes, links) ||
        SCOTCH_stratGraphMapBuild(&strat, SCOTCH_STRATQUALITY,
                                  (SCOTCH_Num)model->nr_slots, imbalance) ||
        SCOTCH_graphMapFixed(&graph, &arch, &strat, part)) {
        fprintf(stderr, "Scotch failed\n");
        exit(1);
    }
    *time = now() - start;
    check(choose_placement_new(&state, model, 0), "state");
    for (i = 0; i < model->nr_entities; i++)
        if (!model->entities[i].fixed)
            choose_placement_move(state, i, (uint32_t)part[i]);
    if (polish)
        check(choose_search(state, model->nr_movable - 1, CHOOSE_EFFORT),
              "search");
    total = polish ? cost_of(state) : cost_of_rival(state);
    choose_placement_free(state);
    SCOTCH_stratExit(&strat);
    SCOTCH_archExit(&arch);
    SCOTCH_graphExit(&graph);
    free(first);
    free(load);
    free(part);
    free(to);
    free(bytes);
    return total;
}

static int bench_large(uint32_t hosts)
{
    double own, scotch, polished, greedy, chance, libxl, best, t, time = 0;
    double scotch_time = 0, sum[7] = { 0 }, start;
    uint32_t i, worse = 0, polish_better = 0;
    uint64_t seed = 3;

    printf("large: cost in pCPUs\n%6s %6s %8s %8s %8s %8s %8s %8s\n",
           "vcpus", "pcpus", "own", "scotch", "+search", "greedy", "libxl",
           "random");
    for (i = 0; i < hosts; i++) {
        struct generate options = {
            .sockets = 1u << (1 + generate_draw(&seed, 2)), .cores = 4u <<
            generate_draw(&seed, 3), .threads = 1 + generate_draw(&seed, 2),
            .caches = generate_draw(&seed, 2), .vcpus_min = 1, .vcpus_max = 4,
            .load = 0.05 + 0.2 * generate_real(&seed), .peers = 4,
            .bytes = 3e8, .dom0_pinned = generate_draw(&seed, 2), .seed = i,
        };
        struct host host;

        options.vms = options.sockets * options.cores *
                      (1 + generate_draw(&seed, 3)) / 2;
        host_open(&host, &options);
        start = now();
        own = searched(host.model);
        time += now() - start;
        scotch = scotch_cost(host.model, &options, 0.05, false, &t);
        scotch_time += t;
        scotch = fmin(scotch, scotch_cost(host.model, &options, 0.3, false,
                                          &t));
        polished = scotch_cost(host.model, &options, 0.3, true, &t);
        greedy = greedy_cost(host.model);
        chance = random_cost(host.model);
        libxl = libxl_cost(host.model);
        best = fmin(fmin(scotch, greedy), fmin(chance, libxl));
        worse += own > best + 1e-9;
        polish_better += polished < own - 1e-9;
        printf("%6u %6u %8.3f %8.3f %8.3f %8.3f %8.3f %8.3f%s\n",
               host.model->nr_entities, host.model->nr_slots, own, scotch,
               polished, greedy, libxl, chance,
               own > best + 1e-9 ? " WORSE" : "");
        sum[0] += own;
        sum[1] += scotch;
        sum[2] += polished;
        sum[3] += greedy;
        sum[4] += libxl;
        sum[5] += chance;
        host_close(&host);
    }
    printf("mean %6s %8s %8.3f %8.3f %8.3f %8.3f %8.3f\n", "", "own=1",
           sum[1] / sum[0], sum[2] / sum[0], sum[3] / sum[0],
           sum[4] / sum[0], sum[5] / sum[0]);
    printf("large: worse than the best rival on %u of %u; search from "
           "Scotch's start better on %u; CPU time each %.3f s, Scotch "
           "%.3f s\n", worse, hosts, polish_better, time / hosts,
           scotch_time / hosts);
    return worse != 0;
}

static int bench_size(uint32_t vms, uint32_t vcpus)
{
    struct generate options = {
        .sockets = 4, .cores = 64, .threads = 2, .caches = true, .vms = vms,
        .vcpus_min = vcpus, .vcpus_max = vcpus, .load = 0.04, .peers = 6,
        .bytes = 1e8, .seed = 1,
    };
    struct past past = { 0 };
    struct settings settings;
    struct snapshot *snapshot;
    struct rusage usage;
    struct plan *plan;
    double start, time;
    unsigned moves;
    int bad = 0;

    check(generate(&snapshot, &options), "generate");
    check(settings_init(&settings), "settings");
    for (moves = 16; moves <= 65536; moves *= 4096) {
        settings.max_moves = moves;
        start = now();
        check(choose(&plan, snapshot, &settings, &past, NULL), "choose");
        time = now() - start;
        getrusage(RUSAGE_SELF, &usage);
        printf("size: %u VMs, %zu vCPUs, 512 pCPUs, %zu flows, at most %u "
               "moves: %.3f s of CPU, %ld MB in all; cost %.3f -> %.3f in "
               "%zu steps\n", vms, snapshot->nr_vcpus, snapshot->nr_traffic,
               moves, time, usage.ru_maxrss / 1024, plan->before.total,
               plan->after.total, plan->nr_steps);
        bad |= time >= 1 || usage.ru_maxrss >= 100 * 1024;
        plan_free(plan);
    }
    settings_dispose(&settings);
    snapshot_free(snapshot);
    return bad;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "all";
    uint32_t hosts = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    int bad = 0;

    if (!strcmp(what, "all") || !strcmp(what, "exact"))
        bad |= bench_exact(hosts ? hosts : 1000);
    if (!strcmp(what, "all") || !strcmp(what, "large"))
        bad |= bench_large(hosts ? hosts : 12);
    if (!strcmp(what, "all") || !strcmp(what, "size"))
        bad |= bench_size(hosts ? hosts : 1000, argc > 3 ?
                          (uint32_t)strtoul(argv[3], NULL, 10) : 4);
    return bad;
}
