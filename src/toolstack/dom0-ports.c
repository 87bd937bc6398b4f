// SPDX-License-Identifier: GPL-2.0-or-later
/* Bridges and their ports: RTM_GETLINK, which tells more than sysfs. */
#include "config.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdint.h>
#include <string.h>

#include "base/jsonio.h"
#include "toolstack/dom0-net.h"
#include "toolstack/netlink.h"

/* Of linux/if.h, which cannot stand beside net/if.h. */
enum { OPER_UNKNOWN = 0, OPER_UP = 6 };

static unsigned int byte_of(const struct nlattr *attr)
{
    return attr && nla_len(attr) >= 1 ? nla_get_u8(attr) : 0;
}

static unsigned int word_of(const struct nlattr *attr)
{
    return attr && nla_len(attr) >= 4 ? nla_get_u32(attr) : 0;
}

static bool kind_is_bridge(const struct nlattr *attr)
{
    return attr && nla_len(attr) >= 7 && !nla_strcmp(attr, "bridge");
}

static int read_bridge(struct dom0_net *net, struct dom0_port *port,
                       struct nlattr *data)
{
    struct nlattr *attrs[IFLA_BR_MAX + 1] = { NULL };

    port->bridge = true;
    if (data && nla_parse_nested(attrs, IFLA_BR_MAX, data, NULL))
        return -EPROTO;
    port->has_vlans = byte_of(attrs[IFLA_BR_VLAN_FILTERING]);
    port->bridge_nf =
        (byte_of(attrs[IFLA_BR_NF_CALL_IPTABLES]) ? DOM0_NF_IPV4 : 0) |
        (byte_of(attrs[IFLA_BR_NF_CALL_IP6TABLES]) ? DOM0_NF_IPV6 : 0) |
        (byte_of(attrs[IFLA_BR_NF_CALL_ARPTABLES]) ? DOM0_NF_ARP : 0);
    return port->up ? 0 : dom0_net_add(net, port->name, false, "is down");
}

/*
 * A port without carrier is disabled by the bridge itself, one that listens or
 * learns forwards soon: neither is dom0's will.
 */
static int read_state(struct dom0_net *net, const struct dom0_port *port,
                      struct nlattr *state, bool operates)
{
    unsigned int value = state ? byte_of(state) : BR_STATE_FORWARDING;

    if (!port->up)
        return dom0_net_add(net, port->name, false, "is down");
    if (value == BR_STATE_DISABLED && operates)
        return dom0_net_add(net, port->name, false,
                            "is a disabled port of its bridge");
    if (value == BR_STATE_BLOCKING)
        return dom0_net_add(net, port->name, false,
                            "is a blocked port of its bridge");
    return 0;
}

static int read_slave(struct dom0_net *net, const struct dom0_port *port,
                      struct nlattr *data, unsigned int operstate)
{
    struct nlattr *attrs[IFLA_BRPORT_MAX + 1] = { NULL };
    int rc;

    if (data && nla_parse_nested(attrs, IFLA_BRPORT_MAX, data, NULL))
        return -EPROTO;
    rc = read_state(net, port, attrs[IFLA_BRPORT_STATE],
                    operstate == OPER_UP || operstate == OPER_UNKNOWN);
    if (!rc && byte_of(attrs[IFLA_BRPORT_ISOLATED]))
        rc = dom0_net_add(net, port->name, false,
                          "is an isolated port of its bridge");
    if (!rc && byte_of(attrs[IFLA_BRPORT_LOCKED]))
        rc = dom0_net_add(net, port->name, false,
                          "is a locked port of its bridge");
    return rc;
}

/* A native program, a generic one, or several: one word says it. */
static int read_xdp(struct dom0_net *net, const struct dom0_port *port,
                    struct nlattr *xdp)
{
    struct nlattr *attrs[IFLA_XDP_MAX + 1] = { NULL };

    if (!xdp || nla_parse_nested(attrs, IFLA_XDP_MAX, xdp, NULL) ||
        !byte_of(attrs[IFLA_XDP_ATTACHED]))
        return 0;
    return dom0_net_add(net, port->name, false, "has an XDP program");
}

static int read_link(struct dom0_net *net, const struct ifinfomsg *info,
                     struct nlattr *attrs[IFLA_MAX + 1])
{
    struct nlattr *kinds[IFLA_INFO_MAX + 1] = { NULL };
    bool bridge, slave;
    struct dom0_port *port;
    int rc = 0;

    if (!attrs[IFLA_IFNAME] || !attrs[IFLA_LINKINFO] ||
        nla_parse_nested(kinds, IFLA_INFO_MAX, attrs[IFLA_LINKINFO], NULL))
        return 0;
    bridge = kind_is_bridge(kinds[IFLA_INFO_KIND]);
    slave = kind_is_bridge(kinds[IFLA_INFO_SLAVE_KIND]);
    if (!bridge && !slave)
        return 0;
    port = JSONIO_ADD(net, ports, SIZE_MAX);
    if (!port)
        return -ENOMEM;
    port->ifindex = (unsigned int)info->ifi_index;
    port->master = word_of(attrs[IFLA_MASTER]);
    port->up = info->ifi_flags & IFF_UP;
    nla_strlcpy(port->name, attrs[IFLA_IFNAME], sizeof(port->name));
    if (bridge)
        rc = read_bridge(net, port, kinds[IFLA_INFO_DATA]);
    if (!rc && slave)
        rc = read_slave(net, port, kinds[IFLA_INFO_SLAVE_DATA],
                        byte_of(attrs[IFLA_OPERSTATE]));
    return rc ? rc : read_xdp(net, port, attrs[IFLA_XDP]);
}

static int see_link(void *opaque, struct nlmsghdr *message)
{
    struct nlattr *attrs[IFLA_MAX + 1] = { NULL };
    struct dom0_net *net = opaque;

    if (!message) {
        net->nr_ports = net->nr_facts = 0;
        return 0;
    }
    if (message->nlmsg_type != RTM_NEWLINK ||
        nlmsg_parse(message, sizeof(struct ifinfomsg), attrs, IFLA_MAX, NULL))
        return 0;
    return read_link(net, nlmsg_data(message), attrs);
}

int dom0_ports_read(struct dom0_net *net)
{
    struct ifinfomsg info = { .ifi_family = AF_UNSPEC };

    return netlink_dump(NETLINK_ROUTE, RTM_GETLINK, &info, sizeof(info),
                        see_link, net);
}
