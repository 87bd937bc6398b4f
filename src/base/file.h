/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files: of the kernel, sysfs and procfs, and of the administrator. */
#ifndef SHMLINK_BASE_FILE_H
#define SHMLINK_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The first line of a small file, without its newline.
 * Errors: those of open; EINVAL longer than size; ENAMETOOLONG the path is.
 */
int file_line(char *text_r, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The last part of what a symbolic link points to.  Errors: the same. */
int file_link(char *name_r, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * All of a file of at most max bytes, and a NUL; "-" is standard input.
 * Errors: those of open and read; E2BIG.  Owns: the caller.
 */
int file_text(const char *path, size_t max, char **text_r, size_t *bytes_r);

/*
 * When a process began, in the kernel's ticks: with its pid, a name that is
 * not used twice.  procfs: "/proc", or a test's.  Errors: ESRCH no such.
 */
int file_process_start(const char *procfs, int64_t pid, uint64_t *start_r);

#endif
