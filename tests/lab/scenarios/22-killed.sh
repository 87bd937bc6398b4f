# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: xl shmlink enable and disable killed at random moments: the next
# command leaves nothing in xenstore, and a new enable works.
# lab: --guests 2 --timeout 600

. /lab/commands.sh
. /lab/link.sh

rounds=${ROUNDS:-6}
before=$(xenstore_now)
for signal in KILL INT TERM; do
    up=0 taken=0
    for ((round = 0; round < rounds; round++)); do
        # The shell says that a command was killed; that is meant.
        delay=0.$(printf '%03d' $((RANDOM % 400)))
        if ((round % 3 == 2)); then
            xl shmlink enable vm1 vm2 >/dev/null || fail "enable"
            timeout -s "$signal" "$delay" xl shmlink disable vm1 vm2 \
                >/dev/null 2>&1 || true
        else
            timeout -s "$signal" "$delay" xl shmlink enable vm1 vm2 \
                >/dev/null 2>&1 || true
        fi
        # After this one command it is either up or gone without a trace.
        case $(xl shmlink list -j | jq -r '.[0].state // "none"') in
        connected)
            up=$((up + 1))
            xl shmlink disable vm1 vm2 >/dev/null || fail "disable" ;;
        none) taken=$((taken + 1)) ;;
        *) fail "left after SIG$signal: $(xl shmlink list)" ;;
        esac
        same_xenstore "$before"
    done
    note "SIG$signal: $up left up, $taken taken back, of $rounds"
    xl shmlink enable vm1 vm2 || fail "enable after all that"
    expect_path link vm1 vm2
    xl shmlink disable vm1 vm2
done

note "two commands at once"
for ((round = 0; round < 5; round++)); do
    xl shmlink enable vm1 vm2 >/tmp/one 2>&1 &
    one=$!
    xl shmlink enable vm2 vm1 >/tmp/other 2>&1 &
    wait "$one" || fail "$(cat /tmp/one)"
    wait "$!" || fail "$(cat /tmp/other)"
    [ "$(cat /tmp/one /tmp/other | grep -c already)" = 1 ] ||
        fail "$(cat /tmp/one /tmp/other)"
    xl shmlink disable vm1 vm2 >/tmp/one 2>&1 &
    one=$!
    xl shmlink disable -a >/tmp/other 2>&1 &
    wait "$one" && wait "$!" || fail "disable twice at once"
    same_xenstore "$before"
done
expect_no_zombies
