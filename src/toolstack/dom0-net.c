// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonio.h"
#include "toolstack/ctx.h"
#include "toolstack/dom0-net.h"

int dom0_net_add(struct dom0_net *net, const char *on, bool prefix,
                 const char *format, ...)
{
    struct dom0_fact *fact = JSONIO_ADD(net, facts, SIZE_MAX);
    va_list args;

    if (!fact)
        return -ENOMEM;
    snprintf(fact->on, sizeof(fact->on), "%s", on);
    fact->prefix = prefix;
    va_start(args, format);
    vsnprintf(fact->text, sizeof(fact->text), format, args);
    va_end(args);
    return 0;
}

struct dom0_port *dom0_net_port(const struct dom0_net *net,
                                unsigned int ifindex)
{
    size_t i;

    for (i = 0; i < net->nr_ports; i++)
        if (net->ports[i].ifindex == ifindex)
            return &net->ports[i];
    return NULL;
}

int dom0_net_read(struct shmlink_ctx *ctx, struct dom0_net *net)
{
    const struct {
        int (*read)(struct dom0_net *net);
        const char *what;
    } readers[] = {
        { dom0_ports_read, "ports of bridges" },
        { dom0_vlans_read, "VLANs" },
        { dom0_tc_read, "traffic control" },
        { dom0_tcx_read, "BPF programs" },
        { dom0_legacy_read, "filters" },
        { dom0_chains_read, "filters" },
    };
    size_t i;
    int rc;

    net->paths = &ctx->paths;
    for (i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        rc = readers[i].read(net);
        if (rc)
            return ctx_fail(ctx, rc, "the kernel does not say (%s) what dom0 "
                            "enforces by its %s", strerror(-rc),
                            readers[i].what);
    }
    return 0;
}

void dom0_net_dispose(struct dom0_net *net)
{
    size_t i;

    for (i = 0; i < net->nr_ports; i++)
        free(net->ports[i].vlans);
    free(net->ports);
    free(net->facts);
}
