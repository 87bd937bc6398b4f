/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apply/xen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libxl_utils.h>

#include "apply/state.h"
#include "base/parse.h"
#include "base/xen.h"
#include "shmlink.h"

struct apply_xen {
    struct xen *xen;
    struct shmlink_ctx *links;
    int cancel_fd;
    int nr_pcpus;
    char why[512];
};

static int xen_fail(struct apply_xen *host, const char *what, uint32_t domid,
                    int rc)
{
    snprintf(host->why, sizeof(host->why), "%s of domain %u: %.400s", what,
             domid, host->xen->log[0] ? host->xen->log : strerror(-rc));
    xen_forget(host->xen);
    return rc;
}

static int xen_errno(int r)
{
    switch (r) {
    case ERROR_INVAL:
        return -EINVAL;
    case ERROR_NOMEM:
        return -ENOMEM;
    case ERROR_DOMAIN_NOTFOUND:
        return -ESRCH;
    case ERROR_TIMEDOUT:
        return -ETIME;
    default:
        return -EIO;
    }
}

int apply_xen_open(struct apply_xen **host_r, struct xen *xen, int cancel_fd,
                   char **why_r)
{
    const struct shmlink_ctx_options options = { .xen = xen,
                                                 .cancel_fd = cancel_fd };
    struct apply_xen *host = calloc(1, sizeof(*host));
    int rc;

    *why_r = NULL;
    if (!host)
        return -ENOMEM;
    host->xen = xen;
    host->cancel_fd = cancel_fd;
    rc = shmlink_ctx_open(&host->links, &options, why_r);
    if (!rc) {
        host->nr_pcpus = libxl_get_max_cpus(xen->xl);
        if (host->nr_pcpus <= 0) {
            rc = -ENXIO;
            *why_r = strdup(xen->log[0] ? xen->log : "Xen tells no pCPUs");
        }
    }
    if (rc) {
        apply_xen_close(host);
        return rc;
    }
    *host_r = host;
    return 0;
}

void apply_xen_close(struct apply_xen *host)
{
    if (!host)
        return;
    shmlink_ctx_close(host->links);
    free(host);
}

static int xen_find(void *opaque, const uint8_t uuid[16],
                    struct apply_domain *domain_r)
{
    struct apply_xen *host = opaque;
    libxl_dominfo *list;
    int nr = 0, i, rc = -ESRCH;

    list = libxl_list_domain(host->xen->xl, &nr);
    if (!list)
        return xen_fail(host, "list", 0, -EIO);
    for (i = 0; i < nr && rc; i++) {
        char *name;

        if (memcmp(libxl_uuid_bytearray_const(&list[i].uuid), uuid, 16)
            || list[i].dying || list[i].shutdown)
            continue;
        domain_r->domid = list[i].domid;
        name = libxl_domid_to_name(host->xen->xl, list[i].domid);
        parse_sanitise(name ? name : "?", domain_r->name,
                       sizeof(domain_r->name));
        free(name);
        rc = 0;
    }
    libxl_dominfo_list_free(list, nr);
    if (rc)
        snprintf(host->why, sizeof(host->why), "the VM is not here any more");
    return rc;
}

/* All pCPUs that there are is Xen's own "all". */
static void xen_from_bitmap(const struct apply_xen *host, hwloc_bitmap_t to,
                            const libxl_bitmap *from)
{
    libxl_cputopology *topology;
    int nr = 0, bit;
    bool all = true;

    hwloc_bitmap_zero(to);
    libxl_for_each_set_bit(bit, *from)
        hwloc_bitmap_set(to, (unsigned int)bit);
    topology = libxl_get_cpu_topology(host->xen->xl, &nr);
    for (bit = 0; topology && bit < nr; bit++)
        all &= hwloc_bitmap_isset(to, (unsigned int)bit) == 1;
    libxl_cputopology_list_free(topology, nr);
    if (topology && all)
        hwloc_bitmap_fill(to);
}

static int xen_to_bitmap(struct apply_xen *host, libxl_bitmap *to, int size,
                         hwloc_const_bitmap_t from)
{
    int i;

    libxl_bitmap_init(to);
    if (libxl_bitmap_alloc(host->xen->xl, to, size))
        return -ENOMEM;
    for (i = 0; i < size; i++)
        if (hwloc_bitmap_isset(from, (unsigned int)i))
            libxl_bitmap_set(to, i);
    return 0;
}

