#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# images.sh [RELEASE [KERNEL...]]: make the lab's images of a dom0 of that
# release of Debian and of guests' kernels, those that kernels names, and print
# where they are: "dom0 FOLDER", then "kernel FOLDER" for each. By default the
# first release, and the kernel that it has.
#
# Everything comes from Debian packages, see apt.sh; nothing is installed here.
# A folder's name is a hash of all that goes into it; what exists is used as
# it is.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/image/packages.sh
. "$here/packages.sh"
# shellcheck source=tests/lab/image/apt.sh
. "$here/apt.sh"

cache=${SHMLINK_LAB_CACHE:-/var/cache/shmlink-lab}
keep_images=6

say() { printf 'images: %s\n' "$*" >&2; }
die() { printf 'images: %s\n' "$*" >&2; exit 1; }

suite=${1:-$(kernels | awk '{ print $2; exit }')}
own_kernel=$(kernels "$suite")
[ -n "$own_kernel" ] || die "dom0 cannot be $suite"
guest_kernels=("${@:2}")
[ $# -gt 1 ] || guest_kernels=("$own_kernel")
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

# Copy modules of the kernel in folder $1, those under the folders $3.., into
# root $2, with what they need.
copy_modules() {
    local from=$1/lib/modules to=$2/lib/modules version
    local -a names
    shift 2
    names=("$@" "${@/%.ko/.ko.xz}")
    version=$(ls "$from")
    mkdir -p "$to/$version"
    cp "$from/$version"/modules.{order,builtin,builtin.modinfo} "$to/$version/"
    { cd "$from/$version"
      # Packed or not, and some kernels have a few of them built in.
      { find "${names[@]/#/kernel/}" -name '*.ko*' 2>/dev/null || true; } |
          sed 's|.*/||; s|\.ko.*$||' |
          xargs modprobe -d "${from%/lib/modules}" -S "$version" -a \
              --show-depends 2>/dev/null |
          sed -n "s|^insmod .*/lib/modules/$version/\([^ ]*\).*|\1|p" |
          sort -u
    } | tar -c -C "$from/$version" -T - | tar -x -C "$to/$version"
    find "$to/$version" -name '*.ko.xz' -exec xz -d {} +
    depmod -b "${to%/lib/modules}" "$version"
}

pack_initrd() {
    (cd "$1" && find . | LC_ALL=C sort |
        cpio --quiet -o -H newc -R 0:0) >"$2"
}

build_dom0() {
    local root=$work/dom0 d
    say "dom0: unpacking"
    make_root "dom0-$suite" "$root"
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
    cp "$work/guest.cpio" "$root/guest/"
    say "dom0: modules"
    copy_modules "$dom0_kernel/modules" "$root" "${DOM0_MODULES[@]}"
    # Compile to bytecode what the control daemon imports.
    chroot "$root" /usr/bin/python3 -c \
        'import base64, json, os, pty, select, signal, socket, struct, subprocess, sys, threading, time'
    say "dom0: disk"
    truncate -s 3G "$work/out/dom0.img"
    mkfs.ext4 -q -F -m 0 -O '^has_journal,^metadata_csum' -E \
        lazy_itable_init=1 -N 120000 -d "$root" "$work/out/dom0.img"
}

build_dom0_initrd() {
    local root=$work/initrd
    mkdir -p "$root"/{bin,dev,proc,sys,root}
    dpkg-deb --fsys-tarfile "$(archives "dom0-$suite" 'busybox-static_')" |
        tar -x -O --wildcards './*bin/busybox' >"$root/bin/busybox"
    chmod 755 "$root/bin/busybox"
    copy_modules "$dom0_kernel/modules" "$root" "${INITRD_MODULES[@]}"
    install -m 755 "$here/dom0-initrd-init" "$root/init"
    pack_initrd "$root" "$work/out/dom0-initrd"
}

build_guest() {
    local root=$work/guest lib
    say "guest: unpacking"
    make_root "guest-$GUEST_CODENAME" "$root"
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

# Make of the packages linux-RELEASE, and print, a folder with the kernel's
# version, vmlinux, all modules that anybody here loads, and a file system for
# dom0 of what it boots guests of this kernel with.
kernel_folder() {
    local name=linux-$1 key out tree=$work/out-$1 file root
    local all=$work/all-$1 guest=$work/modules-$1
    key=$({ archives "$name" "$kernel_packages"
            sha256sum "$here"/{images.sh,packages.sh,vmlinux.py}
          } | sed 's|/.*/||' | sha256sum | cut -c1-16)
    out=$cache/kernels-$key
    if [ ! -d "$out" ]; then
        download "$name" "$kernel_packages"
        say "Linux of $1: unpacking"
        for root in "$all" "$tree/modules" "$guest"; do
            mkdir -p "$root/usr/lib"
            ln -s usr/lib "$root/lib"
        done
        while read -r file; do
            dpkg-deb --fsys-tarfile "$file" |
                tar -x --keep-directory-symlink -C "$all"
        done < <(archives "$name" "$kernel_packages")
        ls "$all/lib/modules" >"$tree/version"
        depmod -b "$all" "$(<"$tree/version")"
        file=$(find "$all" -name 'vmlinuz*' -size +1M)
        "$here/vmlinux.py" "$file" "$tree/vmlinux"
        copy_modules "$all" "$tree/modules" "${DOM0_MODULES[@]}" \
            "${INITRD_MODULES[@]}" "${GUEST_MODULES[@]}"
        copy_modules "$tree/modules" "$guest" "${GUEST_MODULES[@]}"
        rm "$guest/lib"
        mkdir "$tree/guest"
        pack_initrd "$guest" "$tree/guest/modules.cpio"
        cp "$tree/vmlinux" "$tree/guest/"
        cp "$file" "$tree/guest/vmlinuz"
        truncate -s 256M "$tree/guest.img"
        mkfs.ext4 -q -F -m 0 -O '^has_journal,^metadata_csum' \
            -d "$tree/guest" "$tree/guest.img"
        rm -rf "$tree/guest" "$guest" "$all"
        mv "$tree" "$out"
    fi
    touch "$out"
    echo "$out"
}

build() {
    mkdir -p "$work/out"
    compile
    dpkg-deb --fsys-tarfile \
        "$(archives "dom0-$suite" 'xen-hypervisor-[0-9.]*-amd64_')" |
        tar -x -O --wildcards './boot/xen-*-amd64.gz' | gzip -dc >"$work/out/xen"
    cp "$dom0_kernel/vmlinux" "$work/out/"
    build_guest
    build_dom0
    build_dom0_initrd
}

prune() {
    local dir
    find "$cache" -maxdepth 1 -name "$1-*" -printf '%T@ %p\n' |
        sort -rn | tail -n "+$((keep_images + 1))" | cut -d' ' -f2- |
        while read -r dir; do
            rm -rf "$dir"
        done
}

resolve "dom0-$suite" '' "${DOM0_PACKAGES[@]}"
resolve "guest-$GUEST_CODENAME" '' "${GUEST_PACKAGES[@]}"
resolve_linux "$suite"
dom0_kernel=$(kernel_folder "$suite")
key=$({ cat "$cache/dom0-$suite.list" "$cache/guest-$GUEST_CODENAME.list"
        echo "$dom0_kernel"
        cd "$here/.."
        find image -type f | LC_ALL=C sort | xargs sha256sum
      } | sha256sum | cut -c1-16)
out=$cache/images-$key
if [ ! -d "$out" ]; then
    start=$SECONDS
    download "dom0-$suite"
    download "guest-$GUEST_CODENAME"
    build
    mv "$work/out" "$out"
    say "made in $((SECONDS - start)) s"
fi
touch "$out"
echo "dom0 $out"
for kernel in "${guest_kernels[@]}"; do
    release=$(kernels "$kernel")
    [ -n "$release" ] || die "no kernel $kernel"
    resolve_linux "$release"
    folder=$(kernel_folder "$release")
    echo "kernel $folder"
done
prune images
prune kernels
