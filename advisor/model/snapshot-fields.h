/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to snapshot*.c: the fields of the file. */
#ifndef SHMLINK_MODEL_SNAPSHOT_FIELDS_H
#define SHMLINK_MODEL_SNAPSHOT_FIELDS_H

#include "base/jsonio.h"

/* Of struct snapshot, and of what is added to it. */
extern const struct jsonio_table snapshot_fields;
extern const struct jsonio_table snapshot_pcpu_fields;
extern const struct jsonio_table snapshot_cache_fields;
extern const struct jsonio_table snapshot_node_fields;
extern const struct jsonio_table snapshot_pool_fields;
extern const struct jsonio_table snapshot_domain_fields;
extern const struct jsonio_table snapshot_vif_fields;
extern const struct jsonio_table snapshot_vcpu_fields;
extern const struct jsonio_table snapshot_switch_fields;
extern const struct jsonio_table snapshot_traffic_fields;
extern const struct jsonio_table snapshot_link_fields;
extern const struct jsonio_table snapshot_note_fields;

#endif
