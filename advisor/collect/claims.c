/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/claims.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shmlink-wire.h"

/* pCPUs that a domain can have used; each vCPU one where that is not known. */
static double ran(const struct snapshot *snapshot, size_t index)
{
    const struct snapshot_domain *domain = &snapshot->domains[index];
    const struct snapshot_vcpu *vcpu;
    double sum = CLAIMS_SLACK;

    SNAPSHOT_FOR_VCPUS(vcpu, snapshot, domain) {
        if (vcpu->utilisation.source != SNAPSHOT_SOURCE_NONE)
            sum += vcpu->utilisation.value + 2 * vcpu->utilisation.error;
        else
            sum += vcpu->online;
    }
    return sum;
}

static bool possible(const struct snapshot_link_end *end, double pcpus)
{
    const double events[] = {
        end->tx_packets, end->rx_packets, end->tx_notifications,
        end->rx_notifications, end->tx_stalls, end->tx_drops, end->rx_drops,
    };
    size_t i;

    for (i = 0; i < sizeof(events) / sizeof(*events); i++) {
        if (events[i] > pcpus * CLAIMS_EVENTS_MAX)
            return false;
    }
    return end->tx_bytes + end->rx_bytes <= pcpus * CLAIMS_BYTES_MAX;
}

static void drop(struct snapshot_link_end *end)
{
    *end = (struct snapshot_link_end){ .domain = end->domain,
                                       .vif = end->vif };
}

/* One note for each guest, as long as there is room for notes. */
static int note(struct snapshot *snapshot, size_t index, double pcpus)
{
    const struct snapshot_domain *domain = &snapshot->domains[index];
    int rc;

    rc = snapshot_note(snapshot, "links", "%s (domain %u) says of its links "
                       "what cannot be, having run, or its peer, %.0f %% of "
                       "the time: its numbers are left out", domain->name,
                       domain->domid, 100 * pcpus);
    return rc == -E2BIG ? 0 : rc;
}

static int judge_end(struct snapshot *snapshot, struct snapshot_link *link,
                     unsigned int i, bool *noted)
{
    struct snapshot_link_end *end = &link->end[i];
    double pcpus = fmin(ran(snapshot, end->domain),
                        ran(snapshot, link->end[!i].domain));

    if (!end->counters_ok || possible(end, pcpus))
        return 0;
    drop(end);
    if (noted[end->domain])
        return 0;
    noted[end->domain] = true;
    return note(snapshot, end->domain, pcpus - CLAIMS_SLACK);
}

/* What one end sent and the other received. */
static int add_traffic(struct snapshot *snapshot,
                       const struct snapshot_link *link, unsigned int from)
{
    const struct snapshot_link_end *tx = &link->end[from];
    const struct snapshot_link_end *rx = &link->end[!from];
    double bytes = tx->counters_ok ? tx->tx_bytes : rx->rx_bytes;
    double packets = tx->counters_ok ? tx->tx_packets : rx->rx_packets;
    struct snapshot_traffic *traffic;

    if (!tx->counters_ok && !rx->counters_ok)
        return 0;
    traffic = snapshot_add_traffic(snapshot);
    if (!traffic)
        return -ENOMEM;
    if (rx->counters_ok) {
        bytes = fmin(bytes, rx->rx_bytes);
        packets = fmin(packets, rx->rx_packets);
    }
    traffic->from = tx->domain;
    traffic->to = rx->domain;
    traffic->from_vif = tx->vif;
    traffic->to_vif = rx->vif;
    traffic->via = SNAPSHOT_VIA_LINK;
    traffic->bytes.source = SNAPSHOT_SOURCE_COUNTER;
    traffic->packets.source = SNAPSHOT_SOURCE_COUNTER;
    traffic->bytes.value = fmin(bytes, packets * SHMLINK_FRAME_BYTES_MAX);
    traffic->packets.value = packets;
    return 0;
}

int claims_judge(struct snapshot *snapshot)
{
    bool *noted = calloc(snapshot->nr_domains + 1, sizeof(*noted));
    struct snapshot_link *link;
    size_t i;
    int rc = noted ? 0 : -ENOMEM;

    for (i = 0; i < snapshot->nr_links && !rc; i++) {
        link = &snapshot->links[i];
        rc = judge_end(snapshot, link, 0, noted) ?:
             judge_end(snapshot, link, 1, noted) ?:
             add_traffic(snapshot, link, 0) ?:
             add_traffic(snapshot, link, 1);
    }
    free(noted);
    return rc;
}
