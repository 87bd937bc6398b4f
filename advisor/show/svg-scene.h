/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fill the picture's page (svg.h) from a snapshot and the plan for it.
 */
#ifndef SHMLINK_SHOW_SVG_SCENE_H
#define SHMLINK_SHOW_SVG_SCENE_H

struct plan;
struct settings;
struct snapshot;
struct svg_page;

/*
 * Args: a checked snapshot; the plan made of it (its places tell where each
 * vCPU is).  Errors: -EINVAL no online pCPU, -ENOMEM.  Owns: the caller,
 * svg_page_free(), also on failure.
 */
int svg_scene_fill(struct svg_page *page, const struct snapshot *snapshot,
                   const struct plan *plan, const struct settings *settings);

#endif
