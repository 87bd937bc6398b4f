/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/snapshot.h"

#include "base/jsonio.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Run + wait + block of a vCPU may be over 1 by rounding and by error. */
#define FRACTION_MAX 1.05
#define RATE_MAX 1e15
#define DOMID_RESERVED 0x7ff0U

static bool number_ok(double value, double max)
{
    return isfinite(value) && value >= 0 && value <= max;
}

static bool value_ok(const struct snapshot_value *value, double max)
{
    return number_ok(value->value, max) && number_ok(value->error, RATE_MAX) &&
           (unsigned)value->source <= SNAPSHOT_SOURCE_SAMPLING;
}

static bool set_ok(hwloc_const_bitmap_t set)
{
    int last;

    if (!set)
        return false;
    last = hwloc_bitmap_last(set);
    return hwloc_bitmap_isfull(set) || hwloc_bitmap_iszero(set) ||
           (last >= 0 && (unsigned)last < SNAPSHOT_PCPUS_MAX);
}

static bool text_ok(const char *text)
{
    return !text || jsonio_text_ok(text);
}

static bool node_known(const struct snapshot *snapshot, uint32_t os_index)
{
    size_t i;

    for (i = 0; i < snapshot->nr_nodes; i++)
        if (snapshot->nodes[i].os_index == os_index)
            return true;
    return false;
}

#define FAIL(...) jsonio_fail(in, -EINVAL, __VA_ARGS__)

static void check_pcpus(const struct snapshot *snapshot, struct jsonio_in *in)
{
    const struct snapshot_pcpu *pcpu;
    size_t i;

    in->list = "pcpus";
    for (i = 0; i < snapshot->nr_pcpus && !in->rc; i++) {
        in->index = i;
        pcpu = &snapshot->pcpus[i];
        if (pcpu->os_index >= SNAPSHOT_PCPUS_MAX ||
            (i && pcpu->os_index <= pcpu[-1].os_index))
            FAIL("pCPU numbers must ascend and be below %u",
                 SNAPSHOT_PCPUS_MAX);
        else if (pcpu->online && (pcpu->core == SNAPSHOT_NONE ||
                                  pcpu->socket == SNAPSHOT_NONE))
            FAIL("pCPU %u is online but has no core or socket",
                 pcpu->os_index);
        else if (pcpu->node != SNAPSHOT_NONE &&
                 !node_known(snapshot, pcpu->node))
            FAIL("pCPU %u is on node %u, which is not listed",
                 pcpu->os_index, pcpu->node);
        else if (pcpu->pool != SNAPSHOT_NONE &&
                 !snapshot_find_pool(snapshot, pcpu->pool))
            FAIL("pCPU %u is in cpupool %u, which is not listed",
                 pcpu->os_index, pcpu->pool);
        else if (!value_ok(&pcpu->idle, FRACTION_MAX))
            FAIL("idle of pCPU %u is out of range", pcpu->os_index);
    }

    in->list = "caches";
    for (i = 0; i < snapshot->nr_caches && !in->rc; i++) {
        in->index = i;
        if (snapshot->caches[i].level < 1 || snapshot->caches[i].level > 4)
            FAIL("cache levels are 1 to 4");
        else if (!set_ok(snapshot->caches[i].pcpus) ||
                 hwloc_bitmap_isfull(snapshot->caches[i].pcpus) ||
                 hwloc_bitmap_iszero(snapshot->caches[i].pcpus))
            FAIL("a cache needs a set of pCPUs");
    }
}

static void check_nodes(const struct snapshot *snapshot, struct jsonio_in *in)
{
    const struct snapshot_pool *pool;
    size_t i, j;

    in->list = "nodes";
    for (i = 0; i < snapshot->nr_nodes && !in->rc; i++) {
        in->index = i;
        if (snapshot->nodes[i].os_index >= SNAPSHOT_NODES_MAX ||
            (i && snapshot->nodes[i].os_index <=
                  snapshot->nodes[i - 1].os_index))
            FAIL("node numbers must ascend and be below %u",
                 SNAPSHOT_NODES_MAX);
        for (j = 0; snapshot->distances && j < snapshot->nr_nodes; j++)
            if (!snapshot->distances[i * snapshot->nr_nodes + j] ||
                snapshot->distances[i * snapshot->nr_nodes + j] > 10000)
                FAIL("a distance is out of range");
    }

    in->list = "pools";
    for (i = 0; i < snapshot->nr_pools && !in->rc; i++) {
        in->index = i;
        pool = &snapshot->pools[i];
        if (pool->os_index == SNAPSHOT_NONE)
            FAIL("a cpupool has no number");
        for (j = 0; j < i; j++)
            if (snapshot->pools[j].os_index == pool->os_index)
                FAIL("cpupool %u is listed twice", pool->os_index);
        if (!text_ok(pool->name) || !text_ok(pool->scheduler))
            FAIL("control characters in a name");
        if (!set_ok(pool->pcpus) ||
            (unsigned)pool->granularity > SNAPSHOT_GRANULARITY_SOCKET)
            FAIL("cpupool %u: pCPUs or granularity out of range",
                 pool->os_index);
    }
}

