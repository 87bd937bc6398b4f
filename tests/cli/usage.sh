#!/bin/bash
# Goal: help is printed from the command table, wrong usage exits with 2 and
# one line, and without Xen a command fails with 1 and says so.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"

# check STATUS STDOUT-REGEX STDERR-REGEX ARGS...
check() {
    local want=$1 out=$2 err=$3 have status=0
    shift 3
    have=$("$program" "$@" 2>err) || status=$?
    if [ "$status" != "$want" ] || ! grep -qE -- "$out" <<<"$have" ||
       ! grep -qE -- "$err" <<<"$(cat err)"; then
        fail "$*: $status: $have: $(cat err)"
    fi
}

check 0 '^Usage: xl shmlink' '^$' help
check 0 '^ help ' '^$' --help
check 2 '^$' '^Usage: xl shmlink'
check 2 '^$' "^xl shmlink: no command 'enabel'" enabel a b
check 2 '^$' "^xl shmlink help: no command 'x'" help x
# What would not only say what it does must not do it.
check 2 '^$' '^xl shmlink history: there is no -N' -N history
check 2 '^$' '^xl shmlink record: there is no -N' -N record --from=none
if ! "$program" help | grep -q '^ enable '; then
    echo "built without Xen: its commands are not there"
    exit $failed
fi
for command in $("$program" complete); do
    check 0 "^Usage: xl shmlink $command" '^$' help "$command"
    [ "$command" = help ] || check 0 "^Usage: xl shmlink $command" '^$' \
        "$command" --help
done
check 2 '^$' '^xl shmlink relink: there is no -N' -N relink
check 2 '^$' '^xl shmlink snapshot: there is no -N' -N snapshot -
check 2 '^$' 'two domains' enable a
check 2 '^$' 'two domains' enable a b c
check 2 '^$' 'power of two' enable -s 3M a b
check 2 '^$' 'power of two' enable --size=8M a b
check 2 '^$' 'power of two' enable -s 64K a b
check 2 '^$' 'SECONDS' enable -w 0 a b
check 2 '^$' 'SECONDS' enable -w 1.55 a b
check 2 '^$' 'SECONDS' enable -w 3601 a b
check 2 '^$' 'needs a value' enable a b -s
check 2 '^$' "unknown option '-z'" enable -z a b
check 2 '^$' 'or -a' disable a
check 2 '^$' 'one domain at most' disable -a a b
check 2 '^$' 'one domain at most' list a b
printf 'max-moves = 4\nlink = web 7\n' >broken.conf
check 2 '^$' '^xl shmlink: broken.conf:2: link: must be two VMs by their names' \
    serve -c broken.conf
check 2 '^$' '^xl shmlink: none.conf: No such file' serve -c none.conf
check 2 '^$' '^xl shmlink: broken.conf:2: ' serve -N -c broken.conf
echo 'link = web db' >right.conf
check 0 '^$' '^$' serve -N -c right.conf
# Before xl create: what is not for us says nothing, and nothing waits.
mkfifo web.fifo
check 0 '^$' '^$' starting web.fifo
check 0 '^$' '^$' starting none.cfg
check 0 '^$' '^$' starting
printf 'name = "web"\nshmlink = [ "7", "web:1", "db"\n' >torn.cfg
check 0 '^$' '^$' starting torn.cfg
echo ']' | cat torn.cfg - >web.cfg
check 0 '^$' '^$' starting -n web.cfg
check 0 '^$' '^$' starting web.cfg --help
cp web.cfg ./-
check 0 '^$' '^$' starting - <web.cfg
if [ ! -e /sys/hypervisor/version/major ]; then
    check 3 '^$' "^xl shmlink: web: shmlink: '7' is no name of another VM" \
        starting web.cfg
    check 3 '^$' "^xl shmlink: web: shmlink: 'web:1' is no name" \
        starting -f web.cfg
    check 3 '^$' "^xl shmlink: a: shmlink is no list" \
        starting -cf /dev/null 'name="a"' 'shmlink="db"'
    check 1 '^$' '^xl shmlink: (this is not a Xen host|must be run as root)' \
        enable a b
    check 1 '^$' '^xl shmlink: ' list
fi
exit $failed
