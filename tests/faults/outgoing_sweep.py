"""outgoing_sweep.py - each call while a message leaves, failed in turn (H82), and kill -9 around each commit (H18, H80).

At least once, always. Twice only where the process died between the 250 of the other server and its own commit.
"""
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

from load import FAULTS, end, equal
from postroom import PASSWORD, Server, figure, true, wait_for
from sweep import ON, ONCE, ERRNO, Aim

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from smtp_sink import SmtpSink  # noqa: E402

ERRNO.update(ENETUNREACH=101, EPIPE=32)
CALLS = [("socket", "EMFILE ENOMEM"), ("connect", "ENETUNREACH EINTR"), ("send", "ECONNRESET EAGAIN EINTR short"),
         ("recv", "ECONNRESET EAGAIN EINTR short"), ("epoll_ctl", "ENOMEM"), ("close", "EIO"), ("pwrite", "EIO ENOSPC short"),
         ("writev", "EIO ENOSPC"), ("fdatasync", "EIO"), ("calloc", "ENOMEM"), ("malloc", "ENOMEM"), ("getrandom", "EIO")]
MAY_END = ("calloc", "malloc", "getrandom", "pwrite", "writev", "fdatasync", "epoll_ctl")  # with status 1 (H42, house 8)
SITES_MAX = int(os.environ.get("POSTROOM_SITES", "24")) // 6
SETTLE_S, RECOVER_S = 0.9, 60
BOUNDARIES = int(os.environ.get("POSTROOM_BOUNDARIES", "3"))
IN_FLIGHT = 3
TEXT = "Subject: x\r\n\r\n" + "a line of the text\r\n" * 500


