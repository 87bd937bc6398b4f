#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What programs ask of sockets besides sending and receiving.

sockets.py stamps HOST PORT   send 20 datagrams and ask when they were queued
                              and when they left; prints how often it was told
sockets.py segments HOST PORT send 600 datagrams of 1000 bytes, 30 at a time
                              (UDP segmentation)
sockets.py count PORT         count those, until 3 seconds pass without one
sockets.py raw TO FROM        frames of 14 to 1514 bytes between two MACs, from
                              a raw socket on eth0
"""
import select
import socket
import struct
import sys

SO_TIMESTAMPING, SO_EE_ORIGIN_TIMESTAMPING = 37, 4
TX_SOFTWARE, SOFTWARE, TX_SCHED = 1 << 1, 1 << 4, 1 << 8
SCM_TSTAMP_SND, SCM_TSTAMP_SCHED = 0, 1
UDP_SEGMENT, SO_RCVBUFFORCE = 103, 33


def stamps(host, port):
    told = {SCM_TSTAMP_SCHED: 0, SCM_TSTAMP_SND: 0}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING,
                        TX_SOFTWARE | SOFTWARE | TX_SCHED)
        poll = select.poll()
        poll.register(sock, select.POLLERR)
        for _ in range(20):
            sock.sendto(b"x" * 100, (host, int(port)))
            while poll.poll(100):
                ancillary = sock.recvmsg(2048, 1024, socket.MSG_ERRQUEUE)[1]
                for level, _, data in ancillary:
                    if level == socket.SOL_SOCKET:
                        continue
                    error, origin, _, _, _, info = struct.unpack_from(
                        "=IBBBBI", data)
                    if origin == SO_EE_ORIGIN_TIMESTAMPING and error:
                        told[info] += 1
    print(told[SCM_TSTAMP_SCHED], told[SCM_TSTAMP_SND])


def segments(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
        for n in range(20):
            sock.sendto(bytes([n]) * 30000, (host, int(port)))


def count(port):
    whole = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        sock.bind(("", int(port)))
        sock.settimeout(30)
        try:
            while whole < 600:
                whole += len(sock.recv(2000)) == 1000
                sock.settimeout(3)
        except socket.timeout:
            pass
    print(whole)


def raw(to, source):
    header = bytes.fromhex((to + source).replace(":", "")) + b"\x88\xb5"
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind(("eth0", 0))
        for size in (14, 15, 60, 64, 1514):
            sock.send(header.ljust(size, b"\5"))


{"stamps": stamps, "segments": segments, "count": count,
 "raw": raw}[sys.argv[1]](*sys.argv[2:])
