/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xswire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Message types of xen/io/xs_wire.h. */
enum {
    XSW_DIRECTORY = 1,
    XSW_READ = 2,
    XSW_WATCH = 4,
    XSW_UNWATCH = 5,
    XSW_WRITE = 11,
    XSW_RM = 13,
    XSW_WATCH_EVENT = 15,
    XSW_ERROR = 16,
};

struct xsw_header {
    uint32_t type;
    uint32_t req_id;
    uint32_t tx_id;
    uint32_t len;
};

struct xsw_event {
    struct xsw_event *next;
    char path[];
};

static int fd = -1;
static uint32_t last_req;
static struct xsw_event *events, **events_tail = &events;

static const struct {
    const char *name;
    int err;
} errors[] = {
    { "EINVAL", EINVAL }, { "EACCES", EACCES }, { "EEXIST", EEXIST },
    { "EISDIR", EISDIR }, { "ENOENT", ENOENT }, { "ENOMEM", ENOMEM },
    { "ENOSPC", ENOSPC }, { "EIO", EIO },       { "EAGAIN", EAGAIN },
    { "EROFS", EROFS },   { "EBUSY", EBUSY },   { "E2BIG", E2BIG },
    { "EPERM", EPERM },   { "EQUOTA", ENOSPC },
};

static void die(const char *what)
{
    fprintf(stderr, "xenstore connection: %s: %s\n", what, strerror(errno));
    exit(255);
}

static void get(void *data, size_t len)
{
    char *p = data;

    while (len) {
        ssize_t n = read(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            die("read");
        p += n;
        len -= n;
    }
}

static void put(const void *data, size_t len)
{
    const char *p = data;

    while (len) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            die("write");
        p += n;
        len -= n;
    }
}

/* Receive one message; a watch event is queued and its type returned. */
static uint32_t receive(struct xsw_header *head, char *body)
{
    get(head, sizeof(*head));
    if (head->len > XSWIRE_MAX) {
        errno = EPROTO;
        die("oversized message");
    }
    get(body, head->len);
    body[head->len] = '\0';
    if (head->type == XSW_WATCH_EVENT) {
        struct xsw_event *ev = malloc(sizeof(*ev) + strlen(body) + 1);

        if (!ev)
            die("malloc");
        strcpy(ev->path, body);
        ev->next = NULL;
        *events_tail = ev;
        events_tail = &ev->next;
    }
    return head->type;
}

static int request(uint32_t type, const char *path, const void *data,
                   size_t len, void *buf, size_t cap)
{
    char msg[sizeof(struct xsw_header) + XSWIRE_MAX];
    char body[XSWIRE_MAX + 1];
    struct xsw_header head;
    size_t path_len = strlen(path) + 1, i;

    if (path_len + len > XSWIRE_MAX)
        return -E2BIG;
    head = (struct xsw_header){ type, ++last_req, 0, path_len + len };
    memcpy(msg, &head, sizeof(head));
    memcpy(msg + sizeof(head), path, path_len);
    if (len)
        memcpy(msg + sizeof(head) + path_len, data, len);
    put(msg, sizeof(head) + path_len + len);
    /* The id is not compared: /dev/xen/xenbus answers a watch with id 0. */
    do {
        receive(&head, body);
    } while (head.type == XSW_WATCH_EVENT);
    if (head.type == XSW_ERROR) {
        for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
            if (!strcmp(body, errors[i].name))
                return -errors[i].err;
        return -EIO;
    }
    if (head.len > cap)
        return buf ? -E2BIG : 0;
    if (buf)
        memcpy(buf, body, head.len);
    return buf ? (int)head.len : 0;
}

int xswire_open(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    if (S_ISCHR(st.st_mode)) {
        fd = open(path, O_RDWR | O_CLOEXEC);
        return fd < 0 ? -errno : 0;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        return -errno;
    return 0;
}

int xswire_fd(void)
{
    return fd;
}

int xswire_read(const char *path, void *buf, size_t cap)
{
    return request(XSW_READ, path, NULL, 0, buf, cap);
}

int xswire_directory(const char *path, char *buf, size_t cap)
{
    return request(XSW_DIRECTORY, path, NULL, 0, buf, cap);
}

int xswire_write(const char *path, const void *data, size_t len)
{
    return request(XSW_WRITE, path, data, len, NULL, 0);
}

int xswire_rm(const char *path)
{
    return request(XSW_RM, path, NULL, 0, NULL, 0);
}

int xswire_watch(const char *path)
{
    return request(XSW_WATCH, path, "lab", 4, NULL, 0);
}

int xswire_unwatch(const char *path)
{
    return request(XSW_UNWATCH, path, "lab", 4, NULL, 0);
}

bool xswire_event(char *path, size_t cap, bool block)
{
    char body[XSWIRE_MAX + 1];
    struct xsw_event *ev;
    struct xsw_header head;

    while (!events) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        if (!block && poll(&p, 1, 0) <= 0)
            return false;
        receive(&head, body);
    }
    ev = events;
    events = ev->next;
    if (!events)
        events_tail = &events;
    snprintf(path, cap, "%s", ev->path);
    free(ev);
    return true;
}
