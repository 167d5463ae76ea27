#!/usr/bin/env python3
"""archive.py - what is archived, found, shown and taken out again (ARC). TAP."""
import email.message
import hashlib
import mailbox
import os
import sys
import time
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]
from archive_site import CLOCK, ON, found, people, security, subjects, submit, text, verified  # noqa: E402
from control_server import Link  # noqa: E402
from postroom import Server, equal, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402


def test_one_entry_for_each_direction_ARC_01():
    """One internal, one in, one out, several recipients: an entry each; users see nothing of it; what is refused is not kept."""
    with SmtpSink() as sink, Server(extra=ON + "outgoing: { routes: [ { name: isp, kind: relay, servers: "
                                    "['127.0.0.1:%d'] } ] }\n" % sink.port) as server:
        people(server)
        server.send("bo@far.test", ["anna@example.test", "bert@example.test"], text("in"))
        submit(server, "anna", ["bert@example.test", "carl@example.test"], text("internal", sender="anna@example.test"))
        submit(server, "anna", ["x@far.test", "y@far.test"], text("out", sender="anna@example.test"))
        try:
            server.send("bo@far.test", ["nobody@example.test"], text("refused"))
            true(False, "it is refused")
        except Exception as e:
            true("550" in str(e), e)
        rows = found(server)
        equal([(r["subject"], r["direction"], r["from"], r["to"]) for r in rows],
              [("out", "outgoing", "anna@example.test", ["x@far.test", "y@far.test"]),
               ("internal", "internal", "anna@example.test", ["bert@example.test", "carl@example.test"]),
               ("in", "incoming", "bo@far.test", ["anna@example.test", "bert@example.test"])])
        equal([r["user"] for r in rows], ["anna", "anna", ""])
        (folders,) = [[f["folder"] for f in server.json("folder", "list", "anna")]]
        true(not [f for f in folders if "rchiv" in f.lower() and "INBOX" not in f and f != "Archive"], folders)
        steps = server.json("explain", "--from", "bo@far.test", "--to", "anna@example.test")[0]
        true("archive" in [c["kind"] for c in steps["copies"]], steps["copies"])
        wait_for(lambda: not server.json("queue", "list"), "it is sent", 15)
        equal(subjects(server), ["out", "internal", "in"], "what left the queue is still there")
        trace = server.json("trace", "--to", "x@far.test", "--steps")
        true(any("it is in the archive as 3" in step for row in trace for step in row["steps"] or []), trace)
        verified(server)
        server.stop()
        equal(server.check()[0], 0, server.check()[1])


def test_directions_are_settings_ARC_04():
    """Tick boxes by direction; on and off by command, with undo."""
    with Server() as server:
        people(server)
        server.send("bo@far.test", ["anna@example.test"], text("off"))
        server.cli("archive", "set", "on=yes", "incoming=no")
        server.send("bo@far.test", ["anna@example.test"], text("in"))
        submit(server, "anna", ["bert@example.test"], text("internal", sender="anna@example.test"))
        equal(subjects(server), ["internal"])
        equal(server.json("config", "get", "archive.incoming")[0]["value"], False)
        server.cli("undo", "--yes")
        equal(server.json("config", "get", "archive.on")[0]["value"], False)
        equal(server.cli("archive", "set", "no_such=1", "--yes", ok=False).returncode, 1)
        bad = server.cli("archive", "set", "rules=[\"soon from=a@b.test\"]", "--yes", ok=False)
        true(bad.returncode == 1 and "days" in bad.stderr, bad.stderr)


def multipart(subject, name, body="see the file"):
    m = email.message.EmailMessage()
    m["From"], m["To"], m["Subject"] = "dora@partner.test", "anna@example.test", subject
    m.set_content(body)
    m.add_attachment(b"\0\1\2" * 50, maintype="application", subtype="pdf", filename=name)
    return m.as_bytes().replace(b"\n", b"\r\n")


