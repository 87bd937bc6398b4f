# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scenarios about the guests' kernels share. Sourced by them, after
# link.sh.

# kernel_is DOM VERSION: the guest runs it.
kernel_is() {
    local version
    version=$(guest "$1" uname -r)
    note "$1 runs Linux $version"
    [[ $version == "$2".* ]] || fail "$1 does not run Linux $2"
}

# flip_link DOM1 DOM2 TIMES: each enable connects them.
flip_link() {
    local n
    for ((n = 0; n < $3; n++)); do
        enable "$1" "$2" >/dev/null
        [ "$(link_state "$1" "$2")" = connected ] ||
            fail "not connected the ${n}th time"
        disable "$1" "$2" >/dev/null
    done
    note "$1, $2: $3 times enabled and disabled"
}

# no_reset DOM: since Linux 7 xenbus begins a device anew, in the middle of all,
# whose state in xenstore is not what the driver has.
no_reset() {
    ! guest "$1" dmesg | has 'state reset occurred' ||
        fail "$1: $(guest "$1" dmesg | grep 'state reset' | tail -n 3)"
}
