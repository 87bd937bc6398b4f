/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture of a host before and after a plan, as one SVG file.
 *
 * This module knows shapes, not Xen: svg-scene.c fills a struct svg_page from
 * a snapshot and a plan.  Everything that is drawn is in the page; nothing is
 * looked up.  Names are untrusted and are escaped.
 *
 * Errors: -EINVAL an index in the page is out of range; -ENOMEM; those of
 * writing the stream.  Nothing is printed.  Owns: the page is the caller's.
 */
#ifndef SHMLINK_SHOW_SVG_H
#define SHMLINK_SHOW_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Cores are numbered over the host, caches and sockets too, in drawing order:
 * the PUs of a core, the cores of a cache and so on stand together. */
struct svg_pcpu
{
    unsigned int pcpu; /* Xen's number */
    unsigned int core, cache, socket, node;
    bool online;
    bool banned;
    double share; /* of what floats, relative to the others */
};

struct svg_vm
{
    char *name;
    int colour;    /* index into the palette; -1 grey (no traffic), -2 dom0 */
    bool many;     /* has more than one vCPU */
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
    char *label;
    char *before, *after;
    int verdict; /* 1 better, 0 the same, -1 worse */
};

struct svg_page
{
    char *title, *subtitle;
    const char *cache_name; /* "L3 cache"; NULL: sharing is not known */
    struct svg_pcpu *pcpus;
    size_t nr_pcpus;
    struct svg_vm *vms;
    size_t nr_vms;
    struct svg_figure *figures;
    size_t nr_figures;
    char **steps; /* the commands, in order */
    size_t nr_steps;
    struct svg_host hosts[2];
    size_t nr_hosts; /* 1: nothing is to be gained, only what is now */
};

int svg_write(const struct svg_page *page, FILE *stream);
void svg_page_free(struct svg_page *page);

#endif
