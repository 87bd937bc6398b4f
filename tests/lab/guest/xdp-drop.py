#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Drop all that an interface receives by an XDP program, until killed.

xdp-drop.py INTERFACE native|generic: attached by a BPF link, as programs do it
whose end is to be that of their filter; nothing but the kernel is needed.
"""
import ctypes
import os
import signal
import socket
import struct
import sys

BPF = 321                   # the system call on x86-64
PROG_LOAD, LINK_CREATE = 5, 28
PROG_TYPE_XDP, ATTACH_XDP = 6, 37
MODES = {"generic": 2, "native": 4}

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    fd = libc.syscall(BPF, command, buffer, 128)
    if fd < 0:
        sys.exit("xdp-drop: command %d: %s" % (
            command, os.strerror(ctypes.get_errno())))
    return fd


# r0 = XDP_DROP; exit
code = ctypes.create_string_buffer(
    struct.pack("<BBhiBBhi", 0xb7, 0, 0, 1, 0x95, 0, 0, 0))
licence = ctypes.create_string_buffer(b"GPL")
program = bpf(PROG_LOAD, struct.pack(
    "<IIQQIIQII16sII", PROG_TYPE_XDP, 2, ctypes.addressof(code),
    ctypes.addressof(licence), 0, 0, 0, 0, 0, b"drop", 0, ATTACH_XDP))
link = bpf(LINK_CREATE, struct.pack(
    "<IIII", program, socket.if_nametoindex(sys.argv[1]), ATTACH_XDP,
    MODES[sys.argv[2]]))
print("attached", flush=True)
signal.pause()