class Road:
    """A server whose mail leaves to a sink, one held message at a time."""

    def __init__(self, spec):
        self.work = tempfile.mkdtemp(prefix="postroom-road-")
        self.sink = SmtpSink()
        self.server = Server(self.work + "/server", services=("submissions",), extra="loops: 1\noutgoing: { routes: [ { name: isp,"
                             " kind: relay, tls: none, servers: ['127.0.0.1:%d'] } ] }\n" % self.sink.port)
        self.aim, self.spec, self.count, self.ends = Aim(self.work + "/ctl"), spec, 0, 0

    def __enter__(self):
        self.sink.__enter__()
        self.server.start()
        self.server.add_user("anna")
        self.server.stop()
        self.aimed(self.spec)
        return self

    def aimed(self, spec):
        if os.path.exists(self.aim.path):
            os.unlink(self.aim.path)
        self.server.env = {"LD_PRELOAD": FAULTS, "FAULT_CTL": self.aim.path, "FAULT_ARMED": "0", "FAULT_SPEC": spec}
        self.server.start()

    def __exit__(self, *why):
        end(self.server)
        self.sink.__exit__(*why)
        shutil.rmtree(self.work, ignore_errors=True)

    def hold_some(self, count):
        """Recipients of messages that wait for release()."""
        self.sink.replies = {"MAIL": "421 4.3.2 not yet"}  # and the connection is no more
        to = ["r%d@x.test" % (self.count + i) for i in range(count)]
        self.count += count
        with self.server.smtp("submissions") as c:
            c.login("anna", PASSWORD)
            for address in to:
                c.sendmail("anna@example.test", [address], TEXT)
        wait_for(lambda: [q["state"] for q in self.server.json("queue", "list")] == ["deferred"] * count, "they are deferred")
        self.sink.replies = {}
        return to

    def taken(self, to):
        with self.sink.lock:
            return sum(m.recipients == [to] for m in self.sink.mails)

    def release(self):
        """It may fail: the fault is armed."""
        try:
            subprocess.run([os.path.join(os.path.dirname(self.server.program), "postroom"), "-s", self.server.socket, "queue", "retry",
                            "--all"], capture_output=True, timeout=5)
        except subprocess.TimeoutExpired:
            pass

    def is_over(self, to):
        return self.server.process.poll() is not None or all(self.taken(t) for t in to)

    def settle(self, to, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.is_over(to):
            time.sleep(0.01)
        time.sleep(0.03)  # the commit behind the 250

    def recover(self, to, name):
        """The fault is gone: all of it is there in the end, and the queue is empty."""
        until = time.monotonic() + RECOVER_S
        while time.monotonic() < until:
            if self.server.process.poll() is not None:
                self.ends += 1
                self.server.start()
            self.release()
            rows = self.server.cli("queue", "list", "--json", ok=False)
            if rows.returncode == 0 and not rows.stdout.strip():
                return
            time.sleep(0.05)
        raise AssertionError("%s: still in the queue after %d s: %s" % (name, RECOVER_S, rows.stdout))


def look(road, to, name, died, had=()):
    """HAD: those whose 250 had been said when the process died."""
    for address in to:
        count = road.taken(address)
        true(count >= 1, "%s: %s is lost" % (name, address))
        true(count == 1 or (died and count == 2 and (not had or address in had)),
             "%s: %s was sent %d times%s" % (name, address, count, ", though nothing died" if not died else ""))


def fail_one(road, call, number, fault, how):
    name = "%s %d %s %s" % (call, number, fault, "once" if how == ONCE else "from then on")
    to = road.hold_some(1)
    ends = road.ends
    road.aim.arm(number, fault, how)
    road.release()
    road.settle(to, SETTLE_S if how == ON else SETTLE_S / 3)
    road.aim.disarm()
    time.sleep(0.02)
    status = road.server.process.poll()
    true(status in (None, 1), "%s: exit status %s: %s" % (name, status, road.server.errors()[-300:]))
    true(status is None or call in MAY_END, "%s: it ended: %s" % (name, road.server.errors()[-300:]))
    road.recover(to, name)
    look(road, to, name, road.ends > ends or call == "recv")  # a 250 that was not read may as well not have been said


def count_calls(road):
    to = road.hold_some(1)
    road.aim.arm(1 << 60, "EIO", ONCE)
    road.release()
    road.settle(to, 10)
    road.aim.disarm()
    road.recover(to, "undisturbed")
    look(road, to, "undisturbed", False)
    return road.aim.hits()


def sweep_call(call, faults):
    with Road(call + ":p=0") as road:
        count, runs = count_calls(road), 0
        numbers = sorted({1 + i * count // SITES_MAX for i in range(SITES_MAX)}) if count > SITES_MAX else range(1, count + 1)
        for fault in faults.split():
            for number in numbers:
                fail_one(road, call, number, fault, ONCE)
                runs += 1
            if fault not in ("EINTR", "EAGAIN", "short"):
                fail_one(road, call, 1, fault, ON)
                runs += 1
        equal(road.server.stop(), 0, "exit status at the end")
        equal(road.server.check()[0], 0, "the store is whole")
        figure("sending, %s: %d sites, %d runs, %d ends" % (call, count, runs, road.ends))


def kill_at(road, call, number, how):
    """SIGKILL in front of, or behind, the NUMBERth CALL after the release."""
    name = "killed %s %s %d" % ("in front of" if how == "kill" else "behind", call, number)
    road.server.stop()
    road.aimed("%s:nth=%d:act=%s" % (call, number, how))
    to = road.hold_some(IN_FLIGHT)
    with open(road.aim.path, "r+b") as f:
        f.seek(8)
        f.write(struct.pack("<Q", 1))
    road.release()
    road.settle(to, SETTLE_S)
    road.aim.disarm()
    died = road.aim.hits() >= number  # then nothing keeps it from its end
    if died:
        wait_for(lambda: road.server.process.poll() is not None, name + ": it ends")
        road.server.wait_unlocked()
    had = [t for t in to if road.taken(t)]
    road.server.env = {}
    road.recover(to, name)
    look(road, to, name, died, had or ("nobody",))
    return died, sum(road.taken(t) > 1 for t in to)


def test_kill_9_at_each_commit_while_mail_leaves_H18_H80():
    deaths = doubles = 0
    with Road("fdatasync:p=0") as road:
        for call in ("fdatasync", "pwrite"):
            for number in range(1, BOUNDARIES + 1):
                for how in ("kill", "after"):
                    died, twice = kill_at(road, call, number, how)
                    deaths, doubles = deaths + died, doubles + twice
        true(deaths >= BOUNDARIES, "only %d deaths" % deaths)
        equal(road.server.stop(), 0, "exit status at the end")
        equal(road.server.check()[0], 0, "the store is whole")
    figure("killed at %d places of sending: none lost, %d twice" % (deaths, doubles))


TESTS = [("every %s of mail that leaves failed in turn (H82)" % call, lambda c=call, m=faults: sweep_call(c, m)) for call, faults in CALLS]
TESTS += [test_kill_9_at_each_commit_while_mail_leaves_H18_H80]
