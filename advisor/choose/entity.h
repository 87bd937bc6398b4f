/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vCPUs' part of the model: what is to be placed, and where it may be. */
#ifndef SHMLINK_CHOOSE_ENTITY_H
#define SHMLINK_CHOOSE_ENTITY_H

#include <stdbool.h>

struct choose_model;
struct choose_sizes;
struct snapshot;
struct snapshot_domain;
struct snapshot_vcpu;

int choose_entities(struct choose_model *model,
                    const struct choose_sizes *sizes);

/* What it would use if it never waited. */
double choose_demand(const struct snapshot_vcpu *vcpu);

/* Its own cap holds it, not others: it waits for nobody. */
bool choose_capped(const struct snapshot *snapshot,
                   const struct snapshot_domain *domain);

#endif
