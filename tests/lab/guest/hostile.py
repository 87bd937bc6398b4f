#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Be the other end of links, and keep to nothing.

hostile.py [--seed N] ATTACK...

For a guest without the driver; it needs the kernel's gntalloc, gntdev and
evtchn. Each link that dom0 makes gets the next attack, in the role that the
link gives it. An attack goes on until the other end has closed the link, or it
is gone; then all is given back. Prints a line when one begins, and "waits"
when the next link may come. Without arguments: the names of all.
"""
import fcntl
import mmap
import os
import random
import struct
import sys
import time

PAGE = 4096
MAGIC = 0x6c6d6873
INIT_WAIT, INITIALISED, CONNECTED, CLOSED = 2, 3, 4, 6
STATES = [str(n) for n in range(9)] + ["", "x", "-1", "99", "4294967296"]
# From an index that is right, to where none can be.
FAR = (1 << 20, 0x7fffffff, 0x80000000, -(1 << 20))
RECORD = struct.Struct("<IHBBHHHHHHI")
# Of struct shmlink_ring_shared, in words.
PROD, WORD_CLOSED, CONS = 0, 2, 32
RINGS = (128, 384)  # in the queue page: front to back, back to front


def ioctl_code(group, number, size):
    return size << 16 | ord(group) << 8 | number


# With a bytearray fcntl.ioctl() returns what the call does.
MAP_GREF = ioctl_code("G", 0, 24)
ALLOC_GREF = ioctl_code("G", 5, 24)
BIND_INTERDOMAIN = ioctl_code("E", 1, 8)
BIND_UNBOUND = ioctl_code("E", 2, 4)
NOTIFY = ioctl_code("E", 4, 4)


class Store:
    """xenstore; paths are below this guest's own directory."""

    def __init__(self):
        self.fd = os.open("/dev/xen/xenbus", os.O_RDWR)

    def ask(self, kind, body):
        """The answer, or None for an error."""
        os.write(self.fd, struct.pack("<IIII", kind, 0, 0, len(body)) + body)
        kind, _, _, left = struct.unpack("<IIII", os.read(self.fd, 16))
        answer = b""
        while len(answer) < left:
            answer += os.read(self.fd, left - len(answer))
        return None if kind == 16 else answer.decode()

    def list(self, path):
        names = self.ask(1, path.encode() + b"\0")
        return [name for name in (names or "").split("\0") if name]

    def read(self, path):
        return self.ask(2, path.encode() + b"\0")

    def write(self, path, value):
        return self.ask(11, path.encode() + b"\0" + str(value).encode())

    def remove(self, path):
        return self.ask(13, path.encode() + b"\0")


class Memory:
    """Pages that are granted to a domain, or of its that are mapped."""

    def __init__(self, domid):
        self.domid = domid
        self.open = []

    def take(self, fd, index):
        """One page, as words."""
        page = mmap.mmap(fd, PAGE, offset=index)
        self.open.append(page)
        os.close(fd)
        return memoryview(page).cast("I")

    def grant(self, domid=None):
        """A page and its reference; granted to the other end, or @domid."""
        fd = os.open("/dev/xen/gntalloc", os.O_RDWR)
        ask = bytearray(struct.pack(
            "<HHIQII", self.domid if domid is None else domid, 1, 1, 0, 0, 0))
        fcntl.ioctl(fd, ALLOC_GREF, ask)
        _, _, _, index, gref, _ = struct.unpack("<HHIQII", ask)
        return self.take(fd, index), gref

    def map(self, gref):
        fd = os.open("/dev/xen/gntdev", os.O_RDWR)
        ask = bytearray(struct.pack("<IIQII", 1, 0, 0, self.domid, gref))
        fcntl.ioctl(fd, MAP_GREF, ask)
        return self.take(fd, struct.unpack("<IIQII", ask)[2])


