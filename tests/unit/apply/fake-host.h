/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host for apply's operations that lives in memory: three VMs with four
 * vCPUs each on eight pCPUs.  Its Nth change can be made to fail, to be
 * accepted without effect, or to kill this process.
 */
#ifndef SHMLINK_FAKE_HOST_H
#define SHMLINK_FAKE_HOST_H

#include "apply/state.h"

enum { FAKE_VMS = 3, FAKE_VCPUS = 4, FAKE_PCPUS = 8 };

enum fake_fault
{
    FAKE_FINE,
    FAKE_FAIL,   /* an error */
    FAKE_IGNORE, /* success, and nothing happens */
    FAKE_REFUSE, /* -EPERM */
    FAKE_EXIT,   /* _exit(9) after the change was made */
};

struct fake_host
{
    hwloc_bitmap_t pin[FAKE_VMS][FAKE_VCPUS][2]; /* soft, hard */
    hwloc_bitmap_t online[FAKE_VMS];
    bool linked[FAKE_VMS][FAKE_VMS];
    unsigned int nonce; /* of all links */
    bool gone[FAKE_VMS];
    hwloc_bitmap_t pool; /* what Xen honours */
    unsigned int changes; /* so far */
    unsigned int fault_at; /* number of a change, from 1; 0 never */
    unsigned int fault_until; /* and all up to this one */
    enum fake_fault fault;
    bool stopped; /* a signal came: links change only on the way back */
    bool back;
    unsigned int slept_ms;
};

extern const struct apply_ops fake_ops;

void fake_host_init(struct fake_host *host);
void fake_host_dispose(struct fake_host *host);
/* All that can be changed, as text; free(). */
char *fake_host_text(const struct fake_host *host);
/* The UUID of VM i is i + 1 in every byte; its domid is 10 + i. */
void fake_uuid(uint8_t uuid[16], unsigned int vm);

/* A plan with one step of each kind; plan_free(). */
struct plan *fake_plan(void);

/* Append a pin of vCPU 0.  from: a list, NULL for all. */
void fake_step_pin(struct plan *plan, enum plan_step_kind kind,
                   unsigned int vm, const char *from, unsigned int to);

#endif
