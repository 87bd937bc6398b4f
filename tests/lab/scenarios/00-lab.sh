# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: the lab itself works: guests are up and reachable, `guest` passes
# output and exit status through, and traffic flows over the stock path.

note "exit status and output"
[ "$(guest vm1 'echo out; echo err >&2' 2>/dev/null)" = out ] ||
    fail "stdout of a guest's command"
[ "$(guest vm1 'echo out; echo err >&2' 2>&1 >/dev/null)" = err ] ||
    fail "stderr of a guest's command"
rc=0
guest vm2 'exit 7' || rc=$?
[ "$rc" = 7 ] || fail "exit status 7 came back as $rc"
[ "$(guest vm2 printf '%s|' 'a b' '' 'c"d')" = 'a b||c"d|' ] ||
    fail "words of a command are not kept"
rc=0
guest vm9 true 2>/dev/null || rc=$?
[ "$rc" = 255 ] || fail "unknown guest gave $rc"

note "much output, much input, two at once"
guest vm1 'head -c 300000 /dev/urandom >/tmp/r'
guest vm1 cat /tmp/r >/tmp/r
[ "$(sha256sum </tmp/r)" = "$(guest vm1 'sha256sum </tmp/r')" ] ||
    fail "output differs"
[ "$(sha256sum </tmp/r)" = "$(guest -i vm2 sha256sum </tmp/r)" ] ||
    fail "input differs"
start=$SECONDS
guest vm1 sleep 3 &
guest vm1 sleep 3
wait $!
[ $((SECONDS - start)) -lt 6 ] || fail "two commands do not run at once"

note "latency of guest vm1 true"
time guest vm1 true

for n in 1 2; do
    guest "vm$n" true
    [ "$(guest "vm$n" hostname)" = "vm$n" ] || fail "name of vm$n"
    ping -c 1 -W 3 "$(guest_ip "vm$n")" >/dev/null || fail "ping vm$n"
done
guest vm1 "ping -c 3 -i 0.2 $(guest_ip vm2)" || fail "ping vm2 from vm1"
guest vm1 "ping -c 1 $(guest_ip6 vm2)" >/dev/null || fail "ping over IPv6"

note "tools"
for tool in netperf iperf3 ethtool tcpdump ip tc ss python3 sha256sum timeout; do
    guest vm1 "command -v $tool" >/dev/null || fail "no $tool in the guest"
done
guest vm1 python3 -c 'import socket, hashlib, struct, select, os, time, \
threading, random, zlib, argparse, fcntl, json, subprocess' ||
    fail "python3 lacks a module"

note "stock path"
guest vm1 "netperf -P 0 -H $(guest_ip vm2) -t TCP_STREAM -l 3"
guest vm1 "netperf -P 0 -H $(guest_ip vm2) -t UDP_STREAM -l 3 -- -m 1400"
guest vm1 "netperf -P 0 -H $(guest_ip vm2) -t TCP_RR -l 3"
