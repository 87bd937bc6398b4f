# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: xl save, restore and migrate (to this host) of a linked guest under
# traffic, through the dispatcher: links close before and come back after,
# connections live on, and a save that fails brings them back as well.
# lab: --guests 3 --timeout 600
#
# Debian's Xen is built without shadow paging and so cannot migrate a PV guest
# live; the guest that migrates is PVH.

. /lab/commands.sh
. /lab/link.sh

linked() { [ "$(link_state "$1" "$2")" = connected ]; }
count_links() { xl shmlink list -j | jq length; }

# The open connection: 4 KB there and back every 20 ms, compared.
cat >/tmp/tick.py <<'PYTHON'
import os, socket, sys, time
role, address, port = sys.argv[1:4]
if role == "serve":
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", int(port)))
    listener.listen(4)
    while True:
        peer, _ = listener.accept()
        while True:
            data = peer.recv(65536)
            if not data:
                break
            peer.sendall(data)
sock = socket.create_connection((address, int(port)))
number = 0
while not os.path.exists("/tmp/stop"):
    message = (b"%08d" % number) * 512
    sock.sendall(message)
    got = b""
    while len(got) < len(message):
        part = sock.recv(65536)
        if not part:
            sys.exit("connection lost after %d" % number)
        got += part
    if got != message:
        sys.exit("wrong answer to %d" % number)
    number += 1
    time.sleep(0.02)
print(number)
PYTHON
boot_guest vm4 type=pvh
for g in vm1 vm2 vm4; do
    guest -i "$g" 'cat >/tmp/tick.py' </tmp/tick.py
done
guest vm2 'python3 /tmp/tick.py serve - 5005 </dev/null >/dev/null 2>&1 &'
wait_for 20 guest vm2 'ss -ltn | grep -q :5005' || fail "no tick service"

# tick DOM: a connection from DOM to vm2, until tick_end.
tick() {
    ticker=$1
    guest "$1" rm -f /tmp/stop
    guest "$1" "python3 /tmp/tick.py client $(guest_ip vm2) 5005" \
        >/tmp/ticks 2>/tmp/ticks.err &
    ticks=$!
    sleep 2
}
tick_end() {
    # What comes after the switch must arrive as well.
    sleep 2
    guest "$ticker" touch /tmp/stop
    wait "$ticks" || fail "the connection died: $(cat /tmp/ticks.err)"
    note "connection lived on: $(cat /tmp/ticks) answers"
}

enable vm1 vm2
enable vm3 vm1
domid=$(xl domid vm1)

note "checkpoint"
tick vm1
xl save -c vm1 /tmp/vm1.save || fail "xl save -c"
rm /tmp/vm1.save
linked vm1 vm2 || fail "no link after the checkpoint"
linked vm1 vm3 || fail "the other link is not back"
tick_end
expect_path link vm1 vm2

note "a save that fails"
xl save vm1 /no/such/folder/vm1.save 2>/tmp/err && fail "saved to nowhere"
tail -n 3 /tmp/err
linked vm1 vm2 && linked vm1 vm3 || fail "links are not back after a failure"

note "save and restore"
tick vm1
xl save vm1 /tmp/vm1.save || fail "xl save"
[ "$(count_links)" = 0 ] || fail "links of a guest that is gone"
expect_nothing_left
xl restore /tmp/vm1.save || fail "xl restore"
rm /tmp/vm1.save
[ "$(xl domid vm1)" != "$domid" ] || fail "the same domid again"
linked vm1 vm2 && linked vm1 vm3 || fail "links are not back after restore"
tick_end
expect_path link vm1 vm2
xl shmlink disable -a

note "migrate to this host, back end of one link and front end of the other"
enable vm4 vm2
enable vm3 vm4
for round in 1 2; do
    domid=$(xl domid vm4)
    tick vm4
    xl migrate -s '' vm4 'xl migrate-receive' || fail "xl migrate"
    [ "$(xl domid vm4)" != "$domid" ] || fail "the same domid again"
    linked vm4 vm2 && linked vm4 vm3 ||
        fail "links are not back after migration $round"
    tick_end
    expect_path link vm4 vm2
    expect_path link vm3 vm4
done

note "a migration that fails"
xl migrate -s '' vm4 'false' 2>/tmp/err && fail "migrated to nowhere"
tail -n 3 /tmp/err
linked vm4 vm2 && linked vm4 vm3 || fail "links are not back after a failure"
expect_path link vm4 vm2

note "a guest that cannot confirm is not saved behind its back"
xl pause vm2
status=0
xl save vm2 /tmp/vm2.save 2>/tmp/err || status=$?
cat /tmp/err
[ "$status" = 1 ] && grep -q 'XL_SHMLINK=off' /tmp/err ||
    fail "saved although the link was not closed ($status)"
grep -q 'vm2 .*paused' /tmp/err || fail "vm2 is not named as paused"
xl unpause vm2
rm -f /tmp/vm2.save
xl shmlink disable -a
destroy_guest vm4
expect_nothing_left
expect_no_zombies
