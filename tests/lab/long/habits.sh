# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: what people and programs do with the vifs of VMs goes on while these
# are linked, as far as it works by dom0's bridge.
# lab: --guests 3 --timeout 2400

. /lab/link.sh
TRY=both
. /lab/habits.sh

enable vm1 vm2
vlans
macvlan
bridged
offloads
jumbo
moved_address
routed
frames
transmit_times
neighbours
dhcp
other_mac
end_of_habits
