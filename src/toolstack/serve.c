// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonio.h"
#include "toolstack/ctx.h"
#include "toolstack/pick.h"
#include "toolstack/relink.h"
#include "toolstack/teardown.h"

/*
 * A pass looks at everything, so that no event is missed.  A guest can make as
 * many events as it likes, but no more than a pass a second of them.
 */
enum { PASS_MS = 1000, LOOK_MS = 60 * 1000, YIELD_MS = 200 };
/* A guest that fails costs every command this long, and then not for long. */
enum { ENABLE_WAIT_MS = 3000, AGAIN_MS = 5000, AGAIN_MS_MAX = 3600 * 1000 };

/* A link that was tried, while its guests are these domains. */
struct attempt {
    uint8_t uuid[2][16];
    uint32_t vif[2];
    uint32_t domid[2];
    int64_t again_ms, pause_ms;
    bool told;              /* that it failed */
    bool seen;              /* in this pass */
};

/*
 * events: a connection of its own, since waiting for a link takes all events
 * of the context's.  domids: whose driver is watched for.  domains: all, as
 * this pass found them, or NULL before it has looked.
 */
struct serve {
    struct shmlink_ctx *ctx;
    struct xs_handle *events;
    struct attempt *attempts;
    size_t nr_attempts;
    uint32_t *domids;
    size_t nr_domids;
    struct shmlink_domain *domains;
    size_t nr_domains;
};

enum { ATTEMPTS_MAX = 10000 };

/* Of these guests, whose link may be noted by their names only. */
static struct attempt *attempt_find(struct serve *serve,
                                    const uint8_t *one, const uint8_t *other,
                                    const uint32_t vif[2])
{
    struct attempt *attempt;
    size_t i;

    for (i = 0; i < serve->nr_attempts; i++) {
        attempt = &serve->attempts[i];
        if (!memcmp(attempt->uuid[0], one, 16) &&
            !memcmp(attempt->uuid[1], other, 16) &&
            !memcmp(attempt->vif, vif, sizeof(attempt->vif)))
            return attempt;
    }
    return NULL;
}

/*
 * Later each time, also where it came up, which may not last; a failure is told
 * when it is new, and not each time it is tried.
 */
static void attempt_note(struct serve *serve, const struct remembered *link,
                         const struct shmlink_domain domains[2], bool failed)
{
    struct attempt *attempt = attempt_find(serve, domains[0].uuid,
                                           domains[1].uuid, link->vif);
    int i;

    if (!attempt) {
        attempt = JSONIO_ADD(serve, attempts, ATTEMPTS_MAX);
        if (!attempt)
            return;
        *attempt = (struct attempt){ 0 };
    }
    if (failed && !attempt->told)
        ctx_notice(serve->ctx, "the link of %s and %s does not come back: %s",
                   domains[0].name, domains[1].name, serve->ctx->why);
    attempt->told = failed;
    memcpy(attempt->vif, link->vif, sizeof(attempt->vif));
    for (i = 0; i < 2; i++) {
        memcpy(attempt->uuid[i], domains[i].uuid, 16);
        attempt->domid[i] = domains[i].domid;
    }
    attempt->pause_ms = attempt->pause_ms ? 2 * attempt->pause_ms : AGAIN_MS;
    if (attempt->pause_ms > AGAIN_MS_MAX)
        attempt->pause_ms = AGAIN_MS_MAX;
    attempt->again_ms = ctx_now_ms() + attempt->pause_ms;
    attempt->seen = true;
}

/* Forget those whose link is not wanted any more, or has been up for long. */
static void attempts_tidy(struct serve *serve)
{
    size_t i, kept = 0;

    for (i = 0; i < serve->nr_attempts; i++)
        if (serve->attempts[i].seen)
            serve->attempts[kept++] = serve->attempts[i];
    serve->nr_attempts = kept;
    for (i = 0; i < kept; i++)
        serve->attempts[i].seen = false;
}

static bool same_domains(const uint32_t domid[2],
                         const struct shmlink_domain domains[2])
{
    return domid[0] == domains[0].domid && domid[1] == domains[1].domid;
}

static void watch(struct serve *serve, uint32_t domid, bool on)
{
    char path[STORE_PATH_BYTES];

    relink_driver_path(domid, path);
    if (on)
        xs_watch(serve->events, path, "driver");
    else
        xs_unwatch(serve->events, path, "driver");
}

