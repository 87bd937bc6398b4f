#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# libnl-3: nl_rtgen_request() is the library's call for "dump all of a family".
# With RTM_GETNEIGH and AF_BRIDGE it succeeds, and the dump is empty: the
# kernel wants the header of a neighbour, and takes the shorter one of
# rtgenmsg for a filter that nothing passes. A neighbour cache filled the
# usual way has no entry of a bridge either, without an error. The same dump
# with a struct ndmsg, or a cache with AF_BRIDGE as its first argument, has
# them all.
#
# Seen with libnl 3.7.0 on Linux 6.18; needs root, for a network namespace.
# shellcheck source=findings/lib.bash
. "$(dirname "$0")/lib.bash"

packages libnl-3-200=3.7.0-0.2+b1 libnl-3-dev=3.7.0-0.2+b1 \
    libnl-route-3-200=3.7.0-0.2+b1 libnl-route-3-dev=3.7.0-0.2+b1
cat >"$work/dump.c" <<'C'
#include <stdio.h>
#include <netlink/netlink.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/rtnl.h>

static int count(struct nl_msg *msg, void *n)
{
    (void)msg;
    ++*(int *)n;
    return NL_OK;
}

int main(void)
{
    struct ndmsg header = { .ndm_family = AF_BRIDGE };
    struct nl_sock *sock = nl_socket_alloc(), *other = nl_socket_alloc();
    struct nl_cache *cache;
    struct nl_object *object;
    int n = 0, rc;

    nl_connect(sock, NETLINK_ROUTE);
    nl_connect(other, NETLINK_ROUTE);
    nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, count, &n);
    nl_rtgen_request(sock, RTM_GETNEIGH, AF_BRIDGE, NLM_F_DUMP);
    rc = nl_recvmsgs_default(sock);
    printf("rtgen %d %d\n", rc, n > 0);
    n = 0;
    nl_send_simple(sock, RTM_GETNEIGH, NLM_F_DUMP, &header, sizeof(header));
    rc = nl_recvmsgs_default(sock);
    printf("ndmsg %d %d\n", rc, n > 0);
    n = 0;
    rc = rtnl_neigh_alloc_cache(other, &cache);
    for (object = nl_cache_get_first(cache); object;
         object = nl_cache_get_next(object))
        n += rtnl_neigh_get_family((struct rtnl_neigh *)object) == AF_BRIDGE;
    printf("cache %d %d\n", rc, n > 0);
    cache = nl_cache_alloc(nl_cache_ops_lookup("route/neigh"));
    nl_cache_set_arg1(cache, AF_BRIDGE);
    rc = nl_cache_refill(other, cache);
    printf("argument %d %d\n", rc, nl_cache_nitems(cache) > 0);
    return 0;
}
C
compile dump -I"$root/usr/include/libnl3" -lnl-route-3 -lnl-3
run unshare -n sh -ec '
    ip link add bridge0 up type bridge
    ip link add port0 up type veth peer name guest0
    ip link set port0 master bridge0
    bridge fdb add 02:00:00:00:00:09 dev port0 master static
    "$1"' sh "$work/dump" >"$work/seen"

# "NAME RC SOME": whether there were entries.
seen() { sed -n "s/^$1 //p" "$work/seen"; }
expect "by nl_rtgen_request: result, entries" "$(seen rtgen)" "0 0"
expect "with a struct ndmsg: result, entries" "$(seen ndmsg)" "0 1"
expect "rtnl_neigh_alloc_cache: result, entries" "$(seen cache)" "0 0"
expect "a cache with the family as argument: result, entries" \
    "$(seen argument)" "0 1"
finish
