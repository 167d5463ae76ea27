"""collect_faults.py - kill -9 around each commit of a collection (H80, INM-03): what was on disk is removed the next time and
comes no second time, what was not is fetched again. By unique ids, by headers, and by whole texts.
"""
import os
import shutil
import signal
import struct
import tempfile

from load import FAULTS, end
from pop3_server import Pop3Server
from postroom import Server, equal, figure, true, wait_for
from sweep import Aim

BOUNDARIES = int(os.environ.get("POSTROOM_BOUNDARIES", "3"))
MODES = {"UIDL": {}, "TOP": {"uidl": False}, "neither": {"uidl": False, "top": False}}
TEXT = b"To: anna@example.test\r\nMessage-ID: <%d@a.test>\r\nSubject: number %d\r\n\r\n%s"
EACH = (b"x\r\n", b"a line of text\r\n" * 100, b"y\r\n", b"a line of a large message\r\n" * 60000)  # the last in pieces


class Mailbox:
    """One mailbox, which is filled anew in each round, and the Postroom that collects it."""

    def __init__(self, mode, more=""):
        self.work = tempfile.mkdtemp(prefix="postroom-collect-")
        self.pop, self.last = Pop3Server({"box": []}, **MODES[mode]), 0
        self.server = Server(self.work + "/server", services=("smtp",), level="warning", extra=(
            "loops: 1\ncollecting: { collectors: [ { name: fetch, kind: pop3, server: 127.0.0.1, port: %d, tls: none, "
            "username: box, password: secret-word, accepted: [example.test]%s } ] }\n" % (self.pop.port, more)))
        self.name = "fetch"
        self.aim = Aim(self.work + "/ctl")

    def __enter__(self):
        self.pop.__enter__()
        self.server.start()
        self.server.add_user("anna")
        self.server.stop()
        return self

    def __exit__(self, *why):
        end(self.server)
        self.pop.__exit__(*why)
        shutil.rmtree(self.work, ignore_errors=True)

    def fill(self):
        for body in EACH:
            self.last += 1
            self.pop.boxes["box"].add(TEXT % (self.last, self.last, body))

    def rename(self, name):
        with open(self.server.config) as f:
            text = f.read()
        with open(self.server.config, "w") as f:
            f.write(text.replace("name: %s," % self.name, "name: %s," % name))
        self.name = name

    def collect(self, spec, renames=None):
        """True: the server died of it. It is down in any case."""
        if not renames:
            self.fill()
        if os.path.exists(self.aim.path):
            os.unlink(self.aim.path)
        self.server.env = {"LD_PRELOAD": FAULTS, "FAULT_CTL": self.aim.path, "FAULT_ARMED": "0", "FAULT_SPEC": spec}
        self.server.start()
        with open(self.aim.path, "r+b") as f:  # calls count from here on
            f.seek(8)
            f.write(struct.pack("<Q", 1))
        if renames:
            self.rename(renames)
            self.server.process.send_signal(signal.SIGHUP)
            wait_for(lambda: self.server.process.poll() is not None or renames in self.server.cli("collect", "list", ok=False).stdout,
                     "the new name is read", 30)
        self.server.cli("collect", "now", self.name, "--wait", ok=False)
        self.hits = self.aim.hits()
        self.aim.disarm()
        died = self.server.process.poll() is not None or self.server.stop() != 0
        if died:
            self.server.wait_unlocked()
        return died

    def verify(self, what, left=0):
        """After another collection, without a fault, each is there once, and LEFT are left in the mailbox."""
        status, said = self.server.check()
        equal(status, 0, "%s: %s" % (what, said))
        self.server.env = {}
        self.server.start()
        stored = len(self.server.json("message", "list", "anna"))
        true(self.last - stored <= len(self.pop.left("box")), "%s: what was removed there is stored" % what)
        self.server.cli("collect", "now", self.name, "--wait")
        equal(len(self.pop.left("box")), left, what)
        subjects = sorted(m["subject"] for m in self.server.json("message", "list", "anna"))
        equal(subjects, sorted("number %d" % n for n in range(1, self.last + 1)), what)
        equal(self.server.stop(), 0, what)


