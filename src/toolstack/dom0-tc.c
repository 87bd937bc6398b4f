// SPDX-License-Identifier: GPL-2.0-or-later
/* What traffic control does on bridge ports, in both directions. */
#include "config.h"

#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonio.h"
#include "base/parse.h"
#include "toolstack/dom0-net.h"
#include "toolstack/netlink.h"
#include "toolstack/obstacle.h"

/* A place where filters can be. */
struct place {
    unsigned int ifindex, parent;
};

struct reading {
    struct dom0_net *net;
    struct place *places;
    size_t nr_places;
    size_t nr_facts;            /* before this dump */
    const struct place *asked;
};

/* A number of any width at the head of an attribute. */
static uint64_t number(struct nlattr *options, int type)
{
    struct nlattr *attr = options ? nla_find(nla_data(options),
                                             nla_len(options), type) : NULL;
    uint64_t wide = 0;
    uint32_t narrow = 0;

    if (attr && nla_len(attr) >= (int)sizeof(wide)) {
        memcpy(&wide, nla_data(attr), sizeof(wide));
        return wide;
    }
    if (attr && nla_len(attr) >= (int)sizeof(narrow))
        memcpy(&narrow, nla_data(attr), sizeof(narrow));
    return narrow;
}

/*
 * Disciplines that order packets, drop only what a full queue has no room for,
 * or hold filters, are no rule of dom0's; any other may be.
 */
bool dom0_tc_limits(const char *kind, struct nlattr *options)
{
    static const char *const harmless[] = {
        "bfifo", "choke", "clsact", "codel", "dualpi2", "ets", "fq_codel",
        "fq_pie", "gred", "hhf", "ingress", "mq", "mqprio", "multiq",
        "noqueue", "pfifo", "pfifo_fast", "pfifo_head_drop", "pie", "prio",
        "red", "sfb", "sfq", "skbprio",
    };
    size_t i;

    for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        if (!strcmp(kind, harmless[i]))
            return false;
    if (!strcmp(kind, "cake"))
        return number(options, TCA_CAKE_BASE_RATE64) != 0;
    if (!strcmp(kind, "fq"))
        return number(options, TCA_FQ_FLOW_MAX_RATE) != UINT32_MAX;
    return true;
}

static int add_place(struct reading *reading, unsigned int ifindex,
                     unsigned int parent)
{
    struct place *place = JSONIO_ADD(reading, places, SIZE_MAX);

    if (!place)
        return -ENOMEM;
    *place = (struct place){ ifindex, parent };
    return 0;
}

