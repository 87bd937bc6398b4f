/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who talks to whom over the vifs: psample filters where traffic leaves to
 * guests and uplinks, at a rate that follows the load, and exact counters.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "base/jsonio.h"
#include "collect/collect.h"
#include "collect/interfaces.h"
#include "collect/psample-socket.h"
#include "collect/sampler.h"
#include "collect/traffic-fill.h"

/* Samples per second to aim at, of the whole host. */
#define TARGET      200.0
#define ADAPT_NS    200000000ULL
#define RATE_FIRST  64U

/* A port with our filter. */
struct tapped {
    struct interface port;           /* counters: as it was attached */
    uint32_t rate;
    bool on;
    bool lost;                  /* on, but somebody removed the filter */
    bool gone;                  /* its last counts are not known */
    uint64_t samples;           /* since the last look */
};

struct tapping {
    struct nl_sock *route;
    struct psample_socket *socket;
    struct interfaces ports;         /* the latest */
    struct tapped *taps;
    size_t nr_taps;
    struct traffic_matrix matrix;
    uint32_t group;
    uint64_t due_ns, looked_ns;
    bool sampled;
    bool narrow;                /* 16 bit interface numbers did not do */
    unsigned int changes;
    int rc;                     /* of counting a sample */
};

static void close_traffic(void *state)
{
    struct tapping *tapping = state;
    size_t i;

    if (!tapping)
        return;
    for (i = 0; i < tapping->nr_taps; i++) {
        if (tapping->taps[i].on)
            sampler_detach(tapping->route, tapping->taps[i].port.ifindex);
    }
    psample_socket_close(tapping->socket);
    if (tapping->route)
        nl_socket_free(tapping->route);
    interfaces_dispose(&tapping->ports);
    traffic_reset(&tapping->matrix);
    free(tapping->taps);
    free(tapping);
}

static uint64_t end_of(const struct interface *port)
{
    return port && port->kind != PORT_UPLINK
        ? traffic_vif(port->domid, port->devid) : TRAFFIC_OUTSIDE;
}

static struct tapped *tapped_by(struct tapping *tapping, uint32_t ifindex,
                                bool wide)
{
    size_t i;

    for (i = 0; i < tapping->nr_taps; i++) {
        uint32_t known = tapping->taps[i].port.ifindex;

        if ((wide ? known : (known & 0xffff)) == ifindex)
            return &tapping->taps[i];
    }
    return NULL;
}

static void take(void *opaque, const struct psample_sample *sample)
{
    struct tapping *tapping = opaque;
    struct tapped *to = tapped_by(tapping, sample->oif, sample->wide);
    struct tapped *from = tapped_by(tapping, sample->iif, sample->wide);
    int rc;

    if (!to)
        return;
    to->samples++;
    rc = traffic_add(&tapping->matrix, end_of(from ? &from->port : NULL),
                     end_of(&to->port), sample);
    if (rc)
        tapping->rc = rc;
}

static int attach(struct collect *collect, struct tapping *tapping,
                  const struct interface *port)
{
    struct tapped *tap;
    bool late;
    int rc = 0;

    tap = JSONIO_ADD(tapping, taps, SIZE_MAX);
    if (!tap)
        return -ENOMEM;
    *tap = (struct tapped){ .port = *port, .rate = RATE_FIRST };
    if (tapping->sampled) {
        rc = sampler_attach(tapping->route, port->ifindex, tap->rate,
                            tapping->group, &late);
        if (rc) {
            tapping->nr_taps--;
            return rc == -ENODEV ? 0 : rc;      /* gone again */
        }
        tap->on = true;
        if (late)
            rc = snapshot_note(collect->snapshot, "psample", "at %s others' "
                               "filters come first: what they let through at "
                               "once is not in the samples", port->name);
    }
    tapping->narrow |= port->ifindex > 0xffff;
    return rc;
}

/* Interfaces came or went. */
static int follow(struct collect *collect, struct tapping *tapping)
{
    struct interfaces now;
    size_t i;
    int rc = interfaces_read(&now, collect->options->sysfs_net);

    if (rc)
        return rc;
    for (i = 0; i < tapping->nr_taps; i++) {
        struct tapped *tap = &tapping->taps[i];

        if (!tap->gone &&
            !interfaces_by_ifindex(&now, tap->port.ifindex)) {
            tap->gone = true;
            tap->on = false;    /* the filter went with the interface */
            tapping->changes++;
        }
    }
    for (i = 0; i < now.nr && !rc; i++) {
        if (tapped_by(tapping, now.port[i].ifindex, true))
            continue;
        tapping->changes++;
        rc = attach(collect, tapping, &now.port[i]);
    }
    interfaces_dispose(&tapping->ports);
    tapping->ports = now;
    return rc;
}

