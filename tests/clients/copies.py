#!/usr/bin/env python3
"""copies.py - one message that becomes many copies: each is what the catalogue says, none is too many, and explain said so before: TAP.

Scenarios 11, 16 and 32 of the catalogue together: assistants, the copy for the Internet, monitoring; with them archive, journal, SMTP
rules, a script and quotas. What explain promises is held, set against set, against the mailboxes, two sinks, the archive and the trace.
"""
import email
import email.policy
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]
from cast import BOXES, HEAD, TO, enter  # noqa: E402
from outgoing_site import relay  # noqa: E402
from postroom import PASSWORD, Server, equal, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

EXTRA = """loops: 1
archive: { on: yes }
journal: { internal: book, external: vault@journal.test, server: "127.0.0.1:%d", tls: none }
signature: { plain: "-- \\nThe house", html: "<p>The house</p>" }
headers: { outgoing: ["Organization: Example Ltd"] }
quota: { daily_user: 0, daily_admin: 0, second_admin: no, third_admin: no }
"""
RULES = """3*nothing of that
Subject: *forbidden*

3~lost
Subject: *lottery*

3>+carl<copy of an offer
Subject: *offer*
"""
MORE = ("carl", "full", "ida", "ora", "ring1", "ring2")
ALL = ("postmaster", "anna") + BOXES + MORE
OUT = "out@elsewhere.test"
MEANT = {("mailbox", "bert"), ("remote", OUT), ("mailbox", "cara"), ("mailbox", "dora"), ("mailbox", "mike"), ("mailbox", "eve")}
WATCHED = {("monitor", "boss"), ("monitor", "chief@elsewhere.test")}
BOOKED = {("journal", "book"), ("journal", "vault@journal.test")}
KEPT = {("archive", "archive")}


class House:
    """The server, the relay it sends by and the place where its journal goes; what each of them got."""

    def __init__(self):
        self.relay, self.vault, self.last = SmtpSink(), SmtpSink(), None
        self.boxes = {}  # name: (size, texts), asked for again where the size has changed
        self.server = Server(extra=relay(self.relay, rest=EXTRA % self.vault.port))

    def __enter__(self):
        for part in (self.relay, self.vault, self.server):
            part.__enter__()
        server = self.server
        enter(server)
        for name in MORE:
            server.add_user(name, *(("--quota", "1") if name == "full" else ()))
        server.cli("user", "set", "anna", "reply_address=sales@firm.test")
        server.cli("rule", "monitor", "set", "name=sales", "outgoing=all", "users=anna", "target=chief@elsewhere.test")
        server.cli("rule", "smtp", "apply", "-", stdin=RULES)
        server.cli("user", "script", "mike", "-", stdin="set_header('X-Seen', 'by the script of mike')\n")
        server.cli("user", "set", "ida", "assistants=dora;ora", "assistant_redirect=yes")
        server.cli("user", "set", "ring1", "forward_to=ring2", "forward=yes")
        server.cli("user", "set", "ring2", "forward_to=ring1", "forward=yes")
        return self

    def __exit__(self, *why):
        for part in (self.server, self.vault, self.relay):
            part.__exit__(*why)

    def settled(self):
        wait_for(lambda: not self.server.json("queue", "list"), "the queue is empty", 20)

    def found(self):
        """[(kind, target, text)] of every copy there is anywhere."""
        self.settled()
        for row in self.server.json("user", "list", "--columns", "name,size"):
            if row["name"] in ALL and self.boxes.get(row["name"], (0, []))[0] != row["size"]:
                self.boxes[row["name"]] = row["size"], self.server.fetch(row["name"])
        found = [(kind_of(text), user, text) for user, (_, texts) in self.boxes.items() for text in texts]
        for sink in (self.relay, self.vault):
            found += [(kind_of(m.data, "remote"), r, m.data) for m in sink.mails for r in m.recipients]
        rows = self.server.json("archive", "search", "--limit", "1000")
        return found + [("archive", "archive", row) for row in rows]

    def explain(self, text, sender, to, auth=None):
        path = os.path.join(self.server.dir, "asked.eml")
        with open(path, "w", newline="") as f:
            f.write(text)
        args = ["--from", sender or "<>", "--message", path, *[w for r in to for w in ("--to", r)]]
        (told,) = self.server.json("explain", *args, *(["--auth", auth] if auth else []))
        return told

    def send(self, text, sender, to, auth=None):
        """(code at the end or at MAIL, {recipient: code} of those refused), as a client is told."""
        with self.server.smtp("submissions" if auth else "smtp") as c:
            c.ehlo()
            if auth:
                c.login(auth, PASSWORD)
            code = c.mail(sender)[0]
            if code != 250:
                return code, {}
            codes = {r: c.rcpt(r)[0] for r in to}
            refused = {r: code for r, code in codes.items() if code != 250}
            return (c.data(text)[0] if len(refused) < len(to) else 250), refused

    def swaks(self, text, sender, to, auth):
        """The same by a program of others; all of TO are accepted."""
        path = os.path.join(self.server.dir, "sent.eml")
        with open(path, "w", newline="") as f:
            f.write(text[:-2])  # it ends the last line itself
        run = subprocess.run(
            ["swaks", "--server", "127.0.0.1", "--port", str(self.server.ports["submissions"]), "--tls-on-connect", "--auth", "PLAIN",
             "--auth-user", auth, "--auth-password", PASSWORD, "--from", sender, "--to", ",".join(to), "--data", "@" + path,
             "--ehlo", "client.test"], capture_output=True, text=True, timeout=60)
        equal(run.returncode, 0, run.stdout + run.stderr)
        return 250, {}

    def sound(self):
        status, said = self.server.check()
        equal(status, 0, said)

    def both(self, text, sender, to, auth=None, send=None):
        """Ask, then send: what came of it, which is what was said: {(kind, target)}, [texts by kind and target], what the peer was told."""
        told = self.explain(text, sender, to, auth)
        before, known = self.last or self.found(), {row["id"] for row in self.server.json("trace")}
        code, refused = (send or self.send)(text, sender, to, auth)
        self.last = self.found()
        new = list(self.last)
        for copy in before:
            new.remove(copy)
        said = [(c["kind"], "archive" if c["kind"] == "archive" else c["target"]) for c in told["copies"] if c["kind"] != "discard"]
        accepted = told["reply"]["code"] == 250
        equal(sorted(c[:2] for c in new), sorted(said) if accepted else [], "what came of it, and what explain said of %r" % to)
        equal(refused, {r["recipient"]: r["code"] for r in told["refused"]} if told["reply"]["stage"] != "mail" else {}, "refusals")
        if len(refused) < len(to):
            equal(code, told["reply"]["code"], "the reply")
        if accepted:
            self.traced(told, known)
        return set(said) if accepted else set(), {c[:2]: c[2] for c in new}, code

    def traced(self, told, known):
        """The trace of the message, the first that is not KNOWN, names the reasons that explain gave."""
        row = [r for r in self.server.json("trace") if r["id"] not in known][-1]
        steps = [s for r in self.server.json("trace", row["id"], "--steps") for s in r["steps"]]
        wanted = [s for s in told["steps"] if not s.startswith(("limits:", "sender:"))]
        missing = [s for s in wanted if s not in steps]
        equal(missing, [], "steps that explain gave and the trace has not: %r" % steps)


