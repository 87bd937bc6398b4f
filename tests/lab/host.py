# SPDX-License-Identifier: GPL-2.0-or-later
"""One booted host, and the scenarios that run on it."""
import itertools
import math
import os
import re
import shutil
import subprocess
import threading
import time

import lab
import snapshot
from machine import Machine

USUAL_BOOT = 90  # seconds, of dom0: where it takes less, patience is 1
HOST_OPTIONS = ("suite", "guest_kernel", "xenstored", "topology", "sched",
                "dom0_vcpus", "memory", "count_instructions")

# What a console must not show. Xen's own lines begin with "(XEN)".
BAD = re.compile(
    r"Kernel panic|\bOops\b|\bBUG:|kernel BUG at|WARNING: |soft lockup|"
    r"hard LOCKUP|general protection fault|Call Trace:|unable to handle|"
    r"self-detected stall|detected stalls|blocked for more than|"
    r"segfault at|\btraps: |Xen BUG at|Xen call trace|Panic on CPU|"
    r"Assertion '.*' failed|domain_crash|Xen WARN at|FATAL TRAP|"
    r"lab: shmlink.ko does not load")
FATAL = re.compile(r"Panic on CPU|FATAL TRAP|Kernel panic")


class Session:
    """What the hosts of one run share, which are in threads of their own."""

    def __init__(self, args, product, results, single):
        self.args = args
        self.product = product
        self.images = {}
        self.results = results
        self.numbers = itertools.count(0 if single else 1)
        self.begin = time.monotonic()
        self.stopping = threading.Event()
        self.lock = threading.Lock()

    def prepare(self, scenario):
        """Make what a scenario's host consists of, where it is not there."""
        key = scenario.suite, scenario.guest_kernel
        if key not in self.images:
            images = self.images[key] = lab.Images(*key)
            images.stage = self.product.stage(images)
            images.drivers = self.product.drivers(images)

    def say(self, text):
        with self.lock:
            print("[%5.1f s] %s" % (time.monotonic() - self.begin, text),
                  flush=True)

    def folder(self):
        """Where the next host's results and consoles go."""
        number = next(self.numbers)
        if not number:
            return self.results
        folder = os.path.join(self.results, "host%d" % number)
        os.makedirs(folder, exist_ok=True)
        return folder


