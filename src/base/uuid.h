/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_BASE_UUID_H
#define SHMLINK_BASE_UUID_H

#include <stdint.h>

#define UUID_TEXT_BYTES 37

/* The usual spelling, in lower case, as xl and xenstore have it. */
void uuid_text(const uint8_t uuid[16], char text_r[UUID_TEXT_BYTES]);

#endif /* SHMLINK_BASE_UUID_H */
