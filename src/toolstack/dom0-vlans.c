// SPDX-License-Identifier: GPL-2.0-or-later
/* The VLANs of bridge ports, by netlink: RTM_GETLINK of AF_BRIDGE. */
#include "config.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "toolstack/dom0-net.h"
#include "toolstack/netlink.h"

/* Ranges come as two entries: "10-" and then "12 ". */
static void put_vlan(FILE *text, const struct bridge_vlan_info *info)
{
    fprintf(text, "%u", info->vid);
    if (info->flags & BRIDGE_VLAN_INFO_RANGE_BEGIN)
        fputc('-', text);
    else
        fprintf(text, "%s%s ",
                info->flags & BRIDGE_VLAN_INFO_PVID ? "p" : "",
                info->flags & BRIDGE_VLAN_INFO_UNTAGGED ? "u" : "");
}

static int format_vlans(struct nlattr *spec, char **vlans_r)
{
    struct nlattr *attr;
    char *vlans = NULL;
    size_t size = 0;
    FILE *text;
    int left;

    text = open_memstream(&vlans, &size);
    if (!text)
        return -ENOMEM;
    nla_for_each_nested(attr, spec, left)
        if (nla_type(attr) == IFLA_BRIDGE_VLAN_INFO &&
            nla_len(attr) >= (int)sizeof(struct bridge_vlan_info))
            put_vlan(text, nla_data(attr));
    if (fclose(text)) {
        free(vlans);
        return -ENOMEM;
    }
    if (size)
        vlans[size - 1] = '\0';
    *vlans_r = vlans;
    return 0;
}

static int see_port(void *opaque, struct nlmsghdr *message)
{
    struct dom0_port *port, *bridge;
    struct dom0_net *net = opaque;
    struct ifinfomsg *info;
    struct nlattr *spec;
    char *vlans = NULL;
    size_t i;
    int rc;

    for (i = 0; i < net->nr_ports && !message; i++) {
        free(net->ports[i].vlans);
        net->ports[i].vlans = NULL;
    }
    if (!message || message->nlmsg_type != RTM_NEWLINK)
        return 0;
    info = nlmsg_data(message);
    port = dom0_net_port(net, (unsigned int)info->ifi_index);
    bridge = port && port->master ? dom0_net_port(net, port->master) : NULL;
    if (!bridge || !bridge->has_vlans)
        return 0;
    spec = nlmsg_find_attr(message, sizeof(*info), IFLA_AF_SPEC);
    rc = spec ? format_vlans(spec, &vlans) : 0;
    if (rc)
        return rc;
    free(port->vlans);
    port->vlans = vlans;
    return 0;
}

int dom0_vlans_read(struct dom0_net *net)
{
    struct {
        struct ifinfomsg info;
        struct nlattr head;
        uint32_t mask;
    } ask = {
        .info.ifi_family = AF_BRIDGE,
        .head = { NLA_HDRLEN + sizeof(uint32_t), IFLA_EXT_MASK },
        .mask = RTEXT_FILTER_BRVLAN_COMPRESSED,
    };
    bool any = false;
    size_t i;
    int rc;

    for (i = 0; i < net->nr_ports; i++)
        any = any || net->ports[i].has_vlans;
    if (!any)
        return 0;
    rc = netlink_dump(NETLINK_ROUTE, RTM_GETLINK, &ask, sizeof(ask), see_port,
                      net);
    for (i = 0; i < net->nr_ports && !rc; i++) {
        const struct dom0_port *port = &net->ports[i];
        const struct dom0_port *bridge = dom0_net_port(net, port->master);

        if (bridge && bridge->has_vlans && (!port->vlans || !port->vlans[0]))
            rc = dom0_net_add(net, port->name, false,
                              "is in no VLAN of its bridge");
    }
    return rc;
}
