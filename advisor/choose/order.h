/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An order that does not depend on numbers.  Whatever is alike in all that the
 * model knows stays in the order of its numbers: exchanging it changes nothing.
 */
#ifndef SHMLINK_CHOOSE_ORDER_H
#define SHMLINK_CHOOSE_ORDER_H

struct choose_model;

/*
 * Nodes by their distances, slots by node, group and core, least busy first,
 * then by what they are to the VMs.  core, group and node of each slot are
 * any numbers before, node one in snapshot->nodes; afterwards they count
 * from 0 in that order, and model->nodes has the nodes'.  Errors: -ENOMEM.
 */
int choose_order_slots(struct choose_model *model);

#endif
