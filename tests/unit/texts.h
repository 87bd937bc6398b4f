/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots and plans as texts: files for the product, which live in memory. */
#ifndef SHMLINK_TEXTS_H
#define SHMLINK_TEXTS_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/jsonio.h"
#include "model/plan.h"
#include "model/snapshot-fields.h"
#include "model/snapshot.h"

/* A file with that in it, and its path; close(). */
static inline int texts_file(const char *text, size_t bytes, char path_r[32])
{
    int fd = memfd_create("text", 0);

    if (fd < 0 || write(fd, text, bytes) != (ssize_t)bytes)
        abort();
    snprintf(path_r, 32, "/proc/self/fd/%d", fd);
    return fd;
}

/* All of a small file; NULL: there is none. */
static inline char *texts_read(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t room = 0;

    if (file && getdelim(&text, &room, '\0', file) < 0) {
        free(text);
        text = NULL;
    }
    if (file)
        fclose(file);
    return text;
}

static inline int texts_snapshot(struct snapshot **snapshot_r,
                                 const char *text, size_t bytes, char **why_r)
{
    char path[32];
    int fd = texts_file(text, bytes, path);
    int rc = snapshot_load(snapshot_r, path, why_r);

    close(fd);
    return rc;
}

static inline int texts_plan(struct plan **plan_r, const char *text,
                             size_t bytes, char **why_r)
{
    char path[32];
    int fd = texts_file(text, bytes, path);
    int rc = plan_load(plan_r, path, why_r);

    close(fd);
    return rc;
}

static inline int texts_of_snapshot(const struct snapshot *snapshot,
                                    char **text_r)
{
    return jsonio_format(&snapshot_fields, snapshot, text_r);
}

#endif
