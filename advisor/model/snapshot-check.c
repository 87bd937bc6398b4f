/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What no single field can tell: order, and what one says of another. */
#include "model/snapshot.h"

#include "base/compare.h"
#include "model/snapshot-fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FAIL(...) jsonio_fail(in, -EINVAL, __VA_ARGS__)

static bool pool_known(const struct snapshot *snapshot, uint32_t os_index)
{
    return os_index == SNAPSHOT_NONE || snapshot_find_pool(snapshot, os_index);
}

static void check_pcpu(struct jsonio_in *in, const struct snapshot *snapshot,
                       size_t i)
{
    const struct snapshot_pcpu *pcpu = &snapshot->pcpus[i];

    if (i && pcpu->os_index <= pcpu[-1].os_index)
        FAIL("pCPU numbers must ascend");
    else if (pcpu->online && (pcpu->core == SNAPSHOT_NONE ||
                              pcpu->socket == SNAPSHOT_NONE))
        FAIL("pCPU %u is online but has no core or socket", pcpu->os_index);
    else if (pcpu->node != SNAPSHOT_NONE &&
             !snapshot_has_node(snapshot, pcpu->node))
        FAIL("pCPU %u is on node %u, which is not listed", pcpu->os_index,
             pcpu->node);
    else if (!pool_known(snapshot, pcpu->pool))
        FAIL("pCPU %u is in cpupool %u, which is not listed", pcpu->os_index,
             pcpu->pool);
}

static void check_node(struct jsonio_in *in, const struct snapshot *snapshot,
                       size_t i)
{
    const struct snapshot_node *node = &snapshot->nodes[i];

    if (i && node->os_index <= node[-1].os_index)
        FAIL("node numbers must ascend");
    else if (node->nr_distances != snapshot->nodes[0].nr_distances ||
             (node->nr_distances && node->nr_distances != snapshot->nr_nodes))
        FAIL("distances: must have %zu numbers at each node, or none",
             snapshot->nr_nodes);
}

static void check_pool(struct jsonio_in *in, const struct snapshot *snapshot,
                       size_t i)
{
    size_t j;

    for (j = 0; j < i; j++)
        if (snapshot->pools[j].os_index == snapshot->pools[i].os_index)
            FAIL("cpupool %u is listed twice", snapshot->pools[i].os_index);
}

static void check_domain(struct jsonio_in *in, const struct snapshot *snapshot,
                         size_t i)
{
    const struct snapshot_domain *domain = &snapshot->domains[i];
    size_t first = i ? domain[-1].first_vcpu + domain[-1].vcpus_max : 0;

    if (i && domain->domid <= domain[-1].domid)
        FAIL("domids must ascend");
    else if (domain->first_vcpu != first ||
             domain->vcpus_max > snapshot->nr_vcpus - first ||
             domain->vcpus_online > domain->vcpus_max)
        FAIL("domain %u: vCPUs are missing", domain->domid);
    else if (i + 1 == snapshot->nr_domains &&
             first + domain->vcpus_max != snapshot->nr_vcpus)
        FAIL("more vCPUs than domains have");
    else if (!pool_known(snapshot, domain->pool))
        FAIL("domain %u is in cpupool %u, which is not listed", domain->domid,
             domain->pool);
    else if (domain->nr_node_memory_bytes &&
             domain->nr_node_memory_bytes != snapshot->nr_nodes)
        FAIL("node_memory_bytes: must have %zu numbers", snapshot->nr_nodes);
}

static void check_vcpu(struct jsonio_in *in, const struct snapshot *snapshot,
                       size_t i)
{
    const struct snapshot_vcpu *vcpu = &snapshot->vcpus[i];
    const struct snapshot_domain *domain;

    if (vcpu->domain >= snapshot->nr_domains) {
        FAIL("a vCPU has no domain");
        return;
    }
    domain = &snapshot->domains[vcpu->domain];
    if (vcpu->vcpuid >= domain->vcpus_max ||
        domain->first_vcpu + vcpu->vcpuid != i)
        FAIL("domain %u: vcpuid must count up from 0", domain->domid);
    else if (vcpu->pcpu != SNAPSHOT_NONE &&
             !snapshot_find_pcpu(snapshot, vcpu->pcpu))
        FAIL("domain %u vCPU %u is on pCPU %u, which is not listed",
             domain->domid, vcpu->vcpuid, vcpu->pcpu);
}

