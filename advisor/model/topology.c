/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/topology.h"

#include "model/topology-tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {
    "Machine", "Package", "Group", "L4Cache", "L3Cache", "L2Cache", "L1Cache",
    "Core", "PU",
};

static int put_set(FILE *file, const char *name, hwloc_const_bitmap_t set)
{
    char *text = NULL;

    if (hwloc_bitmap_asprintf(&text, set) < 0)
        return -ENOMEM;
    fprintf(file, " %s=\"%s\"", name, text);
    free(text);
    return 0;
}

static int put_sets(FILE *file, hwloc_const_bitmap_t pcpus,
                    hwloc_const_bitmap_t complete, hwloc_const_bitmap_t nodes)
{
    int rc = put_set(file, "cpuset", pcpus);

    if (!rc)
        rc = put_set(file, "complete_cpuset", complete);
    if (!rc)
        rc = put_set(file, "nodeset", nodes);
    if (!rc)
        rc = put_set(file, "complete_nodeset", nodes);
    return rc;
}

static uint64_t node_bytes(const struct snapshot *snapshot, unsigned os_index)
{
    size_t i;

    for (i = 0; i < snapshot->nr_nodes; i++)
        if (snapshot->nodes[i].os_index == os_index)
            return snapshot->nodes[i].size_bytes;
    return 0;
}

static int put_nodes(struct topology_tree *tree, FILE *file,
                     const struct topology_item *item,
                     hwloc_const_bitmap_t complete)
{
    hwloc_bitmap_t only = hwloc_bitmap_alloc();
    int rc = only ? 0 : -ENOMEM;
    unsigned node;

    hwloc_bitmap_foreach_begin(node, item->own_nodes)
        if (rc)
            break;
        hwloc_bitmap_only(only, node);
        fprintf(file, "<object type=\"NUMANode\" os_index=\"%u\" "
                "gp_index=\"%u\" local_memory=\"%llu\"", node,
                tree->next_gp++,
                (unsigned long long)node_bytes(tree->snapshot, node));
        rc = put_sets(file, item->set, complete, only);
        fputs("/>\n", file);
    hwloc_bitmap_foreach_end();
    hwloc_bitmap_free(only);
    return rc;
}

static int put_item(struct topology_tree *tree, FILE *file,
                    const struct topology_item *item)
{
    hwloc_const_bitmap_t complete;
    const struct topology_item *child;
    int rc;

    complete = item->type == TOPOLOGY_MACHINE ? tree->complete : item->set;
    fprintf(file, "<object type=\"%s\" gp_index=\"%u\"",
            type_names[item->type], tree->next_gp++);
    if (item->type == TOPOLOGY_NODE)
        fputs(" kind=\"0\" subkind=\"0\"", file);
    else if (item->type >= TOPOLOGY_L4 && item->type <= TOPOLOGY_L1)
        fprintf(file, " cache_size=\"%llu\" depth=\"%u\" "
                "cache_linesize=\"64\" cache_associativity=\"0\" "
                "cache_type=\"%u\"", (unsigned long long)item->size_bytes,
                TOPOLOGY_L1 + 1 - item->type,
                item->type == TOPOLOGY_L1 ? 1U : 0U);
    else
        fprintf(file, " os_index=\"%u\"", item->os_index);
    rc = put_sets(file, item->set, complete, item->nodes);
    if (!rc && item->type == TOPOLOGY_MACHINE) {
        rc = put_set(file, "allowed_cpuset", item->set);
        if (!rc)
            rc = put_set(file, "allowed_nodeset", item->nodes);
    }
    fputs(">\n", file);
    if (!rc)
        rc = put_nodes(tree, file, item, complete);
    for (child = item->child; child && !rc; child = child->next)
        rc = put_item(tree, file, child);
    fputs("</object>\n", file);
    return rc;
}

int topology_xml(const struct snapshot *snapshot, char **text_r,
                 unsigned *dropped_r)
{
    struct topology_tree *tree = NULL;
    char *text = NULL;
    FILE *file = NULL;
    size_t bytes;
    int rc;

    rc = topology_tree_build(&tree, snapshot);
    if (rc)
        return rc;
    file = open_memstream(&text, &bytes);
    if (!file) {
        rc = -ENOMEM;
        goto out;
    }
    tree->next_gp = 1;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
          "<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n"
          "<topology version=\"2.0\">\n", file);
    rc = put_item(tree, file, &tree->items[0]);
    fputs("</topology>\n", file);
    if (fclose(file) && !rc)
        rc = -ENOMEM;

 out:
    if (rc) {
        free(text);
    } else {
        *text_r = text;
        if (dropped_r)
            *dropped_r = tree->dropped;
    }
    topology_tree_free(tree);
    return rc;
}

static int add_distances(hwloc_topology_t topology,
                         const struct snapshot *snapshot)
{
    size_t nr = snapshot->nr_nodes, i;
    hwloc_distances_add_handle_t handle;
    hwloc_uint64_t *values = NULL;
    hwloc_obj_t *nodes = NULL;
    int rc = 0;

    if (nr < 2 || !snapshot->nodes[0].nr_distances)
        return 0;
    nodes = calloc(nr, sizeof *nodes);
    values = calloc(nr * nr, sizeof *values);
    if (!nodes || !values) {
        rc = -ENOMEM;
        goto out;
    }
    for (i = 0; i < nr; i++)
        nodes[i] = hwloc_get_numanode_obj_by_os_index(topology,
                                            snapshot->nodes[i].os_index);
    for (i = 0; i < nr * nr; i++)
        values[i] = snapshot->nodes[i / nr].distances[i % nr];
    handle = hwloc_distances_add_create(topology, "NUMALatency",
                                        HWLOC_DISTANCES_KIND_FROM_OS |
                                        HWLOC_DISTANCES_KIND_MEANS_LATENCY,
                                        0);
    if (!handle || hwloc_distances_add_values(topology, handle, (unsigned)nr,
                                              nodes, values, 0) ||
        hwloc_distances_add_commit(topology, handle, 0))
        rc = -EIO;

 out:
    free(nodes);
    free(values);
    return rc;
}

int topology_new(hwloc_topology_t *topology_r, const struct snapshot *snapshot,
                 unsigned *dropped_r)
{
    hwloc_topology_t topology = NULL;
    char *text = NULL;
    int rc;

    rc = topology_xml(snapshot, &text, dropped_r);
    if (rc)
        return rc;
    if (hwloc_topology_init(&topology)) {
        rc = -ENOMEM;
        goto out;
    }
    if (hwloc_topology_set_xmlbuffer(topology, text, (int)strlen(text) + 1) ||
        hwloc_topology_load(topology))
        rc = -EIO;
    else
        rc = add_distances(topology, snapshot);

 out:
    free(text);
    if (rc && topology)
        hwloc_topology_destroy(topology);
    else if (!rc)
        *topology_r = topology;
    return rc;
}
