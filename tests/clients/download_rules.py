#!/usr/bin/env python3
"""download_rules.py - download rules with a POP3 server beside: what is fetched, left and deleted; notices, Ask and its
answers by letter and by command; the file edited from outside; the log; the limit (DLR, INM-04, INM-23)."""
import email
import email.policy
import json
import os
import re
import smtplib
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from pop3_server import Pop3Server  # noqa: E402
from postroom import PASSWORD, Server, equal, tap, true, unverified, wait_for  # noqa: E402

BIG = 2000000


def mail(subject, to="anna@example.test", sender="Bob <bob@far.test>", size=0, more=""):
    text = ("From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@far.test>\r\n%s\r\nText\r\n" % (
        sender, to, subject, abs(hash((subject, to))), more)).encode()
    lines = max(0, size - len(text)) // 72 + (size > 0)
    return text + (b"x" * 70 + b"\r\n") * lines


def collector(port, name="box", **more):
    words = dict(kind="pop3", server="127.0.0.1", port=port, tls="none", username=name, password="secret-word",
                 accepted="[example.test]", timeout="20s")
    words.update(more)
    return "{ name: %s, %s }" % (name, ", ".join("%s: %s" % w for w in words.items()))


def config(*collectors, rest=""):
    return "testing: { clock: yes }\ncollecting: { collectors: [ %s ]%s }\n" % (", ".join(collectors), rest)


class Site:
    """A Postroom with anna, bert and fred, and the mailbox `box` beside it."""

    def __init__(self, texts, rules="", rest="", pop=None, **keys):
        self.pop = Pop3Server({"box": texts}, **(pop or {}))
        self.rules, self.rest, self.keys = rules, rest, keys

    def __enter__(self):
        self.pop.__enter__()
        self.server = Server(extra=config(collector(self.pop.port, **self.keys), rest=self.rest))
        self.server.__enter__()
        for name in ("postmaster", "anna", "bert", "fred"):
            self.server.add_user(name, *(["--admin"] if name == "postmaster" else []))
        if self.rules:
            self.apply(self.rules)
        return self

    def __exit__(self, *error):
        try:
            self.server.__exit__(*error)
        finally:
            self.pop.__exit__(*error)

    def apply(self, text):
        return self.server.cli("rule", "download", "apply", "-", "--yes", stdin=text)

    def collect(self):
        said = json.loads(self.server.cli("collect", "now", "box", "--wait", "--json", ok=False).stdout)
        equal(said["errors"], [])
        return said["fetched"], said["deleted"], said["left"]

    def subjects(self, user="anna"):
        return sorted(m["subject"] for m in self.server.json("message", "list", user))

    def letters(self, user="anna"):
        return [email.message_from_bytes(m, policy=email.policy.default) for m in self.server.fetch(user)]

    def log(self):
        return [r["text"] for r in self.server.json("log", "show", "--service", "dlrules")]

    def asks(self):
        return self.server.json("rule", "download", "ask", "list")

    def reply(self, user, subject, body, html=None, sender=None, **more):
        m = email.message.EmailMessage(policy=email.policy.SMTP)
        for name, value in more.items():
            m[name.replace("_", "-")] = value
        m["From"], m["To"], m["Subject"] = user + "@example.test", "Mailer_Daemon@example.test", subject
        m.set_content(body)
        if html:
            m.add_alternative(html, subtype="html")
        with self.server.smtp("submission") as smtp:
            smtp.starttls(context=unverified())
            smtp.login(user, PASSWORD)
            smtp.send_message(m, from_addr=sender)

    @staticmethod
    def text(letter):
        return letter.get_content().replace("\r\n", "\n")

    def ask_letter(self, user="anna", about="big"):
        found = [m for m in self.letters(user) if m["Subject"].startswith("Download? " + about)]
        equal(len(found), 1, "one question to %s" % user)
        return found[0]


def test_rules_off_or_none_no_TOP_DLR_01_INM_23():
    with Site([mail("one"), mail("two")]) as s:
        equal(s.collect(), (2, 2, 0))
        equal(s.pop.said("TOP"), [])
    with Site([mail("one")], rules="*all\n", download_rules="no") as s:
        equal(s.collect(), (1, 1, 0))
        equal((s.pop.said("TOP"), s.subjects()), ([], ["one"]))
    with Site([mail("one"), mail("big", size=BIG)], rules="@big\nSize: 1000000\n") as s:
        equal(s.collect(), (1, 2, 0))
        equal(len(s.pop.said("TOP")), 1, "the header of the big one alone")


