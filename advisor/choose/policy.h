/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left alone, whatever is gained. */
#ifndef SHMLINK_CHOOSE_POLICY_H
#define SHMLINK_CHOOSE_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "model/past.h"

struct choose_model;
struct choose_pair;
struct settings_group;
struct snapshot_domain;

/* By name or UUID. */
bool choose_listed(const struct snapshot_domain *domain,
                   const struct settings_group *group);
/*
 * Nothing is done to it, whatever is gained.  Twins are among these: plan,
 * journal and history name domains by UUID, neither can be told what to do.
 */
bool choose_left_alone(const struct choose_model *model, size_t index);
/* By the settings or the snapshot's own mark. */
bool choose_to_isolate(const struct choose_model *model, size_t index);
/* One, or with second both, was changed lately. */
bool choose_cooling(const struct choose_model *model, size_t first,
                    size_t second);

/* Whether this is the last that the advisor did to the pair's link. */
bool choose_link_was(const struct choose_model *model,
                     const struct choose_pair *pair, enum past_kind kind);

#endif
