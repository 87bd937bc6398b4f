/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The traffic's part of the model: edges between entities. */
#ifndef SHMLINK_CHOOSE_GRAPH_H
#define SHMLINK_CHOOSE_GRAPH_H

#include <stdbool.h>

struct choose_model;
struct choose_pairs;

int choose_graph(struct choose_model *model, const struct choose_pairs *pairs,
                 bool links);

#endif