/* What Xen makes of a request, which only setting it again tells. */
static int xen_effective(struct apply_xen *host, uint32_t domid,
                         uint32_t vcpuid, bool hard,
                         const libxl_bitmap *requested,
                         hwloc_bitmap_t effective)
{
    xc_cpumap_t map = xc_cpumap_alloc(host->xen->xc);
    int size = xc_get_cpumap_size(host->xen->xc);
    int i, r;

    if (!map || size <= 0) {
        free(map);
        return -ENOMEM;
    }
    memcpy(map, requested->map,
           (size_t)size < requested->size ? (size_t)size : requested->size);
    r = xc_vcpu_setaffinity(host->xen->xc, domid, (int)vcpuid,
                            hard ? map : NULL, hard ? NULL : map,
                            hard ? XEN_VCPUAFFINITY_HARD
                                 : XEN_VCPUAFFINITY_SOFT);
    if (r) {
        r = -errno;
        free(map);
        return r ? r : -EIO;
    }
    hwloc_bitmap_zero(effective);
    for (i = 0; i < 8 * size; i++)
        if (map[i / 8] & (1 << i % 8))
            hwloc_bitmap_set(effective, (unsigned int)i);
    free(map);
    return 0;
}

static int xen_get_pin(void *opaque, uint32_t domid, uint32_t vcpuid,
                       bool hard, hwloc_bitmap_t requested,
                       hwloc_bitmap_t effective)
{
    struct apply_xen *host = opaque;
    libxl_vcpuinfo *list;
    int nr = 0, nr_pcpus = 0, i, rc = -ESRCH;

    list = libxl_list_vcpu(host->xen->xl, domid, &nr, &nr_pcpus);
    if (!list)
        return xen_fail(host, "vCPUs", domid, -EIO);
    for (i = 0; i < nr; i++) {
        const libxl_bitmap *map = hard ? &list[i].cpumap
                                       : &list[i].cpumap_soft;

        if (list[i].vcpuid != vcpuid)
            continue;
        xen_from_bitmap(host, requested, map);
        rc = 0;
        if (effective)
            hwloc_bitmap_fill(effective);
        if (effective && !hwloc_bitmap_isfull(requested))
            rc = xen_effective(host, domid, vcpuid, hard, map, effective);
    }
    libxl_vcpuinfo_list_free(list, nr);
    return rc ? xen_fail(host, "affinity", domid, rc == -ESRCH ? -ENOENT : rc)
              : 0;
}

static int xen_set_pin(void *opaque, uint32_t domid, uint32_t vcpuid,
                       bool hard, hwloc_const_bitmap_t pcpus)
{
    struct apply_xen *host = opaque;
    libxl_bitmap map;
    int r, rc = xen_to_bitmap(host, &map, host->nr_pcpus, pcpus);

    if (!rc) {
        r = libxl_set_vcpuaffinity(host->xen->xl, domid, vcpuid,
                                   hard ? &map : NULL, hard ? NULL : &map);
        rc = r ? xen_errno(r) : 0;
    }
    libxl_bitmap_dispose(&map);
    return rc ? xen_fail(host, "affinity", domid, rc) : 0;
}

static int xen_get_vcpus(void *opaque, uint32_t domid, hwloc_bitmap_t online)
{
    struct apply_xen *host = opaque;
    xc_domaininfo_t domain;
    xc_vcpuinfo_t vcpu;
    uint32_t i;

    if (xc_domain_getinfolist(host->xen->xc, domid, 1, &domain) != 1
        || domain.domain != domid)
        return xen_fail(host, "vCPUs", domid, -ESRCH);
    hwloc_bitmap_zero(online);
    for (i = 0; i <= domain.max_vcpu_id; i++) {
        if (xc_vcpu_getinfo(host->xen->xc, domid, i, &vcpu))
            return xen_fail(host, "vCPUs", domid, -errno);
        if (vcpu.online)
            hwloc_bitmap_set(online, i);
    }
    return 0;
}

static int xen_set_vcpus(void *opaque, uint32_t domid,
                         hwloc_const_bitmap_t online)
{
    struct apply_xen *host = opaque;
    libxl_bitmap map;
    int last = hwloc_bitmap_last(online);
    int r, rc;

    if (last < 0)
        return xen_fail(host, "vCPUs", domid, -EINVAL);
    rc = xen_to_bitmap(host, &map, last + 1, online);
    if (!rc) {
        r = libxl_set_vcpuonline(host->xen->xl, domid, &map, NULL);
        rc = r ? xen_errno(r) : 0;
    }
    libxl_bitmap_dispose(&map);
    return rc ? xen_fail(host, "vCPUs", domid, rc) : 0;
}