def kind_of(text, other="mailbox"):
    if b"Subject: {Mon-" in text:
        return "monitor"
    return "journal" if b"\r\nX-MS-Journal-Report:" in text else other


def letter(subject, more="", head=HEAD):
    return (head % subject).replace("\r\n\r\n", "\r\n%s\r\n" % more) + "hello\r\n"


def plain(sender, to, subject="hi"):
    return "From: %s\r\nTo: %s\r\nSubject: %s\r\n\r\nhello\r\n" % (sender, to, subject)


def original_of(report):
    """What a report of the journal holds, byte by byte; and the lines about its envelope."""
    boundary = email.message_from_bytes(report).get_boundary().encode()
    parts = report.split(b"\r\n--" + boundary)
    return parts[2].partition(b"\r\n\r\n")[2], parts[1].partition(b"\r\n\r\n")[2]


def header_of(text):
    return email.message_from_bytes(text, policy=email.policy.default)


def test_one_message_to_all_of_them_scenario_11_scenario_16_scenario_32_RTE_02_RTE_15_USR_31_HDR_01_SIG_01_MON_06_JRN_05_ARC_04_SMR_13():
    with House() as house:
        text = letter("an offer", "Bcc: eve@example.test\r\n")
        said, got, _ = house.both(text, "anna@example.test", TO, "anna", house.swaks)
        equal(said, MEANT | WATCHED | BOOKED | KEPT | {("mailbox", "carl")})
        inside = got["mailbox", "bert"]
        equal({k for k, v in got.items() if k[0] != "archive" and b"eve@example.test" in v}, WATCHED | BOOKED, "the Bcc is seen by who watches, and by nobody else")
        for user in ("cara", "dora", "eve", "carl"):
            equal(got["mailbox", user], inside, "what %s gets is what a colleague gets" % user)
        true(inside.endswith(b"Subject: an offer\r\n\r\nhello\r\n") and b"From: Anna <anna@example.test>" in inside, inside)
        true(b"Organization" not in inside and b"X-" not in inside, inside)
        equal(got["mailbox", "mike"], inside.replace(b"offer\r\n\r\n", b"offer\r\nX-Seen: by the script of mike\r\n\r\n"))
        outside = got["remote", OUT]
        equal(header_of(outside)["From"], "Anna <sales@firm.test>")
        equal((header_of(outside)["Organization"], header_of(outside)["Bcc"]), ("Example Ltd", None))
        true(outside.endswith(b"\r\n\r\nhello\r\n-- \r\nThe house\r\n"), outside)
        for target, what in (("boss", "{Mon-Outgoing+Internal} an offer"), ("chief@elsewhere.test", "{Mon-Outgoing} an offer")):
            watched = header_of(got["monitor", target])
            equal((watched["Subject"], watched["X-Monitor-Recipients"], watched["Bcc"]), (what, ", ".join(TO), None))
            true(got["monitor", target].endswith(b"\r\n\r\nhello\r\n"), "nothing at its foot")
        for report in (got["journal", "book"], got["journal", "vault@journal.test"]):
            original, lines = original_of(report)
            equal(original, text.encode(), "as it came")
            true(b"Bcc: eve@example.test\r\n" in lines and b"To: cara@example.test, Expanded: team@example.test\r\n" in lines, lines)
        (kept,) = house.server.json("archive", "search", "--to", "eve@example.test")  # ARC-02
        equal((kept["from"], kept["to"], kept["direction"], kept["user"]), ("anna@example.test", TO, "outgoing, internal", "anna"))
        imap = house.server.imap("eve")
        imap.select("INBOX", readonly=True)
        equal(imap.fetch("1", "(BODY.PEEK[])")[1][0][1], inside, "by IMAP as by POP3")
        imap.logout()
        house.sound()


