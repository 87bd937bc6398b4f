/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/snapshot.h"

#include "base/jsonio.h"
#include "model/snapshot-load.h"
#include "model/snapshot-priv.h"

#include <errno.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

void snapshot_load_value(struct jsonio_in *in, struct json_object *object,
                      const char *key, struct snapshot_value *value)
{
    struct json_object *item = NULL;

    if (in->rc || !json_object_object_get_ex(object, key, &item) || !item)
        return;
    if (!json_object_is_type(item, json_type_object)) {
        jsonio_fail(in, -EINVAL, "%s: must be an object", key);
        return;
    }
    value->value = jsonio_real(in, item, "value", 0, DBL_MAX, -1);
    value->error = jsonio_real(in, item, "error", 0, DBL_MAX, 0);
    value->source = SNAPSHOT_WORD(in, item, "source", snapshot_source_words);
}

double snapshot_load_rate(struct jsonio_in *in, struct json_object *object,
                       const char *key)
{
    return jsonio_real(in, object, key, 0, DBL_MAX, 0);
}

size_t snapshot_load_domid(struct jsonio_in *in, struct json_object *object,
                        const char *key, const struct snapshot *snapshot)
{
    uint32_t domid = jsonio_index(in, object, key);
    size_t domain;

    if (in->rc || domid == SNAPSHOT_NONE)
        return SNAPSHOT_OUTSIDE;
    domain = snapshot_find_domid(snapshot, domid);
    if (domain == SNAPSHOT_OUTSIDE)
        jsonio_fail(in, -EINVAL, "%s: no domain %u", key, domid);
    return domain;
}

static int64_t get_time(struct jsonio_in *in, struct json_object *object,
                        const char *key)
{
    return (int64_t)jsonio_uint(in, object, key, 0, INT64_MAX, 0);
}

void snapshot_load_set(struct jsonio_in *in, struct json_object *object,
                    const char *key, hwloc_bitmap_t *set)
{
    hwloc_bitmap_t read = jsonio_set(in, object, key, SNAPSHOT_PCPUS_MAX);

    if (!read)
        return;
    hwloc_bitmap_free(*set);
    *set = read;
}

static void get_pcpus(struct jsonio_in *in, struct json_object *root,
                      struct snapshot *snapshot)
{
    struct json_object *item;
    struct snapshot_pcpu *pcpu;
    struct snapshot_cache *cache;

    for (item = jsonio_first(in, root, "pcpus", SNAPSHOT_PCPUS_MAX); item;
         item = jsonio_next(in)) {
        pcpu = snapshot_add_pcpu(snapshot);
        if (!pcpu) {
            jsonio_no_memory(in);
            return;
        }
        pcpu->os_index = jsonio_index(in, item, "pcpu");
        pcpu->online = jsonio_bool(in, item, "online", true);
        pcpu->core = jsonio_index(in, item, "core");
        pcpu->socket = jsonio_index(in, item, "socket");
        pcpu->node = jsonio_index(in, item, "node");
        pcpu->pool = jsonio_index(in, item, "pool");
        snapshot_load_value(in, item, "idle", &pcpu->idle);
    }

    for (item = jsonio_first(in, root, "caches", SNAPSHOT_CACHES_MAX); item;
         item = jsonio_next(in)) {
        cache = snapshot_add_cache(snapshot);
        if (!cache) {
            jsonio_no_memory(in);
            return;
        }
        cache->level = (unsigned)jsonio_uint(in, item, "level", 1, 4, 0);
        cache->size_bytes = jsonio_uint(in, item, "size_bytes", 0,
                                        UINT64_MAX, 0);
        snapshot_load_set(in, item, "pcpus", &cache->pcpus);
    }
}

/* The node's row of nr numbers, which all nodes have or none. */
static void get_distances(struct jsonio_in *in, struct json_object *item,
                          struct snapshot *snapshot, size_t node, size_t nr)
{
    struct json_object *row, *number;
    size_t nr_row, i;

    row = jsonio_list(in, item, "distances", nr, &nr_row);
    if (!nr_row)
        return;
    if (nr_row != nr || (node && !snapshot->distances)) {
        jsonio_fail(in, -EINVAL, "distances: must have %zu numbers at "
                    "each node, or none", nr);
        return;
    }
    if (!node)
        snapshot->distances = calloc(nr * nr, sizeof *snapshot->distances);
    if (!snapshot->distances)
        jsonio_no_memory(in);
    for (i = 0; i < nr && !in->rc; i++) {
        number = json_object_array_get_idx(row, i);
        if (!json_object_is_type(number, json_type_int))
            jsonio_fail(in, -EINVAL, "distances: must be numbers");
        else
            snapshot->distances[node * nr + i] =
                (uint32_t)json_object_get_int(number);
    }
}

