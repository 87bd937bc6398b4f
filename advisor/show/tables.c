/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "show/show.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/snapshot.h"
#include "base/compare.h"

#define ROWS 20
#define NAME_W 16

struct vm_row
{
    const struct snapshot_domain *domain;
    double run, wait, switches, execution_usec;
    double wait_error;
    double out_bytes, in_bytes;
    enum snapshot_source source; /* of the wait */
};

struct pair_row
{
    size_t a, b; /* a <= b; b may be SNAPSHOT_OUTSIDE */
    double bytes, error, packets;
    bool link;
};

static int vm_compare(const void *a, const void *b)
{
    const struct vm_row *v = a, *w = b;
    double x = v->run + v->wait, y = w->run + w->wait;

    return COMPARE(y, x) ?: COMPARE(v->domain->domid, w->domain->domid);
}

static int pair_compare_ends(const void *a, const void *b)
{
    const struct pair_row *p = a, *q = b;

    return COMPARE(p->a, q->a) ?: COMPARE(p->b, q->b) ?:
           COMPARE(p->link, q->link);
}

static int pair_compare(const void *a, const void *b)
{
    const struct pair_row *p = a, *q = b;

    return COMPARE(q->bytes, p->bytes) ?: pair_compare_ends(a, b);
}

static void vm_fill(struct vm_row *row, const struct snapshot *s, size_t d)
{
    const struct snapshot_vcpu *v;
    double runs = 0;

    row->domain = &s->domains[d];
    SNAPSHOT_FOR_VCPUS(v, s, row->domain) {
        if (!v->online)
            continue;
        row->run += v->utilisation.value;
        row->wait += v->wait.value;
        row->wait_error = hypot(row->wait_error, v->wait.error);
        row->switches += v->switches.value;
        if (v->execution_usec.value > 0)
            runs += 1e6 * v->utilisation.value / v->execution_usec.value;
        if (v->wait.source > row->source)
            row->source = v->wait.source;
    }
    /* The mean over all times that any vCPU was scheduled. */
    row->execution_usec = runs > 0 ? 1e6 * row->run / runs : 0;
}

static void vm_traffic(struct vm_row *rows, const struct snapshot *s)
{
    const struct snapshot_traffic *t;

    for (t = s->traffic; t < s->traffic + s->nr_traffic; t++) {
        if (t->from != SNAPSHOT_OUTSIDE)
            rows[t->from].out_bytes += t->bytes.value;
        if (t->to != SNAPSHOT_OUTSIDE)
            rows[t->to].in_bytes += t->bytes.value;
    }
}

/* NAME_W characters, the last a "~" where more were there, and the domid. */
static void show_domain(FILE *f, const struct snapshot *s, size_t d)
{
    const char *name = d == SNAPSHOT_OUTSIDE ? "(outside)"
                       : s->domains[d].name  ? s->domains[d].name
                                             : "?";
    char id[16] = "-";
    int chars = 0, cut = 0, i;

    for (i = 0; name[i]; i++) {
        if (((unsigned char)name[i] & 0xc0) == 0x80)
            continue; /* UTF-8: not the first byte of a character */
        if (++chars == NAME_W)
            cut = i;
    }
    if (d != SNAPSHOT_OUTSIDE)
        snprintf(id, sizeof(id), "%u", s->domains[d].domid);
    fprintf(f, "%.*s%s%*s %5s", chars > NAME_W ? cut : i, name,
            chars > NAME_W ? "~" : "", chars > NAME_W ? 0 : NAME_W - chars,
            "", id);
}

static void show_share(FILE *f, double value, double error,
                       enum snapshot_source source)
{
    char text[24];

    if (source == SNAPSHOT_SOURCE_NONE)
        snprintf(text, sizeof(text), "-");
    else if (error > 0)
        snprintf(text, sizeof(text), "%.1f+-%.1f", 100 * value, 100 * error);
    else
        snprintf(text, sizeof(text), "%.1f", 100 * value);
    fprintf(f, " %10s", text);
}

static void show_dash(FILE *f, int width, const char *format, double value,
                      bool known)
{
    char text[24] = "-";

    if (known)
        snprintf(text, sizeof(text), format, value);
    fprintf(f, " %*s", width, text);
}

