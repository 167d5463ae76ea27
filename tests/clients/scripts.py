#!/usr/bin/env python3
"""scripts.py - scripts in Lua with real clients: RTE-12, RTE-13, RTE-18, Q-13, H73, H74, content rules: TAP."""
import email
import email.policy
import os
import re
import select
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import PASSWORD, Server, equal, figure, tap, true, wait_for  # noqa: E402

TEXT = "From: bo@example.net\r\nTo: anna@example.test\r\nSubject: %s\r\nMessage-ID: <%s@example.net>\r\n\r\nhello\r\n"
BOMBS = ["while true do end", "local s = ('a'):rep(100) s:find('.-.-.-.-.-b')",
         "while true do pcall(function() while true do end end) end",
         "('a'):rep(1e9)", "local t = {} while true do t[#t + 1] = ('x'):rep(100000) end"]
BOMB_S = 30  # they would run for ever; H74's own time is test_scripts.c's


def script(server, user, text, ok=True):
    return server.cli("user", "script", user, "-", stdin=text, ok=ok)


def deliver(server, subject="plain", to=("anna@example.test",)):
    server.send("bo@example.net", list(to), TEXT % (subject, abs(hash(subject))))


def mails(server, user):
    return [email.message_from_bytes(t, policy=email.policy.default) for t in server.fetch(user)]


def subjects(server, user):
    return sorted(m["Subject"] for m in mails(server, user))


def people(server, *names):
    server.add_user("postmaster", "--admin")
    for name in names:
        server.add_user(name)


def test_a_script_redirects_by_subject_without_restart_RTE_12():
    with Server() as server:
        people(server, "anna", "bert", "carl")
        deliver(server, "before")
        script(server, "anna", "if msg.header('Subject'):find('report') then redirect('bert', 'carl@example.test') end\n")
        deliver(server, "the report")
        deliver(server, "lunch")
        equal(subjects(server, "anna"), ["before", "lunch"])
        equal(subjects(server, "bert"), ["the report"])
        equal(subjects(server, "carl"), ["the report"])
        true("redirect('bert'" in server.cli("user", "script", "anna").stdout, "it is shown")
        equal([(r["user"], r["by"] != "") for r in server.json("script", "list")], [("anna", True)])
        server.cli("user", "script", "anna", "/dev/null")
        equal(server.json("script", "list"), [], "nothing in it removes it")
        true("user anna given another script" in server.cli("undo").stdout, "and undo brings it back")
        server.cli("undo")
        deliver(server, "a report again")
        true("a report again" in subjects(server, "anna"), "undo removes the first script")


def test_every_action_Q_13():
    with Server() as server:
        people(server, "anna", "bert")
        script(server, "anna", "copy('bert') log('copied it')")
        deliver(server, "copy")
        script(server, "anna", "redirect('bert') keep()")
        deliver(server, "redirect and keep")
        script(server, "anna", "discard()")
        deliver(server, "discard")
        script(server, "anna", "discard() keep()")
        deliver(server, "discard and keep")
        script(server, "anna", "if msg.source ~= 'smtp' or msg.size < 10 or msg.from ~= 'bo@example.net' or "
                               "msg.rcpt ~= 'anna@example.test' or #msg.headers('received') > 0 then discard() end")
        deliver(server, "what it sees")
        equal(subjects(server, "anna"), ["copy", "discard and keep", "redirect and keep", "what it sees"])
        equal(subjects(server, "bert"), ["copy", "redirect and keep"])
        trace = [r for r in server.json("trace", "--to", "anna@example.test", "--steps")]
        steps = "\n".join(step for r in trace for step in r["steps"])
        true("the script anna says: copy bert" in steps, steps)
        true("the script anna notes: copied it" in steps, steps)
        log = server.cli("log", "show", "--service", "server").stdout
        true("copied it" in log, "the log has it")


def test_a_script_that_does_not_compile_changes_nothing_RTE_12():
    with Server() as server:
        people(server, "anna", "bert")
        script(server, "anna", "redirect('bert')")
        bad = script(server, "anna", "keep()\nif then end\n", ok=False)
        equal(bad.returncode, 1)
        true("script:2:" in bad.stderr, bad.stderr)
        equal(server.cli("user", "script", "anna").stdout.strip(), "redirect('bert')")
        equal(script(server, "anna", "x" * 70000, ok=False).returncode, 1)
        equal(script(server, "nobody", "keep()", ok=False).returncode, 1)
        deliver(server, "still")
        equal(subjects(server, "bert"), ["still"])
        script(server, "anna", "")
        equal(server.cli("user", "script", "anna").stdout.strip(), "")
        deliver(server, "gone")
        equal(subjects(server, "anna"), ["gone"])


