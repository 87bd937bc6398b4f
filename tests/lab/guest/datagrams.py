#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Send numbered UDP datagrams of changing size; count what becomes of them.

datagrams.py receive PORT SECONDS [GROUP]
datagrams.py send HOST PORT RATE SECONDS [SIZES]

"receive" ends after SECONDS, or a second after the sender has said that it is
done; GROUP is a multicast address to join. RATE is in datagrams per second,
SIZES a list like 24,1400,8000 that is cycled through (default: a mixture).
SECONDS may be a file's name for "send": go on until it exists. Each prints
one line of JSON.
"""
import json
import os
import socket
import struct
import sys
import time
import zlib

HEADER = struct.Struct("!QII")
DEFAULT_SIZES = (24, 100, 1400, 1472, 1473, 4000, 61, 8192)
LAST = (1 << 64) - 1
PATTERN = os.urandom(1 << 17)


def make(number, size):
    body = PATTERN[number % 4096:number % 4096 + size - HEADER.size]
    check = zlib.crc32(struct.pack("!QI", number, size) + body)
    return HEADER.pack(number, size, check) + body


def is_sound(data):
    number, size, check = HEADER.unpack_from(data)
    return size == len(data) and check == zlib.crc32(
        struct.pack("!QI", number, size) + data[HEADER.size:])


class Account:
    """Which numbers have come, and how."""

    def __init__(self):
        self.seen = set()
        self.highest = -1
        self.duplicates = self.reordered = self.corrupt = 0
        self.gaps = []
        self.last = None

    def take(self, data):
        now = time.time()
        if self.last and now - self.last >= 0.1:
            self.gaps.append([round(now, 4), round(now - self.last, 4)])
        self.last = now
        if len(data) < HEADER.size or not is_sound(data):
            self.corrupt += 1
            return
        number = HEADER.unpack_from(data)[0]
        if number in self.seen:
            self.duplicates += 1
            return
        self.seen.add(number)
        if number < self.highest:
            self.reordered += 1
        self.highest = max(self.highest, number)

    def report(self):
        print(json.dumps({
            "received": len(self.seen), "highest": self.highest,
            "duplicates": self.duplicates, "reordered": self.reordered,
            "corrupt": self.corrupt, "gaps": self.gaps}), flush=True)


def ip_mreqn(group):
    """Of <linux/in.h>; it needs no route to @group."""
    return (socket.inet_aton(group) + bytes(4) +
            struct.pack("@i", socket.if_nametoindex("eth0")))


def receive(port, seconds, group=None):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.bind(("", port))
    if group and ":" in group:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                        socket.inet_pton(socket.AF_INET6, group) +
                        struct.pack("@I", socket.if_nametoindex("eth0")))
    elif group:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        ip_mreqn(group))
    account = Account()
    until = time.monotonic() + seconds
    while True:
        left = until - time.monotonic()
        if left <= 0:
            break
        sock.settimeout(left)
        try:
            data = sock.recv(65536)
        except socket.timeout:
            break
        if len(data) == 8 and struct.unpack("!Q", data)[0] == LAST:
            until = min(until, time.monotonic() + 1)
        else:
            account.take(data)
    account.report()


def going_on(until):
    if isinstance(until, float):
        return time.monotonic() < until
    return not os.path.exists(until)


def send(host, port, rate, seconds, sizes):
    info = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(info[0], socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    if info[0] == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF,
                        socket.if_nametoindex("eth0"))
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                        ip_mreqn("0.0.0.0"))
    until = (time.monotonic() + float(seconds)
             if seconds.replace(".", "", 1).isdigit() else seconds)
    begin = time.monotonic()
    number = 0
    while going_on(until):
        try:
            sock.sendto(make(number, sizes[number % len(sizes)]), info[4])
            number += 1
        except ConnectionRefusedError:
            pass
        ahead = begin + number / rate - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
    # The last word may be lost like any other.
    for _ in range(3):
        time.sleep(0.1)
        sock.sendto(struct.pack("!Q", LAST), info[4])
    print(json.dumps({"sent": number,
                      "seconds": round(time.monotonic() - begin, 3)}))


def main():
    args = sys.argv[1:]
    if args[:1] == ["receive"] and len(args) in (3, 4):
        receive(int(args[1]), float(args[2]), *args[3:])
    elif args[:1] == ["send"] and len(args) in (5, 6):
        sizes = ([int(s) for s in args[5].split(",")] if len(args) == 6
                 else DEFAULT_SIZES)
        send(args[1], int(args[2]), float(args[3]), args[4], sizes)
    else:
        sys.exit(__doc__)


main()
