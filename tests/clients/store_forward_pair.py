#!/usr/bin/env python3
"""store_forward_pair.py - store and forward between two servers that die, and what many forwards cost (SNF). TAP."""
import collections
import imaplib
import os
import poplib
import random
import re
import smtplib
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]
from forward_site import (arrived, clean, deliver, end, forward, guarded, mailbox, queue, retry, site, started, text,  # noqa: E402
                          wait_deferred)
from lan_queue import Counted, tried  # noqa: E402
from postroom import equal, free_ports, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

CRASHES = int(os.environ.get("POSTROOM_SNF_CRASHES", "5"))
MANY = 250  # forwards; 100 are cancelled in one transaction
FEW = 12  # messages of a folder that are not deleted: on a slow machine all would be before the other server starts
PAIR_MESSAGES = 300  # of the run with two servers; POSTROOM_SNF_MESSAGES asks for more


def test_a_server_that_is_down_25_minutes_is_tried_again_twice_SNF_07_LAN_05():
    port = free_ports(1)[0]
    server = site(port=port)
    deliver(server, "late")
    for times in (1, 2, 3):
        row = tried(server, times)
        true("Connection refused" in row["last_error"], row)
        equal(row["route"], ["snf:127.0.0.1:%d" % port])
        server.cli("clock", "advance", "9m")
        equal(queue(server)[0]["tries"], times, "not before ten minutes have passed")
        if times == 3:
            break
        server.cli("clock", "advance", "1m")
    deliver(server, "later")  # the lane rests: it is put off with what waits there
    wait_deferred(server, 2)
    with SmtpSink(port=port) as sink:
        server.cli("clock", "advance", "1m")
        wait_for(lambda: "late" in arrived(sink), "at the third it is there", 15)
        retry(server)
        wait_for(lambda: not queue(server), "and gone", 15)
    equal(mailbox(server), [])
    end(server)


def test_all_targets_share_lan_deliveries_SNF_07_LAN_05_LAN_06():
    """Three servers of users and one of a LAN rule: two sessions at a time over all, one to the last server."""
    with Counted(4) as targets:
        ports = [sink.port for sink in targets.sinks]
        server = site(extra='lan: { deliveries: 2, threads: "127.0.0.1:%d-1" }\n' % ports[2])
        server.add_user("carl")
        server.cli("route", "lan", "apply", "-", stdin="user0@example.test 127.0.0.1:%d\n" % ports[3])
        for user, port in zip(("anna", "bert", "carl"), ports):
            forward(server, port, user=user, address=user + "@main.test")
        for n in range(8):
            with server.smtp() as c:
                c.sendmail("x@far.test", [u + "@example.test" for u in ("anna", "bert", "carl", "user0")], text("s%d" % n))
        wait_for(lambda: targets.mails() == 32, "all are there: %d" % targets.mails(), 60)
        wait_for(lambda: not queue(server), "nothing waits", 15)
        equal([len(sink.mails) for sink in targets.sinks], [8] * 4)
        true(targets.all_most <= 2, "never more than two: %d" % targets.all_most)
        equal(targets.most[2], 1)
    end(server)


def test_many_forwards_are_cancelled_in_slices():
    port = free_ports(1)[0]
    server = site(port=port)
    with server.smtp() as c:
        for n in range(MANY):
            c.sendmail("x@far.test", ["anna@example.test"], text("old %d" % n))
    wait_for(lambda: server.json("user", "show", "anna")[0]["store_forward_pending"] == MANY, "they wait", 15)
    forward(server, port, address="")
    equal(server.json("user", "show", "anna")[0]["store_forward_pending"], 0)
    server.kill()  # what was cancelled stays so, wherever it was
    clean(server)
    server.start()
    with SmtpSink(port=port) as sink:
        forward(server, port)
        deliver(server, "new")
        wait_for(lambda: arrived(sink) == ["new"] and not queue(server), "only what came then", 20)
    equal(len(mailbox(server)), MANY)
    end(server)


def test_fields_that_change_in_the_middle_of_an_envelope_part_no_pair_SNF_01():
    """Between two RCPT: the mailbox is reached once, a forward more than it; what comes behind keeps its own server."""
    with SmtpSink() as old, SmtpSink() as new, SmtpSink(replies={"RCPT": "450 4.2.0 later"}) as other:
        server = site(port=old.port)
        server.add_user("cora")
        server.cli("mapping", "add", "alias@example.test", "anna")
        server.cli("mapping", "add", "later@example.test", "bert")
        forward(server, other.port, user="cora", address="cora@main.test")
        with server.smtp() as c:
            c.ehlo()
            c.mail("x@far.test")
            c.rcpt("anna@example.test")
            forward(server, new.port, address="new@main.test")
            c.rcpt("alias@example.test")
            c.rcpt("bert@example.test")
            forward(server, new.port, user="bert", address="bert@main.test")
            c.rcpt("later@example.test")
            equal(c.rcpt("cora@example.test")[0], 250)
            c.data(text("one"))
        wait_for(lambda: [(q["state"], q["recipients"]) for q in queue(server)] == [("deferred", ["cora@main.test"])],
                 "only cora's waits: %s" % queue(server))
        equal((mailbox(server, "bert"), mailbox(server, "cora")), (["one"], ["one"]))
        other.replies.clear()
        retry(server)
        wait_for(lambda: not queue(server), "cora's has left", 15)
        equal((mailbox(server, "bert"), mailbox(server, "cora")), (["one"], []))
        equal([m.recipients for m in other.mails], [["cora@main.test"]])
        clean(server)


