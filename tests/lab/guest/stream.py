#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Send random bytes both ways over one TCP connection and hash them.

stream.py serve PORT
stream.py run HOST PORT BYTES [STOP [RATE]]

Each end sends at least BYTES, at most RATE bytes a second where it is given;
"run" goes on until the file STOP exists, where it is given, and "serve" until
its peer has ended. Prints one line of JSON: bytes and sha256 of each
direction, the seconds it took, and every pause in reception of at least GAP
seconds ("least_gap") as [end of pause, length], by the wall clock. Each end
also knows what must come: "wrong" lists the first stretches that differ, as
[offset, bytes, expected, got], which tells a damaged stream from a damaged
hash.
"""
import hashlib
import json
import os
import random
import select
import socket
import struct
import sys
import time

GAP = 0.08
BLOCK = 1 << 18
# With a rate: small enough that pacing alone makes no pause.
PACED_BLOCK = 1 << 16
WRONG_MAX = 8


class Transfer:
    """One end of the connection. more() says whether to go on sending."""

    def __init__(self, sock, least, rate, seed, more):
        self.sock = sock
        self.least = least
        self.rate = rate
        self.more = more
        self.receiving = True
        self.sent = hashlib.sha256()
        self.received = hashlib.sha256()
        self.sent_bytes = self.received_bytes = 0
        self.gaps = []
        self.wrong = []
        self.size = PACED_BLOCK if rate else BLOCK
        self.block = random.Random(seed).randbytes(2 * BLOCK)
        self.pending = b""

    def wants_to_send(self):
        return self.pending or self.sent_bytes < self.least or self.more(self)

    def may_send(self, begin):
        return (not self.rate or
                self.sent_bytes <= self.rate * (time.time() - begin))

    def stretch(self, at):
        """What the stream holds from offset at to the end of its block."""
        begin = at - at % self.size
        # Another stretch each time, at odd offsets as well.
        first = begin % 65537
        return self.block[first + at - begin:first + self.size]

    def compare(self, data):
        """Note where what has come differs from what was to come."""
        at = self.received_bytes
        while data:
            want = self.stretch(at)[:len(data)]
            got = data[:len(want)]
            if got != want and len(self.wrong) < WRONG_MAX:
                bad = [n for n in range(len(want)) if want[n] != got[n]]
                first, last = bad[0], bad[-1] + 1
                self.wrong.append([
                    at + first, last - first,
                    bytes(want[first:last][:16]).hex(),
                    bytes(got[first:last][:16]).hex()])
            at += len(want)
            data = data[len(want):]

    def send(self):
        if not self.pending:
            self.pending = self.stretch(self.sent_bytes)
        number = self.sock.send(self.pending)
        self.sent.update(self.pending[:number])
        self.pending = self.pending[number:]
        self.sent_bytes += number

    def run(self):
        self.sock.setblocking(False)
        # Not a round of this loop for each packet: hashing needs the time.
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, self.size)
        poll = select.poll()
        buffer = bytearray(BLOCK)
        sending = True
        begin = last = time.time()
        while sending or self.receiving:
            mask = select.POLLIN if self.receiving else 0
            if sending and not self.wants_to_send():
                self.sock.shutdown(socket.SHUT_WR)
                sending = False
            paced = sending and not self.may_send(begin)
            poll.register(self.sock, mask | (
                select.POLLOUT if sending and not paced else 0))
            events = poll.poll(5 if paced else 60000)
            if not events and not paced:
                raise OSError("no progress for 60 s")
            for _, event in events:
                if self.receiving and event & ~select.POLLOUT:
                    number = self.sock.recv_into(buffer)
                    now = time.time()
                    if now - last >= GAP:
                        self.gaps.append([round(now, 4), round(now - last, 4)])
                    last = now
                    # Bytes: of memoryviews, each byte would be compared.
                    data = bytes(memoryview(buffer)[:number])
                    self.received.update(data)
                    self.compare(data)
                    self.received_bytes += number
                    self.receiving = number > 0
                if sending and event & select.POLLOUT:
                    self.send()
        return time.time() - begin


def report(transfer, seconds):
    print(json.dumps({
        "sent_bytes": transfer.sent_bytes,
        "sent_sha256": transfer.sent.hexdigest(),
        "received_bytes": transfer.received_bytes,
        "received_sha256": transfer.received.hexdigest(),
        "seconds": round(seconds, 3),
        "wrong": transfer.wrong, "least_gap": GAP,
        "gaps": transfer.gaps}), flush=True)


def serve(port):
    listener = socket.create_server(("", port), family=socket.AF_INET6,
                                    dualstack_ipv6=True)
    sock, _ = listener.accept()
    least, rate, seed = struct.unpack("!QQQ",
                                      sock.recv(24, socket.MSG_WAITALL))
    transfer = Transfer(sock, least, rate, seed, lambda self: self.receiving)
    report(transfer, transfer.run())


def connect(host, port):
    until = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection((host, port), timeout=10)
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def run(host, port, least, stop=None, rate="0"):
    sock = connect(host, port)
    seed = int.from_bytes(os.urandom(8), "big")
    sock.sendall(struct.pack("!QQQ", least, int(rate), seed))
    transfer = Transfer(
        sock, least, int(rate), seed,
        lambda _: bool(stop) and not os.path.exists(stop))
    report(transfer, transfer.run())


def main():
    if sys.argv[1:2] == ["serve"] and len(sys.argv) == 3:
        serve(int(sys.argv[2]))
    elif sys.argv[1:2] == ["run"] and len(sys.argv) in (5, 6, 7):
        run(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:])
    else:
        sys.exit(__doc__)


main()
