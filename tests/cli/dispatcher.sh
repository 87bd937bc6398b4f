#!/bin/bash
# Goal: the dispatcher hands all but shmlink to the real xl, bytes, arguments,
# status and signals unchanged, and holds and relinks around a save.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"

# check WHAT HAVE WANT
check() { [ "$2" = "$3" ] || fail "$1"$'\n'"  have: $2"$'\n'"  want: $3"; }

mkdir bin
cp "$builddir/xl" bin/xl
cat >bin/xl-shmlink <<'SCRIPT'
#!/bin/sh
echo "shmlink:$*" >>log
echo "on stdout"
case $1 in
hold) [ ! -e hold-slow ] || sleep 1
    exit "$(cat hold-status 2>/dev/null || echo 0)" ;;
esac
SCRIPT
cat >real <<'SCRIPT'
#!/bin/bash
echo "real:$*" >>log
case ${*: -1} in
help)
    printf 'Usage xl\n\nxl full list of subcommands:\n\n'
    printf ' %-19s text\n' create save suspend restore resume migrate \
        migrate-receive list shutdown
    ;;
echo) cat ;;
status) exit 42 ;;
kill) kill -KILL $$ ;;
int) kill -INT $$; echo survived >>log ;;
wait) trap 'echo got-term >>log; exit 9' TERM; sleep 20 & wait $! ;;
esac
SCRIPT
chmod +x bin/xl-shmlink real
export XL_SHMLINK_REAL_XL=$work/real
unset XL_SHMLINK

# run ARGS...: what was called, in order, on one line, then the exit status.
run() {
    local status=0
    : >log
    bin/xl "$@" >out 2>err </dev/null || status=$?
    printf '%s(%s)' "$(tr '\n' '|' <log)" "$status"
}

check "plain" "$(run list -l x)" "real:list -l x|(0)"
check "options" "$(run -v -t list)" "real:-v -t list|(0)"
check "no command" "$(run)" "real:|(0)"
check "unknown option" "$(run -x shmlink)" "real:-x shmlink|(0)"
check "status" "$(run status)" "real:status|(42)"
check "shmlink" "$(run shmlink list -j)" "shmlink:list -j|(0)"
check "shmlink, options" "$(run -vf -N shmlink enable a b)" \
    "shmlink:-N enable a b|(0)"
check "no prefix of shmlink" "$(run shm list)" "real:shm list|(0)"
check "help of shmlink" "$(run help shmlink)" "shmlink:help|(0)"
check "help of save" "$(run help save)" "real:help save|(0)"
check "help" "$(run help)" "real:help|(0)"
check "help's line" "$(sed '1,4d' out | awk '/^ [^ ]/ {print $1}' | tail -1)" \
    shmlink

check "save" "$(run save a f)" "shmlink:hold -q a|real:save a f|shmlink:relink -q|(0)"
check "nothing on stdout" "$(cat out)" ""
check "save with options" "$(run -f save -c -- a f)" \
    "shmlink:hold -q a|real:-f save -c -- a f|shmlink:relink -q|(0)"
check "migrate" "$(run migrate -s '' -C cfg a host)" \
    "shmlink:hold -q a|real:migrate -s  -C cfg a host|shmlink:relink -q|(0)"
check "migrate --live" "$(run migrate --live a host)" \
    "shmlink:hold -q a|real:migrate --live a host|shmlink:relink -q|(0)"
check "save with -N" "$(run -N save a f)" "real:-N save a f|(0)"
check "save to nowhere" "$(run save -c a)" "real:save -c a|(0)"
check "save's help" "$(run save -h)" "real:save -h|(0)"
check "restore" "$(run restore f)" "real:restore f|shmlink:relink -q|(0)"
check "restore with a viewer" "$(run restore --vncviewer f)" \
    "real:restore --vncviewer f|shmlink:relink -q|(0)"
check "create" "$(run create -c web.cfg 'name="a b"' status)" \
    "shmlink:starting -c web.cfg name=\"a b\" status|real:create -c web.cfg name=\"a b\" status|(42)"
check "nothing on stdout" "$(cat out)" ""
check "beginning of create" "$(run cr web.cfg)" \
    "real:help|shmlink:starting web.cfg|real:cr web.cfg|(0)"
check "create with -N" "$(run -N create web.cfg)" "real:-N create web.cfg|(0)"
check "beginning of suspend" "$(run sus a)" \
    "real:help|shmlink:hold -q a|real:sus a|shmlink:relink -q|(0)"
