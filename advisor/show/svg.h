/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture of a host before and after a plan, as one SVG file.
 */
#ifndef SHMLINK_SHOW_SVG_H
#define SHMLINK_SHOW_SVG_H

#include <stdio.h>

struct plan;
struct settings;
struct snapshot;

/*
 * Args: a checked snapshot; the plan made of it (its places tell where each
 * vCPU is).  Names are untrusted and are escaped.  Nothing is printed.
 * Errors: -EINVAL no pCPU, -ENOMEM, -EIO from writing the stream.
 */
int svg_write(const struct snapshot *snapshot, const struct plan *plan,
              const struct settings *settings, FILE *stream);

#endif
