#!/bin/bash
# Goal: whatever is in a file, reading it takes less than 256 MB and no minute,
# and nothing of it reaches the terminal that is not text.
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck source=tests/cli/lib.sh
. "${srcdir:-.}/tests/cli/lib.sh"
head='{"format": "shmlink-snapshot", "schema": 1'
uuid='00000000-0000-0000-0000-000000000001'

# Room for 256 MB and the libraries; not with sanitizers, which map terabytes.
limit=$((384 * 1024))
(ulimit -v "$limit" && "$program" --version) >/dev/null 2>&1 || limit=unlimited

# STATUS TEXT FILE: its exit status within the limits, and what it says.
expect() {
    local status=$1 text=$2 have=0
    (ulimit -v "$limit" && exec timeout 60 "$program" advise -c /dev/null \
        --from "$3") >out 2>&1 || have=$?
    [ "$have" = "$status" ] || fail "$3: exit status $have: $(head -c 400 out)"
    grep -q -- "$text" out || fail "$3: no '$text' in: $(head -c 400 out)"
    LC_ALL=C grep -q $'[\x80-\xff\x1b]' out && fail "$3: not text: $(od -c out)"
}

# Keys that mean nothing, 60 MB of them, cost nothing.
awk -v head="$head" 'BEGIN {
    print head ", \"x\": [{"
    for (i = 0; i < 4000000; i++)
        printf "\"k%d\":%d,\n", i, i % 10
    print "\"last\": []}]}" }' >keys.json
expect 1 'no online pCPU' keys.json

# What is kept is limited: here sets, of 512 bytes each for 30 in the file.
awk -v head="$head" -v uuid="$uuid" 'BEGIN {
    print head ", \"domains\": ["
    for (i = 1; i < 32752; i++) {
        set = "\"" i % 4000 ",4095\""
        vcpu = "{\"hard\": " set ", \"soft\": " set \
            ", \"hard_effective\": " set ", \"soft_effective\": " set "}"
        print (i > 1 ? "," : "") "{\"domid\": " i ", \"name\": \"\"," \
            "\"uuid\": \"" uuid "\", \"vcpus\": [" vcpu ", " vcpu "]}" }
    print "]}" }' >sets.json
expect 1 'in memory' sets.json

# Overlong, surrogates, beyond Unicode, cut off, controls of one and two bytes.
for bytes in '\xc1\x9b' '\xe0\x82\x9b' '\xed\xa0\x80' '\xf4\x90\x80\x80' \
    '\xff' '\xc3' '\xc2\x9b' '\x7f' '\x1b' '\\u009b' '\\ud800'; do
    printf "%s, \"host\": \"a${bytes}[31m\"}" "$head" >text.json
    expect 1 'UTF-8\|truncated\|control' text.json
    printf "%s, \"domains\": [{\"domid\": 1, \"type\": \"${bytes}\"}]}" \
        "$head" >word.json
    expect 1 'UTF-8\|control' word.json
done
# A word that is not known is told in what every terminal takes.
printf '%s, "domains": [{"domid": 1, "type": "\xc3\xa9t\xc3\xa9"}]}' "$head" \
    >word.json
expect 1 'unknown word "??t??"' word.json
printf '%s, "host": "a", "host": "b"}' "$head" >twice.json
expect 1 'host: stands twice' twice.json


# vms NR FIELDS [TRAFFIC]: so many VMs, each with these fields, and what each
# but the first exchanges with the first.
vms() {
    awk -v head="$head" -v nr="$1" -v fields="$2" -v traffic="${3-}" 'BEGIN {
        print head ", \"duration\": 1, \"pcpus\": ["
        for (i = 0; i < 4; i++)
            printf "%s{\"pcpu\": %d, \"core\": %d, \"socket\": 0," \
                "\"pool\": 0}", (i ? "," : ""), i, i
        print "], \"pools\": [{\"pool\": 0, \"pcpus\": \"0-3\"}]," \
            "\"domains\": ["
        for (i = 1; i <= nr; i++)
            printf "%s{\"domid\": %d, \"name\": \"\", \"uuid\": \"%08x-" \
                "0000-0000-0000-000000000000\", \"pool\": 0, %s}\n",
                (i > 1 ? "," : ""), i, i, fields
        print "], \"traffic\": ["
        for (i = 2; traffic && i <= nr; i++)
            printf "%s{\"from\": 1, \"to\": %d, %s}," \
                "{\"from\": %d, \"to\": 1, %s}\n", (i > 2 ? "," : ""),
                i, traffic, i, traffic
        print "]}" }'
}

# A file takes what it has, not what it may have.
(ulimit -v "$limit" && exec "$program" trace-report \
    "${srcdir:-.}/tests/data/two-pcpus.trace") >out 2>&1 ||
    fail "trace-report: $(head -c 400 out)"

# A hub of very many, and very many that are to be isolated: a third of a second
# of CPU time each, and ten times that were it not linear.
ulimit -t 3
few='"vcpus_online": 2, "vcpus": [{}, {}]'
value='"source": "counter", "value"'
vms 30000 "$few" "\"bytes\": {$value: 1e6}, \"packets\": {$value: 1e3}" >hub.json
expect 0 'What is wrong' hub.json
vms 30000 "$few"', "isolated": true' >isolated.json
expect 0 'NOT isolated' isolated.json

exit "$failed"
