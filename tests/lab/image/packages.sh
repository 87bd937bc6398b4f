# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# What the lab's two systems consist of, and where it comes from.
# dom0 is this Debian release; the guests take the one that has netperf.

GUEST_CODENAME=trixie

DOM0_PACKAGES=(
    base-files base-passwd bash bash-completion coreutils dash debianutils
    diffutils findutils gawk grep gzip hostname less libc-bin libpam-runtime
    libpam-modules login mount ncurses-base passwd procps psmisc sed tar
    util-linux strace gdb-minimal socat
    kmod iproute2 iputils-ping ethtool tcpdump nftables ebtables iptables
    bridge-utils python3 jq sqlite3 cron logrotate udev
    xen-utils-4.17 xen-utils-common xenstore-utils xen-hypervisor-4.17-amd64
    libhwloc15 libjson-c5 libnl-3-200 libnl-genl-3-200 libnl-route-3-200
    libsqlite3-0 libasan8 libubsan1
    linux-image-amd64 busybox-static
)

GUEST_PACKAGES=(
    base-files base-passwd bash busybox-static
    netperf iperf3 ethtool tcpdump iproute2 iputils-ping kmod
    python3-minimal libpython3-stdlib nftables strace ncurses-base
)

# Left out of both systems when unpacking.
UNPACK_EXCLUDE=(
    './usr/share/doc*' './usr/share/man*' './usr/share/locale*'
    './usr/share/info*' './usr/share/lintian*' './usr/share/i18n*'
    './usr/share/bug*' './usr/share/perl*' './usr/lib/x86_64-linux-gnu/perl*'
    './usr/lib/x86_64-linux-gnu/gconv*' './usr/lib/gcc*'
    './usr/share/zoneinfo*' './usr/lib/udev/hwdb*' './usr/lib/firmware*'
)
