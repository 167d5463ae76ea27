"""imap_large.py - what IMAP does in many steps is all or nothing (docs/queue-states.md; H80, H81).

COPY and MOVE of a whole folder, DELETE of a full one and MULTIAPPEND take the writer several commits. Killed between
any two of them, clients see the folders as they were before, or as they are after; and as after where it was said.
"""
import os
import random
import re
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))
from load import end, equal, stored, with_users  # noqa: E402
from postroom import Server, figure, true  # noqa: E402
from power_cuts import STATES, Tape  # noqa: E402
from tests.harness.imap import Gone, Imap  # noqa: E402

KILLS = int(os.environ.get("POSTROOM_IMAP_KILLS", "40"))
MANY = 1000  # messages: copied in slices of 400, put in by one APPEND at most
MESSAGE = b"From: a@elsewhere.test\r\nSubject: many\r\n\r\n" + b"a line of a message\r\n" * 8
CHECK_EVERY = 8


def connect(server):
    return Imap(server.ports["imap"], timeout=30).login("tina")


def append_many(folder, count):
    return b'APPEND "%s"' % folder.encode() + b"".join(b" {%d+}\r\n%s" % (len(MESSAGE), MESSAGE) for _ in range(count))


def count_of(c, folder):
    """None: there is no such folder."""
    reply = c.ask('STATUS "%s" (MESSAGES)' % folder)
    return int(re.search(rb"MESSAGES (\d+)", reply.untagged[0]).group(1)) if reply.status == "OK" else None


class Large:
    """One folder that is full, and one act on it a round."""

    def __init__(self, server):
        self.server, self.random = server, random.Random(5)
        self.takes, self.before, self.after = {}, 0, 0

    def prepare(self):
        with connect(self.server) as c:
            c.ask("CREATE Full")
            c.ask("CREATE Target")
            have = count_of(c, "Full")
            if have < MANY:
                c.ok(append_many("Full", MANY - have))
            c.ask("DELETE Target" if count_of(c, "Target") else "NOOP")
            c.ask("CREATE Target")
            c.ok("SELECT Full")

    def command(self, kind):
        return {"copy": "COPY 1:* Target", "move": "MOVE 1:* Target", "delete": "DELETE Full",
                "append": append_many("Target", MANY)}[kind]

    def states(self, kind):
        """(Full, Target) before and after."""
        return (MANY, 0), {"copy": (MANY, MANY), "move": (0, MANY), "delete": (None, 0), "append": (MANY, MANY)}[kind]

    def look(self, kind, said):
        before, after = self.states(kind)
        with connect(self.server) as c:
            now = count_of(c, "Full"), count_of(c, "Target")
        true(now == after or (now == before and not said), "%s, %s: %r" % (kind, "said" if said else "not said", now))
        self.before += now == before
        self.after += now == after

    def act(self, kind, kill_after):
        """Was it told to be done?"""
        with connect(self.server) as c:
            if kind != "delete":
                c.ok("SELECT Full")
            began = time.time()
            tag = c.send(self.command(kind))
            if kill_after is None:
                equal(c.answer(tag).status, "OK", kind)
                self.takes[kind] = time.time() - began
                return True
            time.sleep(kill_after)
            self.server.kill()
            try:
                return c.answer(tag).status == "OK"
            except (Gone, OSError):
                return False


def test_large_acts_are_all_or_nothing_after_kill_9_H80():
    server = Server(services=("imap",))
    try:
        with_users(server, "tina")
        large = Large(server)
        for number in range(KILLS + 4):
            kind = ("copy", "move", "delete", "append")[number % 4]
            large.prepare()
            said = large.act(kind, None if number < 4 else large.random.random() * large.takes[kind])
            if number >= 4:
                if number % CHECK_EVERY == 0:
                    stored(server.store)
                server.start()
            large.look(kind, said)
        figure("kill -9 in large acts of IMAP: %d rounds, %d as before, %d as after" % (KILLS, large.before, large.after))
        true(large.before and large.after > 4, "the kills all came too late or too early")
        equal(server.stop(), 0, "exit status")
        stored(server.store)
    finally:
        end(server)
        server.clean()


class ImapTape(Tape):
    """The tape of a mailbox that is worked on by IMAP, large acts and small."""

    def __init__(self):
        super().__init__()
        shutil.rmtree(self.server.dir, ignore_errors=True)
        self.server = Server(os.path.join(self.work, "server"), services=("imap",))
        self.taped["WREC_DIR"] = self.server.store

    def prepare(self):
        with_users(self.server, "tina")
        return self.copy_base()

    def run_imap(self):
        self.server.start()
        with connect(self.server) as c:
            c.ok("CREATE Full")
            c.ok("CREATE Target")
            c.ok(append_many("Full", 500))
            c.ok("SELECT Full")
            for command in ("COPY 1:* Target", "STORE 1:250 +FLAGS.SILENT (\\Deleted $Work)", "EXPUNGE", "MOVE 1:* Target",
                            "MOVE 1:5 Target", "COPY 1:3 Target", "RENAME Target Target/below", "DELETE Target/below"):
                c.ask(command)


def test_power_cuts_under_imap_leave_nothing_bad_H81():
    with ImapTape() as tape:
        tape.prepare().run_imap()
        equal(tape.server.stop(), 0, "exit status")
        states, bad, text = tape.judge(STATES // 4, "--rand", "6", "--torn", "2")
        figure("power cuts under IMAP: %d cuts, %d distinct states, %d bad" % (tape.cuts, states, bad))
        equal(bad, 0, text[-900:])
        true(states > 50, "only %d distinct states" % states)


TESTS = [test_large_acts_are_all_or_nothing_after_kill_9_H80, test_power_cuts_under_imap_leave_nothing_bad_H81]
