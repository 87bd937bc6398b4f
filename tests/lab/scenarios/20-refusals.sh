# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: what enable refuses and why: one line, exit status 1, and xenstore as
# before; what is refused for dom0's sake works with --force.
# lab: --guests 2 --timeout 900

. /lab/commands.sh

note "usage"
expect_exit 2 'two domains' xl shmlink enable vm1
expect_exit 2 'power of two' xl shmlink enable -s 100K vm1 vm2
expect_exit 2 'SECONDS' xl shmlink enable -w never vm1 vm2
expect_exit 2 "unknown option '--hurry'" xl shmlink enable --hurry vm1 vm2
expect_exit 2 "no command 'enabel'" xl shmlink enabel vm1 vm2
expect_exit 2 'two domains are needed, or -a' xl shmlink disable vm1
expect_exit 0 'Usage: xl shmlink enable' xl shmlink enable --help

note "guests"
refused "no domain 'vm77'" xl shmlink enable vm1 vm77
refused "no domain '4711'" xl shmlink enable 4711 vm1
refused "no domain 'vm77'" xl shmlink disable vm1 vm77
refused 'same domain' xl shmlink enable vm1 "$(xl domid vm1)"
refused 'Domain-0 is not a guest' xl shmlink enable vm1 0
xl pause vm2
refused 'vm2 .* is paused; xl unpause vm2' xl shmlink enable vm1 vm2
xl unpause vm2
boot_guest vm3 driver=no
changed
refused 'vm3 .* has no shmlink driver.*modprobe' xl shmlink enable vm1 vm3

note "guests that say something, but do not answer"
d3=$(xl domid vm3)
for versions in '3 9' 'x' '1 1'; do
    xenstore-write "/local/domain/$d3/data/shmlink/versions" "$versions"
    changed
    case $versions in
    '3 9') refused 'versions 1 to 2, that of vm3 3 to 9' \
        xl shmlink enable vm1 vm3 ;;
    x) refused 'vm3 .* does not say' xl shmlink enable vm1 vm3 ;;
    *) refused 'vm3 .* did not answer within 1.0 s' \
        xl shmlink enable -w 1 vm1 vm3
       refused 'vm3 .* did not answer within 0.5 s' \
        xl shmlink enable -w 0.5 vm3 vm1 ;;
    esac
done

note "interrupted, in the middle"
made() { xenstore-ls -f / | grep '/backend/shmlink/.*/state' >/dev/null; }
for signal in INT TERM HUP; do
    before=$(xenstore_now)
    (wait_for 15 made && pkill "-$signal" -x xl-shmlink) &
    status=0
    # Scenarios ignore SIGINT; what timeout starts does not.
    timeout 60 xl shmlink enable -w 20 vm1 vm3 2>/tmp/out || status=$?
    cat /tmp/out
    wait
    [ "$status" = 1 ] || fail "exit status $status after SIG$signal"
    grep -q '^xl shmlink: interrupted; the link .* taken back$' /tmp/out ||
        fail "no word of the interruption"
    same_xenstore "$before"
done

note "bridges"
guest vm1 true
destroy_guest vm3
changed
vif=$(vif_of vm2)
ip link add xenbr1 type bridge
ip link set xenbr1 up
ip link set "$vif" master xenbr1
refused "$vif of vm2 on xenbr1" xl shmlink enable vm1 vm2
ip link set "$vif" nomaster
refused "$vif of vm2 is on no bridge" xl shmlink enable vm1 vm2
ip link set "$vif" master xenbr0
ip link del xenbr1

note "what dom0 enforces"
bridge link set dev "$vif" isolated on
limited "$vif of vm2 is an isolated port" vm1 vm2
bridge link set dev "$vif" isolated off
# More of it in 25-policy. This guest serves for all that follows.
mac=$(guest_mac vm3)
boot_guest vm3 "vif=['mac=$mac,bridge=xenbr0,rate=10Mb/s']" \
    max_grant_frames=4 on_poweroff=preserve
changed
refused "$(vif_of vm3) of vm3 has a rate limit.*--force" \
    xl shmlink enable vm3 vm1

note "no room"
refused 'vm3 .* may have 2048 grants' xl shmlink enable -f -s 4M vm1 vm3
refused 'vm3 .* may have 2048 grants' xl shmlink enable -f -N -s 2M vm1 vm3
expect_exit 0 'are linked' xl shmlink enable -f -s 128K vm1 vm3
changed
refused 'linked already, with rings of 128K' xl shmlink enable -s 1M vm1 vm3
expect_exit 0 'are linked already' xl shmlink enable -s 128K vm3 vm1
expect_exit 0 'not linked any more' xl shmlink disable vm3 vm1

note "no vif"
xl network-detach vm3 0
wait_for 20 eval '! xenstore-exists "/libxl/$(xl domid vm3)/device/vif/0"' ||
    fail "the vif does not go"
changed
refused 'vm3 .* has no vif' xl shmlink enable vm1 vm3
# As libxl notes a vif whose back end is in another guest.
note_of_libxl=/libxl/$(xl domid vm3)/device/vif
xenstore-write "$note_of_libxl/0/backend" \
    "/local/domain/$(xl domid vm2)/backend/vif/$(xl domid vm3)/0"
changed
refused 'vif 0 of vm3 is served by domain' xl shmlink enable vm1 vm3
xenstore-rm "$note_of_libxl"

note "a guest that is down but still there"
guest vm3 'poweroff -f' >/dev/null 2>&1 &
wait_for 20 eval 'xl list | grep -E "^vm3 .* ---s"' || fail "no shutdown"
changed
refused 'vm3 .* is shut down' xl shmlink enable vm3 vm1
destroy_guest vm3

note "nothing to do is no failure"
before=$(xenstore_now)
expect_exit 0 'not linked' xl shmlink disable vm1 vm2
expect_exit 0 '^0 links' xl shmlink disable -a
expect_exit 0 'Domain 1' xl shmlink list
same_xenstore "$before"
