/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hosts for the advisor's tests: the snapshots in tests/unit/hosts, and what
 * becomes of a host when a plan is applied.  Failures end the test.
 */
#ifndef SHMLINK_HOSTS_H
#define SHMLINK_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "choose/choose.h"
#include "model/past.h"
#include "model/plan.h"
#include "model/settings.h"
#include "model/snapshot.h"

void hosts_path(char *path, size_t bytes, const char *name,
                const char *suffix);

/* Owns: caller, snapshot_free() and plan_free(). */
struct snapshot *hosts_load(const char *name);
struct plan *hosts_plan(const struct snapshot *snapshot,
                        const struct settings *settings,
                        const struct past *past);

/*
 * Change the snapshot as the plan's steps would the host: pins (ours then),
 * vCPUs, links; every vCPU then gets what it demanded and waits no more.
 */
void hosts_apply(struct snapshot *snapshot, const struct plan *plan);

size_t hosts_pins(const struct plan *plan);
bool hosts_has_note(const struct plan *plan, enum plan_note_kind kind);
/* The first of its kind, or NULL. */
const struct plan_step *hosts_step(const struct plan *plan,
                                   enum plan_step_kind kind);

#endif
