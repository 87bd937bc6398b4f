/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "model/plan.h"
#include "show/svg-priv.h"

#define MARGIN 36.0
#define PANELS_GAP 48.0
/* Wider panels stand below each other. */
#define PANEL_BESIDE 700.0
#define PAGE_MIN 924.0
#define FIGURE_W 204.0
#define FIGURE_H 66.0
#define HEAD_H 66.0
#define STEP_H 19.0
#define STEP_ROWS 12
#define STEP_W 400.0
#define LEGEND_H 74.0

void svg_escape(FILE *f, const char *text, size_t room)
{
    size_t i;

    for (i = 0; text[i] && i < room; i++) {
        unsigned char c = (unsigned char)text[i];

        if (i == room - 1 && text[i + 1])
            fputs("\xe2\x80\xa6", f); /* an ellipsis */
        else if (c == '&')
            fputs("&amp;", f);
        else if (c == '<')
            fputs("&lt;", f);
        else if (c == '>')
            fputs("&gt;", f);
        else if (c == '"')
            fputs("&quot;", f);
        else
            fputc(c < 0x20 || c > 0x7e ? '?' : c, f);
    }
}

int svg_rate(char *text, size_t size, double bytes_per_second)
{
    double bytes = bytes_per_second;

    if (bytes >= 9.95e9)
        return snprintf(text, size, "%.0f GB/s", bytes / 1e9);
    if (bytes >= 0.995e9)
        return snprintf(text, size, "%.1f GB/s", bytes / 1e9);
    if (bytes >= 9.95e6)
        return snprintf(text, size, "%.0f MB/s", bytes / 1e6);
    if (bytes >= 0.05e6)
        return snprintf(text, size, "%.1f MB/s", bytes / 1e6);
    return snprintf(text, size, "%.0f kB/s", bytes / 1e3);
}

static const char svg_style[] =
    "<style>\n"
    "text{font-family:Inter,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif;"
    "font-size:12px;fill:" SVG_INK "}\n"
    ".title{font-size:22px;font-weight:700}\n"
    ".panel{font-size:16px;font-weight:700}\n"
    ".where{font-size:12px;font-weight:600}\n"
    ".muted{fill:" SVG_MUTED ";font-weight:400}\n"
    ".tiny{font-size:9.5px;fill:" SVG_MUTED "}\n"
    ".num{font-weight:600}\n"
    ".chip{font-size:10.5px;font-weight:600}\n"
    ".plus{font-size:11px;font-weight:700;fill:#fff;text-anchor:middle}\n"
    ".rate{font-size:9.5px;font-weight:600;text-anchor:middle}\n"
    ".big{font-size:17px;font-weight:700}\n"
    ".code{font-family:'DejaVu Sans Mono',Menlo,Consolas,monospace;"
    "font-size:11px}\n"
    ".f{fill:none;stroke-linecap:round}\n"
    ".socket{fill:#e9edf3;stroke:#cfd7e2}\n"
    ".cache{fill:#f4f6f9;stroke:#dde3eb}\n"
    ".tile{fill:#fff;stroke:#cbd3de}\n"
    ".hot{stroke:" SVG_HOT ";stroke-width:2.6;fill:#fdeced}\n"
    ".out{fill:#e6e9ee;stroke:#d3d9e2;stroke-dasharray:4 3}\n"
    "</style>\n";

static void svg_figures(const struct svg_page *page, double y, FILE *f)
{
    size_t i;

    for (i = 0; i < SVG_FIGURES; i++) {
        const struct svg_figure *g = &page->figures[i];
        double x = MARGIN + i * (FIGURE_W + 12);
        const char *tone = g->verdict > 0   ? SVG_LINK
                           : g->verdict < 0 ? SVG_HOT
                                            : SVG_INK;

        fprintf(f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.0f\" "
                "height=\"%.0f\" rx=\"10\" fill=\"#fff\" stroke=\"%s\"/>"
                "<text class=\"tiny\" x=\"%.1f\" y=\"%.1f\">", x, y, FIGURE_W,
                FIGURE_H, SVG_RULE, x + 14, y + 20);
        svg_escape(f, g->label, 36);
        fprintf(f, "</text><text class=\"big\" x=\"%.1f\" y=\"%.1f\">", x + 14,
                y + 48);
        if (page->nr_hosts > 1) {
            fprintf(f, "<tspan class=\"muted\">");
            svg_escape(f, g->before, 12);
            fprintf(f, "</tspan><tspan class=\"muted\" dx=\"6\">\xe2\x86\x92"
                    "</tspan><tspan dx=\"6\" fill=\"%s\">", tone);
            svg_escape(f, g->after, 12);
            fprintf(f, "</tspan>");
        } else {
            svg_escape(f, g->before, 14);
        }
        fprintf(f, "</text>\n");
    }
}

static void svg_legend_line(double x, double y, double w, const char *colour,
                            const char *text, FILE *f)
{
    fprintf(f, "<path d=\"M%.1f %.1fh34\" stroke=\"%s\" stroke-width=\"%.1f\" "
            "stroke-linecap=\"round\"/><text class=\"tiny\" x=\"%.1f\" "
            "y=\"%.1f\">%s</text>\n", x, y, colour, w, x + 44, y + 3.5, text);
}

static void svg_legend_chip(double x, double y, const char *attributes,
                            const char *text, FILE *f)
{
    fprintf(f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"36\" height=\"13\" "
            "rx=\"4\" fill=\"#fff\" stroke=\"#3f6fd8\" %s/>"
            "<text class=\"tiny\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", x - 1,
            y - 6.5, attributes, x + 44, y + 3.5, text);
}

