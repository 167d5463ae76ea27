"""load.py - what the fault runs share: a load that keeps what it was promised, and a look at what is there."""
import os
import poplib
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "harness"))
from postroom import BUILD, PASSWORD, Server, equal  # noqa: E402

FOLDER = os.path.join(BUILD, "faults")
STORE_HAS = os.path.join(FOLDER, "store_has")
STORE_VERSION = os.path.join(FOLDER, "store_version")
FAULTS = os.path.join(FOLDER, "faultinj.so")
RECORDER = os.path.join(FOLDER, "wrec.so")
EARLY = os.path.join(FOLDER, "postroomd-early")  # answers 250 before it writes
QUEUED = re.compile(rb"queued as ([0-9A-Z]+)\r\n")
MESSAGE_ID = re.compile(rb"\tid ([0-9A-Z]+)$")
REPLY_S = 60
MEMORY_DISK, MEMORY_FREE = "/dev/shm", 1 << 30


def work_folder(name):
    """In memory, where there is room for stores: a container may have little of it."""
    roomy = os.path.isdir(MEMORY_DISK) and shutil.disk_usage(MEMORY_DISK).free > MEMORY_FREE
    return tempfile.mkdtemp(prefix="postroom-%s-" % name, dir=MEMORY_DISK if roomy else None)


def say(f, sock, data):
    """One command; the last line of its reply. None when the server went away."""
    try:
        if data:
            sock.sendall(data)
        while True:
            line = f.readline()
            if not line.endswith(b"\n"):
                return None
            if line[3:4] != b"-":
                return line
    except OSError:
        return None


def message_id(line):
    """The id in a 250 reply, else None."""
    found = QUEUED.search(line or b"")
    return found.group(1).decode() if found else None


class Sender(threading.Thread):
    """Sends until it is stopped, has sent MOST, or the server goes; keeps the id of each 250."""

    def __init__(self, port, number, users, sizes=(300, 3000, 20000, 400000), most=0):
        super().__init__(daemon=True)
        self.port, self.users, self.sizes, self.most = port, users, sizes, most
        self.random = random.Random(number)
        self.acknowledged, self.ended = [], False

    def run(self):
        try:
            sock = socket.create_connection(("127.0.0.1", self.port), REPLY_S)
        except OSError:
            return
        with sock, sock.makefile("rb") as f:
            say(f, sock, b"")
            say(f, sock, b"EHLO faults.test\r\n")
            while not self.ended and self.one(f, sock):
                if self.most and len(self.acknowledged) >= self.most:
                    return

    def one(self, f, sock):
        users = self.random.sample(self.users, self.random.randint(1, min(2, len(self.users))))
        body = b"a line of a message\r\n" * (self.random.choice(self.sizes) // 21)
        for command in [b"MAIL FROM:<a@elsewhere.test>\r\n", *(b"RCPT TO:<%s@example.test>\r\n" % u.encode() for u in users), b"DATA\r\n"]:
            if say(f, sock, command) is None:
                return False
        line = say(f, sock, b"Subject: fault\r\n\r\n" + body + b".\r\n")
        if message_id(line):
            self.acknowledged.append(message_id(line))
        return line is not None


class Reader(threading.Thread):
    """Deletes what it reads by POP3, a few at a time; what was confirmed must stay gone (H28)."""

    def __init__(self, port, user):
        super().__init__(daemon=True)
        self.port, self.user = port, user
        self.tried, self.confirmed, self.ended = set(), set(), False

    def run(self):
        while not self.ended:
            try:
                self.one()
            except (OSError, EOFError, poplib.error_proto):
                return

    def one(self):
        p = poplib.POP3("127.0.0.1", self.port, timeout=REPLY_S)
        p.user(self.user)
        p.pass_(PASSWORD)
        mine = set()
        for n in range(1, min(p.stat()[0], 5) + 1):
            mine |= {m.group(1).decode() for line in p.top(n, 0)[1] if (m := MESSAGE_ID.match(line))}
            p.dele(n)
        self.tried |= mine
        p.quit()
        self.confirmed |= mine


def all_of(threads, what):
    return sum((list(getattr(t, what)) for t in threads), [])


def stop(threads):
    for t in threads:
        t.ended = True
    for t in threads:
        t.join(REPLY_S + 10)


def stored(folder, status=0):
    """Ids of all messages in INBOXes; the store is checked whole on the way."""
    r = subprocess.run([STORE_HAS, folder], capture_output=True, text=True)
    equal(r.returncode, status, "the check of the store: " + r.stderr[-400:])
    return r.stdout.split()


def delivery(port, body=b"hello\r\n"):
    """One message; the last reply, or None where the server went away or refused to connect."""
    try:
        with socket.create_connection(("127.0.0.1", port), REPLY_S) as sock, sock.makefile("rb") as f:
            if not (say(f, sock, b"") or b"").startswith(b"220"):
                return None
            for command in (b"EHLO sweep.test\r\n", b"MAIL FROM:<a@elsewhere.test>\r\n", b"RCPT TO:<anna@example.test>\r\n", b"DATA\r\n"):
                line = say(f, sock, command)
                if line is None or line[:1] not in b"23":
                    return line
            return say(f, sock, b"Subject: sweep\r\n\r\n" + body + b".\r\n")
    except OSError:
        return None


def with_users(server, *users):
    """Start it and add an administrator and these users."""
    server.start()
    server.add_user("postmaster", "--admin")
    for u in users:
        server.add_user(u)
    return server


def end(server):
    """Whatever state it is in: no process of it is left."""
    if server and server.process and server.process.poll() is None:
        server.kill()
