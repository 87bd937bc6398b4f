/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/snapshot.h"

#include "base/compare.h"
#include "base/text.h"
#include "model/snapshot-fields.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int snapshot_new(struct snapshot **snapshot_r)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);

    if (!snapshot)
        return -ENOMEM;
    jsonio_init(&snapshot_fields, snapshot);
    *snapshot_r = snapshot;
    return 0;
}

void snapshot_free(struct snapshot *snapshot)
{
    size_t i;

    if (!snapshot)
        return;
    for (i = 0; i < snapshot->nr_vcpus; i++)
        jsonio_dispose(&snapshot_vcpu_fields, &snapshot->vcpus[i]);
    free(snapshot->vcpus);
    free(snapshot->switches);
    free(snapshot->by_uuid);
    jsonio_dispose(&snapshot_fields, snapshot);
    free(snapshot);
}

#define ADD(owner, list, kind, max) \
    jsonio_add_new(&snapshot_ ## kind ## _fields, &(owner)->list, \
                   &(owner)->nr_ ## list, (max))

#define ADDER(kind, list, max) \
struct snapshot_ ## kind *snapshot_add_ ## kind(struct snapshot *snapshot) \
{ \
    return ADD(snapshot, list, kind, max); \
}

ADDER(pcpu, pcpus, SNAPSHOT_PCPUS_MAX)
ADDER(cache, caches, SNAPSHOT_CACHES_MAX)
ADDER(node, nodes, SNAPSHOT_NODES_MAX)
ADDER(pool, pools, SNAPSHOT_POOLS_MAX)
ADDER(switch, switches, SNAPSHOT_SWITCHES_MAX)
ADDER(traffic, traffic, SNAPSHOT_TRAFFIC_MAX)
ADDER(link, links, SNAPSHOT_LINKS_MAX)

struct snapshot_domain *snapshot_add_domain(struct snapshot *snapshot)
{
    struct snapshot_domain *domain = ADD(snapshot, domains, domain,
                                         SNAPSHOT_DOMAINS_MAX);

    if (domain) {
        domain->first_vcpu = snapshot->nr_vcpus;
        domain->twin = SNAPSHOT_OUTSIDE;
    }
    return domain;
}

struct snapshot_vif *snapshot_add_vif(struct snapshot_domain *domain)
{
    return ADD(domain, vifs, vif, SNAPSHOT_VIFS_MAX);
}

struct snapshot_vcpu *snapshot_add_vcpu(struct snapshot *snapshot)
{
    const struct snapshot_domain *domain;
    struct snapshot_vcpu *vcpu;

    if (!snapshot->nr_domains)
        return NULL;
    domain = &snapshot->domains[snapshot->nr_domains - 1];
    vcpu = ADD(snapshot, vcpus, vcpu, SNAPSHOT_VCPUS_MAX);
    if (!vcpu)
        return NULL;
    vcpu->domain = snapshot->nr_domains - 1;
    vcpu->vcpuid = (uint32_t)(snapshot->nr_vcpus - 1 - domain->first_vcpu);
    return vcpu;
}

char *snapshot_copy_text(const char *text)
{
    char *copy = strndup(text, TEXT_BYTES_MAX);

    if (copy)
        text_clean(copy);
    return copy;
}

int snapshot_note(struct snapshot *snapshot, const char *source,
                  const char *format, ...)
{
    struct snapshot_note *note;
    char *text = NULL;
    va_list args;
    int r;

    va_start(args, format);
    r = vasprintf(&text, format, args);
    va_end(args);
    if (r < 0)
        return -ENOMEM;

    if (snapshot->nr_notes >= SNAPSHOT_NOTES_MAX) {
        free(text);
        return -E2BIG;
    }
    note = JSONIO_ADD(snapshot, notes, SNAPSHOT_NOTES_MAX);
    if (note) {
        note->source = snapshot_copy_text(source);
        note->text = snapshot_copy_text(text);
    }
    free(text);
    return note && note->source && note->text ? 0 : -ENOMEM;
}

size_t snapshot_find_domid(const struct snapshot *snapshot, uint32_t domid)
{
    size_t low = FIRST_NOT(snapshot->nr_domains, i,
                           snapshot->domains[i].domid < domid);

    if (low < snapshot->nr_domains && snapshot->domains[low].domid == domid)
        return low;
    return SNAPSHOT_OUTSIDE;
}

size_t snapshot_find_uuid(const struct snapshot *snapshot,
                          const uint8_t uuid[16])
{
    const size_t *order = snapshot->by_uuid;
    size_t low = FIRST_NOT(snapshot->nr_domains, i,
                           memcmp(snapshot->domains[order[i]].uuid, uuid,
                                  16) < 0);

    if (low < snapshot->nr_domains &&
        !memcmp(snapshot->domains[order[low]].uuid, uuid, 16))
        return order[low];
    return SNAPSHOT_OUTSIDE;
}

const struct snapshot_pcpu *snapshot_find_pcpu(const struct snapshot *snapshot,
                                               uint32_t os_index)
{
    size_t low = FIRST_NOT(snapshot->nr_pcpus, i,
                           snapshot->pcpus[i].os_index < os_index);

    if (low < snapshot->nr_pcpus && snapshot->pcpus[low].os_index == os_index)
        return &snapshot->pcpus[low];
    return NULL;
}

const struct snapshot_pool *snapshot_find_pool(const struct snapshot *snapshot,
                                               uint32_t os_index)
{
    size_t i;

    for (i = 0; i < snapshot->nr_pools; i++)
        if (snapshot->pools[i].os_index == os_index)
            return &snapshot->pools[i];
    return NULL;
}

bool snapshot_has_node(const struct snapshot *snapshot, uint32_t os_index)
{
    size_t i;

    for (i = 0; i < snapshot->nr_nodes; i++)
        if (snapshot->nodes[i].os_index == os_index)
            return true;
    return false;
}