def letters(server):
    return [m for m in mails(server, "postmaster") if "script" in m["Subject"].lower()]


def test_failures_deliver_normally_and_tell_once_RTE_13():
    """while true do end: delivered, and one error mail, not one a message."""
    with Server() as server:
        people(server, "anna", "bert")
        script(server, "anna", "while true do end")
        script(server, "bert", "redirect('anna') error('oh no')")
        for i in range(3):
            deliver(server, "mail %d" % i, ["anna@example.test", "bert@example.test"])
        equal(subjects(server, "anna"), ["mail 0", "mail 1", "mail 2"])
        equal(subjects(server, "bert"), ["mail 0", "mail 1", "mail 2"])
        wait_for(lambda: len(letters(server)) >= 2, "two letters")
        deliver(server, "mail 3", ["bert@example.test"])
        found = {m["Subject"]: m.get_content() for m in letters(server)}
        equal(sorted(found), ["The script of anna failed", "The script of bert failed"])
        true("oh no" in found["The script of bert failed"], found)
        equal(len(letters(server)), 2)
        steps = "\n".join(s for r in server.json("trace", "--to", "bert@example.test", "--steps") for s in r["steps"])
        true("the script bert failed, so nothing of it counts: script:1: oh no" in steps, steps)


def test_bombs_end_in_time_and_the_mail_is_there_H74():
    with Server() as server:
        people(server, "anna")
        longest = 0
        for i, bomb in enumerate(BOMBS):
            script(server, "anna", bomb)
            began = time.time()
            deliver(server, "bomb %d" % i)
            took = time.time() - began
            longest = max(longest, took)
            true(took < BOMB_S, "bomb %d took %.2f s" % (i, took))
            equal(len(server.fetch("anna")), i + 1)
        figure("scripts that never end: the longest message took %.2f s (H74: 1.5)" % longest)


def test_escapes_fail_and_the_mail_is_there_H73():
    escapes = ["os.execute('touch x')", "io.open('/etc/passwd')", "require('os')", "load('x')()", "dofile('x')",
               "string.dump(keep)", "debug.sethook()", "package.path = 1", "coroutine.wrap(keep)()",
               "getmetatable('').__index = {}", "('x'):rep(1e9)", "string.format('%999d', 1)",
               "set_header('X-A', 'a\\r\\nBcc: eve@example.net')"]
    with Server() as server:
        people(server, "anna", "eve")
        for i, escape in enumerate(escapes):
            script(server, "anna", "redirect('eve') " + escape)
            deliver(server, "escape %d" % i)
        equal(len(server.fetch("anna")), len(escapes))
        equal(len(server.fetch("eve")), 0)


def test_who_is_forwarded_to_has_his_script_too():
    with Server() as server:
        people(server, "anna", "bert", "carl")
        server.cli("user", "set", "anna", "forward_to=bert", "forward=yes")
        script(server, "bert", "redirect('carl')")
        script(server, "carl", "log('carl saw it') keep()")
        deliver(server, "along")
        equal([len(server.fetch(u)) for u in ("anna", "bert", "carl")], [0, 0, 1])
        true("carl saw it" in server.cli("log", "show", "--service", "server").stdout, "the third one ran")


def test_set_header_marks_his_copies_and_no_others_Q_13():
    with Server() as server:
        people(server, "anna", "bert", "carl")
        script(server, "anna", "set_header('Subject', '[größer] ' .. msg.header('Subject')) set_header('X-Mark', 'a') "
                               "setheader('X-Mark', 'b') copy('carl')")
        deliver(server, "hello", ["anna@example.test", "bert@example.test"])
        one = mails(server, "anna")[0]
        equal((one["Subject"], one.get_all("X-Mark")), ("[größer] hello", ["b"]))
        equal(one.get_content().strip(), "hello")
        true(server.fetch("anna")[0].startswith(b"Return-Path: <bo@example.net>\r\nReceived: "), "the trace stays on top")
        equal(mails(server, "carl")[0]["Subject"], "[größer] hello")
        two = mails(server, "bert")[0]
        equal((two["Subject"], two["X-Mark"]), ("hello", None))


