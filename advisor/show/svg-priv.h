/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between svg.c (the page), svg-host.c (one panel) and svg-scene*.c. */
#ifndef SHMLINK_SHOW_SVG_PRIV_H
#define SHMLINK_SHOW_SVG_PRIV_H

#include "show/svg.h"

struct plan;
struct snapshot;

enum { BEFORE, AFTER };

#define SVG_INK "#1c2733"
#define SVG_MUTED "#66758a"
#define SVG_RULE "#d8dee7"
#define SVG_HOT "#d92d3a"
#define SVG_FAR "#ef8b17"
#define SVG_LINK "#0c9c86"
#define SVG_VIF "#6f86b8"

/* Above this a pCPU is asked for more than it has. */
#define SVG_LOAD_HOT 1.05

#define SVG_GAP 12.0
#define SVG_SOCKET_GAP 22.0
#define SVG_TILE_HEAD 19.0
#define SVG_TILE_FOOT 11.0
#define SVG_TILE_PAD 6.0
/* Beside the lanes, for the loop of a pair on one pCPU. */
#define SVG_TILE_GUTTER 8.0
#define SVG_CHIP_GAP 3.0
#define SVG_CACHE_HEAD 22.0
#define SVG_SOCKET_HEAD 27.0
#define SVG_PANEL_HEAD 34.0

/* The same for both panels, so that they can be compared by eye. */
struct svg_layout
{
    unsigned int sockets, caches, cores;
    unsigned int threads;   /* of a core, at most; so the next */
    unsigned int lanes;     /* chips above each other in a thread's lane */
    unsigned int cache_cores, socket_caches;
    unsigned int columns;   /* cores beside each other in a cache */
    unsigned int cache_columns;
    unsigned int socket_columns;
    double chip_w, chip_h;
    double tile_w, tile_h;
    double cache_w, cache_h;
    double socket_w, socket_h;
    double panel_w, panel_h;
    double rate_max;        /* bytes per second: the widest line */
};

struct svg_box
{
    double x, y, w, h;
};

int svg_layout_init(struct svg_layout *layout, const struct svg_page *page);
int svg_host_draw(const struct svg_layout *layout, const struct svg_page *page,
                  const struct svg_host *host, double x, double y,
                  FILE *stream);
/* Lines between chips; `chips` has where each vCPU is drawn.  Loops, of two
 * VMs on one pCPU, stand beside the chips and are drawn after them. */
void svg_flows_draw(const struct svg_layout *layout,
                    const struct svg_host *host, const struct svg_box *chips,
                    bool loops, FILE *stream);
/* The rates of the widest of them, where there is room. */
void svg_labels_draw(const struct svg_layout *layout,
                     const struct svg_host *host, const struct svg_box *chips,
                     FILE *stream);
/* The flows of hosts[when], whose vCPUs are there; sorts those by VM.  0 or
 * -ENOMEM. */
int svg_scene_flows(struct svg_page *page, const struct snapshot *snapshot,
                    const struct plan *plan, int when);
/* One colour for VMs that talk with each other most on this host. */
void svg_scene_colours(struct svg_page *page, const struct svg_host *host);
/* The page's figures; its title, subtitle and steps.  0 or -ENOMEM. */
int svg_words_figures(struct svg_page *page, const struct plan *plan);
int svg_words_text(struct svg_page *page, const struct snapshot *snapshot,
                   const struct plan *plan);
const char *svg_colour(const struct svg_vm *vm);
/* Text with what XML reserves escaped, at most `room` characters. */
void svg_escape(FILE *stream, const char *text, size_t room);
/* "1.2 GB/s".  Returns: its length. */
int svg_rate(char *text, size_t size, double bytes_per_second);
double svg_line_width(const struct svg_layout *layout,
                      double bytes_per_second);

#endif
