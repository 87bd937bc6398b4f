/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest [-i] NAME COMMAND [ARG]... - run a command in a guest, from dom0.
 *
 * One COMMAND word alone is given to bash -c; several are executed as they
 * are. -i passes standard input. Output and exit status are the command's;
 * 255 when the guest cannot be reached, 254 when it was lost on the way.
 * session.h says how it works.
 */
#include "session.h"
#include "xswire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *guest_name;
static bool by_domid, with_stdin;
static char words[256 * 1024];
static size_t words_len;
static unsigned int domid;
static char boot_id[64];
static char session_id[64];
static uint32_t out_next, out_acked, in_next, in_acked;
static bool in_eof;
static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
    stopped = sig;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static double patience(void)
{
    const char *s = getenv("LAB_GUEST_TIMEOUT");

    return s ? atof(s) : 60;
}

static void node(char *path, size_t cap, const char *leaf)
{
    snprintf(path, cap, "/local/domain/%u/" SESSION_BASE "/%s%s%s", domid,
             session_id, *leaf ? "/" : "", leaf);
}

static int read_string(const char *path, char *buf, size_t cap)
{
    int n = xswire_read(path, buf, cap - 1);

    if (n >= 0)
        buf[n] = '\0';
    return n;
}

static bool resolve(void)
{
    char list[XSWIRE_MAX], path[128], name[256], *p;
    int n;

    n = xswire_directory("/local/domain", list, sizeof(list));
    for (p = list; n > 0 && p < list + n; p += strlen(p) + 1) {
        snprintf(path, sizeof(path), "/local/domain/%.20s/name", p);
        if (by_domid ? strcmp(p, guest_name) :
                       (read_string(path, name, sizeof(name)) < 0 ||
                        strcmp(name, guest_name)))
            continue;
        domid = strtoul(p, NULL, 10);
        return true;
    }
    return false;
}

/* Find the guest and its agent, for at most patience() seconds. */
static bool attach(char *id, size_t cap)
{
    double until = now() + patience();
    char path[128];
    bool known = false;

    while (!stopped) {
        if (resolve()) {
            known = true;
            snprintf(path, sizeof(path), "/local/domain/%u/" SESSION_READY,
                     domid);
            if (read_string(path, id, cap) > 0)
                return true;
        } else if (!known && !boot_id[0] && now() > until - patience() + 2) {
            break;
        }
        if (now() > until)
            break;
        usleep(100 * 1000);
    }
    fprintf(stderr, "guest: %s: %s\n", guest_name,
            known ? "its agent does not answer" : "no such domain");
    return false;
}

static int start(void)
{
    char path[160], leaf[16], value[16];
    size_t off;
    int i, rc;

    for (i = 0, off = 0; off < words_len; i++, off += SESSION_CHUNK) {
        size_t n = words_len - off;

        snprintf(leaf, sizeof(leaf), "c%d", i);
        node(path, sizeof(path), leaf);
        rc = xswire_write(path, words + off,
                          n < SESSION_CHUNK ? n : SESSION_CHUNK);
        if (rc)
            return rc;
    }
    snprintf(value, sizeof(value), "%d%s", i, with_stdin ? "" : "-");
    node(path, sizeof(path), "go");
    return xswire_write(path, value, strlen(value));
}

static void emit(int fd, const uint8_t *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR && !stopped)
            continue;
        if (n < 0) {
            stopped = SIGPIPE;
            return;
        }
        data += n;
        len -= n;
    }
}

/* Take what is there. Returns the exit status, or -1 while there is none. */
static int take_output(void)
{
    char path[160], leaf[16], value[16];
    struct slot slot;
    int n;

    while (!stopped) {
        snprintf(leaf, sizeof(leaf), "o%u", out_next % SESSION_SLOTS);
        node(path, sizeof(path), leaf);
        n = xswire_read(path, &slot, sizeof(slot));
        if (n < SLOT_HEADER || slot.seq != out_next)
            break;
        out_next++;
        if (slot.kind == SLOT_EXIT)
            return n > SLOT_HEADER ? slot.data[0] : 255;
        emit(slot.kind == SLOT_STDERR ? 2 : 1, slot.data, n - SLOT_HEADER);
        if (out_next - out_acked < SESSION_SLOTS / 2)
            continue;
        out_acked = out_next;
        snprintf(value, sizeof(value), "%u", out_acked);
        node(path, sizeof(path), "a");
        xswire_write(path, value, strlen(value));
    }
    return -1;
}

