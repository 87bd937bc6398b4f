/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "choose/text.h"

#include "model/snapshot.h"
#include "base/compare.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As many as anybody reads; dearer ones put out the others. */
#define FINDINGS_KEPT 4096U

/* A whole text, or NULL. */
static char *format_text(struct plan *plan, const char *format, va_list args)
{
    char *text = NULL;

    if (vasprintf(&text, format, args) >= 0)
        return text;
    plan->no_memory = true;
    return NULL;
}

static void set_subject(struct plan *plan, struct plan_domain *subject,
                        const struct snapshot *snapshot, size_t domain)
{
    const struct snapshot_domain *d = &snapshot->domains[domain];

    if (domain != SNAPSHOT_OUTSIDE &&
        plan_domain_set(subject, d->uuid, d->domid, d->name))
        plan->no_memory = true;
}

static int compare_findings(const void *a, const void *b)
{
    const struct plan_finding *p = a, *q = b;

    return COMPARE(q->cost, p->cost) ?: COMPARE(p->kind, q->kind) ?:
           COMPARE(p->subject[0].domid, q->subject[0].domid) ?:
           COMPARE(p->subject[1].domid, q->subject[1].domid) ?:
           COMPARE(p->pcpu, q->pcpu);
}

void choose_sort_findings(struct plan *plan)
{
    size_t i;

    if (plan->nr_findings)
        qsort(plan->findings, plan->nr_findings, sizeof *plan->findings,
              compare_findings);
    for (i = FINDINGS_KEPT; i < plan->nr_findings; i++)
        plan_drop_finding(&plan->findings[i]);
    if (plan->nr_findings > FINDINGS_KEPT) {
        plan->findings_left_out += (uint32_t)(plan->nr_findings -
                                              FINDINGS_KEPT);
        plan->nr_findings = FINDINGS_KEPT;
    }
}

void choose_add_finding(struct plan *plan, const struct snapshot *snapshot,
                        const struct plan_finding *like, size_t first,
                        size_t second, const char *format, ...)
{
    struct plan_finding *finding;
    va_list args;

    if (plan->nr_findings >= 2 * FINDINGS_KEPT)
        choose_sort_findings(plan);
    finding = plan_add_finding(plan);
    if (!finding) {
        plan->no_memory = true;
        return;
    }
    *finding = *like;
    va_start(args, format);
    finding->text = format_text(plan, format, args);
    va_end(args);
    set_subject(plan, &finding->subject[0], snapshot, first);
    set_subject(plan, &finding->subject[1], snapshot, second);
}

void choose_add_note(struct plan *plan, const struct snapshot *snapshot,
                     enum plan_note_kind kind, size_t domain,
                     const char *format, ...)
{
    struct plan_note *note;
    va_list args;

    /* A host of thousands of pinned VMs says enough with so many. */
    if (plan->nr_notes >= PLAN_NOTES_MAX) {
        plan->notes_left_out++;
        return;
    }
    note = plan_add_note(plan);
    if (!note) {
        plan->no_memory = true;
        return;
    }
    note->kind = kind;
    va_start(args, format);
    note->text = format_text(plan, format, args);
    va_end(args);
    set_subject(plan, &note->subject, snapshot, domain);
}

/* Does xl take the name for that domain, and no other? */
static bool names_it(const struct snapshot *snapshot,
                     const struct plan_domain *domain)
{
    size_t i, nr = 0;

    for (i = 0; i < snapshot->nr_domains; i++)
        nr += !strcmp(snapshot->domains[i].name, domain->name);
    return nr == 1 && plan_name_plain(domain->name);
}

static char *command_of(const struct snapshot *snapshot,
                        const struct plan_step *step, const uint32_t vif[2])
{
    const char *names[2] = { NULL, NULL };
    char numbers[2][16];
    int i;

    for (i = 0; i < 2 && step->subject[i].name; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%u", step->subject[i].domid);
        names[i] = names_it(snapshot, &step->subject[i])
                       ? step->subject[i].name : numbers[i];
    }
    return plan_command(step->kind, names, step->kind == PLAN_SET_VCPUS ?
                        step->vcpus_to : step->vcpuid, step->to, vif);
}

void choose_add_step(struct plan *plan, const struct snapshot *snapshot,
                     const struct plan_step *like, size_t first, size_t second,
                     const uint32_t vif[2], const char *text)
{
    struct plan_step *step = plan_add_step(plan);

    if (!step) {
        plan->no_memory = true;
        return;
    }
    *step = *like;
    step->from = hwloc_bitmap_dup(like->from);
    step->to = hwloc_bitmap_dup(like->to);
    step->peer = like->peer ? strdup(like->peer) : NULL;
    step->text = strdup(text);
    set_subject(plan, &step->subject[0], snapshot, first);
    set_subject(plan, &step->subject[1], snapshot, second);
    plan->no_memory |= !step->from != !like->from || !step->to != !like->to ||
                       !step->peer != !like->peer || !step->text;
    if (!plan->no_memory)
        step->command = command_of(snapshot, step, vif);
    plan->no_memory |= !step->command;
}

const char *choose_rate(char *text, double bytes)
{
    if (bytes >= 1e9)
        snprintf(text, 32, "%.2f GB/s", bytes / 1e9);
    else if (bytes >= 1e6)
        snprintf(text, 32, "%.1f MB/s", bytes / 1e6);
    else
        snprintf(text, 32, "%.1f kB/s", bytes / 1e3);
    return text;
}
