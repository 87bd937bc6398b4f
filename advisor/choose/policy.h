/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left alone, whatever is gained. */
#ifndef SHMLINK_CHOOSE_POLICY_H
#define SHMLINK_CHOOSE_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "choose/choose.h"

struct choose_pair;
struct settings;
struct snapshot;
struct snapshot_domain;

/* By name or UUID. */
bool choose_listed(const struct snapshot_domain *domain, char **names,
                   size_t nr_names);
/*
 * Nothing is done to it, whatever is gained.  Twins are among these: plan,
 * journal and history name domains by UUID, neither can be told what to do.
 */
bool choose_left_alone(const struct snapshot *snapshot,
                       const struct settings *settings, size_t index);
/* By the settings or the snapshot's own mark. */
bool choose_to_isolate(const struct snapshot *snapshot,
                       const struct settings *settings, size_t index);
/* One, or with second both, was changed lately. */
bool choose_cooling(const struct snapshot *snapshot,
                    const struct settings *settings,
                    const struct choose_history *history, size_t first,
                    size_t second);

/* Whether this is the last that the advisor did to the pair's link. */
bool choose_link_was(const struct snapshot *snapshot,
                     const struct choose_history *history,
                     const struct choose_pair *pair,
                     enum choose_past_kind kind);

#endif