static void give_input(void)
{
    char path[160], leaf[16];
    struct slot slot;
    ssize_t n;

    n = read(0, slot.data, sizeof(slot.data));
    if (n < 0)
        n = 0;
    slot.seq = in_next;
    slot.kind = n ? SLOT_STDIN : SLOT_EOF;
    in_eof = !n;
    snprintf(leaf, sizeof(leaf), "i%u", in_next++ % SESSION_SLOTS);
    node(path, sizeof(path), leaf);
    xswire_write(path, &slot, SLOT_HEADER + n);
}

static void take_input_ack(void)
{
    char path[160], value[16];

    node(path, sizeof(path), "b");
    if (read_string(path, value, sizeof(value)) > 0)
        in_acked = strtoul(value, NULL, 10);
}

static void watch(void)
{
    char path[160];

    node(path, sizeof(path), "");
    xswire_watch(path);
}

/*
 * True while the domain is the one that runs our command. A migration renames
 * the old domain at its end, a save destroys it: then the new one of the same
 * name is sought, and the agent tells whether it is the same system.
 */
static bool still_there(void)
{
    char path[160], name[256], id[64];
    unsigned int old = domid;

    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    if (read_string(path, name, sizeof(name)) >= 0 &&
        (by_domid || !strcmp(name, guest_name)))
        return true;
    if (by_domid || !attach(id, sizeof(id)))
        return false;
    if (strcmp(id, boot_id)) {
        fprintf(stderr, "guest: %s: lost: it was started anew\n",
                guest_name);
        return false;
    }
    if (domid != old)
        watch();
    return true;
}

static int talk(void)
{
    double look = now() + 2;
    char path[XSWIRE_MAX];
    int status;

    for (;;) {
        struct pollfd fds[2] = {
            { .fd = xswire_fd(), .events = POLLIN },
            { .fd = 0, .events = POLLIN },
        };
        bool feed = with_stdin && !in_eof &&
                    in_next - in_acked < SESSION_SLOTS;

        if (stopped)
            return 128 + stopped;
        status = take_output();
        if (status >= 0)
            return status;
        if (!xswire_event(path, sizeof(path), false))
            poll(fds, feed ? 2 : 1, 1000);
        while (xswire_event(path, sizeof(path), false))
            ;
        if (with_stdin)
            take_input_ack();
        if (feed && (fds[1].revents & (POLLIN | POLLHUP)))
            give_input();
        if (now() < look)
            continue;
        look = now() + 2;
        if (!still_there())
            return 254;
    }
}

static int parse(int argc, char **argv)
{
    int i = 1, n;

    if (i < argc && !strcmp(argv[i], "-i")) {
        with_stdin = true;
        i++;
    }
    if (argc - i < 2) {
        fprintf(stderr, "Usage: guest [-i] NAME COMMAND [ARG]...\n");
        return -EINVAL;
    }
    guest_name = argv[i++];
    by_domid = strspn(guest_name, "0123456789") == strlen(guest_name);
    if (argc - i == 1) {
        memcpy(words, "/bin/bash\0-c", 13);
        words_len = 13;
    }
    for (; i < argc; i++) {
        n = strlen(argv[i]) + 1;
        if (words_len + n > sizeof(words)) {
            fprintf(stderr, "guest: command too long\n");
            return -E2BIG;
        }
        memcpy(words + words_len, argv[i], n);
        words_len += n;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct sigaction sa = { .sa_handler = on_signal };
    char path[160];
    int rc;

    if (parse(argc, argv))
        return 255;
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    rc = xswire_open("/run/xenstored/socket");
    if (rc) {
        fprintf(stderr, "guest: xenstored: %s\n", strerror(-rc));
        return 255;
    }
    if (!attach(boot_id, sizeof(boot_id)))
        return 255;
    snprintf(session_id, sizeof(session_id), "%lld-%d",
             (long long)(now() * 1000), getpid());
    watch();
    rc = start();
    if (rc) {
        fprintf(stderr, "guest: %s: %s\n", guest_name, strerror(-rc));
        return 255;
    }
    rc = talk();
    node(path, sizeof(path), "");
    xswire_rm(path);
    return rc;
}
