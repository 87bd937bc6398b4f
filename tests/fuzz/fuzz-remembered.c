// SPDX-License-Identifier: GPL-2.0-or-later
/* The file of remembered links, whole or torn. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/remember.h"
#include "shmlink-wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct remembered *links = NULL;
    size_t i, nr = 0;

    memcpy(text, data, size);
    text[size] = '\0';
    if (!remember_parse(text, 1700000000, &links, &nr))
        for (i = 0; i < nr; i++)
            if (links[i].ring_bytes < SHMLINK_RING_BYTES_MIN ||
                links[i].ring_bytes > SHMLINK_RING_BYTES_MAX)
                abort();
    free(links);
    free(text);
    return 0;
}