def test_search_ARC_02():
    """By sender, recipient (Bcc too), subject, words, attachment, dates, size, direction; with the index, before it knows them, and without."""
    with Server(extra=ON) as server:
        people(server)
        server.send("bo@far.test", ["anna@example.test"], text("=?utf-8?q?Gr=C3=B6=C3=9Fe?= of the order", "a needle in hay"))
        submit(server, "anna", ["bert@example.test", "carl@example.test"],
               text("to bert alone, you think", sender="Anna Berg <anna@example.test>", to="bert@example.test"))
        server.send("dora@partner.test", ["anna@example.test"], multipart("papers", "R\u00e9sum\u00e9 2026.pdf"))
        server.send("", ["anna@example.test"], text("report", "x" * 20000, sender="mailer-daemon@far.test"))
        for state in ("fresh", "indexed", "off"):
            if state == "indexed":
                wait_for(lambda: server.json("search", "status")[0]["behind"] == 0, "it is indexed", 20)
            if state == "off":
                server.stop()
                server.extra = ON + "search: { index: no }\n"
                server.write_config()
                server.start()
            look = lambda *q: subjects(server, *q)  # noqa: E731
            size = "Gr\u00f6\u00dfe of the order"
            bert = "to bert alone, you think"
            equal(look(), ["report", "papers", bert, size], state)
            equal(look("--from", "BO@far.test"), [size], state)
            equal(look("--from", "far.test"), ["report", size], state + ": From: of a report")
            equal(look("--from", "bo@far"), [size], state)
            equal(look("--from", "o@far.test"), [], state + ": whole words")
            equal(look("--from", "*@far.te?t"), [size], state + ": a pattern, of the envelope")
            equal(look("--from", "*RTNER*"), ["papers"], state + ": a part of one")
            equal(look("--from", "*"), ["report", "papers", bert, size], state + ": the null sender too")
            equal(look("--from", "*nobody*"), [], state)
            equal(look("--to", "c?rl@*", "--from", "anna@*"), [bert], state + ": two patterns")
            equal(look("--to", "*rt@*", "--text", "needle"), [], state + ": a pattern and a word")
            equal(look("--from", "berg"), [bert], state + ": the name in From")
            equal(look("--to", "carl@example.test"), [bert], state + ": Bcc")
            equal(look("--to", "carl", "--from", "bo@far.test"), [], state)
            equal(look("--subject", "GR\u00d6\u00dfE of"), [size], state)
            equal(look("--subject", "hay"), [], state + ": not of the body")
            equal(look("--text", "needle"), [size], state)
            equal(look("--text", "hay needle"), [size], state + ": both, in any order")
            equal(look("--text", '"needle in"'), [size], state)
            equal(look("--text", '"in needle"'), [], state)
            equal(look("--attachment", "r\u00c9sum\u00e9"), ["papers"], state)
            equal(look("--attachment", "papers"), [], state + ": the subject is no file")
            equal(look("--min-size", "10000"), ["report"], state)
            equal(look("--max-size", "10000", "--direction", "internal"), [bert], state)
            equal(look("--since", "1h"), look(), state)
            equal(look("--until", "1h"), [], state)
            equal(look("--held"), [], state)
        one = found(server, "--limit", "2")
        equal([r["subject"] for r in one], ["report", "papers"])
        equal(subjects(server, "--limit", "2", "--after", one[-1]["id"]), [bert, size])
        equal([r["id"] for r in found(server, "--sort", "size", "--limit", "1")],
              [min(found(server), key=lambda r: r["size"])["id"]])


