/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collect/collect.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SOURCES_MAX 16
#define PROGRESS_NS 1000000000ULL

struct running {
    const struct collect_source *source;
    void *state;
    bool on;
};

uint64_t collect_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

void collect_options_init(struct collect_options *options)
{
    memset(options, 0, sizeof(*options));
    options->seconds = COLLECT_SECONDS_DEFAULT;
    options->trace = true;
    options->traffic = true;
    options->group = COLLECT_GROUP_DEFAULT;
    options->cancel_fd = -1;
}

static void stop(struct running *running)
{
    if (running->on && running->source->close)
        running->source->close(running->state);
    running->on = false;
}

/* A source failed: a note, or the end if nothing goes without it. */
static int failed(struct collect *collect, struct running *running, int rc)
{
    const struct collect_source *source = running->source;

    stop(running);
    if (source->needed) {
        if (!collect->why &&
            asprintf(&collect->why, "cannot read the host's %s: %s",
                     source->name, strerror(-rc)) < 0)
            collect->why = NULL;
        return rc;
    }
    return snapshot_note(collect->snapshot, source->name,
                         "stopped with an error: %s", strerror(-rc));
}

static int begin(struct collect *collect, struct running *running,
                 const struct collect_source *source)
{
    int rc;

    running->source = source;
    running->on = false;
    rc = source->begin(collect, &running->state);
    if (!rc) {
        running->on = true;
        return 0;
    }
    /* It has left its own, better note. */
    if (!source->needed && rc == -ENOTSUP)
        return 0;
    return failed(collect, running, rc);
}

/* Wait for a readable source, one that is due, the end, or cancellation. */
static int wait_for(struct collect *collect, struct running *running,
                    size_t nr, uint64_t until_ns, struct pollfd *fds)
{
    uint64_t now = collect_now_ns(), wake = until_ns;
    struct timespec timeout = { 0 };
    size_t i;

    for (i = 0; i < nr; i++) {
        const struct collect_source *source = running[i].source;

        fds[i].fd = running[i].on && source->fd ?
                    source->fd(running[i].state) : -1;
        fds[i].events = POLLIN;
        fds[i].revents = 0;
        if (running[i].on && source->due) {
            uint64_t due = source->due(running[i].state);

            wake = due < wake ? due : wake;
        }
    }
    fds[nr].fd = collect->options->cancel_fd;
    fds[nr].events = POLLIN;
    fds[nr].revents = 0;
    if (wake > now) {
        timeout.tv_sec = (wake - now) / 1000000000ULL;
        timeout.tv_nsec = (wake - now) % 1000000000ULL;
    }
    if (ppoll(fds, nr + 1, &timeout, NULL) < 0 && errno != EINTR)
        return -errno;
    if (fds[nr].revents)
        return -ECANCELED;
    return 0;
}

static int steps(struct collect *collect, struct running *running, size_t nr,
                 const struct pollfd *fds)
{
    uint64_t now = collect_now_ns();
    size_t i;

    for (i = 0; i < nr; i++) {
        const struct collect_source *source = running[i].source;
        bool readable = fds[i].revents != 0;
        int rc;

        if (!running[i].on || !source->step)
            continue;
        if (!readable && !(source->due && source->due(running[i].state) <= now))
            continue;
        rc = source->step(collect, running[i].state, readable);
        if (rc)
            rc = failed(collect, &running[i], rc);
        if (rc)
            return rc;
    }
    return 0;
}

static int measure(struct collect *collect, struct running *running,
                   size_t nr)
{
    double seconds = collect->options->seconds;
    uint64_t tell = collect->start_ns + PROGRESS_NS;
    struct pollfd fds[SOURCES_MAX + 1];

    collect->end_ns = collect->start_ns + (uint64_t)(seconds * 1e9);
    while (collect_now_ns() < collect->end_ns) {
        uint64_t until = tell < collect->end_ns ? tell : collect->end_ns;
        int rc = wait_for(collect, running, nr, until, fds);

        if (rc)
            return rc;
        rc = steps(collect, running, nr, fds);
        if (rc)
            return rc;
        if (collect_now_ns() >= tell && tell < collect->end_ns) {
            tell += PROGRESS_NS;
            if (collect->options->progress)
                collect->options->progress(
                    collect->options->opaque,
                    (collect_now_ns() - collect->start_ns) / 1e9, seconds);
        }
    }
    collect->end_ns = collect_now_ns();
    if (collect->options->progress)
        collect->options->progress(collect->options->opaque, seconds,
                                   seconds);
    return 0;
}

int collect_run(struct collect *collect,
                const struct collect_source *const *sources, size_t nr)
{
    struct running running[SOURCES_MAX] = { 0 };
    size_t i, started = 0;
    int rc = 0;

    if (nr > SOURCES_MAX)
        return -EINVAL;
    for (i = 0; i < nr && !rc; i++) {
        rc = begin(collect, &running[i], sources[i]);
        started++;
    }
    collect->start_ns = collect->end_ns = collect_now_ns();
    if (!rc && collect->options->seconds > 0) {
        rc = measure(collect, running, nr);
        collect->snapshot->duration =
            (collect->end_ns - collect->start_ns) / 1e9;
    }
    for (i = 0; i < started; i++) {
        if (!rc && running[i].on && running[i].source->finish) {
            rc = running[i].source->finish(collect, running[i].state);
            if (rc)
                rc = failed(collect, &running[i], rc);
        }
        stop(&running[i]);
    }
    collect->snapshot->time = time(NULL);
    return rc;
}
