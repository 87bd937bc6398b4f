// SPDX-License-Identifier: GPL-2.0-or-later
/* Programs of tcx on bridge ports: the bpf system call alone tells of them. */
#include "config.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "toolstack/dom0-net.h"

/* Of enum bpf_attach_type, from Linux 6.6 on. */
enum { TCX_INGRESS = 46, TCX_EGRESS = 47 };

/* 1: there are programs; 0: none, or a kernel without. */
static int programs(unsigned int ifindex, unsigned int where)
{
    union bpf_attr attr;

    memset(&attr, 0, sizeof(attr));
    attr.query.target_fd = ifindex;
    attr.query.attach_type = where;
    if (!syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)))
        return attr.query.prog_cnt > 0;
    if (errno == EPERM)
        return -EPERM;
    return errno == ENOSPC;
}

int dom0_tcx_read(struct dom0_net *net)
{
    size_t i;
    int rc = 0;

    for (i = 0; i < net->nr_ports && rc >= 0; i++) {
        const struct dom0_port *port = &net->ports[i];

        if (!port->master)
            continue;
        rc = programs(port->ifindex, TCX_INGRESS) ?:
             programs(port->ifindex, TCX_EGRESS);
        if (rc > 0)
            rc = dom0_net_add(net, port->name, false,
                              "has a BPF program of tcx");
    }
    return rc < 0 ? rc : 0;
}