def test_text_and_HTML_to_a_colleague_and_to_the_Internet_scenario_16_LOC_06_SIG_04_OUT_10():
    text = ("From: Bert <bert@example.test>\r\nTo: anna@example.test, %s\r\nSubject: two forms\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
            "--b\r\nContent-Type: text/html\r\n\r\n<html><body><p>hello</p></body></html>\r\n--b--\r\n" % OUT)
    with House() as house:
        house.server.cli("config", "set", "domains.map", '[{"from": "example.test", "to": "firm.test"}]')
        said, got, _ = house.both(text, "bert@example.test", ["anna@example.test", OUT], "bert")
        equal(said, {("mailbox", "anna"), ("remote", OUT)} | WATCHED | BOOKED | KEPT)
        true(got["mailbox", "anna"].endswith(text[text.index("\r\n\r\n"):].encode()), "the colleague's has the body that came")
        equal(header_of(got["mailbox", "anna"])["From"], "Bert <bert@example.test>")
        outside = header_of(got["remote", OUT])
        equal((outside["From"], outside["To"]), ("Bert <bert@firm.test>", "sales@firm.test, " + OUT))
        bodies = [part.get_content().replace("\r\n", "\n") for part in outside.iter_parts()]
        true("hello" in bodies[0] and bodies[0].endswith("\n-- \nThe house"), bodies[0])
        equal(bodies[1].strip(), "<html><body><p>hello</p>\n<p>The house</p>\n</body></html>")
        house.sound()


CHIEF = ("monitor", "chief@elsewhere.test")
ANNAS, STRANGERS = ("anna@example.test", "anna"), ("x@elsewhere.test", None)
# who sends (address, login), to whom, the subject; which copies, besides journal and archive
CASES = (
    ("an assistant to her directors RTE_03", ("dora@example.test", "dora"), ("cara", "ida"), "hi", {"cara", "ida"}, set()),
    ("the other assistant RTE_03", ("ora@example.test", "ora"), ("ida", "cara"), "hi", {"ida", "cara", "dora"}, set()),
    ("a report RTE_05", ("", None), ("cara", "ida"), "hi", {"cara", "ida"}, {CHIEF}),
    ("an outsider RTE_04 RTE_15 MON_02", STRANGERS, ("bert", "team", "ida"), "hi", {"bert", "cara", "dora", "mike", "ora"}, {CHIEF}),
    ("to a name that nobody has", STRANGERS, ("bert", "nobody"), "hi", {"bert"}, {CHIEF}),
    ("to nobody at all", STRANGERS, ("nobody",), "hi", None, set()),
    ("a rule refuses SMR_03", ANNAS, ("bert", "team"), "forbidden", None, set()),
    ("a rule discards ARC_01 JRN_01", ANNAS, ("bert", "team"), "lottery", None, set()),
    ("a ring", STRANGERS, ("ring1",), "hi", {"ring2"}, {CHIEF}),
    ("a ring, entered twice", STRANGERS, ("ring1", "ring2"), "an offer", {"ring2", "carl"}, {CHIEF}),
    ("to oneself, twice", ANNAS, ("anna", "anna", "Anna"), "hi", {"anna"}, {("monitor", "boss")}),
)


