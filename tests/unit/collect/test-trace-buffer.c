/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading Xen's trace buffers, with a Xen made here: wrapped windows, indices
 * that lie, an offline pCPU, another reader, and every call failing in turn.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xen/trace.h>

#include "collect/trace-buffer.h"

enum { PAGES = 2, PCPUS = 3, INFO_MFN = 100, MFN = 200 };
#define DATA_BYTES (PAGES * XC_PAGE_SIZE - sizeof(struct t_buf))

/* What Xen holds, and what the caller holds of it. */
static struct {
    union {
        struct t_info info;
        uint32_t words[XC_PAGE_SIZE / 4];
    } info;
    union {
        struct t_buf meta;
        uint8_t bytes[PAGES * XC_PAGE_SIZE];
    } pcpu[PCPUS];
    uint32_t mask;
    bool on;
    int handles, maps;
    unsigned int calls, fail_at;    /* 0: none */
    bool other_reader;
} xen;

/* True: this call is the one to fail. */
static bool fails(void)
{
    if (++xen.calls != xen.fail_at)
        return false;
    errno = ENOSPC;
    return true;
}

static void *handle(void)
{
    if (fails())
        return NULL;
    xen.handles++;
    return &xen;
}

xenevtchn_handle *xenevtchn_open(struct xentoollog_logger *logger,
                                 unsigned int flags)
{
    (void)logger;
    (void)flags;
    return handle();
}

int xenevtchn_close(xenevtchn_handle *xce)
{
    (void)xce;
    xen.handles--;
    return 0;
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce,
                                              unsigned int virq)
{
    (void)xce;
    assert_int_equal(virq, VIRQ_TBUF);
    if (fails())
        return -1;
    if (xen.other_reader) {
        errno = EEXIST;
        return -1;
    }
    return 7;
}

xenforeignmemory_handle *
xenforeignmemory_open(struct xentoollog_logger *logger, unsigned int flags)
{
    (void)logger;
    (void)flags;
    return handle();
}

int xenforeignmemory_close(xenforeignmemory_handle *fmem)
{
    (void)fmem;
    xen.handles--;
    return 0;
}

void *xenforeignmemory_map(xenforeignmemory_handle *fmem, uint32_t dom,
                           int prot, size_t pages,
                           const xen_pfn_t arr[], int err[])
{
    unsigned int i;

    (void)fmem;
    (void)prot;
    (void)err;
    assert_int_equal(dom, DOMID_XEN);
    if (fails())
        return NULL;
    xen.maps++;
    if (arr[0] == INFO_MFN)
        return &xen.info;
    assert_int_equal(pages, PAGES);
    for (i = 0; i < PAGES; i++)
        assert_int_equal(arr[i], arr[0] + i);
    return &xen.pcpu[(arr[0] - MFN) / PAGES];
}

int xenforeignmemory_unmap(xenforeignmemory_handle *fmem, void *addr,
                           size_t pages)
{
    (void)fmem;
    (void)pages;
    assert_non_null(addr);
    xen.maps--;
    return 0;
}

int xc_sysctl(xc_interface *xch, struct xen_sysctl *sysctl)
{
    (void)xch;
    sysctl->u.tbuf_op.evt_mask = xen.mask;
    return fails() ? -1 : 0;
}

int xc_tbuf_set_evt_mask(xc_interface *xch, uint32_t mask)
{
    (void)xch;
    if (fails())
        return -1;
    xen.mask = mask;
    return 0;
}

int xc_tbuf_set_cpu_mask(xc_interface *xch, xc_cpumap_t mask)
{
    (void)xch;
    assert_int_equal(mask[0], 0xff);
    return fails() ? -1 : 0;
}

int xc_get_cpumap_size(xc_interface *xch)
{
    (void)xch;
    return 1;
}

int xc_tbuf_enable(xc_interface *xch, unsigned long pages,
                   unsigned long *mfn, unsigned long *size)
{
    (void)xch;
    (void)pages;
    if (fails())
        return -1;
    xen.on = true;
    *mfn = INFO_MFN;
    *size = XC_PAGE_SIZE;
    return 0;
}

int xc_tbuf_disable(xc_interface *xch)
{
    (void)xch;
    if (fails())
        return -1;
    xen.on = false;
    return 0;
}

static void reset(void)
{
    unsigned int i, pcpu;

    memset(&xen, 0, sizeof(xen));
    xen.mask = TRC_ALL;
    xen.info.info.tbuf_size = PAGES;
    for (pcpu = 0; pcpu < PCPUS; pcpu++) {
        if (pcpu == 1)
            continue;           /* offline */
        xen.info.info.mfn_offset[pcpu] = 16 + pcpu * PAGES;
        for (i = 0; i < PAGES; i++)
            xen.info.words[16 + pcpu * PAGES + i] = MFN + pcpu * PAGES + i;
    }
}

static struct trace_buffer *open_buffer(void)
{
    struct trace_buffer *buffer = NULL;

    assert_int_equal(trace_buffer_open(&buffer, (void *)&xen, PCPUS), 0);
    assert_false(xen.on);
    return buffer;
}

static void check_released(void)
{
    assert_int_equal(xen.handles, 0);
    assert_int_equal(xen.maps, 0);
}

