/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/trace-buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xen/trace.h>

/* All buffers together, and each: the memory is not given back. */
#define PAGES_TOTAL 2048U
#define PAGES_MOST  128U
#define PAGES_LEAST 8U

struct trace_buffer {
    xc_interface *xc;
    xenevtchn_handle *events;
    xenforeignmemory_handle *memory;
    struct t_info *info;
    size_t info_pages;
    struct t_buf **pcpus;       /* each with the records after it; or NULL */
    unsigned int nr_pcpus;
    size_t pages;               /* of each buffer */
    uint32_t mask_before;
    bool on;
    uint8_t *copy;              /* of a window that wraps */
};

static int bind_virq(xenevtchn_handle **events_r)
{
    xenevtchn_handle *events = xenevtchn_open(NULL, 0);
    int rc;

    if (!events)
        return -errno;
    if (xenevtchn_bind_virq(events, VIRQ_TBUF) < 0) {
        rc = -errno;
        xenevtchn_close(events);
        return rc;
    }
    *events_r = events;
    return 0;
}

static int get_mask(xc_interface *xc, uint32_t *mask_r)
{
    struct xen_sysctl sysctl = {
        .cmd = XEN_SYSCTL_tbuf_op,
        .interface_version = XEN_SYSCTL_INTERFACE_VERSION,
        .u.tbuf_op.cmd = XEN_SYSCTL_TBUFOP_get_info,
    };

    if (xc_sysctl(xc, &sysctl))
        return -errno;
    *mask_r = sysctl.u.tbuf_op.evt_mask;
    return 0;
}

static int trace_all_pcpus(xc_interface *xc)
{
    int bytes = xc_get_cpumap_size(xc);
    uint8_t *map;
    int rc = 0;

    if (bytes <= 0)
        return -EIO;
    map = malloc(bytes);
    if (!map)
        return -ENOMEM;
    memset(map, 0xff, bytes);
    if (xc_tbuf_set_cpu_mask(xc, map))
        rc = -errno;
    free(map);
    return rc;
}

static int map_info(struct trace_buffer *buffer, unsigned long mfn,
                    size_t bytes)
{
    size_t i, pages = (bytes + XC_PAGE_SIZE - 1) / XC_PAGE_SIZE;
    xen_pfn_t *pfns = calloc(pages ? pages : 1, sizeof(*pfns));
    int rc = 0;

    if (!pfns)
        return -ENOMEM;
    for (i = 0; i < pages; i++)
        pfns[i] = mfn + i;
    buffer->info = xenforeignmemory_map(buffer->memory, DOMID_XEN, PROT_READ,
                                        pages, pfns, NULL);
    if (!buffer->info)
        rc = -errno;
    buffer->info_pages = pages;
    free(pfns);
    if (!rc && !buffer->info->tbuf_size)
        rc = -EPROTO;
    return rc;
}

static int map_pcpu(struct trace_buffer *buffer, unsigned int pcpu)
{
    size_t words = buffer->info_pages * XC_PAGE_SIZE / 4, i;
    size_t offset = buffer->info->mfn_offset[pcpu];
    const uint32_t *mfns = (const uint32_t *)buffer->info + offset;
    xen_pfn_t *pfns;
    int rc = 0;

    if (!offset)
        return 0;               /* it was offline when they were made */
    if (offset + buffer->pages > words)
        return -EPROTO;
    pfns = calloc(buffer->pages, sizeof(*pfns));
    if (!pfns)
        return -ENOMEM;
    for (i = 0; i < buffer->pages; i++)
        pfns[i] = mfns[i];
    buffer->pcpus[pcpu] =
        xenforeignmemory_map(buffer->memory, DOMID_XEN,
                             PROT_READ | PROT_WRITE, buffer->pages, pfns,
                             NULL);
    if (!buffer->pcpus[pcpu])
        rc = -errno;
    free(pfns);
    return rc;
}

static int map_all(struct trace_buffer *buffer, unsigned long mfn,
                   size_t info_bytes)
{
    unsigned int i;
    int rc;

    buffer->memory = xenforeignmemory_open(NULL, 0);
    if (!buffer->memory)
        return -errno;
    rc = map_info(buffer, mfn, info_bytes);
    if (rc)
        return rc;
    buffer->pages = buffer->info->tbuf_size;
    buffer->copy = malloc(trace_buffer_bytes(buffer));
    buffer->pcpus = calloc(buffer->nr_pcpus, sizeof(*buffer->pcpus));
    if (!buffer->copy || !buffer->pcpus)
        return -ENOMEM;
    for (i = 0; i < buffer->nr_pcpus && !rc; i++)
        rc = map_pcpu(buffer, i);
    return rc;
}

static unsigned int pages_for(unsigned int nr_pcpus)
{
    unsigned int pages = PAGES_TOTAL / nr_pcpus;

    if (pages > PAGES_MOST)
        return PAGES_MOST;
    return pages < PAGES_LEAST ? PAGES_LEAST : pages;
}

int trace_buffer_open(struct trace_buffer **buffer_r,
                      struct xc_interface_core *xc, unsigned int nr_pcpus)
{
    struct trace_buffer *buffer;
    unsigned long mfn = 0, bytes = 0;
    int rc;

