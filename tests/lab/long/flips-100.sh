# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: as scenario 11-flips, 100 times under one connection that carries 1 GB.
# lab: --alone --timeout 1800

FLIPS=94 LEAST=$((512 << 20))
. /lab/scenarios/11-flips.sh