class Host:
    """A machine that has booted Xen, and what is done there.

    patience: how many times as long as usual is waited there, since the machine
    under it is slow, or busy with another host.
    """

    def __init__(self, session, results):
        self.session = session
        self.args = session.args
        self.images = None
        self.results = results
        self.machine = None
        self.port = None
        self.options = None
        self.patience = self.args.hosts
        self.fresh = False
        self.line = {1: b"", 2: b""}

    def say(self, text):
        self.session.say(text)

    def watch(self):
        """Called often: stops the run where it cannot go on."""
        if self.session.stopping.is_set():
            raise lab.LabError("stopped")
        self.machine.pump()
        for line in self.machine.new_console_lines(peek=True):
            if FATAL.search(line) and "dom0" in line.split(" ", 1)[0]:
                raise lab.LabError("the host crashed: " + line)

    def start(self, machine, seconds, product=True):
        """Start a machine and wait until its dom0 answers."""
        self.machine = machine
        machine.start(product)
        if machine.incoming:
            snapshot.resume(machine, os.path.dirname(machine.incoming))
        self.port = lab.Port(machine.folder, "lab.0")
        begin = time.monotonic()
        while not self.port.hello(2):
            self.watch()
            if time.monotonic() > begin + seconds:
                raise lab.LabError("dom0 does not come up, see %s" %
                                   machine.serial)
        self.patience = max(self.args.hosts, math.ceil(
            (time.monotonic() - begin) / USUAL_BOOT))

    def end_machine(self):
        if self.port:
            self.port.close()
        if self.machine:
            self.machine.stop()
        self.port = self.machine = None

    def have(self, scenario):
        """Be the host that a scenario needs, with its guests."""
        self.options = scenario.host
        self.images = self.session.images[scenario.suite,
                                          scenario.guest_kernel]
        if self.args.attach:
            self.attach()
        else:
            self.boot(scenario.guests, scenario.type)
        self.ensure_guests(scenario.guests, scenario.type, False, None)

    def boot(self, guests, kind):
        options = dict(zip(HOST_OPTIONS, self.options))
        machine = Machine(options, self.results, self.args, self.images)
        if not self.args.snapshot:
            self.say("starting Xen (%s)" % machine.describe())
            self.start(machine, 600)
            self.say("dom0 is up")
            return
        path = snapshot.folder(self.images, options, guests, kind)
        if not snapshot.exists(path):
            self.make_snapshot(machine, path, guests, kind)
            machine = Machine(options, self.results, self.args, self.images)
        self.say("resuming Xen (%s)" % machine.describe())
        machine.use_snapshot(path)
        self.start(machine, 120)
        # Past the page cache, which is the snapshot's.
        self.refresh(["dd if=/dev/vdb bs=1M count=%d iflag=direct "
                      "status=none | tar -x -C /" % machine.payload_mb])
        self.say("dom0 and its guests are up")

    def make_snapshot(self, machine, path, guests, kind):
        """Boot a host with guests, without the product, and save it."""
        self.say("booting Xen (%s), to be kept as a snapshot" %
                 machine.describe())
        work = snapshot.prepare_disk(self.images, path)
        try:
            machine.use_disk(os.path.join(work, "root.qcow2"))
            self.start(machine, 600, product=False)
            self.say("dom0 is up")
            self.ensure_guests(guests, kind, False, None)
            # What is still being started must not be caught in the middle.
            time.sleep(3)
            self.port.close()
            self.port = None
            snapshot.save(machine, work, path)
            self.end_machine()
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise

    def refresh(self, unpack):
        """Bring a resumed host to now: the time, the product, the guests."""
        script = ["set -e", "date -s @%.3f >/dev/null" % time.time()]
        script += unpack + ["exec /lab/refresh-guests"]
        if self.dom0(["/bin/bash", "-c", "\n".join(script)], 120, None):
            raise lab.LabError("the resumed host could not be refreshed")

    def ensure_guests(self, guests, kind, fresh, log):
        argv = ["/lab/ensure-guests", str(guests), kind]
        if self.dom0(argv + (["fresh"] if fresh else []), 300, log):
            raise lab.LabError("the guests do not come up")

    def attach(self):
        self.machine = Machine.attach(lab.current(), self.results)
        self.port = lab.Port(self.machine.folder, "lab.0")
        if not self.port.hello(20):
            raise lab.LabError("the running lab does not answer")
        self.machine.push_payload(self.args, self.images, self.port)
        self.refresh([])

    def dom0(self, argv, timeout, log, env=None):
        """Run a command in dom0; its output goes to log and is shown."""
        def on_output(fd, data):
            if log:
                log.write(data)
                log.flush()
            self.show(fd, data)
        env = dict(env or {}, LAB_PATIENCE=str(self.patience))
        return self.port.run(argv, on_output, self.patience * timeout,
                             self.watch, env, self.machine.sockets.values())

    def show(self, fd, data):
        """As it comes from one host; from several in lines that say whose."""
        if self.args.hosts == 1:
            lab.pass_through(fd, data)
            return
        *lines, self.line[fd] = (self.line[fd] + data).split(b"\n")
        name = self.machine.scenario.encode() + b": "
        with self.session.lock:
            lab.pass_through(fd, b"".join(name + line + b"\n"
                                          for line in lines))

    def bad_lines(self):
        """New console lines that tell of a crash, but allowed ones."""
        time.sleep(1.2)  # labd looks once a second
        self.machine.pump()
        allow = []
        self.port.run(["cat", "/run/lab/allow"],
                      lambda fd, data: allow.extend(
                          data.decode().splitlines() if fd == 1 else []), 20)
        return [line for line in self.machine.new_console_lines()
                if BAD.search(line) and
                not any(re.search(a, line) for a in allow)]

    def run_scenario(self, scenario):
        """Its verdict and why. LabError: the host is of no use any more."""
        log_path = os.path.join(self.results, scenario.name + ".log")
        self.machine.begin_scenario(scenario.name)
        with open(log_path, "wb") as log:
            self.ensure_guests(scenario.guests, scenario.type, self.fresh, log)
            self.say("%s: begins" % scenario.name)
            code = self.dom0(
                ["/lab/run-scenario",
                 "/lab/scenarios/%s.sh" % scenario.name],
                scenario.timeout, log, {"RESULTS": "/results/" +
                                        scenario.name})
            bad = self.bad_lines()
            for line in bad:
                text = ("console: %s\n" % line).encode()
                log.write(text)
                self.show(1, text)
        if code is None:
            return "failed", "not done after %d s" % (
                self.patience * scenario.timeout)
        if code not in (0, 77):
            return "failed", "exit status %d" % code
        if bad:
            return "failed", "%d bad console lines" % len(bad)
        return ("passed", "") if code == 0 else ("skipped", "")

    def run(self, scenario):
        scenario.result = "failed"
        scenario.tries += 1
        start = time.monotonic()
        why = ""
        try:
            scenario.result, why = self.run_scenario(scenario)
        except lab.LabError as err:
            why = str(err)
            raise
        finally:
            self.fresh = scenario.result == "failed"
            self.say("%s: %s%s in %.0f s" % (
                scenario.name, scenario.result, ": " + why if why else "",
                time.monotonic() - start))

    def collect(self):
        """Fetch what the scenarios put into /results, and dom0's logs."""
        archive = os.path.join(self.results, "dom0.tar")
        with open(archive, "wb") as tar:
            self.port.run(
                ["tar", "-c", "--warning=no-file-changed", "-C", "/",
                 "results", "var/log/xen"],
                lambda fd, data: tar.write(data) if fd == 1 else None, 60)
        subprocess.run(["tar", "-x", "-f", archive, "-C", self.results],
                       check=False)
        os.unlink(archive)

    def close(self, keep):
        try:
            if self.port and not self.session.stopping.is_set():
                self.collect()
        except (lab.LabError, OSError) as err:
            self.say(str(err))
        if self.machine:
            self.machine.split_consoles()
        if keep or self.args.attach:
            self.port.close()
            if keep:
                self.machine.keep()
        else:
            self.end_machine()
