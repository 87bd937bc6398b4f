/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct reaper {
    int pipe;           /* its end closes with us */
    pid_t child;
};

/* Nothing of the parent's is held open but what is locked. */
static void forget_streams(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0)
        return;
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
}

static void watch(int pipe_fd, void (*clean)(void))
{
    char goodbye;
    ssize_t r;

    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    forget_streams();
    do
        r = read(pipe_fd, &goodbye, 1);
    while (r < 0 && errno == EINTR);
    if (r != 1)
        clean();
    _exit(0);
}

int reaper_open(struct reaper **reaper_r, void (*clean)(void))
{
    struct reaper *reaper = malloc(sizeof(*reaper));
    int fds[2], rc;

    if (!reaper)
        return -ENOMEM;
    if (pipe2(fds, O_CLOEXEC)) {
        rc = -errno;
        free(reaper);
        return rc;
    }
    reaper->child = fork();
    if (reaper->child < 0) {
        rc = -errno;
        close(fds[0]);
        close(fds[1]);
        free(reaper);
        return rc;
    }
    if (!reaper->child) {
        close(fds[1]);
        watch(fds[0], clean);
    }
    close(fds[0]);
    reaper->pipe = fds[1];
    *reaper_r = reaper;
    return 0;
}

void reaper_close(struct reaper *reaper)
{
    int status;

    if (!reaper)
        return;
    /* A child that somebody killed is no reason to die of SIGPIPE. */
    signal(SIGPIPE, SIG_IGN);
    if (write(reaper->pipe, "", 1) != 1)
        status = 0;
    close(reaper->pipe);
    while (waitpid(reaper->child, &status, 0) < 0 && errno == EINTR)
        ;
    free(reaper);
}
