/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "show/svg-priv.h"

static const char *const svg_palette[] = {
    "#3f6fd8", "#9a4fd0", "#c2458f", "#1391b8", "#5c8f22",
    "#b5761b", "#5a55b8", "#a8543c", "#2a8f72", "#7d6596",
};
#define PALETTE (sizeof(svg_palette) / sizeof(*svg_palette))

/* Where the things of one panel are. */
struct places
{
    struct svg_box *pcpus; /* the lane of a pCPU */
    struct svg_box *cores;
    struct svg_box *caches;
    struct svg_box *sockets;
    struct svg_box *vcpus;
    double *load;       /* of a pCPU */
    unsigned int *lane; /* chips on a pCPU so far */
    bool *hot;          /* of a core */
};

static void places_free(struct places *p)
{
    free(p->pcpus);
    free(p->cores);
    free(p->caches);
    free(p->sockets);
    free(p->vcpus);
    free(p->load);
    free(p->lane);
    free(p->hot);
}

static int places_alloc(struct places *p, const struct svg_layout *l,
                        const struct svg_page *page,
                        const struct svg_host *host)
{
    *p = (struct places){
        .pcpus = calloc(page->nr_pcpus, sizeof(*p->pcpus)),
        .cores = calloc(l->cores, sizeof(*p->cores)),
        .caches = calloc(l->caches, sizeof(*p->caches)),
        .sockets = calloc(l->sockets, sizeof(*p->sockets)),
        .vcpus = calloc(host->nr_vcpus + 1, sizeof(*p->vcpus)),
        .load = calloc(page->nr_pcpus, sizeof(*p->load)),
        .lane = calloc(page->nr_pcpus, sizeof(*p->lane)),
        .hot = calloc(l->cores, sizeof(*p->hot)),
    };
    if (!p->pcpus || !p->cores || !p->caches || !p->sockets || !p->vcpus
        || !p->load || !p->lane || !p->hot)
        return -ENOMEM;
    return 0;
}

static void places_topology(struct places *p, const struct svg_layout *l,
                            const struct svg_page *page, double x, double y)
{
    unsigned int cache = 0, core = 0, thread = 0;
    size_t i;

    for (i = 0; i < page->nr_pcpus; i++) {
        const struct svg_pcpu *c = &page->pcpus[i];
        const struct svg_pcpu *b = i ? c - 1 : NULL;

        cache = !b || b->socket != c->socket ? 0
                : cache + (b->cache != c->cache);
        core = !b || b->cache != c->cache ? 0 : core + (b->core != c->core);
        thread = !b || b->core != c->core ? 0 : thread + 1;
        p->sockets[c->socket] = (struct svg_box){
            x + c->socket % l->socket_columns * (l->socket_w + SVG_SOCKET_GAP),
            y + SVG_PANEL_HEAD
                + c->socket / l->socket_columns
                      * (l->socket_h + SVG_SOCKET_GAP),
            l->socket_w, l->socket_h };
        p->caches[c->cache] = (struct svg_box){
            p->sockets[c->socket].x + SVG_GAP
                + cache % l->cache_columns * (l->cache_w + SVG_GAP),
            p->sockets[c->socket].y + SVG_SOCKET_HEAD
                + cache / l->cache_columns * (l->cache_h + SVG_GAP),
            l->cache_w, l->cache_h };
        p->cores[c->core] = (struct svg_box){
            p->caches[c->cache].x + SVG_GAP
                + core % l->columns * (l->tile_w + SVG_GAP),
            p->caches[c->cache].y + SVG_CACHE_HEAD
                + core / l->columns * (l->tile_h + SVG_GAP),
            l->tile_w, l->tile_h };
        p->pcpus[i] = (struct svg_box){
            p->cores[c->core].x + SVG_TILE_PAD
                + SVG_TILE_GUTTER + thread * (l->chip_w + SVG_TILE_PAD),
            p->cores[c->core].y, l->chip_w, l->tile_h };
    }
}

/* All cores on which both VMs have a vCPU are hot. */
static void places_shared(struct places *p, const struct svg_page *page,
                          const struct svg_host *host,
                          const struct svg_flow *flow)
{
    size_t i, j;

    for (i = 0; i < host->nr_vcpus; i++) {
        unsigned int core = page->pcpus[host->vcpus[i].at].core;

        if (host->vcpus[i].vm != flow->from)
            continue;
        for (j = 0; j < host->nr_vcpus; j++)
            if (host->vcpus[j].vm == flow->to
                && page->pcpus[host->vcpus[j].at].core == core)
                p->hot[core] = true;
    }
}