def test_out_again_ARC_02():
    """View, byte by byte; copy to a box; export as mbox and zip, read by other programs."""
    body = "From the start\r\n>From here\r\n..dots\r\n\r\n" + "line\r\n" * 3000 + "From the end"
    with Server(extra=ON) as server:
        people(server)
        server.send("bo@far.test", ["anna@example.test"], text("one", body))
        server.send("", ["anna@example.test"], text("two", "short"))
        raw = server.cli("archive", "show", "1", "--raw").stdout
        true(raw.replace("\r\n", "\n").endswith(text("one", body).replace("\r\n", "\n")), raw[-300:])
        shown = server.json("archive", "show", "1")[0]
        equal((shown["subject"], shown["sender"], shown["recipients"], shown["direction"], shown["hold"]),
              ("one", "bo@far.test", ["anna@example.test"], "incoming", False))
        path = os.path.join(server.dir, "one.eml")
        server.cli("archive", "show", "1", "--out", path)
        with open(path, "rb") as f:
            data = f.read()
        server.cli("archive", "copy", "1", "bert")
        imap = server.imap("bert")
        imap.select("INBOX")
        equal(hashlib.sha256(imap.fetch("1", "(BODY[])")[1][0][1]).hexdigest(), hashlib.sha256(data).hexdigest(),
              "byte by byte")
        imap.logout()
        server.cli("archive", "copy", "2", "bert", "--folder", "From the archive")
        equal(len(server.json("message", "list", "bert", "--folder", "From the archive")), 1)
        box = os.path.join(server.dir, "out.mbox")
        skipped = server.cli("archive", "export", "1", "2", "77", "--format", "mbox", "--out", box, "--json", ok=False).stdout
        true('"77"' in skipped and "not found" in skipped, skipped)
        messages = list(mailbox.mbox(box))
        equal([m["Subject"] for m in messages], ["one", "two"])
        with open(box, "rb") as f:
            lines = f.read().split(b"\n")
        equal([line for line in lines if line.startswith(b"From ")][0][:17], b"From bo@far.test ")
        equal(sum(line.startswith(b">From the") for line in lines), 2)
        equal(sum(line.startswith(b">>From here") for line in lines), 1)
        server.cli("message", "import", "carl", box)
        imap = server.imap("carl")
        imap.select("INBOX")
        equal(len(imap.search(None, "ALL")[1][0].split()), 2)
        true(imap.fetch("1", "(BODY[])")[1][0][1] == data + (b"" if data.endswith(b"\r\n") else b"\r\n"), "mboxrd is exact (RFC 4155)")
        imap.logout()
        path = os.path.join(server.dir, "out.zip")
        server.cli("archive", "export", "2", "1", "--format", "zip", "--out", path)
        with zipfile.ZipFile(path) as z:
            equal(z.testzip(), None)
            equal(z.namelist(), ["2.eml", "1.eml"])
            equal(z.read("1.eml"), data)
        equal(server.cli("archive", "show", "9", ok=False).returncode, 1)
        # by what `archive search` finds, in place of ids
        for n in range(5):
            server.send("dora%d@partner.test" % (n % 2), ["anna@example.test"], text("more %d" % n))
        server.cli("archive", "export", "--from", "*1@partner.*", "--since", "2000-01-01", "--format", "zip", "--out", path)
        with zipfile.ZipFile(path) as z:
            equal(z.namelist(), ["6.eml", "4.eml"], "the newest first")
            true(b"Subject: more 1" in z.read("4.eml"), "that one")
        server.cli("archive", "export", "--text", "hello", "--format", "mbox", "--out", box)
        equal([m["Subject"] for m in mailbox.mbox(box)], ["more %d" % n for n in (4, 3, 2, 1, 0)])
        server.cli("archive", "export", "--from", "*nobody*", "--format", "zip", "--out", path)
        with zipfile.ZipFile(path) as z:
            equal(z.namelist(), [])
        true("options of archive search" in server.cli("archive", "export", "--format", "zip", "--out", path, ok=False).stderr,
             "nothing is asked")
        true(any("archived messages exported" in line and "*1@partner.*" in line for line in security(server)), "audited")
        true(any("archived messages were exported" in line and "*1@partner.*" in line and "count=2" in line
                 for line in security(server)), "and how many")
        # copied by the same
        preview = Link(server.socket).call("preview", method="archive.copy", params={"id": "all", "user": "carl", "from": "*1@partner.*"})
        true("2 messages" in str(preview["result"]), preview)
        server.cli("archive", "copy", "all", "carl", "--from", "*1@partner.*", "--folder", "Case 7")
        equal(sorted(r["subject"] for r in server.json("message", "list", "carl", "--folder", "Case 7")), ["more 1", "more 3"])
        true(any("archived messages were copied" in line and "*1@partner.*" in line and "count=2" in line
                 for line in security(server)), "audited")
        for words in (["copy", "all", "carl"], ["copy", "3", "carl", "--from", "*1@partner.*"],
                      ["export", "3", "--from", "*1@partner.*", "--format", "mbox", "--out", box],
                      ["hold", "3", "--from", "*1@partner.*"], ["release", "3", "--held", "--yes"]):
            r = server.cli("archive", *words, ok=False)
            true(r.returncode == 1 and ("not both" in r.stderr or "options of archive search" in r.stderr), (words, r))
        equal(found(server, "--held"), [], "nothing of that was done")
        equal(server.cli("archive", "copy", "77", "carl", ok=False).returncode, 1)
        equal(server.cli("archive", "copy", "1", "nobody-here", ok=False).returncode, 1)
        true(any("messages were imported" in line and "user=carl" in line and "count=2" in line
                 for line in security(server)), "an import, too")
        r = server.cli("archive", "search", "--attachment", "*.pdf", ok=False)
        true(r.returncode == 1 and "by its words" in r.stderr, r)
        # hold and release by the same, previewed
        preview = Link(server.socket).call("preview", method="archive.hold", params={"from": "*0@partner.test"}, all=True)["result"]
        equal(preview["count"], 3)
        equal(found(server, "--held"), [], "a preview changes nothing")
        server.cli("archive", "hold", "--from", "*0@partner.test", "--all", "--why", "case 7", "--yes")
        equal(sorted(subjects(server, "--held")), ["more 0", "more 2", "more 4"])
        server.cli("archive", "release", "--held", "--subject", "more 2", "--all", "--yes")
        equal(sorted(subjects(server, "--held")), ["more 0", "more 4"])


