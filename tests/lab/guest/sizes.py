#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Send messages of many sizes there and back, and compare every byte.

sizes.py serve PORT
sizes.py run HOST PORT WHAT SIZES

WHAT is tcp, udp or icmp; SIZES a list like 1-3000,3001-65507/61,65507 (icmp
and udp: of the payload, at most 65507 over IPv4). Sends from addresses that
are not aligned, and keeps some messages under way. "run" prints how many
sizes passed and the first that did not, and exits 1 for any.
"""
import os
import socket
import struct
import sys
import threading
import time

PATTERN = os.urandom(1 << 18)
WINDOW = 4
# What may be under way at once, so that no socket's buffer overflows.
WINDOW_BYTES = 100000


def payload(size):
    """Any size has its own bytes, from an odd or even address."""
    at = size * 7 % 4099
    return memoryview(PATTERN)[at:at + size]


def is_payload(data, size):
    """Compares bytes: against a memoryview Python takes each one by itself."""
    return data == bytes(payload(size))


def parse_sizes(text):
    sizes = []
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        sizes += range(int(first), int(last or first) + 1, int(step or 1))
    return list(dict.fromkeys(sizes))


def resolve(host, port, kind):
    return socket.getaddrinfo(host, port, type=kind)[0]


# --- the other end -----------------------------------------------------------

def echo_udp(port):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.bind(("", port))
    while True:
        data, peer = sock.recvfrom(65536)
        sock.sendto(data, peer)


def echo_tcp(sock):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := sock.recv(1 << 17):
        sock.sendall(data)


def serve(port):
    threading.Thread(target=echo_udp, args=(port,), daemon=True).start()
    listener = socket.create_server(("", port), family=socket.AF_INET6,
                                    dualstack_ipv6=True)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=echo_tcp, args=(sock,), daemon=True).start()


# --- this end ----------------------------------------------------------------

def receive_exactly(sock, size):
    """Less than that only at the end of the connection."""
    data = bytearray()
    while len(data) < size and (part := sock.recv(size - len(data))):
        data += part
    return data


def may_send(size, under_way):
    return not under_way or (len(under_way) < WINDOW and
                             sum(under_way) + size <= WINDOW_BYTES)


def run_tcp(host, port, sizes):
    sock = socket.create_connection((host, port), timeout=30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    bad = []
    todo = list(reversed(sizes))
    under_way = []
    for size in sizes:
        while todo and may_send(todo[-1], under_way):
            under_way.append(todo.pop())
            sock.sendall(payload(under_way[-1]))
        data = payload(size)
        got = receive_exactly(sock, under_way.pop(0))
        if is_payload(got, size):
            continue
        bad.append(size)
        print("tcp: %d of %d bytes came back, the first wrong at %s" % (
            len(got), size,
            next((at for at in range(len(got)) if got[at] != data[at]),
                 len(got))))
        if len(got) != size:
            break
    return bad


class Udp:
    """Datagrams are told apart by their size, which the pattern follows."""

    def __init__(self, host, port):
        info = resolve(host, port, socket.SOCK_DGRAM)
        self.sock = socket.socket(info[0], socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.sock.connect(info[4])

    def send(self, size):
        self.sock.send(payload(size))

    def receive(self, timeout):
        self.sock.settimeout(timeout)
        data = self.sock.recv(65536)
        return len(data), is_payload(data, len(data))


class Icmp:
    """The peer's kernel answers."""

    def __init__(self, host, _):
        info = resolve(host, 0, socket.SOCK_DGRAM)
        self.v6 = info[0] == socket.AF_INET6
        self.sock = socket.socket(
            info[0], socket.SOCK_RAW,
            socket.IPPROTO_ICMPV6 if self.v6 else socket.IPPROTO_ICMP)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.sock.connect(info[4])
        self.ident = os.getpid() & 0xffff

    @staticmethod
    def checksum(data):
        if len(data) % 2:
            data += b"\0"
        # The ones' complement sum of 16 bits is the remainder by 0xffff.
        return 0xffff - int.from_bytes(data, "big") % 0xffff

    def send(self, size):
        header = [128 if self.v6 else 8, 0, 0, self.ident, size & 0xffff]
        packet = struct.pack("!BBHHH", *header) + payload(size)
        if not self.v6:
            header[2] = self.checksum(packet)
            packet = struct.pack("!BBHHH", *header) + packet[8:]
        self.sock.send(packet)

    def receive(self, timeout):
        until = time.monotonic() + timeout
        while True:
            self.sock.settimeout(max(0.001, until - time.monotonic()))
            data = self.sock.recv(65600)
            if not self.v6:
                data = data[(data[0] & 15) * 4:]
            kind, _, _, ident, size = struct.unpack_from("!BBHHH", data)
            if kind == (129 if self.v6 else 0) and ident == self.ident:
                return size, is_payload(data[8:], size)


def run_datagrams(link, sizes):
    """Each size until it has come back whole; three losses are a failure."""
    todo = list(reversed(sizes))
    tries = dict.fromkeys(sizes, 0)
    under_way = {}
    bad = []
    while todo or under_way:
        while todo and may_send(todo[-1], under_way):
            size = todo.pop()
            tries[size] += 1
            under_way[size] = True
            link.send(size)
        try:
            size, right = link.receive(2)
        except (socket.timeout, BlockingIOError):
            for size in under_way:
                (bad if tries[size] >= 3 else todo).append(size)
            under_way = {}
            continue
        if not right:
            bad.append(size)
        under_way.pop(size, None)
    lost = sum(tries.values()) - len(tries)
    return bad, lost


def run(host, port, what, sizes):
    begin = time.monotonic()
    lost = 0
    if what == "tcp":
        bad = run_tcp(host, port, sizes)
    else:
        link = Udp(host, port) if what == "udp" else Icmp(host, port)
        bad, lost = run_datagrams(link, sizes)
    print("%s to %s: %d sizes, %d wrong%s, %d sent again, %.1f s" % (
        what, host, len(sizes), len(bad),
        " (first: %d)" % bad[0] if bad else "", lost,
        time.monotonic() - begin), flush=True)
    return 1 if bad else 0


def main():
    args = sys.argv[1:]
    if args[:1] == ["serve"] and len(args) == 2:
        serve(int(args[1]))
    elif (args[:1] == ["run"] and len(args) == 5 and
          args[3] in ("tcp", "udp", "icmp")):
        sys.exit(run(args[1], int(args[2]), args[3], parse_sizes(args[4])))
    else:
        sys.exit(__doc__)


main()
