/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdint.h>

#include "show/svg-priv.h"

#define LABELS_MAX 24
/* More lines than that hide each other and the host: the busiest are drawn. */
#define LINES_MAX 160
#define LABEL_H 15.0
/* The busiest. */
#define LINE_W 13.0

/* A cubic curve from one chip to another. */
struct curve
{
    double x1, y1, ax, ay, bx, by, x2, y2;
    bool loop; /* both in one lane */
};

double svg_line_width(const struct svg_layout *l, double bytes_per_second)
{
    return l->rate_max > 0
               ? fmax(1.1, LINE_W * bytes_per_second / l->rate_max)
               : 1.1;
}

/*
 * Two chips of one lane: a loop beside them, to the outer side of the tile.
 * Otherwise bow a little, downwards, where tiles are mostly empty, so that
 * lines along a row of tiles neither lie on each other nor on headings.
 */
static bool svg_curve(const struct svg_layout *l, const struct svg_flow *flow,
                      const struct svg_vcpu *vcpus, struct curve *c)
{
    const struct svg_vcpu *from, *to;
    const struct svg_box *a, *b;
    double dx, dy, bow, cx, cy;

    if (flow->ends[0] == SIZE_MAX || flow->ends[1] == SIZE_MAX)
        return false;
    from = &vcpus[flow->ends[0]];
    to = &vcpus[flow->ends[1]];
    a = &from->box;
    b = &to->box;
    *c = (struct curve){ .x1 = a->x + a->w / 2, .y1 = a->y + a->h / 2,
                         .x2 = b->x + b->w / 2, .y2 = b->y + b->h / 2 };
    dx = c->x2 - c->x1;
    dy = c->y2 - c->y1;
    c->loop = from->at == to->at;
    if (c->loop) {
        /* The first of two lanes has its outer side on the left. */
        bool left = l->threads > 1 && !(from->at % 2);

        c->x1 = c->x2 = left ? a->x : a->x + a->w;
        c->ax = c->bx = c->x1 + (left ? -1 : 1) * 32;
        c->ay = c->y1;
        c->by = c->y2;
        return true;
    }
    bow = 0.15 + 0.12 * fmin(1, 60 / hypot(dx, dy));
    if (dx > 0)
        bow = -bow;
    cx = (c->x1 + c->x2) / 2 + bow * dy;
    cy = (c->y1 + c->y2) / 2 - bow * dx;
    c->ax = c->x1 + 2 * (cx - c->x1) / 3;
    c->ay = c->y1 + 2 * (cy - c->y1) / 3;
    c->bx = c->x2 + 2 * (cx - c->x2) / 3;
    c->by = c->y2 + 2 * (cy - c->y2) / 3;
    return true;
}

static void svg_path(const struct curve *c, const char *colour, double width,
                     double opacity, FILE *f)
{
    fprintf(f, "<path class=\"f\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f "
            "%.1f\" stroke=\"%s\" stroke-width=\"%.1f\" "
            "stroke-opacity=\"%.2f\"/>\n", c->x1, c->y1, c->ax, c->ay, c->bx,
            c->by, c->x2, c->y2, colour, width, opacity);
}

static const char *svg_flow_colour(const struct svg_flow *flow)
{
    if (flow->heat == SVG_HEAT_SHARED)
        return SVG_HOT;
    if (flow->heat == SVG_HEAT_FAR)
        return SVG_FAR;
    return flow->link ? SVG_LINK : SVG_VIF;
}

/* Widest first, so that no thin line is hidden; each with a white edge. */
void svg_flows_draw(const struct svg_layout *l, const struct svg_host *host,
                    bool loops, FILE *f)
{
    struct curve c;
    size_t i;

    for (i = 0; i < host->nr_flows && i < LINES_MAX; i++) {
        const struct svg_flow *flow = &host->flows[i];
        double w = svg_line_width(l, flow->bytes_per_second);

        if (!svg_curve(l, flow, host->vcpus, &c) || c.loop != loops)
            continue;
        /* Wider ones would fill their loop. */
        if (c.loop)
            w = fmin(w, 7);
        svg_path(&c, "#fff", w + 2.4, 0.75, f);
        svg_path(&c, svg_flow_colour(flow), w, w < 1.6 ? 0.5 : 0.85, f);
        /* A link is a channel of its own: drawn with a core of light. */
        if (flow->link && w > 3)
            svg_path(&c, "#fff", fmax(0.9, w * 0.16), 0.7, f);
    }
}

static bool svg_overlaps(const struct svg_box *a, const struct svg_box *b)
{
    return a->x < b->x + b->w && b->x < a->x + a->w && a->y < b->y + b->h
           && b->y < a->y + a->h;
}

static bool svg_label_free(const struct svg_box *label,
                           const struct svg_box *labels, size_t nr_labels,
                           const struct svg_host *host)
{
    size_t i;

    for (i = 0; i < nr_labels; i++)
        if (svg_overlaps(label, &labels[i]))
            return false;
    for (i = 0; i < host->nr_vcpus; i++)
        if (svg_overlaps(label, &host->vcpus[i].box))
            return false;
    return true;
}

/* Look along the curve for a place that hides no chip and no other label. */
static bool svg_label_place(const struct curve *c, double width,
                            const struct svg_box *labels, size_t nr_labels,
                            const struct svg_host *host,
                            struct svg_box *label_r)
{
    static const double along[] = { 0.5, 0.44, 0.56, 0.38, 0.62, 0.3, 0.7,
                                    0.22, 0.78, 0.14, 0.86 };
    size_t i;

    for (i = 0; i < sizeof(along) / sizeof(*along); i++) {
        double t = along[i], s = 1 - t;
        double x = s * s * s * c->x1 + 3 * s * s * t * c->ax
                   + 3 * s * t * t * c->bx + t * t * t * c->x2;
        double y = s * s * s * c->y1 + 3 * s * s * t * c->ay
                   + 3 * s * t * t * c->by + t * t * t * c->y2;

        /* Beside a loop, not on the chips. */
        if (c->loop)
            x += c->ax > c->x1 ? width / 2 : -width / 2;
        x = fmax(x, width / 2 + 4);
        *label_r = (struct svg_box){ x - width / 2, y - LABEL_H / 2, width,
                                     LABEL_H };
        if (svg_label_free(label_r, labels, nr_labels, host))
            return true;
    }
    return false;
}

void svg_labels_draw(const struct svg_layout *l, const struct svg_host *host,
                     FILE *f)
{
    struct svg_box labels[LABELS_MAX];
    size_t nr_labels = 0;
    struct curve c;
    size_t i;

    for (i = 0; i < host->nr_flows; i++) {
        const struct svg_flow *flow = &host->flows[i];
        struct svg_box *b = &labels[nr_labels];
        char text[24];
        int n;

        if (nr_labels == LABELS_MAX
            || flow->bytes_per_second < 0.06 * l->rate_max
            || !svg_curve(l, flow, host->vcpus, &c))
            continue;
        n = svg_rate(text, sizeof(text), flow->bytes_per_second);
        if (!svg_label_place(&c, 5.6 * n + 10, labels, nr_labels, host, b))
            continue;
        nr_labels++;
        fprintf(f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                "height=\"%.1f\" rx=\"7.5\" fill=\"#fff\" stroke=\"%s\"/>"
                "<text class=\"rate\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
                b->x, b->y, b->w, b->h, svg_flow_colour(flow),
                b->x + b->w / 2, b->y + 11, text);
    }
}
