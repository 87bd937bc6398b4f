/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_BASE_COMPARE_H
#define SHMLINK_BASE_COMPARE_H

/*
 * For qsort(): -1, 0 or 1 as a is less than, equal to or greater than b.
 * COMPARE(p->x, q->x) ?: COMPARE(p->y, q->y) goes by x, then by y.
 */
#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

#endif
