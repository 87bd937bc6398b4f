# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: as scenario 22-killed, 120 times.
# lab: --guests 2 --timeout 3600

ROUNDS=40
. /lab/scenarios/22-killed.sh
