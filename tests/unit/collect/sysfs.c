/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sysfs.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

int sysfs_new(char root[SYSFS_ROOT_BYTES], const char *test)
{
    snprintf(root, SYSFS_ROOT_BYTES, "/tmp/%s.XXXXXX", test);
    return mkdtemp(root) ? 0 : -1;
}

void sysfs_file(const char *root, const char *name, const char *leaf,
                const char *text)
{
    char path[256], *slash;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s/%s", root, name, leaf);
    for (slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int sysfs_remove(const char *root)
{
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
