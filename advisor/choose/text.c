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
static char *format_text(const char *format, va_list args)
{
    char *text = NULL;

    return vasprintf(&text, format, args) < 0 ? NULL : text;
}

static int set_subject(struct plan_domain *subject,
                       const struct snapshot *snapshot, size_t domain)
{
    const struct snapshot_domain *d;

    if (domain == SNAPSHOT_OUTSIDE)
        return 0;
    d = &snapshot->domains[domain];
    return plan_domain_set(subject, d->uuid, d->domid, d->name);
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

int choose_add_finding(struct plan *plan, const struct snapshot *snapshot,
                       struct plan_finding **finding_r,
                       enum plan_finding_kind kind, size_t first,
                       size_t second, double value, double cost,
                       const char *format, ...)
{
    struct plan_finding *finding;
    va_list args;

    if (plan->nr_findings >= 2 * FINDINGS_KEPT)
        choose_sort_findings(plan);
    finding = plan_add_finding(plan);
    if (!finding)
        return -ENOMEM;
    finding->kind = kind;
    finding->value = value;
    finding->cost = cost;
    va_start(args, format);
    finding->text = format_text(format, args);
    va_end(args);
    if (finding_r)
        *finding_r = finding;
    if (!finding->text || set_subject(&finding->subject[0], snapshot, first))
        return -ENOMEM;
    return set_subject(&finding->subject[1], snapshot, second);
}

int choose_add_note(struct plan *plan, const struct snapshot *snapshot,
                    enum plan_note_kind kind, size_t domain,
                    const char *format, ...)
{
    struct plan_note *note;
    va_list args;

    /* A host of thousands of pinned VMs says enough with so many. */
    if (plan->nr_notes >= PLAN_NOTES_MAX) {
        plan->notes_left_out++;
        return 0;
    }
    note = plan_add_note(plan);
    if (!note)
        return -ENOMEM;
    note->kind = kind;
    va_start(args, format);
    note->text = format_text(format, args);
    va_end(args);
    if (!note->text)
        return -ENOMEM;
    return set_subject(&note->subject, snapshot, domain);
}

int choose_add_step(struct plan *plan, const struct snapshot *snapshot,
                    struct plan_step **step_r, enum plan_step_kind kind,
                    enum plan_reason reason, size_t first, size_t second,
                    double gain, const char *format, ...)
{
    struct plan_step *step = plan_add_step(plan);
    va_list args;

    if (!step)
        return -ENOMEM;
    step->kind = kind;
    step->reason = reason;
    step->gain = gain;
    va_start(args, format);
    step->text = format_text(format, args);
    va_end(args);
    if (step_r)
        *step_r = step;
    if (!step->text || set_subject(&step->subject[0], snapshot, first))
        return -ENOMEM;
    return set_subject(&step->subject[1], snapshot, second);
}

int choose_command(struct plan_step *step, const uint32_t vif[2])
{
    const char *names[2] = { NULL, NULL };
    char numbers[2][16];
    int i;

    for (i = 0; i < 2 && step->subject[i].name; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%u", step->subject[i].domid);
        names[i] = plan_name_plain(step->subject[i].name)
                       ? step->subject[i].name : numbers[i];
    }
    step->command = plan_command(step->kind, names,
                                 step->kind == PLAN_SET_VCPUS ?
                                 step->vcpus_to : step->vcpuid, step->to, vif);
    return step->command ? 0 : -ENOMEM;
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
