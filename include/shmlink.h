/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libshmlink: links between the guests of this host, as dom0 sees them.
 *
 * Functions return 0 or -errno, and never print or exit.  After a failure
 * shmlink_why() holds one line for the administrator that names the thing and
 * the way out.  A context belongs to one thread and does not survive fork().
 *
 * All or nothing: an enable that fails, or is cancelled, leaves xenstore as it
 * was; one that is killed is taken back by the next call that takes the lock.
 * Everything read from a guest's part of xenstore is untrusted.
 */
#ifndef SHMLINK_H
#define SHMLINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Ring of one direction when none is asked for. */
#define SHMLINK_RING_BYTES_DEFAULT  (1024U * 1024)
/* Milliseconds that a guest has to answer when nothing else is asked for. */
#define SHMLINK_WAIT_MS_DEFAULT     10000U

struct shmlink_ctx;
struct shmlink_link;
struct xen;

/*
 * xen: a connection that the caller has and keeps open for as long as the
 *   context; NULL: one of its own.
 * notice: called with a line worth telling while work goes on ("waiting for
 *   ..."), without a newline; NULL: not told.
 * cancel_fd: readable means stop and take back, as a signalfd; -1: none.
 */
struct shmlink_ctx_options {
    struct xen *xen;
    void (*notice)(void *opaque, const char *line);
    void *opaque;
    int cancel_fd;
};

/*
 * Connect to xenstore and libxl.  why_r: set to the reason on failure (the
 * caller frees it), as there is no context yet to ask.
 * Errors: ENXIO no Xen; EPROTO built for another Xen than runs; EACCES.
 */
int shmlink_ctx_open(struct shmlink_ctx **ctx_r,
                     const struct shmlink_ctx_options *options, char **why_r);
void shmlink_ctx_close(struct shmlink_ctx *ctx);
/* From now on another cancel_fd counts. */
void shmlink_ctx_heed(struct shmlink_ctx *ctx, int cancel_fd);

/* Of the last call that failed; never NULL; valid until the next call. */
const char *shmlink_why(const struct shmlink_ctx *ctx);
/* What libxl and libxc logged during the last call, or "". */
const char *shmlink_detail(const struct shmlink_ctx *ctx);

enum { SHMLINK_NAME_BYTES = 256 };

struct shmlink_domain {
    uint32_t domid;
    uint8_t uuid[16];
    char name[SHMLINK_NAME_BYTES];
    bool paused;
    bool shutdown;
    bool dying;
};

/* By name, or by domid where text is all digits. Errors: ESRCH no such. */
int shmlink_domain_find(struct shmlink_ctx *ctx, const char *text,
                        struct shmlink_domain *domain_r);
/* All domains but dom0. The caller frees *domains_r with free(). */
int shmlink_domain_list(struct shmlink_ctx *ctx,
                        struct shmlink_domain **domains_r, size_t *nr_r);

/* Numbers of a guest's vifs, ascending; *vifs_r is the caller's to free(). */
int shmlink_vif_list(struct shmlink_ctx *ctx, uint32_t domid,
                     uint32_t **vifs_r, size_t *nr_r);
/* Any vif of a guest. */
#define SHMLINK_VIF_ANY UINT32_MAX

/*
 * dom: names or domids, with ":" and the number of a vif for one by that vif.
 * bridge: NULL, or where the two vifs must be.  Of the pairs of vifs that are
 * left the first is taken to whose link nothing in dom0 objects, or else,
 * with force, the first.  ring_bytes: 0 = the default.  wait_ms: 0 = default.
 * limit: bytes a second that each guest takes from the other, at least as many
 * as a ring has; 0: no limit.
 * force: link although what dom0 enforces on a vif is bypassed.
 * persist: note that the link is to last: shmlink_serve() and shmlink_relink()
 * bring it back whenever both guests run, until it is disabled.
 * dry_run: check only.
 */
struct shmlink_enable_options {
    const char *dom[2];
    const char *bridge;
    uint32_t ring_bytes;
    uint32_t limit;
    unsigned int wait_ms;
    bool force;
    bool persist;
    bool dry_run;
};

/*
 * Link two guests; back end in dom[0], front end in dom[1].  *changed_r is
 * false where a link as asked for was there already.  link_r: it, but for
 * state and counters, or NULL.
 * Errors: ESRCH, EINVAL, EBUSY (paused, dying), EOPNOTSUPP (no driver, no
 * vif), EPERM (needs force), ENOSPC, EEXIST (linked, otherwise),
 * ETIMEDOUT, EINTR (cancelled), EPROTO (a guest gave up).
 */
int shmlink_enable(struct shmlink_ctx *ctx,
                   const struct shmlink_enable_options *options,
                   bool *changed_r, struct shmlink_link *link_r);

/*
 * dom: both set: all links of the two; one set: all of that guest; none: all.
 *   With vifs as for enable, and on that bridge only.
 * remember: note the links taken down, for shmlink_relink().
 * stoppable: cancel_fd is read, and cancels the waiting for the guests the
 *   second time, after a notice the first time; else closing is not cut short.
 * dry_run: *nr_r = how many would go.
 */
struct shmlink_disable_options {
    const char *dom[2];
    const char *bridge;
    unsigned int wait_ms;
    bool remember;
    bool stoppable;
    bool dry_run;
};

