/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The figures and lines of text around the picture. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/plan.h"
#include "model/snapshot.h"
#include "show/svg-priv.h"

struct sums
{
    unsigned int shared;
    double far, link, load;
};

static int words_sums(const struct svg_page *page,
                      const struct svg_host *host, struct sums *sums)
{
    double *load = calloc(page->nr_pcpus + 1, sizeof(*load));
    size_t i;

    memset(sums, 0, sizeof(*sums));
    if (!load)
        return -ENOMEM;
    for (i = 0; i < host->nr_vcpus; i++) {
        double *l = &load[host->vcpus[i].at];

        *l += host->vcpus[i].util;
        if (*l > sums->load)
            sums->load = *l;
    }
    for (i = 0; i < host->nr_flows; i++) {
        const struct svg_flow *f = &host->flows[i];

        sums->shared += f->heat == SVG_HEAT_SHARED;
        sums->far += f->heat == SVG_HEAT_FAR ? f->bytes_per_second : 0;
        sums->link += f->link ? f->bytes_per_second : 0;
    }
    free(load);
    return 0;
}

/* sign: 1 more is better, -1 less is. */
static int words_figure(struct svg_page *page, const char *label, int sign,
                        const char *before, const char *after, double change)
{
    struct svg_figure *g = &page->figures[page->nr_figures];

    g->label = strdup(label);
    g->before = strdup(before);
    g->after = page->nr_hosts > 1 ? strdup(after) : NULL;
    g->verdict = !strcmp(before, after) ? 0
                 : change * sign > 0    ? 1
                                        : -1;
    page->nr_figures++;
    return g->label && g->before && (g->after || page->nr_hosts == 1)
               ? 0
               : -ENOMEM;
}

int svg_words_figures(struct svg_page *page, const struct plan *plan)
{
    struct sums s[2];
    char before[24], after[24];
    int rc;

    page->figures = calloc(4, sizeof(*page->figures));
    if (!page->figures || words_sums(page, &page->hosts[BEFORE], &s[BEFORE])
        || words_sums(page, &page->hosts[page->nr_hosts - 1], &s[AFTER]))
        return -ENOMEM;
    snprintf(before, sizeof(before), "%u", s[BEFORE].shared);
    snprintf(after, sizeof(after), "%u", s[AFTER].shared);
    rc = words_figure(page, "busy pairs on one core", -1, before, after,
                      (double)s[AFTER].shared - s[BEFORE].shared);
    if (rc)
        return rc;
    if (s[BEFORE].far > 0 || s[AFTER].far > 0) {
        svg_rate(before, sizeof(before), s[BEFORE].far);
        svg_rate(after, sizeof(after), s[AFTER].far);
        rc = words_figure(page, "traffic between NUMA nodes", -1, before,
                          after, s[AFTER].far - s[BEFORE].far);
    } else {
        svg_rate(before, sizeof(before), s[BEFORE].link);
        svg_rate(after, sizeof(after), s[AFTER].link);
        rc = words_figure(page, "traffic over shmlinks", 1, before, after,
                          s[AFTER].link - s[BEFORE].link);
    }
    if (rc)
        return rc;
    snprintf(before, sizeof(before), "%.0f %%", 100 * s[BEFORE].load);
    snprintf(after, sizeof(after), "%.0f %%", 100 * s[AFTER].load);
    rc = words_figure(page, "busiest pCPU is asked for", -1, before, after,
                      s[AFTER].load - s[BEFORE].load);
    if (rc)
        return rc;
    snprintf(before, sizeof(before), "%.2f", plan->before.total);
    snprintf(after, sizeof(after), "%.2f", plan->after.total);
    return words_figure(page, "pCPUs wasted or waited for", -1, before, after,
                        plan->after.total - plan->before.total);
}

int svg_words_text(struct svg_page *page, const struct snapshot *s,
                       const struct plan *plan)
{
    const char *host = s->host ? s->host : "this host";
    const struct svg_pcpu *last = &page->pcpus[page->nr_pcpus - 1];
    time_t when = (time_t)s->time;
    char date[32] = "";
    struct tm tm;
    size_t i;
    int r;

    if (gmtime_r(&when, &tm))
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm);
    if (!plan->nr_steps)
        r = asprintf(&page->title, "%s: nothing is to be gained", host);
    else
        r = asprintf(&page->title, "%s: %zu step%s save%s %.2f pCPUs", host,
                     plan->nr_steps, plan->nr_steps == 1 ? "" : "s",
                     plan->nr_steps == 1 ? "s" : "",
                     plan->before.total - plan->after.total);
    if (r < 0) {
        page->title = NULL;
        return -ENOMEM;
    }
    r = asprintf(&page->subtitle, "%zu pCPUs in %u socket%s, Xen %s, measured "
                 "for %.0f s up to %s", page->nr_pcpus, last->socket + 1,
                 last->socket ? "s" : "",
                 s->xen_version ? s->xen_version : "?", s->duration, date);
    if (r < 0) {
        page->subtitle = NULL;
        return -ENOMEM;
    }
    page->steps = calloc(plan->nr_steps + 1, sizeof(*page->steps));
    if (!page->steps)
        return -ENOMEM;
    for (i = 0; i < plan->nr_steps; i++) {
        const char *command = plan->steps[i].command;

        page->steps[i] = strdup(command ? command : "");
        if (!page->steps[i])
            return -ENOMEM;
        page->nr_steps++;
    }
    return 0;
}
