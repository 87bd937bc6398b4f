/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "show/show.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "model/plan.h"
#include "model/snapshot.h"

#define WIDTH 79
#define SAME_NOTES 5

/*
 * Text with line breaks before WIDTH, `indent` blanks before each line.
 * column: where the first line begins already; 0 for a new line.
 */
static void show_wrapped(FILE *f, const char *text, int indent, int column)
{
    bool first = column > 0;

    while (*text) {
        int word = (int)strcspn(text, " ");

        if (column && column + 1 + word > WIDTH) {
            fputc('\n', f);
            column = 0;
        }
        if (!column)
            column = fprintf(f, "%*s", indent, "");
        else if (!first)
            column += fprintf(f, " ");
        first = false;
        column += fprintf(f, "%.*s", word, text);
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', f);
}

static void show_header(const struct plan *plan, const struct snapshot *s,
                        FILE *f)
{
    time_t when = (time_t)plan->time;
    size_t vms = 0, online = 0, i;
    char date[32] = "an unknown time";
    struct tm tm;

    if (gmtime_r(&when, &tm))
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &tm);
    fprintf(f, "%s", plan->host ? plan->host : "This host");
    if (s) {
        for (i = 0; i < s->nr_domains; i++)
            vms += s->domains[i].domid != 0;
        for (i = 0; i < s->nr_pcpus; i++)
            online += s->pcpus[i].online;
        fprintf(f, ": %zu pCPUs, %zu NUMA node%s, %zu VM%s", online,
                s->nr_nodes, s->nr_nodes == 1 ? "" : "s", vms,
                vms == 1 ? "" : "s");
        if (s->duration > 0)
            fprintf(f, ", measured for %.1f s", s->duration);
        else
            fprintf(f, ", nothing measured");
    }
    fprintf(f, ", as of %s\n", date);
}

static void show_findings(const struct plan *plan, bool all, FILE *f)
{
    size_t limit = all ? SIZE_MAX : 12;
    size_t i;

    if (!plan->nr_findings)
        return;
    fprintf(f, "\nWhat is wrong now (in pCPUs lost by it)\n");
    for (i = 0; i < plan->nr_findings && i < limit; i++) {
        int column = fprintf(f, "  %6.2f  ", plan->findings[i].cost);

        show_wrapped(f, plan->findings[i].text, 10, column);
    }
    if (i < plan->nr_findings)
        fprintf(f, "          and %zu more (--all)\n", plan->nr_findings - i);
    if (plan->findings_left_out)
        fprintf(f, "          and %u more of less cost each\n",
                plan->findings_left_out);
}

/* Who it is that the command has a number for. */
static void show_numbers(const struct plan_step *step, FILE *f)
{
    char text[1100];
    size_t i;

    for (i = 0; i < 2; i++) {
        const struct plan_domain *domain = &step->subject[i];

        if (!domain->name || plan_name_plain(domain->name))
            continue;
        snprintf(text, sizeof(text), "%u is %s", domain->domid, domain->name);
        show_wrapped(f, text, 6, 0);
    }
}

static void show_steps(const struct plan *plan, FILE *f)
{
    size_t i;

    if (!plan->nr_steps)
        return;
    fprintf(f, "\nWhat to do\n");
    for (i = 0; i < plan->nr_steps; i++) {
        const struct plan_step *step = &plan->steps[i];

        fprintf(f, "  %2zu. %-52s  %+.2f pCPUs\n", i + 1,
                step->command ? step->command : "?", 0 - step->gain);
        show_numbers(step, f);
        if (step->text)
            show_wrapped(f, step->text, 6, 0);
    }
}

static void show_term(FILE *f, const char *name, double before, double after)
{
    if (fabs(before) < 0.005 && fabs(after) < 0.005)
        return;
    fprintf(f, "  %-34s %8.2f %8.2f %+8.2f\n", name, before, after,
            after - before);
}

static void show_effect(const struct plan *plan, FILE *f)
{
    const struct plan_cost *b = &plan->before, *a = &plan->after;

    fprintf(f, "\nPredicted effect, in pCPUs wasted or waited for\n"
            "  %-34s %8s %8s %8s\n", "", "now", "after", "change");
    show_term(f, "waiting for a pCPU, siblings", b->contention,
              a->contention);
    show_term(f, "VM switches of pairs on one pCPU", b->switches,
              a->switches);
    show_term(f, "traffic far in cache and NUMA", b->distance, a->distance);
    show_term(f, "running off the memory's node", b->memory, a->memory);
    show_term(f, "network path", b->path, a->path);
    show_term(f, "senders short of a vCPU", b->starved, a->starved);
    fprintf(f, "  %-34s %8.2f %8.2f %+8.2f\n", "all", b->total, a->total,
            a->total - b->total);
}

/* What a note says, of whomever. */
static const char *note_says(const struct plan_note *note)
{
    const char *colon = strstr(note->text, ": ");

    return colon ? colon : note->text;
}

/* Whether so many of those before say the same. */
static bool note_often(const struct plan *plan, size_t index)
{
    const char *says = note_says(&plan->notes[index]);
    size_t i, nr = 0;

    for (i = 0; i < index && nr < SAME_NOTES; i++)
        nr += plan->notes[i].kind == plan->notes[index].kind &&
              !strcmp(note_says(&plan->notes[i]), says);
    return nr == SAME_NOTES;
}

/* Those of the data, which choosing took over from the snapshot, or not. */
static void show_notes(const struct plan *plan, bool data, const char *title,
                       bool all, FILE *f)
{
    size_t i, hidden = 0;
    bool any = false;

    for (i = 0; i < plan->nr_notes; i++) {
        if ((plan->notes[i].kind == PLAN_NOTE_DATA) != data)
            continue;
        if (!any)
            fprintf(f, "\n%s\n", title);
        any = true;
        if (!all && note_often(plan, i)) {
            hidden++;
            continue;
        }
        show_wrapped(f, plan->notes[i].text, 2, 0);
    }
    if (hidden)
        fprintf(f, "  and %zu more that say the same (--all)\n", hidden);
    if (any && !data && plan->notes_left_out)
        fprintf(f, "  and %u more\n", plan->notes_left_out);
}

static void show_nothing(const struct plan *plan, FILE *f)
{
    char text[128];

    snprintf(text, sizeof(text), "Nothing is to be gained on this host%s: no "
             "change is advised.", plan_limited(plan) ? " within these limits"
             : plan->nr_findings ? " by other places, vCPUs or links" : "");
    fputc('\n', f);
    show_wrapped(f, text, 0, 0);
}

int show_plan(const struct plan *plan, const struct snapshot *snapshot,
              bool all, FILE *f)
{
    int rc = 0;

    show_header(plan, snapshot, f);
    if (snapshot)
        rc = show_tables(snapshot, all, f);
    if (rc)
        return rc;
    show_findings(plan, all, f);
    show_steps(plan, f);
    if (plan->nr_steps)
        show_effect(plan, f);
    show_notes(plan, false, "Left alone, and limits", all, f);
    show_notes(plan, true, "On the data", all, f);
    if (!plan->nr_steps)
        show_nothing(plan, f);
    return ferror(f) ? -EIO : 0;
}
