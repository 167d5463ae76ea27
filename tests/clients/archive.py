#!/usr/bin/env python3
"""archive.py - the archive: what goes in, who finds it, how it comes out, what breaks its chain: ARC-01 to ARC-05, Q-35: TAP.

What comes out is read by other programs: Python's mailbox and zipfile.
"""
import email.message
import hashlib
import mailbox
import os
import sys
import threading
import time
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]
from control_server import Link  # noqa: E402
from postroom import PASSWORD, Server, equal, free_ports, tap, true, wait_for  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

ON = "archive: { on: yes }\n"
CLOCK = "testing: { clock: yes }\n"


def text(subject, body="hello", sender="bo@far.test", to="anna@example.test"):
    return "From: %s\r\nTo: %s\r\nSubject: %s\r\n\r\n%s\r\n" % (sender, to, subject, body)


def people(server, *names):
    for name in names or ("anna", "bert", "carl"):
        server.add_user(name)


def submit(server, user, to, message):
    with server.smtp("submissions") as c:
        c.login(user, PASSWORD)
        c.sendmail("%s@example.test" % user, to, message)


def found(server, *query):
    return server.json("archive", "search", *query)


def subjects(server, *query):
    return [row["subject"] for row in found(server, *query)]


def security(server):
    return [row["text"] for row in server.json("log", "show", "--service", "security")]


def verified(server, *options):
    """The end of the chain, as (id, chain)."""
    (row,) = server.json("archive", "verify", *options)
    true(row["warning"], row)
    return row["id"], row["chain"]


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


def test_each_use_is_audited_ARC_05():
    """View, copy, export, hold, search, verify: a line with the name each; who has not the right is refused."""
    with Server(extra=ON) as server:
        people(server)
        server.add_user("root2", "--admin")
        server.send("bo@far.test", ["anna@example.test"], text("one"))
        out = os.path.join(server.dir, "x.zip")
        for command in (["show", "1"], ["copy", "1", "bert"], ["export", "1", "--format", "zip", "--out", out],
                        ["hold", "1"], ["release", "1"], ["search"], ["verify"]):
            server.cli("archive", *command)
        log = security(server)
        for words in ("archived message read", "archived message copied", "archived message exported",
                      "archived message held", "archived message released", "archive searched", "archive was verified"):
            lines = [line for line in log if words in line]
            true(lines and all("who=" in line for line in lines), (words, log))
        who = "root" if os.getuid() == 0 else "uid %d" % os.getuid()
        true(any("archived message read" in line and who in line and "1" in line for line in log), log)


def test_large_messages_and_no_recipients_left_ARC_04():
    """A message of several MB, written in pieces; verified; found by its size."""
    with Server(extra=ON) as server:
        people(server)
        server.send("bo@far.test", ["anna@example.test"], text("large", ("x" * 70 + "\r\n") * 60000))
        (row,) = found(server, "--min-size", "4MB")
        equal(row["subject"], "large")
        verified(server)


def test_retention_Q_35():
    """keep_days, by direction, by rules, by size; what is held stays; the chain holds, also over what went."""
    with Server(extra=ON + CLOCK) as server:
        people(server)
        server.send("bo@far.test", ["anna@example.test"], text("in"))
        server.send("boss@bank.test", ["anna@example.test"], text("bank"))
        submit(server, "anna", ["bert@example.test"], text("internal", sender="anna@example.test"))
        server.send("bo@far.test", ["anna@example.test"], text("held"))
        note = verified(server)
        server.cli("archive", "hold", "4", "--why", "case 12")
        equal(subjects(server, "--held"), ["held"])
        server.cli("archive", "set", "keep_days=30", "keep_internal=60", 'rules=["0 from=*@bank.test"]', "--yes")
        server.cli("clock", "advance", "20d")
        time.sleep(0.3)
        equal(len(found(server)), 4, "too young")
        server.cli("clock", "advance", "11d")
        wait_for(lambda: len(found(server)) == 3, "the first goes", 10)
        equal(subjects(server), ["held", "internal", "bank"])
        server.cli("clock", "advance", "30d")
        wait_for(lambda: len(found(server)) == 2, "the internal one goes", 10)
        equal(subjects(server), ["held", "bank"])
        gone = server.cli("archive", "show", "1", ok=False)
        true("retention took it" in gone.stderr, gone.stderr)
        verified(server, "--against", "%s:%s" % note)
        other = server.cli("archive", "verify", "--against", "%s:%s" % (note[0], "0" * len(note[1])), "--json", ok=False)
        true(other.returncode == 1 and "written anew" in other.stdout and "holds" not in other.stdout, other.stdout)
        bad = server.cli("archive", "verify", "--against", "", ok=False)
        true(bad.returncode == 1 and "ID:CHAIN" in bad.stderr, "nothing proves nothing: " + bad.stderr)
        server.cli("archive", "release", "4")
        server.cli("clock", "advance", "1d")
        wait_for(lambda: subjects(server) == ["bank"], "what was held goes", 10)
        for n in range(5):
            server.send("bo@far.test", ["anna@example.test"], text("more %d" % n, "y" * 30000))
        server.cli("archive", "set", "max_size=100KB")
        server.cli("clock", "advance", "1m")
        wait_for(lambda: len(found(server)) == 3, "the oldest go", 10)
        equal(subjects(server), ["more 4", "more 3", "more 2"])
        verified(server)
        server.stop()
        equal(server.check()[0], 0, server.check()[1])


