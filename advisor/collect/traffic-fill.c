/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/traffic-fill.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* What is left of a difference must exceed its error so many times. */
#define SIGNIFICANT 2.0

/* Whose vif it is. */
static uint32_t domid_of(uint64_t vif)
{
    return (uint32_t)vif;
}

/* Index of its domain, or OUTSIDE; false: of a guest that came meanwhile. */
static bool domain_of(const struct snapshot *snapshot, uint64_t vif,
                      size_t *domain_r)
{
    *domain_r = SNAPSHOT_OUTSIDE;
    if (vif == TRAFFIC_OUTSIDE)
        return true;
    *domain_r = snapshot_find_domid(snapshot, domid_of(vif));
    return *domain_r != SNAPSHOT_OUTSIDE;
}

static uint32_t devid_of(uint64_t vif)
{
    return vif == TRAFFIC_OUTSIDE ? SNAPSHOT_NONE : (uint32_t)(vif >> 32);
}

/* What comes from or goes to a guest that came meanwhile is left out. */
static int add_row(struct snapshot *snapshot, uint64_t from, uint64_t to,
                   const struct traffic_estimate *e, double seconds,
                   enum snapshot_source source)
{
    struct snapshot_traffic *row;
    size_t from_domain, to_domain;

    if (!domain_of(snapshot, from, &from_domain) ||
        !domain_of(snapshot, to, &to_domain))
        return 0;
    row = snapshot_add_traffic(snapshot);
    if (!row)
        return -ENOMEM;
    row->from = from_domain;
    row->to = to_domain;
    row->from_vif = devid_of(from);
    row->to_vif = devid_of(to);
    row->via = SNAPSHOT_VIA_VIF;
    row->bytes.value = e->bytes / seconds;
    row->bytes.error = e->bytes_error / seconds;
    row->bytes.source = source;
    row->packets.value = e->packets / seconds;
    row->packets.error = e->packets_error / seconds;
    row->packets.source = source;
    return 0;
}

/* Towards guests: as sampled there. */
static int fill_cells(struct snapshot *snapshot,
                      const struct traffic_matrix *matrix, double correction,
                      double seconds)
{
    struct traffic_estimate e;
    size_t i;
    int rc = 0;

    for (i = 0; i < matrix->nr_cells && !rc; i++) {
        const struct traffic_cell *cell = &matrix->cells[i];

        if (cell->to == TRAFFIC_OUTSIDE || domid_of(cell->from) ==
                                           domid_of(cell->to))
            continue;
        traffic_estimate(matrix, cell, correction, &e);
        if (e.bytes > 0)
            rc = add_row(snapshot, cell->from, cell->to, &e, seconds,
                         SNAPSHOT_SOURCE_SAMPLING);
    }
    return rc;
}

/* Whether a sample at an uplink shows that something went there. */
static bool seen_outside(const struct traffic_matrix *matrix, uint64_t from)
{
    size_t i;

    for (i = 0; i < matrix->nr_cells; i++) {
        const struct traffic_cell *cell = &matrix->cells[i];

        if (cell->from == from && cell->to == TRAFFIC_OUTSIDE)
            return cell->bytes > 0;
    }
    return false;
}

static int fill_outside(struct snapshot *snapshot,
                        const struct traffic_matrix *matrix,
                        const struct traffic_total *sent, double correction,
                        double seconds)
{
    struct traffic_estimate rest = { .packets = sent->packets,
                                     .bytes = sent->bytes }, e;
    bool estimated = false;
    size_t i;

    for (i = 0; i < matrix->nr_cells; i++) {
        const struct traffic_cell *cell = &matrix->cells[i];

        if (cell->from != sent->vif || cell->to == TRAFFIC_OUTSIDE ||
            domid_of(cell->to) == domid_of(cell->from))
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
    if (!seen_outside(matrix, sent->vif) &&
        rest.bytes < SIGNIFICANT * rest.bytes_error)
        return 0;
    return add_row(snapshot, sent->vif, TRAFFIC_OUTSIDE, &rest, seconds,
                   estimated ? SNAPSHOT_SOURCE_SAMPLING :
                                        SNAPSHOT_SOURCE_COUNTER);
}

/* No samples: who is at the other end is not known. */
static int fill_received(struct snapshot *snapshot,
                         const struct traffic_total *total, double seconds)
{
    struct traffic_estimate e = { .packets = total->packets,
                                  .bytes = total->bytes };

    if (e.bytes <= 0)
        return 0;
    return add_row(snapshot, TRAFFIC_OUTSIDE, total->vif, &e, seconds,
                   SNAPSHOT_SOURCE_COUNTER);
}

int traffic_fill(struct snapshot *snapshot,
                 const struct traffic_matrix *matrix, double correction,
                 double seconds, bool sampled)
{
    size_t i;
    int rc = 0;

    if (sampled)
        rc = fill_cells(snapshot, matrix, correction, seconds);
    for (i = 0; !sampled && i < matrix->received.nr_totals && !rc; i++)
        rc = fill_received(snapshot, &matrix->received.totals[i], seconds);
    for (i = 0; i < matrix->sent.nr_totals && !rc; i++)
        rc = fill_outside(snapshot, matrix, &matrix->sent.totals[i],
                          correction, seconds);
    return rc;
}
