# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: dpkg puts xen-shmlink before Debian's xl in a dom0 with guests, upgrades
# it under a link that stays up, and closes links when it takes it away; a
# persistent one comes back with the package.
# tests/packages --keep says what --stage is to be.
# lab: --guests 2 --timeout 900

. /lab/link.sh

ls /packages/xen-shmlink_*.deb >/dev/null 2>&1 ||
    skip "no packages: --stage the folder that tests/packages --keep names"
# This dom0 was unpacked: its dpkg knows of nothing, and it has no perl, which
# the tools for services want. The oldest first.
[ -x /usr/bin/perl ] || ln -sf /bin/true /usr/sbin/update-rc.d
mapfile -t debs < <(ls -v /packages/xen-shmlink_*.deb)
mkdir -p /var/lib/dpkg/{info,updates}
touch /var/lib/dpkg/status
stock=$(readlink /usr/sbin/xl)
xl list >/tmp/stock.list
files() {
    find /etc /usr /var/lib -xdev -path /var/lib/dpkg -prune -o \
        ! -type d -printf '%p %l\n' | sort
}
files >/tmp/before
nonce() { xl shmlink list -j | jq -r '.[0].nonce'; }

note "installed"
dpkg -i --force-depends "${debs[0]}" || fail "dpkg -i"
hash -r
[ "$(command -v xl)" = /usr/sbin/xl ] || fail "xl is $(command -v xl)"
[ "$(readlink /usr/sbin/xl.distrib)" = "$stock" ] || fail "not diverted"
diff <(xl list | awk '{ print $1 }') <(awk '{ print $1 }' /tmp/stock.list) ||
    fail "xl list is another"
enable --persist vm1 vm2
expect_path link vm1 vm2
xl save -c vm2 /tmp/vm2.save || fail "xl save"
rm /tmp/vm2.save
[ "$(link_state vm1 vm2)" = connected ] || fail "no link after xl save"

note "upgraded"
before=$(nonce)
dpkg -i --force-depends "${debs[1]}" || fail "dpkg -i of the next version"
[ "$(nonce)" = "$before" ] || fail "the link did not stay up"
expect_path link vm1 vm2

note "removed"
dpkg -r xen-shmlink || fail "dpkg -r"
hash -r
[ "$(readlink /usr/sbin/xl)" = "$stock" ] || fail "xl is not Debian's again"
expect_nothing_left
guest vm1 true && guest vm2 true || fail "a guest is not well"
xl save -c vm1 /tmp/vm1.save || fail "xl save without the package"
rm /tmp/vm1.save

note "and back"
dpkg -i --force-depends "${debs[1]}" || fail "dpkg -i again"
hash -r
xl shmlink relink
[ "$(link_state vm1 vm2)" = connected ] || fail "the link is not back"

note "purged"
dpkg -P xen-shmlink || fail "dpkg -P"
files >/tmp/after
diff /tmp/before /tmp/after || fail "something is left"
expect_nothing_left
