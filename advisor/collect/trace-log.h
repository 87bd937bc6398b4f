/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of Xen's trace buffers, decoded and put in order.
 *
 * A pure parser: bytes in, events out; no Xen, no files.  Kept are the records
 * of a vCPU's runstate and those that tell of a loss; all others are
 * skipped.  Input is untrusted, since it may come from a file.
 *
 * Functions return 0 or -errno.  Not safe for two threads on one log.
 * Source: xen/include/public/trace.h, xen/common/sched/core.c
 * trace_runstate_change(), tools/xentrace/xentrace.c write_buffer().
 */
#ifndef SHMLINK_COLLECT_TRACE_LOG_H
#define SHMLINK_COLLECT_TRACE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Xen's RUNSTATE_*, as public/vcpu.h numbers them. */
enum trace_state {
    TRACE_RUNNING,
    TRACE_RUNNABLE,
    TRACE_BLOCKED,
    TRACE_OFFLINE,
    TRACE_UNKNOWN,              /* while records were lost */
    TRACE_STATES
};

enum trace_kind {
    TRACE_RUNSTATE,             /* old_state -> new_state */
    TRACE_CONTINUE,             /* scheduled again without having stopped */
    TRACE_LOSS_BEGINS,          /* this pCPU's buffer was full from here ... */
    TRACE_LOSS_ENDS,            /* ... to here, where domid/vcpuid runs */
};

/* pCPU numbers above this do not occur in Xen (NR_CPUS is at most 4095). */
#define TRACE_PCPU_MAX 4095
/* Xen's idle domain. */
#define TRACE_DOMID_IDLE 0x7fff

struct trace_event {
    uint64_t tsc;
    uint32_t sequence;          /* order of arrival, to break ties */
    uint16_t pcpu;
    uint16_t domid;
    uint16_t vcpuid;
    uint8_t kind;               /* enum trace_kind */
    uint8_t old_state;
    uint8_t new_state;
};

struct trace_log {
    struct trace_event *events;
    size_t nr_events;
    uint64_t lost_records;      /* that Xen says it dropped */
    bool truncated;             /* the last window or record was cut short */
};

/* Give back what a log holds; the struct may be used again.  NULL is fine. */
void trace_log_reset(struct trace_log *log);

/*
 * Add the records that one pCPU's buffer held, in the order written.
 * Args: pcpu 0..TRACE_PCPU_MAX; bytes: whole records, any alignment.
 * Errors: EINVAL pcpu; EPROTO a record runs past the end (those before it are
 * kept, truncated is set); ENOMEM.
 */
int trace_log_add_window(struct trace_log *log, unsigned int pcpu,
                         const void *bytes, size_t nr_bytes);

/*
 * Add a file as xentrace writes it: windows, each behind a record that names
 * the pCPU and the size.  A file cut short is taken as far as it goes.
 * Errors: EPROTO it is not such a file; EINVAL, ENOMEM as above.
 */
int trace_log_add_file(struct trace_log *log, const void *bytes,
                       size_t nr_bytes);

/* Bring the events of all pCPUs into the order of their time stamps. */
void trace_log_sort(struct trace_log *log);

#define TRACE_FILE_HEADER_BYTES 12
/* The record before a window of a xentrace file, for who writes one. */
void trace_log_file_header(uint8_t header[TRACE_FILE_HEADER_BYTES],
                           unsigned int pcpu, uint32_t window_bytes);

#endif
