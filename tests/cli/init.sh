#!/bin/bash
# Goal: the init script starts the service once, says what is wrong with the
# file and starts nothing then, ends it, and does nothing in a guest.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"
for needed in /sbin/start-stop-daemon /lib/lsb/init-functions; do
    [ -e "$needed" ] || { echo "no $needed here"; exit 77; }
done

# What it starts, and what dom0's kernel says.
cat >xl-shmlink <<SCRIPT
#!/bin/sh
case \$* in
"serve --dry-run") [ ! -e wrong ] || { echo "line 2" >&2; exit 2; } ;;
serve) echo "serves" >&2; echo "\$\$" >>$work/started
    trap 'kill \$!; exit' TERM
    sleep 60 &
    wait ;;
esac
SCRIPT
chmod +x xl-shmlink
echo control_d >xen
sed -E "s,^DAEMON=.*,DAEMON=$work/xl-shmlink,; s,/proc/xen/capabilities,$work/xen,
    s,/run/shmlinkd,$work/shmlinkd,; s,/var/log/xen/,$work/log/,
    s,-m 700 [^ ]*/shmlink,-m 700 $work/state,; s,^PATH=,&$PATH:," \
    "$builddir/xl-plugin/units/shmlinkd.init" >init
chmod +x init

# script STATUS COMMAND
script() {
    local status=0
    ./init "$2" >out 2>&1 || status=$?
    [ "$status" = "$1" ] || fail "$2: $status: $(cat out)"
}
started() { wc -l 2>/dev/null <started || echo 0; }
# Has begun, in the background.
wait_started() { # HOW MANY TIMES
    local i
    for ((i = 0; i < 600; i++)); do
        [ "$(started)" = "$1" ] && return
        sleep 0.1
    done
    fail "started $(started) times, not $1"
}

script 3 ""
script 3 status
touch wrong
script 6 start
grep -q 'line 2' out || fail "it does not say what is wrong: $(cat out)"
rm wrong
script 0 start
wait_started 1
grep -q serves log/shmlinkd.log || fail "the log: $(cat log/*)"
script 0 status
script 0 start
touch wrong
script 6 restart
script 0 status
rm wrong
script 0 restart
wait_started 2
kill -0 "$(head -n 1 started)" 2>/dev/null && fail "the old one goes on"
script 0 stop
script 0 stop
kill -0 "$(tail -n 1 started)" 2>/dev/null && fail "it goes on"
script 3 status
# The number that it had is another process's now.
sleep 60 &
other=$!
echo "$other" >shmlinkd.pid
script 0 stop
kill -0 "$other" 2>/dev/null || fail "another process is ended"
echo "$other" >shmlinkd.pid
script 0 start
wait_started 3
script 0 stop
kill "$other"
echo >xen
script 0 start
[ "$(started)" = 3 ] || fail "started in a guest"
exit "$failed"
