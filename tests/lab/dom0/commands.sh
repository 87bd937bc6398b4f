# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scenarios of the commands share. Sourced by them.

# Process substitution needs it, and not every /dev has it.
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd

# xenstore with permissions, but for the lab's own command channel, counters
# asked for, and what guests and libxl change by themselves.
xenstore_now() {
    xenstore-ls -fp / | grep -vE '/data/lab|/data/shmlink/stats-|/memory/target|/libxl/[0-9]+/dm-|hotplug-status|/control/' || true
}

# same_xenstore BEFORE: nothing has come, gone or changed since.
same_xenstore() {
    diff <(printf '%s\n' "$1") <(xenstore_now) ||
        fail "xenstore is not as before"
}

# expect_exit STATUS REGEX COMMAND...: its exit status, and a line of its
# output or error output.
expect_exit() {
    local want=$1 regex=$2 status=0 output
    shift 2
    output=$("$@" 2>&1) || status=$?
    printf '  $ %s\n    %s (%d)\n' "$*" "$output" "$status"
    [ "$status" = "$want" ] || fail "exit status $status, not $want: $*"
    grep -qE -- "$regex" <<<"$output" || fail "no '$regex' in: $output"
    [ "$want" != 1 ] || [ "$(grep -c . <<<"$output")" -le 2 ] ||
        fail "more than one line of complaint"
}

# Reading all of xenstore takes seconds here, so what was found after one
# command serves as what was there before the next, unless changed is called.
xenstore_known=
changed() { xenstore_known=; }

# refused REGEX COMMAND...: exit status 1, the reason, xenstore as before.
refused() {
    local regex=$1
    shift
    [ -n "$xenstore_known" ] || xenstore_known=$(xenstore_now)
    expect_exit 1 "$regex" "$@"
    same_xenstore "$xenstore_known"
}

# limited REGEX DOM1 DOM2: refused, dry run too, but not with --force.
limited() {
    local regex=$1
    shift
    [ -n "$xenstore_known" ] || xenstore_known=$(xenstore_now)
    expect_exit 1 "$regex" xl shmlink enable "$@"
    refused "$regex.*--force" xl shmlink enable -N "$@"
    expect_exit 0 'are linked on ' xl shmlink enable --force "$@"
    expect_exit 0 'not linked any more' xl shmlink disable "$@"
    same_xenstore "$xenstore_known"
}
