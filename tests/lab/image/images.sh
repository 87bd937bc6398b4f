#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Make the lab's images and print the folder that holds them.
#
# Everything comes from Debian packages, see apt.sh; nothing is installed here.
# The folder's name is a hash of all that goes into it; what exists is used as
# it is.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/image/packages.sh
. "$here/packages.sh"
# shellcheck source=tests/lab/image/apt.sh
. "$here/apt.sh"

cache=${SHMLINK_LAB_CACHE:-/var/cache/shmlink-lab}
keep_images=3

say() { printf 'images: %s\n' "$*" >&2; }
die() { printf 'images: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "must be run as root"
mkdir -p "$cache"
exec 9>"$cache/images.lock"
flock 9

work=$(mktemp -d "$cache/tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Make in $2 a system of the packages of $1.
make_root() {
    local root=$2
    unpack "$1" "$root" "${UNPACK_EXCLUDE[@]}"
    cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
    cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
    sed -i 's/^root:\*:/root::/' "$root/etc/passwd"
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
    rm -rf "$root/var/run" "$root/var/lock"
    ln -s /run "$root/var/run"
    ln -s /run/lock "$root/var/lock"
}

# Copy kernel modules under the given folders of $1/kernel, and what they
# need, into root $2.
copy_modules() {
    local from=$1 to=$2 version
    shift 2
    version=$(basename "$from")
    mkdir -p "$to/lib/modules/$version"
    cp "$from"/modules.{order,builtin,builtin.modinfo} "$to/lib/modules/$version/"
    { cd "$from"
      find "$@" -name '*.ko' |
          sed 's|.*/||; s|\.ko$||' |
          xargs modprobe -d "$work/kernel" -S "$version" -a \
              --show-depends 2>/dev/null |
          sed -n "s|^insmod .*/lib/modules/$version/\([^ ]*\).*|\1|p" |
          sort -u
    } | tar -c -C "$from" -T - | tar -x -C "$to/lib/modules/$version"
    depmod -b "$to" "$version"
}

pack_initrd() {
    (cd "$1" && find . | LC_ALL=C sort |
        cpio --quiet -o -H newc -R 0:0) >"$2"
}

build_dom0() {
    local root=$work/dom0 version=$1 d
    say "dom0: unpacking"
    make_root "$own_codename" "$root"
    for d in awk:gawk iptables:iptables-nft ip6tables:ip6tables-nft \
             ebtables:ebtables-nft pager:less; do
        ln -sf "${d#*:}" "$root/usr/bin/${d%%:*}"
        [ -e "$root/usr/sbin/${d#*:}" ] &&
            ln -sf "../sbin/${d#*:}" "$root/usr/bin/${d%%:*}"
    done
    cp -r "$here/dom0-root/." "$root/"
    install -D "$work/bin/guest" "$root/usr/local/bin/guest"
    mkdir -p "$root"/{lab,results,guest,var/log/xen/console} \
        "$root/var/lib/xen"
    cp "$work/out/vmlinux" "$work/guest.cpio" "$root/guest/"
    say "dom0: modules"
    copy_modules "$work/kernel/lib/modules/$version" "$root" kernel/drivers/xen \
        kernel/drivers/net/xen-netback kernel/drivers/net/xen-netfront.ko \
        kernel/drivers/block/{virtio_blk,loop}.ko kernel/drivers/virtio \
        kernel/drivers/block/xen-blkback \
        kernel/drivers/char/virtio_console.ko kernel/fs/ext4 kernel/net \
        kernel/drivers/net/{veth,ifb,dummy,tun,vrf,macvlan}.ko \
        kernel/drivers/net/{bonding,vxlan}
    # Compile to bytecode what the control daemon imports.
    chroot "$root" /usr/bin/python3 -c \
        'import base64, json, os, pty, select, signal, socket, struct, subprocess, sys, threading, time'
    say "dom0: disk"
    truncate -s 3G "$work/out/dom0.img"
    mkfs.ext4 -q -F -m 0 -O '^has_journal,^metadata_csum' -E \
        lazy_itable_init=1 -N 120000 -d "$root" "$work/out/dom0.img"
}

build_dom0_initrd() {
    local root=$work/initrd version=$1
    mkdir -p "$root"/{bin,dev,proc,sys,root}
    cp "$work/dom0-busybox" "$root/bin/busybox"
    copy_modules "$work/kernel/lib/modules/$version" "$root" \
        kernel/drivers/block/virtio_blk.ko kernel/drivers/virtio/virtio_pci.ko \
        kernel/fs/ext4 kernel/crypto/crc32c_generic.ko
    install -m 755 "$here/dom0-initrd-init" "$root/init"
    pack_initrd "$root" "$work/out/dom0-initrd"
}

build_guest() {
    local root=$work/guest version=$1 lib
    say "guest: unpacking"
    make_root "$GUEST_CODENAME" "$root"
    chroot "$root" /bin/busybox --install -s /tmp
    # Applets fill in for what the packages do not have.
    for lib in "$root"/tmp/*; do
        [ -e "$root/usr/bin/${lib##*/}" ] || [ -e "$root/usr/sbin/${lib##*/}" ] ||
            ln -s busybox "$root/usr/bin/${lib##*/}"
    done
    rm -rf "${root:?}"/tmp/*
    rm -rf "$root"/usr/lib/python3*/{test,idlelib,ensurepip,lib2to3,pydoc_data} \
        "$root"/usr/lib/python3*/{tkinter,turtledemo,distutils,venv} \
        "$root"/usr/lib/python3*/config-* "$root"/usr/share/{bash-completion,terminfo} \
        "$root"/usr/share/{zsh,bug,python3,debianutils} "$root"/usr/lib/systemd
    cp "$work/bin/agent" "$root/sbin/lab-agent"
    install -m 755 "$here/guest-init" "$root/init"
    copy_modules "$work/kernel/lib/modules/$version" "$root" \
        kernel/drivers/net/xen-netfront.ko kernel/drivers/xen \
        kernel/net/8021q kernel/net/bridge kernel/net/sched \
        kernel/net/netfilter kernel/net/ipv4/netfilter \
        kernel/drivers/net/{veth,dummy,macvlan,ifb}.ko \
        kernel/net/packet kernel/drivers/net/bonding kernel/net/tls
    chroot "$root" /usr/bin/python3 -m compileall -q /usr/lib/python3* >/dev/null || true
    pack_initrd "$root" "$work/guest.cpio"
}

compile() {
    mkdir -p "$work/bin"
    local p
    for p in agent guest; do
        gcc -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -static \
            -o "$work/bin/$p" "$here/$p.c" "$here/xswire.c"
    done
}

# The archive of dom0's package whose name matches $1.
archive() {
    local file
    file=$(awk -v want="^$1_" '$2 ~ want { print $2; exit }' \
        "$cache/$own_codename.list")
    echo "$cache/apt-$own_codename/archives/$file"
}

build() {
    local version
    mkdir -p "$work/out" "$work/kernel"
    compile
    dpkg-deb --fsys-tarfile "$(archive 'linux-image-[0-9].*')" | tar -x -C "$work/kernel"
    version=$(basename "$work"/kernel/lib/modules/*)
    depmod -b "$work/kernel" "$version"
    "$here/vmlinux.py" "$work/kernel/boot/vmlinuz-$version" "$work/out/vmlinux"
    echo "$version" >"$work/out/kernel-version"
    dpkg-deb --fsys-tarfile "$(archive xen-hypervisor-4.17-amd64)" |
        tar -x -O --wildcards './boot/xen-4.17-amd64.gz' |
        gzip -dc >"$work/out/xen"
    dpkg-deb --fsys-tarfile "$(archive busybox-static)" |
        tar -x -O --wildcards './*bin/busybox' >"$work/dom0-busybox"
    chmod 755 "$work/dom0-busybox"
    build_guest "$version"
    build_dom0 "$version"
    build_dom0_initrd "$version"
}

prune() {
    local dir
    find "$cache" -maxdepth 1 -name 'images-*' -printf '%T@ %p\n' |
        sort -rn | tail -n "+$((keep_images + 1))" | cut -d' ' -f2- |
        while read -r dir; do
            rm -rf "$dir"
        done
}

resolve "$own_codename" "$own_codename" '' "${DOM0_PACKAGES[@]}"
resolve "$GUEST_CODENAME" "$GUEST_CODENAME" '' "${GUEST_PACKAGES[@]}"
key=$({ cat "$cache/$own_codename.list" "$cache/$GUEST_CODENAME.list"
        cd "$here/.."
        find image -type f | LC_ALL=C sort | xargs sha256sum
      } | sha256sum | cut -c1-16)
out=$cache/images-$key
if [ ! -d "$out" ]; then
    start=$SECONDS
    download "$own_codename"
    download "$GUEST_CODENAME"
    build
    mv "$work/out" "$out"
    say "made in $((SECONDS - start)) s"
fi
touch "$out"
prune
echo "$out"