def test_every_action_DLR_04_DLR_09_DLR_10_DLR_11():
    texts = [mail(t) for t in ("tell", "silent", "ignore", "fetch", "both", "instead", "also", "tellfred", "plain")]
    rules = ("*Told about\nSubject: \"tell\"\n@Quiet\nSubject: silent\n~Not now\nSubject: ignore\n<Let it in\nSubject: fetch\n"
             "%Once\nSubject: both\n>fred<To fred\nSubject: instead\n>+fred<To fred too\nSubject: also\n"
             ">fred*Fred knows\nSubject: tellfred\n")
    with Site(texts, rules=rules, leave_days=5) as s:
        fetched, deleted, left = s.collect()
        equal((fetched, deleted, left), (5, 4, 5))
        equal([t.split(b"Subject: ")[1].split(b"\r\n")[0] for t in s.pop.left("box")],
              [b"ignore", b"fetch", b"instead", b"also", b"plain"])
        equal(s.subjects("anna"), ["Deleted: tell", "also", "both", "fetch", "plain"])
        equal(s.subjects("fred"), ["Deleted: tellfred", "also", "instead"])
        notice = [m for m in s.letters() if m["Subject"] == "Deleted: tell"][0]
        true("Mailer_Daemon@" in notice["From"] and '"Told about"' in s.text(notice) and
             "Subject: tell\n" in s.text(notice), notice)
        log = s.log()
        equal(len(log), 8, log)
        for name, sign in (("Told about", "*"), ("Quiet", "@"), ("Not now", "~"), ("Once", "%"), ("To fred", ">fred<")):
            found = [r for r in log if ('rule="%s"' % name if " " in name else "rule=%s" % name) in r and
                     "action=" + sign in r.replace('"', "")]
            true(len(found) == 1 and "bob@far.test" in found[0] and "subject=" in found[0], (name, log))
        true(os.path.exists(os.path.join(s.server.dir, "log", "dlrules.log")) or
             any("dlrules.log" in f for _, _, files in os.walk(s.server.dir) for f in files), "a file of its own")
        hits = {r["name"]: r["hits"] for r in s.server.json("rule", "download", "list")}
        equal((hits["Quiet"], hits["Let it in"]), (1, 1))
        found = [t for t in s.server.json("trace", "--from", "bob@far.test") if t["to"] == ["fred@example.test"]]
        told = s.server.cli("trace", found[0]["id"]).stdout
        true('the download rule "To fred" has it fetched: >fred<' in told, told)
        # the second time nothing comes twice, and what is ignored is not said again
        equal(s.collect()[0], 0)
        equal(len(s.log()), 8)
        # contract 8: ignored mail goes leave_days after it was first seen; Q-76: so does the rest
        s.server.cli("clock", "advance", "4d")
        equal((s.collect(), len(s.pop.left("box"))), ((0, 0, 5), 5))
        s.server.cli("clock", "advance", "2d")
        equal((s.collect()[1], s.pop.left("box")), (5, []))


def test_notice_to_the_main_administrator_DLR_10():
    with Site([mail("nobody", to="x@elsewhere.test")], rules="*Strange\nSubject: nobody\n") as s:
        equal(s.collect(), (0, 1, 0))
        equal(s.subjects("postmaster"), ["Deleted: nobody"])


def test_ask_scenario_8_DLR_07_DLR_08_Q_29():
    texts = [mail("big one", size=BIG), mail("big two", size=BIG), mail("big three", size=BIG), mail("small")]
    with Site(texts, rules="?big\nSize: 1000000\n") as s:
        equal(s.collect(), (1, 1, 3))
        equal(s.pop.said("RETR"), ["RETR 4"])
        equal(s.subjects("anna")[:3], s.subjects("anna")[:3])
        one, two = s.ask_letter(about="big one"), s.ask_letter(about="big two")
        true(one["From"].addresses[0].username == "Mailer_Daemon" and '"big"' in s.text(one) and
             "DELETE" in s.text(one) and "Subject: big one\n" in s.text(one), one)
        equal(s.collect(), (0, 0, 3))
        equal(len([x for x in s.subjects() if x.startswith("Download?")]), 3, "asked once")
        s.reply("anna", "Re: " + one["Subject"], "Yes please\n")
        s.reply("anna", "AW: " + two["Subject"], "\nDELETE, thank you\n\n> A message waits\n")
        wait_for(lambda: sorted(a["answer"] for a in s.asks()) == ["fetch", "open", "remove"], "both answers")
        found = [t for t in s.server.json("trace", "--from", "anna@example.test") if t["subject"].startswith("Re: ")]
        true("the answer to question" in found[0]["because"], found[0])
        true("postmaster" not in s.subjects("postmaster") and s.subjects("postmaster") == [], "the robot's reader gets none")
        equal(s.collect(), (1, 2, 1))
        true("big one" in s.subjects("anna") and "big two" not in s.subjects("anna"), s.subjects("anna"))
        equal(len(s.pop.left("box")), 1)
        s.server.cli("clock", "advance", "6d")
        equal(s.collect(), (0, 0, 1))
        s.server.cli("clock", "advance", "2d")
        equal(s.collect(), (0, 1, 0))
        true("big three" not in s.subjects("anna"), "nobody answered")
        true(any("was not answered" in line for line in s.log()), s.log())
        s.collect()
        wait_for(lambda: s.asks() == [], "no question is left")