static bool vifs_ok(const struct snapshot_domain *domain)
{
    size_t i;

    for (i = 0; i < domain->nr_vifs; i++)
        if (!text_ok(domain->vifs[i].name) ||
            !text_ok(domain->vifs[i].bridge) ||
            !text_ok(domain->vifs[i].no_link) ||
            !text_ok(domain->vifs[i].vlans))
            return false;
    return true;
}

static void check_domains(const struct snapshot *snapshot,
                          struct jsonio_in *in)
{
    const struct snapshot_domain *domain;
    size_t i, next_vcpu = 0;

    in->list = "domains";
    for (i = 0; i < snapshot->nr_domains && !in->rc; i++) {
        in->index = i;
        domain = &snapshot->domains[i];
        if (domain->domid >= DOMID_RESERVED ||
            (i && domain->domid <= domain[-1].domid))
            FAIL("domids must ascend and be below %u", DOMID_RESERVED);
        else if (domain->first_vcpu != next_vcpu || !domain->name ||
                 domain->vcpus_max > snapshot->nr_vcpus - next_vcpu ||
                 domain->vcpus_online > domain->vcpus_max)
            FAIL("domain %u: its name or vCPUs are missing", domain->domid);
        else if (domain->pool != SNAPSHOT_NONE &&
                 !snapshot_find_pool(snapshot, domain->pool))
            FAIL("domain %u is in cpupool %u, which is not listed",
                 domain->domid, domain->pool);
        else if (!text_ok(domain->name) || !vifs_ok(domain))
            FAIL("domain %u: control characters in a name", domain->domid);
        else if ((unsigned)domain->type > SNAPSHOT_DOMAIN_HVM ||
                 (unsigned)domain->state > SNAPSHOT_DOMAIN_OTHER)
            FAIL("domain %u: type or state out of range", domain->domid);
        next_vcpu += domain->vcpus_max;
    }
    if (next_vcpu != snapshot->nr_vcpus)
        FAIL("more vCPUs than domains have");
}

static void check_vcpus(const struct snapshot *snapshot, struct jsonio_in *in)
{
    const struct snapshot_vcpu *vcpu;
    const struct snapshot_domain *domain;
    size_t i;

    in->list = "vcpus";
    for (i = 0; i < snapshot->nr_vcpus && !in->rc; i++) {
        in->index = i;
        vcpu = &snapshot->vcpus[i];
        if (vcpu->domain >= snapshot->nr_domains) {
            FAIL("a vCPU has no domain");
            break;
        }
        domain = &snapshot->domains[vcpu->domain];
        if (vcpu->vcpuid >= domain->vcpus_max ||
            domain->first_vcpu + vcpu->vcpuid != i)
            FAIL("domain %u: its vCPUs are not in order", domain->domid);
        else if (vcpu->pcpu != SNAPSHOT_NONE &&
                 !snapshot_find_pcpu(snapshot, vcpu->pcpu))
            FAIL("domain %u vCPU %u is on pCPU %u, which is not listed",
                 domain->domid, vcpu->vcpuid, vcpu->pcpu);
        else if (!set_ok(vcpu->hard) || !set_ok(vcpu->soft) ||
                 (vcpu->hard_effective && !set_ok(vcpu->hard_effective)) ||
                 (vcpu->soft_effective && !set_ok(vcpu->soft_effective)) ||
                 (unsigned)vcpu->hard_owner > SNAPSHOT_OWNER_SHMLINK ||
                 (unsigned)vcpu->soft_owner > SNAPSHOT_OWNER_SHMLINK)
            FAIL("domain %u vCPU %u: affinity out of range", domain->domid,
                 vcpu->vcpuid);
        else if (!value_ok(&vcpu->utilisation, FRACTION_MAX) ||
                 !value_ok(&vcpu->wait, FRACTION_MAX) ||
                 !value_ok(&vcpu->block, FRACTION_MAX) ||
                 !value_ok(&vcpu->switches, RATE_MAX) ||
                 !value_ok(&vcpu->execution_usec, RATE_MAX))
            FAIL("domain %u vCPU %u: a value is out of range", domain->domid,
                 vcpu->vcpuid);
    }

    in->list = "switches";
    for (i = 0; i < snapshot->nr_switches && !in->rc; i++) {
        in->index = i;
        if (snapshot->switches[i].vcpu >= snapshot->nr_vcpus ||
            (snapshot->switches[i].by_domain >= snapshot->nr_domains &&
             snapshot->switches[i].by_domain != SNAPSHOT_OUTSIDE) ||
            !number_ok(snapshot->switches[i].per_second, RATE_MAX))
            FAIL("out of range");
    }
}

