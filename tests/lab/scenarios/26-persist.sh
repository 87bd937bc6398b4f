# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: a link that a guest's own configuration asks for is made when xl creates
# it, comes back by itself when the guest reboots, is held while the dispatcher
# saves one, outlives the service, and ends when disabled; so does one of
# shmlink.conf, which the service makes.
# lab: --guests 1 --timeout 600

. /lab/link.sh

serve() { # [OPTION...]
    xl-shmlink serve "$@" >>"$RESULTS/serve.log" 2>&1 &
    server=$!
}
linked() { [ "$(link_state vm1 vm2)" = connected ]; }
absent() { [ "$(link_state vm1 vm2)" = absent ]; }
# Looked for once a second: xl restarts the guest meanwhile, and takes its time.
restarted() { # OLD DOMID
    local now
    sleep 1
    now=$(xl domid vm1 2>/dev/null) && [ "$now" != "$1" ] &&
        xenstore-exists "/local/domain/$now/data/shmlink/versions"
}
now_ms() { echo $(($(date +%s%N) / 1000000)); }

serve
note "a guest's own configuration asks for it"
boot_guest vm2 'shmlink=[ "vm1", "7" ]' 2>"$RESULTS/create.log" ||
    fail "xl create: $(cat "$RESULTS/create.log")"
grep -q "vm2: shmlink: '7' is no name" "$RESULTS/create.log" ||
    fail "nothing is said of 7: $(cat "$RESULTS/create.log")"
wait_for 5 linked || fail "not linked: $(cat "$RESULTS/serve.log")"

note "a guest reboots"
old=$(xl domid vm1)
guest vm1 'reboot -f' >/dev/null 2>&1 &
wait_for 120 restarted "$old" || fail "vm1 does not come back"
begin=$(now_ms)
wait_for 5 linked || fail "not linked again: $(cat "$RESULTS/serve.log")"
note "RESULT linked $(($(now_ms) - begin)) ms after the driver was there"

[ "$(grep -c 'vm2 and vm1 are linked again' "$RESULTS/serve.log")" = 2 ] ||
    fail "the service does not say so: $(cat "$RESULTS/serve.log")"
expect_path link vm1 vm2

note "the service ends; the link does not"
nonce=$(xl shmlink list -j | jq -r '.[0].nonce')
kill -KILL "$server"
wait "$server" 2>/dev/null || true
linked || fail "the link ended with the service"
serve
sleep 3
[ "$(xl shmlink list -j | jq -r '.[0].nonce')" = "$nonce" ] ||
    fail "the service made another link"

note "held for a save, and back after it"
xl save vm2 /tmp/vm2.save || fail "save"
absent || fail "it is $(link_state vm1 vm2)"
xl restore /tmp/vm2.save || fail "restore"
rm /tmp/vm2.save
wait_for 10 linked || fail "not linked after the restore"

note "disabled is disabled"
disable vm1 vm2
sleep 3
[ "$(link_state vm1 vm2)" = none ] || fail "it is $(link_state vm1 vm2)"
kill -TERM "$server"
wait "$server" || fail "the service ends with $?"
expect_path vif vm1 vm2

note "shmlink.conf asks for it"
printf 'link = vm2 vm1\nlink = vm1 vm9\n' >/tmp/links.conf
serve -c /tmp/links.conf
wait_for 5 linked || fail "not linked: $(cat "$RESULTS/serve.log")"
grep -q 'vm1 and vm9 are linked once a VM vm9 runs' "$RESULTS/serve.log" ||
    fail "nothing is said of vm9: $(cat "$RESULTS/serve.log")"
[ "$(xl shmlink list -j | jq -c '.[] | select(.state == "absent").ends[1] |
    [.name, .domid, .uuid, .vif]')" = '["vm9",null,null,null]' ] ||
    fail "vm9 in the list: $(xl shmlink list -j)"
xl shmlink list | grep -qE '^vm1 .* vm9 +- +- ' ||
    fail "vm9 in the list: $(xl shmlink list)"
disable vm1 vm9
grep -hE '^(VmHWM|VmRSS)' "/proc/$server/status" | while read -r line; do
    note "RESULT service: $line"
done
echo 'link = vm2' >/tmp/links.conf
kill -TERM "$server"
wait "$server" || fail "the service ends with $?"
status=0
xl-shmlink serve -c /tmp/links.conf 2>>"$RESULTS/serve.log" || status=$?
[ "$status" = 2 ] || fail "a wrong file: $status"
linked || fail "a wrong file ends the link"
disable vm1 vm2
expect_nothing_left
