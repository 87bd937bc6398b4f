/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layout of the file; a field means what the one of the same name in
 * snapshot.h means:
 *
 * { "format": "shmlink-snapshot", "schema": 1,
 *   "time", "duration", "host", "xen_version",
 *   "pcpus": [ {"pcpu", "online", "core", "socket", "node", "pool", "idle"} ],
 *   "caches": [ {"level", "size_bytes", "pcpus"} ],
 *   "nodes": [ {"node", "size_bytes", "free_bytes", "distances": []} ],
 *   "pools": [ {"pool", "name", "scheduler", "granularity",
 *               "ratelimit_usec", "pcpus"} ],
 *   "domains": [ {"domid", "uuid", "name", "type", "state", "vcpus_online",
 *                 "weight", "cap", "pool", "memory_bytes",
 *                 "node_memory_bytes": [] or null,
 *                 "driver", "backend", "isolated", "managed",
 *                 "vifs": [ {"devid", "name", "mac", "bridge", "no_link",
 *                            "vlans"} ],
 *                 "vcpus": [ {"vcpuid", "online", "pcpu", "hard", "soft",
 *                             "hard_effective", "soft_effective",
 *                             "hard_owner", "soft_owner", "utilisation",
 *                             "wait", "block", "switches", "execution_usec",
 *                             "switched_by": [ {"domid", "per_second"} ]} ]} ],
 *   "traffic": [ {"from", "to", "from_vif", "to_vif", "via", "bytes",
 *                 "packets",
 *                 "sizes": [12 numbers] or null, "tcp", "udp", "other"} ],
 *   "links": [ {"nonce", "up", "since", "ring_bytes",
 *               "ends": [ {"domid", "vif", "counters_ok", "tx_bytes", ...},
 *                         the other end ]} ],
 *   "notes": [ {"source", "text"} ] }
 *
 * A number that is not known is null or missing.  vcpus_max is the number of
 * vcpus.  "switched_by" with domid null: the pCPU went idle.
 */
#include "model/snapshot.h"

#include "base/jsonio.h"
#include "model/snapshot-priv.h"

#include <stdlib.h>

static void put_value(struct jsonio_out *out, struct json_object *object,
                      const char *key, const struct snapshot_value *value)
{
    struct json_object *item;

    if (value->source == SNAPSHOT_SOURCE_NONE) {
        jsonio_put_null(out, object, key);
        return;
    }
    item = jsonio_put_object(out, object, key);
    jsonio_put_real(out, item, "value", value->value);
    jsonio_put_real(out, item, "error", value->error);
    jsonio_put_text(out, item, "source", snapshot_source_words[value->source]);
}

static void put_domid(struct jsonio_out *out, struct json_object *object,
                      const char *key, const struct snapshot *snapshot,
                      size_t domain)
{
    if (domain == SNAPSHOT_OUTSIDE)
        jsonio_put_null(out, object, key);
    else
        jsonio_put_uint(out, object, key, snapshot->domains[domain].domid);
}

static void put_host(struct jsonio_out *out, struct json_object *root,
                     const struct snapshot *snapshot)
{
    struct json_object *list, *item;
    const struct snapshot_pcpu *pcpu;
    const struct snapshot_pool *pool;
    size_t i;

    list = jsonio_put_list(out, root, "pcpus");
    for (i = 0; i < snapshot->nr_pcpus; i++) {
        pcpu = &snapshot->pcpus[i];
        item = jsonio_put_object(out, list, NULL);
        jsonio_put_uint(out, item, "pcpu", pcpu->os_index);
        jsonio_put_bool(out, item, "online", pcpu->online);
        jsonio_put_index(out, item, "core", pcpu->core);
        jsonio_put_index(out, item, "socket", pcpu->socket);
        jsonio_put_index(out, item, "node", pcpu->node);
        jsonio_put_index(out, item, "pool", pcpu->pool);
        put_value(out, item, "idle", &pcpu->idle);
    }
    list = jsonio_put_list(out, root, "caches");
    for (i = 0; i < snapshot->nr_caches; i++) {
        item = jsonio_put_object(out, list, NULL);
        jsonio_put_uint(out, item, "level", snapshot->caches[i].level);
        jsonio_put_uint(out, item, "size_bytes",
                        snapshot->caches[i].size_bytes);
        jsonio_put_set(out, item, "pcpus", snapshot->caches[i].pcpus);
    }
    list = jsonio_put_list(out, root, "pools");
    for (i = 0; i < snapshot->nr_pools; i++) {
        pool = &snapshot->pools[i];
        item = jsonio_put_object(out, list, NULL);
        jsonio_put_uint(out, item, "pool", pool->os_index);
        jsonio_put_text(out, item, "name", pool->name);
        jsonio_put_text(out, item, "scheduler", pool->scheduler);
        jsonio_put_text(out, item, "granularity",
                        snapshot_granularity_words[pool->granularity]);
        jsonio_put_uint(out, item, "ratelimit_usec", pool->ratelimit_usec);
        jsonio_put_set(out, item, "pcpus", pool->pcpus);
    }
}