static void places_vcpus(struct places *p, const struct svg_layout *l,
                         const struct svg_page *page,
                         const struct svg_host *host)
{
    double afloat = 0, shares = 0;
    size_t i;

    for (i = 0; i < host->nr_vcpus; i++) {
        const struct svg_vcpu *v = &host->vcpus[i];
        unsigned int lane = p->lane[v->at]++;

        /* What does not fit stands behind the last one, as "+n". */
        if (lane >= l->lanes)
            lane = l->lanes - 1;
        if (v->floating)
            afloat += v->util;
        else
            p->load[v->at] += v->util;
        p->vcpus[i] = (struct svg_box){
            p->pcpus[v->at].x,
            p->pcpus[v->at].y + SVG_TILE_HEAD
                + lane * (l->chip_h + SVG_CHIP_GAP),
            l->chip_w, l->chip_h };
    }
    for (i = 0; i < page->nr_pcpus; i++)
        shares += page->pcpus[i].share;
    for (i = 0; i < page->nr_pcpus; i++) {
        if (shares > 0)
            p->load[i] += afloat * page->pcpus[i].share / shares;
        if (p->load[i] > SVG_LOAD_HOT)
            p->hot[page->pcpus[i].core] = true;
    }
    for (i = 0; i < host->nr_flows; i++)
        if (host->flows[i].heat == SVG_HEAT_SHARED)
            places_shared(p, page, host, &host->flows[i]);
}

static void draw_sockets(const struct places *p, const struct svg_layout *l,
                         const struct svg_page *page, FILE *f)
{
    size_t i;

    for (i = 0; i < page->nr_pcpus; i++) {
        const struct svg_pcpu *c = &page->pcpus[i];
        const struct svg_box *s = &p->sockets[c->socket];
        const struct svg_box *k = &p->caches[c->cache];

        if (!i || c[-1].socket != c->socket) {
            fprintf(f, "<rect class=\"socket\" x=\"%.1f\" y=\"%.1f\" "
                    "width=\"%.1f\" height=\"%.1f\" rx=\"14\"/>\n"
                    "<text class=\"where\" x=\"%.1f\" y=\"%.1f\">Socket %u"
                    "<tspan class=\"muted\" dx=\"7\">NUMA node %u</tspan>"
                    "</text>\n", s->x, s->y, s->w, s->h, s->x + 16, s->y + 18,
                    c->socket, c->node);
        }
        if (!i || c[-1].cache != c->cache)
            fprintf(f, "<rect class=\"cache\" x=\"%.1f\" y=\"%.1f\" "
                    "width=\"%.1f\" height=\"%.1f\" rx=\"10\"/>\n"
                    "<text class=\"tiny muted\" x=\"%.1f\" y=\"%.1f\">%s"
                    "</text>\n", k->x, k->y, k->w, k->h, k->x + 12, k->y + 14,
                    page->cache_name ? page->cache_name : "cores");
    }
    (void)l;
}

static void draw_pcpu(const struct places *p, const struct svg_layout *l,
                      const struct svg_page *page, size_t i, FILE *f)
{
    const struct svg_pcpu *c = &page->pcpus[i];
    const struct svg_box *b = &p->pcpus[i];
    double load = p->load[i];
    double bar_y = b->y + b->h - SVG_TILE_FOOT + 2;
    const char *tone = load > SVG_LOAD_HOT ? SVG_HOT
                       : load > 0.85       ? SVG_FAR
                                           : "#7fa98c";

    fprintf(f, "<text class=\"tiny\" x=\"%.1f\" y=\"%.1f\">%s%u</text>\n",
            b->x, b->y + 13, l->threads == 1 ? "pCPU " : "p", c->pcpu);
    if (!c->online) {
        fprintf(f, "<text class=\"tiny muted\" x=\"%.1f\" y=\"%.1f\" "
                "text-anchor=\"end\">offline</text>\n", b->x + b->w,
                b->y + 13);
        return;
    }
    if (c->banned && load <= 0)
        fprintf(f, "<text class=\"tiny muted\" x=\"%.1f\" y=\"%.1f\" "
                "text-anchor=\"end\">banned</text>\n", b->x + b->w, b->y + 13);
    if (load > 0)
        fprintf(f, "<text class=\"tiny num\" x=\"%.1f\" y=\"%.1f\" "
                "text-anchor=\"end\"%s>%.0f %%</text>\n", b->x + b->w,
                b->y + 13, load > SVG_LOAD_HOT ? " fill=\"" SVG_HOT "\"" : "",
                100 * load);
    fprintf(f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"4\" "
            "rx=\"2\" fill=\"#e8ecf1\"/>\n", b->x, bar_y, b->w);
    if (load > 0)
        fprintf(f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"4\" "
                "rx=\"2\" fill=\"%s\"/>\n", b->x, bar_y,
                fmax(4, b->w * fmin(load, 1)), tone);
    if (p->lane[i] > l->lanes)
        fprintf(f, "<text class=\"tiny num\" x=\"%.1f\" y=\"%.1f\" "
                "text-anchor=\"middle\">+%u more</text>\n", b->x + b->w / 2,
                b->y + SVG_TILE_HEAD
                    + (l->lanes - 1) * (l->chip_h + SVG_CHIP_GAP) + 12,
                p->lane[i] - l->lanes + 1);
}

