/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The xenstore wire protocol, for the lab's two static programs.
 *
 * Works on /dev/xen/xenbus in a guest and on xenstored's socket in dom0, which
 * speak the same messages (xen/io/xs_wire.h). One request is outstanding at a
 * time; watch events that arrive meanwhile are queued. Functions return 0 or
 * -errno. A broken connection ends the program: the lab has nothing to fall
 * back to. Not thread safe.
 */
#ifndef LAB_XSWIRE_H
#define LAB_XSWIRE_H

#include <stdbool.h>
#include <stddef.h>

#define XSWIRE_MAX 4096

/* Connect to PATH: a character device, or else a unix socket. */
int xswire_open(const char *path);

/* The descriptor to poll for readability. */
int xswire_fd(void);

/* Read a node into buf (cap bytes). Returns its length or -errno. */
int xswire_read(const char *path, void *buf, size_t cap);

/* List a node's children as consecutive strings. Returns length or -errno. */
int xswire_directory(const char *path, char *buf, size_t cap);

int xswire_write(const char *path, const void *data, size_t len);
int xswire_rm(const char *path);
int xswire_watch(const char *path);
int xswire_unwatch(const char *path);

/*
 * Take the next watch event's path. Returns true when there was one; with
 * block false it looks only at what has been received and is readable now.
 */
bool xswire_event(char *path, size_t cap, bool block);

#endif
