/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "show/svg-priv.h"

static const char *const svg_palette[] = {
    "#3f6fd8", "#9a4fd0", "#c2458f", "#1391b8", "#5c8f22",
    "#b5761b", "#5a55b8", "#a8543c", "#2a8f72", "#7d6596",
};
#define PALETTE (sizeof(svg_palette) / sizeof(*svg_palette))

/* Where a pCPU and what is around it stand in one panel. */
struct place
{
    struct svg_box socket, cache, core, lane;
    double load;
    unsigned int chips; /* so far */
    bool core_hot;      /* of the core that has this number */
};

static void places_topology(struct place *p, const struct svg_layout *l,
                            const struct svg_page *page, double x, double y)
{
    unsigned int cache = 0, core = 0, thread = 0;
    size_t i;

    for (i = 0; i < page->nr_pcpus; i++, p++) {
        const struct svg_pcpu *c = &page->pcpus[i];
        const struct svg_pcpu *b = i ? c - 1 : NULL;

        cache = !b || b->socket != c->socket ? 0
                : cache + (b->cache != c->cache);
        core = !b || b->cache != c->cache ? 0 : core + (b->core != c->core);
        thread = !b || b->core != c->core ? 0 : thread + 1;
        p->socket = (struct svg_box){
            x + c->socket % l->socket_columns * (l->socket_w + SVG_SOCKET_GAP),
            y + SVG_PANEL_HEAD
                + c->socket / l->socket_columns
                      * (l->socket_h + SVG_SOCKET_GAP),
            l->socket_w, l->socket_h };
        p->cache = (struct svg_box){
            p->socket.x + SVG_GAP
                + cache % l->cache_columns * (l->cache_w + SVG_GAP),
            p->socket.y + SVG_SOCKET_HEAD
                + cache / l->cache_columns * (l->cache_h + SVG_GAP),
            l->cache_w, l->cache_h };
        p->core = (struct svg_box){
            p->cache.x + SVG_GAP + core % l->columns * (l->tile_w + SVG_GAP),
            p->cache.y + SVG_CACHE_HEAD
                + core / l->columns * (l->tile_h + SVG_GAP),
            l->tile_w, l->tile_h };
        p->lane = (struct svg_box){
            p->core.x + SVG_TILE_PAD + SVG_TILE_GUTTER
                + thread * (l->chip_w + SVG_TILE_PAD),
            p->core.y, l->chip_w, l->tile_h };
    }
}

/* All cores on which both VMs have a vCPU are hot. */
static void places_shared(struct place *p, const struct svg_page *page,
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
                p[core].core_hot = true;
    }
}

static void places_vcpus(struct place *p, const struct svg_layout *l,
                         const struct svg_page *page, struct svg_host *host)
{
    double afloat = 0, shares = 0;
    size_t i;

    for (i = 0; i < host->nr_vcpus; i++) {
        struct svg_vcpu *v = &host->vcpus[i];
        unsigned int lane = p[v->at].chips++;

        /* What does not fit stands behind the last one, as "+n". */
        if (lane >= l->lanes)
            lane = l->lanes - 1;
        if (v->floating)
            afloat += v->util;
        else
            p[v->at].load += v->util;
        v->box = (struct svg_box){
            p[v->at].lane.x,
            p[v->at].lane.y + SVG_TILE_HEAD
                + lane * (l->chip_h + SVG_CHIP_GAP),
            l->chip_w, l->chip_h };
    }
    for (i = 0; i < page->nr_pcpus; i++)
        shares += page->pcpus[i].share;
    for (i = 0; i < page->nr_pcpus; i++) {
        if (shares > 0)
            p[i].load += afloat * page->pcpus[i].share / shares;
        if (p[i].load > SVG_LOAD_HOT)
            p[page->pcpus[i].core].core_hot = true;
    }
    for (i = 0; i < host->nr_flows; i++)
        if (host->flows[i].heat == SVG_HEAT_SHARED)
            places_shared(p, page, host, &host->flows[i]);
}

