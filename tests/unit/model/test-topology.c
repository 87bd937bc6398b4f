/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what Xen says to an hwloc topology, odd hosts included. */
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

static hwloc_topology_t load(struct snapshot *snapshot, unsigned dropped)
{
    unsigned dropped_now = 99;
    hwloc_topology_t topology;

    assert_int_equal(snapshot_check(snapshot, NULL), 0);
    assert_int_equal(topology_new(&topology, snapshot, &dropped_now), 0);
    assert_int_equal(dropped_now, dropped);
    hwloc_topology_check(topology);
    assert_int_equal(hwloc_topology_is_thissystem(topology), 0);
    return topology;
}

static hwloc_obj_type_t ancestor(hwloc_topology_t topology, unsigned a,
                                 unsigned b)
{
    return hwloc_get_common_ancestor_obj(topology,
        hwloc_get_pu_obj_by_os_index(topology, a),
        hwloc_get_pu_obj_by_os_index(topology, b))->type;
}

static int count(hwloc_topology_t topology, hwloc_obj_type_t type)
{
    return hwloc_get_nbobjs_by_type(topology, type);
}

static void test_empty(void **state)
{
    struct snapshot *snapshot;
    hwloc_topology_t topology;

    (void)state;
    assert_int_equal(snapshot_new(&snapshot), 0);
    assert_int_equal(topology_new(&topology, snapshot, NULL), -EINVAL);
    snapshot_free(snapshot);

    /* All there is, is offline. */
    snapshot = symmetric(1, 1, 1, false);
    snapshot->pcpus[0].online = false;
    assert_int_equal(topology_new(&topology, snapshot, NULL), -EINVAL);
    snapshot_free(snapshot);
}

static void test_full(void **state)
{
    struct snapshot *snapshot = symmetric(8, 64, 2, true);
    hwloc_topology_t topology = load(snapshot, 0);

    (void)state;
    assert_int_equal(count(topology, HWLOC_OBJ_PU), 1024);
    assert_int_equal(count(topology, HWLOC_OBJ_L3CACHE), 128);
    assert_int_equal(count(topology, HWLOC_OBJ_NUMANODE), 8);
    hwloc_topology_destroy(topology);
    snapshot_free(snapshot);
}

static void test_typical(void **state)
{
    struct snapshot *snapshot = symmetric(2, 8, 2, true);
    hwloc_topology_t topology = load(snapshot, 0);
    struct hwloc_distances_s *distances = NULL;
    unsigned one = 1;

    (void)state;
    assert_int_equal(count(topology, HWLOC_OBJ_PACKAGE), 2);
    assert_int_equal(count(topology, HWLOC_OBJ_CORE), 16);
    assert_int_equal(ancestor(topology, 0, 1), HWLOC_OBJ_CORE);
    assert_int_equal(ancestor(topology, 0, 2), HWLOC_OBJ_L3CACHE);
    assert_int_equal(ancestor(topology, 0, 8), HWLOC_OBJ_PACKAGE);
    assert_int_equal(ancestor(topology, 0, 16), HWLOC_OBJ_MACHINE);
    assert_int_equal(hwloc_distances_get_by_name(topology, "NUMALatency",
                                                 &one, &distances, 0), 0);
    assert_int_equal(one, 1);
    assert_int_equal(distances->nbobjs, 2);
    assert_int_equal(distances->values[0], 10);
    assert_int_equal(distances->values[1], 21);
    hwloc_distances_release(topology, distances);
    hwloc_topology_destroy(topology);
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
    hwloc_topology_t topology;
    hwloc_obj_t pu;
    size_t i;

    (void)state;
    assert_int_equal(generate(&snapshot, &options), 0);
    topology = load(snapshot, 0);
    assert_int_equal(count(topology, HWLOC_OBJ_NUMANODE), 4);
    assert_int_equal(ancestor(topology, 0, 1), HWLOC_OBJ_GROUP);
    assert_int_equal(ancestor(topology, 0, 2), HWLOC_OBJ_PACKAGE);
    pu = hwloc_get_pu_obj_by_os_index(topology, 6);
    assert_int_equal(hwloc_bitmap_first(pu->nodeset), 3);
    hwloc_topology_destroy(topology);
    snapshot_free(snapshot);

    snapshot = symmetric(4, 2, 1, false);
    for (i = 0; i < snapshot->nr_pcpus; i++)
        snapshot->pcpus[i].node = snapshot->pcpus[i].socket / 2;
    topology = load(snapshot, 0);
    assert_int_equal(ancestor(topology, 0, 2), HWLOC_OBJ_GROUP);
    assert_int_equal(ancestor(topology, 0, 4), HWLOC_OBJ_MACHINE);
    /* Nodes 2 and 3 have memory and no pCPU. */
    assert_int_equal(count(topology, HWLOC_OBJ_NUMANODE), 4);
    hwloc_topology_destroy(topology);
    snapshot_free(snapshot);
}

