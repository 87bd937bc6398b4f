# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a scenario can use. Sourced by run-scenario; boot_guest also serves the
# runner's own start of the guests.
#
#   guest [-i] NAME COMMAND...   run in a guest as root (a program of its own;
#                                one word: bash -c; more: executed as given;
#                                -i: with standard input)
#   boot_guest NAME [KEY=VALUE...]
#                                create a guest (an existing one of that name
#                                is destroyed first); KEY=VALUE are xl.cfg
#                                settings, or one of: bridge= backend= mac=
#                                ip= ip6= (on its one vif), driver=no,
#                                extra= (added to its command line), wait=no,
#                                kernel= (one of --guest-kernel), cpio= (instead
#                                of the usual root and the kernel's modules)
#   destroy_guest NAME           destroy it if it exists
#   fail TEXT, skip TEXT         end the scenario as failed or skipped
#   has [OPTION...] PATTERN      whether grep finds it in the standard input;
#                                reads all of it: where grep -q stops early,
#                                the writer dies of SIGPIPE and the pipe fails
#   mark NAME                    record the pCPUs' instruction counters;
#                                prints "TIME C0 C1 ..." (needs
#                                --count-instructions, else only the time)
#   note TEXT                    a line of progress with the time
#   wait_for SECONDS COMMAND...  until the command succeeds; else return 1; on a
#                                slow machine LAB_PATIENCE times as long
#   allow_console REGEX          lines that match (ERE) do not fail the run
#   guest_ip NAME, guest_ip6 NAME, guest_mac NAME, vif_of NAME
#   $RESULTS                     what is put here comes back to the host

lab_dir=/run/lab
RESULTS=${RESULTS:-/results}
# How long a guest's agent is waited for; see LAB_PATIENCE at wait_for.
export LAB_GUEST_TIMEOUT=${LAB_GUEST_TIMEOUT:-$((60 * ${LAB_PATIENCE:-1}))}
mkdir -p "$lab_dir" "$RESULTS"

note() { printf '[%s] %s\n' "$(date +%T)" "$*"; }

fail() {
    printf 'FAIL: %s\n' "$*" >&2
    exit 1
}

skip() {
    printf 'SKIP: %s\n' "$*" >&2
    exit 77
}

wait_for() {
    local until=$((SECONDS + $1 * ${LAB_PATIENCE:-1}))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep 0.2
    done
}

allow_console() { printf '%s\n' "$1" >>"$lab_dir/allow"; }

has() { grep "$@" | awk 'END { exit !NR }'; }

mark() {
    local fd reply
    # One reader and writer at a time: the port is exclusive.
    exec {fd}<>/dev/virtio-ports/lab.mark
    printf '%s\n' "$1" >&"$fd"
    IFS= read -r -t 10 -u "$fd" reply || fail "mark: no answer from the host"
    exec {fd}>&-
    printf '%s\n' "$reply"
}

guest_number() {
    local n=${1#vm}
    case $n in
    ''|*[!0-9]*) printf '%s' "$(($(cksum <<<"$1" | cut -d' ' -f1) % 100 + 100))" ;;
    *) printf '%s' "$n" ;;
    esac
}

guest_ip() { printf '10.77.0.%d\n' "$(($(guest_number "$1") + 10))"; }
guest_ip6() { printf 'fd77::%d\n' "$(($(guest_number "$1") + 10))"; }
guest_mac() { printf '00:16:3e:77:00:%02x\n' "$(guest_number "$1")"; }
vif_of() { printf 'vif%d.0\n' "$(xl domid "$1")"; }

destroy_guest() {
    xl domid "$1" >/dev/null 2>&1 || return 0
    xl destroy "$1"
    # Names stay taken until the last reference to the domain has gone.
    wait_for 20 lab_gone "$1" || fail "$1 does not go away"
}

lab_gone() { ! xl domid "$1" >/dev/null 2>&1; }

lab_quote() {
    case $1 in
    ''|*[!0-9]*) ;;
    *) printf '%s' "$1"; return ;;
    esac
    case $1 in
    '['*|'"'*|"'"*) printf '%s' "$1" ;;
    *) printf '"%s"' "$1" ;;
    esac
}

boot_guest() {
    local name=$1 arg key value vif driver=yes wait=yes extra='' ip ip6 mac
    local bridge=xenbr0 backend='' cpio='' cfg=$lab_dir/$1.cfg kernel
    local -A set=([type]=pv [memory]=352 [vcpus]=1)
    local image=vmlinux seconds=$LAB_GUEST_TIMEOUT
    shift
    kernel=$(head -n 1 "$lab_dir/kernels")
    ip=$(guest_ip "$name") ip6=$(guest_ip6 "$name") mac=$(guest_mac "$name")
    for arg; do
        key=${arg%%=*} value=${arg#*=}
        case $key in
        bridge|backend|driver|wait|extra|ip|ip6|mac|cpio|kernel)
            printf -v "$key" '%s' "$value" ;;
        *) set[$key]=$value ;;
        esac
    done
    vif="mac=$mac"
    if [ -n "$backend" ]; then
        vif+=",backend=$backend,script=/bin/true"
    else
        vif+=",bridge=$bridge"
    fi
    if [ "${set[type]}" = hvm ]; then
        # Its devices are emulated inside an emulator.
        image=vmlinuz seconds=$((5 * seconds))
        vif+=",type=vif"
    fi
    [ -e "/guest/$kernel/vmlinux" ] || fail "no kernel $kernel here"
    [ -n "$cpio" ] || cpio="/guest/guest.cpio /guest/$kernel/modules.cpio"
    # shellcheck disable=SC2086
    cat $cpio /lab/guest-extra.cpio >"$lab_dir/initrd.$$"
    mv "$lab_dir/initrd.$$" "$lab_dir/initrd"
    {
        printf 'name="%s"\nkernel="/guest/%s/%s"\n' \
            "$name" "$kernel" "$image"
        printf 'ramdisk="%s"\n' "$lab_dir/initrd"
        # The emulated TSC is found to be unstable in each boot, seconds after
        # it was called stable; Linux 6.12 has been seen to panic at that.
        printf 'extra="console=hvc0 panic=-1 tsc=unstable'
        printf ' lab.name=%s lab.ip=%s lab.ip6=%s' \
            "$name" "$ip" "$ip6"
        printf ' lab.driver=%s %s"\non_crash="preserve"\n' "$driver" "$extra"
        [ -n "${set[vif]:-}" ] || printf "vif=['%s']\n" "$vif"
        [ "${set[type]}" != hvm ] || printf 'vga="none"\nvnc=0\nnographic=1\n'
        # Emulated processors have no invariant TSC, as real ones do: PVH would
        # not boot, and Xen would emulate each RDTSC of a PV guest.
        [ -n "${set[tsc_mode]:-}" ] || printf 'tsc_mode="native"\n'
        for key in "${!set[@]}"; do
            printf '%s=%s\n' "$key" "$(lab_quote "${set[$key]}")"
        done
    } >"$cfg"
    destroy_guest "$name"
    xl create -q "$cfg" || fail "xl create $name"
    printf '%s\n' "$name" "$@" >"$lab_dir/$name.args"
    [ "$wait" = no ] || LAB_GUEST_TIMEOUT=$seconds guest "$name" true ||
        fail "$name does not come up"
}