/* Filters are below clsact on two sides, else below the discipline. */
static int add_places(struct reading *reading, const struct tcmsg *tc,
                      const char *kind)
{
    unsigned int ifindex = (unsigned int)tc->tcm_ifindex;
    int rc;

    if (!tc->tcm_handle)
        return 0;
    if (strcmp(kind, "clsact"))
        return add_place(reading, ifindex, tc->tcm_handle);
    rc = add_place(reading, ifindex,
                   TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
    return rc ? rc : add_place(reading, ifindex,
                               TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
}

/* The port that a message is of, and what kind of thing it is. */
static const struct dom0_port *parse(const struct reading *reading,
                                     struct nlmsghdr *message,
                                     unsigned int ifindex,
                                     struct nlattr *attrs[TCA_MAX + 1],
                                     char kind_r[32])
{
    const struct dom0_port *port = dom0_net_port(reading->net, ifindex);
    char raw[32];

    if (!port || !port->master ||
        nlmsg_parse(message, sizeof(struct tcmsg), attrs, TCA_MAX, NULL) ||
        !attrs[TCA_KIND])
        return NULL;
    nla_strlcpy(raw, attrs[TCA_KIND], sizeof(raw));
    parse_sanitise(raw, kind_r, 32);
    return port;
}

static int see_qdisc(void *opaque, struct nlmsghdr *message)
{
    struct nlattr *attrs[TCA_MAX + 1] = { NULL };
    struct reading *reading = opaque;
    const struct dom0_port *port;
    const struct tcmsg *tc;
    char kind[32];
    int rc = 0;

    if (!message) {
        reading->net->nr_facts = reading->nr_facts;
        reading->nr_places = 0;
        return 0;
    }
    if (message->nlmsg_type != RTM_NEWQDISC)
        return 0;
    tc = nlmsg_data(message);
    port = parse(reading, message, (unsigned int)tc->tcm_ifindex, attrs, kind);
    if (!port)
        return 0;
    if (dom0_tc_limits(kind, attrs[TCA_OPTIONS]))
        rc = dom0_net_add(reading->net, port->name, false,
                          "is limited by traffic control (qdisc '%s')", kind);
    return rc ? rc : add_places(reading, tc, kind);
}

/* The advisor's: the handle, and no action but taking samples. */
static bool is_sample(const struct tcmsg *tc, const char *kind,
                      struct nlattr *options)
{
    struct nlattr *acts, *act, *name;
    bool sample = false;
    int left;

    if ((tc->tcm_handle != OBSTACLE_SAMPLER &&
         tc->tcm_handle != OBSTACLE_SAMPLER_MADE) ||
        strcmp(kind, "matchall") || !options)
        return false;
    acts = nla_find(nla_data(options), nla_len(options), TCA_MATCHALL_ACT);
    if (!acts)
        return false;
    nla_for_each_nested(act, acts, left) {
        name = nla_find(nla_data(act), nla_len(act), TCA_ACT_KIND);
        if (!name || nla_strcmp(name, "sample"))
            return false;
        sample = true;
    }
    return sample;
}

/* What a filter does is its own affair: each one may drop. */
static int see_filter(void *opaque, struct nlmsghdr *message)
{
    struct nlattr *attrs[TCA_MAX + 1] = { NULL };
    struct reading *reading = opaque;
    const struct dom0_port *port;
    const struct tcmsg *tc;
    char kind[32];

    if (!message) {
        reading->net->nr_facts = reading->nr_facts;
        return 0;
    }
    if (message->nlmsg_type != RTM_NEWTFILTER)
        return 0;
    tc = nlmsg_data(message);
    port = parse(reading, message, reading->asked->ifindex, attrs, kind);
    /* The head of a chain has no handle. */
    if (!port || !tc->tcm_handle || is_sample(tc, kind, attrs[TCA_OPTIONS]))
        return 0;
    return dom0_net_add(reading->net, port->name, false,
                        "is filtered by traffic control (filter '%s')", kind);
}

static int read_filters(struct reading *reading)
{
    struct tcmsg ask = { .tcm_family = AF_UNSPEC };
    size_t i;
    int rc = 0;

    for (i = 0; i < reading->nr_places && !rc; i++) {
        reading->asked = &reading->places[i];
        reading->nr_facts = reading->net->nr_facts;
        ask.tcm_ifindex = (int)reading->asked->ifindex;
        ask.tcm_parent = reading->asked->parent;
        rc = netlink_dump(NETLINK_ROUTE, RTM_GETTFILTER, &ask, sizeof(ask),
                          see_filter, reading);
        if (rc == -ENODEV)
            rc = 0;     /* gone meanwhile */
    }
    return rc;
}

int dom0_tc_read(struct dom0_net *net)
{
    struct reading reading = { .net = net, .nr_facts = net->nr_facts };
    struct tcmsg ask = { .tcm_family = AF_UNSPEC };
    int rc = netlink_dump(NETLINK_ROUTE, RTM_GETQDISC, &ask, sizeof(ask),
                          see_qdisc, &reading) ?:
             read_filters(&reading);

    free(reading.places);
    return rc == -EOPNOTSUPP ? 0 : rc;      /* not in this kernel */
}
