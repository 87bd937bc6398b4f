/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/interfaces.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/file.h"
#include "base/jsonio.h"
#include "base/parse.h"

#define DOMID_MAX 0x7fefU       /* below DOMID_FIRST_RESERVED */

void interfaces_dispose(struct interfaces *ports)
{
    if (!ports)
        return;
    free(ports->port);
    memset(ports, 0, sizeof(*ports));
}

/* Digits up to one of the stop characters or the end; moves *text_r there. */
static bool take_number(const char **text_r, uint32_t max, uint32_t *value_r)
{
    char digits[11];
    size_t length = strspn(*text_r, "0123456789");
    uint64_t value;

    if (!length || length >= sizeof(digits))
        return false;
    memcpy(digits, *text_r, length);
    digits[length] = '\0';
    if (parse_u64(digits, 0, max, &value))
        return false;
    *value_r = value;
    *text_r += length;
    return true;
}

bool interfaces_parse_name(const char *name, enum port_kind *kind_r,
                           uint32_t *domid_r, uint32_t *devid_r)
{
    uint32_t domid, devid;

    if (strncmp(name, "vif", 3))
        return false;
    name += 3;
    if (!take_number(&name, DOMID_MAX, &domid) || *name++ != '.' ||
        !take_number(&name, UINT32_MAX, &devid))
        return false;
    if (*name && strcmp(name, "-emu"))
        return false;
    *kind_r = *name ? PORT_EMULATED : PORT_VIF;
    *domid_r = domid;
    *devid_r = devid;
    return true;
}

bool interfaces_parse_node(const char *node, uint32_t *domid_r,
                           uint32_t *devid_r)
{
    static const char prefix[] = "backend/vif/";
    uint32_t domid, devid;

    if (strncmp(node, prefix, sizeof(prefix) - 1))
        return false;
    node += sizeof(prefix) - 1;
    if (!take_number(&node, DOMID_MAX, &domid) || *node++ != '/' ||
        !take_number(&node, UINT32_MAX, &devid) || *node)
        return false;
    *domid_r = domid;
    *devid_r = devid;
    return true;
}

static bool read_u64(const char *sysfs, const char *name, const char *file,
                     uint64_t *value_r)
{
    char line[32];

    return !file_line(line, sizeof(line), "%s/%s/%s", sysfs, name, file) &&
           !parse_u64(line, 0, UINT64_MAX, value_r);
}

/* False: the interface is of no interest, or just went away. */
static bool read_port(const char *sysfs, const char *name,
                      struct interface *port)
{
    char node[64];
    uint64_t ifindex;

    memset(port, 0, sizeof(*port));
    if (strlen(name) >= sizeof(port->name))
        return false;
    strcpy(port->name, name);
    if (file_link(port->bridge, sizeof(port->bridge), "%s/%s/brport/bridge",
                  sysfs, name))
        port->bridge[0] = '\0';
    if (!file_line(node, sizeof(node), "%s/%s/device/nodename", sysfs,
                   name) &&
        interfaces_parse_node(node, &port->domid, &port->devid))
        port->kind = PORT_VIF;
    else if (!interfaces_parse_name(name, &port->kind, &port->domid,
                                    &port->devid))
        port->kind = PORT_UPLINK;
    if (port->kind == PORT_UPLINK && !port->bridge[0])
        return false;

    if (!read_u64(sysfs, name, "ifindex", &ifindex) || ifindex > INT_MAX)
        return false;
    port->ifindex = ifindex;
    return read_u64(sysfs, name, "statistics/rx_bytes", &port->rx_bytes) &&
           read_u64(sysfs, name, "statistics/rx_packets", &port->rx_packets) &&
           read_u64(sysfs, name, "statistics/tx_bytes", &port->tx_bytes) &&
           read_u64(sysfs, name, "statistics/tx_packets", &port->tx_packets);
}

static int by_ifindex(const void *a, const void *b)
{
    const struct interface *x = a, *y = b;

    return COMPARE(x->ifindex, y->ifindex);
}

/* Uplinks count only where a guest is on the same bridge. */
static void drop_foreign_uplinks(struct interfaces *ports)
{
    size_t i, j, kept = 0;

    for (i = 0; i < ports->nr; i++) {
        bool wanted = ports->port[i].kind != PORT_UPLINK;

        for (j = 0; j < ports->nr && !wanted; j++)
            wanted = ports->port[j].kind != PORT_UPLINK &&
                     !strcmp(ports->port[j].bridge, ports->port[i].bridge);
        if (wanted)
            ports->port[kept++] = ports->port[i];
    }
    ports->nr = kept;
}

int interfaces_read(struct interfaces *interfaces_r, const char *sysfs)
{
    struct interfaces ports = { .nr = 0 };
    struct dirent *entry;
    DIR *directory;
    size_t i;

    if (!sysfs)
        sysfs = PORTS_SYSFS;
    directory = opendir(sysfs);
    if (!directory)
        return -errno;
    while ((entry = readdir(directory))) {
        struct interface port, *added;

        if (entry->d_name[0] == '.' || !read_port(sysfs, entry->d_name, &port))
            continue;
        added = jsonio_add(&ports.port, &ports.nr, SIZE_MAX, sizeof(*added));
        if (!added) {
            interfaces_dispose(&ports);
            closedir(directory);
            return -ENOMEM;
        }
        *added = port;
    }
    closedir(directory);
    drop_foreign_uplinks(&ports);
    if (ports.nr)
        qsort(ports.port, ports.nr, sizeof(*ports.port), by_ifindex);
    for (i = 0; i < ports.nr; i++)
        ports.bridge |= ports.port[i].kind == PORT_VIF &&
                        ports.port[i].bridge[0];
    *interfaces_r = ports;
    return 0;
}

const struct interface *interfaces_by_ifindex(const struct interfaces *ports,
                                              uint32_t ifindex)
{
    size_t i;

    for (i = 0; i < ports->nr; i++)
        if (ports->port[i].ifindex == ifindex)
            return &ports->port[i];
    return NULL;
}
