// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "realxl.h"

/* Found in every build of this program, and so in no real xl. */
static const char marker[] = "xl dispatcher of shmlink \x01";

/*
 * A dispatcher must not exec another one, or the two would do so for ever;
 * each must be recognised wherever it was copied to.
 */
static int is_dispatcher(const char *path)
{
    enum { BYTES_MAX = 4 << 20 };
    struct stat st;
    void *map;
    int fd, found = 0;

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 &&
        st.st_size <= BYTES_MAX) {
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map != MAP_FAILED) {
            found = memmem(map, (size_t)st.st_size, marker,
                           sizeof(marker)) != NULL;
            munmap(map, (size_t)st.st_size);
        }
    }
    close(fd);
    return found;
}

static void try_exec(const char *path, char **argv)
{
    if (!access(path, X_OK) && !is_dispatcher(path))
        execv(path, argv);
}

static void try_path(char **argv)
{
    const char *dir = getenv("PATH");
    char path[PATH_MAX];

    while (dir && *dir) {
        size_t len = strcspn(dir, ":");

        /* Relative entries are not for a program that root runs. */
        if (dir[0] == '/' && len < sizeof(path) - 4) {
            snprintf(path, sizeof(path), "%.*s/xl", (int)len, dir);
            try_exec(path, argv);
        }
        dir += len + (dir[len] == ':');
    }
}

/* What Debian's wrapper does, for a host where its link was replaced. */
static void try_version(char **argv)
{
    char path[PATH_MAX];
    int major, minor, fields;
    FILE *file;

    file = fopen("/sys/hypervisor/version/major", "re");
    fields = file ? fscanf(file, "%d", &major) : 0;
    if (file)
        fclose(file);
    file = fopen("/sys/hypervisor/version/minor", "re");
    fields += file ? fscanf(file, "%d", &minor) : 0;
    if (file)
        fclose(file);
    if (fields != 2)
        return;
    snprintf(path, sizeof(path), "/usr/lib/xen-%d.%d/bin/xl", major, minor);
    try_exec(path, argv);
}

int realxl_exec(char **argv)
{
    const char *given = getenv("XL_SHMLINK_REAL_XL");

    if (given) {
        if (is_dispatcher(given))
            errno = ELOOP;
        else
            execv(given, argv);
        return -1;
    }
    try_exec("/usr/sbin/xl", argv);
    try_exec("/usr/local/sbin/xl", argv);
    try_path(argv);
    /* The wrapper goes by the name it is called by, so by a link named xl. */
    try_exec(SHMLINK_PKGLIBDIR "/xl", argv);
    try_version(argv);
    errno = ENOENT;
    return -1;
}

int realxl_exec_shmlink(char **argv)
{
    char path[PATH_MAX + 16], *slash;
    ssize_t len;

    len = readlink("/proc/self/exe", path, PATH_MAX);
    if (len > 0) {
        path[len] = '\0';
        slash = strrchr(path, '/');
        strcpy(slash + 1, "xl-shmlink");
        execv(path, argv);
    }
    return execv(SHMLINK_XL_SHMLINK, argv);
}
