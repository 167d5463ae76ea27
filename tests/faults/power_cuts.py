"""power_cuts.py - the tape of a mixed run, cut everywhere (H81, H50, H48), and planted mistakes (H40, H41)."""
import os
import re
import shutil
import subprocess
import sys

from load import EARLY, FAULTS, HERE, RECORDER, STORE_HAS, Reader, Sender, all_of, end, equal, stop, with_users, work_folder
from postroom import Server, figure, true

STATES = int(os.environ.get("POSTROOM_STATES", "5000"))
PROCESSES = 2  # that judge states at once
MESSAGES_EACH = 12
FIGURES = re.compile(r"(\d+) records, (\d+) cuts, (\d+) distinct states checked \((\d+) repeats skipped\), (\d+) bad")


class Tape:
    """A folder with the store as it was, the tape of what followed, and who wrote it."""

    def __init__(self, program=None, preload=RECORDER, env=None):
        self.work = work_folder("tape")
        self.base, self.tape, self.inodes = (os.path.join(self.work, n) for n in ("base", "tape", "inodes"))
        options = {"program": program} if program else {}
        self.server = Server(os.path.join(self.work, "server"), services=("smtp", "pop3"), **options)
        self.taped = dict(env or {}, LD_PRELOAD=preload, WREC_DIR=self.server.store, WREC_LOG=self.tape, WREC_OUT="1")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.server)
        shutil.rmtree(self.work, ignore_errors=True)

    def prepare(self):
        """Users and mail to delete: the base of the tape."""
        with_users(self.server, "anna", "bert", "dora")
        sender = Sender(self.server.ports["smtp"], 9, ["dora"], (300, 3000), MESSAGES_EACH)
        sender.run()
        return self.copy_base()

    def copy_base(self):
        """Stop; what is there now is the base, and what comes next is taped."""
        equal(self.server.stop(), 0, "exit status before the tape")
        self.server.env = self.taped
        shutil.copytree(self.server.store, self.base)
        with open(self.inodes, "w") as f:
            for name in os.listdir(self.server.store):
                f.write("%d %s\n" % (os.stat(os.path.join(self.server.store, name)).st_ino, name))
        return self

    def run_mixed(self):
        """Deliveries, deletes and settings, all on the tape."""
        server = self.server
        server.start()
        senders = [Sender(server.ports["smtp"], i, ["anna", "bert"], (300, 3000, 9000), MESSAGES_EACH) for i in range(3)]
        reader = Reader(server.ports["pop3"], "dora")
        for t in senders + [reader]:
            t.start()
        server.add_user("carl")
        server.cli("mapping", "add", "sales@example.test", "carl")
        for s in senders:
            s.join(60)
        stop([reader])
        self.deleted = len(reader.confirmed)
        return all_of(senders, "acknowledged")

    def replay(self, part, states, check, options):
        command = [sys.executable, os.path.join(HERE, "wreplay.py"), self.tape, self.base if os.path.isdir(self.base) else "-",
                   os.path.join(self.work, "w%d" % part), "--out-mark", "queued as ", "--part", "%d/%d" % (part, PROCESSES),
                   "--seed", str(part + 1), "--max-states", str(states // PROCESSES), "--also-ok", "3", *options]
        if os.path.exists(self.inodes):
            command += ["--inodes", self.inodes]
        return subprocess.Popen(command + ["--", STORE_HAS, *check, "{dir}", "{out}"], stdout=subprocess.PIPE, text=True)

    def judge(self, states, *options, check=()):
        """(distinct states, bad ones, what was printed of them)."""
        running = [self.replay(part, states, check, options) for part in range(PROCESSES)]
        texts = [r.communicate()[0] for r in running]
        found = [FIGURES.search(t) for t in texts]
        true(all(found), "the replay ended early: %r" % texts)
        self.cuts = sum(int(f.group(2)) for f in found)
        return sum(int(f.group(3)) for f in found), sum(int(f.group(5)) for f in found), "".join(texts)


def test_power_cuts_leave_nothing_bad_H81():
    with Tape() as tape:
        told = tape.prepare().run_mixed()
        true(len(told) == 3 * MESSAGES_EACH and tape.deleted, "the taped run took %d messages and deleted %d"
             % (len(told), tape.deleted))
        equal(tape.server.stop(), 0, "exit status")
        states, bad, text = tape.judge(STATES, "--rand", "6", "--torn", "2")
        figure("power cuts: %d cuts, %d distinct states, %d bad" % (tape.cuts, states, bad))
        equal(bad, 0, text[-900:])
        true(states >= STATES * 9 // 10, "only %d distinct states" % states)


def test_a_power_cut_in_the_first_start_leaves_a_store_or_none_H50():
    for fs in ("ext4", "posix"):
        with Tape() as tape:
            os.mkdir(tape.server.store, 0o700)
            tape.server.env = tape.taped
            with_users(tape.server, "anna")
            sender = Sender(tape.server.ports["smtp"], 1, ["anna"], (300,), 3)
            sender.run()
            equal(len(sender.acknowledged), 3, "acknowledged")
            equal(tape.server.stop(), 0, "exit status")
            states, bad, text = tape.judge(STATES // 10, "--rand", "6", "--torn", "2", "--fs", fs)
            figure("power cuts of a first start, %s names: %d distinct states, %d bad" % (fs, states, bad))
            equal(bad, 0, text[-900:])


def test_a_commit_torn_inside_a_sector_is_given_up_by_repair_H48():
    """Harsher than disks are: the meta page itself is torn. The seal shows it, repair goes back one commit."""
    with Tape() as tape:
        tape.prepare().run_mixed()
        equal(tape.server.stop(), 0, "exit status")
        options = ("--rand", "0", "--torn", "5", "--tear", "1")
        states, refused, _ = tape.judge(STATES // 3, *options)
        _, bad, text = tape.judge(STATES // 3, *options, check=("--repair",))
        figure("commits torn inside a sector: %d states, %d refused by the seal, %d bad after repair" % (states, refused, bad))
        true(refused > 0, "no state was torn")
        equal(bad, 0, text[-900:])


def planted(name, **options):
    with Tape(**options) as tape:
        tape.prepare().run_mixed()
        end(tape.server)
        states, bad, _ = tape.judge(2000, "--rand", "3", "--stop-bad", "20")
        figure("planted %s: %d of %d states bad" % (name, bad, states))
        true(bad > 0, "the tape did not find the planted mistake")


def test_the_tape_finds_a_planted_early_reply_H40():
    """The harness proves itself: a postroomd that answers before it writes must be found."""
    planted("early reply", program=EARLY)


def test_the_tape_finds_syncs_that_lie_H41():
    planted("lying fdatasync", preload=FAULTS + " " + RECORDER, env={"FAULT_SPEC": "fdatasync:from=1:act=skip"})


TESTS = [test_power_cuts_leave_nothing_bad_H81, test_a_commit_torn_inside_a_sector_is_given_up_by_repair_H48,
         test_a_power_cut_in_the_first_start_leaves_a_store_or_none_H50, test_the_tape_finds_a_planted_early_reply_H40,
         test_the_tape_finds_syncs_that_lie_H41]
