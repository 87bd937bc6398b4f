/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hosts.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "choose/entity.h"

void hosts_path(char *path, size_t bytes, const char *name,
                const char *suffix)
{
    const char *directory = getenv("srcdir");

    snprintf(path, bytes, "%s/tests/unit/hosts/%s%s",
             directory ? directory : ".", name, suffix);
}

struct snapshot *hosts_load(const char *name)
{
    struct snapshot *snapshot = NULL;
    char path[512], *why = NULL;

    hosts_path(path, sizeof path, name, ".json");
    if (snapshot_load(&snapshot, path, &why))
        fail_msg("%s: %s", path, why);
    return snapshot;
}

struct plan *hosts_plan(const struct snapshot *snapshot,
                        const struct settings *settings,
                        const struct past *past)
{
    struct plan *plan = NULL;

    assert_int_equal(choose(&plan, snapshot, settings, past, NULL), 0);
    return plan;
}

static void apply_pin(struct snapshot *snapshot, const struct plan_step *step)
{
    size_t domain = snapshot_find_uuid(snapshot, step->subject[0].uuid);
    struct snapshot_vcpu *vcpu =
        &snapshot->vcpus[snapshot->domains[domain].first_vcpu + step->vcpuid];
    bool hard = step->kind == PLAN_PIN_HARD;
    hwloc_bitmap_t mask = hard ? vcpu->hard : vcpu->soft;

    assert_true(hwloc_bitmap_isequal(mask, step->from));
    assert_int_equal(hwloc_bitmap_copy(mask, step->to), 0);
    if (!hwloc_bitmap_isset(mask, vcpu->pcpu))
        vcpu->pcpu = (uint32_t)hwloc_bitmap_first(mask);
    if (hard)
        vcpu->hard_owner = SNAPSHOT_OWNER_SHMLINK;
    else
        vcpu->soft_owner = SNAPSHOT_OWNER_SHMLINK;
}

/* The load stays as recorded, by vif: dom0's share of it is in there too. */
static void apply_link(struct snapshot *snapshot, const struct plan_step *step)
{
    struct snapshot_link *link = snapshot_add_link(snapshot);

    assert_non_null(link);
    memset(link->nonce, '1', 32);
    link->up = true;
    link->end[0].domain = snapshot_find_uuid(snapshot, step->subject[0].uuid);
    link->end[1].domain = snapshot_find_uuid(snapshot, step->subject[1].uuid);
    link->end[0].vif = step->vif[0];
    link->end[1].vif = step->vif[1];
}

void hosts_apply(struct snapshot *snapshot, const struct plan *plan)
{
    struct snapshot_vcpu *vcpu;
    double demand;
    size_t i;

    for (i = 0; i < plan->nr_steps; i++) {
        switch (plan->steps[i].kind) {
        case PLAN_PIN_HARD:
        case PLAN_PIN_SOFT:
            apply_pin(snapshot, &plan->steps[i]);
            break;
        case PLAN_LINK_ENABLE:
            apply_link(snapshot, &plan->steps[i]);
            break;
        default:
            fail_msg("hosts_apply: not a step for it");
        }
    }
    for (i = 0; i < snapshot->nr_vcpus; i++) {
        vcpu = &snapshot->vcpus[i];
        if (!vcpu->online)
            continue;
        demand = choose_demand(vcpu);
        vcpu->utilisation.value = demand;
        vcpu->wait.value = 0;
        vcpu->block.value = 1 - demand;
    }
    assert_int_equal(snapshot_check(snapshot, NULL), 0);
}

size_t hosts_pins(const struct plan *plan)
{
    size_t i, nr = 0;

    for (i = 0; i < plan->nr_steps; i++)
        nr += plan->steps[i].to != NULL;
    return nr;
}

bool hosts_has_note(const struct plan *plan, enum plan_note_kind kind)
{
    size_t i;

    for (i = 0; i < plan->nr_notes; i++)
        if (plan->notes[i].kind == kind)
            return true;
    return false;
}

const struct plan_step *hosts_step(const struct plan *plan,
                                   enum plan_step_kind kind)
{
    size_t i;

    for (i = 0; i < plan->nr_steps; i++)
        if (plan->steps[i].kind == kind)
            return &plan->steps[i];
    return NULL;
}
