# SPDX-License-Identifier: GPL-2.0-or-later
"""One emulated host: QEMU, its disks, its consoles."""
import base64
import ctypes
import io
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tarfile
import tempfile
import time

import lab

DOM0_MB = 1024
PAYLOAD_BYTES = 256 << 20  # a sparse file
COUNTER_STRIDE = 64  # as plugin/count.c lays them out


def topology_of(pcpus, text):
    """(sockets, cores, threads) from --pcpus and --topology."""
    if not text:
        return (1, pcpus, 1) if pcpus else (2, 2, 1)
    values = {"sockets": 1, "cores": 1, "threads": 1}
    for item in text.split(","):
        match = re.fullmatch(r"(sockets|cores|threads)=([1-9][0-9]?)", item)
        if not match:
            raise lab.LabError("bad topology: " + text)
        values[match[1]] = int(match[2])
    shape = (values["sockets"], values["cores"], values["threads"])
    if pcpus and pcpus != shape[0] * shape[1] * shape[2]:
        raise lab.LabError("--pcpus %d does not fit --topology %s" %
                           (pcpus, text))
    return shape


def die_with_parent():
    """In the child: no QEMU stays behind a runner that was killed.

    Its parent is the thread that started it.
    """
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def remove_stale_folders():
    """What killed runners left in RUN_DIR."""
    os.makedirs(lab.RUN_DIR, exist_ok=True)
    for name in os.listdir(lab.RUN_DIR):
        folder = os.path.join(lab.RUN_DIR, name)
        try:
            with open(os.path.join(folder, "lab.json")) as state:
                pid = json.load(state)["pid"]
        except (OSError, ValueError):
            continue
        if not os.path.exists("/proc/%d" % pid):
            if os.path.islink(folder):
                os.unlink(folder)
            else:
                shutil.rmtree(folder, ignore_errors=True)


