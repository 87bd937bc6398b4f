/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many vCPUs each domain is to have. */
#ifndef SHMLINK_CHOOSE_RESIZE_H
#define SHMLINK_CHOOSE_RESIZE_H

#include <stdbool.h>
#include <stdint.h>

struct choose_model;
struct plan;

struct choose_sizes {
    uint32_t *online;		/* [nr_domains] */
    bool changed;
    double starved_before, starved_after;	/* pCPUs */
};

/*
 * vCPUs to add and take back, as steps, findings and notes.
 * before: the model of the host as it is.
 * A sender all of whose vCPUs run all the time lacks at least half of one
 * more: starved is CHOOSE_STARVED * their mean utilisation.
 * Errors: -ENOMEM.  Owns: caller, choose_sizes_free().
 */
#define CHOOSE_STARVED 0.5
int choose_resize(struct choose_sizes *sizes_r, struct plan *plan,
                  const struct choose_model *before);
void choose_sizes_free(struct choose_sizes *sizes);

#endif