class Link:
    def __init__(self, store, front, path):
        self.store = store
        self.front = front
        self.path = path
        other = "backend" if front else "frontend"
        self.other = store.read(path + "/" + other)
        self.domid = int(store.read("%s/%s-id" % (path, other)))
        self.ring_bytes = int(store.read(path + "/ring-bytes"))
        self.macs = [bytes.fromhex(store.read(path + "/" + node)
                                   .replace(":", ""))
                     for node in ("peer-mac", "mac")]
        self.memory = Memory(self.domid)
        self.events = os.open("/dev/xen/evtchn", os.O_RDWR)
        self.port = None
        self.data = []
        self.tx = self.rx = None

    # --- xenstore --------------------------------------------------------

    def say(self, state):
        self.store.write(self.path + "/state", state)

    def write(self, node, value):
        self.store.write(self.path + "/" + node, value)

    def read_other(self, node):
        return self.store.read(self.other + "/" + node)

    def state(self):
        """The other end's, 0 when its directory is not there."""
        return int(self.read_other("state") or 0)

    def is_over(self):
        return self.state() in (0, CLOSED)

    def wait_over(self):
        while not self.is_over():
            time.sleep(0.05)

    def wait_state(self, state):
        """Whether the other end comes to that."""
        while not self.is_over():
            if self.state() == state:
                return True
            time.sleep(0.01)
        return False

    # --- set-up ----------------------------------------------------------

    def find_rings(self, queue, data):
        per_ring = self.ring_bytes // PAGE
        mine, theirs = (0, 1) if self.front else (1, 0)
        self.tx = queue[RINGS[mine] // 4:RINGS[mine] // 4 + 64]
        self.rx = queue[RINGS[theirs] // 4:RINGS[theirs] // 4 + 64]
        self.data = data[mine * per_ring:(mine + 1) * per_ring]

    def make_queue(self):
        """Front end: grant all; the queue page, its reference, and the
        directories with theirs."""
        per_ring = self.ring_bytes // PAGE
        queue, gref = self.memory.grant()
        nonce = bytes.fromhex(self.store.read(self.path + "/nonce"))
        dirs = [self.memory.grant() for _ in RINGS]
        data = [self.memory.grant() for _ in range(2 * per_ring)]
        for ring, (page, _) in enumerate(dirs):
            for i in range(per_ring):
                page[i] = data[ring * per_ring + i][1]
        for i, word in enumerate((MAGIC, 2, *struct.unpack("<4I", nonce),
                                  self.ring_bytes, dirs[0][1], dirs[1][1])):
            queue[i] = word
        self.find_rings(queue, [page for page, _ in data])
        return queue, gref, [page for page, _ in dirs]

    def offer(self, gref):
        """Front end: offer that, and an event channel."""
        self.port = fcntl.ioctl(self.events, BIND_UNBOUND,
                                bytearray(struct.pack("<I", self.domid)))
        self.write("version", 2)
        self.write("num-queues", 1)
        self.write("queue-0/ring-ref", gref)
        self.write("queue-0/event-channel", self.port)
        self.say(INITIALISED)

    def map_queue(self):
        """Back end: map all that is offered."""
        per_ring = self.ring_bytes // PAGE
        queue = self.memory.map(int(self.read_other("queue-0/ring-ref")))
        data = []
        for gref in (queue[7], queue[8]):
            page = self.memory.map(gref)
            data += [self.memory.map(page[i]) for i in range(per_ring)]
        self.find_rings(queue, data)
        self.port = fcntl.ioctl(
            self.events, BIND_INTERDOMAIN, bytearray(struct.pack(
                "<II", self.domid,
                int(self.read_other("queue-0/event-channel")))))

    def begin(self):
        """Up to where the other end has to act; whether it goes on."""
        if self.front:
            return self.wait_state(INIT_WAIT)
        self.write("min-version", 1)
        self.write("max-version", 2)
        self.say(INIT_WAIT)
        return self.wait_state(INITIALISED)

    def connect(self):
        """As a good end does; whether it came to that."""
        if not self.begin():
            return False
        if self.front:
            self.offer(self.make_queue()[1])
            if not self.wait_state(CONNECTED):
                return False
        else:
            self.map_queue()
        self.say(CONNECTED)
        return self.wait_state(CONNECTED)

    def give_back(self):
        """Memory and event channel, by the last one who knows of them."""
        self.tx = self.rx = None
        self.data = []
        self.memory = None
        if self.events is not None:
            os.close(self.events)
        self.events = None

    # --- the rings -------------------------------------------------------

    def notify(self):
        try:
            fcntl.ioctl(self.events, NOTIFY, struct.pack("<I", self.port))
        except OSError:
            pass

    def put(self, index, data):
        """Words into the ring to the other end."""
        for (word,) in struct.iter_unpack("<I", data):
            at = index % self.ring_bytes
            self.data[at // PAGE][at % PAGE // 4] = word
            index += 4

    def fill(self, record_bytes):
        """Good records all over the ring; their size a power of two."""
        frame_bytes = record_bytes - RECORD.size
        record = RECORD.pack(frame_bytes, *(10 * [0]))
        record += b"".join(self.macs) + b"\x88\xb5"
        record += bytes(record_bytes - len(record))
        for index in range(0, self.ring_bytes, record_bytes):
            self.put(index, record)


def wrap(value):
    return value & 0xffffffff


# --- attacks: each goes on until it has done its worst -------------------------

def prod(link):
    """An index that no producer has."""
    if link.connect():
        link.tx[PROD] = wrap(link.tx[PROD] + random.choice(
            FAR + (1, link.ring_bytes + 8)))
        link.notify()


def back(link):
    """Good frames; then the index goes back."""
    if not link.connect():
        return
    link.fill(128)
    link.tx[PROD] = link.ring_bytes // 2
    link.notify()
    while link.tx[CONS] != link.tx[PROD] and not link.is_over():
        time.sleep(0.01)
    link.tx[PROD] = wrap(link.tx[PROD] - 8)
    link.notify()


def cons(link):
    """An index that no consumer has, all the time. (One that it could have is
    no attack: a guest may drop what is sent to it.)"""
    if not link.connect():
        return
    while not link.is_over():
        link.rx[CONS] = wrap(link.rx[PROD] + random.choice(FAR))
        link.notify()


def garbage(link):
    """The ring is full of random bytes."""
    if link.connect():
        link.put(0, random.randbytes(link.ring_bytes))
        link.tx[PROD] = link.ring_bytes
        link.notify()


def rewrite(link):
    """Good frames, and words of them change while they are read."""
    if not link.connect():
        return
    link.fill(1024)
    while not link.is_over():
        for _ in range(200):
            link.tx[PROD] = wrap(link.tx[CONS] + link.ring_bytes)
            random.choice(link.data)[random.randrange(PAGE // 4)] = \
                random.getrandbits(random.choice((4, 17, 32)))
        link.notify()


def flood(link):
    """Small frames, as fast as they are taken."""
    if not link.connect():
        return
    link.fill(64)
    while not link.is_over():
        for _ in range(200):
            link.tx[PROD] = wrap(link.tx[CONS] + link.ring_bytes)
        link.notify()


def storm(link):
    """Events without end."""
    if link.connect():
        while not link.is_over():
            for _ in range(200):
                link.notify()


def closed(link):
    """The last word, and another one."""
    if not link.connect():
        return
    while not link.is_over():
        link.tx[WORD_CLOSED] = random.choice((0, 1, 1, 2, 0xffffffff))
        link.notify()


def silent(link):
    """It takes nothing, and answers nothing."""
    if link.connect():
        link.wait_over()


def keep(link):
    """And it unmaps nothing for a while after that."""
    silent(link)
    time.sleep(3)


def dumb(link):
    """It never says a word."""
    link.wait_over()


def states(link):
    """All states in any order, from some step of the link on."""
    steps = (lambda: None, link.begin, link.connect)
    random.choice(steps)()
    while not link.is_over():
        link.say(random.choice(STATES))


def vanish(link):
    """Its directory goes, at some step."""
    steps = (lambda: None, link.begin, link.connect)
    random.choice(steps)()
    link.store.remove(link.path)


def grefs(link):
    """References that are none, another's, or of other pages. A back end has
    none to give: it binds no event channel and maps nothing."""
    if not link.begin():
        return
    if not link.front:
        link.say(CONNECTED)
        return
    queue, gref, dirs = link.make_queue()
    what = random.randrange(6)
    if what == 0:
        gref = random.choice((0, 1, 0xffffffff, gref + 100000))
    elif what == 1:
        gref = link.memory.grant(domid=0)[1]
    elif what == 2:
        gref = link.memory.grant()[1]
    elif what == 3:
        queue[7 + random.randrange(2)] = random.getrandbits(32)
    elif what == 4:
        dirs[random.randrange(2)][random.randrange(32)] = \
            random.choice((0, 0xffffffff, link.memory.grant(domid=0)[1]))
    link.offer(gref)
    while what == 5 and not link.is_over():
        # Changing ones.
        page = random.choice(dirs)
        good, page[5] = page[5], random.getrandbits(32)
        page[5] = good
        if link.state() == CONNECTED:
            # Good ones after all: end it in another way.
            link.say(CONNECTED)
            link.tx[PROD] = 8
            link.notify()
            link.wait_over()


def revoke(link):
    """Grants and event channel go, without a word."""
    if link.connect():
        link.give_back()


ATTACKS = {f.__name__: f for f in (
    prod, back, cons, garbage, rewrite, flood, storm, closed, silent, keep,
    dumb, states, vanish, grefs, revoke)}


# --- one link after the other --------------------------------------------------

def find_link(store, seen):
    """The next one that dom0 makes."""
    while True:
        paths = [(True, "device/shmlink/" + n)
                 for n in store.list("device/shmlink")]
        for domid in store.list("backend/shmlink"):
            paths += [(False, "backend/shmlink/%s/%s" % (domid, n))
                      for n in store.list("backend/shmlink/" + domid)]
        for front, path in paths:
            nonce = store.read(path + "/nonce")
            if nonce and nonce not in seen:
                seen.add(nonce)
                return Link(store, front, path)
        time.sleep(0.05)


def attack(link, name):
    """What is not its own any more is not written to: it has no such right."""
    ATTACKS[name](link)
    link.wait_over()
    link.give_back()
    if link.store.read(link.path + "/nonce") is not None:
        link.say(CLOSED)


def main(names):
    if not names:
        print(*ATTACKS)
        return
    if names[0] == "--seed":
        random.seed(int(names[1]))
        names = names[2:]
    store = Store()
    store.write("data/shmlink/versions", "1 2")
    seen = set()
    for name in names:
        print("waits", flush=True)
        link = find_link(store, seen)
        print(name, "as", "front" if link.front else "back", "end", flush=True)
        attack(link, name)
    print("done", flush=True)


main(sys.argv[1:])
