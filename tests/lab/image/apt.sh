# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packages of any Debian release from this machine's own apt sources, by a
# private apt configuration (its own lists, cache and empty status), so that
# nothing is installed here.
#
# To be sourced; needs $cache, the folder where all is kept, $work, a temporary
# one, and say and die. A set of packages has a NAME: $cache/apt-NAME is its
# apt, and $cache/NAME.list says what it consists of.

resolve_age_minutes=1440
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
own_codename=$(. /etc/os-release && echo "$VERSION_CODENAME")

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

# Resolve packages into $cache/$1.list: a line "uri file ..." for each that
# release $2 needs for $4.., without those whose names begin as the ERE $3.
resolve() {
    local name=$1 codename=$2 without=$3 dir=$cache/apt-$1 list=$cache/$1.list
    local want
    shift 3
    want=$(printf '%s\n' ${without:+"$without"} "$@" | sha256sum)
    if [ -s "$list" ] && [ "$(head -n 1 "$list")" = "# $want" ] &&
       [ -n "$(find "$list" -mmin "-$resolve_age_minutes")" ]; then
        return
    fi
    apt_setup "$codename" "$dir"
    say "reading the package lists of $codename"
    if ! apt-get -c "$dir/apt.conf" -qq update >&2; then
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

# Download what $cache/$1.list names.
download() {
    local dir=$cache/apt-$1 file
    local -a missing=()
    while read -r _ file _; do
        [ -e "$dir/archives/$file" ] ||
            missing+=("$(sed 's/_[^_]*$//; s/_/=/; s/%3a/:/' <<<"$file")")
    done < <(grep "^'" "$cache/$1.list")
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "downloading ${#missing[@]} packages for $1"
    mkdir -p "$work/archives"
    (cd "$work/archives" &&
        apt-get -c "$dir/apt.conf" -qq download "${missing[@]}" >&2) ||
        die "cannot download the packages"
    mv "$work"/archives/*.deb "$dir/archives/"
}

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
    while read -r _ file _; do
        case $file in
        linux-image-*|linux-base*|initramfs-tools*|klibc-utils*|perl*|\
        libperl*|libklibc*|dracut*|libgdbm*) continue ;;
        esac
        dpkg-deb --fsys-tarfile "$cache/apt-$name/archives/$file" |
            tar -x --keep-directory-symlink -C "$root" "${exclude[@]}"
    done < <(grep "^'" "$cache/$name.list")
    ldconfig -r "$root"
}
