# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For scripts with $top, the tree, and $work, a folder of their own.

# sources [PATTERN...]: the tree's source files, those of git's that still exist
# and new ones. A tree from the tarball has no git: there all that .gitignore
# does not name is new.
sources() {
    local file
    local -a git=(git -c "safe.directory=$top")
    cd "$top" || return
    if [ ! -e .git ]; then
        git+=("--git-dir=$work/git" "--work-tree=$top")
        [ -d "$work/git" ] || "${git[@]}" init -q || return
    fi
    "${git[@]}" ls-files -co --exclude-standard -- "$@" |
        while IFS= read -r file; do
            [ ! -f "$file" ] || printf '%s\n' "$file"
        done | LC_ALL=C sort
}

# copy_sources TO [PATTERN...]
copy_sources() {
    local to=$1
    shift
    mkdir -p "$to"
    (sources "$@") | tar -c -C "$top" -T - | tar -x -C "$to"
}
