/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A psample message of any content. */
#include <stdint.h>
#include <stdlib.h>

#include "collect/psample.h"
#include "collect/traffic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct traffic_matrix matrix = { 0 };
    struct traffic_estimate e;
    struct psample_sample sample;

    if (psample_decode(data, size, &sample))
        return 0;
    if (!sample.rate)
        abort();
    if (!traffic_add(&matrix, sample.iif, sample.oif, &sample)) {
        traffic_estimate(&matrix, &matrix.cells[0], 1, &e);
        /* Not negative, not NaN. */
        if (!(e.bytes >= 0) || !(e.bytes_error >= 0) || !(e.packets >= 0))
            abort();
    }
    traffic_reset(&matrix);
    return 0;
}
