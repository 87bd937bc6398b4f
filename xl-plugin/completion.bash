# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for "xl shmlink ..." and xl-shmlink; all else of xl is left
# to the completion that comes with it.

# Where a package has diverted it to, or where it was.
for _xl_shmlink_stock in /usr/share/bash-completion/completions/xl{.distrib,}; do
    # shellcheck disable=SC1090
    [[ -r $_xl_shmlink_stock && ! $_xl_shmlink_stock -ef ${BASH_SOURCE[0]} ]] &&
        . "$_xl_shmlink_stock" && break
done
unset _xl_shmlink_stock

# Those lines of the input that begin as $1 does.  Domains are called as
# somebody liked: no word of them may be expanded, as compgen -W does, and
# what goes on the command line is quoted.
_xl_shmlink_match()
{
    local word quoted begin=$1

    COMPREPLY=()
    while IFS= read -r word; do
        printf -v quoted %q "$word"
        [[ $word == "$begin"* || $quoted == "$begin"* ]] &&
            COMPREPLY+=("$quoted")
    done
}

# Words after the one numbered $1, which is "shmlink" or "xl-shmlink".
_xl_shmlink_words()
{
    local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[$1 + 1]}
    local at=$COMP_CWORD

    compopt +o nospace +o default 2>/dev/null
    if ((COMP_CWORD == $1 + 1)); then
        _xl_shmlink_match "$cur" < <(xl-shmlink complete 2>/dev/null)
    elif [[ $cur == -* ]]; then
        _xl_shmlink_match "$cur" < <(xl-shmlink help "$command" 2>/dev/null |
            grep -oE '^-., --[a-z-]+' | grep -oE -- '--[a-z-]+')
    else
        # A colon is a word of its own, and what comes after it the next.
        while ((--at > $1 + 1)); do
            [[ ${COMP_WORDS[at]} == : || ${COMP_WORDS[at + 1]} == : ]] || break
            cur=${COMP_WORDS[at]}$cur
        done
        _xl_shmlink_match "$cur" < <(
            xl-shmlink complete "$command" 2>/dev/null)
        [[ $cur != *:* ]] || COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*:}"}"}")
    fi
}

_xl_shmlink()
{
    _xl_shmlink_words 0
}

_xl_with_shmlink()
{
    local i=1

    while [[ $i -lt $COMP_CWORD && ${COMP_WORDS[i]} == -* ]]; do
        ((i++))
    done
    if [[ $i -lt $COMP_CWORD && ${COMP_WORDS[i]} == shmlink ]]; then
        _xl_shmlink_words "$i"
    elif declare -F _xl >/dev/null; then
        _xl
    fi
}

complete -F _xl_with_shmlink -o nospace -o default xl xen
complete -F _xl_shmlink xl-shmlink