static void svg_legend(const struct svg_layout *l, double y, FILE *f)
{
    char rate[24], text[64];
    double x = MARGIN, w = svg_line_width(l, l->rate_max);

    fprintf(f, "<path d=\"M%.1f %.1fH%.1f\" stroke=\"%s\"/>\n", x, y,
            MARGIN + PAGE_MIN - 2 * MARGIN, SVG_RULE);
    y += 24;
    svg_rate(rate, sizeof(rate), l->rate_max);
    snprintf(text, sizeof(text), "width is the rate: this is %s", rate);
    svg_legend_line(x + 2, y, l->rate_max > 0 ? w : 1, SVG_VIF, text, f);
    svg_legend_line(x, y + 26, 5, SVG_VIF, "through dom0's bridge", f);
    svg_legend_line(x + 228, y, 5, SVG_LINK, "over a shmlink", f);
    svg_legend_line(x + 228, y + 26, 5, SVG_FAR, "crosses NUMA nodes", f);
    svg_legend_line(x + 396, y, 5, SVG_HOT, "both ends on one core", f);
    fprintf(f, "<rect class=\"tile hot\" x=\"%.1f\" y=\"%.1f\" width=\"32\" "
            "height=\"14\" rx=\"4\"/><text class=\"tiny\" x=\"%.1f\" "
            "y=\"%.1f\">hot spot: overloaded, or such a pair</text>\n",
            x + 397, y + 19, x + 440, y + 29.5);
    svg_legend_chip(x + 640, y, "", "vCPU, filled by its load", f);
    svg_legend_chip(x + 640, y + 26, "stroke-dasharray=\"3 2.5\"",
                    "not pinned", f);
}

/* In columns, as many as the page is wide for. */
static void svg_steps(const struct svg_page *page, double y, double w, FILE *f)
{
    size_t columns = (size_t)((w - 2 * MARGIN) / STEP_W);
    size_t i, shown = columns * STEP_ROWS;

    fprintf(f, "<text class=\"panel\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
            MARGIN, y, page->nr_steps ? "What would be done"
                                      : "Nothing is to be gained here");
    for (i = 0; i < page->nr_steps && i < shown; i++) {
        double x = MARGIN + i / STEP_ROWS * STEP_W;
        double line = y + 24 + i % STEP_ROWS * STEP_H;

        fprintf(f, "<text class=\"tiny\" x=\"%.1f\" y=\"%.1f\" "
                "text-anchor=\"end\">%zu</text><text class=\"code\" "
                "x=\"%.1f\" y=\"%.1f\">", x + 16, line, i + 1, x + 26, line);
        svg_escape(f, page->steps[i].command ?: "", columns > 1 ? 52 : 110);
        fprintf(f, "</text>\n");
    }
    if (page->nr_steps > shown)
        fprintf(f, "<text class=\"tiny\" x=\"%.1f\" y=\"%.1f\">and %zu more"
                "</text>\n", MARGIN + 26, y + 24 + STEP_ROWS * STEP_H,
                page->nr_steps - shown);
}

static double svg_steps_height(const struct svg_page *page)
{
    size_t n = page->nr_steps > STEP_ROWS ? STEP_ROWS + 1 : page->nr_steps;

    return 30 + n * STEP_H;
}

static int svg_draw(struct svg_page *page, FILE *f)
{
    struct svg_layout l;
    bool beside;
    double w, h, y;
    size_t i;
    int rc = 0;

    svg_layout_init(&l, page);
    beside = page->nr_hosts < 2 || l.panel_w <= PANEL_BESIDE;
    w = fmax(PAGE_MIN, 2 * MARGIN + (beside ? page->nr_hosts * l.panel_w
                                                  + (page->nr_hosts - 1)
                                                        * PANELS_GAP
                                            : l.panel_w));
    y = MARGIN + HEAD_H + FIGURE_H + 26;
    h = y + (beside ? 1 : page->nr_hosts) * (l.panel_h + 34)
        + svg_steps_height(page) + LEGEND_H + MARGIN;
    fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
            "height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n%s"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fafbfc\"/>\n"
            "<text class=\"title\" x=\"%.1f\" y=\"%.1f\">", w, h, w, h,
            svg_style, MARGIN, MARGIN + 18);
    svg_escape(f, page->title, 100);
    fprintf(f, "</text>\n<text class=\"muted\" x=\"%.1f\" y=\"%.1f\">", MARGIN,
            MARGIN + 40);
    svg_escape(f, page->subtitle, 160);
    fprintf(f, "</text>\n");
    svg_figures(page, MARGIN + HEAD_H, f);
    for (i = 0; i < page->nr_hosts && !rc; i++) {
        rc = svg_host_draw(&l, page, &page->hosts[i],
                           MARGIN + (beside ? i * (l.panel_w + PANELS_GAP)
                                            : 0), y, f);
        if (!beside || i + 1 == page->nr_hosts)
            y += l.panel_h + 34;
    }
    svg_steps(page, y + 6, w, f);
    svg_legend(&l, y + svg_steps_height(page) + 10, f);
    fprintf(f, "</svg>\n");
    return rc ?: ferror(f) ? -EIO : 0;
}

int svg_write(const struct snapshot *snapshot, const struct plan *plan,
              const struct settings *settings, FILE *f)
{
    struct svg_page page;
    size_t i;
    int rc = svg_scene_fill(&page, snapshot, plan, settings)
             ?: svg_draw(&page, f);

    for (i = 0; i < page.nr_hosts; i++) {
        free(page.hosts[i].vcpus);
        free(page.hosts[i].flows);
    }
    free(page.pcpus);
    free(page.vms);
    return rc;
}
