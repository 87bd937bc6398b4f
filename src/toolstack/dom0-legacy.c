// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <string.h>

#include "base/file.h"
#include "toolstack/ctx.h"
#include "toolstack/dom0-net.h"

static const struct {
    unsigned int bit;
    const char *tool, *names;
} legacy[] = {
    { DOM0_NF_IPV4, "iptables", "ip_tables_names" },
    { DOM0_NF_IPV6, "ip6tables", "ip6_tables_names" },
    { DOM0_NF_ARP, "arptables", "arp_tables_names" },
};
enum { NR_LEGACY = sizeof(legacy) / sizeof(legacy[0]) };

static int read_ebtables(struct dom0_net *net)
{
    static const char *const modules[] = {
        "ebtable_filter", "ebtable_nat", "ebtable_broute",
    };
    char value[64];
    size_t i;
    int rc = 0;

    for (i = 0; i < sizeof(modules) / sizeof(modules[0]) && !rc; i++)
        if (!file_line(value, sizeof(value), "%s/module/%s/initstate",
                       net->paths->sysfs, modules[i]))
            rc = dom0_net_add(net, "", false, "filters by ebtables (module %s "
                              "is loaded)", modules[i]);
    return rc;
}

/* By every bridge, or by those with a switch of their own. */
static int add_table(struct dom0_net *net, unsigned int bit, const char *tool,
                     const char *table)
{
    size_t i;
    int rc = 0;

    if (net->bridge_nf & bit)
        return dom0_net_add(net, "", false, "filters by %s through "
                            "bridge-nf-call-%s=1 (legacy table '%s' is "
                            "loaded)", tool, tool, table);
    for (i = 0; i < net->nr_ports && !rc; i++)
        if (net->ports[i].bridge && (net->ports[i].bridge_nf & bit))
            rc = dom0_net_add(net, net->ports[i].name, false, "is filtered by "
                              "%s through its nf_call_%s=1 (legacy table '%s' "
                              "is loaded)", tool, tool, table);
    return rc;
}

/*
 * These tables cannot be read without their own tools: one that is loaded
 * counts as used.
 */
int dom0_legacy_read(struct dom0_net *net)
{
    char value[64];
    int i, rc = read_ebtables(net);

    for (i = 0; i < NR_LEGACY && !rc; i++) {
        if (!file_line(value, sizeof(value),
                       "%s/sys/net/bridge/bridge-nf-call-%s",
                       net->paths->procfs, legacy[i].tool) &&
            strcmp(value, "0"))
            net->bridge_nf |= legacy[i].bit;
        if (!file_line(value, sizeof(value), "%s/net/%s", net->paths->procfs,
                       legacy[i].names) && value[0])
            rc = add_table(net, legacy[i].bit, legacy[i].tool, value);
    }
    return rc;
}
