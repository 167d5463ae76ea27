#!/usr/bin/env python3
"""store_forward.py - store and forward: a mailbox here, another server there, and each message in the place that
the rule says, whatever is deleted, moved and copied meanwhile: TAP.

The other server is a sink that does as it is told, and in the last test a second Postroom.
"""
import collections
import imaplib
import os
import poplib
import random
import re
import smtplib
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]
from lan_queue import Counted, tried  # noqa: E402
from postroom import PASSWORD, Server, equal, free_ports, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

CLOCK = "testing: { clock: yes }\n"
SECRET = "canary-Snf:9@pass"  # of the account at the other server
ADDRESS = "anna@main.test"
LIVE = []  # servers of the test under way
CRASHES = int(os.environ.get("POSTROOM_SNF_CRASHES", "5"))
MANY = 250  # forwards; 100 are cancelled in one transaction
FEW = 12  # messages of a folder that are not deleted: on a slow machine all would be before the other server starts
PAIR_MESSAGES = 300  # of the run with two servers; POSTROOM_SNF_MESSAGES asks for more


def text(subject, body="hello"):
    return "From: x@far.test\r\nTo: anna@example.test\r\nSubject: %s\r\n\r\n%s\r\n" % (subject, body)


def forward(server, port, user="anna", address=ADDRESS, account="", password=None):
    fields = ("store_forward_address=" + address, "store_forward_server=%s127.0.0.1:%s" % (account, port))
    if password is None:
        return server.cli("user", "set", user, *fields)
    return server.cli("user", "set", user, *fields, "--password-stdin", stdin=password + "\n")


def started(**options):
    server = Server(**options).start()
    LIVE.append(server)
    return server


def site(extra="", port=None, **fields):
    """A server with anna, whose mail goes on to PORT."""
    server = started(extra=CLOCK + extra)
    for user in (("postmaster", "--admin"), ("anna",), ("bert",)):
        server.add_user(*user)
    if port:
        forward(server, port, **fields)
    return server


def deliver(server, *subjects, to="anna"):
    with server.smtp() as c:
        for subject in subjects:
            c.sendmail("x@far.test", [to + "@example.test"], text(subject))


def subjects_in(imap, folder="INBOX"):
    equal(imap.select(folder)[0], "OK")
    found = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    return [re.search(rb"Subject: (.*)", f[1]).group(1).strip().decode() for f in found if isinstance(f, tuple)]


def mailbox(server, user="anna", folders=("INBOX",)):
    with server.imap(user) as c:
        return [s for f in folders for s in subjects_in(c, f)]


def arrived(sink):
    return [re.search(rb"Subject: (.*)\r", m.data).group(1).decode() for m in list(sink.mails)]


def queue(server):
    return server.json("queue", "list")


def retry(server):
    server.cli("queue", "retry", "--all", "--wait", ok=False)  # 1 where some are in the bin


def wait_deferred(server, count):
    wait_for(lambda: [q["state"] for q in queue(server)] == ["deferred"] * count,
             "%d wait: %s" % (count, queue(server)), 15)


def trace(server, message):
    return "\n".join(s for row in server.json("trace", message) for s in row["steps"] or [])


def delete(server, subject, folder="INBOX"):
    with server.imap("anna") as c:
        c.select(folder)
        uid = c.uid("search", None, "SUBJECT", '"%s"' % subject)[1][0]
        c.uid("store", uid, "+FLAGS", r"(\Deleted)")
        c.uid("expunge", uid)


def clean(server):
    status, lines = server.check()
    equal(status, 0, lines)


def certificate(folder, name):
    base = os.path.join(folder, name)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", base + ".key", "-out",
                    base + ".pem", "-days", "30", "-subj", "/CN=" + name], check=True, capture_output=True)
    return base + ".pem", base + ".key"


def end(server):
    clean(server)
    server.__exit__(None, None, None)