static bool is_watched(const uint32_t *domids, size_t nr, uint32_t domid)
{
    while (nr--)
        if (domids[nr] == domid)
            return true;
    return false;
}

/* From now on these drivers are waited for; takes wanted->domids over. */
static void watch_drivers(struct serve *serve, struct serve *wanted)
{
    size_t i;

    for (i = 0; i < wanted->nr_domids; i++)
        if (!is_watched(serve->domids, serve->nr_domids, wanted->domids[i]))
            watch(serve, wanted->domids[i], true);
    for (i = 0; i < serve->nr_domids; i++)
        if (!is_watched(wanted->domids, wanted->nr_domids, serve->domids[i]))
            watch(serve, serve->domids[i], false);
    free(serve->domids);
    serve->domids = wanted->domids;
    serve->nr_domids = wanted->nr_domids;
}

static void want_drivers(struct serve *wanted,
                         const struct shmlink_domain domains[2])
{
    uint32_t *domid;
    int i;

    for (i = 0; i < 2; i++) {
        if (is_watched(wanted->domids, wanted->nr_domids, domains[i].domid))
            continue;
        domid = JSONIO_ADD(wanted, domids, 2 * ATTEMPTS_MAX);
        if (domid)
            *domid = domains[i].domid;
    }
}

/* Wait; for events too. Errors: EINTR. */
static int serve_sleep(struct serve *serve, int64_t until_ms, bool events)
{
    struct pollfd fds[] = {
        { .fd = events ? xs_fileno(serve->events) : -1, .events = POLLIN },
        { .fd = serve->ctx->options.cancel_fd, .events = POLLIN },
    };
    int64_t left_ms = until_ms - ctx_now_ms();

    if (left_ms > 0)
        poll(fds, 2, (int)left_ms);
    return ctx_cancelled(serve->ctx) ? -EINTR : 0;
}

/* Its guests that run; all domains are listed once a pass. */
static int serve_find(struct serve *serve, const struct remembered *link,
                      struct shmlink_domain domains_r[2])
{
    int rc = serve->domains ? 0
             : shmlink_domain_list(serve->ctx, &serve->domains,
                                   &serve->nr_domains);

    return rc ? rc : relink_find(serve->domains, serve->nr_domains, link,
                                 domains_r);
}

static void serve_forget_domains(struct serve *serve)
{
    free(serve->domains);
    serve->domains = NULL;
}

/* A link that is to last and is not up. */
static int serve_link(struct serve *serve, struct serve *wanted,
                      const struct remembered *link)
{
    struct shmlink_domain domains[2];
    struct attempt *attempt;
    int rc;

    rc = serve_find(serve, link, domains);
    if (rc || remember_is_held(serve->ctx, link))
        return rc == -ESRCH ? 0 : rc;
    attempt = attempt_find(serve, domains[0].uuid, domains[1].uuid,
                           link->vif);
    if (attempt && !same_domains(attempt->domid, domains))
        attempt->pause_ms = attempt->again_ms = 0;
    if (attempt)
        attempt->seen = true;
    if (!relink_drivers(serve->ctx, domains)) {
        want_drivers(wanted, domains);
        return 0;
    }
    if (domains[0].paused || domains[1].paused ||
        (attempt && ctx_now_ms() < attempt->again_ms))
        return 0;
    rc = relink_enable(serve->ctx, link, domains, ENABLE_WAIT_MS);
    serve_forget_domains(serve);    /* that took its time */
    if (rc == -EINTR)
        return rc;
    if (rc)
        attempt_note(serve, link, domains, rc < 0);
    if (rc > 0)
        ctx_notice(serve->ctx, "%s and %s are linked again", domains[0].name,
                   domains[1].name);
    /* Others wait for the lock as well. */
    return rc ? serve_sleep(serve, ctx_now_ms() + YIELD_MS, false) : 0;
}

/* A link that is up may be so for a moment only. */
static void serve_up(struct serve *serve, const struct remembered *link)
{
    struct attempt *attempt = attempt_find(serve, link->uuid[0],
                                           link->uuid[1], link->vif);

    if (attempt)
        attempt->seen = ctx_now_ms() < attempt->again_ms;
}

