"""forward_faults.py - store and forward under failing calls (H82), kill -9 (H18, H80) and power cuts (H81).

Each message is in one state: kept and waiting; gone here, and there; or deleted here and not waiting any more. It is
at the other server twice only where the process died between the 250 and its own commit.
"""
import os
import struct
import subprocess
import threading
import time

from load import STORE_HAS, Reader, Sender, all_of, end, equal, stop
from outgoing_sweep import ON, ONCE, Road, look
from postroom import Server, figure, true, wait_for
from power_cuts import MESSAGES_EACH, Tape
from smtp_sink import SmtpSink

CALLS = [("connect", "ENETUNREACH"), ("send", "ECONNRESET short"), ("recv", "ECONNRESET"), ("pwrite", "EIO ENOSPC"),
         ("writev", "EIO"), ("fdatasync", "EIO"), ("calloc", "ENOMEM")]
MAY_END = ("calloc", "pwrite", "writev", "fdatasync")
SITES_MAX = int(os.environ.get("POSTROOM_SITES", "24")) // 12
BOUNDARIES = int(os.environ.get("POSTROOM_BOUNDARIES", "3"))
STATES = int(os.environ.get("POSTROOM_STATES", "5000")) // 5
SETTLE_S = 0.6
LATE_S = 60  # nothing that is on its way takes longer
SLOW_S = 0.2  # the other server takes its time with the 250: the deletion falls into it
IN_FLIGHT = 3


class ForwardRoad(Road):
    """The mail of anna, whose other server is the sink."""

    def __init__(self, spec):
        super().__init__(spec)
        self.server = Server(self.work + "/branch", services=("smtp", "imaps"), extra="loops: 1\n")

    def __enter__(self):
        self.sink.__enter__()
        self.server.start()
        for user in (("postmaster", "--admin"), ("anna",)):
            self.server.add_user(*user)
        self.server.cli("user", "set", "anna", "store_forward_address=anna@main.test",
                        "store_forward_server=127.0.0.1:%d" % self.sink.port)
        self.server.stop()
        self.aimed(self.spec)
        return self

    def hold_some(self, count):
        self.sink.replies = {"MAIL": "421 4.3.2 not yet"}
        names = ["r%05d" % (self.count + i) for i in range(count)]
        self.count += count
        with self.server.smtp() as c:
            for name in names:
                c.sendmail("x@far.test", ["anna@example.test"], "Subject: %s\r\n\r\n" % name + "a line of the text\r\n" * 500)
        wait_for(lambda: [q["state"] for q in self.server.json("queue", "list")] == ["deferred"] * count, "they are deferred")
        self.sink.replies = {}
        return names

    def taken(self, name):
        with self.sink.lock:
            return sum(b"Subject: %s\r" % name.encode() in m.data for m in self.sink.mails)

    def subjects(self, *command):
        return {row["subject"] for row in self.server.json(*command)}

    def states(self, names):
        """What a start finds, while nothing can leave: {name: "kept", "gone", "deleted"}."""
        here, binned = self.subjects("message", "list", "anna"), self.subjects("message", "bin", "anna")
        waits, found = self.subjects("queue", "list"), {}
        for name in names:
            now = (name in here, name in binned, name in waits)
            true(now in ((True, False, True), (False, False, False), (False, True, False)),
                 "%s: in the mailbox, in the bin, in the queue: %s" % (name, now))
            found[name] = "kept" if now[0] else "deleted" if now[1] else "gone"
            true(found[name] != "gone" or self.taken(name), name + " is lost")
        return found

    def is_whole(self, name):
        status, lines = self.server.check()
        equal(status, 0, "%s: %s" % (name, lines))


def fail_one(road, call, number, fault, how):
    name = "%s %d %s %s" % (call, number, fault, "once" if how == ONCE else "from then on")
    to, ends = road.hold_some(1), road.ends
    road.aim.arm(number, fault, how)
    road.release()
    road.settle(to, SETTLE_S if how == ON else SETTLE_S / 3)
    road.aim.disarm()
    time.sleep(0.02)
    status = road.server.process.poll()
    true(status in (None, 1), "%s: exit status %s: %s" % (name, status, road.server.errors()[-300:]))
    true(status is None or call in MAY_END, "%s: it ended: %s" % (name, road.server.errors()[-300:]))
    road.recover(to, name)
    look(road, to, name, road.ends > ends or call == "recv")
    equal(road.subjects("message", "list", "anna"), set(), name + ": it is there, so it is not here")


