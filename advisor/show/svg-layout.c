/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>

#include "show/svg-priv.h"

#define LANES_MIN 2U
#define LANES_MAX 6U

static unsigned int ceil_div(unsigned int a, unsigned int b)
{
    return (a + b - 1) / b;
}

static unsigned int max_of(unsigned int a, unsigned int b)
{
    return a > b ? a : b;
}

/* Beside each other rather than below, as screens are wide; without holes
 * where n allows it. */
static unsigned int svg_columns(unsigned int n)
{
    unsigned int least = (unsigned int)ceil(sqrt((double)n)), columns;

    if (n <= 3)
        return n;
    for (columns = least; columns <= 2 * least; columns++)
        if (n % columns == 0)
            return columns;
    return least;
}

static void svg_layout_count(struct svg_layout *layout,
                             const struct svg_page *page)
{
    unsigned int threads = 0, cores = 0, caches = 0;
    size_t i;

    for (i = 0; i < page->nr_pcpus; i++) {
        const struct svg_pcpu *p = &page->pcpus[i];
        const struct svg_pcpu *q = i ? p - 1 : NULL;
        bool core = !q || q->core != p->core;
        bool cache = !q || q->cache != p->cache;

        threads = core ? 1 : threads + 1;
        cores = cache ? 1 : cores + core;
        caches = !q || q->socket != p->socket ? 1 : caches + cache;
        layout->threads = max_of(layout->threads, threads);
        layout->cache_cores = max_of(layout->cache_cores, cores);
        layout->socket_caches = max_of(layout->socket_caches, caches);
        layout->sockets = p->socket + 1;
        layout->caches = p->cache + 1;
        layout->cores = p->core + 1;
        layout->lanes = max_of(layout->lanes,
                               max_of(p->chips[BEFORE], p->chips[AFTER]));
    }
    if (layout->lanes > LANES_MAX)
        layout->lanes = LANES_MAX;
}

/* From the inside outwards. */
static void svg_layout_sizes(struct svg_layout *l)
{
    l->chip_w = l->threads == 1 ? 92 : 66;
    l->chip_h = 17;
    l->tile_w = l->threads * (l->chip_w + SVG_TILE_PAD) + SVG_TILE_PAD
                + 2 * SVG_TILE_GUTTER;
    l->tile_h = SVG_TILE_HEAD + l->lanes * (l->chip_h + SVG_CHIP_GAP)
                + SVG_TILE_FOOT;
    l->columns = svg_columns(l->cache_cores);
    l->cache_w = l->columns * (l->tile_w + SVG_GAP) + SVG_GAP;
    l->cache_h = ceil_div(l->cache_cores, l->columns) * (l->tile_h + SVG_GAP)
                 + SVG_CACHE_HEAD;
    l->cache_columns = svg_columns(l->socket_caches);
    l->socket_w = l->cache_columns * (l->cache_w + SVG_GAP) + SVG_GAP;
    l->socket_h = ceil_div(l->socket_caches, l->cache_columns)
                  * (l->cache_h + SVG_GAP) + SVG_SOCKET_HEAD;
    l->socket_columns = svg_columns(l->sockets);
    l->panel_w = l->socket_columns * (l->socket_w + SVG_SOCKET_GAP)
                 - SVG_SOCKET_GAP;
    l->panel_h = ceil_div(l->sockets, l->socket_columns)
                 * (l->socket_h + SVG_SOCKET_GAP) - SVG_SOCKET_GAP
                 + SVG_PANEL_HEAD;
}

void svg_layout_init(struct svg_layout *layout, const struct svg_page *page)
{
    size_t i;

    *layout = (struct svg_layout){ .lanes = LANES_MIN };
    svg_layout_count(layout, page);
    svg_layout_sizes(layout);
    for (i = 0; i < page->nr_hosts; i++)
        if (page->hosts[i].nr_flows)
            layout->rate_max = fmax(layout->rate_max,
                                    page->hosts[i].flows[0].bytes_per_second);
}
