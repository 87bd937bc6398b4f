/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private to jsonio: what reading and checking by a table share. */
#ifndef SHMLINK_BASE_JSONIO_TABLE_H
#define SHMLINK_BASE_JSONIO_TABLE_H

#include <stdbool.h>

#include "base/jsonio.h"

#define JSONIO_TEXT_WRONG \
    "too long, or with control characters, or no UTF-8"

/* Whether its elements are values and no objects. */
static inline bool jsonio_is_plain(const struct jsonio_table *table)
{
    return !table->fields[0].key;
}

/* As jsonio_fail(), with the key before it. */
void jsonio_field_fail(struct jsonio_in *in, const struct jsonio_field *field,
                       int rc, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The error of a field that is not there, if that is one. */
void jsonio_field_missing(struct jsonio_in *in,
                          const struct jsonio_field *field);
void jsonio_too_few(struct jsonio_in *in, const struct jsonio_field *field);
void jsonio_not_format(struct jsonio_in *in, const struct jsonio_field *field);

/* Is a single value, that is there, in its range? */
void jsonio_check_value(struct jsonio_in *in, const struct jsonio_field *field,
                        const void *at);

/* The next value, for a struct that has its defaults. */
void jsonio_read_object(struct jsonio_in *in, const struct jsonio_table *table,
                        void *object);

/* Element of an array or list, NULL behind the last. */
const void *jsonio_element(const struct jsonio_field *field, const void *root,
                           const void *owner, size_t index);

#endif
