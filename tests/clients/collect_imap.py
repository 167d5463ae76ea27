#!/usr/bin/env python3
"""collect_imap.py - mail fetched from IMAP folders (INM-02): Dovecot, and a server that misbehaves."""
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import dovecot  # noqa: E402
import imap_server  # noqa: E402
from imap_server import ImapServer  # noqa: E402
from name_server import NameServer  # noqa: E402
from postroom import Server, equal, tap, true, wait_for  # noqa: E402


def mail(number, size=0):
    return (b"From: a@far.test\r\nTo: anna@example.test\r\nSubject: no %d\r\nMessage-ID: <%d@far.test>\r\n\r\nbody %d\r\n"
            % (number, number, number) + b"x" * 60 + b"\r\n") + (b"y" * 70 + b"\r\n") * (size // 72)


class Postroom(Server):
    """With a name for every peer: TLS asks who it is."""

    def __init__(self, extra="", **options):
        self.dns = NameServer({"mx.test": "127.0.0.1"})
        self.dns.__enter__()
        super().__init__(extra="dns: { servers: ['%s'] }\n" % self.dns.address + extra, **options)

    def __exit__(self, *why):
        try:
            super().__exit__(*why)
        finally:
            self.dns.__exit__(*why)

    def start(self, ready=True):
        super().start(ready)
        if not any(u["name"] == "anna" for u in self.json("user", "list")):
            self.add_user("anna")
        return self

    def collector(self, name, port, *keys, user="box", password=imap_server.PASSWORD, tls="none"):
        self.cli("collect", "add", name, "kind=imap", "server=mx.test", "port=%d" % port, "tls=" + tls, "username=" + user,
                 "accepted=example.test", "route=all", "target=anna", *keys, "--password-stdin", stdin=password + "\n")

    def now(self, name, fails=False):
        """What came of one collection."""
        answer = self.json("collect", "now", name, "--wait", ok=False)[0]
        equal(bool(answer["errors"]), fails, answer)
        return answer

    def fails(self, name):
        """Why one collection failed: the first of its errors."""
        return self.now(name, fails=True)["errors"][0]

    def numbers(self, user="anna"):
        """The numbers of the messages in the mailbox, sorted."""
        return sorted(int(text.split(b"Subject: no ")[1].split(b"\r\n")[0]) for text in self.fetch(user))

    def shows(self, name):
        return [c for c in self.json("collect", "list") if c["name"] == name][0]


def counts(answer):
    return answer["fetched"], answer["left"], answer["deleted"]


# ---- Dovecot ----

def test_inm_02_dovecot_each_login_and_tls():
    with dovecot.Dovecot(("box",)) as peer, Postroom() as p:
        kept = ("leave=always", "tls_ca=" + peer.cert)
        number = 0
        for tls, port in (("none", peer.imap_port), ("starttls", peer.imap_port), ("implicit", peer.imaps_port)):
            for auth in ("plain", "sasl-plain", "cram-md5"):
                name = "%s-%s" % (tls, auth)
                number += 1
                peer.fill("box", [mail(number)], folder=name)
                p.collector(name, port, "auth=" + auth, "folder=" + name, *kept, tls=tls, password=dovecot.PASSWORD)
                equal(counts(p.now(name)), (1, 1, 0), name)
        equal(p.numbers(), list(range(1, number + 1)))
        for tls, port in (("starttls", peer.imap_port), ("implicit", peer.imaps_port)):
            p.collector("bad-" + tls, port, tls=tls, password=dovecot.PASSWORD)  # without its root
            true("TLS" in p.fails("bad-" + tls), "an unknown certificate")
        p.collector("wrong", peer.imap_port, password="no such")
        true("login was refused" in p.fails("wrong"), "a wrong password")


def test_inm_02_dovecot_seen_unseen_and_removal():
    with dovecot.Dovecot(("box",)) as peer, Postroom() as p:
        peer.fill("box", [mail(i, 200000 if i == 3 else 0) for i in range(1, 8)])
        with peer.imap("box") as box:
            box.select("INBOX")
            box.store("1", "+FLAGS", "(\\Seen)")
            box.store("2", "+FLAGS", "(\\Deleted)")
        p.collector("keep", peer.imap_port, "leave=always", "unseen_only=yes", password=dovecot.PASSWORD)
        equal(p.now("keep")["fetched"], 5)
        equal(p.numbers(), [3, 4, 5, 6, 7])
        equal([sorted(flags & {"\\Seen", "\\Deleted"}) for _, flags in peer.left("box")],
              [["\\Seen"], ["\\Deleted"]] + [["\\Seen"]] * 5)
        equal(p.now("keep")["fetched"], 0, "nothing is fetched twice")
        p.cli("collect", "set", "keep", "leave=days", "leave_days=0", "unseen_only=no")
        answer = p.now("keep")
        equal((answer["fetched"], answer["deleted"]), (1, 6), "number 1, and all but what others marked")
        equal([mail(2)], [text for text, _ in peer.left("box")], "what somebody else marked stays")
        equal(p.numbers(), [1, 3, 4, 5, 6, 7])
        p.cli("collect", "remove", "keep", "--yes")


def test_inm_05_dovecot_a_folder_that_is_made_anew():
    texts = [mail(i) for i in range(1, 201)]
    with dovecot.Dovecot(("box",)) as peer, Postroom() as p:
        peer.fill("box", texts[:150], folder="orders")
        p.collector("orders", peer.imap_port, "folder=orders", "leave=always", "unseen_only=no", password=dovecot.PASSWORD)
        equal(p.now("orders")["fetched"], 150)
        with peer.imap("box") as box:
            box.delete("orders")
        peer.fill("box", texts, folder="orders")
        equal(p.now("orders")["fetched"], 50, "the others are known by their headers")
        equal(p.now("orders")["fetched"], 0)
        equal(p.numbers(), list(range(1, 201)))


def test_inm_02_dovecot_what_comes_is_there_within_a_second():
    with dovecot.Dovecot(("box",)) as peer, Postroom() as p:
        p.collector("fast", peer.imap_port, "idle=yes", password=dovecot.PASSWORD)
        equal(p.now("fast")["fetched"], 0)
        wait_for(lambda: p.shows("fast")["state"] == "listening", "it listens")
        for number in (1, 2, 3):
            peer.fill("box", [mail(number)])
            wait_for(lambda: number in p.numbers(), "message %d is here" % number, 20)
        wait_for(lambda: peer.left("box") == [], "and gone there")
        equal(p.numbers(), [1, 2, 3])
        # its log comes by and by: whoever looked beside the one that listens has gone
        wait_for(lambda: peer.log().count("Login:") - peer.log().count("Logged out") == 1, "one session is left")
        sessions = peer.log().count("Login:")
        p.cli("config", "set", "limits.recipients", "900")
        true(p.shows("fast")["state"] == "listening" and peer.log().count("Login:") == sessions, "another setting")
        p.cli("collect", "set", "fast", "idle=no")
        wait_for(lambda: p.shows("fast")["state"] != "listening", "a changed collector listens no more", 20)


# ---- a server that misbehaves ----

def test_inm_02_tokens_and_logins_that_are_not_allowed():
    with ImapServer([mail(1)]) as peer, Postroom() as p:
        script = os.path.join(p.dir, "token")
        with open(script, "w") as f:
            f.write("#!/bin/sh\necho %s\n" % imap_server.TOKEN)
        os.chmod(script, 0o755)
        p.collector("token", peer.port, "auth=xoauth2", "token_command=" + script, "leave=always")
        equal(p.now("token")["fetched"], 1)
        peer.capabilities = ("IMAP4rev1", "LOGINDISABLED", "AUTH=PLAIN")
        p.collector("disabled", peer.port, "leave=always")
        equal(p.now("disabled")["fetched"], 1, "LOGINDISABLED: PLAIN")
        true("LOGIN ***" not in peer.said("LOGIN"), peer.commands)
        peer.capabilities = ("IMAP4rev1", "LOGINDISABLED")
        true("no way to log in" in p.fails("disabled"), "no way at all")
        peer.locked = 1
        peer.capabilities = imap_server.OPTIONS["capabilities"]
        true("in use" in p.fails("disabled"), "INM-30: [INUSE]")
        equal(p.now("disabled")["fetched"], 0, "INM-30: the next one is fine")


def test_h3_h68_no_way_around_tls():
    peers = dict(extra=dict(starttls_extra=b"* OK injected\r\n", tls="starttls"), preauth=dict(preauth=True, tls="starttls"),
                 missing=dict())
    with Postroom() as p:
        from peers import certificate
        cert = certificate(p.dir)
        for name, options in peers.items():
            with ImapServer([mail(1)], certificate=cert, **options) as peer:
                p.collector(name, peer.port, "tls_ca=" + cert[0], tls="starttls")
                true(p.fails(name), name)
                equal([c for c in peer.said("LOGIN") + peer.said("AUTH")], [], name)
        with ImapServer([mail(1)], certificate=cert, tls="starttls") as peer:
            p.collector("good", peer.port, "tls_ca=" + cert[0], tls="starttls")
            equal(counts(p.now("good")), (1, 0, 1))


def test_inm_03_cut_anywhere_loses_and_doubles_nothing():
    texts = [mail(i, 3000) for i in range(1, 5)]
    with Postroom() as p:
        for cut in range(60, 19000, 870):
            with ImapServer(texts, cut_at=cut) as peer:
                name = "cut%d" % cut
                p.collector(name, peer.port)
                for _ in range(4):
                    if peer.messages:
                        p.cli("collect", "now", name, "--wait", ok=False)
                equal(peer.texts(), [], "all is gone after a cut at %d" % cut)
                equal(p.numbers(), [1, 2, 3, 4], "cut at %d" % cut)
                p.cli("collect", "remove", name, "--yes")
                with p.imap("anna") as box:
                    box.select("INBOX")
                    box.store("1:*", "+FLAGS", "(\\Deleted)")
                    box.expunge()


def test_inm_03_cut_in_the_middle_of_a_literal():
    with ImapServer([mail(1, 100000)], cut_in_text=50000) as peer, Postroom() as p:
        p.collector("cut", peer.port)
        true(p.fails("cut"), "it was cut")
        equal((p.numbers(), len(peer.messages)), ([], 1))
        equal(counts(p.now("cut")), (1, 0, 1))
        equal(p.numbers(), [1])


def test_inm_05_left_for_days_then_removed():
    with ImapServer([mail(1), mail(2)]) as peer, Postroom("testing: { clock: yes }\n") as p:
        p.collector("days", peer.port, "leave_days=2")
        equal(counts(p.now("days")), (2, 2, 0))
        equal([m.flags for m in peer.messages], [{"\\Seen"}] * 2, "they are marked as seen")
        p.cli("clock", "advance", "1d")
        equal(counts(p.now("days")), (0, 2, 0))
        p.cli("clock", "advance", "1d")
        equal(p.now("days")["deleted"], 2)
        equal((peer.texts(), p.numbers()), ([], [1, 2]))


def test_mark_seen_no_and_folders_that_cannot_be_changed():
    with ImapServer([mail(1)]) as peer, Postroom() as p:
        p.collector("quiet", peer.port, "leave=always", "mark_seen=no")
        equal(counts(p.now("quiet")), (1, 1, 0))
        equal([m.flags for m in peer.messages], [set()])
        equal(p.now("quiet")["fetched"], 0)
        peer.read_only = True
        peer.add(mail(2))
        p.cli("collect", "set", "quiet", "mark_seen=yes")
        equal(p.now("quiet")["fetched"], 1, "EXAMINE-like folders can be read")
        p.cli("collect", "set", "quiet", "folder=Elsewhere")
        true("no such folder" in p.fails("quiet"), "a folder that is not there")


def test_removal_takes_nothing_that_others_marked():
    plain = ("IMAP4rev1", "AUTH=PLAIN")
    with ImapServer([mail(1), mail(2)], capabilities=plain) as peer, Postroom() as p:
        p.collector("old", peer.port)
        equal(counts(p.now("old")), (2, 0, 2))
        equal((peer.texts(), "EXPUNGE" in peer.said("EXPUNGE")), ([], True), "without UIDPLUS: EXPUNGE")
        peer.add(mail(3), flags=["\\Deleted"])
        peer.add(mail(4))
        equal(p.now("old")["fetched"], 1)
        equal(peer.texts(), [mail(3), mail(4)], "somebody else marked one: nothing is expunged")
        equal([m.flags for m in peer.messages][1], {"\\Deleted"})
        equal(p.now("old")["fetched"], 0, "what is marked is not fetched")
        equal(p.numbers(), [1, 2, 4])


def test_idle_arrivals_polls_and_goodbyes():
    with ImapServer([mail(1)]) as peer, Postroom() as p:
        p.collector("idle", peer.port, "idle=yes")
        wait_for(lambda: p.numbers() == [1], "it listens by itself", 20)
        wait_for(lambda: peer.texts() == [], "removed before it listens")
        wait_for(lambda: any(session.idles for session in peer.live), "IDLE")
        began = time.time()
        peer.add(mail(2))
        wait_for(lambda: p.numbers() == [1, 2], "the second", 20)
        print("# %.2f s from arrival to mailbox" % (time.time() - began))
        wait_for(lambda: any(session.idles for session in peer.live), "IDLE again")
        for session in list(peer.live):
            session.say("* BYE maintenance")
            session.sock.close()
        wait_for(lambda: p.shows("idle")["state"] != "listening", "a goodbye ends it", 20)
        peer.add(mail(3))
        equal(p.now("idle")["fetched"], 1, "and it can be asked for at once")
        wait_for(lambda: any(session.idles for session in peer.live), "IDLE once more")
        p.cli("collect", "stop", "idle", "--wait")
        wait_for(lambda: not peer.live, "stopped: it hangs up")
        equal(p.numbers(), [1, 2, 3])


def test_who_listens_has_no_error_of_before():
    with ImapServer([mail(1)], locked=1) as peer, Postroom() as p:
        p.collector("idle", peer.port, "idle=yes")
        wait_for(lambda: p.shows("idle")["error"], "it is refused", 20)
        equal(p.now("idle")["errors"], [])
        wait_for(lambda: p.shows("idle")["state"] == "listening", "it listens")
        true(not p.shows("idle")["error"], p.shows("idle"))


def test_uidvalidity_changes():
    with ImapServer([mail(1), mail(2)]) as peer, Postroom() as p:
        p.collector("moved", peer.port, "leave=always", "unseen_only=yes")
        equal(p.now("moved")["fetched"], 2)
        peer.renumber(777)
        peer.add(mail(3))
        equal(p.now("moved")["fetched"], 1, "what is marked as seen is not fetched under its new number")
        equal(p.numbers(), [1, 2, 3])
        peer.renumber(778)
        p.cli("collect", "set", "moved", "unseen_only=no")
        peer.add(mail(5))
        before = len(peer.said("BODY.PEEK[]"))
        equal(p.now("moved")["fetched"], 1, "those that were left there are known by their headers (INM-05)")
        true(peer.said("BODY.PEEK[HEADER]"), "headers are asked for")
        equal([c.split()[2] for c in peer.said("BODY.PEEK[]")[before:]], ["4"], "and the text of the one that is new alone")
        equal(p.numbers(), [1, 2, 3, 5])
        equal(p.now("moved")["fetched"], 0)
        peer.uidvalidity = None  # it says none: headers are compared
        peer.messages[:] = []
        peer.add(mail(4))
        equal(p.now("moved")["fetched"], 1)
        equal(p.now("moved")["fetched"], 0, "the same header, the same message")


def test_storms_answers_that_are_no_and_broken_ones():
    with ImapServer([mail(i) for i in range(1, 6)], storm=3000) as peer, Postroom() as p:
        p.collector("storm", peer.port)
        peer.unreadable = {2, 5}
        answer = p.now("storm", fails=True)
        equal(answer["fetched"], 3, answer)
        true(any("passed it over" in e for e in answer["errors"]) and any("cannot read" in e for e in answer["errors"]), answer)
        equal(p.numbers(), [1, 3, 4])
        peer.unreadable = set()
        equal(p.now("storm")["fetched"], 2)
        peer.storm = 0
        for name, answers in (("bad", {"UID FETCH": b"@ BAD what?\r\n"}), ("no", {"SELECT": b"@ NO no\r\n"}), ("bye", {"SELECT": b"* BYE\r\n"}),
                              ("nonsense", {"UID FETCH": b"* 1 FETCH (((\r\n"}), ("huge", {"UID FETCH": b"* 1 FETCH (BODY[1] {99999999}\r\n"}),
                              ("line", {"UID FETCH": b"* " + b"x" * 70000}), ("other", {"UID FETCH": b"Q9 OK\r\n"})):
            peer.answers = answers
            peer.add(mail(9))
            true(p.fails("storm"), name)
            equal(p.numbers(), [1, 2, 3, 4, 5], name)
            peer.messages.clear()


def test_texts_are_stored_as_mail_may_be():
    """H1, H24: bare LF, bare CR, NUL, no line end at the end; H66: no secret in the log."""
    broken = b"From: a@far.test\nSubject: no 1\n\nline\rline\0end\n.\nlast"
    with ImapServer([broken]) as peer, Postroom() as p:
        p.collector("broken", peer.port)
        equal(p.now("broken")["fetched"], 1)
        text = p.fetch("anna")[0]
        true(text.endswith(b"line\r\nline\x80end\r\n.\r\nlast\r\n"), text)
        equal(text.replace(b"\r\n", b"").count(b"\n") + text.replace(b"\r\n", b"").count(b"\r"), 0)
        for folder, _, files in os.walk(os.path.join(p.dir, "log")):
            for name in files:
                with open(os.path.join(folder, name), errors="replace") as f:
                    true(imap_server.PASSWORD not in f.read(), "the password in " + name)


class Drips:
    """Says that it is still there, a few bytes at a time, and answers nothing."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.over = self.listener.getsockname()[1], threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        peer, _ = self.listener.accept()
        try:
            peer.sendall(b"* OK hello\r\n")
            while not self.over.wait(0.2):
                peer.sendall(b"* OK wait\r\n")
        except OSError:
            pass
        peer.close()

    def __exit__(self, *why):
        self.over.set()
        self.thread.join()
        self.listener.close()


def test_h20_a_line_now_and_then_is_no_answer():
    with Drips() as peer, Postroom() as p:
        p.collector("imap", peer.port, "timeout=2s")
        p.cli("collect", "now", "imap")
        wait_for(lambda: p.shows("imap")["error"], "the end of it", seconds=15)
        true("no answer in time" in p.shows("imap")["error"], p.shows("imap"))


if __name__ == "__main__":
    sys.exit(tap([(name[5:].replace("_", " "), test) for name, test in list(globals().items()) if name.startswith("test_")]))
