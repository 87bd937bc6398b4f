/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a snapshot to a plan.  Pure: no Xen, no files, no clock, no random
 * numbers; the same input gives the same plan on every machine.
 */
#ifndef SHMLINK_CHOOSE_CHOOSE_H
#define SHMLINK_CHOOSE_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct settings;
struct plan;
struct snapshot;

/* What was done lately, from the journal. */
enum choose_past_kind {
    CHOOSE_PAST_PIN,
    CHOOSE_PAST_VCPUS_ADDED,	/* vcpus: how many the advisor added and
				   has not taken back */
    CHOOSE_PAST_LINK_ENABLED,	/* uuid[0], uuid[1] */
    CHOOSE_PAST_LINK_DISABLED,
    CHOOSE_PAST_LINK_REFUSED,	/* lately; nothing was changed */
};

struct choose_past {
    enum choose_past_kind kind;
    uint8_t uuid[2][16];
    uint32_t vif[2];		/* of a link: devids, or SNAPSHOT_NONE */
    uint32_t vcpus;
    uint32_t vcpus_online;	/* what the VM had with them */
    int64_t time;		/* seconds since 1970 */
};

struct choose_history {
    const struct choose_past *past;
    size_t nr_past;
    const char *const *bad_plans;	/* ids of plans that were undone since
					   they made things worse */
    size_t nr_bad_plans;
};

/*
 * Make a plan.  history may be NULL.  Cooldown counts back from the
 * snapshot's time.  A host on which nothing is to be gained gives a plan with
 * no steps.  Errors: -EINVAL the snapshot has no online pCPU (*why_r, may be
 * NULL, says so; caller frees), -ENOMEM.  Owns: caller, plan_free().
 */
int choose(struct plan **plan_r, const struct snapshot *snapshot,
           const struct settings *settings,
           const struct choose_history *history, char **why_r);

#endif
