/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen for unit tests: a xenstore in memory, domains from a table, and the
 * kernel's answers, behind the libraries' own functions.  Call number
 * stub_fail_at of all of them fails, as a library call fails.
 */
#ifndef SHMLINK_STUB_XEN_H
#define SHMLINK_STUB_XEN_H

#include <stdbool.h>
#include <stdint.h>

struct stub_domain {
    uint32_t domid;
    uint8_t uuid[16];
    const char *name;
    bool paused, dying, shutdown, gone;
};

enum { STUB_DOMAINS_MAX = 8 };
extern struct stub_domain stub_domains[STUB_DOMAINS_MAX];

/* Calls made since stub_reset, and which of them fails; 0: none. */
extern unsigned int stub_calls, stub_fail_at;
extern unsigned int stub_lists;     /* of them, those that list all domains */
extern unsigned int stub_requests;  /* of them, those to xenstore */
/* Runs whenever a caller waits: what the guests do. */
extern void (*stub_guests)(void);
/*
 * Runs when a transaction is to be committed, without its changes, or NULL:
 * what others do meanwhile.  True: it conflicts.
 */
extern bool (*stub_between)(void);
/* The transaction under way looked at path or below, or changed it. */
bool stub_touched(const char *path);
/* What the kernel and the hypervisor answer. */
extern uint32_t stub_grant_frames, stub_event_channels_used;
/* What dom0 does, as dom0_net_add() takes it; the first with no `on` ends it. */
enum { STUB_FACTS_MAX = 16 };
extern struct stub_fact {
    const char *on;
    bool prefix;
    const char *text;
} stub_facts[STUB_FACTS_MAX];
extern bool stub_unread;            /* none of that can be read */
extern const char *stub_vlans[2];   /* of vif1.0, vif2.0 */
extern uint16_t stub_random;        /* how all that is random begins */

/* Forget all: xenstore, domains, failures. */
void stub_reset(void);
/* Watches not taken back, transactions not ended, handles not closed. */
int stub_leaks(void);

/* Direct access; no call counts, none fails. */
void stub_set(const char *path, const char *value);
const char *stub_get(const char *path);     /* NULL: none */
void stub_remove(const char *path);
/* "n0,r1" as written; "" where none were set. */
const char *stub_permissions(const char *path);
/* The first path below this one, or NULL. */
const char *stub_below(const char *top);
/* All paths and values, one per line; the caller frees it. */
char *stub_dump(void);

#endif /* SHMLINK_STUB_XEN_H */
