/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dom0's network state as obstacle.c keeps it, and the readers that fill it in:
 * each 0 or -errno.  What a reader finds is a fact about one interface, those
 * with names that begin so, one bridge, or every bridge.
 */
#ifndef SHMLINK_TOOLSTACK_DOM0_NET_H
#define SHMLINK_TOOLSTACK_DOM0_NET_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

struct ctx_paths;
struct nlattr;
struct shmlink_ctx;

/* on: the interface, or how its name begins, or "": bridges all. */
struct dom0_fact {
    char on[IF_NAMESIZE];
    bool prefix;
    char text[224];
};

/* What br_netfilter passes to iptables and the like besides. */
enum { DOM0_NF_IPV4 = 1, DOM0_NF_IPV6 = 2, DOM0_NF_ARP = 4 };

/*
 * A bridge, or a port of one.  bridge_nf: of this bridge.  vlans: of a port,
 * as obstacles_vlans() gives them.
 */
struct dom0_port {
    unsigned int ifindex, master;
    char name[IF_NAMESIZE];
    bool bridge;
    bool up;
    bool has_vlans;
    unsigned int bridge_nf;
    char *vlans;
};

/* bridge_nf: of every bridge.  paths: where the kernel tells of it. */
struct dom0_net {
    const struct ctx_paths *paths;
    struct dom0_fact *facts;
    struct dom0_port *ports;
    size_t nr_facts, nr_ports;
    unsigned int bridge_nf;
};

/* Note a fact: a predicate, such as "is down". Errors: ENOMEM. */
int dom0_net_add(struct dom0_net *net, const char *on, bool prefix,
                 const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* NULL: not a bridge, and not on one. */
struct dom0_port *dom0_net_port(const struct dom0_net *net,
                                unsigned int ifindex);

/* Read all; why says what the kernel did not tell. Errors: of the readers. */
int dom0_net_read(struct shmlink_ctx *ctx, struct dom0_net *net);
void dom0_net_dispose(struct dom0_net *net);

/* Bridges and their ports, with XDP; first, since the others look there. */
int dom0_ports_read(struct dom0_net *net);
/* The VLANs of all ports. */
int dom0_vlans_read(struct dom0_net *net);
/* Queueing disciplines and filters of traffic control. */
int dom0_tc_read(struct dom0_net *net);
/* Programs of tcx, of which netlink does not tell. */
int dom0_tcx_read(struct dom0_net *net);
/* br_netfilter's switches, and the tables of before nf_tables. */
int dom0_legacy_read(struct dom0_net *net);
/* Chains of nf_tables; after the switches. Errors: EAGAIN. */
int dom0_chains_read(struct dom0_net *net);

/* What frames between two ports of a bridge a chain sees: these, or some. */
enum {
    DOM0_CHAIN_ALL = 8,         /* or one or more of DOM0_NF_* */
    DOM0_CHAIN_DEVICES = 16,    /* those of the devices that it names */
};
/* A base chain; has_rules: rules, or a policy that drops. */
struct dom0_chain {
    unsigned int family, hook;
    bool has_rules;
};
/* Pure. */
unsigned int dom0_chains_see(const struct dom0_chain *chain);

/* Pure: does this discipline limit, delay or drop by its own rule? */
bool dom0_tc_limits(const char *kind, struct nlattr *options);

#endif /* SHMLINK_TOOLSTACK_DOM0_NET_H */
