/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/jsonio.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* A number below max at *text, which is moved on; -1: there is none. */
static long set_number(const char **text, unsigned max)
{
    unsigned long number = 0;

    if (!isdigit((unsigned char)**text))
        return -1;
    while (isdigit((unsigned char)**text)) {
        number = number * 10 + (unsigned long)(*(*text)++ - '0');
        if (number >= max)
            return -1;
    }
    return (long)number;
}

/* hwloc's own parser takes "0-" and numbers that cost gigabytes. */
int jsonio_set_parse(hwloc_bitmap_t set, const char *text, unsigned max)
{
    long first, last;

    if (!strcmp(text, "all")) {
        hwloc_bitmap_fill(set);
        return 0;
    }
    while (*text) {
        first = last = set_number(&text, max);
        if (first >= 0 && *text == '-') {
            text++;
            last = set_number(&text, max);
        }
        if (first < 0 || last < first)
            return -EINVAL;
        if (hwloc_bitmap_set_range(set, (unsigned)first, (int)last))
            return -ENOMEM;
        if (!*text)
            break;
        if (*text++ != ',' || !*text)
            return -EINVAL;
    }
    return 0;
}
