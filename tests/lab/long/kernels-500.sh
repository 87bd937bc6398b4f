# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: two guests of the newest kernel are linked 500 times, and xenbus resets
# no state.
# lab: --suite trixie --guest-kernel 7.3 --timeout 7200

. /lab/link.sh
. /lab/kernels.sh

kernel_is vm1 7.3
kernel_is vm2 7.3
flip_link vm1 vm2 "${FLIPS:-500}"
no_reset vm1
no_reset vm2
expect_nothing_left
