# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# What the lab's systems consist of, and where it comes from; kernels has dom0's
# releases. The guests take the one that has netperf.

GUEST_CODENAME=trixie

DOM0_PACKAGES=(
    base-files base-passwd bash bash-completion coreutils dash debianutils
    diffutils findutils gawk grep gzip hostname less libc-bin libpam-runtime
    libpam-modules login mount ncurses-base passwd procps psmisc sed tar
    util-linux strace gdb-minimal socat
    kmod iproute2 iputils-ping ethtool tcpdump nftables ebtables iptables
    bridge-utils python3 jq sqlite3 cron logrotate udev
    xen-system-amd64 xen-utils-common xenstore-utils qemu-system-xen
    libhwloc15 libnl-3-200 libnl-genl-3-200 libnl-route-3-200
    libsqlite3-0 libasan8 libubsan1
    busybox-static
)

GUEST_PACKAGES=(
    base-files base-passwd bash busybox-static
    netperf iperf3 ethtool tcpdump iproute2 iputils-ping kmod
    python3-minimal libpython3-stdlib nftables strace ncurses-base
)

# The guests' driver is built with these, against the headers.
LINUX_PACKAGES=(
    linux-image-amd64 linux-headers-amd64 make sparse
    coreutils dash diffutils findutils gawk grep sed
)
# What they would bring that only a running system needs, and the sanitizers.
LINUX_WITHOUT='systemd|libsystemd|udev|lib[a-z]+san[0-9]|dracut|e2fsprogs'

# resolve_linux RELEASE: one set, so that headers and kernel are of one version.
resolve_linux() { resolve "linux-$1" "$LINUX_WITHOUT" "${LINUX_PACKAGES[@]}"; }

# What the tools are built with, where dom0 is not this machine's release.
TOOLS_PACKAGES=(
    bash coreutils dash diffutils findutils gawk grep sed hostname
    gcc libc6-dev make pkgconf libxen-dev libhwloc-dev
    libnl-3-dev libnl-genl-3-dev libnl-route-3-dev libsqlite3-dev
)

# Left out of the systems when unpacking.
UNPACK_EXCLUDE=(
    './usr/share/doc*' './usr/share/man*' './usr/share/locale*'
    './usr/share/info*' './usr/share/lintian*' './usr/share/i18n*'
    './usr/share/bug*' './usr/share/perl*' './usr/lib/x86_64-linux-gnu/perl*'
    './usr/lib/x86_64-linux-gnu/gconv*' './usr/lib/gcc*'
    './usr/share/zoneinfo*' './usr/lib/udev/hwdb*' './usr/lib/firmware*'
)

# The modules that each can load, as folders and files of a kernel's.
DOM0_MODULES=(
    drivers/xen drivers/net/xen-netback drivers/net/xen-netfront.ko
    drivers/block/{virtio_blk,loop}.ko drivers/virtio
    drivers/block/xen-blkback drivers/char/virtio_console.ko fs/ext4 net
    drivers/net/{veth,ifb,dummy,tun,vrf,macvlan}.ko
    drivers/net/{bonding,vxlan}
)
INITRD_MODULES=(
    drivers/block/virtio_blk.ko drivers/virtio/virtio_pci.ko fs/ext4
    crypto/crc32c_generic.ko
)
GUEST_MODULES=(
    drivers/net/xen-netfront.ko drivers/xen net/8021q net/bridge net/sched
    net/netfilter net/ipv4/netfilter
    drivers/net/{veth,dummy,macvlan,ifb}.ko net/packet drivers/net/bonding
    net/tls
)
