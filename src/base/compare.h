/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHMLINK_BASE_COMPARE_H
#define SHMLINK_BASE_COMPARE_H

/*
 * For qsort(): -1, 0 or 1 as a is less than, equal to or greater than b.
 * COMPARE(p->x, q->x) ?: COMPARE(p->y, q->y) goes by x, then by y.
 */
#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/*
 * The first of nr, which are in order, of which `less` does not hold; nr: of
 * all it does.  less: an expression of the index `at`.
 */
#define FIRST_NOT(nr, at, less) ({ \
    size_t low_ = 0, high_ = (nr), at; \
    \
    while (low_ < high_) { \
        at = low_ + (high_ - low_) / 2; \
        if (less) \
            low_ = at + 1; \
        else \
            high_ = at; \
    } \
    low_; })

#endif
