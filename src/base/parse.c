// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "shmlink-wire.h"

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* A leading number; *end_r is what follows it. */
static int parse_leading(const char *text, uint64_t *value_r,
                         const char **end_r)
{
    unsigned long long value;
    char *end;

    /* strtoull takes blanks, signs and hexadecimal; a digit first does not. */
    if (!text || !is_digit(text[0]))
        return -EINVAL;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno)
        return -EINVAL;
    *value_r = value;
    *end_r = end;
    return 0;
}

int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value_r)
{
    const char *end;
    uint64_t value;

    if (parse_leading(text, &value, &end) || *end)
        return -EINVAL;
    if (value < min || value > max)
        return -EINVAL;
    *value_r = value;
    return 0;
}

int parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *value_r)
{
    uint64_t value;

    if (parse_u64(text, min, max, &value))
        return -EINVAL;
    *value_r = (uint32_t)value;
    return 0;
}

int parse_ring_bytes(const char *text, uint32_t *bytes_r)
{
    unsigned int shift = 0;
    const char *end;
    uint64_t value;

    if (parse_leading(text, &value, &end))
        return -EINVAL;
    if (*end == 'K' || *end == 'k')
        shift = 10;
    else if (*end == 'M' || *end == 'm')
        shift = 20;
    if (shift)
        end++;
    if (*end || value > SHMLINK_RING_BYTES_MAX >> shift)
        return -EINVAL;
    value <<= shift;
    if (value < SHMLINK_RING_BYTES_MIN || (value & (value - 1)))
        return -EINVAL;
    *bytes_r = (uint32_t)value;
    return 0;
}

int parse_rate(const char *text, uint32_t *bytes_r)
{
    static const char prefixes[] = "KMG";
    uint64_t value, factor = 1, divisor;
    const char *end, *prefix;

    if (parse_leading(text, &value, &end))
        return -EINVAL;
    prefix = *end ? strchr(prefixes, *end) : NULL;
    if (prefix)
        end++;
    for (; prefix && prefix >= prefixes; prefix--)
        factor *= 1000;
    divisor = *end == 'b' ? 8 : 1;
    if ((*end != 'b' && *end != 'B') || strcmp(end + 1, "/s") ||
        value > UINT32_MAX * divisor / factor || value * factor < divisor)
        return -EINVAL;
    *bytes_r = (uint32_t)(value * factor / divisor);
    return 0;
}

int parse_versions(const char *text, uint32_t *min_r, uint32_t *max_r)
{
    const char *end;
    uint64_t min, max;

    if (parse_leading(text, &min, &end) || *end != ' ')
        return -EINVAL;
    if (parse_u64(end + 1, min, UINT32_MAX, &max) || min == 0)
        return -EINVAL;
    *min_r = (uint32_t)min;
    *max_r = (uint32_t)max;
    return 0;
}

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

static int parse_name(const char *text, size_t len, char *name_r, size_t bytes)
{
    size_t i;

    if (len >= bytes || strspn(text, "0123456789") >= len)
        return -EINVAL;
    for (i = 0; i < len; i++)
        if (!is_printable(text[i]) || text[i] == '/')
            return -EINVAL;
    snprintf(name_r, bytes, "%.*s", (int)len, text);
    return 0;
}

int parse_own_name(const char *text, char *name_r, size_t bytes)
{
    return parse_name(text, strlen(text), name_r, bytes);
}

int parse_guest(const char *text, char *name_r, size_t bytes, uint32_t *vif_r)
{
    const char *colon = strrchr(text, ':');
    uint32_t vif = UINT32_MAX;

    if (colon && parse_u32(colon + 1, 0, UINT32_MAX - 1, &vif))
        colon = NULL;
    if (parse_name(text, colon ? (size_t)(colon - text) : strlen(text),
                   name_r, bytes))
        return -EINVAL;
    *vif_r = vif;
    return 0;
}

int parse_bytes(const char *text, uint8_t *value_r, size_t bytes,
                char separator, unsigned int breaks)
{
    uint8_t value[PARSE_BYTES_MAX];
    int high, low;
    size_t i;

    for (i = 0; text && i < bytes; i++) {
        if ((breaks >> i & 1) && *text++ != separator)
            return -EINVAL;
        high = hex_digit(*text);
        low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0)
            return -EINVAL;
        value[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (!text || *text)
        return -EINVAL;
    memcpy(value_r, value, bytes);
    return 0;
}

int parse_mac(const char *text, uint8_t mac_r[6])
{
    static const uint8_t zero[6];
    uint8_t mac[6];

    if (parse_bytes(text, mac, 6, ':', 0x3e) || mac[0] & 1 ||
        !memcmp(mac, zero, sizeof(mac)))
        return -EINVAL;
    memcpy(mac_r, mac, sizeof(mac));
    return 0;
}

void parse_sanitise(const char *text, char *clean_r, size_t limit)
{
    size_t i;

    for (i = 0; text && text[i] && i < limit - 1; i++)
        clean_r[i] = is_printable(text[i]) ? text[i] : '?';
    clean_r[i] = '\0';
}
