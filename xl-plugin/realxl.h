/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the dispatcher finds the programs that it stands in front of.
 */
#ifndef SHMLINK_REALXL_H
#define SHMLINK_REALXL_H

/*
 * Exec the real xl, never a dispatcher: the first of $XL_SHMLINK_REAL_XL, the
 * usual directories, PATH, our own link to Debian's wrapper, and the binary of
 * the Xen version that runs.  Returns -1 with errno set where there is none.
 */
int realxl_exec(char **argv);

/*
 * Exec xl-shmlink, from this program's directory or where it was installed.
 * Returns -1 with errno set.
 */
int realxl_exec_shmlink(char **argv);

#endif /* SHMLINK_REALXL_H */
