/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between svg-scene*.c and svg-words.c, which fill the page from a snapshot and
 * a plan, and svg.c (the page), svg-host.c (one panel), svg-flow.c and
 * svg-layout.c, which draw it and know shapes, not Xen.
 */
#ifndef SHMLINK_SHOW_SVG_PRIV_H
#define SHMLINK_SHOW_SVG_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "show/svg.h"

struct plan_step;

enum { BEFORE, AFTER };
enum { SVG_FIGURES = 4 };

/* Cores are numbered over the host, caches and sockets too, in drawing order:
 * the PUs of a core, the cores of a cache and so on stand together. */
struct svg_pcpu
{
    unsigned int pcpu; /* Xen's number */
    unsigned int core, cache, socket, node;
    bool online;
    bool banned;
    double share; /* of what floats, relative to the others */
    unsigned int chips[2]; /* vCPUs that stand here in each panel */
};

struct svg_vm
{
    const char *name;
    int colour;    /* index into the palette; -1 grey (no traffic), -2 dom0 */
    bool many;     /* has more than one vCPU */
};

struct svg_box
{
    double x, y, w, h;
};

struct svg_vcpu
{
    unsigned int vm;   /* index into vms */
    unsigned int vcpu;
    unsigned int at;   /* index into pcpus */
    double util;       /* pCPUs, 0..1 */
    bool floating;     /* may run anywhere: drawn where it ran last */
    bool moved;        /* differs from the other panel */
    bool added;        /* is not in the other panel */
    struct svg_box box; /* where it is drawn */
};

enum svg_heat
{
    SVG_HEAT_FINE,
    SVG_HEAT_FAR,    /* crosses a NUMA node */
    SVG_HEAT_SHARED, /* both ends on one core */
};

struct svg_flow
{
    unsigned int from, to; /* index into vms */
    size_t ends[2];        /* the vCPUs that the line joins: index into vcpus;
                              SIZE_MAX: that VM is nowhere, and no line */
    double bytes_per_second; /* both directions */
    bool link;
    enum svg_heat heat;
};

/* The host at one moment. */
struct svg_host
{
    const char *title;
    struct svg_vcpu *vcpus;
    size_t nr_vcpus;
    struct svg_flow *flows; /* busiest first */
    size_t nr_flows;
};

/* A figure before and after. */
struct svg_figure
{
    const char *label;
    char before[24], after[24];
    int verdict; /* 1 better, 0 the same, -1 worse */
};

/* All that is drawn; what is text belongs to the snapshot and the plan. */
struct svg_page
{
    char title[256], subtitle[256];
    const char *cache_name; /* "L3 cache"; NULL: sharing is not known */
    struct svg_pcpu *pcpus;
    size_t nr_pcpus;
    struct svg_vm *vms;
    size_t nr_vms;
    struct svg_figure figures[SVG_FIGURES];
    const struct plan_step *steps;
    size_t nr_steps;
    struct svg_host hosts[2];
    size_t nr_hosts; /* 1: nothing is to be gained, only what is now */
};

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

void svg_layout_init(struct svg_layout *layout, const struct svg_page *page);
/* 0 or -ENOMEM. */
int svg_host_draw(const struct svg_layout *layout, const struct svg_page *page,
                  struct svg_host *host, double x, double y, FILE *stream);
/* Lines between chips.  Loops, of two VMs on one pCPU, stand beside the chips
 * and are drawn after them. */
void svg_flows_draw(const struct svg_layout *layout,
                    const struct svg_host *host, bool loops, FILE *stream);
/* The rates of the widest of them, where there is room. */
void svg_labels_draw(const struct svg_layout *layout,
                     const struct svg_host *host, FILE *stream);
/* -EINVAL no pCPU, -ENOMEM; the caller frees the page also then. */
int svg_scene_fill(struct svg_page *page, const struct snapshot *snapshot,
                   const struct plan *plan, const struct settings *settings);
/* The flows of hosts[when], whose vCPUs are there; sorts those by VM.  0 or
 * -ENOMEM. */
int svg_scene_flows(struct svg_page *page, const struct snapshot *snapshot,
                    const struct plan *plan, int when);
/* One colour for VMs that talk with each other most on this host. */
void svg_scene_colours(struct svg_page *page, const struct svg_host *host);
/* The page's figures, 0 or -ENOMEM; its title and subtitle. */
int svg_words_figures(struct svg_page *page, const struct plan *plan);
void svg_words_titles(struct svg_page *page, const struct snapshot *snapshot,
                      const struct plan *plan);
const char *svg_colour(const struct svg_vm *vm);
/* Text with what XML reserves escaped, at most `room` characters. */
void svg_escape(FILE *stream, const char *text, size_t room);
/* "1.2 GB/s".  Returns: its length. */
int svg_rate(char *text, size_t size, double bytes_per_second);
double svg_line_width(const struct svg_layout *layout,
                      double bytes_per_second);

#endif
