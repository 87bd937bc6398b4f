# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: guests that were saved and restored behind our back, as libvirt or XAPI
# would: nothing of their old links is left in them, and the next enable of the
# same guests works; back end and front end, PV and PVH, one guest of a link and
# both.
# lab: --guests 3 --timeout 600

. /lab/commands.sh
. /lab/link.sh

# has_devices DOM NR: links, as xenbus sees them.
has_devices() {
    [ "$(guest "$1" 'ls -d /sys/bus/xen*/devices/shmlink-* 2>/dev/null |
        wc -l')" = "$2" ]
}
expect_devices() {
    wait_for 5 has_devices "$1" "$2" ||
        fail "not $2 in $1: $(guest "$1" 'ls -d /sys/bus/xen*/devices/*')"
}

# away DOM: saved and restored.
away() {
    local domid
    domid=$(xl domid "$1")
    XL_SHMLINK=off xl save "$1" /tmp/save >/tmp/log 2>&1 &&
        XL_SHMLINK=off xl restore /tmp/save >>/tmp/log 2>&1 ||
        fail "save and restore of $1: $(tail -n 3 /tmp/log)"
    rm /tmp/save
    [ "$(xl domid "$1")" != "$domid" ] || fail "the same domid again"
    wait_for 20 xenstore-read \
        "/local/domain/$(xl domid "$1")/data/shmlink/versions" >/tmp/versions \
        2>&1 || fail "no driver in $1 after it was restored"
    expect_devices "$1" 0
}

boot_guest vm4 type=pvh
# vm1 is the one's back end and the other's front end.
enable vm1 vm2
enable vm4 vm1
note "both guests of one link, one of the other"
away vm4
away vm1
xl shmlink list
enable vm1 vm2
enable vm4 vm1
expect_devices vm1 2
expect_devices vm2 1
expect_devices vm4 1
expect_path link vm1 vm2
expect_path link vm1 vm4
xl shmlink disable -a
expect_devices vm1 0
expect_devices vm2 0
destroy_guest vm4
expect_nothing_left
expect_no_zombies
