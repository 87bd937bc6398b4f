/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/snapshot.h"

#include "base/jsonio.h"
#include "model/snapshot-load.h"
#include "model/snapshot-priv.h"

#include <errno.h>
#include <stdlib.h>

static void get_vifs(struct jsonio_in *in, struct json_object *object,
                     struct snapshot_domain *domain)
{
    struct json_object *list, *item;
    struct snapshot_vif *vif;
    size_t nr, i;

    list = jsonio_list(in, object, "vifs", SNAPSHOT_VIFS_MAX, &nr);
    for (i = 0; i < nr && !in->rc; i++) {
        item = jsonio_item(in, list, i);
        vif = snapshot_add_vif(domain);
        if (!vif) {
            jsonio_no_memory(in);
            return;
        }
        vif->devid = (uint32_t)jsonio_uint(in, item, "devid", 0, UINT32_MAX,
                                           0);
        vif->name = jsonio_text(in, item, "name");
        jsonio_mac(in, item, "mac", vif->mac);
        vif->bridge = jsonio_text(in, item, "bridge");
        vif->no_link = jsonio_text(in, item, "no_link");
        vif->vlans = jsonio_text(in, item, "vlans");
    }
}

static void get_vcpus(struct jsonio_in *in, struct json_object *object,
                      struct snapshot *snapshot)
{
    struct json_object *list, *item;
    struct snapshot_vcpu *vcpu;
    size_t nr, i;

    list = jsonio_list(in, object, "vcpus",
                       SNAPSHOT_VCPUS_MAX - snapshot->nr_vcpus, &nr);
    for (i = 0; i < nr && !in->rc; i++) {
        item = jsonio_item(in, list, i);
        vcpu = snapshot_add_vcpu(snapshot);
        if (!vcpu) {
            jsonio_no_memory(in);
            return;
        }
        if (jsonio_uint(in, item, "vcpuid", 0, UINT32_MAX, i) != i)
            jsonio_fail(in, -EINVAL, "vcpus: vcpuid must count up from 0");
        vcpu->online = jsonio_bool(in, item, "online", true);
        vcpu->pcpu = jsonio_index(in, item, "pcpu");
        snapshot_load_set(in, item, "hard", &vcpu->hard);
        snapshot_load_set(in, item, "soft", &vcpu->soft);
        snapshot_load_set(in, item, "hard_effective", &vcpu->hard_effective);
        snapshot_load_set(in, item, "soft_effective", &vcpu->soft_effective);
        vcpu->hard_owner = SNAPSHOT_WORD(in, item, "hard_owner",
                                         snapshot_owner_words);
        vcpu->soft_owner = SNAPSHOT_WORD(in, item, "soft_owner",
                                         snapshot_owner_words);
        snapshot_load_value(in, item, "utilisation", &vcpu->utilisation);
        snapshot_load_value(in, item, "wait", &vcpu->wait);
        snapshot_load_value(in, item, "block", &vcpu->block);
        snapshot_load_value(in, item, "switches", &vcpu->switches);
        snapshot_load_value(in, item, "execution_usec", &vcpu->execution_usec);
    }
    snapshot->domains[snapshot->nr_domains - 1].vcpus_max = (uint32_t)nr;
}

static void get_node_memory(struct jsonio_in *in, struct json_object *object,
                            struct snapshot_domain *domain, size_t nr_nodes)
{
    struct json_object *list;
    size_t nr, i;

    list = jsonio_list(in, object, "node_memory_bytes", SNAPSHOT_NODES_MAX,
                       &nr);
    if (!list)
        return;
    if (nr != nr_nodes) {
        jsonio_fail(in, -EINVAL, "node_memory_bytes: must have %zu numbers",
                    nr_nodes);
        return;
    }
    domain->node_memory_bytes = calloc(nr + 1, sizeof(uint64_t));
    if (!domain->node_memory_bytes)
        jsonio_no_memory(in);
    for (i = 0; i < nr && !in->rc; i++)
        domain->node_memory_bytes[i] =
            json_object_get_uint64(json_object_array_get_idx(list, i));
}

static void get_domain(struct jsonio_in *in, struct json_object *item,
                       struct snapshot *snapshot)
{
    struct snapshot_domain *domain = snapshot_add_domain(snapshot);

    if (!domain) {
        jsonio_no_memory(in);
        return;
    }
    domain->domid = jsonio_index(in, item, "domid");
    jsonio_uuid(in, item, "uuid", domain->uuid);
    domain->name = jsonio_text(in, item, "name");
    domain->type = SNAPSHOT_WORD(in, item, "type", snapshot_type_words);
    domain->state = SNAPSHOT_WORD(in, item, "state", snapshot_state_words);
    domain->vcpus_online = (uint32_t)jsonio_uint(in, item, "vcpus_online", 0,
                                                 SNAPSHOT_VCPUS_MAX, 0);
    domain->weight = (uint32_t)jsonio_uint(in, item, "weight", 0, UINT32_MAX,
                                           0);
    domain->cap = (uint32_t)jsonio_uint(in, item, "cap", 0, UINT32_MAX, 0);
    domain->pool = jsonio_index(in, item, "pool");
    domain->memory_bytes = jsonio_uint(in, item, "memory_bytes", 0,
                                       UINT64_MAX, 0);
    domain->driver = jsonio_bool(in, item, "driver", false);
    domain->backend = jsonio_bool(in, item, "backend", false);
    domain->isolated = jsonio_bool(in, item, "isolated", false);
    domain->managed = jsonio_bool(in, item, "managed", true);
    get_node_memory(in, item, domain, snapshot->nr_nodes);
    get_vifs(in, item, domain);
    get_vcpus(in, item, snapshot);
}

/* Second pass, when all domains are known. */
static void get_switches(struct jsonio_in *in, struct json_object *object,
                         struct snapshot *snapshot,
                         const struct snapshot_domain *domain)
{
    struct json_object *vcpus, *list, *item;
    struct snapshot_switch *by;
    size_t nr, nr_by, i, j;

    vcpus = jsonio_list(in, object, "vcpus", SNAPSHOT_VCPUS_MAX, &nr);
    for (i = 0; i < nr && !in->rc; i++) {
        list = jsonio_list(in, json_object_array_get_idx(vcpus, i),
                           "switched_by",
                           SNAPSHOT_SWITCHES_MAX - snapshot->nr_switches,
                           &nr_by);
        for (j = 0; j < nr_by && !in->rc; j++) {
            item = jsonio_item(in, list, j);
            by = snapshot_add_switch(snapshot);
            if (!by) {
                jsonio_no_memory(in);
                return;
            }
            by->vcpu = domain->first_vcpu + i;
            by->by_domain = snapshot_load_domid(in, item, "domid", snapshot);
            by->per_second = snapshot_load_rate(in, item, "per_second");
        }
    }
}

void snapshot_load_domains(struct jsonio_in *in, struct json_object *root,
                        struct snapshot *snapshot)
{
    struct json_object *item;

    for (item = jsonio_first(in, root, "domains", SNAPSHOT_DOMAINS_MAX); item;
         item = jsonio_next(in))
        get_domain(in, item, snapshot);
    for (item = jsonio_first(in, root, "domains", SNAPSHOT_DOMAINS_MAX); item;
         item = jsonio_next(in))
        get_switches(in, item, snapshot, &snapshot->domains[in->index]);
}
