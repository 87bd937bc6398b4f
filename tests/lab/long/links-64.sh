# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: one guest has as many links as the protocol allows, half of them as the
# end that grants; each carries its own traffic, one more is refused, and when
# half of the peers go at once the others are unharmed.
# lab: --guests 1 --memory 15360 --timeout 7200

. /lab/link.sh

peers=64
export LAB_GUEST_TIMEOUT=600

# Half a guest, so that 65 fit into this machine's memory.
slim() {
    local lib=usr/lib/x86_64-linux-gnu part
    mkdir /run/slim
    cd /run/slim || fail "no folder"
    for part in /guest/guest.cpio /guest/*/modules.cpio; do
        cpio -id --quiet <"$part"
    done
    rm -rf usr/{lib,bin}/python3* usr/bin/{strace,tcpdump,rdma} \
        $lib/{libunistring,libdb-,libsqlite3,libssl,libmvec}* \
        $lib/{libnftables,libkrb5,libsepol,libgmp,libsystemd}* \
        usr/lib/modules/*/kernel/{net,drivers/target,drivers/net/bonding}
    find . | cpio -o -H newc --quiet >/run/slim.cpio
    cd /
    rm -rf /run/slim
}

# one_stream PEER: 1 MB from vm1 to it and back.
one_stream() {
    transfer vm1 "$1" 1000000
    transfer "$1" vm1 1000000
}

connected() {
    xl shmlink list -j | jq '[.[] | select(.state == "connected")] | length'
}

# Each peer, and what both ends have sent: all at once, since asking so many
# guests for their counters takes long.
sent_bytes() {
    xl shmlink list -j | jq -r '.[] | [(.ends[].name | select(. != "vm1")),
        ([.ends[].counters.tx_bytes] | add)] | @tsv' | LC_ALL=C sort
}

note "vm1, and $((peers + 1)) small peers"
slim
boot_guest vm1 memory=1024
for ((n = 2; n <= peers + 2; n++)); do
    # A tmpfs as root would be limited to half of the memory.
    boot_guest "vm$n" cpio=/run/slim.cpio memory=176 \
        extra=rootfstype=ramfs wait=no
    [ $((n % 4)) -ne 0 ] || { guest "vm$n" true; note "vm$n is up"; }
done
guest vm2 '[ -e /sys/module/shmlink ]' || fail "vm2 has no driver"
for ((n = 2; n <= peers + 2; n++)); do
    guest "vm$n" true || fail "vm$n does not come up"
done

note "links, the other way round for each second one"
begin=$SECONDS
for ((n = 2; n <= peers + 1; n++)); do
    if ((n % 2)); then enable -s 256K "vm$n" vm1; else
        enable -s 256K vm1 "vm$n"; fi
done
note "$peers links in $((SECONDS - begin)) s"
[ "$(connected)" = "$peers" ] || { xl shmlink list; fail "not $peers links"; }

note "one more is refused"
rc=0
xl shmlink enable -s 256K vm1 "vm$((peers + 2))" 2>"$RESULTS/refused" || rc=$?
cat "$RESULTS/refused"
[ "$rc" = 1 ] || fail "one more link: $rc"
grep -q 64 "$RESULTS/refused" || fail "the refusal does not say 64"
[ "$(link_state vm1 "vm$((peers + 2))")" = none ] || fail "something is left"

note "each of them carries what is sent to its peer"
vif=$(vif_bytes vm1)
sent_bytes >/tmp/before
for ((n = 2; n <= peers + 1; n++)); do
    one_stream "vm$n"
done
sent_bytes >/tmp/after
vif=$(($(vif_bytes vm1) - vif))
join /tmp/before /tmp/after | awk -v links="$peers" '
    $3 - $2 > 2e6 { n++; next } { print $1 ": only " $3 - $2 " bytes" }
    END { exit n != links }' || fail "not all by their links"
note "$vif bytes by vm1's vif meanwhile"
[ "$vif" -lt 200000 ] || fail "not all went by the links"

note "half of the peers are destroyed at once"
for ((n = 2; n <= peers / 2 + 1; n++)); do
    xl destroy "vm$n" &
done
wait
left=$((peers - peers / 2))
only_left() {
    [ "$(connected)" = "$left" ] &&
        [ "$(guest vm1 'ls -d /sys/class/net/shm*' | wc -w)" = "$left" ]
}
wait_for 60 only_left || { xl shmlink list; fail "not $left links are left"; }
for ((n = peers / 2 + 2; n <= peers + 1; n++)); do
    one_stream "vm$n"
done

note "a new one in place of an old, then all off"
enable -s 256K vm1 "vm$((peers + 2))"
begin=$SECONDS
xl shmlink disable -a vm1 || fail "disable -a"
note "$((left + 1)) links off in $((SECONDS - begin)) s"
[ "$(xl shmlink list -j | jq length)" = 0 ] || fail "links are left"
if xenstore-ls -f / | grep -E 'shmlink/[0-9]'; then fail "nodes are left"; fi
for ((n = 2; n <= peers + 2; n++)); do destroy_guest "vm$n"; done
