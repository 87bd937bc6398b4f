/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All sources of a live host, with the handles that they share. */
#include <errno.h>
#include <fcntl.h>
#include <libxl.h>
#include <netlink/socket.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <xenctrl.h>

#include "collect/collect.h"
#include "collect/reaper.h"
#include "collect/sampler.h"
#include "collect/trace-buffer.h"

#define LOCK_POLL_MS 100

/* Counters before what is derived with them; links last, being slowest. */
static const struct collect_source *const sources[] = {
    &collect_topology, &collect_caches, &collect_domains, &collect_counters,
    &collect_trace, &collect_sampling, &collect_traffic, &collect_links,
};

struct host {
    struct collect collect;
    xentoollog_logger *logger;
    FILE *log;
    struct reaper *cleaner;
    int lock;
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

/* In the cleaner, after our death. */
static void clean_all(void)
{
    unsigned int nr;

    collect_clean(&nr);
    trace_buffer_clean();
}

static int lock(struct host *host, char **why_r)
{
    const struct collect_options *options = host->collect.options;
    struct pollfd cancel = { .fd = options->cancel_fd, .events = POLLIN };
    uint64_t until = collect_now_ns() +
                     (uint64_t)(options->wait_seconds * 1e9);

    host->lock = open(COLLECT_LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (host->lock < 0)
        return why(why_r, -errno, "cannot open " COLLECT_LOCK ": %s",
                   strerror(errno));
    while (flock(host->lock, LOCK_EX | LOCK_NB)) {
        if (collect_now_ns() >= until)
            return why(why_r, -EBUSY, "%s is being collected already, by "
                       "another command; wait for it to end", "a snapshot");
        if (poll(&cancel, 1, LOCK_POLL_MS) > 0)
            return -ECANCELED;
    }
    return 0;
}

static int may_ask(char **why_r)
{
    if (access("/proc/xen/privcmd", F_OK) && access("/dev/xen/privcmd", F_OK))
        return why(why_r, -ENXIO, "%s: this is no Xen dom0; use --from FILE "
                   "with a snapshot made on one", "no /dev/xen/privcmd");
    if (geteuid())
        return why(why_r, -EACCES, "%s may ask Xen", "only root");
    return 0;
}

static int open_xen(struct host *host, char **why_r)
{
    struct collect *collect = &host->collect;

    /* What libxl and libxc have to say is said by us, in our words. */
    host->log = fopen("/dev/null", "we");
    if (!host->log)
        return why(why_r, -errno, "%s cannot be opened", "/dev/null");
    host->logger = (xentoollog_logger *)
        xtl_createlogger_stdiostream(host->log, XTL_CRITICAL, 0);
    if (!host->logger)
        return -ENOMEM;
    collect->xc = xc_interface_open(host->logger, host->logger, 0);
    if (!collect->xc)
        return why(why_r, -ENXIO, "cannot talk to Xen: %s", strerror(errno));
    if (libxl_ctx_alloc(&collect->xl, LIBXL_VERSION, 0, host->logger)) {
        collect->xl = NULL;
        return why(why_r, -ENXIO, "libxl does not start; is %s running?",
                   "xenstored");
    }
    return 0;
}

static void close_host(struct host *host)
{
    struct collect *collect = &host->collect;

    if (collect->xl)
        libxl_ctx_free(collect->xl);
    if (collect->xc)
        xc_interface_close(collect->xc);
    if (host->logger)
        xtl_logger_destroy(host->logger);
    if (host->log)
        fclose(host->log);
    reaper_close(host->cleaner);
    if (host->lock >= 0)
        close(host->lock);
    free(collect->why);
}

int collect_snapshot(const struct collect_options *options,
                     struct snapshot **snapshot_r, char **why_r)
{
    struct host host = { .lock = -1, .collect.options = options };
    char *wrong = NULL;
    int rc;

    if (options->seconds < 0 || options->seconds > COLLECT_SECONDS_MAX)
        return why(why_r, -EINVAL, "%s", "seconds out of range");
    rc = may_ask(why_r);
    if (!rc)
        rc = snapshot_new(&host.collect.snapshot);
    if (!rc)
        rc = lock(&host, why_r);
    /* Forked before the handles: an event channel must not be shared. */
    if (!rc)
        rc = reaper_open(&host.cleaner, clean_all);
    if (!rc)
        rc = open_xen(&host, why_r);
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
