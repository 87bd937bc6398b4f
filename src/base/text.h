/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text that others wrote and a terminal may see.  Names, notes and reasons are
 * UTF-8 of one line: anything that a terminal could take for a command, or
 * that is no UTF-8 and so may be taken for anything, is told here.
 */
#ifndef SHMLINK_BASE_TEXT_H
#define SHMLINK_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Without the NUL. */
#define TEXT_BYTES_MAX 1023U

/*
 * Length in bytes, 1 to 4, of the character that text begins with; 0: that is
 * a control character (C0, DEL, C1), or no UTF-8 as of RFC 3629: overlong, a
 * surrogate, beyond U+10FFFF, or cut off.  text ends in NUL.
 */
size_t text_char(const char *text);

/* Is all of it characters, and at most TEXT_BYTES_MAX bytes? */
bool text_ok(const char *text);

/* Make it characters: what is none becomes '?', byte by byte. */
void text_clean(char *text);

#endif
