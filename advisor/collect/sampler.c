/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/sampler.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_sample.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>

#define EGRESS  TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)
#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)

static uint32_t info(uint32_t preference)
{
    return TC_H_MAKE(preference << 16, htons(ETH_P_ALL));
}

int sampler_error(int nl_code)
{
    switch (-nl_code) {
    case 0:
        return 0;
    case NLE_NOMEM:
        return -ENOMEM;
    case NLE_EXIST:
        return -EEXIST;
    case NLE_OBJ_NOTFOUND:
        return -ENOENT;
    case NLE_NODEV:
        return -ENODEV;
    case NLE_PERM:
    case NLE_NOACCESS:
        return -EPERM;
    case NLE_OPNOTSUPP:
        return -EOPNOTSUPP;
    case NLE_AGAIN:
        return -EAGAIN;
    case NLE_BUSY:
        return -EBUSY;
    case NLE_INVAL:
        return -EINVAL;
    default:
        return -EPROTO;
    }
}

int sampler_open(struct nl_sock **sock_r)
{
    struct nl_sock *sock = nl_socket_alloc();
    int r;

    if (!sock)
        return -ENOMEM;
    r = nl_connect(sock, NETLINK_ROUTE);
    if (r < 0) {
        nl_socket_free(sock);
        return sampler_error(r);
    }
    *sock_r = sock;
    return 0;
}

static struct nl_msg *request(int type, int flags, uint32_t ifindex,
                              uint32_t parent, uint32_t handle, uint32_t info,
                              const char *kind)
{
    struct tcmsg tc = {
        .tcm_family = AF_UNSPEC,
        .tcm_ifindex = ifindex,
        .tcm_parent = parent,
        .tcm_handle = handle,
        .tcm_info = info,
    };
    struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

    if (!msg)
        return NULL;
    if (nlmsg_append(msg, &tc, sizeof(tc), NLMSG_ALIGNTO) < 0 ||
        (kind && nla_put_string(msg, TCA_KIND, kind) < 0)) {
        nlmsg_free(msg);
        return NULL;
    }
    return msg;
}

/* { sample: { pass on to the next filter, rate, truncate, group } } */
static int put_action(struct nl_msg *msg, int attribute, uint32_t ifindex,
                      uint32_t rate, uint32_t group)
{
    struct tc_sample parms = {
        .index = SAMPLER_INDEX_BASE + ifindex,
        .action = TC_ACT_UNSPEC,
    };
    struct nlattr *actions, *action, *options;

    actions = nla_nest_start(msg, attribute);
    action = actions ? nla_nest_start(msg, 1) : NULL;
    if (!action || nla_put_string(msg, TCA_ACT_KIND, "sample") < 0)
        return -ENOMEM;
    options = nla_nest_start(msg, TCA_ACT_OPTIONS);
    if (!options ||
        nla_put(msg, TCA_SAMPLE_PARMS, sizeof(parms), &parms) < 0 ||
        nla_put_u32(msg, TCA_SAMPLE_RATE, rate) < 0 ||
        nla_put_u32(msg, TCA_SAMPLE_TRUNC_SIZE, SAMPLER_TRUNC_BYTES) < 0 ||
        nla_put_u32(msg, TCA_SAMPLE_PSAMPLE_GROUP, group) < 0)
        return -ENOMEM;
    nla_nest_end(msg, options);
    nla_nest_end(msg, action);
    nla_nest_end(msg, actions);
    return 0;
}

struct nl_msg *sampler_filter_request(uint32_t ifindex, uint32_t preference,
                                      uint32_t handle, uint32_t rate,
                                      uint32_t group)
{
    struct nlattr *options;
    struct nl_msg *msg;

    msg = request(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, ifindex, EGRESS,
                  handle, info(preference), "matchall");
    if (!msg)
        return NULL;
    options = nla_nest_start(msg, TCA_OPTIONS);
    if (!options ||
        nla_put_u32(msg, TCA_MATCHALL_FLAGS, TCA_CLS_FLAGS_SKIP_HW) < 0 ||
        put_action(msg, TCA_MATCHALL_ACT, ifindex, rate, group)) {
        nlmsg_free(msg);
        return NULL;
    }
    nla_nest_end(msg, options);
    return msg;
}

