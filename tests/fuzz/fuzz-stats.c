// SPDX-License-Identifier: GPL-2.0-or-later
/* The counters' line that a guest writes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/counters.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct shmlink_counters counters;

    memcpy(text, data, size);
    text[size] = '\0';
    memset(&counters, 0xa5, sizeof(counters));
    /* Untouched on failure, as the header says. */
    if (counters_parse(text, &counters) &&
        counters.tx_bytes != 0xa5a5a5a5a5a5a5a5U)
        abort();
    free(text);
    return 0;
}