def try_case(house, what, who, to, subject, boxes, watched):
    sender, auth = who
    addresses = [name + "@example.test" for name in to]
    said, got, code = house.both(plain(sender or "daemon@elsewhere.test", addresses[0], subject), sender, addresses, auth)
    want = {("mailbox", name) for name in boxes} | watched | BOOKED | KEPT if boxes else set()
    equal(said, want, what)
    return code


def test_who_sends_and_to_whom_explained_and_delivered_RTE_03_RTE_04_RTE_05_RTE_15_MON_02_SMR_03_JRN_01_ARC_01():
    with House() as house:
        house.server.cli("rule", "monitor", "set", "name=sales", "incoming=all")
        codes = {case[0]: try_case(house, *case) for case in CASES}
        equal(codes["a rule refuses SMR_03"], 550)
        equal(codes["a rule discards ARC_01 JRN_01"], 250)
        house.sound()


def test_who_is_over_his_quota_sends_nothing_QUO_04_QUO_06():
    with House() as house:
        for level in ("first", "second", "third"):  # no letter of his shall come between
            house.server.cli("config", "set", "quota." + level, "0")
        imap = house.server.imap("full")
        imap.create("Old")
        for _ in range(13):
            imap.append("Old", None, None, b"Subject: filler\r\n\r\n" + b"y" * 100000 + b"\r\n")
        imap.logout()
        said, _, code = house.both(plain("full@example.test", "bert@example.test"), "full@example.test",
                                   ["bert@example.test", OUT], "full")
        equal((said, code // 100), (set(), 5))
        said, _, _ = house.both(plain("x@elsewhere.test", "full@example.test"), "x@elsewhere.test", ["full@example.test"])
        equal(said, {("mailbox", "full")} | BOOKED | KEPT, "receiving goes on")


def test_a_message_moved_or_copied_goes_as_it_is_or_by_the_target_s_way_USR_40():
    with House() as house:
        server = house.server
        server.cli("user", "set", "bert", "forward_to=home@elsewhere.test", "forward=yes")
        for n, subject in enumerate(("direct", "routed copy", "routed move", "no such", "an offer"), 1):
            server.send("x@elsewhere.test", ["eve@example.test"], plain("x@elsewhere.test", "eve@example.test", subject))
        first = house.found()
        server.cli("message", "copy", "eve", "1", "--to-user", "bert")
        server.cli("message", "copy", "eve", "2", "--to-user", "bert", "--routed")
        server.cli("message", "move", "eve", "3", "--to-user", "bert", "--routed")
        server.cli("message", "copy", "eve", "5", "--to-user", "ida", "--routed")
        equal([m["subject"] for m in server.json("message", "list", "bert")], ["direct"], "the direct copy stays, the routed one leaves")
        house.settled()
        sent = [(m.sender, header_of(m.data)["Subject"]) for m in house.relay.mails if m.recipients == ["home@elsewhere.test"]]
        equal(sent, [("x@elsewhere.test", "routed copy"), ("x@elsewhere.test", "routed move")])
        for name in ("dora", "ora", "carl"):  # by her assistants, and by a rule
            true("an offer" in [m["subject"] for m in server.json("message", "list", name)], name)
        equal([m["subject"] for m in server.json("message", "list", "ida")], [])
        equal([m["subject"] for m in server.json("message", "list", "eve")], ["direct", "routed copy", "no such", "an offer"])
        server.cli("undo", next(r["id"] for r in server.json("undo", "list") if r["what"] == "message.move"))
        equal(len(server.json("message", "list", "eve")), 5, "the original of what was moved comes back")
        said = server.cli("message", "move", "eve", "4", "--to-user", "nobody", "--routed", ok=False)
        true(said.returncode == 1 and "refused: " in said.stderr, said.stderr)
        said = server.cli("message", "move", "eve", "4", "77", "--to-user", "bert", "--routed", ok=False)
        true("77" in said.stderr + said.stdout, said)
        equal([m["subject"] for m in server.json("message", "list", "eve")][-1], "routed move")
        said = server.cli("message", "move", "eve", "1", "--to-user", "bert", "--to-folder", "x", "--routed", ok=False)
        true(said.returncode == 1 and "not to a folder" in said.stderr, said.stderr)
        would = server.cli("message", "move", "eve", "1", "--to-user", "bert", "--routed", "--dry-run").stdout
        true("routed yes" in would, would)
        true(len(server.json("message", "list", "eve")) == 4 and len(first) > 0, "nothing happened")
        house.sound()


if __name__ == "__main__":
    sys.exit(tap([run for name, run in list(globals().items()) if name.startswith("test_")]))