static void check_traffic(const struct snapshot *snapshot,
                          struct jsonio_in *in)
{
    const struct snapshot_traffic *traffic;
    unsigned bin;
    size_t i;

    in->list = "traffic";
    for (i = 0; i < snapshot->nr_traffic && !in->rc; i++) {
        in->index = i;
        traffic = &snapshot->traffic[i];
        if (traffic->from == traffic->to ||
            (traffic->from >= snapshot->nr_domains &&
             traffic->from != SNAPSHOT_OUTSIDE) ||
            (traffic->to >= snapshot->nr_domains &&
             traffic->to != SNAPSHOT_OUTSIDE))
            FAIL("from and to must be two different domains");
        else if ((unsigned)traffic->via > SNAPSHOT_VIA_LINK ||
                 !value_ok(&traffic->bytes, RATE_MAX) ||
                 !value_ok(&traffic->packets, RATE_MAX) ||
                 !number_ok(traffic->tcp, RATE_MAX) ||
                 !number_ok(traffic->udp, RATE_MAX) ||
                 !number_ok(traffic->other, RATE_MAX))
            FAIL("a value is out of range");
        for (bin = 0; bin < SNAPSHOT_SIZE_BINS; bin++)
            if (!number_ok(traffic->sizes[bin], RATE_MAX))
                FAIL("a size is out of range");
    }
}

static bool link_end_ok(const struct snapshot *snapshot,
                        const struct snapshot_link_end *end)
{
    return end->domain < snapshot->nr_domains &&
           number_ok(end->tx_bytes, RATE_MAX) &&
           number_ok(end->tx_packets, RATE_MAX) &&
           number_ok(end->rx_bytes, RATE_MAX) &&
           number_ok(end->rx_packets, RATE_MAX) &&
           number_ok(end->tx_notifications, RATE_MAX) &&
           number_ok(end->rx_notifications, RATE_MAX) &&
           number_ok(end->tx_stalls, RATE_MAX) &&
           number_ok(end->tx_drops, RATE_MAX) &&
           number_ok(end->rx_drops, RATE_MAX);
}

static void check_links(const struct snapshot *snapshot, struct jsonio_in *in)
{
    size_t i;

    in->list = "links";
    for (i = 0; i < snapshot->nr_links && !in->rc; i++) {
        in->index = i;
        if (!link_end_ok(snapshot, &snapshot->links[i].end[0]) ||
            !link_end_ok(snapshot, &snapshot->links[i].end[1]) ||
            snapshot->links[i].end[0].domain ==
            snapshot->links[i].end[1].domain)
            FAIL("a link needs two domains and rates in range");
    }

    in->list = "notes";
    for (i = 0; i < snapshot->nr_notes && !in->rc; i++) {
        in->index = i;
        if (!snapshot->notes[i].text || !text_ok(snapshot->notes[i].text) ||
            !snapshot->notes[i].source || !text_ok(snapshot->notes[i].source))
            FAIL("a note needs a source and a text, both without control "
                 "characters");
    }
}

int snapshot_check(const struct snapshot *snapshot, char **why_r)
{
    struct jsonio_in check = { 0 }, *in = &check;

    if (!number_ok(snapshot->duration, 1e9))
        FAIL("duration: out of range");
    if (!text_ok(snapshot->host) || !text_ok(snapshot->xen_version))
        FAIL("control characters in a name");
    check_nodes(snapshot, in);
    check_pcpus(snapshot, in);
    check_domains(snapshot, in);
    if (!in->rc)
        check_vcpus(snapshot, in);
    check_traffic(snapshot, in);
    check_links(snapshot, in);

    if (why_r && in->rc)
        *why_r = in->why;
    else
        free(in->why);
    return in->rc;
}
