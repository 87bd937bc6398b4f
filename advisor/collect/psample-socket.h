/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's psample channel, and the channel of interfaces that come and
 * go, on one descriptor to be polled.
 *
 * Functions return 0 or -errno.
 */
#ifndef SHMLINK_COLLECT_PSAMPLE_SOCKET_H
#define SHMLINK_COLLECT_PSAMPLE_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/psample.h"

struct psample_socket;

/*
 * take: called for each sample of the group; its result is ignored.
 * Errors: ENOENT the kernel has no psample (the module is loaded by the first
 * filter that samples); EPERM.
 */
int psample_socket_open(struct psample_socket **socket_r, uint32_t group,
                        void (*take)(void *opaque,
                                     const struct psample_sample *sample),
                        void *opaque);
void psample_socket_close(struct psample_socket *socket);
int psample_socket_fd(const struct psample_socket *socket);

/* Read what there is. *links_r: interfaces came, went or changed. */
int psample_socket_read(struct psample_socket *socket, bool *links_r);

/* Samples that came, and those that the kernel numbered but did not come. */
void psample_socket_counts(const struct psample_socket *socket,
                           uint64_t *got_r, uint64_t *lost_r);

#endif
