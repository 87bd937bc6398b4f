/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lab's command agent in a guest; session.h says how it is spoken to. */
#include "session.h"
#include "xswire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_SESSIONS 32

struct pending {
    struct slot slot;
    size_t len;
};

struct session {
    char id[64]; /* empty: free */
    pid_t pid;
    bool exited, exit_sent;
    int status;
    int in, out, err;
    uint32_t out_next, out_acked;
    uint32_t in_next;
    struct pending sent[SESSION_SLOTS];
};

static struct session sessions[MAX_SESSIONS];
static char boot_id[32];

static void node(char *path, size_t cap, const struct session *s,
                 const char *leaf)
{
    snprintf(path, cap, SESSION_BASE "/%s/%s", s->id, leaf);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void session_free(struct session *s)
{
    if (!s->exited && s->pid > 0)
        kill(-s->pid, SIGKILL);
    close_fd(&s->in);
    close_fd(&s->out);
    close_fd(&s->err);
    s->id[0] = '\0';
}

static void publish_slot(const struct session *s, uint32_t seq)
{
    const struct pending *p = &s->sent[seq % SESSION_SLOTS];
    char leaf[16], path[128];

    snprintf(leaf, sizeof(leaf), "o%u", seq % SESSION_SLOTS);
    node(path, sizeof(path), s, leaf);
    xswire_write(path, &p->slot, p->len);
}

static bool window_open(const struct session *s)
{
    return s->out_next - s->out_acked < SESSION_SLOTS;
}

static void send_slot(struct session *s, enum slot_kind kind,
                      const void *data, size_t len)
{
    struct pending *p = &s->sent[s->out_next % SESSION_SLOTS];

    p->slot.seq = s->out_next;
    p->slot.kind = kind;
    memcpy(p->slot.data, data, len);
    p->len = SLOT_HEADER + len;
    publish_slot(s, s->out_next++);
}

static struct session *session_find(const char *id)
{
    int i;

    for (i = 0; i < MAX_SESSIONS; i++)
        if (!strcmp(sessions[i].id, id))
            return &sessions[i];
    return NULL;
}

static void child(char *words, size_t len, int in, int out, int err)
{
    char *argv[512], *p;
    sigset_t none;
    int argc = 0, fd;

    for (p = words; p < words + len && argc < 511; p += strlen(p) + 1)
        argv[argc++] = p;
    argv[argc] = NULL;
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    for (fd = 3; fd < 256; fd++)
        close(fd);
    execvp(argv[0], argv);
    fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

static void session_spawn(struct session *s, char *words, size_t len,
                          bool with_stdin)
{
    int in[2] = { -1, -1 }, out[2], err[2];

    if (with_stdin ? pipe2(in, O_CLOEXEC) < 0 :
                     (in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
        return;
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
        return;
    s->pid = fork();
    if (s->pid == 0)
        child(words, len, in[0], out[1], err[1]);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    s->in = in[1];
    s->out = out[0];
    s->err = err[0];
    fcntl(s->out, F_SETFL, O_NONBLOCK);
    fcntl(s->err, F_SETFL, O_NONBLOCK);
}

static void session_start(const char *id)
{
    char path[128], leaf[16], go[32];
    static char words[256 * 1024];
    struct session *s = session_find("");
    size_t len = 0;
    int n, i, count;

    if (!s || session_find(id))
        return;
    *s = (struct session){ .in = -1, .out = -1, .err = -1 };
    snprintf(s->id, sizeof(s->id), "%s", id);
    node(path, sizeof(path), s, "go");
    n = xswire_read(path, go, sizeof(go) - 1);
    if (n <= 0) {
        s->id[0] = '\0';
        return;
    }
    go[n] = '\0';
    count = atoi(go);
    for (i = 0; i < count; i++) {
        snprintf(leaf, sizeof(leaf), "c%d", i);
        node(path, sizeof(path), s, leaf);
        n = xswire_read(path, words + len, sizeof(words) - 1 - len);
        if (n < 0) {
            s->id[0] = '\0';
            return;
        }
        len += n;
    }
    words[len] = '\0';
    session_spawn(s, words, len, !strchr(go, '-'));
}

static void session_ack(struct session *s)
{
    char path[128], value[16];
    int n;

    node(path, sizeof(path), s, "a");
    n = xswire_read(path, value, sizeof(value) - 1);
    if (n <= 0)
        return;
    value[n] = '\0';
    s->out_acked = strtoul(value, NULL, 10);
}

/* Take what dom0 has put into the input slots. */
static void session_input(struct session *s)
{
    char path[128], leaf[16], value[16];
    struct slot slot;
    bool took = false;
    int n;

    for (;;) {
        snprintf(leaf, sizeof(leaf), "i%u", s->in_next % SESSION_SLOTS);
        node(path, sizeof(path), s, leaf);
        n = xswire_read(path, &slot, sizeof(slot));
        if (n < SLOT_HEADER || slot.seq != s->in_next)
            break;
        s->in_next++;
        took = true;
        if (slot.kind == SLOT_EOF)
            close_fd(&s->in);
        else if (s->in >= 0 &&
                 write(s->in, slot.data, n - SLOT_HEADER) < 0)
            close_fd(&s->in);
    }
    if (!took)
        return;
    snprintf(value, sizeof(value), "%u", s->in_next);
    node(path, sizeof(path), s, "b");
    xswire_write(path, value, strlen(value));
}

/* After a restore the new domain's store knows nothing of us. */
static void publish_all(void)
{
    char old[64];
    int i, n;

    n = xswire_read(SESSION_READY, old, sizeof(old) - 1);
    if (n >= 0) {
        old[n] = '\0';
        if (!strcmp(old, boot_id))
            return;
    }
    for (i = 0; i < MAX_SESSIONS; i++) {
        struct session *s = &sessions[i];
        uint32_t seq;

        if (!s->id[0])
            continue;
        for (seq = s->out_acked; seq != s->out_next; seq++)
            publish_slot(s, seq);
    }
    xswire_write(SESSION_READY, boot_id, strlen(boot_id));
}

static void handle_event(const char *path)
{
    char id[64], leaf[16] = "", probe[128];
    struct session *s;
    int n;

    n = sscanf(path, SESSION_BASE "/%63[^/]/%15s", id, leaf);
    if (n < 1) {
        publish_all();
        return;
    }
    if (n == 2 && !strcmp(leaf, "go")) {
        session_start(id);
        return;
    }
    s = session_find(id);
    if (!s)
        return;
    if (n == 1) {
        /* Also fires for a new session; only its removal matters. */
        snprintf(probe, sizeof(probe), SESSION_BASE "/%s", id);
        if (xswire_read(probe, probe, sizeof(probe)) == -ENOENT)
            session_free(s);
    } else if (!strcmp(leaf, "a")) {
        session_ack(s);
    } else if (leaf[0] == 'i') {
        session_input(s);
    }
}

/* Returns true when the stream has ended. */
static bool session_read(struct session *s, int *fd, enum slot_kind kind)
{
    uint8_t data[SESSION_CHUNK];
    ssize_t n;

    while (*fd >= 0 && window_open(s)) {
        n = read(*fd, data, sizeof(data));
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (n <= 0) {
            close_fd(fd);
            break;
        }
        send_slot(s, kind, data, n);
    }
    return *fd < 0;
}

static void session_output(struct session *s)
{
    uint8_t status;
    bool ended;

    session_read(s, &s->out, SLOT_STDOUT);
    session_read(s, &s->err, SLOT_STDERR);
    /* A background child may hold the streams open: the exit ends it. */
    ended = s->exited;
    if (!ended || s->exit_sent || !window_open(s))
        return;
    status = WIFEXITED(s->status) ? WEXITSTATUS(s->status) :
                                    128 + WTERMSIG(s->status);
    s->exit_sent = true;
    send_slot(s, SLOT_EXIT, &status, 1);
}

static void reap(int sigfd)
{
    struct signalfd_siginfo info;
    int status, i;
    pid_t pid;

    if (read(sigfd, &info, sizeof(info)) < 0)
        return;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (i = 0; i < MAX_SESSIONS; i++)
            if (sessions[i].id[0] && sessions[i].pid == pid) {
                sessions[i].exited = true;
                sessions[i].status = status;
            }
}

static void loop(int sigfd)
{
    struct pollfd fds[2 + 2 * MAX_SESSIONS];
    char path[XSWIRE_MAX];
    int i, n;

    for (;;) {
        for (i = 0; i < MAX_SESSIONS; i++)
            if (sessions[i].id[0])
                session_output(&sessions[i]);
        /* Last before sleeping: every request may have queued an event. */
        if (xswire_event(path, sizeof(path), false)) {
            handle_event(path);
            continue;
        }
        fds[0] = (struct pollfd){ .fd = xswire_fd(), .events = POLLIN };
        fds[1] = (struct pollfd){ .fd = sigfd, .events = POLLIN };
        n = 2;
        for (i = 0; i < MAX_SESSIONS; i++) {
            struct session *s = &sessions[i];

            if (!s->id[0] || !window_open(s) || s->exit_sent)
                continue;
            fds[n++] = (struct pollfd){ .fd = s->out, .events = POLLIN };
            fds[n++] = (struct pollfd){ .fd = s->err, .events = POLLIN };
        }
        if (poll(fds, n, -1) < 0 && errno != EINTR)
            return;
        if (fds[1].revents)
            reap(sigfd);
    }
}

int main(void)
{
    sigset_t chld;
    int sigfd, fd, rc;

    rc = xswire_open("/dev/xen/xenbus");
    if (rc) {
        fprintf(stderr, "lab-agent: /dev/xen/xenbus: %s\n", strerror(-rc));
        return 1;
    }
    fd = open("/dev/urandom", O_RDONLY);
    if (fd >= 0) {
        unsigned long long r = 0;

        if (read(fd, &r, sizeof(r)) < 0)
            return 1;
        snprintf(boot_id, sizeof(boot_id), "%llx", r);
        close(fd);
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, NULL);
    sigfd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
    rc = xswire_watch(SESSION_BASE);
    if (sigfd < 0 || rc) {
        fprintf(stderr, "lab-agent: watch: %s\n", strerror(-rc));
        return 1;
    }
    loop(sigfd);
    return 1;
}