def sweep_call(call, faults):
    with ForwardRoad(call + ":p=0") as road:
        to = road.hold_some(1)
        road.aim.arm(1 << 60, "EIO", ONCE)
        road.release()
        road.settle(to, 10)
        road.aim.disarm()
        road.recover(to, "undisturbed")
        count, runs = road.aim.hits(), 0
        true(count > 0, "a forward makes no such call")
        for fault in faults.split():
            for number in sorted({1 + i * count // SITES_MAX for i in range(SITES_MAX)}):
                fail_one(road, call, number, fault, ONCE)
                runs += 1
            if fault != "short":
                fail_one(road, call, 1, fault, ON)
                runs += 1
        equal(road.server.stop(), 0, "exit status at the end")
        road.is_whole(call)
        figure("forwarding, %s: %d sites, %d runs, %d ends" % (call, count, runs, road.ends))


def judge_death(road, names, name):
    """(died, the states). The store as it lies, then as it starts, then all of it leaves."""
    road.aim.disarm()
    died = road.server.process.poll() is not None or road.server.stop() != 0  # the last call may be one of the end
    if died:
        road.server.wait_unlocked()
    had = {n for n in names if road.taken(n)}
    road.is_whole(name)
    road.sink.replies = {"MAIL": "421 4.3.2 not yet"}
    road.server.env = {}
    road.server.start()
    found = road.states(names)
    road.sink.replies = {}
    road.recover(names, name)
    for message, state in found.items():
        times = road.taken(message)
        equal(times if state == "kept" and message not in had else min(times, 1), 1 if state != "deleted" else min(times, 1),
              "%s: %s was %s" % (name, message, state))
        true(times <= (2 if died and message in had and state == "kept" else 1), "%s: %s was %s, and sent %d times"
             % (name, message, state, times))
    true(not road.subjects("message", "list", "anna"), name + ": nothing is left here")
    return died, found


def aim_to_die(road, call, number, how):
    road.server.stop()
    road.aimed("%s:nth=%d:act=%s" % (call, number, how))


def arm(road):
    """Calls count from now on; that it is armed already changes nothing."""
    with open(road.aim.path, "r+b") as f:
        f.seek(8)
        f.write(struct.pack("<Q", 1))


def kill_forward(road, call, number, how):
    """SIGKILL in front of, or behind, the NUMBERth CALL of the outcomes."""
    name = "killed %s %s %d of an outcome" % ("in front of" if how == "kill" else "behind", call, number)
    aim_to_die(road, call, number, how)
    names = road.hold_some(IN_FLIGHT)
    road.sink.on_end = lambda mail: arm(road) or "250 2.0.0 taken"
    road.release()
    road.settle(names, SETTLE_S)
    road.sink.on_end = None
    return judge_death(road, names, name)


def delete_one(road, taking):
    """The one that the other server is taking; False: the server died."""
    try:
        true(taking.wait(LATE_S), "something is on its way")
        with road.server.imap("anna") as c:
            c.select("INBOX")
            uid = c.uid("search", None, "SUBJECT", '"%s"' % road.on_its_way)[1][0]
            c.uid("store", uid, "+FLAGS", r"(\Deleted)")
            arm(road)
            equal(c.uid("expunge", uid)[0], "OK")
        return True
    except Exception as e:  # imaplib's and the socket's, of a server that was killed
        try:
            road.server.process.wait(LATE_S / 6)
        except subprocess.TimeoutExpired:
            raise e
        return False


def kill_deletion(road, call, number, how):
    """The same of a deletion here while the other server has the text and has not answered."""
    name = "killed %s %s %d of a deletion" % ("in front of" if how == "kill" else "behind", call, number)
    aim_to_die(road, call, number, how)
    names, taking, deleted = road.hold_some(1), threading.Event(), threading.Event()
    road.on_its_way = names[0]

    def slowly(mail):
        taking.set()
        deleted.wait(LATE_S)
        return "250 2.0.0 taken"

    road.sink.on_end = slowly
    road.release()
    told = delete_one(road, taking)
    deleted.set()
    road.sink.on_end = None
    road.settle(names, SLOW_S)
    died, found = judge_death(road, names, name)
    true(not told or found[names[0]] == "deleted", "%s: the deletion was confirmed, and it is %s" % (name, found))
    return died, found


def kill_at_each(what, boundaries):
    deaths, ends = 0, {}
    with ForwardRoad("fdatasync:p=0") as road:
        for call in ("fdatasync", "pwrite"):
            for number in range(1, boundaries + 1):
                for how in ("kill", "after"):
                    died, found = what(road, call, number, how)
                    deaths += died
                    for state in found.values():
                        ends[state] = ends.get(state, 0) + 1
        true(len(ends) > 1, "each death found all of it in one state: %s" % ends)
        equal(road.server.stop(), 0, "exit status at the end")
        road.is_whole("the end")
    return deaths, ", ".join("%d %s" % (n, s) for s, n in sorted(ends.items()))


def test_kill_9_at_each_commit_of_a_forward_parts_no_pair_H18_H80_SNF_04():
    deaths, found = kill_at_each(kill_forward, BOUNDARIES)
    true(deaths >= BOUNDARIES, "only %d deaths" % deaths)
    figure("killed at %d places of a forward: %s" % (deaths, found))


def test_kill_9_at_each_commit_of_a_deletion_on_its_way_H80_SNF_05():
    deaths, found = kill_at_each(kill_deletion, BOUNDARIES)
    true(deaths >= BOUNDARIES, "only %d deaths" % deaths)
    figure("killed at %d places of a deletion while it is sent: %s" % (deaths, found))


# ---- the tape ----

class ForwardTape(Tape):
    """Mail that comes, is forwarded and is deleted."""

    def run_pairs(self):
        with SmtpSink(on_end=lambda mail: time.sleep(0.01) or "250 2.0.0 taken") as sink:
            self.server.start()
            for user in (("postmaster", "--admin"), ("anna",), ("bert",)):
                self.server.add_user(*user)
                if user[0] != "postmaster":
                    self.server.cli("user", "set", user[0], "store_forward_address=%s@main.test" % user[0],
                                    "store_forward_server=127.0.0.1:%d" % sink.port)
            self.copy_base()
            self.server.start()
            senders = [Sender(self.server.ports["smtp"], i, ["anna", "bert"], (300, 3000, 9000), MESSAGES_EACH) for i in range(2)]
            reader = Reader(self.server.ports["pop3"], "anna")
            for t in senders + [reader]:
                t.start()
            for s in senders:
                s.join(60)
            wait_for(lambda: not self.server.json("queue", "list"), "all of it is forwarded")
            stop([reader])
            self.deleted, self.forwarded = len(reader.confirmed), len(sink.mails)
        return all_of(senders, "acknowledged")


def test_power_cuts_part_no_pair_H81_SNF_04_SNF_05():
    with ForwardTape() as tape:
        told = tape.run_pairs()
        true(len(told) == 2 * MESSAGES_EACH and tape.forwarded >= MESSAGES_EACH, "the taped run took %d messages and forwarded %d"
             % (len(told), tape.forwarded))
        equal(tape.server.stop(), 0, "exit status")
        states, bad, text = tape.judge(STATES, "--rand", "4", "--torn", "2", check=("--forwards",))
        figure("power cuts with pairs: %d messages, %d forwarded, %d deleted, %d distinct states, %d bad"
               % (len(told), tape.forwarded, tape.deleted, states, bad))
        equal(bad, 0, text[-900:])
        true(states >= STATES * 8 // 10, "only %d distinct states" % states)


def test_the_judge_of_pairs_finds_what_is_lost_H40():
    """It proves itself: a store that has forgotten one of the messages it had not sent must be found."""
    with ForwardTape() as tape:
        tape.run_pairs()
        tape.server.stop()
        told = os.path.join(tape.work, "told")
        with open(told, "w") as f:
            f.write("250 2.0.0 queued as ZZZZ\r\n")
        command = [STORE_HAS, "--forwards", tape.server.store, told]
        equal(subprocess.run(command, capture_output=True).returncode, 1, "a message that is nowhere")
        with open(told, "a") as f:
            f.write("Received: from x\r\n\tid ZZZZ\r\n")
        equal(subprocess.run(command, capture_output=True).returncode, 0, "one that left")


TESTS = [("every %s of a forward failed in turn (H82, SNF-04)" % call, lambda c=call, m=faults: sweep_call(c, m)) for call, faults in CALLS]
TESTS += [test_kill_9_at_each_commit_of_a_forward_parts_no_pair_H18_H80_SNF_04,
          test_kill_9_at_each_commit_of_a_deletion_on_its_way_H80_SNF_05,
          test_power_cuts_part_no_pair_H81_SNF_04_SNF_05, test_the_judge_of_pairs_finds_what_is_lost_H40]