/* Xen puts a record at prod, around the end if need be. */
static void produce(unsigned int pcpu, uint64_t tsc, unsigned int domid)
{
    uint32_t words[4] = { 0x21001 | 1U << 31 | 1U << 28 | 1U << 4,
                          (uint32_t)tsc, tsc >> 32, domid << 16 };
    uint32_t *prod = &xen.pcpu[pcpu].meta.prod;
    uint8_t *data = xen.pcpu[pcpu].bytes + sizeof(struct t_buf);
    unsigned int i;

    for (i = 0; i < sizeof(words); i++)
        data[(*prod + i) % DATA_BYTES] = ((uint8_t *)words)[i];
    *prod = (*prod + sizeof(words)) % (2 * DATA_BYTES);
}

static void test_read(void **state)
{
    struct trace_buffer *buffer;
    struct trace_log log = { 0 }, again = { 0 };
    uint64_t tsc = 0, seen = 0;
    unsigned int round, i;
    uint8_t kept[1 << 20];
    FILE *file;
    size_t size;

    (void)state;
    reset();
    produce(0, 99, 9);          /* from before: nobody's */
    buffer = open_buffer();
    assert_int_equal(trace_buffer_bytes(buffer), DATA_BYTES);
    assert_int_equal(trace_buffer_start(buffer), 0);
    assert_true(xen.on);
    assert_int_equal(xen.mask, TRC_SCHED_MIN);
    file = fmemopen(kept, sizeof(kept), "w");
    /* Many rounds of an odd number, so that windows wrap anywhere. */
    for (round = 0; round < 200; round++) {
        for (i = 0; i < 101; i++)
            produce(round % 2 * 2, ++tsc, 1);
        assert_int_equal(trace_buffer_drain(buffer, &log, file), 0);
    }
    assert_int_equal(log.nr_events, tsc);
    for (i = 0; i < log.nr_events; i++)
        assert_int_equal(log.events[i].tsc, ++seen);
    size = ftell(file);
    fclose(file);
    /* What was kept is what xentrace would have written. */
    assert_int_equal(trace_log_add_file(&again, kept, size), 0);
    assert_int_equal(again.nr_events, tsc);
    trace_log_reset(&log);
    trace_log_reset(&again);
    trace_buffer_close(buffer);
    assert_false(xen.on);
    assert_int_equal(xen.mask, TRC_ALL);
    check_released();
}

/* A full buffer is one window; one byte more is a lie. */
static void test_hostile(void **state)
{
    static const uint32_t bad[][2] = {
        { 0, DATA_BYTES + 4 }, { 2 * DATA_BYTES, 0 }, { 0, 2 * DATA_BYTES },
        { UINT32_MAX, 0 }, { 4, 0 },
    };
    struct trace_buffer *buffer;
    struct trace_log log = { 0 };
    size_t i;

    (void)state;
    reset();
    buffer = open_buffer();
    for (i = 0; i < DATA_BYTES / 16; i++)
        produce(0, i, 1);
    assert_int_equal(trace_buffer_drain(buffer, &log, NULL), 0);
    assert_int_equal(log.nr_events, DATA_BYTES / 16);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        xen.pcpu[2].meta.cons = bad[i][0];
        xen.pcpu[2].meta.prod = bad[i][1];
        assert_int_equal(trace_buffer_drain(buffer, &log, NULL), -EPROTO);
    }
    trace_log_reset(&log);
    trace_buffer_close(buffer);

    /* A list of pages past the end of the list's own. */
    reset();
    xen.info.info.mfn_offset[0] = XC_PAGE_SIZE / 4 - 1;
    buffer = NULL;
    assert_int_equal(trace_buffer_open(&buffer, (void *)&xen, PCPUS),
                     -EPROTO);
    reset();
    xen.info.info.tbuf_size = 0;
    assert_int_equal(trace_buffer_open(&buffer, (void *)&xen, PCPUS),
                     -EPROTO);
    assert_null(buffer);
    check_released();
}

static void test_other_reader(void **state)
{
    struct trace_buffer *buffer = NULL;

    (void)state;
    reset();
    xen.on = true;
    xen.other_reader = true;
    assert_int_equal(trace_buffer_open(&buffer, (void *)&xen, PCPUS),
                     -EEXIST);
    assert_true(xen.on && xen.mask == TRC_ALL);
    trace_buffer_clean();
    assert_true(xen.on && xen.mask == TRC_ALL);
    check_released();
    trace_buffer_close(NULL);
}

static void test_each_call_fails(void **state)
{
    struct trace_buffer *buffer;
    unsigned int n, calls;

    (void)state;
    reset();
    trace_buffer_close(open_buffer());
    calls = xen.calls;
    assert_true(calls > 8);
    for (n = 1; n <= calls; n++) {
        int rc;

        reset();
        xen.fail_at = n;
        buffer = NULL;
        rc = trace_buffer_open(&buffer, (void *)&xen, PCPUS);
        assert_true(rc < 0 ? !buffer : buffer != NULL);
        trace_buffer_close(buffer);
        check_released();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_other_reader),
        cmocka_unit_test(test_each_call_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