static void put_nodes(struct jsonio_out *out, struct json_object *root,
                      const struct snapshot *snapshot)
{
    struct json_object *list, *item, *row;
    size_t nr = snapshot->nr_nodes, i, j;

    list = jsonio_put_list(out, root, "nodes");
    for (i = 0; i < nr; i++) {
        item = jsonio_put_object(out, list, NULL);
        jsonio_put_uint(out, item, "node", snapshot->nodes[i].os_index);
        jsonio_put_uint(out, item, "size_bytes",
                        snapshot->nodes[i].size_bytes);
        jsonio_put_uint(out, item, "free_bytes",
                        snapshot->nodes[i].free_bytes);
        if (!snapshot->distances)
            continue;
        row = jsonio_put_list(out, item, "distances");
        for (j = 0; j < nr; j++)
            jsonio_put_uint(out, row, NULL, snapshot->distances[i * nr + j]);
    }
}

static void put_vcpu(struct jsonio_out *out, struct json_object *list,
                     const struct snapshot *snapshot, size_t index,
                     size_t *next_switch)
{
    const struct snapshot_vcpu *vcpu = &snapshot->vcpus[index];
    const struct snapshot_switch *by;
    struct json_object *item, *entry;

    item = jsonio_put_object(out, list, NULL);
    jsonio_put_uint(out, item, "vcpuid", vcpu->vcpuid);
    jsonio_put_bool(out, item, "online", vcpu->online);
    jsonio_put_index(out, item, "pcpu", vcpu->pcpu);
    jsonio_put_set(out, item, "hard", vcpu->hard);
    jsonio_put_set(out, item, "soft", vcpu->soft);
    jsonio_put_set(out, item, "hard_effective", vcpu->hard_effective);
    jsonio_put_set(out, item, "soft_effective", vcpu->soft_effective);
    jsonio_put_text(out, item, "hard_owner",
                    snapshot_owner_words[vcpu->hard_owner]);
    jsonio_put_text(out, item, "soft_owner",
                    snapshot_owner_words[vcpu->soft_owner]);
    put_value(out, item, "utilisation", &vcpu->utilisation);
    put_value(out, item, "wait", &vcpu->wait);
    put_value(out, item, "block", &vcpu->block);
    put_value(out, item, "switches", &vcpu->switches);
    put_value(out, item, "execution_usec", &vcpu->execution_usec);

    list = jsonio_put_list(out, item, "switched_by");
    for (; *next_switch < snapshot->nr_switches; (*next_switch)++) {
        by = &snapshot->switches[*next_switch];
        if (by->vcpu != index)
            break;
        entry = jsonio_put_object(out, list, NULL);
        put_domid(out, entry, "domid", snapshot, by->by_domain);
        jsonio_put_real(out, entry, "per_second", by->per_second);
    }
}

static void put_domain(struct jsonio_out *out, struct json_object *list,
                       const struct snapshot *snapshot, size_t index,
                       size_t *next_switch)
{
    const struct snapshot_domain *domain = &snapshot->domains[index];
    struct json_object *item, *entry;
    size_t i;

    item = jsonio_put_object(out, list, NULL);
    jsonio_put_uint(out, item, "domid", domain->domid);
    jsonio_put_uuid(out, item, "uuid", domain->uuid);
    jsonio_put_text(out, item, "name", domain->name);
    jsonio_put_text(out, item, "type", snapshot_type_words[domain->type]);
    jsonio_put_text(out, item, "state", snapshot_state_words[domain->state]);
    jsonio_put_uint(out, item, "vcpus_online", domain->vcpus_online);
    jsonio_put_uint(out, item, "weight", domain->weight);
    jsonio_put_uint(out, item, "cap", domain->cap);
    jsonio_put_index(out, item, "pool", domain->pool);
    jsonio_put_uint(out, item, "memory_bytes", domain->memory_bytes);
    if (domain->node_memory_bytes) {
        list = jsonio_put_list(out, item, "node_memory_bytes");
        for (i = 0; i < snapshot->nr_nodes; i++)
            jsonio_put_uint(out, list, NULL, domain->node_memory_bytes[i]);
    }
    jsonio_put_bool(out, item, "driver", domain->driver);
    jsonio_put_bool(out, item, "backend", domain->backend);
    jsonio_put_bool(out, item, "isolated", domain->isolated);
    jsonio_put_bool(out, item, "managed", domain->managed);

    list = jsonio_put_list(out, item, "vifs");
    for (i = 0; i < domain->nr_vifs; i++) {
        entry = jsonio_put_object(out, list, NULL);
        jsonio_put_uint(out, entry, "devid", domain->vifs[i].devid);
        jsonio_put_text(out, entry, "name", domain->vifs[i].name);
        jsonio_put_mac(out, entry, "mac", domain->vifs[i].mac);
        jsonio_put_text(out, entry, "bridge", domain->vifs[i].bridge);
        jsonio_put_text(out, entry, "no_link", domain->vifs[i].no_link);
        jsonio_put_text(out, entry, "vlans", domain->vifs[i].vlans);
    }
    list = jsonio_put_list(out, item, "vcpus");
    for (i = 0; i < domain->vcpus_max; i++)
        put_vcpu(out, list, snapshot, domain->first_vcpu + i, next_switch);
}