static void get_nodes(struct jsonio_in *in, struct json_object *root,
                      struct snapshot *snapshot)
{
    struct json_object *item;
    struct snapshot_node *node;

    for (item = jsonio_first(in, root, "nodes", SNAPSHOT_NODES_MAX); item;
         item = jsonio_next(in)) {
        node = snapshot_add_node(snapshot);
        if (!node) {
            jsonio_no_memory(in);
            break;
        }
        node->os_index = jsonio_index(in, item, "node");
        node->size_bytes = jsonio_uint(in, item, "size_bytes", 0, UINT64_MAX,
                                       0);
        node->free_bytes = jsonio_uint(in, item, "free_bytes", 0, UINT64_MAX,
                                       0);
        get_distances(in, item, snapshot, in->index, in->nr_items);
    }
}

static void get_pools(struct jsonio_in *in, struct json_object *root,
                      struct snapshot *snapshot)
{
    struct json_object *item;
    struct snapshot_pool *pool;

    for (item = jsonio_first(in, root, "pools", SNAPSHOT_POOLS_MAX); item;
         item = jsonio_next(in)) {
        pool = snapshot_add_pool(snapshot);
        if (!pool) {
            jsonio_no_memory(in);
            break;
        }
        pool->os_index = jsonio_index(in, item, "pool");
        pool->name = jsonio_text(in, item, "name");
        pool->scheduler = jsonio_text(in, item, "scheduler");
        pool->granularity = SNAPSHOT_WORD(in, item, "granularity",
                                 snapshot_granularity_words);
        pool->ratelimit_usec = (uint32_t)jsonio_uint(in, item,
                                        "ratelimit_usec", 0, UINT32_MAX, 0);
        snapshot_load_set(in, item, "pcpus", &pool->pcpus);
    }
}

static void get_traffic(struct jsonio_in *in, struct json_object *root,
                        struct snapshot *snapshot)
{
    struct json_object *item, *sizes;
    struct snapshot_traffic *traffic;
    size_t nr_sizes, bin;

    for (item = jsonio_first(in, root, "traffic", SNAPSHOT_TRAFFIC_MAX); item;
         item = jsonio_next(in)) {
        traffic = snapshot_add_traffic(snapshot);
        if (!traffic) {
            jsonio_no_memory(in);
            break;
        }
        traffic->from = snapshot_load_domid(in, item, "from", snapshot);
        traffic->to = snapshot_load_domid(in, item, "to", snapshot);
        traffic->from_vif = jsonio_index(in, item, "from_vif");
        traffic->to_vif = jsonio_index(in, item, "to_vif");
        traffic->via = SNAPSHOT_WORD(in, item, "via", snapshot_via_words);
        snapshot_load_value(in, item, "bytes", &traffic->bytes);
        snapshot_load_value(in, item, "packets", &traffic->packets);
        traffic->tcp = snapshot_load_rate(in, item, "tcp");
        traffic->udp = snapshot_load_rate(in, item, "udp");
        traffic->other = snapshot_load_rate(in, item, "other");
        sizes = jsonio_list(in, item, "sizes", SNAPSHOT_SIZE_BINS, &nr_sizes);
        for (bin = 0; bin < nr_sizes && !in->rc; bin++)
            traffic->sizes[bin] =
                json_object_get_double(json_object_array_get_idx(sizes, bin));
    }
}

static void get_link_end(struct jsonio_in *in, struct json_object *item,
                         const struct snapshot *snapshot,
                         struct snapshot_link_end *end)
{
    end->domain = snapshot_load_domid(in, item, "domid", snapshot);
    end->vif = (uint32_t)jsonio_uint(in, item, "vif", 0, UINT32_MAX, 0);
    end->counters_ok = jsonio_bool(in, item, "counters_ok", false);
    end->tx_bytes = snapshot_load_rate(in, item, "tx_bytes");
    end->tx_packets = snapshot_load_rate(in, item, "tx_packets");
    end->rx_bytes = snapshot_load_rate(in, item, "rx_bytes");
    end->rx_packets = snapshot_load_rate(in, item, "rx_packets");
    end->tx_notifications = snapshot_load_rate(in, item, "tx_notifications");
    end->rx_notifications = snapshot_load_rate(in, item, "rx_notifications");
    end->tx_stalls = snapshot_load_rate(in, item, "tx_stalls");
    end->tx_drops = snapshot_load_rate(in, item, "tx_drops");
    end->rx_drops = snapshot_load_rate(in, item, "rx_drops");
}

