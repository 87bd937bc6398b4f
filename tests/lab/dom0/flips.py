#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Judge what 11-flips.sh has recorded: flips.py FOLDER LEAST-BYTES."""
import json
import statistics
import sys

FOLDER = sys.argv[1]


def load(name):
    with open("%s/%s.json" % (FOLDER, name)) as source:
        return json.load(source)


def stream_problems(name):
    vm1, vm2 = load(name + "-vm1"), load(name + "-vm2")
    for one, other, what in ((vm1, vm2, "vm1 to vm2"),
                             (vm2, vm1, "vm2 to vm1")):
        mb = one["sent_bytes"] / 1e6
        print("%s, TCP %s: %.0f MB in %.0f s, %.0f Mb/s, sha256 %s" % (
            name, what, mb, one["seconds"], mb * 8 / one["seconds"],
            one["sent_sha256"][:16]))
        if (one["sent_bytes"], one["sent_sha256"]) != (
                other["received_bytes"], other["received_sha256"]):
            yield "%s: what %s sent is not what arrived" % (name, what)


def datagrams(name):
    sent, got = load(name + "-sent"), load(name + "-received")
    lost = sent["sent"] - got["received"]
    print("%s, UDP: %d sent, %d lost, %d twice, %d reordered, %d damaged" % (
        name, sent["sent"], lost, got["duplicates"], got["reordered"],
        got["corrupt"]))
    return sent["sent"], lost, got


def gaps(name):
    """Pauses of the TCP reception at either end: (begin, end)."""
    return [(end - length, end) for vm in ("-vm1", "-vm2")
            for end, length in load(name + vm)["gaps"]]


def stall_ms(seconds):
    """Pauses shorter than the stream's GAP are not recorded."""
    least = load("flips-vm1")["least_gap"]
    return "%.0f" % (1e3 * seconds) if seconds else "under %.0f" % (1e3 * least)


def flip_stalls():
    """For each flip the longest pause that overlaps it."""
    pauses = gaps("flips")
    with open(FOLDER + "/flips") as lines:
        flips = [line.split() for line in lines]
    for kind in ("enable", "disable"):
        stalls, lasted = [], []
        for what, begin, end in flips:
            if what == kind:
                begin, end = float(begin), float(end)
                lasted.append(end - begin)
                stalls.append(max([b - a for a, b in pauses
                                   if b > begin and a < end], default=0.0))
        print("%s: command %.0f ms; traffic stalled for %s ms in the "
              "median, %s ms in 9 of 10, %s ms at most" % (
                  kind, 1e3 * statistics.median(lasted),
                  stall_ms(statistics.median(stalls)),
                  stall_ms(sorted(stalls)[int(len(stalls) * 0.9)]),
                  stall_ms(max(stalls))))


def main():
    problems = []
    lost = {}
    for name in ("vif", "link", "fast", "flips"):
        problems += stream_problems(name)
        number, missing, got = datagrams(name)
        lost[name] = missing / number
        dropped = load(name + "-dropped")
        if dropped:
            print("%s: %d packets of all kinds dropped by vifs and sockets" %
                  (name, dropped))
        if got["duplicates"] or got["corrupt"]:
            problems.append(name + ": datagrams came twice or damaged")
        pauses = sorted(b - a for a, b in gaps(name))
        print("%s: longest pauses in ms: %s" % (
            name, " ".join("%.0f" % (1e3 * p) for p in pauses[-5:])))
    flip_stalls()
    total = load("flips-vm1")["sent_bytes"] + load("flips-vm2")["sent_bytes"]
    if total < int(sys.argv[2]):
        problems.append("only %d bytes carried" % total)
    # One datagram of grace: the last may be on its way at the end.
    allowed = max(lost["vif"], lost["link"])
    sent = load("flips-sent")["sent"]
    if lost["flips"] * sent > allowed * sent + 1:
        problems.append("flips lose datagrams")
    for problem in problems:
        print("WRONG: " + problem)
    sys.exit(1 if problems else 0)


main()
