/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The advisor's front door: what the commands call, in the order of a day.
 *
 *   measure    collect_snapshot()                 collect/   -> a snapshot
 *   choose     choose()                           choose/    -> a plan
 *   show       show_plan(), svg_write()           show/
 *   apply      apply_plan(), settle_judge()       apply/     journal
 *   undo       apply_undo()                       apply/
 *   record     record_add(), record_thin()        record/    the load of days
 *   rebalance  rebalance()                        record/    -> a plan
 *
 * Snapshot, plan and settings, which all of them pass on, are in model/.  A
 * folder uses those that stand before it in this list, never the other way:
 * model, collect, choose, apply, record, show; all stand on src/base, and
 * collect and apply on the toolstack library.
 */
#ifndef SHMLINK_ADVISOR_H
#define SHMLINK_ADVISOR_H

#include "apply/apply.h"
#include "apply/journal.h"
#include "apply/settle.h"
#include "apply/state.h"
#include "apply/xen.h"
#include "choose/choose.h"
#include "collect/collect.h"
#include "model/plan.h"
#include "model/settings.h"
#include "model/snapshot.h"
#include "record/rebalance.h"
#include "record/record.h"
#include "show/show.h"
#include "show/svg.h"

#endif
