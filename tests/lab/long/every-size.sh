# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: as scenario 12-sizes, with each single size.
# lab: --timeout 7200

SIZES=every
. /lab/scenarios/12-sizes.sh