def test_kill_9_around_archiving_ARC_01():
    """Killed at any moment: each message that was accepted is in the mailbox and in the archive, none in one of them alone."""
    with Server(extra=ON) as server:
        people(server)
        told = []
        for turn in range(6):
            stop = threading.Event()

            def deliver(number):
                n = 0
                while not stop.is_set():
                    subject = "m-%d-%d-%d" % (turn, number, n)
                    try:
                        server.send("bo@far.test", ["anna@example.test"], text(subject, "z" * 3000))
                    except Exception:
                        return
                    told.append(subject)
                    n += 1

            threads = [threading.Thread(target=deliver, args=(i,)) for i in range(4)]
            for t in threads:
                t.start()
            before = len(told)
            time.sleep(0.15 + 0.05 * turn)
            wait_for(lambda: len(told) > before + 2, "some are accepted")
            server.kill()
            stop.set()
            for t in threads:
                t.join()
            server.start()
        archived = subjects(server, "--limit", "10000")
        delivered = [r["subject"] for r in server.json("message", "list", "anna", "--limit", "10000")]
        true(len(told) > 10, len(told))
        equal(sorted(archived), sorted(delivered), "the same in both")
        true(set(told) <= set(archived), sorted(set(told) - set(archived))[:5])
        verified(server)
        server.stop()
        equal(server.check()[0], 0, server.check()[1])


def refused(server, *command, **options):
    r = server.cli(*command, ok=False, **options)
    return r.returncode == 4 and "message security is on" in r.stderr


GUARDED = (["message", "show", "anna", "1"], ["message", "list", "anna"], ["message", "copy", "anna", "1", "--to-user", "bert"],
           ["queue", "message", "000001"], ["mapping", "list"], ["mapping", "add", "x@example.test", "anna"],
           ["mapping", "test", "x@example.test"], ["rule", "monitor", "list"], ["rule", "monitor", "set", "incoming=all"],
           ["archive", "search"], ["archive", "show", "1"], ["archive", "copy", "1", "bert"], ["archive", "verify"],
           ["archive", "hold", "1"], ["archive", "set", "on=no"], ["config", "set", "archive.on", "no"],
           ["config", "change", "archive.on=no", "log.keep=9"], ["user", "set", "anna", "assistants=bert"],
           ["group", "set", "staff", "monitor=on"], ["message", "remove", "anna", "1", "--yes"],
           ["message", "bin", "anna"], ["user", "export", "--out", "/dev/null"], ["user", "script", "anna"],
           ["user", "set", "anna", "size_over_to=bert@example.test"], ["rule", "smtp", "try", "--last", "1"],
           ["rule", "prune", "preview"], ["journal", "set", "internal=bert"], ["config", "get", "monitor"], ["config", "diff"],
           ["explain", "--from", "bo@far.test", "--to", "anna@example.test"], ["apppass", "add", "anna", "phone"],
           ["user", "legacy", "anna", "apop", "on"], ["route", "lan", "apply", "-"], ["config", "set", "rules.smtp", "other.rules"],
           ["collect", "add", "mine", "kind=pop3", "server=127.0.0.1", "username=box", "password={sealed: collector.isp}", "route=all",
            "target=bert"], ["collect", "set", "isp", "accepted="], ["config", "set", "collecting.collectors.isp.target", "bert"],
           ["config", "set", "collecting.collectors", "[]"], ["config", "unset", "collecting.collectors.isp.accepted"],
           ["config", "change", "collecting.collectors.isp.route=all", "collecting.collectors.isp.target=bert"],
           ["config", "set", "collecting.unknown.to", "bert"], ["rule", "download", "test", "--message", "/dev/null"],
           ["collect", "test", "isp", "--message", "/dev/null"])


