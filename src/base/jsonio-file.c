/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/jsonio-lex.h"
#include "base/jsonio-table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void read_root(struct jsonio_in *in, const struct jsonio_table *table,
                      void *root, struct jsonio_lex *lex)
{
    in->lex = lex;
    in->root = root;
    in->memory_bytes = 0;
    jsonio_read_object(in, table, root);
    jsonio_lex_end(in);
    in->place = NULL;
    in->lex = NULL;
}

void jsonio_parse(struct jsonio_in *in, const struct jsonio_table *table,
                  void *root, const char *text, size_t bytes)
{
    struct jsonio_lex lex = { .fd = -1 };

    lex.start = lex.at = text;
    lex.end = text + bytes;
    if (bytes > JSONIO_FILE_BYTES_MAX)
        jsonio_fail(in, -E2BIG, "more than %u bytes", JSONIO_FILE_BYTES_MAX);
    else
        read_root(in, table, root, &lex);
}

void jsonio_load(struct jsonio_in *in, const struct jsonio_table *table,
                 void *root, const char *path)
{
    struct jsonio_lex lex = { .fd = STDIN_FILENO };

    if (strcmp(path, "-"))
        lex.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (lex.fd < 0) {
        jsonio_fail(in, -errno, "%s", strerror(errno));
        return;
    }
    lex.window = malloc(JSONIO_WINDOW_BYTES);
    if (!lex.window)
        jsonio_no_memory(in);
    else
        read_root(in, table, root, &lex);
    free(lex.window);
    if (lex.fd != STDIN_FILENO)
        close(lex.fd);
}

static int write_all(int fd, const char *text)
{
    size_t left = strlen(text);
    ssize_t r;

    while (left) {
        r = write(fd, text, left);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -errno;
        text += r;
        left -= (size_t)r;
    }
    return 0;
}

static int write_direct(const char *path, const char *text)
{
    int fd, rc;

    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    rc = write_all(fd, text);
    if (close(fd) && !rc)
        rc = -errno;
    return rc;
}

int jsonio_write_file(const char *path, const char *text, mode_t mode)
{
    char *temporary = NULL;
    struct stat st;
    mode_t mask;
    int fd = -1, rc;

    if (!strcmp(path, "-"))
        return write_all(STDOUT_FILENO, text);
    if (!stat(path, &st) && !S_ISREG(st.st_mode))
        return write_direct(path, text);

    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return -ENOMEM;
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        rc = -errno;
        goto out;
    }
    mask = umask(0);
    umask(mask);
    rc = write_all(fd, text);
    if (!rc && (fchmod(fd, mode & ~mask) || fsync(fd)))
        rc = -errno;
    if (close(fd) && !rc)
        rc = -errno;
    if (!rc && rename(temporary, path))
        rc = -errno;
    if (rc)
        unlink(temporary);

 out:
    free(temporary);
    return rc;
}