static void get_links(struct jsonio_in *in, struct json_object *root,
                      struct snapshot *snapshot)
{
    struct json_object *item, *ends, *end;
    struct snapshot_link *link;
    size_t nr_ends, j;

    for (item = jsonio_first(in, root, "links", SNAPSHOT_LINKS_MAX); item;
         item = jsonio_next(in)) {
        link = snapshot_add_link(snapshot);
        if (!link) {
            jsonio_no_memory(in);
            break;
        }
        jsonio_hex(in, item, "nonce", link->nonce, 32);
        link->up = jsonio_bool(in, item, "up", false);
        link->since = get_time(in, item, "since");
        link->ring_bytes = (uint32_t)jsonio_uint(in, item, "ring_bytes", 0,
                                                 UINT32_MAX, 0);
        ends = jsonio_list(in, item, "ends", 2, &nr_ends);
        if (nr_ends != 2)
            jsonio_fail(in, -EINVAL, "ends: must be two");
        for (j = 0; j < nr_ends && !in->rc; j++) {
            end = jsonio_item(in, ends, j);
            get_link_end(in, end, snapshot, &link->end[j]);
        }
    }
}

static void get_notes(struct jsonio_in *in, struct json_object *root,
                      struct snapshot *snapshot)
{
    struct json_object *item;
    char *source, *text;

    for (item = jsonio_first(in, root, "notes", SNAPSHOT_NOTES_MAX); item;
         item = jsonio_next(in)) {
        source = jsonio_text(in, item, "source");
        text = jsonio_text(in, item, "text");
        if (!in->rc && snapshot_note(snapshot, source ? source : "", "%s",
                                     text ? text : ""))
            jsonio_no_memory(in);
        free(source);
        free(text);
    }
}

static void get_all(struct jsonio_in *in, struct json_object *root,
                    struct snapshot *snapshot)
{
    jsonio_format(in, root, SNAPSHOT_FORMAT, SNAPSHOT_SCHEMA);
    snapshot->time = get_time(in, root, "time");
    snapshot->duration = jsonio_real(in, root, "duration", 0, DBL_MAX, 0);
    snapshot->host = jsonio_text(in, root, "host");
    snapshot->xen_version = jsonio_text(in, root, "xen_version");
    get_pcpus(in, root, snapshot);
    get_nodes(in, root, snapshot);
    get_pools(in, root, snapshot);
    snapshot_load_domains(in, root, snapshot);
    get_traffic(in, root, snapshot);
    get_links(in, root, snapshot);
    get_notes(in, root, snapshot);
}

int snapshot_parse(struct snapshot **snapshot_r, const char *text,
                   size_t bytes, char **why_r)
{
    struct snapshot *snapshot = NULL;
    struct jsonio_in in = { 0 };
    struct json_object *root = jsonio_parse(&in, text, bytes,
                                            SNAPSHOT_FILE_BYTES_MAX);

    if (root && snapshot_new(&snapshot))
        jsonio_no_memory(&in);
    if (!in.rc)
        get_all(&in, root, snapshot);
    json_object_put(root);
    if (!in.rc)
        in.rc = snapshot_check(snapshot, &in.why);

    if (in.rc)
        snapshot_free(snapshot);
    else
        *snapshot_r = snapshot;
    return jsonio_end(&in, why_r);
}

int snapshot_load(struct snapshot **snapshot_r, const char *path,
                  char **why_r)
{
    struct jsonio_in in = { 0 };
    char *text = NULL;
    size_t bytes;
    int rc;

    rc = jsonio_read_file(path, SNAPSHOT_FILE_BYTES_MAX, &text, &bytes);
    if (rc) {
        jsonio_fail(&in, rc, "%s", strerror(-rc));
        return jsonio_end(&in, why_r);
    }
    rc = snapshot_parse(snapshot_r, text, bytes, why_r);
    free(text);
    return rc;
}
