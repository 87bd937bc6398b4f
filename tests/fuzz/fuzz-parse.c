// SPDX-License-Identifier: GPL-2.0-or-later
/* Text from xenstore and command lines: what is taken is in its range. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "shmlink-wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), clean[16];
    uint32_t min = 0, max = 0, bytes = 0;
    uint64_t number = 0;
    uint8_t mac[6] = { 0 }, hex[16];
    size_t i;

    memcpy(text, data, size);
    text[size] = '\0';
    if (!parse_u64(text, 3, 1000, &number))
        want(number >= 3 && number <= 1000);
    if (!parse_ring_bytes(text, &bytes))
        want(bytes >= SHMLINK_RING_BYTES_MIN &&
             bytes <= SHMLINK_RING_BYTES_MAX && !(bytes & (bytes - 1)));
    if (!parse_rate(text, &bytes))
        want(bytes > 0);
    if (!parse_versions(text, &min, &max))
        want(min > 0 && min <= max);
    if (!parse_mac(text, mac))
        want(!(mac[0] & 1));
    if (!parse_bytes(text, hex, sizeof(hex), 0, 0))
        want(strlen(text) == 32);
    parse_sanitise(text, clean, sizeof(clean));
    want(strlen(clean) < sizeof(clean));
    for (i = 0; clean[i]; i++)
        want(clean[i] >= ' ' && clean[i] <= '~');
    free(text);
    return 0;
}
