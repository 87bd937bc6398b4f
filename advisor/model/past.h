/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the advisor changed lately, in the order of time. */
#ifndef SHMLINK_MODEL_PAST_H
#define SHMLINK_MODEL_PAST_H

#include <stddef.h>
#include <stdint.h>

enum past_kind {
    PAST_PIN,
    PAST_VCPUS_ADDED,		/* vcpus: how many the advisor added and
				   has not taken back */
    PAST_LINK_ENABLED,		/* uuid[0], uuid[1] */
    PAST_LINK_DISABLED,
    PAST_LINK_REFUSED,		/* lately; nothing was changed */
};

struct past_change {
    enum past_kind kind;
    uint8_t uuid[2][16];
    uint32_t vif[2];		/* of a link: devids, or SNAPSHOT_NONE */
    uint32_t vcpus;
    uint32_t vcpus_online;	/* what the VM had with them */
    int64_t time;		/* seconds since 1970 */
};

struct past {
    struct past_change *changes;
    size_t nr_changes;
    char **bad_plans;		/* ids of plans that were undone since they
				   made things worse */
    size_t nr_bad_plans;
};

#endif