def test_nothing_users_do_touches_it_ARC_03():
    """Delete and purge everywhere, the users too: the archive is as it was. Scenario 33."""
    with Server(extra=ON + CLOCK) as server:
        people(server)
        server.send("bo@far.test", ["anna@example.test"], text("claim"))
        submit(server, "anna", ["bert@example.test"], text("answer", "the dispute", sender="anna@example.test"))
        before = verified(server)
        for user in ("anna", "bert"):
            imap = server.imap(user)
            imap.select("INBOX")
            imap.store("1:*", "+FLAGS", "\\Deleted")
            imap.expunge()
            imap.logout()
            uids = [r["id"] for r in server.json("message", "bin", user)]
            if uids:
                server.cli("message", "purge", user, *uids, "--yes")
        server.cli("user", "remove", "anna", "--yes")
        server.cli("clock", "advance", "40d")
        wait_for(lambda: not [u for u in server.json("user", "list") if u["name"] == "anna"], "she is gone", 10)
        time.sleep(0.3)
        equal(subjects(server, "--text", "dispute"), ["answer"])
        equal(verified(server), before)
        server.cli("archive", "copy", "2", "carl")
        equal([r["subject"] for r in server.json("message", "list", "carl")], ["answer"])
        true(any("archived message copied" in line for line in security(server)), "the log shows it")
        server.stop()
        equal(server.check()[0], 0, server.check()[1])


def test_large_messages_and_no_recipients_left_ARC_04():
    """A message of several MB, written in pieces; verified; found by its size."""
    with Server(extra=ON) as server:
        people(server)
        server.send("bo@far.test", ["anna@example.test"], text("large", ("x" * 70 + "\r\n") * 60000))
        (row,) = found(server, "--min-size", "4MB")
        equal(row["subject"], "large")
        verified(server)


def kept(server, sender, *to, at="2026-11-20T12:00:00Z"):
    """The answer of `rule archive test`."""
    words = [word for address in to for word in (("--to", address) if "@" in address else (address,))]
    return server.json("rule", "archive", "test", "--from", sender, *words, "--at", at)[0]


def test_retention_rules_as_a_text_Q_35():
    """rule archive: listed, shown, checked, applied; all of it the one setting, with its history and undo."""
    with Server(extra=ON) as server:
        rules = ["3650 from=*@bank.test", "0 to=board@example.test", "7 from=x@bank.test"]
        told = server.cli("rule", "archive", "apply", "-", "--dry-run", stdin="\n".join(rules)).stdout
        true("would put the retention rules of this text in force" in told and "3 retention rules" in told, told)
        equal(server.json("rule", "archive", "list"), [])
        told = server.cli("rule", "archive", "apply", "-", stdin="# why\r\n3650 from=*@bank.test\r\n\n0\tto=board@example.test\n"
                          "7 from=x@bank.test").stdout
        true(told.startswith("3 retention rules in force; postroom undo "), told)
        equal(server.json("rule", "archive", "list"),
              [{"number": 1, "days": 3650, "from": "*@bank.test", "to": None}, {"number": 2, "days": 0, "from": None,
               "to": "board@example.test"}, {"number": 3, "days": 7, "from": "x@bank.test", "to": None}])
        equal(server.cli("rule", "archive", "show").stdout.splitlines(), rules)
        equal(server.cli("rule", "archive", "show", "2").stdout.splitlines(), rules[1:2])
        equal(server.json("config", "get", "archive.rules")[0]["value"], rules, "the setting has them")
        for number in ("0", "4"):
            bad = server.cli("rule", "archive", "show", number, ok=False)
            true(bad.returncode == 1 and "there is no rule %s: 3 are in force" % number in bad.stderr, bad.stderr)
        # what is wrong is named with its line, and changes nothing
        bad = server.cli("rule", "archive", "apply", "-", stdin="7 from=a@b.test\n\n7d to=x@b.test\n8\n", ok=False)
        true(bad.returncode == 1 and "line 3: a line begins with the days" in bad.stderr and
             "line 4: a line names from=PATTERN" in bad.stderr, bad.stderr)
        equal(server.cli("rule", "archive", "show").stdout.splitlines(), rules)
        faults = server.cli("rule", "archive", "check", "-", "--json", stdin="7 from=a@b.test\n\n7d to=x@b.test\n", ok=False)
        true(faults.returncode == 1 and '"line":3' in faults.stdout, faults.stdout)
        own = server.cli("rule", "archive", "check", "--json")
        true('"line":3' in own.stdout and "rule 1 fits all that it fits" in own.stdout and '"warning":true' in own.stdout, own.stdout)
        # none, and back
        equal(server.cli("rule", "archive", "apply", "-", stdin="").stdout.split(";")[0], "0 retention rules in force")
        equal(server.json("rule", "archive", "list"), [])
        told = server.cli("undo", "--yes").stdout
        true("undone: rule retention rules put in force" in told, told)
        equal(server.cli("rule", "archive", "show").stdout.splitlines(), rules)
        true("rule archive apply" in [row["what"] for row in server.json("config", "history")], "the history of the file")