def test_kept_and_queued_then_taken_away_SNF_01_SNF_04_SNF_05_SNF_06():
    port = free_ports(1)[0]
    server = site(port=port)
    deliver(server, "one", "two", "three", "four")
    wait_deferred(server, 4)
    equal(sorted(mailbox(server)), ["four", "one", "three", "two"])
    ids = {q["subject"]: q["id"] for q in queue(server)}
    equal({r for q in queue(server) for r in q["recipients"]}, {ADDRESS})
    equal(server.json("user", "show", "anna")[0]["store_forward_pending"], 4)
    with server.imap("anna") as watching:
        with server.imap("anna") as c:  # a day's work meanwhile
            c.create("Work")
            c.select("INBOX")
            c.store("1", "+FLAGS", r"(\Seen \Flagged)")
            c.uid("move", "2", "Work")
        delete(server, "three")
        equal(len(queue(server)), 3)
        equal(watching.select("INBOX")[1], [b"2"])
        with SmtpSink(port=port) as sink:
            retry(server)
            wait_for(lambda: len(sink.mails) == 3, "three arrive", 20)
            wait_for(lambda: not queue(server), "nothing waits", 20)
            equal(sorted(arrived(sink)), ["four", "one", "two"])
            true(all(m.recipients == [ADDRESS] and m.sender == "x@far.test" for m in sink.mails), "the envelope")
            watching.noop()
            equal(len(watching.response("EXPUNGE")[1]), 2)  # from the commit
        equal(mailbox(server, folders=("INBOX", "Work")), [])
    steps = trace(server, ids["one"])
    true("for users' other servers wait in the queue as" in steps, steps)
    true("has it, so the copy left the mailbox here" in steps, steps)
    true("cancelled: the message left the mailbox" in server.cli("trace", ids["three"]).stdout, "told of three")
    explained = server.cli("explain", "--from", "x@far.test", "--to", "anna@example.test").stdout
    true("waits for the user's other server 127.0.0.1:%d" % port in explained, explained)
    end(server)


def test_every_way_out_of_the_mailbox_cancels_SNF_05():
    port = free_ports(1)[0]
    server = site(port=port)
    names = ["pop", "mv", "cli", "purge", "folder", "restored", "stays"]
    deliver(server, *names)
    wait_deferred(server, 7)
    pop = server.pop("anna")
    pop.dele(1)
    pop.quit()
    with server.imap("anna") as c:
        c.create("Gone")
        c.select("INBOX")
        c.uid("move", "5", "Gone")
        c.select("INBOX")
    server.cli("message", "move", "anna", "2", "--to-user", "bert")
    server.cli("message", "remove", "anna", "3")
    server.cli("message", "purge", "anna", "4", "--folder", "INBOX", "--yes")
    with server.imap("anna") as c:
        equal(c.delete("Gone")[0], "OK")
    server.cli("message", "remove", "anna", "6")
    server.cli("undo", "--yes")
    equal(len(queue(server)), 1)
    with SmtpSink(port=port) as sink:
        retry(server)
        wait_for(lambda: not queue(server), "nothing waits", 20)
        equal(arrived(sink), ["stays"])
    equal(mailbox(server), ["restored"])  # what was cancelled stays so
    equal(mailbox(server, "bert"), ["mv"])
    end(server)


def test_copies_tie_to_one_and_the_queue_keeps_the_mail_Q_27():
    port = free_ports(1)[0]
    server = site(port=port)
    deliver(server, "copied", "both", "removed", "redirected")
    wait_deferred(server, 4)
    with server.imap("anna") as c:
        c.create("Work")
        c.select("INBOX")
        c.uid("copy", "1:2", "Work")
    delete(server, "copied")  # a client that moves by COPY and EXPUNGE
    ids = {q["subject"]: q["id"] for q in queue(server)}
    server.cli("queue", "remove", ids["removed"], "--yes")
    with SmtpSink() as other:
        server.cli("queue", "redirect", ids["redirected"], "route=lan:127.0.0.1:%d" % other.port)
        wait_for(lambda: arrived(other) == ["redirected"], "by another route", 20)
    with SmtpSink(port=port) as sink:
        retry(server)
        wait_for(lambda: not queue(server), "nothing waits", 20)
        equal(sorted(arrived(sink)), ["both", "copied"])
    equal(sorted(mailbox(server)), ["redirected", "removed"])
    equal(mailbox(server, folders=("Work",)), ["both"])  # his own copy
    end(server)


def test_an_account_needs_TLS_and_shows_its_password_nowhere_SNF_02_SNF_03():
    server = site()
    tls = certificate(server.dir, "main.test")
    with SmtpSink(tls=tls, accounts={"u@main.test": SECRET}) as sink:
        said = forward(server, sink.port, account="u@main.test@", password=SECRET).stdout
        true("warning" not in said, said)
        deliver(server, "with TLS")
        wait_for(lambda: arrived(sink) == ["with TLS"] and not queue(server), "it arrives", 20)
        equal((sink.mails[0].session.user, sink.mails[0].session.tls), ("u@main.test", True))
        equal(server.json("user", "show", "anna")[0]["store_forward_server"], "u@main.test@127.0.0.1:%d" % sink.port)
    with SmtpSink(accounts={"u": SECRET}, auth_in_clear=True) as sink:
        said = forward(server, sink.port, account="u:%s@" % SECRET).stdout
        true("others can read a password among the words of a command" in said, said)
        deliver(server, "in clear")
        wait_deferred(server, 1)
        true("the server offers no TLS" in queue(server)[0]["last_error"], queue(server))
        equal([s.lines for s in sink.sessions if any("AUTH" in line for line in s.lines)], [])
    with SmtpSink() as sink:  # another target takes it along, plain
        forward(server, sink.port)
        wait_for(lambda: arrived(sink) == ["in clear"] and not queue(server), "at once", 20)
    with SmtpSink(tls=tls) as sink:
        forward(server, sink.port)
        deliver(server, "offered")
        wait_for(lambda: arrived(sink) == ["offered"], "it arrives", 20)
        true(sink.mails[0].session.tls, "STARTTLS was used")
    shown = server.cli("user", "show", "anna", "--json").stdout + server.cli("user", "export").stdout + \
        server.cli("undo", "list", "--json").stdout + server.cli("secret", "list").stdout + server.errors()
    server.stop()
    for folder, _, files in os.walk(server.dir):
        for name in files:
            with open(os.path.join(folder, name), "rb") as f:
                true(SECRET.encode() not in f.read(), "the password lies in " + name)
    true(SECRET not in shown, "the password is shown")
    server.start()
    end(server)


