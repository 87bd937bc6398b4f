/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dom0's network interfaces that matter to guests: their vifs, the emulated
 * cards of HVM guests, and the uplinks of the bridges that they are on; with
 * their exact counters.
 *
 * Read from /sys/class/net and not by libxenstat, which finds no vif at all on
 * a host without a Linux bridge (facts: xenstat_linux.c takes "" for the
 * bridge's name) and counts an HVM guest's tap as a second vif.  A recorded
 * directory can be read in its place.
 *
 * Functions return 0 or -errno.
 */
#ifndef SHMLINK_COLLECT_INTERFACES_H
#define SHMLINK_COLLECT_INTERFACES_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORTS_SYSFS "/sys/class/net"

enum port_kind {
    PORT_VIF,
    PORT_EMULATED,              /* vifD.N-emu: an HVM guest's tap */
    PORT_UPLINK,
};

/* Counters as dom0 sees them: received is what the guest sent. */
struct interface {
    char name[IF_NAMESIZE];
    uint32_t ifindex;
    enum port_kind kind;
    uint32_t domid, devid;      /* of a vif or tap */
    char bridge[IF_NAMESIZE];   /* Linux bridge it is a port of, or "" */
    uint64_t rx_bytes, rx_packets;
    uint64_t tx_bytes, tx_packets;
};

struct interfaces {
    struct interface *port;          /* ascending ifindex */
    size_t nr;
    bool bridge;                /* a Linux bridge with a vif on it */
};

/*
 * Read them all.  sysfs: NULL for PORTS_SYSFS.  An interface that vanishes
 * meanwhile is left out.  Errors: ENOENT no such directory; ENOMEM.
 * Owns: interfaces_dispose(), which is safe twice.
 */
int interfaces_read(struct interfaces *interfaces_r, const char *sysfs);
void interfaces_dispose(struct interfaces *ports);

/* By interface number, or NULL. */
const struct interface *interfaces_by_ifindex(const struct interfaces *ports,
                                              uint32_t ifindex);

/*
 * Domain and device number in the name or xenbus node of a back end:
 * "vif3.0", "vif3.0-emu", "backend/vif/3/0".  False: it is none.
 */
bool interfaces_parse_name(const char *name, enum port_kind *kind_r,
                           uint32_t *domid_r, uint32_t *devid_r);
bool interfaces_parse_node(const char *node, uint32_t *domid_r,
                           uint32_t *devid_r);

#endif