def test_how_long_one_would_be_kept_Q_35():
    """rule archive test: the first rule that fits, else the longest of its directions' settings, until when, and why."""
    with Server(extra="archive: { on: yes, keep_days: 9, keep_internal: 30, outgoing: no }\n") as server:
        server.cli("rule", "archive", "apply", "-", stdin="3650 from=*@bank.test\n0 to=board@example.test\n")
        rows = ((("boss@bank.test", "anna@example.test"), 1, None, 3650, "2036-11-17T12:00:00Z", "incoming", True),
                (("Boss@BANK.test", "board@example.test"), 1, None, 3650, "2036-11-17T12:00:00Z", "incoming", True),
                (("bo@far.test", "anna@example.test", "board@example.test"), 2, None, 0, None, "incoming", True),
                (("bo@far.test", "anna@example.test"), 0, "archive.keep_days", 9, "2026-11-29T12:00:00Z", "incoming", True),
                (("<>", "anna@example.test"), 0, "archive.keep_days", 9, "2026-11-29T12:00:00Z", "incoming", True),
                (("anna@example.test", "bert@example.test"), 0, "archive.keep_internal", 30, "2026-12-20T12:00:00Z", "internal", True),
                (("anna@example.test", "bert@example.test", "x@far.test"), 0, "archive.keep_internal", 30, "2026-12-20T12:00:00Z",
                 "outgoing, internal", True),
                (("anna@example.test", "x@far.test"), 0, "archive.keep_days", 9, "2026-11-29T12:00:00Z", "outgoing", False),
                (("bo@far.test", "x@far.test"), 0, "archive.keep_days", 9, "2026-11-29T12:00:00Z", "", False),
                (("bo@far.test", "x@far.test", "--direction", "internal"), 0, "archive.keep_internal", 30, "2026-12-20T12:00:00Z",
                 "internal", True))
        for asked, *want in rows:
            answer = kept(server, *asked)
            equal([answer[name] for name in ("number", "setting", "days", "until", "direction", "archived")], want, (asked, answer))
            equal(answer["rule"], ["3650 from=*@bank.test", "0 to=board@example.test", None][want[0] - 1], answer)
        why = kept(server, "anna@example.test", "x@far.test")["why"]
        equal(why, ["archive.outgoing is no: such mail is not archived", "rule 1, 3650 from=*@bank.test: does not fit",
                    "rule 2, 0 to=board@example.test: does not fit", "no rule fits: archive.keep_days is 9"])
        server.cli("archive", "set", "keep_internal=", "on=no", "max_size=1GB")
        answer = kept(server, "anna@example.test", "board@example.test")
        true(answer["why"][0] == "archive.on is no: nothing is archived" and "rule 2, 0 to=board@example.test: fits" in answer["why"] and
             "archive.max_size" in answer["why"][-1] and not answer["archived"], answer)
        for asked, words in ((("no address", "a@b.test"), "(from)"), (("a@b.test", "b@@c"), "(to)")):
            bad = server.cli("rule", "archive", "test", "--from", asked[0], "--to", asked[1], ok=False)
            true(bad.returncode == 1 and "is no address" in bad.stderr and words in bad.stderr, bad.stderr)


if __name__ == "__main__":
    sys.exit(tap([f for name, f in globals().items() if name.startswith("test_")]))