/* The request that gives the filter's action another rate. */
static struct nl_msg *action_request(uint32_t ifindex, uint32_t rate,
                                     uint32_t group)
{
    struct tcamsg tca = { .tca_family = AF_UNSPEC };
    struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWACTION, NLM_F_REPLACE);

    if (!msg)
        return NULL;
    if (nlmsg_append(msg, &tca, sizeof(tca), NLMSG_ALIGNTO) < 0 ||
        put_action(msg, TCA_ACT_TAB, ifindex, rate, group)) {
        nlmsg_free(msg);
        return NULL;
    }
    return msg;
}

/* Send, free, and wait for the answer. */
static int ask(struct nl_sock *sock, struct nl_msg *msg)
{
    if (!msg)
        return -ENOMEM;
    return sampler_error(nl_send_sync(sock, msg));
}

static int add_clsact(struct nl_sock *sock, uint32_t ifindex, bool *made_r)
{
    int rc = ask(sock, request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL,
                               ifindex, TC_H_CLSACT,
                               TC_H_MAKE(TC_H_CLSACT, 0), 0, "clsact"));

    *made_r = rc == 0;
    return rc == -EEXIST ? 0 : rc;
}

static int delete_clsact(struct nl_sock *sock, uint32_t ifindex)
{
    return ask(sock, request(RTM_DELQDISC, 0, ifindex, TC_H_CLSACT,
                             TC_H_MAKE(TC_H_CLSACT, 0), 0, "clsact"));
}

/* *handle_r of what was removed. */
static int delete_filter(struct nl_sock *sock, uint32_t ifindex,
                         uint32_t *handle_r)
{
    static const struct {
        uint32_t preference, handle;
    } ours[] = {
        { SAMPLER_PREFERENCE_FIRST, SAMPLER_HANDLE_MADE },
        { SAMPLER_PREFERENCE_FIRST, SAMPLER_HANDLE },
        { SAMPLER_PREFERENCE_LATE, SAMPLER_HANDLE_MADE },
        { SAMPLER_PREFERENCE_LATE, SAMPLER_HANDLE },
    };
    size_t i;
    int rc = -ENOENT;

    /* EINVAL: somebody's filter of another kind has this preference. */
    for (i = 0; i < 4 && (rc == -ENOENT || rc == -EINVAL); i++) {
        *handle_r = ours[i].handle;
        rc = ask(sock, request(RTM_DELTFILTER, 0, ifindex, EGRESS, *handle_r,
                               info(ours[i].preference), "matchall"));
    }
    return rc == -EINVAL ? -ENOENT : rc;
}

static int add_filter(struct nl_sock *sock, uint32_t ifindex, uint32_t handle,
                      uint32_t rate, uint32_t group, bool *late_r)
{
    int rc = ask(sock, sampler_filter_request(ifindex, SAMPLER_PREFERENCE_FIRST,
                                              handle, rate, group));

    *late_r = rc == -EEXIST || rc == -EINVAL;
    if (!*late_r)
        return rc;
    return ask(sock, sampler_filter_request(ifindex, SAMPLER_PREFERENCE_LATE,
                                            handle, rate, group));
}

int sampler_attach(struct nl_sock *sock, uint32_t ifindex, uint32_t rate,
                   uint32_t group, bool *late_r)
{
    bool made;
    int rc = add_clsact(sock, ifindex, &made);

    if (rc)
        return rc;
    rc = add_filter(sock, ifindex,
                    made ? SAMPLER_HANDLE_MADE : SAMPLER_HANDLE, rate, group,
                    late_r);
    if (rc && made)
        delete_clsact(sock, ifindex);
    if (rc)
        return rc;
    /*
     * The action of a filter that was removed just now may still be there; the
     * new filter got it then, with the old rate.
     */
    rc = ask(sock, action_request(ifindex, rate, group));
    if (rc)
        sampler_detach(sock, ifindex);
    return rc;
}