/* 2 cores with 2 threads and 2 with 1; a cache on one package only. */
static void test_asymmetric(void **state)
{
    struct snapshot *snapshot = symmetric(2, 2, 2, false);
    struct snapshot_cache *cache;
    hwloc_topology_t topology;

    (void)state;
    snapshot->pcpus[5].online = snapshot->pcpus[7].online = false;
    snapshot->pcpus[5].core = snapshot->pcpus[7].core = SNAPSHOT_NONE;
    snapshot->pcpus[5].socket = snapshot->pcpus[7].socket = SNAPSHOT_NONE;
    snapshot->pcpus[5].node = snapshot->pcpus[7].node = SNAPSHOT_NONE;
    cache = snapshot_add_cache(snapshot);
    cache->level = 3;
    hwloc_bitmap_set_range(cache->pcpus, 0, 3);
    topology = load(snapshot, 0);
    assert_int_equal(count(topology, HWLOC_OBJ_PU), 6);
    assert_int_equal(count(topology, HWLOC_OBJ_CORE), 4);
    assert_int_equal(ancestor(topology, 0, 1), HWLOC_OBJ_CORE);
    /* Package and cache have the same pCPUs; the cache is the closer. */
    assert_int_equal(ancestor(topology, 0, 2), HWLOC_OBJ_L3CACHE);
    assert_int_equal(ancestor(topology, 4, 6), HWLOC_OBJ_PACKAGE);
    assert_int_equal(ancestor(topology, 0, 4), HWLOC_OBJ_MACHINE);
    assert_null(hwloc_get_pu_obj_by_os_index(topology, 5));
    assert_int_equal(hwloc_bitmap_weight(
        hwloc_topology_get_complete_cpuset(topology)), 8);
    hwloc_topology_destroy(topology);
    snapshot_free(snapshot);
}

/* What cannot be a tree is left out, cores never. */
static void test_hostile(void **state)
{
    struct snapshot *snapshot = symmetric(2, 4, 2, false);
    struct snapshot_cache *cache;
    hwloc_topology_t topology;
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
    assert_int_equal(count(topology, HWLOC_OBJ_L3CACHE), 1);
    assert_int_equal(count(topology, HWLOC_OBJ_CORE), 8);
    hwloc_topology_destroy(topology);
    snapshot_free(snapshot);

    /* numa=fake: every node has every second thread. */
    snapshot = symmetric(2, 2, 2, false);
    for (i = 0; i < snapshot->nr_pcpus; i++)
        snapshot->pcpus[i].node = i % 2;
    topology = load(snapshot, 2);
    assert_int_equal(count(topology, HWLOC_OBJ_CORE), 4);
    assert_int_equal(count(topology, HWLOC_OBJ_NUMANODE), 2);
    hwloc_topology_destroy(topology);
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
    assert_int_equal(ancestor(topology, 0, 3000), HWLOC_OBJ_CORE);
    assert_int_equal(count(topology, HWLOC_OBJ_NUMANODE), 1);
    hwloc_topology_destroy(topology);
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
