/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a vCPU or a VM wants. */
#ifndef SHMLINK_CHOOSE_ENTITY_H
#define SHMLINK_CHOOSE_ENTITY_H

#include <stdbool.h>

struct snapshot;
struct snapshot_domain;
struct snapshot_vcpu;

/* What it would use if it never waited. */
double choose_demand(const struct snapshot_vcpu *vcpu);

/* Its own cap holds it, not others: it waits for nobody. */
bool choose_capped(const struct snapshot *snapshot,
                   const struct snapshot_domain *domain);

#endif
