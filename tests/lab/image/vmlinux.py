#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the ELF kernel that is packed in a bzImage: vmlinux.py BZIMAGE OUT.

Emulated, unpacking it takes some ten seconds, of each boot of dom0 and of each
guest. The fields are those of Linux' boot protocol, Documentation/arch/x86/
boot.rst: setup_sects, payload_offset and payload_length.
"""
import lzma
import struct
import subprocess
import sys
import zlib


def unzstd(payload):
    """Without the size behind it, of which zstd would complain."""
    return subprocess.run(["zstd", "-dc"], input=payload[:-4], check=True,
                          stdout=subprocess.PIPE).stdout


# What follows the packed kernel is its size.
MAGICS = {b"\xfd7zXZ\0": lambda p: lzma.LZMADecompressor().decompress(p),
          b"\x1f\x8b": lambda p: zlib.decompressobj(wbits=31).decompress(p),
          b"\x28\xb5\x2f\xfd": unzstd}


def main():
    with open(sys.argv[1], "rb") as source:
        image = source.read()
    if image[0x202:0x206] != b"HdrS":
        sys.exit(sys.argv[1] + ": not a bzImage")
    offset, length = struct.unpack_from("<II", image, 0x248)
    offset += (image[0x1f1] + 1) * 512
    payload = image[offset:offset + length]
    for magic, unpack in MAGICS.items():
        if payload.startswith(magic):
            kernel = unpack(payload)
            break
    else:
        sys.exit("%s: packed in an unknown way (%s)" % (sys.argv[1],
                                                        payload[:6].hex()))
    if not kernel.startswith(b"\x7fELF"):
        sys.exit(sys.argv[1] + ": holds no ELF kernel")
    with open(sys.argv[2], "wb") as out:
        out.write(kernel)


main()