static int note_missing(struct collect *collect, int rc)
{
    const char *why = "cannot be set up";

    if (rc == -ENOENT)
        why = "are not in this kernel: modules psample, act_sample, "
              "cls_matchall and sch_ingress are needed";
    else if (rc == -EPERM)
        why = "are not allowed to this user";
    else if (rc == -EEXIST)
        why = "are in use by another collection";
    return snapshot_note(collect->snapshot, "psample", "traffic samples %s "
                         "(error %d); who talks to whom is not known, and "
                         "all traffic of the vifs is given as with the "
                         "outside", why, -rc);
}

/* Try to sample; without it there are the counters. */
static int start_sampling(struct collect *collect, struct tapping *tapping)
{
    unsigned int stale = 0;
    bool late;
    size_t i;
    int rc;

    tapping->group = collect->options->group;
    rc = sampler_open(&tapping->route);
    if (rc)
        return rc;
    sampler_sweep(tapping->route, &stale);
    if (stale)
        snapshot_note(collect->snapshot, "psample", "removed %u filters that "
                      "an earlier collection had left", stale);
    /* The first filter loads the module that the socket needs. */
    for (i = 0, rc = -ENODEV; i < tapping->ports.nr && rc == -ENODEV; i++) {
        uint32_t ifindex = tapping->ports.port[i].ifindex;

        rc = sampler_attach(tapping->route, ifindex, RATE_FIRST, tapping->group,
                            &late);
        if (!rc)
            sampler_detach(tapping->route, ifindex);
    }
    if (rc)
        return rc;
    return psample_socket_open(&tapping->socket, tapping->group, take,
                               tapping);
}

static int begin(struct collect *collect, void **state_r)
{
    struct tapping *tapping;
    size_t i;
    int rc;

    if (collect->options->seconds <= 0)
        return -ENOTSUP;
    tapping = calloc(1, sizeof(*tapping));
    if (!tapping)
        return -ENOMEM;
    rc = interfaces_read(&tapping->ports, collect->options->sysfs_net);
    if (rc)
        goto out;
    if (tapping->ports.nr && !tapping->ports.bridge)
        rc = snapshot_note(collect->snapshot, "network", "no Linux bridge "
                           "has a vif (Open vSwitch, or routed): libxenstat "
                           "sees no traffic here, the interfaces' own "
                           "counters are used");
    if (rc)
        goto out;
    if (collect->options->traffic && tapping->ports.nr) {
        rc = start_sampling(collect, tapping);
        tapping->sampled = rc == 0;
        if (rc)
            rc = note_missing(collect, rc);
    }
    for (i = 0; i < tapping->ports.nr && !rc; i++)
        rc = attach(collect, tapping, &tapping->ports.port[i]);
    tapping->looked_ns = collect_now_ns();
    tapping->due_ns = tapping->sampled ? tapping->looked_ns + ADAPT_NS :
                                         UINT64_MAX;
out:
    if (rc)
        close_traffic(tapping);
    else
        *state_r = tapping;
    return rc;
}

static int fd(void *state)
{
    struct tapping *tapping = state;

    return tapping->socket ? psample_socket_fd(tapping->socket) : -1;
}

static uint64_t due(void *state)
{
    return ((struct tapping *)state)->due_ns;
}

/* Each port's rate after the packets that its samples stand for. */
static void adapt(struct tapping *tapping, uint64_t now)
{
    double seconds = (now - tapping->looked_ns) / 1e9;
    size_t i, busy = 0;

    for (i = 0; i < tapping->nr_taps; i++)
        busy += tapping->taps[i].samples > 0;
    for (i = 0; i < tapping->nr_taps && seconds > 0; i++) {
        struct tapped *tap = &tapping->taps[i];
        double packets = tap->samples * (double)tap->rate / seconds;
        uint32_t rate = traffic_rate(packets, TARGET / (busy ? busy : 1));
        int rc;

        /* With no sample, all that is known is that packets are few. */
        if (!tap->samples)
            rate = tap->rate / 2 ? tap->rate / 2 : 1;
        tap->samples = 0;
        /* Down only by steps of 4: a load that varies does not flap it. */
        if (!tap->on || tap->lost ||
            !(rate > tap->rate || rate * 4 <= tap->rate ||
              (rate < tap->rate && rate == 1)))
            continue;
        rc = sampler_change(tapping->route, tap->port.ifindex, rate,
                            tapping->group);
        if (!rc)
            tap->rate = rate;
        tap->lost = rc == -ENOENT;
    }
    tapping->looked_ns = now;
}

