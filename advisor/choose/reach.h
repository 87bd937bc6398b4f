/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which slots an entity may be on, by the host's rules and the plan's. */
#ifndef SHMLINK_CHOOSE_REACH_H
#define SHMLINK_CHOOSE_REACH_H

#include <stdint.h>

struct choose_model;
struct snapshot_vcpu;

struct choose_reach {
    struct choose_model *model;
    uint32_t *slots;		/* slot of each pCPU, UINT32_MAX: none */
    uint8_t *sets;		/* of each cpupool, see reach.c */
};

/* Needs the model's slots; it lives as long as the model.  Errors: -ENOMEM. */
int choose_reach_new(struct choose_reach *reach, struct choose_model *model);

/* Index in snapshot->pools of its os_index; UINT32_MAX: none. */
uint32_t choose_reach_pool(const struct choose_reach *reach,
                           uint32_t os_index);
/* The slot to which its affinity binds it; UINT32_MAX: it may be on several. */
uint32_t choose_reach_bound(const struct choose_reach *reach,
                            const struct snapshot_vcpu *vcpu);
/* Fill in model->allowed; an entity that is allowed nowhere is fixed. */
void choose_reach_allowed(const struct choose_reach *reach, uint32_t entity);
/* Fill in model->roams, empty for one that is bound, and everywhere. */
void choose_reach_roams(const struct choose_reach *reach, uint32_t entity);

#endif
