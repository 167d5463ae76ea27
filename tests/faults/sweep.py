"""sweep.py - each call of a delivery, and of a start, failed in turn: once, and from then on (H82).

A reply is a promise or a polite 4xx; the process goes on, or ends with status 1 and has lost nothing.
One server runs through all sites of a call: the control file aims the fault anew for each.
"""
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time

from load import FAULTS, delivery, end, equal, message_id, stored, with_users
from postroom import Server, Skip, figure, true

ONCE, ON = 0, 1 << 16
ERRNO = {"EIO": 5, "ENOMEM": 12, "EAGAIN": 11, "EMFILE": 24, "ENFILE": 23, "ENOSPC": 28, "EINTR": 4, "short": 0,
         "ECONNRESET": 104, "ECONNABORTED": 103, "EPERM": 1}
DELIVERY = [("pwrite", "EIO ENOSPC short"), ("writev", "EIO ENOSPC short"), ("fdatasync", "EIO ENOSPC"),
            ("accept4", "EMFILE ENFILE ENOMEM ECONNABORTED EINTR EAGAIN"), ("epoll_ctl", "ENOMEM"), ("epoll_wait", "EINTR"),
            ("read", "EIO EINTR EAGAIN short"), ("recv", "ECONNRESET EINTR EAGAIN short"),
            ("send", "ECONNRESET EINTR EAGAIN short"), ("malloc", "ENOMEM"), ("calloc", "ENOMEM"), ("realloc", "ENOMEM"),
            ("close", "EIO EINTR")]
START = [("open", "EMFILE ENOMEM EIO"), ("openat", "EMFILE EIO"), ("read", "EIO EINTR short"), ("pread", "EIO short"),
         ("pwrite", "EIO ENOSPC short"), ("write", "EIO ENOSPC EINTR short"), ("writev", "EIO ENOSPC"), ("fdatasync", "EIO"),
         ("ftruncate", "EIO ENOSPC"), ("fallocate", "ENOSPC"), ("mmap", "ENOMEM"), ("socket", "EMFILE ENOMEM"),
         ("bind", "EPERM"), ("listen", "EIO"), ("socketpair", "EMFILE"), ("eventfd", "EMFILE"), ("epoll_create1", "EMFILE"),
         ("epoll_ctl", "ENOMEM"), ("fork", "EAGAIN ENOMEM"), ("pthread_create", "EAGAIN"), ("mkdir", "ENOSPC EIO"),
         ("getrandom", "EIO"), ("recvmsg", "EIO EINTR"), ("sendmsg", "EIO EINTR")]
FIRST_START = [("open", "EIO"), ("mkdir", "ENOSPC EIO"), ("pwrite", "EIO ENOSPC short"), ("writev", "EIO ENOSPC short"),
               ("fdatasync", "EIO ENOSPC"), ("fsync", "EIO"), ("rename", "EIO")]
FILES_ONLY = {"write": ":kind=file"}  # the rest of them wake loops up, by an eventfd, which does not fail
MEMORY = ("malloc", "calloc", "realloc", "posix_memalign", "mmap", "getrandom")  # may end the process by itself
STORE_SYNCS = ("fdatasync",)
SITES_MAX = int(os.environ.get("POSTROOM_SITES", "24"))
STICKY_S = 0.7  # a fault that stays: longer than the server waits before it tries again
RECOVER_S = 30  # then it does not recover: a machine may be slow
LARGE = b"a line of a larger message\r\n" * 50000  # its body goes to the disk in pieces
HANG_S = 60


class Aim:
    """The control file of a running server; its layout is that of struct ctl in faultinj.c."""

    def __init__(self, path):
        self.path = path

    def write(self, at, data):
        with open(self.path, "r+b") as f:
            f.seek(at)
            f.write(data)

    def arm(self, number, fault, how):
        self.write(8, bytes(8))
        self.write(64, bytes(768))
        self.write(48, struct.pack("<QQ", number, ERRNO[fault] | how))
        self.write(8, b"\1" + bytes(7))

    def disarm(self):
        self.write(8, bytes(8))

    def hits(self):
        with open(self.path, "rb") as f:
            f.seek(576)
            return struct.unpack("<Q", f.read(8))[0]


