#!/bin/bash
# Goal: the completion offers subcommands, options and domains as they are: what
# stands in a domain's name is never run, and is quoted where it must be.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"

mkdir bin
cat >bin/xl-shmlink <<'SCRIPT'
#!/bin/sh
case $* in
complete) printf '%s\n' enable disable list ;;
'complete enable')
    printf '%s\n' web db 'web-$(touch ran)' 'web;touch ran' 'w`touch ran`' \
        db:0 db:1 ;;
'help enable') printf '%s\n' '-s, --size=SIZE  X' '-w, --wait=SECONDS' ;;
esac
SCRIPT
chmod +x bin/xl-shmlink
PATH=$work/bin:$PATH

# words WORDS...: what the last one may become, one line.
words() {
    local -a COMP_WORDS=("$@")
    local COMP_CWORD=$(($# - 1)) COMPREPLY=()
    compopt() { true; }
    if [ "$1" = xl ]; then _xl_with_shmlink; else _xl_shmlink; fi
    printf '%s|' "${COMPREPLY[@]}"
}
# check WANT WORDS...
check() {
    local want=$1 have
    shift
    have=$(words "$@")
    [ "$have" = "$want" ] || fail "$*: $have, not $want"
}

# shellcheck source=xl-plugin/completion.bash
. "$srcdir/xl-plugin/completion.bash"
check 'enable|' xl shmlink en
check 'disable|' xl -v shmlink d
check 'list|' xl-shmlink l
check '--size|' xl shmlink enable --s
check 'db|db:0|db:1|' xl shmlink enable web d
check '0|1|' xl shmlink enable web db :
check '1|' xl shmlink enable db : 1
check 'db|db:0|db:1|' xl shmlink enable db : 1 d
check 'web|web-\$\(touch\ ran\)|web\;touch\ ran|' xl shmlink enable we
check 'web-\$\(touch\ ran\)|' xl shmlink enable 'web-\$'
# shellcheck disable=SC2016
check 'w\`touch\ ran\`|' xl shmlink enable 'w\`'
[ ! -e ran ] || fail "a domain's name was run"
exit "$failed"
