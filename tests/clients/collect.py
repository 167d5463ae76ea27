#!/usr/bin/env python3
"""collect.py - mail is fetched: nothing is lost and nothing comes twice, wherever the connection or Postroom itself ends; what
stays on the server, and for how long; many collectors at once, and many messages."""
import json
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from dovecot import Dovecot, PASSWORD as DOVECOT_PASSWORD  # noqa: E402
from pop3_server import Message, Pop3Server  # noqa: E402
from postroom import Server, equal, figure, tap, true  # noqa: E402


def mail(n, to="anna@example.test", more=""):
    return ("Return-Path: <far@elsewhere.test>\r\nReceived: from far.test by pop.test; Sat, 3 Jan 1998 01:05:34 +0000\r\n"
            "From: far@elsewhere.test\r\nTo: %s\r\nSubject: number %d\r\nMessage-ID: <%d@far.test>\r\n%s\r\nText %d\r\n" % (
                to, n, n, more, n)).encode()


def box(count, first=1):
    return {"box": [mail(n) for n in range(first, first + count)]}


def collector(port, name="fetch", **more):
    words = dict(kind="pop3", server="127.0.0.1", port=port, tls="none", username="box", password="secret-word",
                 accepted="[example.test]", timeout="20s")
    words.update(more)
    return "{ name: %s, %s }" % (name, ", ".join("%s: %s" % w for w in words.items()))


def config(*collectors, rest=""):
    return "testing: { clock: yes }\ncollecting: { collectors: [ %s ]%s }\n" % (", ".join(collectors), rest)


def collect(server, name="fetch"):
    """What came of it, whether it failed or not."""
    r = server.cli("collect", "now", name, "--wait", "--json", ok=False)
    true(r.stdout, r.stderr)
    return json.loads(r.stdout)


def row(server, name="fetch"):
    return [r for r in server.json("collect", "list") if r["name"] == name][0]


def subjects(server, user="anna"):
    return sorted(m["subject"] for m in server.json("message", "list", user))


def numbers(first, last):
    return sorted("number %d" % n for n in range(first, last + 1))


def test_fetched_stored_removed_INM_03():
    with Pop3Server(box(25)) as pop, Server(extra=config(collector(pop.port))) as server:
        server.add_user("anna")
        said = collect(server)
        equal((said["fetched"], said["deleted"], said["left"], said["errors"]), (25, 25, 0, []))
        equal((subjects(server), pop.left("box")), (numbers(1, 25), []))
        text = server.fetch("anna")[0].decode()
        true(re.search(r"Received: from 127\.0\.0\.1\r?\n\tby mail\.example\.test with POP3 \(collector fetch\)", text), text[:600])
        equal(text.count("Return-Path:"), 1, text[:400])
        equal(server.check()[0], 0)


# ---- cut anywhere ----

MODES = {"UIDL": {}, "TOP": {"uidl": False}, "neither": {"uidl": False, "top": False}}


class Cuts:
    """One Postroom and one mailbox, which is filled and cut anew in each round."""

    def __init__(self, count, **options):
        self.pop, self.count, self.last = Pop3Server({"box": []}, **options), count, 0
        self.pop.__enter__()
        self.server = Server(extra=config(collector(self.pop.port)), level="warning")

    def __enter__(self):
        self.server.__enter__()
        self.server.add_user("anna")
        return self

    def __exit__(self, *why):
        self.server.__exit__(*why)
        self.pop.__exit__(*why)

    def fill(self):
        for _ in range(self.count):
            self.last += 1
            self.pop.boxes["box"].add(SHORT % (self.last, self.last))

    def round(self, **cut):
        """A session that is cut, and others that are not, until the mailbox is empty. False: it ended before the cut."""
        self.fill()
        for key, value in cut.items():
            setattr(self.pop, key, value)
        self.pop.cut_sessions = 1
        first = collect(self.server)
        hit = bool(first["errors"])
        for key in cut:
            setattr(self.pop, key, None)
        for _ in range(3):
            if not self.pop.left("box") and not first["errors"]:
                break
            first = collect(self.server)
        equal((first["errors"], self.pop.left("box")), ([], []), "in the end nothing is left: %s" % cut)
        return hit

    def verify(self):
        equal(subjects(self.server), numbers(1, self.last), "each once")


SHORT = b"To: anna@example.test\r\nMessage-ID: <%d@a.test>\r\nSubject: number %d\r\n\r\nx\r\n"


def test_cut_after_each_command_INM_03():
    for mode, options in MODES.items():
        for way in ("cut_after", "cut_before_answer"):
            with Cuts(3, **options) as cuts:
                at = 1
                while cuts.round(**{way: at}):
                    at += 1
                cuts.verify()
                true(at > 10, "%s %s: cut %d times" % (mode, way, at))


