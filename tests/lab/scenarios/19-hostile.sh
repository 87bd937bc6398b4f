# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: a peer that keeps to nothing harms nobody: the victim's traffic to it
# goes by the vif within 5 s, its other link goes on, its log does not fill, and
# a link after that works, no faster than its limit. The other attacks:
# long/hostile.
# lab: --guests 3 --timeout 400

. /lab/link.sh
. /lab/hostile.sh

enable vm1 vm3
hostile_begin prod garbage grefs vanish storm keep
attack prod back
attack garbage front
attack grefs back
attack vanish front
attack storm back
attack keep front
expect_unharmed

note "a link with a limit, which the receiver keeps"
enable -s 128K -l 2MB/s vm2 vm1
xl shmlink list
begin=$EPOCHREALTIME
transfer vm1 vm2 4000000
took=$(seconds_since "$begin")
note "4 MB in $took s"
[ "$(link_sum tx_bytes vm1 vm2)" -gt 4000000 ] || fail "not by the link"
awk -v t="$took" 'BEGIN { exit !(t >= 1.7) }' || fail "faster than 2 MB/s"
disable -a
expect_nothing_left
