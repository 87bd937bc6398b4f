// SPDX-License-Identifier: GPL-2.0-or-later
/* The VLANs of a bridge port, by netlink: RTM_GETLINK of AF_BRIDGE. */
#include "config.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <net/if.h>
#include <string.h>

#include "toolstack/vif.h"

struct vlan_read {
    unsigned int ifindex;
    struct vif_vlans *vlans;
    int rc;
};

static int vlan_add(struct vif_vlans *vlans,
                    const struct bridge_vlan_info *info)
{
    const uint32_t flags = info->flags & (BRIDGE_VLAN_INFO_PVID |
                                          BRIDGE_VLAN_INFO_UNTAGGED);

    if (vlans->nr == VIF_VLANS_MAX)
        return -EPROTO;
    vlans->vlan[vlans->nr++] = flags << 16 | info->vid;
    return 0;
}

static int vlan_message(struct nl_msg *msg, void *opaque)
{
    struct nlmsghdr *header = nlmsg_hdr(msg);
    struct ifinfomsg *info = nlmsg_data(header);
    struct vlan_read *read = opaque;
    struct nlattr *spec, *attr;
    int left;

    if (header->nlmsg_type != RTM_NEWLINK ||
        (unsigned int)info->ifi_index != read->ifindex)
        return NL_OK;
    spec = nlmsg_find_attr(header, sizeof(*info), IFLA_AF_SPEC);
    if (!spec)
        return NL_OK;
    nla_for_each_nested(attr, spec, left) {
        if (nla_type(attr) != IFLA_BRIDGE_VLAN_INFO ||
            nla_len(attr) < (int)sizeof(struct bridge_vlan_info))
            continue;
        read->rc = vlan_add(read->vlans, nla_data(attr));
        if (read->rc)
            return NL_STOP;
    }
    return NL_OK;
}

static int vlan_request(struct nl_sock *sock)
{
    struct ifinfomsg info = { .ifi_family = AF_BRIDGE };
    struct nl_msg *msg;
    int r;

    msg = nlmsg_alloc_simple(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP);
    if (!msg)
        return -NLE_NOMEM;
    r = nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO);
    if (!r)
        r = nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN);
    if (!r)
        r = nl_send_auto(sock, msg);
    nlmsg_free(msg);
    return r < 0 ? r : 0;
}

int vif_vlans_read(const char *ifname, struct vif_vlans *vlans_r)
{
    struct vlan_read read = { .vlans = vlans_r };
    struct nl_sock *sock = NULL;
    int r, rc;

    vlans_r->nr = 0;
    read.ifindex = if_nametoindex(ifname);
    if (!read.ifindex)
        return -errno;
    sock = nl_socket_alloc();
    if (!sock)
        return -ENOMEM;
    rc = -EIO;
    nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, vlan_message, &read);
    r = nl_connect(sock, NETLINK_ROUTE);
    if (!r)
        r = vlan_request(sock);
    if (!r)
        r = nl_recvmsgs_default(sock);
    if (r >= 0)
        rc = read.rc;
    nl_socket_free(sock);
    return rc;
}
