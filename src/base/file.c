/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

/* All of a small file; its length, or -errno. */
static ssize_t file_read(char *text_r, size_t size, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len;

    if (fd < 0)
        return -errno;
    len = read(fd, text_r, size);
    if (len < 0)
        len = -errno;
    close(fd);
    if (len >= 0 && (size_t)len >= size)
        return -EINVAL;
    if (len >= 0)
        text_r[len] = '\0';
    return len;
}

static int file_path(char path_r[PATH_MAX], const char *format, va_list args)
{
    int len = vsnprintf(path_r, PATH_MAX, format, args);

    return len < 0 || len >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int file_line(char *text_r, size_t size, const char *format, ...)
{
    char path[PATH_MAX];
    va_list args;
    ssize_t len;

    va_start(args, format);
    len = file_path(path, format, args);
    va_end(args);
    if (!len)
        len = file_read(text_r, size, path);
    if (len < 0)
        return (int)len;
    text_r[strcspn(text_r, "\n")] = '\0';
    return 0;
}

int file_link(char *name_r, size_t size, const char *format, ...)
{
    char path[PATH_MAX], target[PATH_MAX];
    va_list args;
    ssize_t len;

    va_start(args, format);
    len = file_path(path, format, args);
    va_end(args);
    if (len)
        return (int)len;
    len = readlink(path, target, sizeof(target) - 1);
    if (len < 0)
        return -errno;
    target[len] = '\0';
    if ((size_t)snprintf(name_r, size, "%s", basename(target)) >= size)
        return -EINVAL;
    return 0;
}

int file_text(const char *path, size_t max, char **text_r, size_t *bytes_r)
{
    FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
    char part[16384], *text = NULL;
    size_t nr, sum = 0, bytes = 0;
    FILE *memory = file ? open_memstream(&text, &bytes) : NULL;
    int rc = memory ? 0 : -errno;

    while (!rc && sum <= max && (nr = fread(part, 1, sizeof(part), file))) {
        sum += nr;
        rc = fwrite(part, 1, nr, memory) == nr ? 0 : -ENOMEM;
    }
    if (!rc)
        rc = ferror(file) ? -errno : sum > max ? -E2BIG : 0;
    if (memory && fclose(memory) && !rc)
        rc = -ENOMEM;
    if (file && file != stdin)
        fclose(file);
    if (rc) {
        free(text);
        return rc;
    }
    *text_r = text;
    *bytes_r = bytes;
    return 0;
}

int file_process_start(const char *procfs, int64_t pid, uint64_t *start_r)
{
    enum { START_FIELD = 22, COMM_FIELD = 2 };
    char path[PATH_MAX], text[1024], *field, *save = NULL;
    int i;

    if (snprintf(path, sizeof(path), "%s/%lld/stat", procfs, (long long)pid) >=
            (int)sizeof(path) ||
        file_read(text, sizeof(text), path) < 0)
        return -ESRCH;
    /* The command's name may hold anything, so count from its end. */
    field = strrchr(text, ')');
    if (!field)
        return -ESRCH;
    field = strtok_r(field + 1, " ", &save);
    for (i = COMM_FIELD + 1; field && i < START_FIELD; i++)
        field = strtok_r(NULL, " ", &save);
    return field ? parse_u64(field, 0, UINT64_MAX, start_r) : -ESRCH;
}