static int xen_link_fail(struct apply_xen *host, int rc)
{
    snprintf(host->why, sizeof(host->why), "%s", shmlink_why(host->links));
    /* Only ours may mean "not so" and "changed since". */
    return rc == -ETIMEDOUT ? -ETIME : rc == -ESRCH ? -ENOENT : rc;
}

/* A guest, and its vif, as the toolstack is told. */
struct xen_end
{
    char text[16 + PLAN_VIF_BYTES];
};

static struct xen_end xen_end(uint32_t domid, uint32_t vif)
{
    char suffix[PLAN_VIF_BYTES];
    struct xen_end end;

    snprintf(end.text, sizeof(end.text), "%u%s", domid,
             plan_vif_suffix(suffix, vif));
    return end;
}

static int xen_get_link(void *opaque, const uint32_t domid[2],
                        const uint32_t vif[2], struct apply_link *link_r)
{
    struct apply_xen *host = opaque;
    struct xen_end end = xen_end(domid[0], vif[0]);
    struct shmlink_link *list = NULL;
    size_t nr = 0, i;
    int rc, peer;

    rc = shmlink_list(host->links, end.text, false, &list, &nr);
    if (rc)
        return xen_link_fail(host, rc);
    memset(link_r, 0, sizeof(*link_r));
    for (i = 0; i < nr; i++) {
        peer = list[i].domid[0] == domid[0];
        if (list[i].domid[peer] == domid[1]
            && (vif[1] == PLAN_NONE || list[i].vif[peer] == vif[1])
            && list[i].state == SHMLINK_CONNECTED) {
            link_r->linked = true;
            link_r->ring_bytes = list[i].ring_bytes;
            link_r->limit = list[i].limit;
            memcpy(link_r->nonce, list[i].nonce, sizeof(link_r->nonce));
        }
    }
    free(list);
    return 0;
}

/*
 * What a guest, dom0's policy or a lack of room has against a link, enable has
 * taken back what it did.
 */
static bool xen_refuses(int rc)
{
    return rc == -EPERM || rc == -EOPNOTSUPP || rc == -EBUSY ||
           rc == -EEXIST || rc == -ENOSPC || rc == -ETIMEDOUT ||
           rc == -EPROTO;
}

static int xen_set_link(void *opaque, const uint32_t domid[2],
                        const uint32_t vif[2],
                        const struct apply_link *link)
{
    struct apply_xen *host = opaque;
    const struct xen_end ends[2] = { xen_end(domid[0], vif[0]),
                                     xen_end(domid[1], vif[1]) };
    bool changed;
    size_t nr;
    int rc;

    if (link->linked) {
        const struct shmlink_enable_options options = {
            .dom = { ends[0].text, ends[1].text },
            .ring_bytes = link->ring_bytes, .limit = link->limit };

        rc = shmlink_enable(host->links, &options, &changed, NULL);
        if (xen_refuses(rc)) {
            xen_link_fail(host, rc);
            return -EPERM;
        }
    } else {
        const struct shmlink_disable_options options = {
            .dom = { ends[0].text, ends[1].text } };

        rc = shmlink_disable(host->links, &options, &nr);
    }
    return rc ? xen_link_fail(host, rc) : 0;
}

static void xen_going_back(void *opaque, bool on)
{
    struct apply_xen *host = opaque;

    /* What takes back heeds no signal. */
    shmlink_ctx_heed(host->links, on ? -1 : host->cancel_fd);
}

static void xen_sleep_ms(void *opaque, unsigned int ms)
{
    struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

    (void)opaque;
    nanosleep(&ts, NULL);
}

static const char *xen_why(void *opaque)
{
    return ((struct apply_xen *)opaque)->why;
}

const struct apply_ops apply_xen_ops = {
    .find = xen_find,
    .get_pin = xen_get_pin,
    .set_pin = xen_set_pin,
    .get_vcpus = xen_get_vcpus,
    .set_vcpus = xen_set_vcpus,
    .get_link = xen_get_link,
    .set_link = xen_set_link,
    .going_back = xen_going_back,
    .sleep_ms = xen_sleep_ms,
    .why = xen_why,
};