    if (!nr_pcpus || nr_pcpus > TRACE_PCPU_MAX + 1)
        return -EINVAL;
    buffer = calloc(1, sizeof(*buffer));
    if (!buffer)
        return -ENOMEM;
    buffer->xc = xc;
    buffer->nr_pcpus = nr_pcpus;
    rc = bind_virq(&buffer->events) ?: get_mask(xc, &buffer->mask_before);
    if (rc)
        goto out;
    /* The size is only a wish: what was set first since boot stays. */
    if (xc_tbuf_set_evt_mask(xc, 0) ||
        xc_tbuf_enable(xc, pages_for(nr_pcpus), &mfn, &bytes)) {
        rc = -errno;
        goto out;
    }
    buffer->on = true;
    if (!mfn || !bytes)
        rc = -ENOSYS;
    else
        rc = map_all(buffer, mfn, bytes) ?:
             trace_all_pcpus(xc) ?:
             trace_buffer_stop(buffer);
out:
    if (rc)
        trace_buffer_close(buffer);
    else
        *buffer_r = buffer;
    return rc;
}

void trace_buffer_close(struct trace_buffer *buffer)
{
    unsigned int i;

    if (!buffer)
        return;
    trace_buffer_stop(buffer);
    if (buffer->mask_before)
        xc_tbuf_set_evt_mask(buffer->xc, buffer->mask_before);
    for (i = 0; buffer->pcpus && i < buffer->nr_pcpus; i++) {
        if (buffer->pcpus[i])
            xenforeignmemory_unmap(buffer->memory, buffer->pcpus[i],
                                   buffer->pages);
    }
    if (buffer->info)
        xenforeignmemory_unmap(buffer->memory, buffer->info,
                               buffer->info_pages);
    if (buffer->memory)
        xenforeignmemory_close(buffer->memory);
    if (buffer->events)
        xenevtchn_close(buffer->events);
    free(buffer->pcpus);
    free(buffer->copy);
    free(buffer);
}

size_t trace_buffer_bytes(const struct trace_buffer *buffer)
{
    return buffer->pages * XC_PAGE_SIZE - sizeof(struct t_buf);
}

int trace_buffer_start(struct trace_buffer *buffer)
{
    unsigned long mfn, bytes;
    unsigned int i;

    for (i = 0; i < buffer->nr_pcpus; i++) {
        volatile struct t_buf *meta = buffer->pcpus[i];

        if (meta)
            meta->cons = meta->prod;
    }
    if (xc_tbuf_set_evt_mask(buffer->xc, TRC_SCHED_MIN) ||
        xc_tbuf_enable(buffer->xc, buffer->pages, &mfn, &bytes))
        return -errno;
    buffer->on = true;
    return 0;
}

int trace_buffer_stop(struct trace_buffer *buffer)
{
    if (!buffer->on)
        return 0;
    if (xc_tbuf_disable(buffer->xc))
        return -errno;
    buffer->on = false;
    return 0;
}

static int keep(FILE *file, unsigned int pcpu, const void *bytes, size_t nr)
{
    uint8_t header[TRACE_FILE_HEADER_BYTES];

    if (!file)
        return 0;
    trace_log_file_header(header, pcpu, nr);
    if (fwrite(header, sizeof(header), 1, file) != 1 ||
        fwrite(bytes, 1, nr, file) != nr)
        return -EIO;
    return 0;
}

static int drain_pcpu(struct trace_buffer *buffer, unsigned int pcpu,
                      struct trace_log *log, FILE *file)
{
    volatile struct t_buf *meta = buffer->pcpus[pcpu];
    const uint8_t *data = (const uint8_t *)(buffer->pcpus[pcpu] + 1);
    size_t size = trace_buffer_bytes(buffer), window, start, first;
    uint32_t cons, prod;
    int rc;

    if (!meta)
        return 0;
    cons = meta->cons;
    prod = meta->prod;
    xen_rmb();                  /* prod is read before the records */
    if (cons == prod)
        return 0;
    if (cons >= 2 * size || prod >= 2 * size)
        return -EPROTO;
    window = prod >= cons ? prod - cons : prod + 2 * size - cons;
    if (window > size)
        return -EPROTO;
    start = cons % size;
    first = window < size - start ? window : size - start;
    memcpy(buffer->copy, data + start, first);
    memcpy(buffer->copy + first, data, window - first);
    xen_mb();                   /* the records are read before cons moves */
    meta->cons = prod;

    rc = trace_log_add_window(log, pcpu, buffer->copy, window);
    return rc ? rc : keep(file, pcpu, buffer->copy, window);
}

int trace_buffer_drain(struct trace_buffer *buffer, struct trace_log *log,
                       FILE *file)
{
    unsigned int i;
    int rc = 0;

    for (i = 0; i < buffer->nr_pcpus && !rc; i++)
        rc = drain_pcpu(buffer, i, log, file);
    return rc;
}

void trace_buffer_clean(void)
{
    xenevtchn_handle *events;
    xc_interface *xc;

    if (bind_virq(&events))
        return;
    xc = xc_interface_open(NULL, NULL, 0);
    if (xc) {
        xc_tbuf_disable(xc);
        xc_tbuf_set_evt_mask(xc, TRC_ALL);
        xc_interface_close(xc);
    }
    xenevtchn_close(events);
}