def test_kill_9_at_each_commit_of_a_collection_H80_INM_03():
    deaths = runs = 0
    for mode in MODES:
        with Mailbox(mode) as box:
            for call in ("fdatasync", "send"):
                box.collect(call + ":p=0")
                box.verify(mode + ", undisturbed")
                count = box.hits
                for number in sorted({1 + i * count // BOUNDARIES for i in range(BOUNDARIES)} | {max(1, count - 1), count}):
                    for how in ("kill", "after") if call == "fdatasync" else ("after",):
                        spec = "%s:nth=%d:act=%s" % (call, number, how)
                        deaths, runs = deaths + box.collect(spec), runs + 1
                        box.verify("%s %s" % (mode, spec))
    true(deaths > runs // 2, "it died %d times in %d" % (deaths, runs))
    figure("a collection was killed %d times: nothing is lost, and nothing came twice" % deaths)


RULE = "?Ask\nSize: 10\n"
SITES = ("UIDL", "TOP")  # a server with neither cannot be asked about


class Asked(Mailbox):
    """The same, where anna is asked about each message."""

    def __enter__(self):
        super().__enter__()
        self.server.start()
        self.server.cli("rule", "download", "apply", "-", "--yes", stdin=RULE)
        self.server.stop()
        return self

    def verify(self, what):
        """After another collection, without a fault: one letter and one question for each; an answer to the letter counts."""
        status, said = self.server.check()
        equal(status, 0, "%s: %s" % (what, said))
        self.server.env = {}
        self.server.start()
        self.server.cli("collect", "now", "fetch", "--wait")
        asks = self.server.json("rule", "download", "ask", "list")
        equal(sorted(a["subject"] for a in asks), sorted("number %d" % n for n in range(1, self.last + 1)), what)
        letters = [m["subject"] for m in self.server.json("message", "list", "anna")]
        equal(len(letters), self.last, "%s: asked twice, or never: %s" % (what, letters))
        true(all(any(a["id"] in letter for letter in letters) for a in asks), "%s: the letters name the questions: %s %s" % (what, letters, asks))
        equal(len(self.pop.left("box")), self.last, what + ": nothing goes without an answer")
        equal(self.server.stop(), 0, what)


def test_kill_9_while_it_is_asked_H80_DLR_07():
    deaths = runs = 0
    for mode in SITES:
        with Asked(mode) as box:
            box.collect("fdatasync:p=0")
            box.verify(mode + ", undisturbed")
            count = box.hits
            for number in range(1, count + 1, max(1, count // (2 * BOUNDARIES))):
                for how in ("kill", "after"):
                    spec = "fdatasync:nth=%d:act=%s" % (number, how)
                    deaths, runs = deaths + box.collect(spec), runs + 1
                    box.verify("%s %s" % (mode, spec))
    true(deaths > runs // 2, "it died %d times in %d" % (deaths, runs))
    figure("it was killed %d times while it asked: nobody was asked twice, and each is asked" % deaths)


def test_kill_9_around_a_new_name_of_a_collector_H80_INM_05():
    deaths = 0
    with Mailbox("UIDL", ", leave: always") as box:
        box.collect("fdatasync:p=0")
        for number in range(1, 4):
            for how in ("kill", "after"):
                spec = "fdatasync:nth=%d:act=%s" % (number, how)
                deaths += box.collect(spec, renames="%s%d" % (how, number))
                box.verify("renamed, " + spec, left=len(EACH))
    true(deaths > 1, "it died %d times" % deaths)
    figure("a collector was renamed and the server killed %d times: nothing came twice" % deaths)


TESTS = [test_kill_9_while_it_is_asked_H80_DLR_07, test_kill_9_at_each_commit_of_a_collection_H80_INM_03,
         test_kill_9_around_a_new_name_of_a_collector_H80_INM_05]
