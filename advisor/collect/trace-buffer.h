/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's trace buffers, one per pCPU, as their only reader.
 *
 * There can be one reader, since it moves an index in the buffer itself; who
 * reads holds VIRQ_TBUF, as xentrace does, so that either finds out about the
 * other.  The buffers' size is set by the first user after boot, and their
 * memory stays Xen's until the next boot.
 *
 * Functions return 0 or -errno.  Source: tools/xentrace/xentrace.c,
 * xen/common/trace.c.
 */
#ifndef SHMLINK_COLLECT_TRACE_BUFFER_H
#define SHMLINK_COLLECT_TRACE_BUFFER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "collect/trace-log.h"

struct trace_buffer;
struct xc_interface_core;

/*
 * Map the buffers; tracing is off then.  nr_pcpus: pCPU numbers below it.
 * Errors: EEXIST another reader, such as xentrace; ENOSYS Xen was built
 * without tracing; ENOMEM; or what mapping gave.
 */
int trace_buffer_open(struct trace_buffer **buffer_r,
                      struct xc_interface_core *xc, unsigned int nr_pcpus);
/* Off, and as they were found; NULL is fine. */
void trace_buffer_close(struct trace_buffer *buffer);

/* Bytes of each pCPU's buffer, as Xen has it, whatever was asked for. */
size_t trace_buffer_bytes(const struct trace_buffer *buffer);

/* Forget what is in the buffers and record changes of runstates. */
int trace_buffer_start(struct trace_buffer *buffer);
int trace_buffer_stop(struct trace_buffer *buffer);

/*
 * Take out what is in the buffers.  file: written in xentrace's format, too;
 * NULL: not.  Errors: EPROTO Xen's indices make no sense; EIO the file; those
 * of trace_log_add_window().
 */
int trace_buffer_drain(struct trace_buffer *buffer, struct trace_log *log,
                       FILE *file);

/* Switch off tracing that a killed reader of ours left on, unless another
 * reader is there. */
void trace_buffer_clean(void);

#endif
