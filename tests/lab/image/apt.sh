# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packages of any Debian release from this machine's own apt sources, by a
# private apt configuration (its own lists, cache and empty status), so that
# nothing is installed here.
#
# To be sourced; needs $cache, the folder where all is kept, $work, a temporary
# one, and say and die. A set of packages has a NAME that ends in -RELEASE:
# $cache/apt-RELEASE is the release's apt, and $cache/NAME.list says what the
# set consists of.

resolve_age_minutes=1440
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
own_codename=$(. /etc/os-release && echo "$VERSION_CODENAME")

# The table of kernels without its comments: all lines, or that of kernel $1 or
# of release $1; then only the other column.
kernels() {
    sed '/^#/d' "$(dirname "${BASH_SOURCE[0]}")/kernels" |
        awk -v of="${1:-}" 'of == "" { print } $1 "" == of { print $2 }
            $2 "" == of { print $1 }'
}

release_of() { local name=${1#*-}; echo "$name"; }

# Hold the lock on the apt of release $1 while the rest of the arguments run.
with_apt() {
    local fd
    exec {fd}>"$cache/apt-$1.lock"
    flock "$fd"
    "${@:2}"
    exec {fd}>&-
}

# Write the sources for release $1 to stdout, from those of this machine; those
# of CODENAME-backports are those of CODENAME, and one more.
sources_for() {
    # The fields of each known index of Debian itself, one line each.
    local format='$(ORIGIN)|$(CREATED_BY)|$(ARCHITECTURE)|'
    format+='$(REPO_URI)|$(CODENAME)|$(COMPONENT)'
    apt-get indextargets --format "$format" |
        awk -F'|' -v own="$own_codename" -v want="${1%-backports}" \
            -v backports="${1#"${1%-backports}"}" -v key="$keyring" '
            function source(suite) {
                line = "deb [arch=amd64 signed-by=" key "] " $4 " " suite \
                       " " $6
                if (!seen[line]++)
                    print line
            }
            $1 == "Debian" && $2 == "Packages" && $3 == "amd64" &&
            index($5, own) == 1 && $5 !~ /backports/ {
                source(want substr($5, length(own) + 1))
                if (backports && $5 == own)
                    source(want backports)
            }'
}

# A private apt for release $1 in folder $2.
apt_setup() {
    local dir=$2
    [ -e "$keyring" ] ||
        die "$keyring is missing: apt-get install debian-archive-keyring"
    mkdir -p "$dir"/{lists/partial,archives/partial,etc}
    : >"$dir/status"
    : >"$dir/etc/preferences"
    [ "${1%-backports}" = "$1" ] ||
        printf 'Package: *\nPin: release n=%s\nPin-Priority: 990\n' "$1" \
            >"$dir/etc/preferences"
    sources_for "$1" >"$dir/sources.list"
    [ -s "$dir/sources.list" ] ||
        die "no Debian sources in apt's configuration: run apt-get update"
    cat >"$dir/apt.conf" <<END
Dir::State "$dir";
Dir::State::lists "$dir/lists";
Dir::State::status "$dir/status";
Dir::Cache::archives "$dir/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "$dir/sources.list";
Dir::Etc::sourceparts "$dir/etc";
Dir::Etc::preferences "$dir/etc/preferences";
Dir::Etc::preferencesparts "$dir/etc";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
END
}

# Read the package lists of release $1, unless that was done lately.
update_lists() {
    local dir=$cache/apt-$1 stamp=$cache/apt-$1/updated
    apt_setup "$1" "$dir"
    [ -z "$(find "$stamp" -mmin "-$resolve_age_minutes" 2>/dev/null)" ] ||
        return 0
    say "reading the package lists of $1"
    apt-get -c "$dir/apt.conf" -qq update >&2 && touch "$stamp"
}

# Resolve packages into $cache/$1.list: a line "uri file ..." for each that is
# needed for $3.., without those whose names begin as the ERE $2.
resolve() { with_apt "$(release_of "$1")" resolve_locked "$@"; }
resolve_locked() {
    local name=$1 codename without=$2 list=$cache/$1.list dir want
    shift 2
    codename=$(release_of "$name")
    dir=$cache/apt-$codename
    want=$(printf '%s\n' ${without:+"$without"} "$@" | sha256sum)
    if [ -s "$list" ] && [ "$(head -n 1 "$list")" = "# $want" ] &&
       [ -e "$dir/apt.conf" ] &&
       [ -n "$(find "$list" -mmin "-$resolve_age_minutes")" ]; then
        return
    fi
    if ! update_lists "$codename"; then
        if [ -s "$list" ] && [ "$(head -n 1 "$list")" = "# $want" ]; then
            say "cannot update the lists of $codename, using the last ones"
            return
        fi
        die "cannot read the package lists of $codename"
    fi
    # What apt finds in its archives it does not name, so it is to find none.
    { echo "# $want"
      apt-get -c "$dir/apt.conf" -o "Dir::Cache::archives=$work/none" -qq \
          --print-uris install "$@" |
          grep "^'" | grep -vE "^'[^']*' (${without:-[.]})" |
          LC_ALL=C sort
    } >"$work/list" || die "cannot resolve the packages of $codename"
    mv "$work/list" "$list"
}

# The archives that $cache/$1.list names, those whose names match the ERE $2.
archives() {
    local dir
    dir=$cache/apt-$(release_of "$1")/archives
    awk -v dir="$dir" -v want="^(${2:-.*})" '/^\047/ && $2 ~ want {
        print dir "/" $2 }' "$cache/$1.list"
}

# Download them.
download() { with_apt "$(release_of "$1")" download_locked "$@"; }
download_locked() {
    local dir file
    local -a missing=()
    dir=$cache/apt-$(release_of "$1")
    while read -r file; do
        [ -e "$file" ] ||
            missing+=("$(sed 's|.*/||; s/_[^_]*$//; s/_/=/; s/%3a/:/' \
                <<<"$file")")
    done < <(archives "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "downloading ${#missing[@]} packages for $1"
    mkdir -p "$work/archives"
    (cd "$work/archives" &&
        apt-get -c "$dir/apt.conf" -qq download "${missing[@]}" >&2) ||
        die "cannot download the packages"
    mv "$work"/archives/*.deb "$dir/archives/"
}

# What a kernel consists of.
kernel_packages='linux-(image|modules|binary|base)-[0-9]'

# Unpack into $2 the packages of $1, but no kernels, and no files that match
# the patterns $3..
unpack() {
    local name=$1 root=$2 file d
    local -a exclude
    shift 2
    exclude=("${@/#/--exclude=}")
    mkdir -p "$root"/usr/{bin,sbin,lib,lib64} \
        "$root"/{dev,proc,sys,run,tmp,root,etc,var/log}
    for d in bin sbin lib lib64; do
        ln -s "usr/$d" "$root/$d"
    done
    while read -r file; do
        case ${file##*/} in
        linux-image-*|linux-modules-*|linux-binary-*|linux-base*|\
        initramfs-tools*|klibc-utils*|perl*|libperl*|libklibc*|dracut*|\
        libgdbm*) continue ;;
        esac
        dpkg-deb --fsys-tarfile "$file" |
            tar -x --keep-directory-symlink -C "$root" "${exclude[@]}"
    done < <(archives "$name")
    ldconfig -r "$root"
}

# Make of the packages of $1 a folder to build in by chroot, once, and print its
# path; when it is made, function $2 is run with it.
build_root() {
    local name=$1 root key
    shift
    key=$({ cat "$cache/$name.list"; declare -f build_root unpack "$@"
          } | sha256sum | cut -c1-16)
    root=$cache/root-$name-$key
    if [ ! -d "$root" ]; then
        download "$name"
        say "unpacking what $name is built in"
        unpack "$name" "$work/root" './usr/share/doc*' './usr/share/man*' \
            './usr/share/locale*' './usr/share/info*'
        ln -s gawk "$work/root/usr/bin/awk"
        mknod -m 666 "$work/root/dev/null" c 1 3
        [ $# = 0 ] || "$1" "$work/root"
        # In place of earlier ones.
        find "$cache" -maxdepth 1 -name "root-$name-????????????????" \
            -exec rm -rf {} +
        mv "$work/root" "$root"
    fi
    echo "$root"
}

# Run a command in such a folder. Linux 7's objtool looks into /proc/self.
in_root() {
    # shellcheck disable=SC2016
    env -i PATH=/usr/sbin:/usr/bin unshare -m sh -c '
        mount -t proc proc "$1/proc" && exec chroot "$@"' sh "$@"
}
