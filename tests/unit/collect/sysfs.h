/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder in /tmp that looks like /sys/class/net, for cmocka tests. */
#ifndef SHMLINK_TEST_SYSFS_H
#define SHMLINK_TEST_SYSFS_H

#define SYSFS_ROOT_BYTES 64

/* Makes it; 0, or -1. */
int sysfs_new(char root[SYSFS_ROOT_BYTES], const char *test);
/* root/name/leaf, with the folders above it; fails the test where it cannot. */
void sysfs_file(const char *root, const char *name, const char *leaf,
                const char *text);
/* Removes it all; 0, or -1. */
int sysfs_remove(const char *root);

#endif
