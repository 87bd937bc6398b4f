# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Goal: each attack that there is, with the victim as front and as back end:
# what 19-hostile says of some.
# ROUNDS=N for more, which is other random ones each time; SEED=N to see the
# same ones again.
# lab: --guests 3 --timeout 7200

. /lab/link.sh
. /lab/hostile.sh

attacks=$(guest vm2 'python3 /lab/hostile.py') || fail "no attacks"
SEED=${SEED:-$RANDOM}
note "seed $SEED"
enable vm1 vm3
for ((round = 0; round < ${ROUNDS:-1}; round++)); do
    for role in back front; do
        # shellcheck disable=SC2086
        hostile_begin $attacks
        for name in $attacks; do
            attack "$name" "$role"
        done
        expect_unharmed
        SEED=$((SEED + 1))
    done
done
enable -s 128K vm2 vm1
expect_path link vm1 vm2
disable -a
expect_nothing_left
