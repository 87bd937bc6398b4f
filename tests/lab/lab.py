# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's side of the lab: a QEMU that runs Xen, and how to talk to it."""
import base64
import fcntl
import json
import os
import random
import select
import socket
import subprocess
import sys
import time

RUN_DIR = "/run/shmlink-lab"
HERE = os.path.dirname(os.path.abspath(__file__))
CONTROL_PORTS = 4


class LabError(Exception):
    """Something that ends the run, in words for the user."""


def cache_dir():
    return os.environ.get("SHMLINK_LAB_CACHE", "/var/cache/shmlink-lab")


def known_kernels():
    """The guests' kernels that the lab knows: {version: release of Debian}."""
    with open(os.path.join(HERE, "image/kernels")) as table:
        return dict(line.split() for line in table if line[0] != "#")


def known_suites():
    """The releases that dom0 can be; the first is so by default."""
    return [release for release in known_kernels().values()
            if not release.endswith("-backports")]


def made_by(command, complaint):
    """What a script of ours says it made: (kind, path) of each line."""
    made = subprocess.run(command, stdout=subprocess.PIPE, check=False,
                          text=True)
    if made.returncode:
        raise LabError(complaint)
    return [line.split(" ", 1) for line in made.stdout.splitlines()]


class Images:
    """The folders of dom0's image and of the guests' kernels, the first of
    which is theirs by default. They are made where needed."""

    def __init__(self, suite, kernels):
        made = made_by([os.path.join(HERE, "image/images.sh"), suite, *kernels],
                       "the images could not be made")
        self.suite = suite
        self.dom0 = made[0][1]
        self.kernels = {kernel: path
                        for kernel, (_, path) in zip(kernels, made[1:])}

    def version(self, kernel):
        """The whole version of a kernel, as uname -r prints it."""
        with open(os.path.join(self.kernels[kernel], "version")) as version:
            return version.read().strip()


class Port:
    """A control port of dom0 (dom0/labd says how it is spoken to).

    Held under a lock, so that several programs can share the lab's ports.
    """

    def __init__(self, folder, name):
        self.lock = open(os.path.join(folder, name + ".lock"), "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.path.join(folder, name))
        self.buffer = b""

    def close(self):
        self.sock.close()
        self.lock.close()

    def send(self, **message):
        try:
            self.sock.sendall(json.dumps(message).encode() + b"\n")
        except OSError as err:
            raise LabError("the lab has gone") from err

    def receive(self, timeout, also=()):
        """The next message, or None when the time is over.

        None also as soon as one of the sockets in also can be read.
        """
        until = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            left = until - time.monotonic()
            if left <= 0 or self.sock not in select.select(
                    [self.sock, *also], [], [], left)[0]:
                return None
            try:
                data = self.sock.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                raise LabError("the lab has gone")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        try:
            return json.loads(line)
        except ValueError:
            return {}

    def hello(self, timeout):
        """Wait until labd answers; what was under way is ended."""
        number = random.getrandbits(48)
        until = time.monotonic() + timeout
        # Repeated, since labd may not have opened its end yet.
        while time.monotonic() < until:
            self.send(op="hello", id=number)
            again = time.monotonic() + 5
            while time.monotonic() < again:
                message = self.receive(again - time.monotonic())
                if message and message.get("hello") == number:
                    return True
        return False

    def give_input(self, data):
        """All of the standard input of the command that runs."""
        for at in range(0, len(data), 24576):
            self.send(op="in", data=base64.b64encode(
                data[at:at + 24576]).decode())
        self.send(op="eof")

    def run(self, argv, on_output, timeout=None, idle=None, env=None,
            also=(), data=b""):
        """Run a command with data as its input; on_output(fd, data) gets
        what it prints.

        idle() is called about every half second, and when a socket in also
        can be read; it may raise. Returns the exit status, or None when the
        time was over (the command is killed).
        """
        self.send(op="exec", argv=argv, env=env or {})
        self.give_input(data)
        until = time.monotonic() + timeout if timeout else None
        while True:
            message = self.receive(0.5, also)
            if idle:
                idle()
            if until and time.monotonic() > until:
                self.send(op="kill")
                grace = time.monotonic() + 15
                while time.monotonic() < grace:
                    message = self.receive(1)
                    if message and "out" in message:
                        on_output(message["out"],
                                  base64.b64decode(message["data"]))
                    elif message and "exit" in message:
                        break
                return None
            if not message:
                continue
            if "out" in message:
                on_output(message["out"], base64.b64decode(message["data"]))
            elif "exit" in message:
                return message["exit"]


def free_port(folder):
    """A control port that nobody uses."""
    for number in range(1, CONTROL_PORTS):
        try:
            return Port(folder, "lab.%d" % number)
        except BlockingIOError:
            continue
        except OSError as err:
            raise LabError("no lab is running in %s: %s" %
                           (folder, err.strerror)) from err
    raise LabError("all control ports of the lab are in use")


def current():
    """The folder of the running lab that was started last."""
    link = os.path.join(RUN_DIR, "current")
    if not os.path.exists(os.path.join(link, "lab.0")):
        raise LabError("no lab is running: start one with "
                       "tests/lab/run --keep")
    return os.path.realpath(link)


def pass_through(fd, data):
    stream = sys.stdout.buffer if fd == 1 else sys.stderr.buffer
    stream.write(data)
    stream.flush()
