// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/uuid.h"

void uuid_text(const uint8_t uuid[16], char text_r[UUID_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    int i;

    for (i = 0; i < 16; i++) {
        *text_r++ = digits[uuid[i] >> 4];
        *text_r++ = digits[uuid[i] & 15];
        if (i == 3 || i == 5 || i == 7 || i == 9)
            *text_r++ = '-';
    }
    *text_r = '\0';
}