# ---- two servers ----

class Run:
    """Messages that are delivered, moved, copied and deleted here, and deleted there, while the other server stops
    and starts. What is deleted here while nothing can be sent is `cancelled`: it must never be there."""

    def __init__(self, branch, main, count):
        self.branch, self.main, self.count = branch, main, count
        self.deleted, self.cancelled, self.copied, self.gone_there = set(), set(), set(), set()
        self.done, self.up, self.turns, self.lock = False, True, 0, threading.Lock()

    def names(self, c, uids):
        found = c.uid("fetch", uids, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
        return {re.search(rb"m\d+", f[1]).group().decode() for f in found if isinstance(f, tuple)}

    def note_deleted(self, names, turn):
        self.deleted |= names
        if not self.up and turn == self.turns:
            self.cancelled |= names

    def expunge(self, c, uids):
        c.uid("store", uids, "+FLAGS", r"(\Deleted)")
        c.uid("expunge", uids)

    def imap(self):
        rand = random.Random()
        with self.branch.imap("anna") as c:
            while not self.done:
                with self.lock:  # or what it would delete is moved away by the other one
                    moved = self.act(c, rand)
                time.sleep(0 if moved else 0.02)

    def act(self, c, rand):
        folder, other = rand.sample(("INBOX", "Work"), 2)
        c.select(folder)
        uids = c.uid("search", None, "ALL")[1][0].split()
        if not uids:
            return False
        some = b",".join(rand.sample(uids, min(len(uids), 3)))
        act, turn, names = rand.choice(("move", "copy", "flag") * 3 + ("delete",)), self.turns, self.names(c, some)
        if act == "delete" and len(uids) < FEW:
            act = "flag"
        if act == "move":
            c.uid("move", some, other)
        elif act == "flag":
            c.uid("store", some, "+FLAGS", r"(\Seen)")
        elif act == "copy":  # how a client without MOVE moves
            self.copied |= names
            c.uid("copy", some, other)
            self.expunge(c, some)
        else:
            self.expunge(c, some)
            self.note_deleted(names, turn)
        return True

    def pop(self):
        while not self.done:
            time.sleep(0.2)
            with self.lock:
                self.dele()

    def dele(self):
        try:
            p = self.branch.pop("anna")
        except poplib.error_proto:  # somebody is in it
            return
        turn, count = self.turns, p.stat()[0]
        chosen = random.sample(range(1, count + 1), 2 if count >= FEW else 0)
        names = {re.search(rb"m\d+", b"\n".join(p.top(n, 0)[1])).group().decode() for n in chosen}
        for n in chosen:
            p.dele(n)
        p.quit()
        self.note_deleted(names, turn)

    def delete_there(self):
        with self.main.imap("anna") as c:
            wait_for(lambda: int(c.select("INBOX")[1][0]) >= 5, "five are there; here %d, in the queue %d"
                     % (len(mailbox(self.branch, folders=("INBOX", "Work"))), len(queue(self.branch))), 20)
            some = b",".join(random.sample(c.uid("search", None, "ALL")[1][0].split(), 5))
            self.gone_there |= self.names(c, some)
            self.expunge(c, some)

    def stop(self):
        self.main.stop()
        wait_for(lambda: self.branch.json("status")[0]["outgoing"]["connections"] == 0, "no connection is left")
        time.sleep(0.3)  # what it took last is noted here
        self.branch.cli("user", "set", "bert", "comment=x")  # and on the disk: what the writer has is done in turn
        self.up, self.turns = False, self.turns + 1

    def start(self):
        with self.lock:  # a slow start leaves nobody the time to delete them all
            self.up, self.turns = True, self.turns + 1
            self.main.start()
        self.branch.cli("queue", "retry", "--all", ok=False)  # some are deleted meanwhile

    def third(self, n):
        names = ["m%04d" % m for m in range(n * self.count // 3, (n + 1) * self.count // 3)]
        deliver(self.branch, *names)

    def let_cancel(self):
        """While nothing can be sent, some are deleted."""
        before = len(self.cancelled)
        time.sleep(0.7)
        wait_for(lambda: len(self.cancelled) > before + 3, "some are cancelled")

    def phases(self):
        self.stop()
        self.third(0)
        self.let_cancel()
        self.start()
        self.delete_there()
        time.sleep(0.2)
        self.stop()
        self.third(1)
        self.let_cancel()
        self.start()
        self.third(2)
        self.delete_there()

    def all(self):
        threads = [threading.Thread(target=t) for t in (self.imap, self.imap, self.pop)]
        for t in threads:
            t.start()
        try:
            self.phases()
        finally:
            self.done = True
            for t in threads:
                t.join()


def both_servers():
    main = started(domain="main.test", services=("smtp", "imaps", "pop3s"))
    for user in (("postmaster", "--admin"), ("anna",)):
        main.add_user(*user)
    branch = site(port=main.ports["smtp"])
    with branch.imap("anna") as c:
        c.create("Work")
    return branch, main


def test_two_servers_agree_with_the_rule_every_time():
    count = int(os.environ.get("POSTROOM_SNF_MESSAGES", PAIR_MESSAGES))
    branch, main = both_servers()
    run = Run(branch, main, count)
    run.all()
    retry(branch)
    wait_for(lambda: not queue(branch), "nothing waits: %s" % queue(branch)[:3], 30)
    there = collections.Counter(mailbox(main))
    here = set(mailbox(branch, folders=("INBOX", "Work")))
    everything = {"m%04d" % n for n in range(count)}
    equal(sorted(everything - run.deleted - run.gone_there - set(there)), [], "lost")
    equal(sorted(here - run.copied), [], "left behind")
    equal(sorted((run.cancelled - run.copied) & (set(there) | run.gone_there)), [], "deleted here, and sent all the same")
    equal([s for s, n in there.items() if n > 1], [], "doubles")
    true(len(run.cancelled) > 3 and len(there) > count / 5 and run.gone_there, "all of it happened: %d, %d, %d"
         % (len(run.cancelled), len(there), len(run.gone_there)))
    equal(branch.json("user", "show", "anna")[0]["store_forward_pending"], 0)
    end(branch)
    end(main)


def test_the_other_server_dies_and_nothing_is_lost():
    branch, main = both_servers()
    names = ["m%04d" % n for n in range(100)]
    sender = threading.Thread(target=deliver, args=(branch, *names))
    sender.start()
    time.sleep(0.25)
    main.kill()
    sender.join()
    main.start()
    retry(branch)
    wait_for(lambda: not queue(branch), "nothing waits: %s" % queue(branch)[:3], 30)
    there = collections.Counter(mailbox(main))
    equal((sorted(there), mailbox(branch)), (names, []))
    true(sum(there.values()) <= 120, "twice only what died between the 250 and the commit: %s" % there)
    end(branch)
    end(main)


def delete_some(server, deleted):
    """Moves and deletes until the server dies; what was tried to be deleted."""
    try:
        with server.imap("anna") as c:
            while True:
                c.select("INBOX")
                uids = c.uid("search", None, "ALL")[1][0].split()
                if len(uids) < 2:
                    time.sleep(0.005)
                    continue
                one, two = random.sample(uids, 2)
                c.uid("move", one, "Work")
                found = c.uid("fetch", two, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
                deleted |= {re.search(rb"m\d+", f[1]).group().decode() for f in found if isinstance(f, tuple)}
                c.uid("store", two, "+FLAGS", r"(\Deleted)")
                c.uid("expunge", two)
    except (OSError, imaplib.IMAP4.error):
        pass


def test_a_crash_here_parts_no_pair():
    """kill -9 at random moments of deliveries, forwards, moves and deletions: whole pairs only, and nothing is lost."""
    deleted, told = set(), []

    def slowly(mail):  # so that a kill falls between the 250 and the commit here
        time.sleep(random.random() * 0.02)
        return "250 2.0.0 taken"

    with SmtpSink(on_end=slowly) as sink:
        server = site(port=sink.port)
        with server.imap("anna") as c:
            c.create("Work")
        for number in range(CRASHES):
            names = ["m%02d%03d" % (number, n) for n in range(25)]
            threads = [threading.Thread(target=delete_some, args=(server, deleted)),
                       threading.Thread(target=send_until_it_dies, args=(server, names, told))]
            for t in threads:
                t.start()
            before = len(told)
            time.sleep(0.05 + random.random() * 0.3)
            wait_for(lambda: len(told) > before + 1 or not threads[1].is_alive(), "something was sent")
            server.kill()
            for t in threads:
                t.join()
            status, lines = server.check()
            equal(status, 0, lines)
            server.start()
        retry(server)
        wait_for(lambda: not queue(server), "nothing waits", 30)
        equal(mailbox(server, folders=("INBOX", "Work")), [])
        equal(sorted(set(told) - deleted - set(arrived(sink))), [], "lost")
        true(len(told) > CRASHES, "enough was sent: %d" % len(told))
    end(server)


def send_until_it_dies(server, names, told):
    try:
        for name in names:
            deliver(server, name)
            told.append(name)
    except (OSError, smtplib.SMTPException):
        pass


if __name__ == "__main__":
    sys.exit(tap([guarded(f) for n, f in list(globals().items()) if n.startswith("test_")]))
