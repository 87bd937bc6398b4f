/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/traffic-fill.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

_Static_assert(TRAFFIC_SIZE_BINS == SNAPSHOT_SIZE_BINS, "the same bins");

/* What is left of a difference must exceed its error so many times. */
#define SIGNIFICANT 2.0

int traffic_add_sent(struct traffic_sent **sent, size_t *nr, uint32_t domid,
                     double packets, double bytes)
{
    struct traffic_sent *grown;
    size_t i;

    for (i = 0; i < *nr; i++) {
        if ((*sent)[i].domid == domid) {
            (*sent)[i].packets += packets;
            (*sent)[i].bytes += bytes;
            return 0;
        }
    }
    grown = realloc(*sent, (*nr + 1) * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    grown[(*nr)++] = (struct traffic_sent){ domid, packets, bytes };
    *sent = grown;
    return 0;
}

/* Index of a domid, or OUTSIDE; false: a guest that came meanwhile. */
static bool domain_of(const struct snapshot *snapshot, uint32_t domid,
                      size_t *domain_r)
{
    *domain_r = SNAPSHOT_OUTSIDE;
    if (domid == TRAFFIC_OUTSIDE)
        return true;
    *domain_r = snapshot_find_domid(snapshot, domid);
    return *domain_r != SNAPSHOT_OUTSIDE;
}

static int add_row(struct snapshot *snapshot, size_t from, size_t to,
                   const struct traffic_estimate *e, double seconds,
                   enum snapshot_source source)
{
    struct snapshot_traffic *row = snapshot_add_traffic(snapshot);
    unsigned int i;

    if (!row)
        return -ENOMEM;
    row->from = from;
    row->to = to;
    row->via = SNAPSHOT_VIA_VIF;
    row->bytes.value = e->bytes / seconds;
    row->bytes.error = e->bytes_error / seconds;
    row->bytes.source = source;
    row->packets.value = e->packets / seconds;
    row->packets.error = e->packets_error / seconds;
    row->packets.source = source;
    for (i = 0; i < SNAPSHOT_SIZE_BINS; i++)
        row->sizes[i] = e->bins[i] / seconds;
    row->tcp = e->protocol_bytes[PSAMPLE_TCP] / seconds;
    row->udp = e->protocol_bytes[PSAMPLE_UDP] / seconds;
    row->other = e->protocol_bytes[PSAMPLE_OTHER] / seconds;
    return 0;
}

/* Towards guests: as sampled there. */
static int fill_cells(struct snapshot *snapshot,
                      const struct traffic_matrix *matrix, double correction,
                      double seconds)
{
    struct traffic_estimate e;
    size_t i, from, to;
    int rc = 0;

    for (i = 0; i < matrix->nr_cells && !rc; i++) {
        const struct traffic_cell *cell = &matrix->cells[i];

        if (cell->to == TRAFFIC_OUTSIDE || cell->from == cell->to ||
            !domain_of(snapshot, cell->from, &from) ||
            !domain_of(snapshot, cell->to, &to))
            continue;
        traffic_estimate(matrix, cell, correction, &e);
        if (e.bytes > 0)
            rc = add_row(snapshot, from, to, &e, seconds,
                         SNAPSHOT_SOURCE_SAMPLING);
    }
    return rc;
}

/* Sizes and protocols from the samples at uplinks, scaled to the rest. */
static bool shape(const struct traffic_matrix *matrix, uint32_t from,
                  struct traffic_estimate *rest)
{
    struct traffic_estimate e;
    unsigned int j;
    size_t i;

    for (i = 0; i < matrix->nr_cells; i++) {
        const struct traffic_cell *cell = &matrix->cells[i];

        if (cell->from != from || cell->to != TRAFFIC_OUTSIDE)
            continue;
        traffic_estimate(matrix, cell, 1, &e);
        if (e.packets <= 0 || e.bytes <= 0)
            return false;
        for (j = 0; j < TRAFFIC_SIZE_BINS; j++)
            rest->bins[j] = e.bins[j] * rest->packets / e.packets;
        for (j = 0; j < 3; j++)
            rest->protocol_bytes[j] = e.protocol_bytes[j] * rest->bytes /
                                      e.bytes;
        return true;
    }
    return false;
}

static int fill_outside(struct snapshot *snapshot,
                        const struct traffic_matrix *matrix,
                        const struct traffic_sent *sent, double correction,
                        double seconds)
{
    struct traffic_estimate rest = { .packets = sent->packets,
                                     .bytes = sent->bytes }, e;
    bool seen, estimated = false;
    size_t i, from;

    if (!domain_of(snapshot, sent->domid, &from))
        return 0;
    for (i = 0; i < matrix->nr_cells; i++) {
        const struct traffic_cell *cell = &matrix->cells[i];

        if (cell->from != sent->domid || cell->to == TRAFFIC_OUTSIDE ||
            cell->to == cell->from)
            continue;
        traffic_estimate(matrix, cell, correction, &e);
        rest.packets -= e.packets;
        rest.bytes -= e.bytes;
        rest.packets_error = hypot(rest.packets_error, e.packets_error);
        rest.bytes_error = hypot(rest.bytes_error, e.bytes_error);
        estimated = true;
    }
    if (rest.bytes <= 0 || rest.packets <= 0)
        return 0;
    seen = shape(matrix, sent->domid, &rest);
    if (!seen && rest.bytes < SIGNIFICANT * rest.bytes_error)
        return 0;
    return add_row(snapshot, from, SNAPSHOT_OUTSIDE, &rest, seconds,
                   estimated ? SNAPSHOT_SOURCE_SAMPLING :
                                        SNAPSHOT_SOURCE_COUNTER);
}

/* No samples: who is at the other end is not known. */
static int fill_received(struct snapshot *snapshot,
                         const struct traffic_total *total, double seconds)
{
    struct traffic_estimate e = { .packets = total->packets,
                                  .bytes = total->bytes };
    size_t to;

    if (e.bytes <= 0 || !domain_of(snapshot, total->to, &to))
        return 0;
    return add_row(snapshot, SNAPSHOT_OUTSIDE, to, &e, seconds,
                   SNAPSHOT_SOURCE_COUNTER);
}

int traffic_fill(struct snapshot *snapshot,
                 const struct traffic_matrix *matrix,
                 const struct traffic_sent *sent, size_t nr_sent,
                 double correction, double seconds, bool sampled)
{
    size_t i;
    int rc = 0;

    if (sampled)
        rc = fill_cells(snapshot, matrix, correction, seconds);
    for (i = 0; !sampled && i < matrix->nr_totals && !rc; i++)
        rc = fill_received(snapshot, &matrix->totals[i], seconds);
    for (i = 0; i < nr_sent && !rc; i++)
        rc = fill_outside(snapshot, matrix, &sent[i], correction, seconds);
    return rc;
}