def test_others_are_asked_and_only_they_answer_DLR_08():
    texts = [mail("big one", size=BIG), mail("also two", size=1000)]
    with Site(texts, rules=">fred?fred says\nSubject: one\n>+bert?both say\nSubject: two\n") as s:
        equal(s.collect(), (0, 0, 2))
        equal([s.subjects(u) for u in ("anna", "fred", "bert")],
              [[x] for x in (s.ask_letter("anna", "also")["Subject"], s.ask_letter("fred", "big")["Subject"],
                             s.ask_letter("bert", "also")["Subject"])])
        subject = s.ask_letter("fred", "big")["Subject"]
        s.reply("anna", "Re: " + subject, "DELETE\n")     # she was not asked
        wait_for(lambda: s.subjects("postmaster") == ["Re: " + subject], "it goes to the Main Administrator")
        with s.server.smtp() as smtp:                       # nobody has logged in
            smtp.sendmail("fred@example.test", ["Mailer_Daemon@example.test"],
                          "From: fred@example.test\r\nSubject: Re: %s\r\n\r\nDELETE\r\n" % subject)
        wait_for(lambda: len(s.subjects("postmaster")) == 2, "so does this one")
        equal({a["answer"] for a in s.asks()}, {"open"})
        s.reply("fred", subject, "ok\n", html="<p>ok</p>")
        wait_for(lambda: "fetch" in [a["answer"] for a in s.asks()], "fred has said so")
        equal(s.collect()[0], 1)
        true("big one" in s.subjects("anna") and "big one" not in s.subjects("fred"), "for whom it was meant")
        both = s.ask_letter("anna", "also")["Subject"]
        for who, text, answer in (("bert", "yes\n", "fetch"), ("anna", "DELETE\n", "fetch"), ("bert", "DELETE\n", "remove"),
                                  ("anna", "I want it\n", "fetch")):
            s.reply(who, "Re: " + both, text)
            wait_for(lambda: any(who in t["from"] and "Re: " + both == t["subject"] for t in s.server.json("trace")), who)
            wait_for(lambda: answer in [a["answer"] for a in s.asks() if "two" in a["subject"]], "%s: %s" % (who, answer))


def test_no_program_answers_DLR_07():
    """RFC 3834: who is away, a receipt, a report; also where the user's own program sent it, logged in."""
    with Site([mail("big one", size=BIG)], rules="?big\nSize: 1000000\n") as s:
        s.collect()
        subject = s.ask_letter()["Subject"]
        s.reply("anna", "Away: " + subject, "DELETE\n", Auto_Submitted="auto-replied (vacation)")
        s.reply("anna", "Away: " + subject, "DELETE\n", Precedence="bulk")
        s.reply("anna", "Away: " + subject, "DELETE\n", X_Autoreply="yes")
        s.reply("anna", "Undeliverable: " + subject, "DELETE\n", sender="<>")
        with s.server.smtp("submission") as smtp:
            smtp.starttls(context=unverified())
            smtp.login("anna", PASSWORD)
            smtp.sendmail("anna@example.test", ["Mailer_Daemon@example.test"], (
                "From: anna@example.test\r\nTo: Mailer_Daemon@example.test\r\nSubject: Read: %s\r\nMIME-Version: 1.0\r\n"
                "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n--b\r\n\r\n"
                "Deleted without being read\r\n--b--\r\n" % subject))
        wait_for(lambda: len(s.subjects("postmaster")) == 5, "the Main Administrator reads them")
        equal([a["answer"] for a in s.asks()], ["open"])
        s.reply("anna", "Re: " + subject, "yes\n", Auto_Submitted="no")
        wait_for(lambda: [a["answer"] for a in s.asks()] == ["fetch"], "she says so herself")