static void check_switch(struct jsonio_in *in, const struct snapshot *snapshot,
                         size_t i)
{
    const struct snapshot_switch *by = &snapshot->switches[i];

    if (by->vcpu >= snapshot->nr_vcpus ||
        (by->by_domain >= snapshot->nr_domains &&
         by->by_domain != SNAPSHOT_OUTSIDE))
        FAIL("out of range");
}

static void check_traffic(struct jsonio_in *in,
                          const struct snapshot *snapshot, size_t i)
{
    const struct snapshot_traffic *traffic = &snapshot->traffic[i];

    if (traffic->from == traffic->to ||
        (traffic->from >= snapshot->nr_domains &&
         traffic->from != SNAPSHOT_OUTSIDE) ||
        (traffic->to >= snapshot->nr_domains &&
         traffic->to != SNAPSHOT_OUTSIDE))
        FAIL("from and to must be two different domains");
}

static void check_link(struct jsonio_in *in, const struct snapshot *snapshot,
                       size_t i)
{
    const struct snapshot_link_end *end = snapshot->links[i].end;

    if (end[0].domain >= snapshot->nr_domains ||
        end[1].domain >= snapshot->nr_domains ||
        end[0].domain == end[1].domain)
        FAIL("a link needs two domains");
}

static void check_note(struct jsonio_in *in, const struct snapshot *snapshot,
                       size_t i)
{
    if (!snapshot->notes[i].source || !snapshot->notes[i].text)
        FAIL("a note needs a source and a text");
}

static int compare_uuids(const void *a, const void *b, void *opaque)
{
    const struct snapshot_domain *domains = opaque;
    size_t p = *(const size_t *)a, q = *(const size_t *)b;

    return memcmp(domains[p].uuid, domains[q].uuid, 16) ?: COMPARE(p, q);
}

/* Those with the same UUID stand beside each other then: twins. */
static void order_uuids(struct jsonio_in *in, struct snapshot *snapshot)
{
    struct snapshot_domain *domains = snapshot->domains;
    size_t nr = snapshot->nr_domains, first = 0, i, *order;

    order = calloc(nr + 1, sizeof *order);
    if (!order) {
        jsonio_no_memory(in);
        return;
    }
    for (i = 0; i < nr; i++) {
        domains[i].twin = SNAPSHOT_OUTSIDE;
        order[i] = i;
    }
    qsort_r(order, nr, sizeof *order, compare_uuids, domains);
    for (i = 1; i < nr; i++) {
        if (memcmp(domains[order[i]].uuid, domains[order[first]].uuid, 16)) {
            first = i;
            continue;
        }
        domains[order[i]].twin = order[first];
        if (i == first + 1)
            domains[order[first]].twin = order[i];
    }
    free(snapshot->by_uuid);
    snapshot->by_uuid = order;
}

int snapshot_check(struct snapshot *s, char **why_r)
{
    const struct {
        const char *key;
        size_t nr;
        void (*check)(struct jsonio_in *in, const struct snapshot *snapshot,
                      size_t index);
    } lists[] = {
        { "nodes", s->nr_nodes, check_node },
        { "pools", s->nr_pools, check_pool },
        { "pcpus", s->nr_pcpus, check_pcpu },
        { "domains", s->nr_domains, check_domain },
        { "vcpus", s->nr_vcpus, check_vcpu },
        { "switches", s->nr_switches, check_switch },
        { "traffic", s->nr_traffic, check_traffic },
        { "links", s->nr_links, check_link },
        { "notes", s->nr_notes, check_note },
    };
    struct jsonio_place place = { NULL, 0, NULL };
    struct jsonio_in in = { 0 };
    size_t i, k;

    jsonio_check(&in, &snapshot_fields, s);
    in.place = &place;
    if (s->nr_vcpus && !s->nr_domains) {
        place.key = "vcpus";
        jsonio_fail(&in, -EINVAL, "more vCPUs than domains have");
    }
    for (i = 0; i < sizeof lists / sizeof *lists; i++) {
        place.key = lists[i].key;
        for (k = 0; k < lists[i].nr && !in.rc; k++) {
            place.index = k;
            lists[i].check(&in, s, k);
        }
    }
    in.place = NULL;
    if (!in.rc)
        order_uuids(&in, s);
    return jsonio_end(&in, why_r);
}
