#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the ELF kernel that is packed in a bzImage: vmlinux.py BZIMAGE OUT.

Emulated, unpacking it takes some ten seconds, of each boot of dom0 and of each
guest. The fields are those of Linux' boot protocol, Documentation/arch/x86/
boot.rst: setup_sects, payload_offset and payload_length.
"""
import lzma
import struct
import sys
import zlib

MAGICS = {b"\xfd7zXZ\0": lzma.LZMADecompressor,
          b"\x1f\x8b": lambda: zlib.decompressobj(wbits=31)}


def main():
    with open(sys.argv[1], "rb") as source:
        image = source.read()
    if image[0x202:0x206] != b"HdrS":
        sys.exit(sys.argv[1] + ": not a bzImage")
    offset, length = struct.unpack_from("<II", image, 0x248)
    offset += (image[0x1f1] + 1) * 512
    payload = image[offset:offset + length]
    for magic, decompressor in MAGICS.items():
        if payload.startswith(magic):
            # What follows is the unpacked size.
            kernel = decompressor().decompress(payload)
            break
    else:
        sys.exit("%s: packed in an unknown way (%s)" % (sys.argv[1],
                                                        payload[:6].hex()))
    if not kernel.startswith(b"\x7fELF"):
        sys.exit(sys.argv[1] + ": holds no ELF kernel")
    with open(sys.argv[2], "wb") as out:
        out.write(kernel)


main()
