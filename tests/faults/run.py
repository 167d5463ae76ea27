#!/usr/bin/env python3
"""run.py [WORD...] - kills, power cuts, failing calls, full disks, bad starts: TAP.

POSTROOM_KILLS, POSTROOM_STATES set how many rounds; the slow soak asks for more.
"""
import glob
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "harness"))
from postroom import BUILD, Server, Skip, equal, figure, tap, true, wait_for  # noqa: E402

KILLS = int(os.environ.get("POSTROOM_KILLS", "200"))
STATES = int(os.environ.get("POSTROOM_STATES", "5000"))
STORE_HAS = os.path.join(BUILD, "faults", "store_has")
FAULTS = os.path.join(BUILD, "faults", "faultinj.so")
RECORDER = os.path.join(BUILD, "faults", "wrec.so")
QUEUED = re.compile(rb"queued as ([0-9A-Z]+)")


def say(f, sock, data, want=b"2"):
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


class Sender(threading.Thread):
    """Sends until it is stopped or the server goes; keeps the id of each 250."""

    def __init__(self, port, number, users, sizes=(300, 3000, 20000, 400000)):
        super().__init__(daemon=True)
        self.port, self.users, self.sizes = port, users, sizes
        self.random = random.Random(number)
        self.acknowledged, self.ended = [], False

    def run(self):
        try:
            sock = socket.create_connection(("127.0.0.1", self.port), 10)
        except OSError:
            return
        with sock, sock.makefile("rb") as f:
            say(f, sock, b"")
            say(f, sock, b"EHLO faults.test\r\n")
            while not self.ended and self.one(f, sock):
                pass

    def one(self, f, sock):
        user = self.random.choice(self.users)
        body = b"a line of a message\r\n" * (self.random.choice(self.sizes) // 21)
        for command in (b"MAIL FROM:<a@elsewhere.test>\r\n", b"RCPT TO:<%s@example.test>\r\n" % user.encode(), b"DATA\r\n"):
            if say(f, sock, command) is None:
                return False
        line = say(f, sock, b"Subject: fault\r\n\r\n" + body + b".\r\n")
        found = QUEUED.search(line or b"")
        if found:
            self.acknowledged.append(found.group(1).decode())
        return line is not None


def load_and_kill(server, users, number, longest_s):
    senders = [Sender(server.ports["smtp"], number * 100 + i, users) for i in range(4)]
    for s in senders:
        s.start()
    time.sleep(random.Random(number).random() * longest_s)
    server.kill()
    for s in senders:
        s.ended = True
        s.join(10)
    return sum((s.acknowledged for s in senders), [])


def stored(folder):
    """Ids of all messages; the store is checked whole on the way."""
    r = subprocess.run([STORE_HAS, folder], capture_output=True, text=True)
    equal(r.returncode, 0, "the check of the store: " + r.stderr[-400:])
    return r.stdout.split()


def test_kill_9_at_random_moments_loses_nothing_acknowledged_SMT_19_H80():
    users = ["anna", "bert", "carl"]
    server = Server()
    server.start()
    server.add_user("postmaster", "--admin")
    for u in users:
        server.add_user(u)
    acknowledged, slowest = [], 0.0
    try:
        for number in range(KILLS):
            acknowledged += load_and_kill(server, users, number, 0.25)
            if number % 10 == 9 or number == KILLS - 1:
                have = stored(server.store)
                equal(len(have), len(set(have)), "a message is there twice")
                equal(sorted(set(acknowledged) - set(have)), [], "acknowledged and lost after kill %d" % number)
            began = time.time()
            server.start()
            slowest = max(slowest, time.time() - began)
        true(acknowledged, "nothing was acknowledged: the load did not run")
        figure("kill -9: %d rounds, %d messages acknowledged, slowest restart %.0f ms"
               % (KILLS, len(acknowledged), slowest * 1e3))
        server.stop()
    finally:
        if server.process.poll() is None:
            server.kill()
        server.clean()


def taped_run(work):
    """A mixed run under the recorder; the folder as it was before, and the tape."""
    server = Server(work + "/server", services=("smtp", "pop3"))
    server.start()
    server.add_user("postmaster", "--admin")
    server.add_user("anna")
    server.add_user("bert")
    server.stop()
    base = work + "/base"
    shutil.copytree(server.store, base)
    tape = work + "/tape"
    server.env = {"LD_PRELOAD": RECORDER, "WREC_DIR": server.store, "WREC_LOG": tape, "WREC_OUT": "1"}
    server.start()
    senders = [Sender(server.ports["smtp"], i, ["anna", "bert"], sizes=(300, 3000, 9000)) for i in range(3)]
    for s in senders:
        s.start()
    time.sleep(0.12)
    server.add_user("carl")
    server.cli("mapping", "add", "sales@example.test", "carl")
    for s in senders:
        s.ended = True
        s.join(10)
    server.stop()
    told = sum(len(s.acknowledged) for s in senders)
    true(told > 10, "the taped run acknowledged only %d messages" % told)
    return server, base, tape


def test_power_cuts_leave_nothing_bad_H81():
    work = tempfile.mkdtemp(prefix="postroom-tape-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    try:
        _, base, tape = taped_run(work)
        r = subprocess.run([sys.executable, os.path.join(HERE, "wreplay.py"), tape, base, work + "/w", "--rand", "6", "--torn", "2",
                            "--max-states", str(STATES), "--", STORE_HAS, "{dir}", "{out}"], capture_output=True, text=True)
        figure("power cuts: " + r.stdout.strip().split("\n")[-1])
        equal(r.returncode, 0, r.stdout[-600:] + r.stderr[-300:])
    finally:
        shutil.rmtree(work, ignore_errors=True)


def test_the_tape_finds_a_planted_early_reply_H40():
    """The harness proves itself: a reply that was never followed by a commit must be found."""
    work = tempfile.mkdtemp(prefix="postroom-tape-")
    try:
        server, _, _ = taped_run(work)
        with open(work + "/told", "w") as f:
            f.write("250 2.0.0 queued as ZZZZZZ\r\n")
        r = subprocess.run([STORE_HAS, server.store, work + "/told"], capture_output=True, text=True)
        equal(r.returncode, 1, "a lost acknowledged message was not noticed")
    finally:
        shutil.rmtree(work, ignore_errors=True)


SWEEP = [("pwrite", "EIO ENOSPC short"), ("pwritev", "EIO ENOSPC"), ("writev", "EIO ENOSPC"), ("fdatasync", "EIO ENOSPC"),
         ("fsync", "EIO"), ("open", "EMFILE ENOMEM EIO"), ("accept4", "EMFILE ENOMEM"), ("epoll_ctl", "ENOMEM"),
         ("read", "EIO EINTR short"), ("recv", "EINTR EAGAIN short"), ("send", "EINTR EAGAIN short"), ("sendmsg", "EINTR EAGAIN"),
         ("write", "EIO EINTR short"), ("mmap", "ENOMEM"), ("malloc", "ENOMEM"), ("calloc", "ENOMEM"), ("realloc", "ENOMEM"),
         ("getrandom", "EIO"), ("eventfd", "EMFILE")]
SITES_MAX = 12  # call sites of one function that are tried with one fault


def delivery(port):
    """One message; the last reply, or None where the server went away or refused to connect."""
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as sock, sock.makefile("rb") as f:
            sock.settimeout(20)
            if not (say(f, sock, b"") or b"").startswith(b"220"):
                return None
            for command in (b"EHLO sweep.test\r\n", b"MAIL FROM:<a@elsewhere.test>\r\n", b"RCPT TO:<anna@example.test>\r\n", b"DATA\r\n"):
                line = say(f, sock, command)
                if line is None or line[:1] not in b"23":
                    return line
            return say(f, sock, b"Subject: sweep\r\n\r\nhello\r\n.\r\n")
    except OSError:
        return None


def control(path, armed):
    with open(path, "r+b") as f:
        f.seek(32)
        f.write(bytes(8))
        f.seek(64)
        f.write(bytes(768))
        f.seek(8)
        f.write(bytes([armed]) + bytes(7))


def sites(server, call, ctl):
    """How often a delivery makes this call."""
    import struct
    server.env = {"LD_PRELOAD": FAULTS, "FAULT_CTL": ctl, "FAULT_ARMED": "0", "FAULT_SPEC": call + ":p=0"}
    server.start()
    control(ctl, 1)
    equal(delivery(server.ports["smtp"])[:3], b"250", "an undisturbed delivery")
    control_bytes = open(ctl, "rb").read(832)
    server.stop()
    return struct.unpack("<16Q", control_bytes[576:704])[0]


def fail_one(server, call, fault, number, ctl, acknowledged):
    what = "act=short" if fault == "short" else "err=" + fault
    server.env = {"LD_PRELOAD": FAULTS, "FAULT_CTL": ctl, "FAULT_ARMED": "0", "FAULT_SPEC": "%s:nth=%d:%s" % (call, number, what)}
    server.start()
    control(ctl, 1)
    line = delivery(server.ports["smtp"])
    control(ctl, 0)
    name = "%s %d %s" % (call, number, fault)
    found = QUEUED.search(line or b"")
    if found:
        acknowledged.append(found.group(1).decode())
    elif line is not None:
        true(line[:1] == b"4" or line[:1] == b"5" and fault == "short", "%s: a polite 4xx, not %r" % (name, line))
    if server.process.poll() is None:
        again = delivery(server.ports["smtp"])
        if server.process.poll() is None and (again or b"")[:1] not in (b"2", b"4"):
            time.sleep(0.3)  # it may be ending by itself, as H42 says
            true(server.process.poll() is not None, "%s: the server runs but answers %r" % (name, again))
        found = QUEUED.search(again or b"")
        if found:
            acknowledged.append(found.group(1).decode())
    if server.process.poll() is None:
        server.process.terminate()
    status = server.process.wait(20)
    true(status in (0, 1) or call in ("malloc", "calloc", "realloc", "getrandom", "mmap"),
         "%s: exit status %s: %s" % (name, status, server.errors()[-300:]))


def sweep(call, faults):
    work = tempfile.mkdtemp(prefix="postroom-sweep-")
    server = Server(work + "/server", services=("smtp",))
    try:
        server.start()
        server.add_user("postmaster", "--admin")
        server.add_user("anna")
        server.stop()
        count = sites(server, call, work + "/ctl")
        acknowledged = []
        numbers = range(1, count + 1) if count <= SITES_MAX else sorted(random.Random(call).sample(range(1, count + 1), SITES_MAX))
        for fault in faults.split():
            for number in numbers:
                fail_one(server, call, fault, number, work + "/ctl", acknowledged)
        equal(sorted(set(acknowledged) - set(stored(server.store))), [], "acknowledged and lost")
    finally:
        if server.process.poll() is None:
            server.kill()
        shutil.rmtree(work, ignore_errors=True)


def test_a_full_disk_refuses_and_recovers_H43():
    """A real 64 MB disk where root may mount one; else a small store.max_size."""
    work = tempfile.mkdtemp(prefix="postroom-full-")
    server = Server(work + "/server", extra="store: { max_size: 64MB }\nlimits: { message_size: 1MB }\n")
    try:
        server.start()
        server.add_user("postmaster", "--admin")
        server.add_user("anna")
        body = "x" * 70 + "\r\n"
        refused = None
        for _ in range(400):
            try:
                server.send("a@elsewhere.test", ["anna@example.test"], "Subject: fill\r\n\r\n" + body * 4000)
            except Exception as e:
                refused = str(e)
                break
        true(refused and "452" in refused and "4.3.1" in refused, "452 4.3.1, not %s" % refused)
        p = server.pop("anna")
        count = p.stat()[0]
        true(count > 10, "messages before it was full: %d" % count)
        for n in range(count):
            p.dele(n + 1)
        p.quit()
        equal(server.pop("anna").stat()[0], 0, "deleting works on a full store")
        status, text = server.check()
        equal(status, 0, text[-400:])
        server.stop()
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
        shutil.rmtree(work, ignore_errors=True)


def refuses(change, *wanted):
    """A server that must not start: one clear line, status 1 or 2, nothing lost."""
    server = Server()
    try:
        server.start()
        server.add_user("postmaster", "--admin")
        server.stop()
        undo = change(server)
        server.start(ready=False)
        status = server.process.wait(20)
        text = server.errors().strip()
        true(status in (1, 2), "exit status %s" % status)
        lines = [line for line in text.split("\n") if line.startswith("postroomd: ")]
        equal(len(lines), 1, "lines on stderr: %r" % text)
        for word in wanted:
            true(word in lines[0], "%r is not in %r" % (word, lines[0]))
        if undo:
            undo()
            server.start()
            equal([u["name"] for u in server.json("user", "list")], ["postmaster"], "users afterwards")
            server.stop()
    finally:
        if server.process.poll() is None:
            server.kill()
        server.clean()


def test_a_bad_configuration_is_one_clear_line_CFG_01():
    def change(server):
        good = open(server.config).read()
        with open(server.config, "a") as f:
            f.write("limts: { message_size: 1MB }\n")
        return lambda: open(server.config, "w").write(good) and None
    refuses(change, "postroom.yaml:%d:1" % 13, "limts")


def test_a_port_in_use_is_one_clear_line():
    held = socket.socket()

    def change(server):
        held.bind(("127.0.0.1", server.ports["smtp"]))
        held.listen()
        return held.close
    refuses(change, "in use")


def test_a_second_server_on_the_same_store_is_refused_H46():
    first = []

    def change(server):
        other = Server(server.dir + "/other")
        text = open(other.config).read().replace(other.store, server.store)
        open(other.config, "w").write(text)
        other.start()
        first.append(other)
        return other.stop
    refuses(change, "store")


def test_a_store_of_another_version_is_refused_H50():
    def change(server):
        data = os.path.join(server.store, "data.mdb")
        shutil.copy(data, data + ".kept")
        with open(data, "r+b") as f:
            f.seek(0)
            f.write(os.urandom(8192))
        return lambda: os.replace(data + ".kept", data)
    refuses(change, "store")


def test_an_over_long_command_is_500_and_the_session_goes_on_H6():
    with Server() as server:
        sock = socket.create_connection(("127.0.0.1", server.ports["smtp"]), 10)
        f = sock.makefile("rb")
        say(f, sock, b"")
        equal(say(f, sock, b"EHLO " + b"x" * 5000 + b"\r\n")[:3], b"500")
        equal(say(f, sock, b"EHLO client.test\r\n")[:3], b"250")


def test_EMFILE_does_not_spin_and_recovers_H33():
    work = tempfile.mkdtemp(prefix="postroom-emfile-")
    ctl = work + "/ctl"
    server = Server(work + "/server", env={"LD_PRELOAD": FAULTS, "FAULT_CTL": ctl, "FAULT_ARMED": "0",
                                           "FAULT_SPEC": "accept4:from=1:err=EMFILE"})
    try:
        server.start()
        control(ctl, 1)
        waiting = [socket.create_connection(("127.0.0.1", server.ports["smtp"]), 5) for _ in range(5)]

        def ticks():
            total = 0
            for pid in server.pids():
                with open("/proc/%d/stat" % pid) as f:
                    total += sum(int(x) for x in f.read().rsplit(")", 1)[1].split()[11:13])
            return total
        before = ticks()
        time.sleep(2)
        used = (ticks() - before) / os.sysconf("SC_CLK_TCK") / 2
        true(used < 0.05, "CPU while descriptors are short: %.0f %%" % (used * 100))
        control(ctl, 0)
        wait_for(lambda: delivery_greets(waiting[0]), "a greeting after descriptors came back", 5)
        server.stop()
    finally:
        if server.process.poll() is None:
            server.kill()
        shutil.rmtree(work, ignore_errors=True)


def delivery_greets(sock):
    sock.settimeout(1)
    try:
        return sock.recv(3) == b"220"
    except OSError:
        return False


def main():
    tests = [(n[5:].replace("_", " "), f) for n, f in sorted(globals().items(), key=lambda i: line_of(i[1])) if n.startswith("test_")]
    tests += [("every %s of a delivery failed in turn (H82)" % call, lambda c=call, m=faults: sweep(c, m)) for call, faults in SWEEP]
    return tap(tests)


def line_of(item):
    return item.__code__.co_firstlineno if hasattr(item, "__code__") else 0


if __name__ == "__main__":
    sys.exit(main())