def test_explain_runs_them_too():
    with Server() as server:
        people(server, "anna", "bert")
        script(server, "anna", "if msg.header('subject') == 'x' then redirect('bert') log('to bert') end")
        path = os.path.join(server.dir, "m.eml")
        with open(path, "w") as f:
            f.write(TEXT % ("x", "m1"))
        said = server.json("explain", "--from", "bo@example.net", "--to", "anna@example.test", "--message", path)[0]
        equal([(c["kind"], c["target"]) for c in said["copies"]], [("mailbox", "bert")])
        true(any("the script anna notes: to bert" in s for s in said["steps"]), said["steps"])
        said = server.json("explain", "--from", "bo@example.net", "--to", "anna@example.test")[0]
        equal([c["target"] for c in said["copies"]], ["anna"])
        script(server, "anna", "error('explained')")
        said = server.json("explain", "--from", "bo@example.net", "--to", "anna@example.test")[0]
        equal([c["target"] for c in said["copies"]], ["anna"])
        true(any("explained" in s for s in said["steps"]), said["steps"])
        equal(len(letters(server)), 0)


def test_the_built_in_help_names_every_function_RTE_12():
    with Server() as server:
        rows = server.json("script", "functions")
        names = " ".join(r["name"] for r in rows)
        for word in ("redirect(", "copy(", "keep(", "discard(", "set_header(", "log(", "msg.header(", "msg.size"):
            true(word in names, word)
        true(all(r["help"] for r in rows), rows)


def test_many_messages_at_once_are_bounded_H39():
    """Slow scripts of one user hold up neither others nor the server; what has no turn goes the normal way."""
    with Server() as server:
        people(server, "anna", "bert")
        script(server, "anna", "while true do end")
        for turn in range(1, 6):
            connections = []
            for i in range(12):
                c = server.smtp()
                c.ehlo()
                c.docmd("MAIL FROM:<bo@example.net>")
                c.docmd("RCPT TO:<anna@example.test>")
                c.docmd("DATA")
                connections.append(c)
            for i, c in enumerate(connections):
                c.send((TEXT % ("slow %d" % i, i) + ".\r\n").encode())
            deliver(server, "quick", ["bert@example.test"])
            answered = len(select.select([c.sock for c in connections], [], [], 0)[0])
            for c in connections:
                equal(c.getreply()[0], 250)
                c.close()
            equal(len(server.fetch("anna")), 12 * turn)
            if answered < 12:
                return  # mail for others went on while some of his waited
        raise AssertionError("mail for others waited for his, each time")


WITH_FILE = """From: bo@example.net\r
To: anna@example.test\r
Subject: plans\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
Content-Type: text/html; charset=utf-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
<p>the Gr=C3=BC<b>nkohl</b> secret</p>\r
--b\r
Content-Type: application/x-msdownload; name="run.exe"\r
Content-Disposition: attachment; filename="run.exe"\r
Content-Transfer-Encoding: base64\r
\r
TVqQAAMAAAAE\r
--b--\r
"""


def content(server, text, ok=True):
    return server.cli("rule", "content", "apply", "-", stdin=text, ok=ok)


def refused(server, message=TEXT % ("x", "m"), to=("anna@example.test",)):
    """The reply to the message."""
    with server.smtp() as c:
        c.ehlo()
        c.mail("bo@example.net")
        for address in to:
            c.rcpt(address)
        return c.data(message.encode())


