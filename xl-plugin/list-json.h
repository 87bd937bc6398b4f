/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_LIST_JSON_H
#define SHMLINK_LIST_JSON_H

#include <stddef.h>
#include <stdio.h>

struct shmlink_link;

/* Print the links as the JSON array that xl-shmlink(8) describes. */
void list_json_print(FILE *file, const struct shmlink_link *links, size_t nr);

#endif /* SHMLINK_LIST_JSON_H */
