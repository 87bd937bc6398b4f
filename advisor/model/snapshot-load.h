/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to snapshot-load*.c: fields that both files read. */
#ifndef SHMLINK_MODEL_SNAPSHOT_LOAD_H
#define SHMLINK_MODEL_SNAPSHOT_LOAD_H

#include <hwloc.h>
#include <stdint.h>

#define SNAPSHOT_WORD(in, item, key, words) \
    jsonio_word(in, item, key, words, SNAPSHOT_NR_WORDS(words))

struct json_object;
struct jsonio_in;
struct snapshot;
struct snapshot_value;

/* Ranges of what is read are snapshot_check()'s work, which comes last. */
void snapshot_load_value(struct jsonio_in *in, struct json_object *object,
                         const char *key, struct snapshot_value *value);
double snapshot_load_rate(struct jsonio_in *in, struct json_object *object,
                          const char *key);

/* Replace a set made by snapshot_add_*; a missing one is left as it is. */
void snapshot_load_set(struct jsonio_in *in, struct json_object *object,
                       const char *key, hwloc_bitmap_t *set);

/* Index of a domain; null is SNAPSHOT_OUTSIDE: the outside, or idle. */
size_t snapshot_load_domid(struct jsonio_in *in, struct json_object *object,
                           const char *key, const struct snapshot *snapshot);

void snapshot_load_domains(struct jsonio_in *in, struct json_object *root,
                           struct snapshot *snapshot);

#endif
