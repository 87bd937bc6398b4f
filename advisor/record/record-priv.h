/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between history.c (records in and out) and history-mean.c (averages). */
#ifndef SHMLINK_RECORD_RECORD_PRIV_H
#define SHMLINK_RECORD_RECORD_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

struct sqlite3;

struct record
{
    struct sqlite3 *db;
};

/* Of a vCPU; as stored, in the machine's own byte order. */
enum
{
    HISTORY_RUN,
    HISTORY_WAIT,
    HISTORY_BLOCK,
    HISTORY_SWITCHES,
    HISTORY_EXECUTION,
    HISTORY_WAIT_ERROR,
    HISTORY_VCPU_VALUES,
};
struct record_vcpu
{
    float values[HISTORY_VCPU_VALUES];
    uint16_t vcpuid;
    uint8_t source[3]; /* of run, wait, switches */
    uint8_t unused[3];
};
_Static_assert(sizeof(struct record_vcpu) == 32, "as in the file");

/* Of a direction of a pair, both ways (vif and link) together. */
enum
{
    HISTORY_BYTES,
    HISTORY_BYTES_ERROR,
    HISTORY_PACKETS,
    HISTORY_TCP,
    HISTORY_UDP,
    HISTORY_OTHER,
    HISTORY_LINK_BYTES, /* what of it went by a link */
    HISTORY_LINK_PACKETS,
    HISTORY_SIZES,
    HISTORY_FLOW_VALUES = HISTORY_SIZES + SNAPSHOT_SIZE_BINS,
};
struct record_flow
{
    float values[HISTORY_FLOW_VALUES];
};
_Static_assert(sizeof(struct record_flow) == 80, "as in the file");

#define HISTORY_OUTSIDE 0 /* as a VM's number */

/* Called for each mean; a negative result ends it and is returned. */
struct record_mean_ops
{
    int (*vm)(void *opaque, int64_t vm, const struct record_vcpu *vcpus,
              size_t nr_vcpus);
    int (*flow)(void *opaque, int64_t from, int64_t to,
                const struct record_flow *flow);
};

/* The number of a VM; 0: it was never recorded. */
int record_vm_number(struct record *history, const uint8_t uuid[16],
                     int64_t *vm_r);

/* Add to a record, within the caller's transaction. */
int record_insert_load(struct record *history, int64_t record, int64_t vm,
                       const struct record_vcpu *vcpus, size_t nr_vcpus);
int record_insert_flow(struct record *history, int64_t record, int64_t a,
                       int64_t b, const struct record_flow *flow);

/* The records to take: empty the set, add one. */
int record_pick_none(struct record *history);
int record_pick(struct record *history, int64_t record);
/* Means over the records picked, weighted by their seconds.  A VM's are over
 * those in which it was here. */
int record_mean(struct record *history, const struct record_mean_ops *ops,
                void *opaque);

#endif
