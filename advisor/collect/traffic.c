/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/traffic.h"

#include "base/jsonio.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void traffic_reset(struct traffic_matrix *matrix)
{
    if (!matrix)
        return;
    free(matrix->cells);
    free(matrix->received.totals);
    free(matrix->sent.totals);
    memset(matrix, 0, sizeof(*matrix));
}

uint32_t traffic_rate(double packets, double target)
{
    uint32_t rate = TRAFFIC_RATE_MIN;

    while (rate < TRAFFIC_RATE_MAX && packets / rate > target)
        rate *= 2;
    return rate;
}

static struct traffic_cell *cell_of(struct traffic_matrix *matrix,
                                    uint64_t from, uint64_t to)
{
    struct traffic_cell *cell;
    size_t i;

    /* Searched from the end: what talks, talks again. */
    for (i = matrix->nr_cells; i-- > 0; ) {
        cell = &matrix->cells[i];
        if (cell->from == from && cell->to == to)
            return cell;
    }
    cell = JSONIO_ADD(matrix, cells, SIZE_MAX);
    if (!cell)
        return NULL;
    cell->from = from;
    cell->to = to;
    return cell;
}

int traffic_add(struct traffic_matrix *matrix, uint64_t from, uint64_t to,
                const struct psample_sample *sample)
{
    struct traffic_cell *cell = cell_of(matrix, from, to);
    double packets = sample->rate;
    double bytes = packets * sample->size_bytes;

    if (!cell)
        return -ENOMEM;
    cell->samples++;
    cell->packets += packets;
    cell->packets2 += packets * packets;
    cell->bytes += bytes;
    cell->bytes2 += bytes * bytes;
    return 0;
}

const struct traffic_total *
traffic_total_of(const struct traffic_totals *totals, uint64_t vif)
{
    size_t i;

    for (i = 0; i < totals->nr_totals; i++)
        if (totals->totals[i].vif == vif)
            return &totals->totals[i];
    return NULL;
}

int traffic_add_total(struct traffic_totals *totals, uint64_t vif,
                      double packets, double bytes)
{
    struct traffic_total *total =
        (struct traffic_total *)traffic_total_of(totals, vif);

    if (!total)
        total = JSONIO_ADD(totals, totals, SIZE_MAX);
    if (!total)
        return -ENOMEM;
    total->vif = vif;
    total->packets += packets;
    total->bytes += bytes;
    return 0;
}

/* From all of them. */
static struct traffic_cell sums_at(const struct traffic_matrix *matrix,
                                   uint64_t to)
{
    struct traffic_cell sums = { 0 };
    size_t i;

    for (i = 0; i < matrix->nr_cells; i++) {
        const struct traffic_cell *cell = &matrix->cells[i];

        if (cell->to != to)
            continue;
        sums.samples += cell->samples;
        sums.packets += cell->packets;
        sums.packets2 += cell->packets2;
        sums.bytes += cell->bytes;
        sums.bytes2 += cell->bytes2;
    }
    return sums;
}

/*
 * Standard error of a sender's share r = a / all of weighted samples:
 * var = (sum over its samples of (w (1 - r))^2 + over others of (w r)^2) /
 * all^2, the linearised variance of a ratio estimate.
 */
static double share_error(double share, double own2, double all2, double all,
                          uint64_t samples)
{
    /* Samples worth counting: those of size have more to say. */
    double n = all * all / all2, floor_share;
    double variance, least;

    if (n > samples)
        n = samples;
    floor_share = (share * n + 0.5) / (n + 1);
    variance = own2 * (1 - share) * (1 - share) +
               (all2 - own2) * share * share;
    variance = variance > 0 ? variance / (all * all) : 0;
    least = floor_share * (1 - floor_share) / (n + 1);
    return sqrt(variance > least ? variance : least);
}

void traffic_estimate(const struct traffic_matrix *matrix,
                      const struct traffic_cell *cell, double correction,
                      struct traffic_estimate *estimate_r)
{
    const struct traffic_total *total = traffic_total_of(&matrix->received,
                                                         cell->to);
    struct traffic_cell all = sums_at(matrix, cell->to);
    struct traffic_estimate e = { 0 };

    if (!cell->samples || all.bytes <= 0 || all.packets <= 0) {
        *estimate_r = e;
        return;
    }
    if (total) {
        double packet_share = cell->packets / all.packets;
        double byte_share = cell->bytes / all.bytes;

        e.packets = total->packets * packet_share;
        e.packets_error = total->packets *
            share_error(packet_share, cell->packets2, all.packets2,
                        all.packets, all.samples);
        e.bytes = total->bytes * byte_share;
        e.bytes_error = total->bytes *
            share_error(byte_share, cell->bytes2, all.bytes2, all.bytes,
                        all.samples);
    } else {
        /* Each packet is taken or not by itself (Poisson sampling). */
        e.packets = cell->packets * correction;
        e.packets_error = sqrt(cell->packets2) * correction;
        e.bytes = cell->bytes * correction;
        e.bytes_error = sqrt(cell->bytes2) * correction;
    }
    *estimate_r = e;
}
