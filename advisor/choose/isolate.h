/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Isolation of VMs: hard affinities, of all vCPUs of such a VM on cores of its
 * own and of everybody else's off these, or it is not called so.
 *
 * dom0 and driver domains are trusted: unless move-dom0 says so they are not
 * kept off, which is said.  What Xen starts later may run anywhere until the
 * next plan.
 */
#ifndef SHMLINK_CHOOSE_ISOLATE_H
#define SHMLINK_CHOOSE_ISOLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct choose_model;
struct choose_placement;
struct plan;

/*
 * Take the mark off entities of VMs that cannot be isolated wherever they are:
 * their own places are fixed, another VM's vCPU floats and is not to be
 * touched, or more would have to be pinned than max-moves allows.  Nothing is
 * then done for half an isolation.
 */
void choose_isolable(struct choose_model *model);
/* The first vCPU whose floating, and being left alone, keeps the VM from it;
 * nr_entities: none. */
uint32_t choose_hinderer(const struct choose_model *model, size_t index);
/* May run beside an isolated VM. */
bool choose_trusted(const struct choose_model *model, size_t index);

/*
 * Once the pins are there: steps for the affinities that are missing, or are
 * of an isolation that nobody asks for any more, and a note for each VM that
 * is to be isolated: by which pCPUs it is, or why it is not.
 * Errors: plan->no_memory.
 */
void choose_isolate(struct plan *plan, const struct choose_placement *after);

#endif
