"""imap_faults.py - what IMAP has acknowledged outlives kills and failing disks (H40, H80, H82).

Clients append, flag, copy, move and expunge in mailboxes of their own and keep a model of what they were
told. What was under way when the server went may have happened or not; everything else must be there.
"""
import os
import random
import re
import shutil
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))
from load import FAULTS, end, equal, stop, stored, with_users  # noqa: E402
from postroom import PASSWORD, Server, figure, true, wait_for  # noqa: E402
from sweep import HANG_S, ON, ONCE, Sweep  # noqa: E402
from tests.harness.imap import Gone, Imap  # noqa: E402

KILLS = int(os.environ.get("POSTROOM_IMAP_KILLS", "40"))
USERS = ["ines", "iris", "ivan"]
FOLDERS = ("INBOX", "Other")
FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "$Work")
LONGEST_S = 0.3
SITES_MAX = int(os.environ.get("POSTROOM_IMAP_SITES", "8"))
MESSAGE = b"From: a@elsewhere.test\r\nSubject: fault\r\n\r\n" + b"a line of a message\r\n"
WRITES = (("pwrite", "EIO ENOSPC"), ("writev", "EIO ENOSPC"), ("fdatasync", "EIO ENOSPC"))


def uids_of(text):
    """"3,5:7" as numbers."""
    found = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        found += range(int(first), int(last or first) + 1)
    return found


class NotNow(Exception):
    """The store could not be read, and the client was told so (RFC 5530)."""


def read(c, command):
    """The untagged replies of a command that only reads. Of its refusals one is right."""
    reply = c.ask(command)
    if reply.status == "NO" and reply.text.startswith(b"[UNAVAILABLE] "):
        raise NotNow(command)
    equal(reply.status, "OK", "%s: %r" % (command, reply.text))
    return reply.untagged


class Mailbox:
    """The folders of one user, as he was told they are."""

    def __init__(self, port, user, number):
        self.port, self.user, self.random = port, user, random.Random(number)
        self.has = {f: {} for f in FOLDERS}  # uid: flags
        self.validity, self.next = {}, {f: 1 for f in FOLDERS}
        self.doubt = set()  # (folder, uid), and (folder, None) where some may have been added
        self.told = 0

    def connect(self):
        c = Imap(self.port, timeout=HANG_S)
        if c.ask('LOGIN %s "%s"' % (self.user, PASSWORD)).status != "OK":
            raise Gone("not let in")
        if not self.validity:
            c.ask("CREATE Other")
        return c

    def select(self, c, folder):
        text = b"\n".join(read(c, 'SELECT "%s"' % folder))
        validity = int(re.search(rb"UIDVALIDITY (\d+)", text).group(1))
        equal(self.validity.setdefault(folder, validity), validity, "UIDVALIDITY of %s (H27)" % folder)
        true(int(re.search(rb"UIDNEXT (\d+)", text).group(1)) >= self.next[folder], "UIDNEXT fell (H27)")

    def settle(self, c):
        """Compare with what is there; then that is the model."""
        for folder in FOLDERS:
            self.select(c, folder)
            have = {}
            for line in read(c, "UID FETCH 1:* (UID FLAGS)"):
                uid, flags = re.search(rb"UID (\d+)", line), re.search(rb"FLAGS \(([^)]*)\)", line)
                if uid and flags:
                    have[int(uid.group(1))] = set(flags.group(1).decode().split()) - {"\\Recent"}
            where = "%s of %s" % (folder, self.user)
            for uid, flags in self.has[folder].items():
                if (folder, uid) not in self.doubt:
                    true(uid in have, "%s: uid %d was acknowledged and is lost" % (where, uid))
                    equal(have[uid], flags, "%s: flags of uid %d" % (where, uid))
            for uid in set(have) - set(self.has[folder]):
                true((folder, None) in self.doubt and uid >= self.next[folder], "%s: uid %d came from nowhere" % (where, uid))
            self.has[folder] = have
            self.next[folder] = max([self.next[folder], *(u + 1 for u in have)])
        self.doubt = set()

    def add(self, folder, uids, flags):
        for uid in uids:
            true(uid >= self.next[folder], "%s: uid %d is used twice" % (folder, uid))
            self.has[folder][uid] = set(flags)
            self.next[folder] = uid + 1

    def step(self, c, folder):
        """One command in FOLDER, which is selected; False where it was refused."""
        uids = sorted(self.has[folder])
        kind = self.random.choice(("append", "append", "store", "copy", "move", "expunge") if uids else ("append",))
        some = self.random.sample(uids, min(len(uids), self.random.randint(1, 3)))
        other = FOLDERS[1 - FOLDERS.index(folder)]
        done = getattr(self, "do_" + kind)(c, folder, sorted(some), other)
        self.told += done
        if done:
            self.doubt = set()
        return done

    def doubtful(self, folder, uids=(), into=None):
        self.doubt = {(folder, u) for u in uids} | ({(into, None)} if into else set())

    def do_append(self, c, folder, _, __):
        self.doubtful(folder, into=folder)
        body = MESSAGE * self.random.choice((1, 20, 800))
        reply = c.ask(b"APPEND %s (\\Seen) {%d+}\r\n%s" % (folder.encode(), len(body), body))
        if reply.status != "OK":
            return False
        self.add(folder, uids_of(re.search(rb"APPENDUID \d+ ([\d:,]+)", reply.text).group(1).decode()), {"\\Seen"})
        return True

    def do_store(self, c, folder, some, _):
        self.doubtful(folder, some)
        flag, sign = self.random.choice(FLAGS), self.random.choice("+-")
        if c.ask("UID STORE %s %sFLAGS.SILENT (%s)" % (",".join(map(str, some)), sign, flag)).status != "OK":
            return False
        for uid in some:
            self.has[folder][uid] = self.has[folder][uid] | {flag} if sign == "+" else self.has[folder][uid] - {flag}
        return True

    def copied(self, reply, folder, other):
        for text in [*reply.untagged, reply.text]:
            found = re.search(rb"COPYUID \d+ ([\d:,]+) ([\d:,]+)", text)
            if found:
                for old, new in zip(*(uids_of(g.decode()) for g in found.groups())):
                    self.add(other, [new], self.has[folder][old])

    def do_copy(self, c, folder, some, other):
        self.doubtful(folder, into=other)
        reply = c.ask("UID COPY %s %s" % (",".join(map(str, some)), other))
        if reply.status == "OK":
            self.copied(reply, folder, other)
        return reply.status == "OK"

    def do_move(self, c, folder, some, other):
        self.doubtful(folder, some, into=other)
        reply = c.ask("UID MOVE %s %s" % (",".join(map(str, some)), other))
        if reply.status == "OK":
            self.copied(reply, folder, other)
            for uid in some:
                del self.has[folder][uid]
        return reply.status == "OK"

    def do_expunge(self, c, folder, some, _):
        self.doubtful(folder, some)
        which = ",".join(map(str, some))
        if c.ask("UID STORE %s +FLAGS.SILENT (\\Deleted)" % which).status != "OK":
            return False
        if c.ask("UID EXPUNGE %s" % which).status != "OK":
            return False
        for uid in some:
            del self.has[folder][uid]
        return True