def test_answers_by_command_and_undo_DLR_07():
    with Site([mail("big one", size=BIG), mail("big two", size=BIG)], rules="?big\nSize: 1000000\n") as s:
        s.collect()
        asks = {a["subject"]: a for a in s.asks()}
        equal((len(asks), asks["big one"]["collector"], asks["big one"]["asked"], asks["big one"]["rule"], asks["big one"]["by"]),
              (2, "box", ["anna"], "big", None))
        s.server.cli("rule", "download", "ask", "remove", asks["big one"]["id"], "--yes")
        s.server.cli("undo")
        s.server.cli("rule", "download", "ask", "fetch", asks["big one"]["id"])
        s.server.cli("rule", "download", "ask", "remove", asks["big two"]["id"], "--yes")
        equal(s.server.cli("rule", "download", "ask", "fetch", "ZZZZ", ok=False).returncode, 1)
        equal(s.collect(), (1, 2, 0))
        true("big one" in s.subjects() and "big two" not in s.subjects(), s.subjects())
        found = [t for t in s.server.json("trace") if t["subject"] == "big one"]
        told = s.server.cli("trace", found[0]["id"]).stdout
        true("with the unique id 1." in told, told)


def test_without_TOP_or_UIDL_ask_is_download_Q_29():
    with Site([mail("big", size=BIG)], rules="?big\nSize: 1000000\n", pop={"uidl": False, "top": False}) as s:
        equal(s.collect(), (1, 1, 0))
        equal(s.subjects(), ["big"])
    with Site([mail("big", size=BIG)], rules="?big\nSize: 1000000\n", pop={"uidl": False}) as s:
        equal(s.collect(), (0, 0, 1))
        subject = s.ask_letter()["Subject"]
        equal(s.collect(), (0, 0, 1))
        equal(s.subjects(), [subject], "known by its header")
        s.reply("anna", subject, "yes\n")
        equal(s.collect()[:2], (1, 1))


def test_limit_INM_04_DLR_13_Q_82():
    with Site([mail("big", size=204800)], max_kb=100, download_rules="no") as s:
        equal(s.collect(), (0, 0, 1))
        equal((s.subjects(), s.pop.said("TOP"), s.server.json("rule", "download", "list")), ([], [], []))
    with Site([mail("big", size=204800), mail("big in", size=204800), mail("small")], max_kb=100,
              rules="<let it in\nSubject: big in\n") as s:
        equal(s.collect(), (2, 2, 1))
        equal(s.subjects()[1:], ["big in", "small"])
        true('"Over the limit"' in s.ask_letter().get_content(), "it asks")
        last = s.server.json("rule", "download", "list")[-1]
        equal((last["number"], last["action"], last["automatic"], last["conditions"][0]), (2, "?", True, "Size: 102400"))
        equal(s.server.cli("rule", "download", "off", "2", ok=False).returncode, 1, "read-only")


def test_file_edited_from_outside_scenario_9_DLR_02_DLR_12():
    with Site([mail("make $$$ fast"), mail("hello")]) as s:
        path = os.path.join(os.path.dirname(s.server.config), "rules", "download.rules")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write("# junk\n+@Silently delete spam\nTo: Members@aol.com\nSubject: $$$\nFrom: @xxx\n")
        equal(s.collect(), (1, 2, 0), "the next collection obeys it")
        equal(s.subjects(), ["hello"])
        true(len(s.log()) == 1 and "Silently delete spam" in s.log()[0], s.log())
        with open(path, "a") as f:
            f.write("\n>nobody-here<bad\n")
        wait_for(lambda: any("download rules" in m for m in s.subjects("postmaster")), "the administrator is told", 20)
        s.pop.boxes["box"].add(mail("more $$$"))
        equal(s.collect(), (0, 1, 0))
        equal(s.server.json("rule", "download", "list")[0]["hits"], 2, "the old rules act")


def test_only_one_persons_mail_DLR_12():
    rules = ("+<Download any email for louise\nTo: louise@example.test\nCc: louise@example.test\n"
             "Apparently-To: louise@example.test\nReceived: for <louise@example.test>\n\n~Ignore Everyone else's email\n")
    texts = [mail("to her", to="louise@example.test"), mail("to anna"),
             mail("cc her", more="Cc: Louise@example.test\r\n"),
             mail("received", more="Received: from a by b for <louise@example.test>; Sat, 3 Jan 1998 01:05:34 +0000\r\n")]
    with Site(texts, rules=rules) as s:
        s.server.add_user("louise")
        equal(s.collect(), (3, 3, 1))
        true(b"to anna" in s.pop.left("box")[0], "hers alone")