class Machine:
    def __init__(self, options, results, args=None, images=None):
        self.options = options
        self.results = results
        self.args = args
        self.images = images
        self.root_disk = ("format=raw,snapshot=on,file=%s/dom0.img" %
                          images.dom0 if images else None)
        self.incoming = None
        self.payload_mb = 0
        self.folder = None
        self.qemu = None
        self.pid = None
        self.sockets = {}
        self.buffers = {}
        self.serial = os.path.join(results, "serial.log")
        self.offsets = {}
        self.scenario = "boot"
        self.kept = False

    @classmethod
    def attach(cls, folder, results):
        with open(os.path.join(folder, "lab.json")) as state:
            saved = json.load(state)
        self = cls(saved["options"], results)
        self.folder = folder
        self.pid = saved["pid"]
        self.serial = saved["serial"]
        self.kept = True
        self.offsets = {self.serial: os.path.getsize(self.serial)}
        self.connect()
        return self

    def describe(self):
        sockets, cores, threads = self.options["topology"]
        return "%s, guests' Linux %s, %s; %d pCPUs: %d sockets, %d cores, " \
            "%d threads; %s" % (
                self.options["suite"], ", ".join(self.options["guest_kernel"]),
                self.options["xenstored"], sockets * cores * threads, sockets,
                cores, threads, self.options["sched"])

    # --- files -----------------------------------------------------------

    def write_payload(self, args, images, out, product=True):
        """The tar archive that dom0 unpacks on its root."""
        with tarfile.open(fileobj=out, mode="w") as tar:
            def root(info):
                info.uid = info.gid = 0
                info.uname = info.gname = "root"
                return info
            tar.add(os.path.join(lab.HERE, "dom0"), "lab", filter=root)
            tar.add(os.path.join(lab.HERE, "scenarios"), "lab/scenarios",
                    filter=root)
            for scenario in args.scenarios:
                if os.path.exists(scenario):
                    tar.add(scenario, "lab/scenarios/" +
                            os.path.basename(scenario), filter=root)
            extra = self.guest_extra(images.drivers if product else {})
            info = tarfile.TarInfo("lab/guest-extra.cpio")
            info.size = len(extra)
            tar.addfile(info, io.BytesIO(extra))
            if product and images.stage:
                tar.add(images.stage, ".", filter=root)

    def guest_extra(self, drivers):
        """A cpio archive with what is put into the guests' /lab; each makes of
        the driver for its kernel /lab/shmlink.ko."""
        tree = os.path.join(self.folder, "guest")
        shutil.rmtree(tree, ignore_errors=True)
        os.makedirs(os.path.join(tree, "lab"))
        helpers = os.path.join(lab.HERE, "guest")
        for name in os.listdir(helpers):
            shutil.copy(os.path.join(helpers, name), os.path.join(tree, "lab"))
        for version, driver in drivers.items():
            shutil.copy(driver,
                        os.path.join(tree, "lab/shmlink-%s.ko" % version))
        done = subprocess.run(
            "find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0",
            shell=True, cwd=tree, stdout=subprocess.PIPE, check=True)
        return done.stdout

    def push_payload(self, args, images, port):
        """Send the payload into a running lab."""
        out = io.BytesIO()
        self.write_payload(args, images, out)
        port.send(op="exec", argv=["tar", "-x", "-C", "/"], env={})
        port.give_input(out.getvalue())
        while True:
            message = port.receive(60)
            if message is None or message.get("exit"):
                raise lab.LabError("the payload could not be unpacked")
            if "exit" in message:
                return

    # --- QEMU ------------------------------------------------------------

    def command(self, payload):
        sockets, cores, threads = self.options["topology"]
        pcpus = sockets * cores * threads
        xen = ("dom0_mem=%dM,max:%dM dom0_max_vcpus=%d noreboot loglvl=info "
               "guest_loglvl=info console=com1 com1=115200,8n1 sched=%s" % (
                   DOM0_MB, DOM0_MB, self.options["dom0_vcpus"],
                   self.options["sched"]))
        # Xen sees threads on Intel's processors only: AMD's need topoext, which
        # is not emulated. Emulation needs no page table isolation.
        vendor = ",vendor=GenuineIntel" if threads > 1 else ""
        xen += " xpti=no" if threads > 1 else ""
        kernels = self.options["guest_kernel"]
        # tsc: as for the guests, see dom0/lib.sh.
        linux = ("%s/vmlinux console=hvc0 quiet loglevel=5 net.ifnames=0 "
                 "tsc=unstable "
                 "lab.xenstored=%s lab.kernels=%s" % (
                     self.images.dom0, self.options["xenstored"],
                     ",".join(kernels)))
        # SMAP: dom0 would die. ERMS, FSRM: an instruction for each byte copied.
        # XSAVE and AVX: programs in dom0 and in guests crashed at random.
        cmd = ["qemu-system-x86_64", "-nodefaults", "-no-user-config",
               "-display", "none", "-no-reboot",
               "-accel", "tcg,thread=multi",
               "-cpu", "max,-smap,-erms,-fsrm,-xsave,-avx,-avx2,-fma,-f16c" + vendor,
               "-m", str(self.options["memory"]),
               "-smp", "%d,sockets=%d,cores=%d,threads=%d" % (
                   pcpus, sockets, cores, threads)]
        per_socket = pcpus // sockets
        for node in range(sockets):
            size = self.options["memory"] // sockets
            cmd += ["-object", "memory-backend-ram,id=m%d,size=%dM" %
                    (node, size),
                    "-numa", "node,nodeid=%d,memdev=m%d,cpus=%d-%d" % (
                        node, node, node * per_socket,
                        (node + 1) * per_socket - 1)]
        cmd += ["-kernel", self.images.dom0 + "/xen", "-append", xen,
                "-initrd", "%s,%s/dom0-initrd" % (
                    linux.replace(",", ",,"), self.images.dom0),
                "-drive", "if=none,id=root," + self.root_disk,
                "-device", "virtio-blk-pci,drive=root",
                "-drive", "if=none,id=payload,format=raw,readonly=on,file="
                          + payload,
                "-device", "virtio-blk-pci,drive=payload",
                "-chardev", "file,id=serial,path=" + self.serial,
                "-serial", "chardev:serial",
                "-qmp", "unix:%s/qmp,server=on,wait=off" % self.folder,
                "-device", "virtio-serial-pci,max_ports=16"]
        for number, kernel in enumerate(kernels):
            cmd += ["-drive", "if=none,id=kernel%d,format=raw,readonly=on,"
                    "file=%s/guest.img" % (
                        number, self.images.kernels[kernel]),
                    "-device", "virtio-blk-pci,drive=kernel%d,serial=%s" % (
                        number, kernel)]
        ports = ["lab.%d" % n for n in range(lab.CONTROL_PORTS)]
        for name in ports + ["lab.console", "lab.mark"]:
            cmd += ["-chardev", "socket,id=%s,path=%s/%s,server=on,wait=off"
                    % (name, self.folder, name),
                    "-device", "virtserialport,chardev=%s,name=%s" %
                    (name, name)]
        if self.incoming:
            cmd += ["-incoming", "exec:cat '%s'" % self.incoming]
        return cmd + self.plugin()

    def start(self, product=True):
        """Start QEMU; with product false, the payload is the lab alone."""
        remove_stale_folders()
        self.folder = tempfile.mkdtemp(prefix="%d-" % os.getpid(),
                                       dir=lab.RUN_DIR)
        for name in os.listdir(self.results):
            if name.endswith((".log", ".csv")):
                os.unlink(os.path.join(self.results, name))
        payload = os.path.join(self.folder, "payload")
        with open(payload, "wb") as out:
            self.write_payload(self.args, self.images, out, product)
            # Always the same size: a snapshot remembers the disk's.
            if out.tell() > PAYLOAD_BYTES:
                raise lab.LabError("the product is too large for the lab")
            self.payload_mb = (out.tell() >> 20) + 1
            out.truncate(PAYLOAD_BYTES)
        log = open(os.path.join(self.results, "qemu.log"), "wb")
        self.qemu = subprocess.Popen(
            self.command(payload), stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
            preexec_fn=None if self.args.keep else die_with_parent)
        self.pid = self.qemu.pid
        with open(os.path.join(self.folder, "lab.json"), "w") as state:
            json.dump({"options": self.options, "pid": self.pid,
                       "serial": self.serial, "results": self.results},
                      state)
        until = time.monotonic() + 20
        while not os.path.exists(os.path.join(self.folder, "lab.mark")):
            self.check_alive()
            if time.monotonic() > until:
                raise lab.LabError("QEMU does not start")
            time.sleep(0.05)
        time.sleep(0.2)
        self.connect()

    def check_alive(self):
        if self.qemu and self.qemu.poll() is not None:
            with open(os.path.join(self.results, "qemu.log")) as log:
                raise lab.LabError("QEMU ended: " + log.read()[-2000:])

    def connect(self):
        for name in ("lab.console", "lab.mark"):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(os.path.join(self.folder, name))
            self.sockets[name] = sock
            self.buffers[name] = b""

    def use_disk(self, path):
        """Write the root disk's changes to a qcow2 file, to keep them."""
        self.root_disk = "format=qcow2,file=" + path

    def use_snapshot(self, path):
        """Begin from a snapshot (snapshot.py) instead of booting."""
        self.root_disk = "format=qcow2,snapshot=on,file=%s/root.qcow2" % path
        self.incoming = os.path.join(path, "ram")

    def wait(self):
        """QEMU has been told to end."""
        for sock in self.sockets.values():
            sock.close()
        self.sockets = {}
        self.qemu.wait(30)

    def stop(self):
        for sock in self.sockets.values():
            sock.close()
        if self.qemu:
            self.qemu.terminate()
            try:
                self.qemu.wait(10)
            except subprocess.TimeoutExpired:
                self.qemu.kill()
                self.qemu.wait()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self):
        link = os.path.join(lab.RUN_DIR, "current")
        if os.path.islink(link):
            os.unlink(link)
        os.symlink(self.folder, link)
        print("The lab is running. Commands in dom0: tests/lab/exec 'xl "
              "list'; a shell: tests/lab/exec -t;\n"
              "in a guest: tests/lab/exec guest vm1 ip addr; scenarios: "
              "tests/lab/run --attach SCENARIO;\nend it: tests/lab/stop")

    # --- what comes out --------------------------------------------------

    def begin_scenario(self, name):
        self.scenario = name

    def pump(self):
        """Take what the consoles and the mark port have sent."""
        self.check_alive()
        while True:
            ready = select.select(list(self.sockets.values()), [], [], 0)[0]
            if not ready:
                return
            for name, sock in self.sockets.items():
                if sock not in ready:
                    continue
                data = sock.recv(65536)
                if not data:
                    raise lab.LabError("QEMU has gone")
                *lines, self.buffers[name] = (
                    self.buffers[name] + data).split(b"\n")
                for line in lines:
                    if name == "lab.mark":
                        self.mark(line.decode().strip())
                    else:
                        self.console(line)

    def console(self, line):
        try:
            message = json.loads(line)
        except ValueError:
            return
        name = os.path.basename(message["guest"])
        with open(os.path.join(self.results, name), "ab") as log:
            log.write(base64.b64decode(message["data"]))

    def plugin(self):
        """QEMU's arguments for the plugin that counts instructions."""
        if not self.options["count_instructions"]:
            return []
        said = subprocess.run(["qemu-system-x86_64", "--version"], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        major = int(re.search(r"version (\d+)", said)[1])
        if major > 10:
            raise lab.LabError("the counting plugin is for QEMU 7 to 10, this "
                               "is QEMU %d" % major)
        library = os.path.join(self.folder, "count.so")
        done = subprocess.run(
            ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-shared", "-fPIC",
             "-DAPI=%d" % (1 if major < 9 else 2), "-o", library,
             os.path.join(lab.HERE, "plugin/count.c")],
            check=False)
        if done.returncode:
            raise lab.LabError("the counting plugin does not compile")
        return ["-plugin", "%s,counters=%s/counters" % (library, self.folder)]

    def counters(self):
        """The instructions that each pCPU has executed, or nothing."""
        if not self.options["count_instructions"]:
            return []
        sockets, cores, threads = self.options["topology"]
        with open(os.path.join(self.folder, "counters"), "rb") as counts:
            data = counts.read()
        return [struct.unpack_from("=Q", data, COUNTER_STRIDE * n)[0]
                for n in range(sockets * cores * threads)]

    def mark(self, name):
        now = time.time()
        counters = self.counters()
        with open(os.path.join(self.results, "marks.csv"), "a") as out:
            out.write(",".join([self.scenario, name, "%.6f" % now] +
                               [str(c) for c in counters]) + "\n")
        reply = " ".join(["%.6f" % now] + [str(c) for c in counters])
        self.sockets["lab.mark"].sendall(reply.encode() + b"\n")

    def new_console_lines(self, peek=False):
        """Whole lines that the consoles gained, each with its source."""
        found = []
        logs = [self.serial]
        for name in sorted(os.listdir(self.results)):
            if name.startswith("guest-") and name.endswith(".log"):
                logs.append(os.path.join(self.results, name))
        for path in logs:
            key = ("peek", path) if peek else path
            if key not in self.offsets:
                self.offsets[key] = self.offsets.get(path, 0)
            if not os.path.exists(path):
                continue
            with open(path, "rb") as log:
                log.seek(self.offsets[key])
                data = log.read()
            data = data[:data.rfind(b"\n") + 1]
            self.offsets[key] += len(data)
            for line in data.decode(errors="replace").splitlines():
                if path == self.serial:
                    source = "xen" if line.startswith("(XEN)") else "dom0"
                else:
                    source = os.path.basename(path)[len("guest-"):-4]
                found.append("%s: %s" % (source, line.strip()))
        return found

    def split_consoles(self):
        """serial.log has Xen's and dom0's lines: give each its own file."""
        if not os.path.exists(self.serial):
            return
        with open(self.serial, "rb") as serial, \
                open(os.path.join(self.results, "xen.log"), "wb") as xen, \
                open(os.path.join(self.results, "dom0.log"), "wb") as dom0:
            for line in serial:
                (xen if line.startswith(b"(XEN)") else dom0).write(line)