def test_a_password_is_for_the_account_beside_it_SNF_02():
    server = site()
    tls = certificate(server.dir, "main.test")
    for fields, stdin, why in ((("comment=x",), "p", "goes with store_forward_server=user@host"),
                               (("store_forward_server=",), "p", "a password wants store_forward_server=user@host"),
                               (("store_forward_server=main.test",), "p", "a password wants an account"),
                               (("store_forward_server=u:q@main.test",), "p", "give it once"),
                               (("store_forward_server=u@main.test",), "p" * 256, "at most 255 bytes"),
                               (("store_forward_server=u@main.test",), "", "the password is empty")):
        r = server.cli("user", "set", "anna", *fields, "--password-stdin", stdin=stdin + "\n", ok=False)
        true(r.returncode in (1, 2) and why in r.stderr, r.stderr)
    equal(server.json("user", "show", "anna")[0]["store_forward_server"], "")
    with SmtpSink(tls=tls, accounts={"u": "the new: @one"}) as sink:
        forward(server, sink.port, account="u@", password="an old one")
        forward(server, sink.port, account="u@", password="the new: @one")  # the same account, another password
        forward(server, sink.port, account="u@")  # it is kept
        deliver(server, "logged in")
        wait_for(lambda: arrived(sink) == ["logged in"] and not queue(server), "it arrives", 20)
        equal(sink.mails[0].session.user, "u")
    end(server)


def test_refused_and_given_up_stay_and_are_told_once_SNF_07_Q_28():
    with SmtpSink(replies={"RCPT TO": "550 5.1.1 nobody of that name"}) as sink:
        server = site(port=sink.port)
        with server.smtp("submissions") as c:
            c.login("bert", PASSWORD)
            c.sendmail("bert@example.test", ["anna@example.test"], text("refused").replace("x@far", "bert@example"))
        wait_for(lambda: len(mailbox(server)) == 2, "the notice", 20)
        wait_for(lambda: not queue(server), "nothing waits", 20)
    told = "A message could not be forwarded to your other mail server"
    equal(sorted(mailbox(server)), [told, "refused"])
    equal(mailbox(server, "postmaster"), [told])
    notice = server.fetch("postmaster")[0].decode()
    for words in ("550 5.1.1 nobody of that name", "refused", ADDRESS):
        true(words in notice, notice)
    equal(mailbox(server, "bert"), [])  # never the sender
    deliver(server, "late")
    wait_deferred(server, 1)
    server.cli("clock", "advance", "25m")  # LAN-05
    wait_for(lambda: queue(server)[0]["tries"] >= 2, "tried again every 10 minutes", 20)
    server.cli("clock", "advance", "3d")
    wait_for(lambda: not queue(server), "given up", 20)
    equal(sorted(mailbox(server)), [told, told, "late", "refused"])
    equal(len(mailbox(server, "postmaster")), 2)
    end(server)


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


def test_an_entry_with_a_number_of_its_own_has_a_trace():
    port, isp = free_ports(2)
    server = site("outgoing: { routes: [ { name: isp, kind: relay, tls: none, servers: ['127.0.0.1:%d'] } ] }\n" % isp, port=port)
    with server.smtp("submissions") as c:
        c.login("bert", PASSWORD)
        c.sendmail("bert@example.test", ["anna@example.test", "out@far.test"], text("both").replace("x@far", "bert@example"))
    wait_deferred(server, 2)
    ids = {q["recipients"][0]: q["id"] for q in queue(server)}
    true(ids[ADDRESS] != ids["out@far.test"], ids)
    with SmtpSink(port=port) as sink:
        retry(server)
        wait_for(lambda: arrived(sink) == ["both"] and len(queue(server)) == 1, "it arrives", 20)
    steps = trace(server, ids[ADDRESS])
    for words in ("a part of message " + ids["out@far.test"], "could not be delivered yet", "is delivered", "the copy left the mailbox here"):
        true(words in steps, steps)
    true("wait in the queue as " + ids[ADDRESS] in trace(server, ids["out@far.test"]), "and the message's tells where")
    end(server)


