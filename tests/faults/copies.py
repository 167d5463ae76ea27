"""copies.py - kill -9 around each commit of a message that becomes many copies (H80, scenario of who gets a copy): a colleague,
an outsider, a list with an assistant behind it, a monitored sender, a Bcc, the archive and the journal: all of them or none.
"""
import os
import re
import shutil
import struct
import subprocess
import tempfile

from cast import BOXES, HEAD, TO, enter
from load import FAULTS, end
from postroom import PASSWORD, Server, equal, figure, true
from sweep import Aim

BOUNDARIES = int(os.environ.get("POSTROOM_BOUNDARIES", "3"))
SIZES = (20, 120000)  # lines of text: one commit, and several


class House:
    """Everybody that such a message reaches."""

    def __init__(self):
        self.work = tempfile.mkdtemp(prefix="postroom-copies-")
        self.server = Server(self.work + "/server", services=("submissions",), extra=(
            "loops: 1\narchive: { on: yes }\njournal: { internal: book }\nsignature: { plain: \"-- \\nhouse\" }\n"))
        self.aim, self.count = Aim(self.work + "/ctl"), 0

    def __enter__(self):
        self.server.start()
        enter(self.server)
        return self

    def __exit__(self, *why):
        end(self.server)
        shutil.rmtree(self.work, ignore_errors=True)

    def places(self):
        """How many messages there are in each place where a copy goes; the server is up."""
        found = {name: len(self.server.json("message", "list", name)) for name in BOXES}
        found["queue"] = len(self.server.json("queue", "list"))
        return found

    def archived(self):
        out = subprocess.run(["mdb_stat", "-s", "archive", self.server.store], capture_output=True, text=True, check=True).stdout
        return max(0, int(re.search(r"Entries: (\d+)", out).group(1)) - 1)  # its head is a row too

    def send(self, lines):
        """True: it was said to be taken."""
        self.count += 1
        try:
            with self.server.smtp("submissions") as c:
                c.login("anna", PASSWORD)
                c.mail("anna@example.test")
                for address in TO:
                    c.rcpt(address)
                with open(self.aim.path, "r+b") as f:  # calls count from here on
                    f.seek(8)
                    f.write(struct.pack("<Q", 1))
                code, _ = c.data(HEAD % ("r%03d" % self.count) + "a line of text\r\n" * lines)
                return code == 250
        except OSError:
            true(self.server.process.poll() is not None or self.server.process.wait(60) is not None, "it was killed")
            return False
        except Exception as e:  # smtplib's, of a server that was killed
            if self.server.process.poll() is None:
                self.server.process.wait(60)
            true(self.server.process.poll() is not None, repr(e))
            return False

    def aimed(self, spec):
        self.server.stop()
        if os.path.exists(self.aim.path):
            os.unlink(self.aim.path)
        self.server.env = {"LD_PRELOAD": FAULTS, "FAULT_CTL": self.aim.path, "FAULT_ARMED": "0", "FAULT_SPEC": spec}
        self.server.start()

    def places_to_die(self, call, lines):
        """Numbers of CALL from the text to its 250: some of them all over, and the last, which make the commit count."""
        self.aimed(call + ":p=0")
        true(self.send(lines), "undisturbed")
        count = self.aim.hits()
        self.before = self.places()
        return sorted({1 + i * count // BOUNDARIES for i in range(BOUNDARIES)} | {max(1, count - 1), count})

    def try_one(self, spec, lines):
        """(died, kept): one message under that fault; what the next start finds is all of it or nothing."""
        self.server.stop()
        had, before = self.archived(), self.before
        self.aimed(spec)
        told = self.send(lines)
        self.aim.disarm()
        died = self.server.process.poll() is not None or self.server.stop() != 0
        if died:
            self.server.wait_unlocked()
        status, said = self.server.check()
        equal(status, 0, "%s: %s" % (spec, said))
        archived = self.archived() - had
        self.server.env = {}
        self.server.start()
        self.before = self.places()
        more = {place: self.before[place] - before[place] for place in before}
        more["archive"] = archived
        true(set(more.values()) in ({0}, {1}), "%s, %d lines: copies of one message: %s" % (spec, lines, more))
        true(not told or archived == 1, "%s: it was taken, and is lost" % spec)
        return died, archived


def test_kill_9_at_each_commit_leaves_all_copies_or_none_H80_RTE_15_ARC_01_JRN_01_MON_01():
    deaths = kept = runs = 0
    with House() as house:
        for lines in SIZES:
            specs = ["send:nth=2:act=kill"]  # behind the 354 the 250: whose commit is done; how many pages one writes differs
            for call in ("fdatasync", "pwrite"):
                for number in house.places_to_die(call, lines):
                    specs += ["%s:nth=%d:act=%s" % (call, number, how) for how in ("kill", "after")]
            for spec in specs:
                died, there = house.try_one(spec, lines)
                deaths, kept, runs = deaths + died, kept + (died and there), runs + 1
        equal(house.server.stop(), 0, "exit status at the end")
        true(0 < kept < deaths, "deaths %d of %d, whole %d: some in front of the commit, some behind it" % (deaths, runs, kept))
    figure("a message of ten copies, killed %d times: %d whole, %d not there at all" % (deaths, kept, deaths - kept))


TESTS = [test_kill_9_at_each_commit_leaves_all_copies_or_none_H80_RTE_15_ARC_01_JRN_01_MON_01]
