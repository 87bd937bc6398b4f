/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/text.h"

size_t text_char(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    unsigned long code, least;
    size_t nr, i;

    if (c[0] < 0x80)
        return c[0] >= 0x20 && c[0] != 0x7f;
    nr = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
    if (c[0] < 0xc2 || c[0] > 0xf4)
        return 0;
    code = c[0] & (0x7fU >> nr);
    for (i = 1; i < nr; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (c[i] & 0x3f);
    }
    /* U+0080 to U+009F are control characters to a terminal. */
    least = nr == 2 ? 0xa0 : nr == 3 ? 0x800 : 0x10000;
    return code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)
               ? 0 : nr;
}

bool text_ok(const char *text)
{
    size_t nr, bytes;

    for (bytes = 0; text[bytes]; bytes += nr) {
        nr = text_char(text + bytes);
        if (!nr || bytes + nr > TEXT_BYTES_MAX)
            return false;
    }
    return true;
}

void text_clean(char *text)
{
    size_t nr;

    for (; *text; text += nr) {
        nr = text_char(text);
        if (!nr) {
            *text = '?';
            nr = 1;
        }
    }
}