static void draw_sockets(const struct place *p, const struct svg_page *page,
                         FILE *f)
{
    size_t i;

    for (i = 0; i < page->nr_pcpus; i++) {
        const struct svg_pcpu *c = &page->pcpus[i];
        const struct svg_box *s = &p[i].socket, *k = &p[i].cache;

        if (!i || c[-1].socket != c->socket)
            fprintf(f, "<rect class=\"socket\" x=\"%.1f\" y=\"%.1f\" "
                    "width=\"%.1f\" height=\"%.1f\" rx=\"14\"/>\n"
                    "<text class=\"where\" x=\"%.1f\" y=\"%.1f\">Socket %u"
                    "<tspan class=\"muted\" dx=\"7\">NUMA node %u</tspan>"
                    "</text>\n", s->x, s->y, s->w, s->h, s->x + 16, s->y + 18,
                    c->socket, c->node);
        if (!i || c[-1].cache != c->cache)
            fprintf(f, "<rect class=\"cache\" x=\"%.1f\" y=\"%.1f\" "
                    "width=\"%.1f\" height=\"%.1f\" rx=\"10\"/>\n"
                    "<text class=\"tiny muted\" x=\"%.1f\" y=\"%.1f\">%s"
                    "</text>\n", k->x, k->y, k->w, k->h, k->x + 12, k->y + 14,
                    page->cache_name ? page->cache_name : "cores");
    }
}

static void draw_pcpu(const struct place *p, const struct svg_layout *l,
                      const struct svg_pcpu *c, FILE *f)
{
    const struct svg_box *b = &p->lane;
    double load = p->load;
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
    if (p->chips > l->lanes)
        fprintf(f, "<text class=\"tiny num\" x=\"%.1f\" y=\"%.1f\" "
                "text-anchor=\"middle\">+%u more</text>\n", b->x + b->w / 2,
                b->y + SVG_TILE_HEAD
                    + (l->lanes - 1) * (l->chip_h + SVG_CHIP_GAP) + 12,
                p->chips - l->lanes + 1);
}

static void draw_tiles(const struct place *p, const struct svg_layout *l,
                       const struct svg_page *page, FILE *f)
{
    size_t i;

    for (i = 0; i < page->nr_pcpus; i++) {
        const struct svg_pcpu *c = &page->pcpus[i];
        const struct svg_box *b = &p[i].core;

        if (!i || c[-1].core != c->core)
            fprintf(f, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" "
                    "width=\"%.1f\" height=\"%.1f\" rx=\"7\"/>\n",
                    p[c->core].core_hot       ? "tile hot"
                    : c->banned || !c->online ? "tile out"
                                              : "tile",
                    b->x, b->y, b->w, b->h);
        draw_pcpu(&p[i], l, c, f);
    }
}

static void draw_chip(const struct svg_layout *l, const struct svg_page *page,
                      const struct svg_vcpu *v, FILE *f)
{
    const struct svg_vm *vm = &page->vms[v->vm];
    const struct svg_box *b = &v->box;
    const char *colour = svg_colour(vm);
    size_t room = l->threads == 1 ? 12 : 8;

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
                  struct svg_host *host, double x, double y, FILE *f)
{
    struct place *p = calloc(page->nr_pcpus, sizeof(*p));
    size_t i;

    if (!p)
        return -ENOMEM;
    places_topology(p, l, page, x, y);
    places_vcpus(p, l, page, host);
    fprintf(f, "<text class=\"panel\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", x,
            y + 18, host->title);
    draw_sockets(p, page, f);
    draw_tiles(p, l, page, f);
    svg_flows_draw(l, host, false, f);
    for (i = 0; i < host->nr_vcpus; i++) {
        const struct svg_vcpu *v = &host->vcpus[i];

        /* Behind a "+n" there is no chip. */
        if (p[v->at].chips > l->lanes
            && v->box.y >= p[v->at].lane.y + SVG_TILE_HEAD
                               + (l->lanes - 1) * (l->chip_h + SVG_CHIP_GAP)
                               - 1)
            continue;
        draw_chip(l, page, v, f);
    }
    svg_flows_draw(l, host, true, f);
    svg_labels_draw(l, host, f);
    free(p);
    return 0;
}