check "beginning of two" "$(run mig a)" "real:help|real:mig a|(0)"
check "migrate-receive" "$(run migrate-receive)" "real:migrate-receive|(0)"
check "a save that fails" "$(run save a status)" \
    "shmlink:hold -q a|real:save a status|shmlink:relink -q|(42)"
echo 1 >hold-status
check "not closed" "$(run save a f)" "shmlink:hold -q a|shmlink:relink -q|(1)"
check "says so" "$(grep -c 'XL_SHMLINK=off' err)" 1
check "switched off" "$(XL_SHMLINK=off run save a f)" "real:save a f|(0)"
echo 3 >hold-status
check "no Xen" "$(run save a f)" \
    "shmlink:hold -q a|real:save a f|shmlink:relink -q|(0)"
rm hold-status
mv bin/xl-shmlink aside
check "no xl-shmlink" "$(run save a f)" "real:save a f|(0)"
check "no xl-shmlink, shmlink" "$(run shmlink list)" "(127)"
# As the dynamic loader ends a program whose libraries are gone.
printf '#!/bin/sh\necho "$1: no libxenlight" >&2; exit 127\n' >bin/xl-shmlink
chmod +x bin/xl-shmlink
check "after an upgrade" "$(run shmlink list)" "(127)"
check "says what to do" "$(grep -c 'build or install it again' err)" 1
check "a create after an upgrade" "$(run create f)" "real:create f|(0)"
check "a save after an upgrade" "$(run save a f)" "real:save a f|(0)"
check "says it once" "$(grep -c 'build or install it again' err)" 1

cp aside bin/xl-shmlink

# The console's: by exec, with the same standard input and signals.
head -c 300000 /dev/urandom >noise
bin/xl create web.cfg echo <noise >copy
cmp noise copy || failed=1
bin/xl migrate-receive echo <noise >copy
cmp noise copy || failed=1
bin/xl save a echo <noise >copy
cmp noise copy || failed=1

(bin/xl save a kill) >/dev/null 2>&1
check "killed" "$?" 137
: >log
bin/xl save a wait &
pid=$!
for ((i = 0; i < 100; i++)); do
    grep -q real: log && break
    sleep 0.1
done
kill -TERM "$pid"
wait "$pid"
check "signal passed on" "$? $(grep -c got-term log)" "9 1"

cat >bin/xl-shmlink <<'SCRIPT'
#!/bin/sh
echo $$ >>log
exec sleep 20
SCRIPT
: >log
bin/xl shmlink list &
pid=$!
for ((i = 0; i < 100; i++)); do
    [ ! -s log ] || break
    sleep 0.1
done
kill -KILL "$pid"
wait "$pid" 2>/dev/null
for ((i = 0; i < 100; i++)); do
    kill -0 "$(<log)" 2>/dev/null || break
    sleep 0.1
done
check "not outlived by xl-shmlink" "$i" "${i%100}"
mv aside bin/xl-shmlink

touch hold-slow
for signal in TERM HUP; do
    : >log
    # As in a terminal, even where this test runs under nohup.
    env --default-signal="$signal" bin/xl save a f &
    pid=$!
    for ((i = 0; i < 100; i++)); do
        grep -q hold log && break
        sleep 0.1
    done
    kill -s "$signal" "$pid"
    wait "$pid"
    check "SIG$signal while it holds" "$? $(tr '\n' '|' <log)" \
        "$((128 + $(kill -l "$signal"))) shmlink:hold -q a|shmlink:relink -q|"
done
rm hold-slow

(trap '' INT; bin/xl save a int) >/dev/null 2>&1
check "an ignored signal stays so" "$? $(grep -c survived log)" "0 1"
check "help without SIGCHLD" "$(trap '' CHLD; run help)" "real:help|(0)"

XL_SHMLINK_REAL_XL=$work/bin/xl timeout 5 bin/xl list >/dev/null 2>&1
check "a dispatcher is given as the real xl" "$?" 127

unset XL_SHMLINK_REAL_XL
if [ ! -e /usr/sbin/xl ] && [ ! -e /usr/local/sbin/xl ]; then
    mkdir other real-dir
    cp bin/xl other/xl
    cp real real-dir/xl
    PATH=$work/bin:$work/other:$work/real-dir:$PATH
    check "never another dispatcher" "$(run list)" "real:list|(0)"
fi
exit $failed
