/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All sources of a live host, with the handles that they share. */
#include <errno.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "collect/collect.h"
#include "collect/reaper.h"
#include "collect/sampler.h"
#include "collect/trace-buffer.h"

/* Counters before what is derived with them; links last, being slowest. */
static const struct collect_source *const sources[] = {
    &collect_topology, &collect_caches, &collect_domains, &collect_counters,
    &collect_trace, &collect_sampling, &collect_traffic, &collect_links,
};

struct host {
    struct collect collect;
    struct reaper *reaper;
    int lock_fd;
};

static int why(char **why_r, int rc, const char *format, const char *what)
{
    if (why_r && asprintf(why_r, format, what) < 0)
        *why_r = NULL;
    return rc;
}

void collect_clean(unsigned int *nr_r)
{
    struct nl_sock *sock;

    *nr_r = 0;
    if (sampler_open(&sock))
        return;
    sampler_sweep(sock, nr_r);
    nl_socket_free(sock);
}

/* In the reaper, after our death. */
static void clean_all(void)
{
    unsigned int nr;

    collect_clean(&nr);
    trace_buffer_clean();
}

static int lock(struct host *host, char **why_r)
{
    const struct collect_options *options = host->collect.options;
    int rc = lock_take(&host->lock_fd, COLLECT_LOCK,
                       (int64_t)(options->wait_seconds * 1e3),
                       options->cancel_fd, NULL, NULL);

    switch (rc) {
    case 0:
        return 0;
    case -EAGAIN:
        return why(why_r, -EBUSY, "%s is being collected already, by "
                   "another command; wait for it to end", "a snapshot");
    case -EINTR:
        return -ECANCELED;
    default:
        return why(why_r, rc, "cannot open " COLLECT_LOCK ": %s",
                   strerror(-rc));
    }
}

static void close_host(struct host *host)
{
    reaper_close(host->reaper);
    lock_release(host->lock_fd);
    free(host->collect.why);
}

int collect_snapshot(const struct collect_options *options,
                     struct snapshot **snapshot_r, char **why_r)
{
    struct host host = {
        .lock_fd = -1,
        .collect = { .options = options, .xen = options->xen },
    };
    char *wrong = NULL;
    int rc;

    if (options->seconds < 0 || options->seconds > COLLECT_SECONDS_MAX)
        return why(why_r, -EINVAL, "%s", "seconds out of range");
    rc = snapshot_new(&host.collect.snapshot) ?: lock(&host, why_r);
    /* Forked before the trace's event channel, which must not be shared. */
    if (!rc)
        rc = reaper_open(&host.reaper, clean_all);
    if (!rc) {
        rc = collect_run(&host.collect, sources,
                         sizeof(sources) / sizeof(sources[0]));
        if (rc && why_r && host.collect.why)
            why(why_r, rc, "%s", host.collect.why);
    }
    if (!rc) {
        rc = snapshot_check(host.collect.snapshot, &wrong);
        if (rc && wrong)
            why(why_r, rc, "what was collected does not fit together: %s",
                wrong);
        free(wrong);
    }
    if (rc)
        snapshot_free(host.collect.snapshot);
    else
        *snapshot_r = host.collect.snapshot;
    close_host(&host);
    if (rc && why_r && !*why_r)
        why(why_r, rc, "collecting failed: %s", strerror(-rc));
    return rc;
}