struct listing {
    unsigned int ours, others;
};

static bool is_ours(const struct tcmsg *tc, struct nlattr *kind)
{
    return (tc->tcm_info == info(SAMPLER_PREFERENCE_FIRST) ||
            tc->tcm_info == info(SAMPLER_PREFERENCE_LATE)) &&
           sampler_is_handle(tc->tcm_handle) &&
           kind && !nla_strcmp(kind, "matchall");
}

static int see_filter(struct nl_msg *msg, void *opaque)
{
    struct listing *listing = opaque;
    struct nlmsghdr *header = nlmsg_hdr(msg);
    struct nlattr *attributes[TCA_MAX + 1];
    struct tcmsg *tc;

    if (header->nlmsg_type != RTM_NEWTFILTER ||
        nlmsg_parse(header, sizeof(*tc), attributes, TCA_MAX, NULL) < 0)
        return NL_OK;
    tc = nlmsg_data(header);
    if (!tc->tcm_handle)
        return NL_OK;           /* the chain's head, not a filter */
    if (is_ours(tc, attributes[TCA_KIND]))
        listing->ours++;
    else
        listing->others++;
    return NL_OK;
}

/* Count the filters on one side of an interface's clsact. */
static int list_filters(struct nl_sock *sock, uint32_t ifindex,
                        uint32_t parent, struct listing *listing)
{
    struct nl_msg *msg = request(RTM_GETTFILTER, NLM_F_DUMP, ifindex, parent,
                                 0, 0, NULL);
    struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
    int r = -NLE_NOMEM;

    if (msg && cb) {
        nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, see_filter, listing);
        r = nl_send_auto(sock, msg);
        if (r >= 0)
            r = nl_recvmsgs(sock, cb);
    }
    nlmsg_free(msg);
    nl_cb_put(cb);
    return r < 0 ? sampler_error(r) : 0;
}

static void delete_unused_clsact(struct nl_sock *sock, uint32_t ifindex)
{
    struct listing left = { 0 };

    if (!list_filters(sock, ifindex, EGRESS, &left) &&
        !list_filters(sock, ifindex, INGRESS, &left) &&
        !left.ours && !left.others)
        delete_clsact(sock, ifindex);
}

int sampler_change(struct nl_sock *sock, uint32_t ifindex, uint32_t rate,
                   uint32_t group)
{
    struct listing listing = { 0 };
    int rc = list_filters(sock, ifindex, EGRESS, &listing);

    if (rc)
        return rc;
    /* Without a filter the request would make an action that nobody uses. */
    return listing.ours ? ask(sock, action_request(ifindex, rate, group)) :
                          -ENOENT;
}

int sampler_detach(struct nl_sock *sock, uint32_t ifindex)
{
    uint32_t handle;
    int rc = delete_filter(sock, ifindex, &handle);

    if (!rc && handle == SAMPLER_HANDLE_MADE)
        delete_unused_clsact(sock, ifindex);
    return rc;
}

int sampler_sweep(struct nl_sock *sock, unsigned int *nr_r)
{
    struct if_nameindex *interfaces = if_nameindex(), *interface;
    unsigned int nr = 0;

    if (!interfaces)
        return -errno;
    for (interface = interfaces; interface->if_index; interface++) {
        struct listing listing = { 0 };

        if (!list_filters(sock, interface->if_index, EGRESS, &listing) &&
            listing.ours && !sampler_detach(sock, interface->if_index))
            nr++;
    }
    if_freenameindex(interfaces);
    *nr_r = nr;
    return 0;
}
