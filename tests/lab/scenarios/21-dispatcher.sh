# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: xl is the real xl but for shmlink: bytes, exit status and signals pass
# untouched, xl help and the stock completion offer shmlink, ours completes
# subcommands and domains, and nothing of it needs xl-shmlink to work.
# lab: --guests 2 --timeout 600

. /lab/commands.sh

real=/usr/sbin/xl
[ "$(command -v xl)" = /usr/local/sbin/xl ] || fail "xl is $(command -v xl)"

note "the same output, error output and status"
for args in list 'list -l vm1' 'domid vm1' 'domid nobody' info 'help save' \
    'no-such-command' '-v vcpu-list vm1' '-h' '' 'shm' 'help shm'; do
    for program in "$real" /usr/local/sbin/xl; do
        out=/tmp/out$(dirname "$program" | tr / .)
        status=0
        # shellcheck disable=SC2086
        "$program" $args >"$out" 2>"$out.err" || status=$?
        printf '%s\n' "$status" | cat "$out.err" - >>"$out"
        # Times and free memory move on by themselves.
        sed -i -E 's/ +[0-9.]+$//; s/ [0-9]+\.[0-9]+ / /; /^free_memory/d' \
            "$out"
    done
    cmp /tmp/out.usr.sbin /tmp/out.usr.local.sbin || fail "xl $args differs"
done

note "binary on standard input reaches migrate-receive"
head -c 100000 /dev/urandom >/tmp/noise
for program in "$real" /usr/local/sbin/xl; do
    status=0
    "$program" migrate-receive </tmp/noise >/tmp/receive.out 2>/dev/null ||
        status=$?
    echo "$status $(sha256sum </tmp/receive.out)"
done >/tmp/receive
[ "$(sort -u /tmp/receive | wc -l)" = 1 ] || fail "$(cat /tmp/receive)"

note "the process is the real xl's"
xl console vm1 </dev/null >/dev/null 2>&1 &
pid=$!
sleep 1
exe=$(readlink "/proc/$pid/exe" || true)
kill "$pid" || true
wait "$pid" || true
case $exe in
*/xenconsole | */bin/xl) ;;
*) fail "$exe stays in between" ;;
esac

note "shmlink by both names, and its place in the help"
expect_exit 0 'Domain 1' xl shmlink list
expect_exit 0 'Domain 1' xl-shmlink list
expect_exit 0 'Domain 1' xl -v -f shmlink list
expect_exit 0 'would be linked' xl -N shmlink enable vm1 vm2
expect_exit 0 'Usage: xl shmlink enable' xl help shmlink enable
diff <(xl help) <("$real" help) >/tmp/diff && fail "xl help says nothing"
[ "$(grep -c '^[<>]' /tmp/diff)" = 1 ] || fail "$(cat /tmp/diff)"
xl help 2>/dev/null | sed '1,4d' | awk '/^ [^ ]/ {print $1}' |
    grep -qx shmlink || fail "the stock completion does not offer shmlink"

note "completion"
words() {
    local -a COMP_WORDS=("$@")
    local COMP_CWORD=$(($# - 1)) COMPREPLY=()
    compopt() { true; }
    _xl_with_shmlink
    printf '%s\n' "${COMPREPLY[@]}" | sed 's/ *$//' | sort | tr '\n' ' '
}
. /usr/local/share/bash-completion/completions/xl
[ "$(words xl shmlink en)" = 'enable ' ] || fail "en: $(words xl shmlink en)"
[ "$(words xl -v shmlink d)" = 'disable ' ] || fail "-v shmlink d"
[ "$(words xl shmlink enable vm)" = 'vm1 vm2 ' ] ||
    fail "domains: $(words xl shmlink enable vm)"
[ "$(words xl shmlink enable --s)" = '--size ' ] || fail "options"
[ "$(words xl shm)" = 'shmlink ' ] || fail "shm: $(words xl shm)"
[ "$(words xl vcpu-s)" = 'vcpu-set ' ] || fail "the stock words are lost"

note "without a working xl-shmlink the rest still works"
mv /usr/local/sbin/xl-shmlink /usr/local/sbin/aside
trap 'mv /usr/local/sbin/aside /usr/local/sbin/xl-shmlink' EXIT
expect_exit 127 'cannot run xl-shmlink' xl shmlink list
expect_exit 0 'vm1' xl list
xl save -c vm1 /tmp/vm1.save || fail "xl save without xl-shmlink"
rm /tmp/vm1.save
guest vm1 true || fail "vm1 is not well after a checkpoint"
trap - EXIT
mv /usr/local/sbin/aside /usr/local/sbin/xl-shmlink

note "in the place of Debian's own link, as a package would divert it"
mv /usr/sbin/xl /usr/sbin/xl.distrib
cp /usr/local/sbin/xl /usr/sbin/xl
trap 'mv /usr/sbin/xl.distrib /usr/sbin/xl' EXIT
timeout 10 /usr/sbin/xl domid vm1 || fail "no real xl behind a diverted one"
timeout 10 /usr/local/sbin/xl domid vm1 || fail "no real xl behind two"
trap - EXIT
mv /usr/sbin/xl.distrib /usr/sbin/xl

note "two dispatchers do not run each other"
mkdir -p /tmp/other
cp /usr/local/sbin/xl /tmp/other/xl
PATH=/tmp/other:$PATH timeout 10 /tmp/other/xl domid vm1 ||
    fail "a copy of the dispatcher finds no real xl"