/*
 * Take links down: diversion stops, the rings drain, both ends confirm.
 * *nr_r: links taken down; none is no error.
 * Errors: ESRCH; ETIMEDOUT a guest did not confirm: the link's xenstore nodes
 * are gone all the same, so the guest closes as soon as it runs; EINTR stopped:
 * those links are left closing, and once this process is gone the next call
 * that takes the lock finishes it.
 */
int shmlink_disable(struct shmlink_ctx *ctx,
                    const struct shmlink_disable_options *options,
                    size_t *nr_r);

/*
 * Enable again the links that are to last, and the remembered ones, whose two
 * ends run here.  dom: only those of this guest; NULL: all.  *nr_r: links
 * brought back.  A link that cannot be brought back stays noted and is told by
 * notice.
 *
 * A guest is known again by its UUID, or, for links that are to last, by its
 * name where none with that UUID runs: xl gives a guest whose configuration
 * has no uuid another one each time.
 */
int shmlink_relink(struct shmlink_ctx *ctx, const char *dom, size_t *nr_r);

/* Two VMs by name, each with ":" and a vif's number where that one is meant. */
struct shmlink_want {
    const char *dom[2];
};

/*
 * A file asks for these links, and no others any more: they are to last, as
 * with shmlink_enable_options.persist, until it does not or they are disabled.
 * guest: the VM that is about to start and whose own configuration it is,
 * dom[0] of each; NULL: it is shmlink.conf.  The VMs need not run; of each link
 * that waits for another VM to start notice tells.
 * Errors: EINVAL no names, or twice the same; nothing is changed then.
 */
int shmlink_want_links(struct shmlink_ctx *ctx, const char *guest,
                       const struct shmlink_want *pairs, size_t nr);

/*
 * Serve until cancel_fd is readable: keep the links that are to last up, as
 * shmlink_relink() does it, whenever guests come or load their driver; clear
 * up after guests that are gone; review dom0's policy.  A link that is held
 * for a save is left alone while the command that holds it runs, and one that
 * was tried is tried again later and later, up to an hour.
 * Errors: those of xenstore; else does not return before it is cancelled.
 */
int shmlink_serve(struct shmlink_ctx *ctx);

/*
 * Look again at what dom0 enforces, as every call that changes links does:
 * links that it forbids by now are closed, each told by notice.  For a service,
 * whenever dom0's network changes, or now and then.  *nr_r: links closed.
 */
int shmlink_review(struct shmlink_ctx *ctx, size_t *nr_r);

enum shmlink_state {
    SHMLINK_CONNECTING,
    SHMLINK_CONNECTED,
    SHMLINK_CLOSING,
    SHMLINK_BROKEN,         /* an end closed or vanished; the next sweep's */
    SHMLINK_ABSENT,         /* to last, but not up: see shmlink_list_absent */
};
const char *shmlink_state_name(enum shmlink_state state);

/* Of one end, since it connected. */
struct shmlink_counters {
    uint64_t tx_bytes, tx_packets;
    uint64_t rx_bytes, rx_packets;
    uint64_t tx_notifications, rx_notifications;
    uint64_t tx_stalls, tx_drops, rx_drops;
    uint64_t held;          /* why it uses its vif now; see below */
};

enum { SHMLINK_BYPASSES_BYTES = 400 };

/*
 * The word for bit n of held, as xl-shmlink(8) has them, or NULL where there
 * are no more.
 */
const char *shmlink_held_word(unsigned int n);

/*
 * Index 0 is the back end, 1 the front end, as given to enable.
 * bridge: "" where it is not known.  bypasses: what dom0 enforces by now and
 * would not let pass, or "".  A link that bypasses something is forbidden
 * unless it was forced, and also then where it is impossible: its vifs are not
 * on one bridge any more.
 */
struct shmlink_link {
    char nonce[33];         /* hexadecimal: names the link for ever */
    uint32_t domid[2];
    uint8_t uuid[2][16];
    char name[2][SHMLINK_NAME_BYTES];
    uint32_t vif[2];
    char bridge[IF_NAMESIZE];
    uint32_t devid;
    uint32_t ring_bytes;
    uint32_t limit;         /* bytes a second to each end, 0: none */
    enum shmlink_state state;
    time_t since;
    bool forced;
    bool persist;
    bool impossible;
    char bypasses[SHMLINK_BYPASSES_BYTES];
    bool counters_ok[2];
    struct shmlink_counters counters[2];
};

/*
 * The links of dom, which may name a vif, or all where dom is NULL; *links_r
 * is the caller's to free().  counters: ask the drivers too, for at most 1 s.
 * Dead links are swept first unless another command holds the lock.
 */
int shmlink_list(struct shmlink_ctx *ctx, const char *dom, bool counters,
                 struct shmlink_link **links_r, size_t *nr_r);

/* A domain that does not run. */
#define SHMLINK_DOMID_NONE UINT32_MAX

/*
 * The links of dom, or all, that are to last and are not up.  Known of each
 * are names ("?" where even that is not), UUIDs, vifs, ring_bytes, limit,
 * forced, and the domids of guests that run; *links_r is the caller's to
 * free().
 */
int shmlink_list_absent(struct shmlink_ctx *ctx, const char *dom,
                        struct shmlink_link **links_r, size_t *nr_r);

#endif /* SHMLINK_H */