class Client(threading.Thread):
    """Works in one mailbox until it is stopped or the server goes."""

    def __init__(self, mailbox):
        super().__init__(daemon=True)
        self.mailbox, self.ended, self.fault = mailbox, False, None

    def run(self):
        try:
            with self.mailbox.connect() as c:
                self.mailbox.settle(c)
                while not self.ended:
                    folder = self.mailbox.random.choice(FOLDERS)
                    self.mailbox.select(c, folder)
                    for _ in range(5):
                        self.mailbox.step(c, folder)
        except (Gone, OSError):
            pass
        except Exception as fault:
            self.fault = fault


def settle_all(boxes):
    for box in boxes:
        with box.connect() as c:
            box.settle(c)


def test_kill_9_loses_nothing_that_imap_acknowledged_H80():
    server = Server(services=("imap",))
    try:
        with_users(server, *USERS)
        boxes = [Mailbox(server.ports["imap"], user, n) for n, user in enumerate(USERS)]
        settle_all(boxes)
        for number in range(KILLS):
            clients = [Client(box) for box in boxes]
            for c in clients:
                c.start()
            before = sum(box.told for box in boxes)
            time.sleep(0.05 + random.Random(number).random() * LONGEST_S)
            wait_for(lambda: sum(box.told for box in boxes) > before + 3 or not any(c.is_alive() for c in clients), "the load runs")
            server.kill()
            stop(clients)
            for c in clients:
                if c.fault:
                    raise c.fault
            server.start()
            settle_all(boxes)
        told = sum(box.told for box in boxes)
        true(told > KILLS * 3, "the load did not run: %d commands" % told)
        figure("kill -9 under IMAP: %d rounds, %d changes acknowledged, none lost" % (KILLS, told))
        equal(server.stop(), 0, "exit status")
        stored(server.store)
    finally:
        end(server)
        server.clean()


class ImapSweep(Sweep):
    """A round of IMAP in place of a delivery."""

    def __init__(self, call):
        super().__init__(call)
        shutil.rmtree(self.server.dir, ignore_errors=True)
        self.server = Server(self.work + "/imap", services=("imap",))

    def __enter__(self):
        with_users(self.server, "ines")
        self.box = Mailbox(self.server.ports["imap"], "ines", 1)
        settle_all([self.box])
        self.server.stop()
        self.server.env = {"LD_PRELOAD": FAULTS, "FAULT_CTL": self.aim.path, "FAULT_ARMED": "0", "FAULT_SPEC": self.call + ":p=0"}
        return self

    def deliver(self, name, body=b""):
        """b"250" where all was done, b"4" where some of it was refused, None where the server went."""
        began, fine = time.monotonic(), True
        try:
            with self.box.connect() as c:
                self.box.settle(c)
                for folder in FOLDERS:
                    self.box.select(c, folder)
                    for _ in range(6):
                        fine &= self.box.step(c, folder)
                        if not fine:
                            return b"4"
        except NotNow:
            return b"4"
        except Gone as why:
            return b"4" if why.args == ("not let in",) else None
        except OSError:
            return None
        finally:
            true(time.monotonic() - began < HANG_S, name + ": it hangs")
        return b"250"

    def look(self, name):
        stored(self.server.store)


def sweep_imap(call, faults):
    with ImapSweep(call) as s:
        s.start()
        s.aim.arm(1 << 60, "EIO", ONCE)
        equal(s.deliver("undisturbed"), b"250", "an undisturbed round")
        s.aim.disarm()
        count = s.aim.hits()
        true(count > 0, "a round makes no such call")
        for fault in faults.split():
            for number in sorted({1 + i * count // SITES_MAX for i in range(SITES_MAX)}):
                for how in (ONCE, ON):
                    s.fail_one(number, fault, how)
        s.start()
        equal(s.deliver("at the end"), b"250", "a round at the end")
        equal(s.server.stop(), 0, "exit status at the end")
        s.look("at the end")
        figure("IMAP, %s: %d sites, %d runs, %d not taken, %d ends" % (call, count, s.runs, s.refused, s.ended))


TESTS = [test_kill_9_loses_nothing_that_imap_acknowledged_H80]
TESTS += [("every %s of a round of IMAP failed in turn (H82)" % call, lambda c=call, m=faults: sweep_imap(c, m)) for call, faults in WRITES]