static void draw_tiles(const struct places *p, const struct svg_layout *l,
                       const struct svg_page *page, FILE *f)
{
    size_t i;

    for (i = 0; i < page->nr_pcpus; i++) {
        const struct svg_pcpu *c = &page->pcpus[i];
        const struct svg_box *b = &p->cores[c->core];

        if (!i || c[-1].core != c->core)
            fprintf(f, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" "
                    "width=\"%.1f\" height=\"%.1f\" rx=\"7\"/>\n",
                    p->hot[c->core]                ? "tile hot"
                    : c->banned || !c->online ? "tile out"
                                                   : "tile",
                    b->x, b->y, b->w, b->h);
        draw_pcpu(p, l, page, i, f);
    }
}

static void draw_chip(const struct places *p, const struct svg_layout *l,
                      const struct svg_page *page, const struct svg_vcpu *v,
                      const struct svg_box *b, FILE *f)
{
    const struct svg_vm *vm = &page->vms[v->vm];
    const char *colour = svg_colour(vm);
    size_t room = l->threads == 1 ? 12 : 8;

    (void)p;
    fprintf(f, "<g><title>");
    svg_escape(f, vm->name, 80);
    fprintf(f, " vCPU %u, %.0f %% of a pCPU%s</title>", v->vcpu,
            100 * v->util, v->floating ? ", may run anywhere" : ", pinned");
    fprintf(f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
            "rx=\"4\" fill=\"#fff\" stroke=\"%s\" stroke-width=\"%s\"%s/>"
            "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
            "rx=\"4\" fill=\"%s\" fill-opacity=\"0.30\"/>", b->x, b->y, b->w,
            b->h, colour, v->moved || v->added ? "2.4" : "1",
            v->floating ? " stroke-dasharray=\"3 2.5\"" : "", b->x, b->y,
            fmax(4, b->w * fmin(v->util, 1)), b->h, colour);
    fprintf(f, "<text class=\"chip\" x=\"%.1f\" y=\"%.1f\">", b->x + 6,
            b->y + b->h - 5);
    svg_escape(f, vm->name, vm->many ? room - 2 : room);
    if (vm->many)
        fprintf(f, "<tspan class=\"muted\">.%u</tspan>", v->vcpu);
    fprintf(f, "</text>");
    if (v->added)
        fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"6.5\" fill=\"%s\"/>"
                "<text class=\"plus\" x=\"%.1f\" y=\"%.1f\">+</text>",
                b->x + b->w - 4, b->y + 2, colour, b->x + b->w - 4,
                b->y + 5.6);
    fprintf(f, "</g>\n");
}

const char *svg_colour(const struct svg_vm *vm)
{
    if (vm->colour == -2)
        return "#3b4654";
    if (vm->colour < 0)
        return "#98a4b3";
    return svg_palette[(unsigned int)vm->colour % PALETTE];
}

int svg_host_draw(const struct svg_layout *l, const struct svg_page *page,
                  const struct svg_host *host, double x, double y, FILE *f)
{
    struct places p;
    size_t i;
    int rc = places_alloc(&p, l, page, host);

    if (rc)
        goto out;
    places_topology(&p, l, page, x, y);
    places_vcpus(&p, l, page, host);
    fprintf(f, "<text class=\"panel\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", x,
            y + 18, host->title);
    draw_sockets(&p, l, page, f);
    draw_tiles(&p, l, page, f);
    svg_flows_draw(l, host, p.vcpus, false, f);
    for (i = 0; i < host->nr_vcpus; i++) {
        const struct svg_vcpu *v = &host->vcpus[i];

        /* Behind a "+n" there is no chip. */
        if (p.lane[v->at] > l->lanes
            && p.vcpus[i].y >= p.pcpus[v->at].y + SVG_TILE_HEAD
                                   + (l->lanes - 1)
                                         * (l->chip_h + SVG_CHIP_GAP) - 1)
            continue;
        draw_chip(&p, l, page, v, &p.vcpus[i], f);
    }
    svg_flows_draw(l, host, p.vcpus, true, f);
    svg_labels_draw(l, host, p.vcpus, f);
out:
    places_free(&p);
    return rc;
}