def test_content_rules_act_on_body_and_attachments_RTE_18():
    with Server() as server:
        people(server, "anna", "bert", "carl", "dora")
        content(server, """
            for _, a in ipairs(msg.attachments) do
                if a.name:lower():find("%.exe$") and a.type == "application/x-msdownload" and a.size == 9 then
                    return reject("no programs, please")
                end
            end
            local s = msg.header("Subject")
            if msg.body:find("Grünkohl", 1, true) then log("secret") redirect("bert") end
            if s == "copy" then copy("bert@example.test") end
            if s == "drop" then discard() end
            if s == "later" then defer("not today") end
            if s == "mark" then set_header("Subject", "[seen] mark") end
            if s == "kept" then discard() keep() end
            if s == "nobody" then redirect("nobody-here") end
        """)
        equal(refused(server, WITH_FILE), (550, b"5.7.1 no programs, please"))
        equal(refused(server, TEXT % ("later", "m9")), (451, b"4.7.1 not today"))
        server.send("bo@example.net", ["anna@example.test", "carl@example.test"],
                    (TEXT % ("recipe", "m2")).replace("hello", "Grünkohl").replace(
                        "Message-ID", "Content-Type: text/plain; charset=utf-8\r\nMessage-ID").encode())
        for subject in ("copy", "drop", "mark", "kept", "nobody", "plain"):
            deliver(server, subject)
        equal(subjects(server, "anna"), ["[seen] mark", "copy", "kept", "nobody", "plain"])
        equal(subjects(server, "bert"), ["copy", "recipe"])
        equal(subjects(server, "carl"), [])
        steps = "\n".join(s for r in server.json("trace", "--from", "bo@example.net", "--steps") for s in r["steps"])
        true("the script rules.content names nobody-here, which nobody knows: left out" in steps, steps)
        true("the script rules.content notes: secret" in steps, steps)
        path = os.path.join(server.dir, "m.eml")
        with open(path, "w") as f:
            f.write(WITH_FILE)
        said = server.json("explain", "--from", "bo@example.net", "--to", "anna@example.test", "--message", path)[0]
        equal((said["reply"]["code"], said["reply"]["text"]), (550, "no programs, please"))
        said = server.json("rule", "content", "test", "--message", path)[0]
        equal((said["ok"], said["actions"]), (True, ["reject no programs, please"]))
        missing = server.cli("rule", "content", "test", "--from", "bo@example.net", ok=False)
        equal(missing.returncode, 2, missing)
        true("MESSAGE is missing" in missing.stderr, missing.stderr)
        true("test --message FILE [" in server.cli("help", "rule", "content", "test").stdout, "and the help says so")


def test_whom_content_rules_name_has_his_mailbox_and_script():
    with Server() as server:
        people(server, "anna", "bert", "carl")
        content(server, "redirect('bert')")
        script(server, "bert", "copy('carl')")
        deliver(server, "through")
        equal([len(server.fetch(u)) for u in ("anna", "bert", "carl")], [0, 1, 1])


def test_a_bad_content_script_changes_nothing():
    with Server() as server:
        people(server, "anna", "bert")
        path = os.path.join(server.dir, "rules", "content.lua")
        content(server, "set_header('X-Rules', '1')")
        bad = content(server, "x = = 1", ok=False)
        equal(bad.returncode, 1)
        true("script:1:" in bad.stderr, bad.stderr)
        equal(server.cli("rule", "content", "show").stdout.strip(), "set_header('X-Rules', '1')")
        equal(server.cli("rule", "content", "check", ok=False).returncode, 0)
        with open(path, "w") as f:
            f.write("if then\n")
        os.utime(path, (time.time() - 60, time.time() - 60))
        wait_for(lambda: "script:1:" in server.cli("log", "show", "--level", "error").stdout, "the file is refused", 15)
        equal(server.cli("rule", "content", "check", ok=False).returncode, 1)
        deliver(server, "old rules")
        equal(mails(server, "anna")[0]["X-Rules"], "1")
        with open(path, "w") as f:
            f.write("set_header('X-Rules', '2')\n")
        os.utime(path, (time.time() - 50, time.time() - 50))
        wait_for(lambda: "'2'" in server.cli("rule", "content", "show").stdout, "the file is taken over", 15)
        content(server, "")
        equal(server.cli("rule", "content", "show").stdout.strip(), "")
        deliver(server, "none")
        equal([m["X-Rules"] for m in mails(server, "anna")], ["1", None])
        server.cli("undo")
        true("'2'" in server.cli("rule", "content", "show").stdout, "undo")


def test_content_rules_that_fail_let_mail_pass_RTE_13():
    with Server() as server:
        people(server, "anna")
        content(server, "while true do end")
        deliver(server, "one")
        deliver(server, "two")
        equal(subjects(server, "anna"), ["one", "two"])
        wait_for(lambda: [m for m in mails(server, "postmaster") if m["Subject"] == "The content rules failed"], "a letter")
        equal(len([m for m in mails(server, "postmaster") if "rules" in m["Subject"]]), 1)


TESTS = [value for name, value in list(globals().items()) if re.match(r"test_", name)]

if __name__ == "__main__":
    sys.exit(tap(TESTS))