static int show_vms(const struct snapshot *s, bool all, FILE *f)
{
    static const char *const sources[] = { "", "", "", " (sampled)" };
    struct vm_row *rows = calloc(s->nr_domains + 1, sizeof(*rows));
    size_t i;

    if (!rows)
        return -ENOMEM;
    for (i = 0; i < s->nr_domains; i++)
        vm_fill(&rows[i], s, i);
    vm_traffic(rows, s);
    qsort(rows, s->nr_domains, sizeof(*rows), vm_compare);
    fprintf(f, "\n%-*s %5s %5s %7s %10s %9s %8s %9s %9s\n", NAME_W, "VM",
            "ID", "vCPUs", "run %", "wait %", "switch/s", "us/run",
            "out MB/s", "in MB/s");
    for (i = 0; i < s->nr_domains && (all || i < ROWS); i++) {
        const struct vm_row *r = &rows[i];

        show_domain(f, s, (size_t)(r->domain - s->domains));
        fprintf(f, " %5u %7.1f", r->domain->vcpus_online, 100 * r->run);
        show_share(f, r->wait, r->wait_error, r->source);
        show_dash(f, 9, "%.0f", r->switches, r->switches > 0);
        show_dash(f, 8, "%.0f", r->execution_usec, r->execution_usec > 0);
        fprintf(f, " %9.2f %9.2f%s\n", r->out_bytes * 1e-6,
                r->in_bytes * 1e-6, sources[r->source]);
    }
    if (i < s->nr_domains)
        fprintf(f, "and %zu more (--all)\n", s->nr_domains - i);
    free(rows);
    return 0;
}

static size_t pairs_fill(struct pair_row *rows, const struct snapshot *s)
{
    size_t i, n = 0, nr = 0;

    for (i = 0; i < s->nr_traffic; i++) {
        const struct snapshot_traffic *t = &s->traffic[i];

        if (t->bytes.value <= 0)
            continue;
        rows[nr++] = (struct pair_row){
            .a = t->from < t->to ? t->from : t->to,
            .b = t->from < t->to ? t->to : t->from,
            .bytes = t->bytes.value,
            .error = t->bytes.error,
            .packets = t->packets.value,
            .link = t->via == SNAPSHOT_VIA_LINK,
        };
    }
    qsort(rows, nr, sizeof(*rows), pair_compare_ends);
    for (i = 0; i < nr; i++) {
        if (n && !pair_compare_ends(&rows[n - 1], &rows[i])) {
            rows[n - 1].bytes += rows[i].bytes;
            rows[n - 1].error = hypot(rows[n - 1].error, rows[i].error);
            rows[n - 1].packets += rows[i].packets;
        } else {
            rows[n++] = rows[i];
        }
    }
    qsort(rows, n, sizeof(*rows), pair_compare);
    return n;
}

static int show_pairs(const struct snapshot *s, bool all, FILE *f)
{
    struct pair_row *rows = calloc(s->nr_traffic + 1, sizeof(*rows));
    char rate[32];
    size_t i, nr;

    if (!rows)
        return -ENOMEM;
    nr = pairs_fill(rows, s);
    if (nr)
        fprintf(f, "\n%-*s %5s  %-*s %5s %14s %9s %7s  %s\n", NAME_W,
                "pair", "ID", NAME_W, "with", "ID", "MB/s", "packets/s",
                "bytes", "by");
    for (i = 0; i < nr && (all || i < ROWS); i++) {
        const struct pair_row *r = &rows[i];

        if (r->error > 0)
            snprintf(rate, sizeof(rate), "%.2f+-%.2f", r->bytes * 1e-6,
                     r->error * 1e-6);
        else
            snprintf(rate, sizeof(rate), "%.2f", r->bytes * 1e-6);
        show_domain(f, s, r->a);
        fprintf(f, "  ");
        show_domain(f, s, r->b);
        fprintf(f, " %14s %9.0f", rate, r->packets);
        show_dash(f, 7, "%.0f", r->packets > 0 ? r->bytes / r->packets : 0,
                  r->packets > 0);
        fprintf(f, "  %s\n", r->link ? "link" : "vif");
    }
    if (i < nr)
        fprintf(f, "and %zu more (--all)\n", nr - i);
    free(rows);
    return 0;
}

int show_tables(const struct snapshot *s, bool all, FILE *f)
{
    int rc;

    if (s->duration <= 0)
        return 0;
    rc = show_vms(s, all, f);
    return rc ? rc : show_pairs(s, all, f);
}
