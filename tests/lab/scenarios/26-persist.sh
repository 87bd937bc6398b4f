# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: a persistent link comes back by itself when a guest reboots, is held
# while the dispatcher saves one, outlives the service, and ends when disabled.
# lab: --guests 2 --timeout 600

. /lab/link.sh

serve() {
    xl-shmlink serve >>"$RESULTS/serve.log" 2>&1 &
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

enable --persist vm1 vm2
serve

note "a guest reboots"
old=$(xl domid vm1)
guest vm1 'reboot -f' >/dev/null 2>&1 &
wait_for 120 restarted "$old" || fail "vm1 does not come back"
begin=$(now_ms)
wait_for 5 linked || fail "not linked again: $(cat "$RESULTS/serve.log")"
note "RESULT linked $(($(now_ms) - begin)) ms after the driver was there"

grep -q 'vm1 and vm2 are linked again' "$RESULTS/serve.log" ||
    fail "the service does not say so"
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
expect_nothing_left
