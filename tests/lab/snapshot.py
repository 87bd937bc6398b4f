# SPDX-License-Identifier: GPL-2.0-or-later
"""Snapshots of a booted host, so that a run begins in seconds.

A snapshot is QEMU's migration stream of a stopped machine and the overlay of
its root disk, made once per kind of host and guests, without the product: that
is put in after it is resumed, as with --attach. Its name is a hash of all that
it was made from.
"""
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

import lab

KEEP = 5


class Qmp:
    """QEMU's control socket, as far as it is needed here."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(120)
        self.sock.connect(path)
        self.stream = self.sock.makefile("rw")
        self.stream.readline()
        self.call("qmp_capabilities")

    def close(self):
        self.stream.close()
        self.sock.close()

    def call(self, command, **arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = {k.replace("_", "-"): v
                                    for k, v in arguments.items()}
        self.stream.write(json.dumps(request) + "\n")
        self.stream.flush()
        while True:
            line = self.stream.readline()
            if not line:
                raise lab.LabError("QEMU has gone")
            reply = json.loads(line)
            if "error" in reply:
                raise lab.LabError("QEMU: %s: %s" % (
                    command, reply["error"]["desc"]))
            if "return" in reply:
                return reply["return"]

    def wait_migrated(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            status = self.call("query-migrate").get("status")
            if status == "completed":
                return
            if status in ("failed", "cancelled"):
                break
            time.sleep(0.1)
        raise lab.LabError("the snapshot could not be written or read")


def folder(images, options, guests, kind):
    """Where the snapshot of such a host is, whether it exists or not."""
    made_from = hashlib.sha256()
    version = subprocess.run(["qemu-system-x86_64", "--version"], check=True,
                             stdout=subprocess.PIPE).stdout
    host = {k: v for k, v in options.items() if k != "count_instructions"}
    made_from.update(version + json.dumps(
        [images.dom0, images.kernels, host, guests, kind], sort_keys=True).encode())
    for name in ("machine.py", "dom0/start", "dom0/labd", "dom0/lib.sh",
                 "dom0/ensure-guests"):
        with open(os.path.join(lab.HERE, name), "rb") as source:
            made_from.update(source.read())
    return os.path.join(lab.cache_dir(), "snapshots",
                        made_from.hexdigest()[:16])


def exists(path):
    return os.path.exists(os.path.join(path, "ram"))


def prepare_disk(images, path):
    """A new folder beside PATH, with an overlay for the root disk."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    work = tempfile.mkdtemp(prefix="tmp.", dir=os.path.dirname(path))
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw",
                    "-b", os.path.join(images.dom0, "dom0.img"),
                    os.path.join(work, "root.qcow2")], check=True)
    return work


def save(machine, work, path):
    """Write the running machine into WORK and give it its name PATH."""
    qmp = Qmp(os.path.join(machine.folder, "qmp"))
    qmp.call("stop")
    qmp.call("migrate-set-parameters", max_bandwidth=1 << 40)
    qmp.call("migrate", uri="exec:cat >'%s'" % os.path.join(work, "ram.tmp"))
    qmp.wait_migrated(120)
    qmp.call("quit")
    qmp.close()
    machine.wait()
    os.rename(os.path.join(work, "ram.tmp"), os.path.join(work, "ram"))
    if not os.path.isdir(path):
        os.rename(work, path)
    else:
        shutil.rmtree(work)
    prune(os.path.dirname(path))


def prune(base):
    """Keep those used last; remove what a killed run left."""
    dirs = [os.path.join(base, name) for name in os.listdir(base)]
    for stale in dirs:
        if os.path.basename(stale).startswith("tmp.") and \
                os.path.getmtime(stale) < time.time() - 1800:
            shutil.rmtree(stale, ignore_errors=True)
    done = sorted((d for d in dirs if exists(d)), key=os.path.getmtime)
    for old in done[:-KEEP]:
        shutil.rmtree(old, ignore_errors=True)


def resume(machine, path):
    """Wait until a machine started from PATH has its state; let it run."""
    os.utime(path)
    qmp = Qmp(os.path.join(machine.folder, "qmp"))
    qmp.wait_migrated(60)
    qmp.call("cont")
    qmp.close()