static bool is_up(struct shmlink_ctx *ctx, const struct remembered *link,
                  const struct registry_entry *entries, size_t nr)
{
    struct pick pick = pick_remembered(link);
    const struct shmlink_link *up;
    size_t i;

    for (i = 0; i < nr; i++) {
        up = &entries[i].link;
        pick.domain[0].domid = up->domid[0];
        pick.domain[1].domid = up->domid[1];
        if (pick_has(ctx, &pick, &entries[i]) &&
            teardown_state(ctx, &entries[i]) == SHMLINK_CONNECTED)
            return true;
    }
    return false;
}

/*
 * A pass went wrong: told, and tried again.  But a connection that xenstored
 * has closed stays so; better a new process.
 */
static int serve_error(struct serve *serve, int rc)
{
    unsigned int len;
    char *value;

    if (rc == -EINTR)
        return rc;
    ctx_notice(serve->ctx, "%s", serve->ctx->why);
    value = xs_read(serve->ctx->xs, XBT_NULL, "/", &len);
    rc = value || errno == ENOENT ? 0 : -errno;
    free(value);
    return rc ? ctx_fail(serve->ctx, rc, "xenstore does not answer: %s",
                         strerror(-rc)) : 0;
}

/* All that can be done now. Errors: EINTR; those of a xenstore that is gone. */
static int serve_pass(struct serve *serve)
{
    struct registry_entry *entries = NULL;
    struct shmlink_ctx *ctx = serve->ctx;
    struct remembered_list list = { 0 };
    struct serve wanted = { 0 };
    size_t i, nr = 0;
    int rc;

    rc = shmlink_review(ctx, &nr);
    if (!rc)
        rc = registry_read(ctx, &entries, &nr);
    if (!rc)
        rc = remember_read(ctx, &list);
    for (i = 0; i < list.nr_links && !rc; i++)
        if (!list.links[i].persist)
            continue;
        else if (is_up(ctx, &list.links[i], entries, nr))
            serve_up(serve, &list.links[i]);
        else
            rc = serve_link(serve, &wanted, &list.links[i]);
    remember_free(&list);
    free(entries);
    serve_forget_domains(serve);
    if (rc) {
        free(wanted.domids);
        return serve_error(serve, rc);
    }
    watch_drivers(serve, &wanted);
    attempts_tidy(serve);
    return 0;
}

/* When something has to be looked at, whatever happens. */
static int64_t serve_deadline(const struct serve *serve, int64_t begin_ms)
{
    int64_t deadline_ms = begin_ms + LOOK_MS;
    size_t i;

    for (i = 0; i < serve->nr_attempts; i++)
        /* One that is past was not tried: a guest or driver is waited for. */
        if (serve->attempts[i].again_ms > begin_ms &&
            serve->attempts[i].again_ms < deadline_ms)
            deadline_ms = serve->attempts[i].again_ms;
    return deadline_ms > begin_ms + PASS_MS ? deadline_ms : begin_ms + PASS_MS;
}

/* What they say is looked up by the pass that follows. */
static void serve_drain(struct serve *serve)
{
    char **event;

    while ((event = xs_check_watch(serve->events)))
        free(event);
}

static int serve_watch(struct serve *serve)
{
    int rc;

    if (xs_watch(serve->events, "@introduceDomain", "domain") &&
        xs_watch(serve->events, "@releaseDomain", "domain"))
        return 0;
    rc = -errno;
    return ctx_fail(serve->ctx, rc, "cannot watch xenstore: %s",
                    strerror(-rc));
}

static void serve_end(struct serve *serve)
{
    struct serve none = { 0 };

    watch_drivers(serve, &none);
    xs_unwatch(serve->events, "@introduceDomain", "domain");
    xs_unwatch(serve->events, "@releaseDomain", "domain");
    xs_close(serve->events);
    free(serve->attempts);
}

int shmlink_serve(struct shmlink_ctx *ctx)
{
    struct serve serve = { .ctx = ctx, .events = xs_open(0) };
    int64_t begin_ms;
    int rc;

    ctx_begin(ctx);
    if (!serve.events)
        return ctx_fail(ctx, -errno, "cannot connect to xenstore: %s",
                        strerror(errno));
    rc = serve_watch(&serve);
    while (!rc) {
        begin_ms = ctx_now_ms();
        rc = serve_pass(&serve);
        if (!rc)
            rc = serve_sleep(&serve, ctx_now_ms() + PASS_MS, false);
        if (!rc)
            rc = serve_sleep(&serve, serve_deadline(&serve, begin_ms), true);
        serve_drain(&serve);
    }
    serve_end(&serve);
    return rc == -EINTR ? 0 : rc;
}
