# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: what people and programs do with the vifs of VMs goes on while these
# are linked: VLANs, bridges, UDP segmentation, raw frames, tcpdump, transmit
# time stamps. All of it, beside the vif: long/habits.sh.
# lab: --guests 2 --timeout 600

. /lab/link.sh
. /lab/habits.sh

enable vm1 vm2
vlans
bridged
frames
transmit_times
end_of_habits
