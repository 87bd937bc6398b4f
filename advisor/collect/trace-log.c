/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/trace-log.h"

#include "base/compare.h"
#include "base/jsonio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Not from <xen/trace.h>, so that this file builds where Xen's are missing. */
#define EVENT(header)           ((header) & 0x0fffffffU)
#define EXTRA_WORDS(header)     (((header) >> 28) & 7U)
#define HAS_CYCLES(header)      (((header) >> 31) & 1U)
#define EVENT_LOST_RECORDS      0x0001f001U
#define EVENT_CPU_CHANGE        0x0001f003U
#define EVENT_CONTINUE          0x00021002U
#define EVENT_RUNSTATE          0x00021001U
#define EVENT_RUNSTATE_MASK     0x0ffff00fU
/* Larger than any trace of a day; keeps a hostile file from eating memory. */
#define EVENTS_MAX              (UINT32_MAX / 2)

struct record {
    uint32_t event;
    uint32_t nr_words;
    uint32_t words[7];
    uint64_t tsc;
    bool has_tsc;
    size_t size_bytes;
};

static uint32_t get_u32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static void put_u32(uint8_t *p, uint32_t value)
{
    p[0] = value;
    p[1] = value >> 8;
    p[2] = value >> 16;
    p[3] = value >> 24;
}

static int decode(struct record *record, const uint8_t *p, size_t nr_bytes)
{
    uint32_t header, i;
    size_t at = 4;

    if (nr_bytes < 4)
        return -EPROTO;
    header = get_u32(p);
    record->event = EVENT(header);
    record->nr_words = EXTRA_WORDS(header);
    record->has_tsc = HAS_CYCLES(header);
    record->size_bytes = 4 + (record->has_tsc ? 8 : 0) +
                         4 * (size_t)record->nr_words;
    if (record->size_bytes > nr_bytes)
        return -EPROTO;

    record->tsc = 0;
    if (record->has_tsc) {
        record->tsc = get_u32(p + 4) | (uint64_t)get_u32(p + 8) << 32;
        at = 12;
    }
    for (i = 0; i < record->nr_words; i++)
        record->words[i] = get_u32(p + at + 4 * i);
    return 0;
}

static int append(struct trace_log *log, const struct trace_event *event)
{
    struct trace_event *added = JSONIO_ADD(log, events, EVENTS_MAX);

    if (!added)
        return -ENOMEM;
    *added = *event;
    added->sequence = log->nr_events - 1;
    return 0;
}

static int append_loss(struct trace_log *log, const struct record *record,
                       struct trace_event *event)
{
    uint64_t first_tsc = record->words[2] | (uint64_t)record->words[3] << 32;
    int rc;

    log->lost_records += record->words[0];
    /* struct { u32 lost; u16 did, vid; u64 first_tsc; }, unlike a runstate */
    event->domid = record->words[1] & 0xffff;
    event->vcpuid = record->words[1] >> 16;

    event->kind = TRACE_LOSS_BEGINS;
    event->tsc = first_tsc < record->tsc ? first_tsc : record->tsc;
    rc = append(log, event);
    if (rc)
        return rc;
    event->kind = TRACE_LOSS_ENDS;
    event->tsc = record->tsc;
    return append(log, event);
}

static int append_record(struct trace_log *log, unsigned int pcpu,
                         const struct record *record)
{
    struct trace_event event = { .tsc = record->tsc, .pcpu = pcpu };

    if (!record->has_tsc || !record->nr_words)
        return 0;
    if (record->event == EVENT_LOST_RECORDS && record->nr_words >= 4)
        return append_loss(log, record, &event);

    event.vcpuid = record->words[0] & 0xffff;
    event.domid = record->words[0] >> 16;
    if ((record->event & EVENT_RUNSTATE_MASK) == EVENT_RUNSTATE) {
        event.kind = TRACE_RUNSTATE;
        event.old_state = (record->event >> 8) & 3;
        event.new_state = (record->event >> 4) & 3;
        return append(log, &event);
    }
    if (record->event == EVENT_CONTINUE) {
        event.kind = TRACE_CONTINUE;
        event.old_state = TRACE_RUNNING;
        event.new_state = TRACE_RUNNING;
        return append(log, &event);
    }
    return 0;
}

int trace_log_add_window(struct trace_log *log, unsigned int pcpu,
                         const void *bytes, size_t nr_bytes)
{
    const uint8_t *p = bytes;
    size_t at = 0;

    if (pcpu > TRACE_PCPU_MAX)
        return -EINVAL;
    while (at < nr_bytes) {
        struct record record;
        int rc = decode(&record, p + at, nr_bytes - at);

        if (rc) {
            log->truncated = true;
            return rc;
        }
        rc = append_record(log, pcpu, &record);
        if (rc)
            return rc;
        at += record.size_bytes;
    }
    return 0;
}

int trace_log_add_file(struct trace_log *log, const void *bytes,
                       size_t nr_bytes)
{
    const uint8_t *p = bytes;
    size_t at = 0;

    if (!nr_bytes)
        return -EPROTO;
    while (at < nr_bytes) {
        struct record header;
        size_t left, size;
        int rc = decode(&header, p + at, nr_bytes - at);

        if (rc) {
            log->truncated = true;
            return at ? 0 : rc;
        }
        if (header.event != EVENT_CPU_CHANGE || header.nr_words < 2)
            return -EPROTO;
        at += header.size_bytes;
        left = nr_bytes - at;
        size = header.words[1];
        if (size > left) {
            log->truncated = true;
            size = left;
        }
        rc = trace_log_add_window(log, header.words[0], p + at, size);
        /* A window that the end of the file cut may end inside a record. */
        if (rc && !(rc == -EPROTO && size == left))
            return rc;
        at += size;
    }
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const struct trace_event *x = a, *y = b;

    return COMPARE(x->tsc, y->tsc) ?: COMPARE(x->sequence, y->sequence);
}

void trace_log_sort(struct trace_log *log)
{
    if (log->nr_events)
        qsort(log->events, log->nr_events, sizeof(*log->events), by_time);
}

void trace_log_reset(struct trace_log *log)
{
    if (!log)
        return;
    free(log->events);
    memset(log, 0, sizeof(*log));
}

void trace_log_file_header(uint8_t header[TRACE_FILE_HEADER_BYTES],
                           unsigned int pcpu, uint32_t window_bytes)
{
    put_u32(header, EVENT_CPU_CHANGE | 2U << 28);
    put_u32(header + 4, pcpu);
    put_u32(header + 8, window_bytes);
}
