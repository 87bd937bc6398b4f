/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strict reading of text that others wrote: command lines, xenstore values.
 * The whole string must match, a number starts with a digit, and a value out
 * of range is an error, never clamped.  Functions return 0 or -EINVAL and leave
 * the result untouched on failure.
 */
#ifndef SHMLINK_BASE_PARSE_H
#define SHMLINK_BASE_PARSE_H

#include <stddef.h>
#include <stdint.h>

/* Decimal number in min..max, inclusive. */
int parse_u64(const char *text, uint64_t min, uint64_t max, uint64_t *value_r);
int parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *value_r);

/*
 * Ring size as typed: a number with no suffix, K or M (or k, m); a power of
 * two in SHMLINK_RING_BYTES_MIN..SHMLINK_RING_BYTES_MAX.
 */
int parse_ring_bytes(const char *text, uint32_t *bytes_r);

/*
 * A rate as xl.cfg has a vif's: a number, K, M or G for thousands, b for bits
 * or B for bytes, "/s".  In bytes a second, at least 1.
 */
int parse_rate(const char *text, uint32_t *bytes_r);

/* "1 3": two decimal numbers, min <= max, one space between. */
int parse_versions(const char *text, uint32_t *min_r, uint32_t *max_r);

/*
 * "NAME" or "NAME:VIF", a VM by its name, which is printable ASCII and no
 * number, and one of its vifs; *vif_r is UINT32_MAX where none is named.
 * bytes: of name_r.
 */
int parse_guest(const char *text, char *name_r, size_t bytes,
                uint32_t *vif_r);
/* "NAME" only: a colon is part of it. */
int parse_own_name(const char *text, char *name_r, size_t bytes);

/* "aa:bb:cc:dd:ee:ff" of a station: neither zero nor multicast. */
int parse_mac(const char *text, uint8_t mac_r[6]);

/*
 * Exactly two hexadecimal digits of either case for each of at most
 * PARSE_BYTES_MAX bytes; bit i of `breaks`: a separator stands before byte i.
 */
enum { PARSE_BYTES_MAX = 16, PARSE_UUID_BREAKS = 0x0550 };
int parse_bytes(const char *text, uint8_t *value_r, size_t bytes,
                char separator, unsigned int breaks);

/*
 * Text from a guest made fit for a terminal: one line of printable ASCII, at
 * most limit - 1 characters.  Always terminated; limit >= 1.
 */
void parse_sanitise(const char *text, char *clean_r, size_t limit);

#endif /* SHMLINK_BASE_PARSE_H */