def test_message_security_SEC_09_MON_10_ARC_05():
    """Scenario 41: switched on, what shows or copies mail is refused; open with the password; closed with the session."""
    with Server(extra=ON) as server:
        people(server)
        server.cli("group", "add", "staff")
        server.send("bo@far.test", ["anna@example.test"], text("one"))
        server.cli("mapping", "add", "alias@example.test", "anna")
        mapped = server.json("undo", "list")[0]["id"]
        server.cli("user", "set", "anna", "assistants=bert")
        helped = server.json("undo", "list")[0]["id"]
        server.cli("collect", "add", "isp", "kind=pop3", "server=127.0.0.1", "username=box", "--password-stdin", stdin="x\n")
        equal(server.json("security", "status")[0]["on"], False)
        true(server.cli("security", "open", "--password-stdin", stdin="x\n", ok=False).returncode == 1, "it is off")
        server.cli("security", "on", "--password-stdin", stdin="open sesame\n")
        true(server.cli("security", "on", "--password-stdin", stdin="other\n", ok=False).returncode == 1, "on already")
        for command in GUARDED:
            true(refused(server, *command), command)
        true(server.cli("user", "set", "anna", "comment=free").returncode == 0, "what shows no mail is free")
        equal([row["subject"] for row in server.json("trace", "--to", "anna@example.test", "--columns", "id,subject")],
              [None], "a subject is what somebody wrote")
        equal(server.json("trace", "--filter", "subject=one"), [], "nor is it found by it")
        equal(server.json("queue", "list"), [])
        true("assistants" not in server.json("user", "show", "anna")[0], "assistants")
        shown = {row["key"]: row["value"] for row in server.json("config", "show")}
        equal((shown["monitor"], shown["archive.on"]), (None, "yes"), "who is monitored stands in the file")
        equal([row["flags"] for row in server.json("user", "list") if row["name"] == "anna"], [""], "s, m and f are told by none")
        equal([r["name"] for r in server.json("user", "list", "--filter", "flags=s")], ["*OUTQUEUE"], "nor found by it")
        true("monitor" not in server.json("group", "show", "staff")[0], "monitoring")
        for change in (mapped, helped):
            equal(server.cli("undo", change, "--yes", ok=False).returncode, 4, "taking back is editing")
        for command in (["rule", "smtp", "apply", "-"], ["rule", "content", "apply", "-"], ["config", "undo"],
                        ["folder", "rights", "anna", "INBOX", "bert", "lrs"],
                        ["user", "set", "anna", "store_forward_address=x@far.test"]):
            true(refused(server, *command), ("this would send copies, or show a mailbox", command))
        preview = Link(server.socket)
        for method, params in (("preview", {"method": "archive.hold", "params": {"ids": ["1"]}}),
                               ("list.open", {"method": "archive.search"}), ("get", {"method": "archive.show", "params": {"id": "1"}})):
            reply = preview.call(method, **params)
            equal(reply["error"]["data"]["field"], "message_security", method)
        # one command with the password
        rows = server.cli("archive", "search", "--open", "--json", stdin="open sesame\n").stdout
        true('"one"' in rows, rows)
        true(refused(server, "archive", "search"), "the next session is closed")
        # a session
        a, b = Link(server.socket), Link(server.socket)
        true("error" in a.call("security.open", password="wrong"), "a wrong one")
        wait_for(lambda: "result" in a.call("security.open", password="open sesame"), "its turn comes", 10)
        equal(len(a.call("archive.search")["result"]["rows"]), 1)
        equal(a.call("security.status")["result"]["open"], True)
        token = a.call("preview", method="archive.hold", params={"ids": ["1"]})["result"]["token"]
        equal(b.call("archive.search")["error"]["data"]["code"], "no_permission", "another session")
        cursor = a.call("list.open", method="archive.search")["result"]["cursor"]
        a.call("security.close")
        equal(a.call("list.page", cursor=cursor)["error"]["data"]["field"], "message_security", "a list that was open")
        equal(a.call("archive.search")["error"]["data"]["field"], "message_security")
        equal(a.call("apply", token=token)["error"]["data"]["field"], "message_security", "also what was previewed")
        # over a restart; no undo switches it off
        server.stop()
        server.start()
        true(refused(server, "archive", "search"), "over a restart")
        server.cli("undo", "--yes", ok=False)
        true(refused(server, "archive", "search"), "nor by undo")
        equal(server.cli("security", "off", "--password-stdin", stdin="guess\n", ok=False).returncode, 4)
        wait_for(lambda: server.cli("security", "off", "--password-stdin", stdin="open sesame\n", ok=False).returncode == 0,
                 "its turn comes", 10)
        equal(len(found(server)), 1)
        log = security(server)
        for words in ("switched on", "opened for a session", "closed for a session", "switched off"):
            true(any("message security " + words in line and "who=" in line for line in log), (words, log))
        everything = "".join(open(os.path.join(server.dir, "log", name), errors="replace").read()
                             for name in os.listdir(os.path.join(server.dir, "log")))
        true("sesame" not in everything, "the password is in no log (H66)")


def test_guesses_are_slowed_SEC_09_H57():
    """Ten wrong passwords take their time, whatever session they come from."""
    with Server(extra=ON) as server:
        server.cli("security", "on", "--password-stdin", stdin="open sesame\n")
        busy = 0
        for _ in range(10):
            error = Link(server.socket).call("security.open", password="guess")["error"]["data"]
            busy += error["code"] == "busy" and error["retry_after"] > 0
        true(busy >= 5, busy)


if __name__ == "__main__":
    sys.exit(tap([f for name, f in globals().items() if name.startswith("test_")]))