static void put_traffic(struct jsonio_out *out, struct json_object *root,
                        const struct snapshot *snapshot)
{
    const struct snapshot_traffic *traffic;
    struct json_object *list, *item, *sizes;
    unsigned bin;
    size_t i;

    list = jsonio_put_list(out, root, "traffic");
    for (i = 0; i < snapshot->nr_traffic; i++) {
        traffic = &snapshot->traffic[i];
        item = jsonio_put_object(out, list, NULL);
        put_domid(out, item, "from", snapshot, traffic->from);
        put_domid(out, item, "to", snapshot, traffic->to);
        jsonio_put_index(out, item, "from_vif", traffic->from_vif);
        jsonio_put_index(out, item, "to_vif", traffic->to_vif);
        jsonio_put_text(out, item, "via", snapshot_via_words[traffic->via]);
        put_value(out, item, "bytes", &traffic->bytes);
        put_value(out, item, "packets", &traffic->packets);
        sizes = jsonio_put_list(out, item, "sizes");
        for (bin = 0; bin < SNAPSHOT_SIZE_BINS; bin++)
            jsonio_put_real(out, sizes, NULL, traffic->sizes[bin]);
        jsonio_put_real(out, item, "tcp", traffic->tcp);
        jsonio_put_real(out, item, "udp", traffic->udp);
        jsonio_put_real(out, item, "other", traffic->other);
    }
}

static void put_links(struct jsonio_out *out, struct json_object *root,
                      const struct snapshot *snapshot)
{
    const struct snapshot_link *link;
    const struct snapshot_link_end *end;
    struct json_object *list, *item, *ends;
    size_t i, j;

    list = jsonio_put_list(out, root, "links");
    for (i = 0; i < snapshot->nr_links; i++) {
        link = &snapshot->links[i];
        item = jsonio_put_object(out, list, NULL);
        jsonio_put_text(out, item, "nonce", link->nonce);
        jsonio_put_bool(out, item, "up", link->up);
        jsonio_put(out, item, "since", json_object_new_int64(link->since));
        jsonio_put_uint(out, item, "ring_bytes", link->ring_bytes);
        ends = jsonio_put_list(out, item, "ends");
        for (j = 0; j < 2; j++) {
            end = &link->end[j];
            item = jsonio_put_object(out, ends, NULL);
            put_domid(out, item, "domid", snapshot, end->domain);
            jsonio_put_uint(out, item, "vif", end->vif);
            jsonio_put_bool(out, item, "counters_ok", end->counters_ok);
#define PUT_RATE(field) jsonio_put_real(out, item, #field, end->field)
            PUT_RATE(tx_bytes);
            PUT_RATE(tx_packets);
            PUT_RATE(rx_bytes);
            PUT_RATE(rx_packets);
            PUT_RATE(tx_notifications);
            PUT_RATE(rx_notifications);
            PUT_RATE(tx_stalls);
            PUT_RATE(tx_drops);
            PUT_RATE(rx_drops);
        }
    }
}

int snapshot_format(const struct snapshot *snapshot, char **text_r)
{
    struct jsonio_out out = { 0 };
    struct json_object *root, *list, *item;
    size_t i, next_switch = 0;

    root = jsonio_begin(&out, SNAPSHOT_FORMAT, SNAPSHOT_SCHEMA);
    jsonio_put(&out, root, "time", json_object_new_int64(snapshot->time));
    jsonio_put_real(&out, root, "duration", snapshot->duration);
    jsonio_put_text(&out, root, "host", snapshot->host);
    jsonio_put_text(&out, root, "xen_version", snapshot->xen_version);
    put_host(&out, root, snapshot);
    put_nodes(&out, root, snapshot);
    list = jsonio_put_list(&out, root, "domains");
    for (i = 0; i < snapshot->nr_domains; i++)
        put_domain(&out, list, snapshot, i, &next_switch);
    put_traffic(&out, root, snapshot);
    put_links(&out, root, snapshot);
    list = jsonio_put_list(&out, root, "notes");
    for (i = 0; i < snapshot->nr_notes; i++) {
        item = jsonio_put_object(&out, list, NULL);
        jsonio_put_text(&out, item, "source", snapshot->notes[i].source);
        jsonio_put_text(&out, item, "text", snapshot->notes[i].text);
    }
    return jsonio_render(&out, root, text_r);
}

int snapshot_save(const struct snapshot *snapshot, const char *path)
{
    char *text = NULL;
    int rc;

    rc = snapshot_format(snapshot, &text);
    if (!rc)
        rc = jsonio_write_file(path, text, 0600);
    free(text);
    return rc;
}