class Sweep:
    def __init__(self, call):
        self.call, self.work = call, tempfile.mkdtemp(prefix="postroom-sweep-")
        self.server = Server(self.work + "/server", services=("smtp",))
        self.aim, self.acknowledged = Aim(self.work + "/ctl"), []
        self.runs = self.ended = self.refused = 0

    def __enter__(self):
        with_users(self.server, "anna").stop()
        self.server.env = {"LD_PRELOAD": FAULTS, "FAULT_CTL": self.aim.path, "FAULT_ARMED": "0", "FAULT_SPEC": self.call + ":p=0" + FILES_ONLY.get(self.call, "")}
        return self

    def __exit__(self, *_):
        end(self.server)
        shutil.rmtree(self.work, ignore_errors=True)

    def start(self):
        if self.server.process.poll() is not None:
            self.server.start()
            self.deliver("after a start")

    def deliver(self, name, body=b"hello\r\n"):
        began = time.monotonic()
        line = delivery(self.server.ports["smtp"], body)
        true(time.monotonic() - began < HANG_S, name + ": it hangs")
        if message_id(line):
            self.acknowledged.append(message_id(line))
        true(line is None or line[:1] in (b"2", b"4"), "%s: a polite 4xx, not %r" % (name, line))
        return line

    def count(self):
        """How often a delivery to a server that runs makes this call."""
        self.start()
        self.aim.arm(1 << 60, "EIO", ONCE)
        equal((self.deliver("undisturbed", LARGE) or b"")[:3], b"250", "an undisturbed delivery")
        time.sleep(0.05)  # the writer and the log have something to do behind it
        self.aim.disarm()
        return self.aim.hits()

    def has_ended(self, seconds):
        try:
            self.server.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        self.ended += 1
        return True

    def judge_end(self, name):
        status = self.server.process.returncode
        true(status == 1, "%s: exit status %s: %s" % (name, status, self.server.errors()[-300:]))
        crash = "ended by signal" in self.server.errors()
        true(not crash or self.call in MEMORY, "%s: %s" % (name, self.server.errors()[-300:]))

    def recovers(self, name):
        """The fault is gone: a delivery works within seconds, or the process has ended (H42)."""
        until, line = time.monotonic() + RECOVER_S, b""
        while time.monotonic() < until:
            line = self.deliver(name + ", after it")
            if (line or b"")[:1] == b"2":
                return
            if self.has_ended(0.2):
                return self.judge_end(name)
        raise AssertionError("%s: the server runs and answers %r for %d s after the fault" % (name, line, RECOVER_S))

    def fail_one(self, number, fault, how):
        name = "%s %d %s %s" % (self.call, number, fault, "once" if how == ONCE else "from then on")
        self.start()
        self.aim.arm(number, fault, how)
        over = threading.Timer(STICKY_S, self.aim.disarm)
        over.start()
        line = self.deliver(name, LARGE)
        over.cancel()
        self.aim.disarm()
        self.runs += 1
        self.refused += (line or b"")[:1] != b"2"
        if self.call in STORE_SYNCS and fault == "EIO" and self.aim.hits() >= number:
            true((line or b"4")[:1] == b"4", "%s: %r though the disk failed" % (name, line))
        if self.has_ended(0):
            self.judge_end(name)
        else:
            self.recovers(name)
        if self.server.process.returncode is not None:
            self.look(name)

    def look(self, name):
        have = stored(self.server.store)
        equal(sorted(set(self.acknowledged) - set(have)), [], "%s: acknowledged and lost" % name)
        equal(len(have), len(set(have)), "%s: a message is there twice" % name)

    def run(self, faults):
        count = self.count()
        true(count > 0, "a delivery makes no such call")
        numbers = sorted({1 + i * count // SITES_MAX for i in range(SITES_MAX)}) if count > SITES_MAX else range(1, count + 1)
        for fault in faults.split():
            for number in numbers:
                self.fail_one(number, fault, ONCE)
                if fault not in ("EINTR", "EAGAIN"):  # for ever they are no fault of this world
                    self.fail_one(number, fault, ON)
        self.start()
        equal(self.server.stop(), 0, "exit status at the end")
        self.look("at the end")
        figure("%s: %d sites, %d runs, %d not taken, %d ends" % (self.call, count, self.runs, self.refused, self.ended))


def sweep_delivery(call, faults):
    with Sweep(call) as s:
        s.run(faults)


def start_once(server, name, call):
    """It serves, or it ends with status 1 and one line that says why."""
    server.start(ready=False)
    until = time.monotonic() + HANG_S
    while server.process.poll() is None and "ready\n" not in server.errors():
        true(time.monotonic() < until, name + ": neither ready nor ended within %d s" % HANG_S)
        time.sleep(0.002)
    if server.process.poll() is None:
        server.process.send_signal(signal.SIGTERM)
        true(server.process.wait(HANG_S) in (0, 1), "%s: exit status %s" % (name, server.process.returncode))
        return False
    equal(server.process.returncode, 1, name + ": exit status")
    said = server.errors().strip().split("\n")
    true(call in MEMORY or not any("signal" in line for line in said), "%s: %r" % (name, said))
    true(any(line.startswith("postroomd: ") for line in said), "%s: said only %r" % (name, said))
    return True


def start_with(server, ctl, call, fault, number):
    """(refused to start, the fault happened)"""
    what = "act=short" if fault == "short" else "err=" + fault
    server.env = {"LD_PRELOAD": FAULTS, "FAULT_CTL": ctl,
                  "FAULT_SPEC": "%s:nth=%d:%s%s" % (call, number, what, FILES_ONLY.get(call, ""))}
    if os.path.exists(ctl):
        os.unlink(ctl)
    refused = start_once(server, "%s %d %s" % (call, number, fault), call)
    with open(ctl, "rb") as f:
        return refused, f.read(40)[32] > 0


def sweep_start(call, faults, first=False):
    work = tempfile.mkdtemp(prefix="postroom-start-")
    server = Server(work + "/server", services=("smtp",))
    ctl, runs, ends = work + "/ctl", 0, 0
    try:
        with_users(server, "anna")
        equal(delivery(server.ports["smtp"])[:3], b"250")
        server.stop()
        for fault in faults.split():
            number, fired = 0, True
            while fired and number < SITES_MAX:
                number += 1
                if first:
                    shutil.rmtree(server.store, ignore_errors=True)
                refused, fired = start_with(server, ctl, call, fault, number)
                runs, ends = runs + fired, ends + refused
        if runs == 0:
            raise Skip("a start makes no such call on this machine")
        server.env = {}
        server.start()
        if first:
            server.add_user("anna")
        equal((delivery(server.ports["smtp"]) or b"")[:3], b"250", "a delivery after all of that")
        equal(server.stop(), 0, "exit status")
        equal(len(stored(server.store)), 1 if first else 2, "messages")
        figure("%sstart, %s: %d runs, %d refused to start" % ("first " if first else "", call, runs, ends))
    finally:
        end(server)
        shutil.rmtree(work, ignore_errors=True)


TESTS = [("every %s of a delivery failed in turn (H82)" % call, lambda c=call, m=faults: sweep_delivery(c, m)) for call, faults in DELIVERY]
TESTS += [("every %s of a start failed in turn (H82, H79)" % call, lambda c=call, m=faults: sweep_start(c, m)) for call, faults in START]
TESTS += [("every %s of a first start failed in turn (H82, H50)" % call, lambda c=call, m=faults: sweep_start(c, m, True))
          for call, faults in FIRST_START]