static int step(struct collect *collect, void *state, bool readable)
{
    struct tapping *tapping = state;
    uint64_t now = collect_now_ns();
    bool links = false;
    int rc = 0;

    if (readable && tapping->socket)
        rc = psample_socket_read(tapping->socket, &links);
    if (!rc)
        rc = tapping->rc;
    if (!rc && links)
        rc = follow(collect, tapping);
    if (now >= tapping->due_ns) {
        adapt(tapping, now);
        tapping->due_ns = now + ADAPT_NS;
    }
    return rc;
}

/* What left to and came from each guest, by the counters. */
static int count(struct tapping *tapping)
{
    size_t i;
    int rc = 0;

    for (i = 0; i < tapping->nr_taps && !rc; i++) {
        const struct tapped *tap = &tapping->taps[i];
        const struct interface *then = &tap->port, *now;

        now = interfaces_by_ifindex(&tapping->ports, then->ifindex);
        if (!now || then->kind == PORT_UPLINK ||
            now->tx_bytes < then->tx_bytes || now->rx_bytes < then->rx_bytes)
            continue;
        rc = traffic_add_total(&tapping->matrix.received, end_of(then),
                               now->tx_packets - then->tx_packets,
                               now->tx_bytes - then->tx_bytes) ?:
             traffic_add_total(&tapping->matrix.sent, end_of(then),
                               now->rx_packets - then->rx_packets,
                               now->rx_bytes - then->rx_bytes);
    }
    return rc;
}

/* Interfaces that are still there, but were not sampled to the end. */
static int note_lost(struct collect *collect, const struct tapping *tapping)
{
    const struct tapped *first = NULL;
    unsigned int others = 0;
    char more[32] = "";
    size_t i;

    for (i = 0; i < tapping->nr_taps; i++) {
        const struct tapped *tap = &tapping->taps[i];

        if (!tap->lost || tap->gone)
            continue;
        others += first != NULL;
        if (!first)
            first = tap;
    }
    if (!first)
        return 0;
    if (others)
        snprintf(more, sizeof(more), " and %u more", others);
    return snapshot_note(collect->snapshot, "psample", "at %s%s another "
                         "program removed the filter: what left there from "
                         "then on is not in the samples", first->port.name,
                         more);
}

static int note_counts(struct collect *collect,
                       const struct tapping *tapping, uint64_t got,
                       uint64_t lost)
{
    struct snapshot *snapshot = collect->snapshot;
    int rc;

    if (!tapping->sampled)
        return 0;
    rc = snapshot_note(snapshot, "psample", "%llu samples at %zu interfaces, "
                       "%llu lost", (unsigned long long)got,
                       tapping->nr_taps, (unsigned long long)lost) ?:
         note_lost(collect, tapping);
    if (!rc && tapping->changes)
        rc = snapshot_note(snapshot, "psample", "%u interfaces came or went "
                           "while it was measured", tapping->changes);
    if (!rc && tapping->narrow)
        rc = snapshot_note(snapshot, "psample", "interface numbers are above "
                           "65535, of which this kernel's samples have 16 "
                           "bits: pairs may be mixed up");
    return rc;
}

static int finish(struct collect *collect, void *state)
{
    struct tapping *tapping = state;
    double seconds = (collect_now_ns() - collect->start_ns) / 1e9;
    uint64_t got = 0, lost = 0;
    bool links;
    int rc;

    if (tapping->socket) {
        psample_socket_read(tapping->socket, &links);
        psample_socket_counts(tapping->socket, &got, &lost);
    }
    interfaces_dispose(&tapping->ports);
    rc = interfaces_read(&tapping->ports, collect->options->sysfs_net);
    if (!rc)
        rc = count(tapping);
    if (!rc)
        rc = traffic_fill(collect->snapshot, &tapping->matrix,
                          got ? (double)(got + lost) / got : 1, seconds,
                          tapping->sampled);
    return rc ? rc : note_counts(collect, tapping, got, lost);
}

const struct collect_source collect_traffic = {
    .name = "traffic",
    .begin = begin,
    .fd = fd,
    .due = due,
    .step = step,
    .finish = finish,
    .close = close_traffic,
};
