/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what Xen says to a tree, odd hosts included. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "generate.h"
#include "model/snapshot.h"
#include "model/topology.h"

static struct snapshot *symmetric(uint32_t sockets, uint32_t cores,
                                  uint32_t threads, bool caches)
{
    struct generate options = {
        .sockets = sockets, .cores = cores, .threads = threads,
        .caches = caches, .vcpus_min = 1, .vcpus_max = 1, .seed = 1,
    };
    struct snapshot *snapshot;

    assert_int_equal(generate(&snapshot, &options), 0);
    return snapshot;
}

static struct topology_tree *load(struct snapshot *snapshot, unsigned dropped)
{
    struct topology_tree *tree = NULL;

    assert_int_equal(snapshot_check(snapshot, NULL), 0);
    assert_int_equal(topology_tree_build(&tree, snapshot), 0);
    assert_int_equal(tree->dropped, dropped);
    return tree;
}

/* The type of the closest that has both PUs. */
static enum topology_type ancestor(const struct topology_tree *tree,
                                   unsigned a, unsigned b)
{
    const struct topology_item *item = tree->owner[a];

    while (!hwloc_bitmap_isset(item->set, b))
        item = item->parent;
    return item->type;
}

static bool placed(const struct topology_tree *tree, size_t i)
{
    return !i || tree->items[i].parent;
}

static unsigned count(const struct topology_tree *tree,
                      enum topology_type type)
{
    unsigned nr = 0;
    size_t i;

    for (i = 0; i < tree->nr_items; i++)
        nr += placed(tree, i) && tree->items[i].type == type;
    return nr;
}

static int count_nodes(const struct topology_tree *tree)
{
    int nr = 0;
    size_t i;

    for (i = 0; i < tree->nr_items; i++)
        nr += placed(tree, i) ? hwloc_bitmap_weight(tree->items[i].own_nodes)
                              : 0;
    return nr;
}

static void test_empty(void **state)
{
    struct snapshot *snapshot;
    struct topology_tree *topology = NULL;

    (void)state;
    assert_int_equal(snapshot_new(&snapshot), 0);
    assert_int_equal(topology_tree_build(&topology, snapshot), -EINVAL);
    snapshot_free(snapshot);

    /* All there is, is offline. */
    snapshot = symmetric(1, 1, 1, false);
    snapshot->pcpus[0].online = false;
    assert_int_equal(topology_tree_build(&topology, snapshot), -EINVAL);
    snapshot_free(snapshot);
}

static void test_full(void **state)
{
    struct snapshot *snapshot = symmetric(8, 64, 2, true);
    struct topology_tree *topology = load(snapshot, 0);

    (void)state;
    assert_int_equal(count(topology, TOPOLOGY_PU), 1024);
    assert_int_equal(count(topology, TOPOLOGY_L3), 128);
    assert_int_equal(count_nodes(topology), 8);
    topology_tree_free(topology);
    snapshot_free(snapshot);
}

static void test_typical(void **state)
{
    struct snapshot *snapshot = symmetric(2, 8, 2, true);
    struct topology_tree *topology = load(snapshot, 0);

    (void)state;
    assert_int_equal(count(topology, TOPOLOGY_PACKAGE), 2);
    assert_int_equal(count(topology, TOPOLOGY_CORE), 16);
    assert_int_equal(ancestor(topology, 0, 1), TOPOLOGY_CORE);
    assert_int_equal(ancestor(topology, 0, 2), TOPOLOGY_L3);
    assert_int_equal(ancestor(topology, 0, 8), TOPOLOGY_PACKAGE);
    assert_int_equal(ancestor(topology, 0, 16), TOPOLOGY_MACHINE);
    topology_tree_free(topology);
    snapshot_free(snapshot);
}

/* Nodes within a package, and a node of several packages. */
static void test_nodes(void **state)
{
    struct generate options = {
        .sockets = 2, .cores = 4, .threads = 1, .nodes_per_socket = 2,
        .vcpus_min = 1, .vcpus_max = 1, .seed = 1,
    };
    struct snapshot *snapshot;
    struct topology_tree *topology;
    size_t i;

    (void)state;
    assert_int_equal(generate(&snapshot, &options), 0);
    topology = load(snapshot, 0);
    assert_int_equal(count_nodes(topology), 4);
    assert_int_equal(ancestor(topology, 0, 1), TOPOLOGY_NODE);
    assert_int_equal(ancestor(topology, 0, 2), TOPOLOGY_PACKAGE);
    assert_int_equal(hwloc_bitmap_first(topology->owner[6]->parent->parent->
                                        own_nodes), 3);
    topology_tree_free(topology);
    snapshot_free(snapshot);

    snapshot = symmetric(4, 2, 1, false);
    for (i = 0; i < snapshot->nr_pcpus; i++)
        snapshot->pcpus[i].node = snapshot->pcpus[i].socket / 2;
    topology = load(snapshot, 0);
    assert_int_equal(ancestor(topology, 0, 2), TOPOLOGY_NODE);
    assert_int_equal(ancestor(topology, 0, 4), TOPOLOGY_MACHINE);
    /* Nodes 2 and 3 have memory and no pCPU. */
    assert_int_equal(count_nodes(topology), 4);
    topology_tree_free(topology);
    snapshot_free(snapshot);
}