def test_fields_and_users_end_what_waits():
    port = free_ports(1)[0]
    server = site(port=port)
    deliver(server, "emptied", "emptied too")
    wait_deferred(server, 2)
    server.cli("user", "set", "anna", "store_forward_server=")
    equal(queue(server), [])
    server.cli("undo", "--yes")
    equal(queue(server), [])
    deliver(server, "a list reaches him too", to="anna")
    wait_deferred(server, 1)
    server.cli("user", "remove", "anna", "--yes")
    equal(queue(server), [])
    server.cli("undo", "--yes")
    equal(len(mailbox(server)), 3)
    server.cli("maillist", "add", "team", "--kind", "distribution", "--member", "anna", "--member", "bert")
    deliver(server, "to the list", to="team")
    wait_deferred(server, 1)
    with SmtpSink(port=port) as sink:
        retry(server)
        wait_for(lambda: not queue(server), "nothing waits", 20)
        equal(arrived(sink), ["to the list"])
    equal(mailbox(server, "bert"), ["to the list"])
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
        wait_for(lambda: [q["state"] for q in queue(server)] == ["deferred"], "only cora's waits: %s" % queue(server), 15)
        equal(queue(server)[0]["recipients"], ["cora@main.test"])
        equal((mailbox(server, "bert"), mailbox(server, "cora")), (["one"], ["one"]))
        other.replies.clear()
        retry(server)
        wait_for(lambda: not queue(server), "cora's has left", 15)
        equal((mailbox(server, "bert"), mailbox(server, "cora")), (["one"], []))
        equal([m.recipients for m in other.mails], [["cora@main.test"]])
        clean(server)


def test_what_stands_in_its_way_is_said_SNF_08():
    server = site(port=2525)
    os.mkdir(os.path.join(server.dir, "rules"))
    with open(os.path.join(server.dir, "rules", "lan.rules"), "w") as f:
        f.write("anna@example.test 127.0.0.1:9\n")
    wait_for(lambda: "rules taken over" in server.errors(), "the rules", 20)
    said = server.cli("user", "set", "anna", "comment=x").stdout
    true("warning: LAN rule 1 takes the mail of anna@example.test" in said, said)
    said = server.cli("user", "set", "anna", "forward=yes", "forward_to=bert").stdout
    true("warning: forward_to takes the mail" in said, said)
    said = server.cli("explain", "--from", "x@far.test", "--to", "anna@example.test").stdout
    true("store and forward of anna has nothing to do" in said, said)
    said = server.cli("user", "set", "bert", "store_forward_server=u@main.test",
                      "store_forward_address=b@main.test").stdout
    true("the account of store_forward_server has no password" in said, said)
    for bad in ("store_forward_server=u:p@", "store_forward_server=host:0", "store_forward_address=none"):
        r = server.cli("user", "set", "bert", bad, ok=False)
        equal(r.returncode, 2 if r.returncode == 2 else 1, r.stderr)
        true("store_forward" in r.stderr, r.stderr)
        true("(%s)" % bad.split("=")[0] in r.stderr, r.stderr)
    equal(len(server.json("user", "show", "bert")[0]["warnings"]), 1)
    end(server)


def test_a_server_that_is_this_one_is_said():
    """Such mail would wait here until it is given up."""
    server = site()
    smtp, other = server.ports["smtp"], free_ports(1)[0]
    itself = "warning: store_forward_server is this server itself"
    for host in ("127.0.0.1", "localhost"):
        said = server.cli("user", "set", "anna", "store_forward_address=a@main.test",
                          "store_forward_server=%s:%d" % (host, smtp)).stdout
        true(itself in said, said)
    true(itself[9:] in server.json("user", "show", "anna")[0]["warnings"][0], server.json("user", "show", "anna"))
    said = forward(server, other).stdout
    true("warning" not in said, said)
    said = server.cli("user", "set", "anna", "store_forward_server=127.0.0.2:%d" % smtp).stdout
    true("warning" not in said, said)
    said = forward(server, other, address="anna@example.test").stdout
    true("warning: store_forward_address is an address of this mailbox itself" in said, said)
    said = forward(server, other, address="bert@example.test").stdout
    true("warning" not in said, said)
    end(server)


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


def guarded(test):
    """A test that failed leaves no server behind."""
    def run():
        try:
            test()
        finally:
            for server in LIVE:
                if server.process.poll() is None:
                    server.kill()
                server.clean()
            LIVE.clear()
    return test.__name__[5:].replace("_", " "), run


if __name__ == "__main__":
    sys.exit(tap([guarded(f) for n, f in list(globals().items()) if n.startswith("test_")]))