def test_mail_for_people_elsewhere_is_left_contract_8():
    with Site([mail("theirs", to="zoe@example.test"), mail("ours"), mail("both", to="zoe@example.test, anna@example.test")],
              rest=", unknown: { do: remote }") as s:
        equal(s.collect(), (2, 2, 1))
        equal(s.subjects(), ["both", "ours"])


def test_commands_of_rules_DLR_03_DLR_05_DLR_14():
    with Site([], rules="# mine\n?Ask about big messages\nsize: 1000000\n\n>fred<Redirect\nfrom: @customer.com\n") as s:
        c = s.server
        path = os.path.join(c.dir, "one.eml")
        with open(path, "wb") as f:
            f.write(mail("x", sender="boss@customer.com"))
        said = c.json("rule", "download", "test", "--message", path, "--collect", "box")[0]
        equal((said["rule"], said["action"], said["number"], said["names"]), ("Redirect", ">fred<", 2, ["anna"]))
        for language in ("smtp", "download"): # the form of contract 3, whole
            c.json("rule", language, "test", "--message", path, "--collect", "box", "--from", "a@far.test", "--to", "anna",
                   "--to", "bert", "--size", "9", "--stage", "1", "--at", "2026-01-02T03:04:05Z")
        said = c.json("rule", "download", "test", "--message", path, "--size", "1000001", "--collect", "box")[0]
        equal((said["rule"], said["action"], said["does"]), ("Ask about big messages", "?", "ask"))
        with open(path, "wb") as f:
            f.write(mail("x"))
        said = c.json("rule", "download", "test", "--message", path)[0]
        equal((said["rule"], said["action"]), (None, "<"))
        # For whom it is says the header as the collector reads it, not the parties.
        c.cli("mapping", "add", "sales@example.test", "bert", "--when", "pop3", "--collect", "box")
        c.cli("collect", "set", "box", "special_headers=X-For", "order=special,stop-if-any,standard")
        head = "X-For: sales@example.test\r\nFrom: a@far.test\r\nTo: anna@example.test\r\nSubject: x\r\n\r\nText\r\n"
        with open(path, "w", newline="") as f:
            f.write(head)
        said = c.json("rule", "download", "test", "--message", path, "--collect", "box")[0]
        equal(said["names"], ["bert"])
        true(any("X-For" in line and "sales@example.test" in line for line in said["who"]), said["who"])
        true(not any("  " in line or "access lines" in line for line in said["who"]), said["who"])
        human = c.cli("rule", "download", "test", "--message", path, "--collect", "box").stdout
        true("X-For" in human and "bert" in human, human)
        tried = c.json("rule", "download", "try", "--against", head.replace("\r\n", "\n"), "--rule", "<his\nRcpt: bert", "--collect", "box")[0]
        equal((tried["to"], tried["rule"]), (["bert"], "his"))
        true(any("X-For" in line for line in tried["who"]), tried["who"])
        c.cli("collect", "set", "box", "special_headers=", "order=")
        true(said["why"], said)
        c.cli("rule", "download", "move", "2", "1")
        c.cli("rule", "download", "off", "2")
        c.cli("rule", "download", "add", "@junk\nSubject: $$$")
        equal([(r["name"], r["enabled"]) for r in c.json("rule", "download", "list")],
              [("Redirect", True), ("Ask about big messages", False), ("junk", True)])
        true("# mine" in c.cli("rule", "download", "show").stdout, "comments stay")
        c.cli("undo")
        equal(len(c.json("rule", "download", "list")), 2)
        c.cli("rule", "download", "set", "1", ">bert<Redirect\nfrom: @customer.com")
        c.cli("rule", "download", "remove", "2", "--yes")
        equal([r["action"] for r in c.json("rule", "download", "list")], [">bert<"])
        for text, line in (("1<no stages here\n", 1), ("<ok\nnonsense\n", 2), (">nosuch?x\n", 1), ("<a\nTimeNow: 25:00-26:00\n", 2)):
            r = c.cli("rule", "download", "apply", "-", "--yes", stdin=text, ok=False)
            true(r.returncode == 1 and re.search(r"line %d\b|rules:%d:" % (line, line), r.stderr), (text, r.stderr))
        equal([r["action"] for r in c.json("rule", "download", "list")], [">bert<"], "the old set stays")
        equal(len(c.json("rule", "download", "check")), 0)


if __name__ == "__main__":
    sys.exit(tap([(n[5:].replace("_", " "), f) for n, f in list(globals().items())
                  if n.startswith("test_") and f.__module__ == "__main__"]))