/* 2 cores with 2 threads and 2 with 1; a cache on one package only. */
static void test_asymmetric(void **state)
{
    struct snapshot *snapshot = symmetric(2, 2, 2, false);
    struct snapshot_cache *cache;
    struct topology_tree *topology;

    (void)state;
    snapshot->pcpus[5].online = snapshot->pcpus[7].online = false;
    snapshot->pcpus[5].core = snapshot->pcpus[7].core = SNAPSHOT_NONE;
    snapshot->pcpus[5].socket = snapshot->pcpus[7].socket = SNAPSHOT_NONE;
    snapshot->pcpus[5].node = snapshot->pcpus[7].node = SNAPSHOT_NONE;
    cache = snapshot_add_cache(snapshot);
    cache->level = 3;
    hwloc_bitmap_set_range(cache->pcpus, 0, 3);
    topology = load(snapshot, 0);
    assert_int_equal(count(topology, TOPOLOGY_PU), 6);
    assert_int_equal(count(topology, TOPOLOGY_CORE), 4);
    assert_int_equal(ancestor(topology, 0, 1), TOPOLOGY_CORE);
    /* Package and cache have the same pCPUs; the cache is the closer. */
    assert_int_equal(ancestor(topology, 0, 2), TOPOLOGY_L3);
    assert_int_equal(ancestor(topology, 4, 6), TOPOLOGY_PACKAGE);
    assert_int_equal(ancestor(topology, 0, 4), TOPOLOGY_MACHINE);
    assert_null(topology->owner[5]);
    topology_tree_free(topology);
    snapshot_free(snapshot);
}

/* What cannot be a tree is left out, cores never. */
static void test_hostile(void **state)
{
    struct snapshot *snapshot = symmetric(2, 4, 2, false);
    struct snapshot_cache *cache;
    struct topology_tree *topology;
    size_t i;

    (void)state;
    /* A cache that splits cores, two that cross, one twice. */
    cache = snapshot_add_cache(snapshot);
    cache->level = 2;
    hwloc_bitmap_set_range(cache->pcpus, 1, 2);
    for (i = 0; i < 4; i++) {
        cache = snapshot_add_cache(snapshot);
        cache->level = 3;
        hwloc_bitmap_set_range(cache->pcpus, i == 0 ? 2 : 0,
                               i == 0 ? 5 : i == 3 ? 11 : 3);
    }
    topology = load(snapshot, 4);
    assert_int_equal(count(topology, TOPOLOGY_L3), 1);
    assert_int_equal(count(topology, TOPOLOGY_CORE), 8);
    topology_tree_free(topology);
    snapshot_free(snapshot);

    /* numa=fake: every node has every second thread. */
    snapshot = symmetric(2, 2, 2, false);
    for (i = 0; i < snapshot->nr_pcpus; i++)
        snapshot->pcpus[i].node = i % 2;
    topology = load(snapshot, 2);
    assert_int_equal(count(topology, TOPOLOGY_CORE), 4);
    assert_int_equal(count_nodes(topology), 2);
    topology_tree_free(topology);
    snapshot_free(snapshot);

    /* No nodes at all, all on one core, numbers with gaps. */
    snapshot = symmetric(1, 1, 4, false);
    for (i = 0; i < snapshot->nr_nodes; i++)
        free(snapshot->nodes[i].distances);
    snapshot->nr_nodes = 0;
    for (i = 0; i < snapshot->nr_domains; i++) {
        free(snapshot->domains[i].node_memory_bytes);
        snapshot->domains[i].node_memory_bytes = NULL;
        snapshot->domains[i].nr_node_memory_bytes = 0;
    }
    for (i = 0; i < snapshot->nr_pcpus; i++) {
        snapshot->pcpus[i].node = SNAPSHOT_NONE;
        snapshot->pcpus[i].os_index = (uint32_t)(i * 1000);
        snapshot->pcpus[i].socket = 4000000000U;
        snapshot->pcpus[i].core = 4000000001U;
    }
    for (i = 0; i < snapshot->nr_vcpus; i++)
        snapshot->vcpus[i].pcpu = 0;
    topology = load(snapshot, 0);
    assert_int_equal(ancestor(topology, 0, 3000), TOPOLOGY_CORE);
    assert_int_equal(count_nodes(topology), 1);
    topology_tree_free(topology);
    snapshot_free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty), cmocka_unit_test(test_full),
        cmocka_unit_test(test_typical), cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_asymmetric), cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
