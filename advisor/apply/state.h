/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One thing on the host that the advisor may change, and the state it is or
 * shall be in: a vCPU's hard or soft affinity, a VM's online vCPUs, a link.
 *
 * The host is behind a small table of operations, so that the steps, their
 * verification and their taking back are tested with no Xen.  All functions
 * return 0 or -errno and print nothing; after a failure of an operation, its
 * why() has a line for the user.
 */
#ifndef SHMLINK_APPLY_STATE_H
#define SHMLINK_APPLY_STATE_H

#include <hwloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/plan.h"

struct apply_domain
{
    uint32_t domid;
    char name[256];
};

struct apply_link
{
    bool linked;         /* and connected; the rest is 0 if not */
    uint32_t ring_bytes; /* to be set, 0: the default */
    uint32_t limit;      /* bytes a second, 0: none */
    char nonce[33];      /* names it, told only; "": any */
};

struct apply_ops
{
    /* Errors: -ESRCH no such VM on this host. */
    int (*find)(void *host, const uint8_t uuid[16],
                struct apply_domain *domain_r);
    /*
     * requested: as set last; full for all.  effective: NULL, or what Xen
     * makes of it with the cpupool and, for soft, the hard affinity; full:
     * not known.
     */
    int (*get_pin)(void *host, uint32_t domid, uint32_t vcpuid, bool hard,
                   hwloc_bitmap_t requested, hwloc_bitmap_t effective);
    int (*set_pin)(void *host, uint32_t domid, uint32_t vcpuid, bool hard,
                   hwloc_const_bitmap_t pcpus);
    /* The vCPUs that Xen says are online (not those asked for). */
    int (*get_vcpus)(void *host, uint32_t domid, hwloc_bitmap_t online);
    int (*set_vcpus)(void *host, uint32_t domid, hwloc_const_bitmap_t online);
    /*
     * vif: devids, or PLAN_NONE for any.  set_link: -EPERM a link that is not
     * to be, or did not come up: nothing has changed.
     */
    int (*get_link)(void *host, const uint32_t domid[2],
                    const uint32_t vif[2], struct apply_link *link_r);
    int (*set_link)(void *host, const uint32_t domid[2],
                    const uint32_t vif[2], const struct apply_link *link);
    /* on: from now what is done takes something back, and is not to be stopped
     * by what stops a plan.  NULL: nothing does. */
    void (*going_back)(void *host, bool on);
    void (*sleep_ms)(void *host, unsigned int ms);
    const char *(*why)(void *host); /* never NULL */
};

struct apply_state
{
    enum plan_step_kind kind; /* _LINK_ENABLE for any state of a link */
    uint8_t uuid[2][16];      /* the second for a link only */
    uint32_t vcpuid;          /* for a pin only */
    hwloc_bitmap_t set;       /* pCPUs, or vCPUs online; NULL for a link */
    uint32_t vif[2];          /* for a link only: devids, or PLAN_NONE */
    struct apply_link link;   /* for a link only; its nonce is not journalled */
};

void apply_state_dispose(struct apply_state *state);
/* What a plan's step asks for, and what it expects to find. */
int apply_state_target(struct apply_state *state_r,
                       const struct plan_step *step);
int apply_state_expected(struct apply_state *state_r,
                         const struct plan_step *step);

/* The state of the same thing as `like` on the host. */
int apply_state_read(struct apply_state *state_r,
                     const struct apply_state *like,
                     const struct apply_ops *ops, void *host);
/* Act, without looking at the result. */
int apply_state_set(const struct apply_state *state,
                    const struct apply_ops *ops, void *host);
/*
 * Wait until the host is in this state, at most `deadline_ms`.  Errors:
 * -ETIMEDOUT it is not; -EXDEV Xen's effective affinity is another.
 */
int apply_state_verify(const struct apply_state *state,
                       const struct apply_ops *ops, void *host,
                       unsigned int deadline_ms);
bool apply_state_equal(const struct apply_state *a,
                       const struct apply_state *b);

/* One line of JSON, and back; the text is untrusted.  Owns: the caller. */
int apply_state_format(const struct apply_state *state, char **text_r);
int apply_state_parse(struct apply_state *state_r, const char *text);
/* "xl vcpu-pin web 1 - 2": what gets there.  Owns: the caller, free(). */
char *apply_state_command(const struct apply_state *state,
                          const struct apply_ops *ops, void *host);
/* UUIDs in their usual spelling, one blank between two; free(). */
char *apply_state_uuids(const struct apply_state *state);

#endif