def test_cut_at_each_byte_INM_03():
    """Of a short session; ./test takes some of the bytes, POSTROOM_EVERY_BYTE=1 all of them."""
    step = 1 if os.environ.get("POSTROOM_EVERY_BYTE") else 11
    for mode, options in MODES.items():
        with Cuts(2, **options) as cuts:
            at = 1
            while cuts.round(cut_at=at):
                at += step
            cuts.verify()
            true(at > 300, "%s: %d bytes" % (mode, at))
            figure("%s: a session of %d bytes was cut at %d places" % (mode, at, at // step))


def test_removed_without_quit_INM_03():
    """A server that removes what was marked although nobody said QUIT."""
    with Cuts(3, cut_removes=True) as cuts:
        at = 1
        while cuts.round(cut_after=at):
            at += 1
        cuts.verify()


def test_quit_without_an_answer_INM_03():
    """It is not known whether they are gone: they come no second time either way."""
    for removes in (True, False):
        with Pop3Server(box(3), quit_answers=False, quit_removes=removes) as pop, Server(extra=config(
                collector(pop.port))) as server:
            server.add_user("anna")
            true(collect(server)["errors"], "the end is not known")
            equal(len(pop.left("box")), 0 if removes else 3)
            pop.quit_answers = pop.quit_removes = True
            pop.boxes["box"].add(mail(4))
            equal(collect(server)["fetched"], 1)
            equal((subjects(server), pop.left("box")), (numbers(1, 4), []))


# ---- what stays there ----


def test_another_account_with_the_same_ids_loses_nothing_INM_05():
    """Many servers count their unique ids from 1; another login is another mailbox."""
    with Pop3Server({"box": [Message(mail(1), b"1")], "other": [Message(mail(2), b"1")]}) as pop, Server(
            extra=config(collector(pop.port, leave_days=2))) as server:
        server.add_user("anna")
        equal(collect(server)["fetched"], 1)
        server.cli("collect", "set", "fetch", "username=other")
        said = collect(server)
        equal((said["fetched"], said["errors"]), (1, []))
        server.cli("clock", "advance", "3d")
        equal(collect(server)["deleted"], 1)
        equal((subjects(server), pop.left("other")), (numbers(1, 2), []))


def test_leave_two_days_scenario_7_INM_05():
    for mode in ("UIDL", "TOP"):
        with Pop3Server(box(4), **MODES[mode]) as pop, Server(extra=config(collector(pop.port, leave_days=2))) as server:
            server.add_user("anna")
            equal(collect(server)["left"], 4)
            equal(collect(server)["fetched"], 0)
            server.cli("clock", "advance", "1d")
            pop.boxes["box"].add(mail(5))
            equal(collect(server)["fetched"], 1)
            equal(len(pop.left("box")), 5)
            server.cli("clock", "advance", "1d")
            said = collect(server)
            equal((said["deleted"], said["left"]), (4, 1), mode)
            equal(pop.left("box"), [mail(5)], "gone on the third day")
            server.cli("clock", "advance", "1d")
            collect(server)
            equal((subjects(server), pop.left("box")), (numbers(1, 5), []), mode)


def test_all_unique_ids_are_new_INM_05():
    """The provider has another server: what was left there has other ids, and is known by its headers."""
    with Pop3Server(box(20)) as pop, Server(extra=config(collector(pop.port, leave="always"))) as server:
        server.add_user("anna")
        equal(collect(server)["fetched"], 20)
        for answers in (True, False):  # with TOP, and without: then by what comes
            pop.top, before = answers, len(pop.left("box"))
            pop.uidl = lambda number, message, kind=answers: b"%s-%s" % (str(kind).encode(), message.uid)
            pop.boxes["box"].add(mail(before + 1))
            equal([collect(server)["fetched"] for _ in range(3)], [1, 0, 0], "TOP: %s" % answers)
        equal((subjects(server), len(pop.left("box"))), (numbers(1, 22), 22))


def test_leave_two_days_in_dovecot_scenario_7_INM_05():
    with Dovecot() as peer, Server(extra=config(collector(
            peer.pop_port, username="anna", password=DOVECOT_PASSWORD, leave_days=2))) as server:
        server.add_user("anna")
        peer.fill("anna", [mail(n) for n in range(1, 31)])
        equal(collect(server)["left"], 30)
        peer.fill("anna", [mail(31)])
        equal(collect(server)["fetched"], 1)
        server.cli("clock", "advance", "3d")
        equal(collect(server)["deleted"], 31)
        equal(subjects(server), numbers(1, 31))
        peer.fill("anna", [mail(32)])
        said = collect(server)
        equal((said["fetched"], said["left"], said["errors"]), (1, 1, []), "nothing but the new one is there")


def test_leave_days_need_uidl_or_top_INM_05():
    with Pop3Server(box(2), uidl=False, top=False) as pop, Server(extra=config(collector(pop.port, leave_days=2))) as server:
        server.add_user("anna")
        said = collect(server)
        true("neither UIDL nor TOP" in said["errors"][0], said)
        equal((subjects(server), len(pop.left("box"))), ([], 2))


def test_another_name_keeps_what_was_fetched():
    with Pop3Server(box(3)) as pop, Server(extra=config(collector(pop.port, leave_days=9))) as server:
        server.add_user("anna")
        collect(server)
        server.cli("collect", "set", "fetch", "name=Provider")
        equal(collect(server, "provider")["fetched"], 0)
        server.stop()
        server.start()
        equal(collect(server, "provider")["fetched"], 0)
        equal(subjects(server), numbers(1, 3))


def test_another_account_of_a_collector_INM_05():
    """Ids of another server say nothing; whose server has another name says so, and nothing comes twice."""
    with Pop3Server(box(2)) as pop, Pop3Server(box(2)) as other, Pop3Server(box(2)) as new:
        with Server(extra=config(collector(pop.port, leave_days=9))) as server:
            server.add_user("anna")
            for port in (other.port, pop.port):
                said = server.cli("collect", "set", "fetch", "port=%d" % port).stdout
                true("not known" not in said, "nothing was: " + said)
            equal(collect(server)["fetched"], 2)
            said = server.cli("collect", "set", "fetch", "port=%d" % other.port).stdout
            true("what was fetched from box at 127.0.0.1 is not known there" in said and "--same-mailbox" in said, said)
            equal(collect(server)["fetched"], 2, "ids that look alike")
            said = server.cli("collect", "set", "fetch", "port=%d" % pop.port).stdout
            equal(collect(server)["fetched"], 0, "it went back")
            said = server.cli("collect", "set", "fetch", "port=%d" % new.port, "--same-mailbox").stdout
            true("not known" not in said, said)
            equal(collect(server)["fetched"], 0, "the same mailbox")
            equal(len(subjects(server)), 4)


# ---- what is not as it should be ----


def test_refused_mail_is_kept_TRB_06():
    """By SMTP it would be refused, for it runs in a circle; the Main Administrator gets it."""
    circle = b"Received: from a by b; Sat, 3 Jan 1998 01:05:34 +0000\r\n" * 120 + mail(9)
    with Pop3Server({"box": [mail(1), circle, mail(2)]}) as pop, Server(extra=config(collector(pop.port))) as server:
        server.add_user("postmaster", "--admin")
        server.add_user("anna")
        said = collect(server)
        true("kept for the Main Administrator" in said["errors"][0], said)
        equal((subjects(server), pop.left("box")), (numbers(1, 2), []))
        equal(subjects(server, "postmaster").count("number 9"), 1, "beside a letter that says so")
        newest = server.json("trace", "--to", "anna@example.test")[0]["id"]
        trace = server.cli("trace", newest).stdout
        true("by the collector fetch" in trace and "with the unique id" in trace, trace[:800])


def test_without_a_main_administrator_it_waits_and_says_so_ADM_02():
    with Pop3Server({"box": [mail(1, to="gone@example.test")]}) as pop, Server(extra=config(collector(pop.port))) as server:
        server.add_user("anna")
        said = collect(server)
        true("no Main Administrator" in said["errors"][0] and "user add NAME --admin" in said["errors"][0], said)
        equal((said["fetched"], len(pop.left("box"))), (0, 1))
        server.add_user("postmaster", "--admin")
        equal((collect(server)["fetched"], pop.left("box"), subjects(server, "postmaster")), (1, [], numbers(1, 1)), "it waited there")


def test_sizes_and_lines_that_lie():
    """Sizes are wrong, a line is huge, a NUL, bare line ends and dots: what came is stored, and no more."""
    texts = [mail(1) + b"y" * 300000 + b"\r\n", mail(2) + b"\0 and \xff\r\n", mail(3) + b"bare\nends\n.\nhere\r\n", mail(4)]
    with Pop3Server({"box": texts}, size=lambda n: 7) as pop, Server(extra=config(collector(pop.port))) as server:
        server.add_user("anna")
        equal(collect(server)["errors"], [])
        equal((subjects(server), pop.left("box")), (numbers(1, 4), []))
        sizes = sorted(m["size"] for m in server.json("message", "list", "anna"))
        true(sizes[-1] > 300000 and sizes[0] > 250, "the huge line is whole: %s" % sizes)


def test_locked_mailbox_INM_30():
    with Pop3Server(box(2), locked=1) as pop, Server(extra=config(collector(pop.port))) as server:
        server.add_user("anna")
        true("locked" in collect(server)["errors"][0], "it says so")
        true("locked" in row(server)["error"], "and the list does")
        equal(collect(server)["errors"], [])
        equal(subjects(server), numbers(1, 2))


def test_disk_guard_INM_25():
    rest = ", disk_spare: 1000TB"
    with Pop3Server(box(2)) as pop, Server(extra=config(collector(pop.port), rest=rest)) as server:
        server.add_user("anna")
        said = collect(server)
        true("disk_spare" in said["errors"][0], said)
        equal((said["fetched"], len(pop.left("box"))), (0, 2))
        server.cli("config", "set", "collecting.disk_spare", "1MB")
        equal(collect(server)["fetched"], 2)


# ---- many ----


os.environ.setdefault("ASAN_OPTIONS", "quarantine_size_mb=1")  # the sanitizers' own hoard of what was freed is not measured


class Memory:
    """Most memory of its own that a process of the server has meanwhile, in kB; pages of the store's file are not its own."""

    def __init__(self, server):
        self.pids, self.over, self.most = server.pids(), threading.Event(), 0
        self.thread = threading.Thread(target=self.look, daemon=True)

    def now(self):
        def of(pid):
            try:
                with open("/proc/%d/status" % pid) as f:
                    return int(re.search(r"RssAnon:\s+(\d+)|$", f.read()).group(1) or 0)
            except OSError:  # a helper that has ended
                return 0
        return max(of(pid) for pid in self.pids)

    def look(self):
        while not self.over.wait(0.02):
            self.most = max(self.most, self.now())

    def __enter__(self):
        self.first = self.now()
        self.thread.start()
        return self

    def __exit__(self, *why):
        self.over.set()
        self.thread.join()
        self.grown = max(self.most, self.now()) - self.first


def test_many_collectors_at_once():
    """50 mailboxes; POSTROOM_COLLECT_EACH=2000 for the whole figure."""
    many, each = 50, int(os.environ.get("POSTROOM_COLLECT_EACH", "30"))
    boxes = {"box%d" % i: [mail(i * 100000 + n) for n in range(each)] for i in range(many)}
    with Pop3Server(boxes) as pop, Server(level="warning", extra=config(
            *(collector(pop.port, "c%d" % i, username="box%d" % i) for i in range(many)))) as server:
        server.add_user("anna")
        with Memory(server) as memory:
            start = time.monotonic()
            r = server.cli("collect", "now", "--all", "--wait", "--json")
            took = time.monotonic() - start
        said = json.loads(r.stdout)
        equal((said["fetched"], said["deleted"], said["errors"]), (many * each, many * each, []))
        equal(server.json("status")[0]["mailboxes"]["messages"], many * each)
        equal(sum(len(pop.left(name)) for name in boxes), 0)
        true(memory.grown < 150 * 1024, "memory grew by %d kB" % memory.grown)
        figure("%d x %d messages: %.1f s, %.0f/s, memory +%d MB" % (many, each, took, many * each / took, memory.grown >> 10))
        equal(server.stop(), 0)


def test_many_left_there():
    """POSTROOM_COLLECT_LEFT=100000 for the whole figure: the new ones are found in the time that UIDL takes."""
    count = int(os.environ.get("POSTROOM_COLLECT_LEFT", "3000"))
    texts = [SHORT % (n, n) for n in range(count)]
    with Pop3Server({"box": texts}) as pop, Server(level="warning", extra=config(
            collector(pop.port, leave_days=30))) as server:
        server.add_user("anna")
        equal(collect(server)["fetched"], count)
        for n in range(3):
            pop.boxes["box"].add(mail(900000 + n))
        with Memory(server) as memory:
            start = time.monotonic()
            said = collect(server)
            took = time.monotonic() - start
        equal((said["fetched"], said["left"], said["errors"]), (3, count + 3, []))
        true(memory.grown < 64 * 1024, "memory grew by %d kB" % memory.grown)
        figure("%d messages left there: 3 new ones in %.2f s, memory +%d MB" % (count, took, memory.grown >> 10))


def test_a_message_of_50_MB_takes_a_fraction_of_it():
    line = b"a line of a large message, which is as long as this one is..\r\n"
    with Pop3Server({"box": [mail(1), mail(2) + line * 750000, mail(3)]}) as pop, Server(level="warning", extra=config(
            collector(pop.port))) as server:
        server.add_user("anna")
        with Memory(server) as memory:
            equal(collect(server)["errors"], [])
        equal(subjects(server), numbers(1, 3))
        true(memory.grown < 20 * 1024, "memory grew by %d kB" % memory.grown)
        figure("a message of %d MB: memory +%d MB" % (len(line) * 750000 >> 20, memory.grown >> 10))


if __name__ == "__main__":
    sys.exit(tap([(n[5:].replace("_", " "), f) for n, f in list(globals().items())
                  if n.startswith("test_") and f.__module__ == "__main__"]))
