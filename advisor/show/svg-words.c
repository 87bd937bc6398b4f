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

static void words_value(char *text, size_t size, double value, int digits,
                        const char *unit)
{
    if (unit)
        snprintf(text, size, "%.*f%s", digits, value, unit);
    else
        svg_rate(text, size, value);
}

/* sign: 1 more is better, -1 less is; unit: NULL for bytes per second. */
static void words_figure(struct svg_figure *g, const char *label, int sign,
                         double before, double after, int digits,
                         const char *unit)
{
    g->label = label;
    words_value(g->before, sizeof(g->before), before, digits, unit);
    words_value(g->after, sizeof(g->after), after, digits, unit);
    g->verdict = !strcmp(g->before, g->after) ? 0
                 : (after - before) * sign > 0 ? 1
                                               : -1;
}

int svg_words_figures(struct svg_page *page, const struct plan *plan)
{
    struct svg_figure *g = page->figures;
    struct sums a, b;

    if (words_sums(page, &page->hosts[BEFORE], &a)
        || words_sums(page, &page->hosts[page->nr_hosts - 1], &b))
        return -ENOMEM;
    words_figure(g++, "busy pairs on one core", -1, a.shared, b.shared, 0, "");
    if (a.far > 0 || b.far > 0)
        words_figure(g++, "traffic between NUMA nodes", -1, a.far, b.far, 0,
                     NULL);
    else
        words_figure(g++, "traffic over shmlinks", 1, a.link, b.link, 0, NULL);
    words_figure(g++, "busiest pCPU is asked for", -1, 100 * a.load,
                 100 * b.load, 0, " %");
    words_figure(g++, "pCPUs wasted or waited for", -1, plan->before.total,
                 plan->after.total, 2, "");
    return 0;
}

void svg_words_titles(struct svg_page *page, const struct snapshot *s,
                      const struct plan *plan)
{
    const char *host = s->host ? s->host : "this host";
    const struct svg_pcpu *last = &page->pcpus[page->nr_pcpus - 1];
    time_t when = (time_t)s->time;
    char date[32] = "";
    struct tm tm;

    if (gmtime_r(&when, &tm))
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm);
    if (!plan->nr_steps)
        snprintf(page->title, sizeof(page->title),
                 "%s: nothing is to be gained", host);
    else
        snprintf(page->title, sizeof(page->title),
                 "%s: %zu step%s save%s %.2f pCPUs", host, plan->nr_steps,
                 plan->nr_steps == 1 ? "" : "s",
                 plan->nr_steps == 1 ? "s" : "",
                 plan->before.total - plan->after.total);
    snprintf(page->subtitle, sizeof(page->subtitle),
             "%zu pCPUs in %u socket%s, Xen %s, measured for %.0f s up to %s",
             page->nr_pcpus, last->socket + 1, last->socket ? "s" : "",
             s->xen_version ? s->xen_version : "?", s->duration, date);
}
