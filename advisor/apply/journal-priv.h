/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_APPLY_JOURNAL_PRIV_H
#define SHMLINK_APPLY_JOURNAL_PRIV_H

#include <stdbool.h>
#include <stdint.h>

/* Whether that process still runs: pid, and when it started. */
bool journal_alive(int64_t pid, int64_t pid_start);

#endif
