#!/usr/bin/env python3
"""rules.py - SMTP rules with real clients: the three examples, the file watched, commands, tests of drafts: TAP.

Scenario 10 of the catalogue's section (c) stands at the top.
"""
import datetime
import os
import shutil
import signal
import smtplib
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from tests.harness.postroom import BUILD, PASSWORD, Server, equal, figure, tap, true, unverified, wait_for  # noqa: E402

EXTRA = "testing: { clock: yes }\n"


def fill(server, rules=""):
    server.add_user("postmaster", "--admin")
    for user in ("anna", "bill", "carl"):
        server.add_user(user)
    if rules:
        server.cli("rule", "smtp", "apply", "-", stdin=rules)


def path(server):
    return os.path.join(server.dir, "rules", "smtp.rules")


def write_rules(server, text):
    with open(path(server), "w") as f:
        f.write(text)


def talk(server, sender, recipients, text="Subject: hi\r\n\r\nbody\r\n", options=""):
    """The codes of MAIL, each RCPT and the end."""
    codes = []
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as c:
        c.ehlo("client.test")
        codes.append(c.docmd("MAIL FROM:<%s>%s" % (sender, options))[0])
        if codes[0] != 250:
            return codes
        codes += [c.docmd("RCPT TO:<%s>" % r)[0] for r in recipients]
        if 250 in codes[1:]:
            c.docmd("DATA")
            c.send(text + ".\r\n")
            codes.append(c.getreply()[0])
    return codes


def swaks(server, sender, recipient, subject="hi", *options):
    """What swaks was told: the last code of an error, or 250."""
    run = subprocess.run(["swaks", "--server", "127.0.0.1", "--port", str(server.ports["smtp"]), "--from", sender, "--to",
                          recipient, "--header", "Subject: " + subject, *options], capture_output=True, text=True, timeout=60)
    bad = [line[4:7] for line in run.stdout.splitlines() if line.startswith("<** ")]
    return int(bad[0]) if bad else 250, run.stdout


def today():
    """As DayNow counts: 1 is Sunday. The servers of tests keep UTC."""
    return str(datetime.datetime.now(datetime.timezone.utc).isoweekday() % 7 + 1)


def test_scenario_10_the_three_examples_SMR_01_SMR_03_SMR_08_SMR_12_Q_33():
    with Server(env={"TZ": "UTC0"}) as server:
        fill(server, "1*Reject non-local mail\n!MailFrom: *@local.com\n")
        code, said = swaks(server, "bo@far.test", "anna@example.test")
        equal(code, 550, said)
        true("MAIL FROM" in said and "RCPT TO" not in said, "it is told at MAIL: " + said)
        true("Reject non-local" not in said, "the reply names no rule")
        wait_for(lambda: 'an SMTP rule holds rule=1 name="Reject non-local mail"' in server.errors(), "but the log does", 10)
        equal(swaks(server, "bo@local.com", "anna@example.test")[0], 250)
        server.cli("rule", "smtp", "apply", "-", stdin="2>bill<sales of today\nRcptTo:sales@example.test\nDayNow:%s\n" % today())
        equal(swaks(server, "bo@far.test", "sales@example.test")[0], 250)
        wait_for(lambda: len(server.fetch("bill")) == 1, "bill has it", 10)
        server.cli("rule", "smtp", "apply", "-", stdin="3+*Reject Spam\nFrom:*inbox@inboxexpress.com*\nSubject:*$$$*\nSubject:*sex*\n")
        code, said = swaks(server, "bo@far.test", "anna@example.test", "get $$$ now")
        equal(code, 550, said)
        server.cli("rule", "smtp", "apply", "-", stdin="*not now\nMailFrom: *@far.test\nTimeNow: 0:00-24:00\n")
        equal(swaks(server, "bo@far.test", "anna@example.test")[0], 450)
        true(any(r["hits"] == 1 for r in server.json("rule", "smtp", "list")), "counted")


def test_a_local_sender_hits_the_same_rule_and_outgoing_mail_is_copied_SMR_01_SMR_13():
    with Server() as server:
        fill(server, ">+bill<copy of what anna sends\nMailFrom: anna@example.test\n\n*no\nSubject: forbidden\n")
        with smtplib.SMTP("127.0.0.1", server.ports["submission"]) as c:
            c.starttls(context=unverified())
            c.login("anna", PASSWORD)
            c.sendmail("anna@example.test", ["carl@example.test"], "From: anna@example.test\r\nSubject: one\r\n\r\nx\r\n")
            told = server.cli("explain", "--from", "anna@example.test", "--to", "bo@far.test", "--auth", "anna").stdout
            true("bill" in told and "bo@far.test" in told, told)
        equal((len(server.fetch("bill")), len(server.fetch("carl"))), (1, 1))
        equal(talk(server, "bo@far.test", ["carl@example.test"], "Subject: forbidden\r\n\r\nx\r\n")[-1], 550)


def test_the_envelope_decides_and_sizes_SMR_05_SMR_06_SMR_10():
    with Server() as server:
        fill(server, "2>bill<one\nRcptTo: sales@example.test\n\n*big\nSize: 2000\n")
        equal(talk(server, "a@far.test", ["anna@example.test"], "To: sales@example.test\r\n\r\nx\r\n"), [250, 250, 250])
        equal(len(server.fetch("bill")), 0, "the header's To is not the envelope")
        equal(talk(server, "a@far.test", ["sales@example.test", "anna@example.test"]), [250, 250, 250, 250])
        equal((len(server.fetch("bill")), len(server.fetch("anna"))), (1, 2))
        equal(talk(server, "a@far.test", ["anna@example.test"], "\r\n" + "x" * 70 + "\r\n" * 1 + ("y" * 70 + "\r\n") * 40), [250, 250, 550],
              "without SIZE the reject comes after the text")
        equal(talk(server, "a@far.test", ["anna@example.test"], options=" SIZE=2001"), [550])


def test_a_bad_text_leaves_the_old_rules_and_is_told_SMR_11_SMR_14():
    with Server() as server:
        fill(server, "*no\nMailFrom: *@far.test\n")
        equal(talk(server, "a@far.test", ["anna@example.test"]), [550])
        bad = server.cli("rule", "smtp", "apply", "-", stdin="*no\nMailFrom: *@far.test\n\n1*x\nSubject: y\n", ok=False)
        equal(bad.returncode, 1)
        true("line 5: Subject is known at stage 3 only, and the rule of line 4 is for stage 1" in bad.stderr, bad.stderr)
        bad = server.cli("rule", "smtp", "apply", "-", stdin=">nosuch<x\n", ok=False)
        true(bad.returncode == 1 and ":1:1: nobody here is called nosuch" in bad.stderr, bad.stderr)
        write_rules(server, "*no\nMailFrom: *@far.test\nnonsense\n")
        wait_for(lambda: server.fetch("postmaster"), "the Main Administrator is told", 20)
        letter = server.fetch("postmaster")[0].decode()
        true("smtp.rules:3:1: is no rule and no condition" in letter, letter)
        true("smtp.rules:3:1: is no rule" in server.json("status")[0]["rules_fault"], "status says it")
        equal(server.cli("status", "--check", ok=False).returncode, 1)
        checked = server.cli("rule", "smtp", "check", ok=False)
        true(checked.returncode == 1 and "is no rule and no condition" in checked.stdout, checked.stdout)
        equal(talk(server, "a@far.test", ["anna@example.test"]), [550], "the old rules still act")
        server.stop()
        server.start()  # and over a start: the text that was last in force is kept
        equal(talk(server, "a@far.test", ["anna@example.test"]), [550], "after a start too")
        write_rules(server, "*no\nMailFrom: *@near.test\n")
        wait_for(lambda: talk(server, "a@near.test", ["anna@example.test"]) == [550], "an outside edit is taken (contract 7)", 20)
        equal(talk(server, "a@far.test", ["anna@example.test"]), [250, 250, 250])


def test_what_is_in_force_is_kept_by_a_worker_in_order_SMR_14():
    with Server() as server:
        fill(server)
        in_force = path(server) + ".history/in-force"
        for n in range(12):  # one behind the other: the last one stays
            server.cli("rule", "smtp", "apply", "-", stdin="*no\nMailFrom: *@far%d.test\n" % n)

        def kept_text():
            with open(in_force) as f:
                return f.read()
        wait_for(lambda: os.path.exists(in_force) and "far11" in kept_text(), "it is kept", 20)
        server.kill()
        write_rules(server, "nonsense\n")
        server.start()
        equal(talk(server, "a@far11.test", ["anna@example.test"]), [550], "the last ones act after a crash")
        write_rules(server, "*no\nMailFrom: *@near.test\n")
        wait_for(lambda: talk(server, "a@near.test", ["anna@example.test"]) == [550], "mended", 20)
        server.stop()
        true("near" in kept_text(), "a stop leaves nothing unkept")


def test_rules_are_switched_moved_and_undone_SMR_02_SMR_15():
    text = "# why\n*first\nSubject: a\n\n# other\n<second\nSubject: a\n"
    with Server() as server:
        fill(server, text)
        mail = ("a@far.test", ["anna@example.test"], "Subject: a\r\n\r\nx\r\n")
        equal(talk(server, *mail)[-1], 550)
        server.cli("rule", "smtp", "move", "1", "2")
        equal(talk(server, *mail)[-1], 250)
        equal(server.cli("rule", "smtp", "show").stdout.strip(), "# other\n<second\nSubject: a\n# why\n*first\nSubject: a")
        rows = server.json("rule", "smtp", "list")
        equal([(r["number"], r["name"], r["hits"], r["hits_24h"], r["enabled"]) for r in rows],
              [(1, "second", 1, 1, True), (2, "first", 1, 1, True)], "the hits go with the rule")
        true(rows[0]["last_hit"] and rows[0]["conditions"] == ["Subject: a"] and rows[0]["stage"] == 3, rows)
        server.cli("rule", "smtp", "off", "1")
        equal([r["enabled"] for r in server.json("rule", "smtp", "list")], [False, True])
        equal(talk(server, *mail)[-1], 550)
        with open(path(server)) as f:
            true("#off <second\n#off Subject: a\n# why\n" in f.read(), "comments stay")
        server.cli("rule", "smtp", "on", "1")
        server.cli("undo")
        equal([r["enabled"] for r in server.json("rule", "smtp", "list")], [False, True])
        for words in (("off", "3"), ("move", "1", "9"), ("show", "7")):
            equal(server.cli("rule", "smtp", *words, ok=False).returncode, 1, words)


def test_a_large_text_comes_into_force_beside_other_changes_in_order_H36_H75_SMR_11():
    """A worker reads it: the loop's longest turn is a figure, what is in force after each answer is the test."""
    line = "~drop %06d\nSubject: *number %06d and words that make a line of some length*\n\n"
    with Server() as server:
        fill(server)
        many = os.path.join(server.dir, "many.rules")
        with open(many, "w") as f:
            f.writelines(line % (n, n) for n in range(40000))
        server.cli("rule", "smtp", "apply", many)
        equal(len(talk(server, "a@far.test", ["anna@example.test"], "Subject: a number 039999 and words that make a line of some length\r\n\r\nx\r\n")),
              3, "accepted and dropped")
        equal(server.json("message", "list", "anna"), [], "in force when the caller heard of it")
        # a signal, and a signal while that is read; then a change of the rules and one of the file behind them
        for _ in range(3):
            os.kill(server.process.pid, signal.SIGHUP)
        runs = [subprocess.Popen([os.path.join(BUILD, "postroom"), "-s", server.socket, *words], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True)
                for words in (["rule", "smtp", "off", "1"], ["config", "set", "limits.recipients", "177"])]
        said = [(run.communicate()[1], run.returncode) for run in runs]
        for text, status in said:
            true(status == 0 or "being changed just now" in text, said)
        server.cli("config", "set", "limits.recipients", "178")
        equal(server.json("config", "get", "limits.recipients")[0]["value"], 178)
        server.cli("rule", "smtp", "remove", "2", "--yes")
        equal(server.json("rule", "smtp", "list", "--limit", "2", "--columns", "number,conditions")[1]["conditions"],
              ["Subject: *number 000002 and words that make a line of some length*"], "the third is the second")
        # one that is refused in the end leaves nothing behind
        bad = server.cli("rule", "smtp", "add", "3>nobody-here@example.test<x\nSubject: x", ok=False)
        true(bad.returncode == 1 and "the file is as it was" in bad.stderr, bad.stderr)
        with open(path(server)) as f:
            true("nobody-here" not in f.read(), "the file")
        server.cli("undo", "--yes")
        equal(server.json("rule", "smtp", "list", "--limit", "2", "--columns", "number,conditions")[1]["conditions"],
              ["Subject: *number 000001 and words that make a line of some length*"])
        server.kill()
        server.start()
        equal(server.json("config", "get", "limits.recipients")[0]["value"], 178)
        with open(many, "w") as f:
            f.writelines(line % (n, n) for n in range(90000))
        server.cli("rule", "smtp", "apply", many)
        server.cli("rule", "smtp", "off", "7")
        loops = server.json("status")[0]["loops"]
        figure("7 MB of rules, applied and switched: longest turn %.1f ms (0: none over 10), %d slow" %
               (loops["longest_turn_us"] / 1000, loops["slow_turns"]))


def test_a_byte_order_mark_is_no_rule_SMR_11_LAN_09():
    with Server() as server:
        fill(server)
        write = "\ufeff~drop\nSubject: bad\n"
        server.cli("rule", "smtp", "apply", "-", stdin=write)
        server.cli("rule", "smtp", "add", "~two\nSubject: worse", "--place", "1")
        equal([r["name"] for r in server.json("rule", "smtp", "list")], ["two", "drop"])
        server.cli("route", "lan", "apply", "-", stdin="\ufeffa@example.test 127.0.0.1:25\n")


def test_hits_are_kept_over_a_start_SMR_15():
    with Server(extra=EXTRA) as server:
        fill(server, "*first\nSubject: a\n")
        talk(server, "a@far.test", ["anna@example.test"], "Subject: a\r\n\r\nx\r\n")
        server.cli("clock", "advance", "2m")  # housekeeping comes
        wait_for(lambda: kept(server) == 1, "written", 20)
        server.cli("clock", "advance", "25h")
        rows = server.json("rule", "smtp", "list")
        equal((rows[0]["hits"], rows[0]["hits_24h"]), (1, 0), "the day is over")


def kept(server):
    server.stop()
    server.start()
    return server.json("rule", "smtp", "list")[0]["hits"]


def ask(server, *options, message="Subject: a\r\nFrom: A <a@far.test>\r\nTo: anna@example.test\r\n\r\nx\r\n"):
    name = os.path.join(server.dir, "message.eml")
    with open(name, "w", newline="") as f:
        f.write(message)
    return server.json("rule", "smtp", "test", "--message", name, *options)[0]


def test_a_message_is_tested_and_nothing_happens_SMR_04_SMR_05_SMR_09():
    rules = "1*mail\nMailFrom: *@bad.test\n\n>bill<sales\nRcptTo: sales@example.test\n\n~night\nTimeNow: 22:00-6:00\n\n" \
        ">+carl<big\nSize: 1000\n\n*junk\nSubject: a\n"
    with Server(env={"TZ": "UTC0"}) as server:
        fill(server, rules)
        noon = ("--at", "2026-11-23T12:00:00Z")
        rows = [((), "junk", "*", 3), (("--from", "x@bad.test"), "mail", "*", 1),
                (("--to", "anna@example.test", "--to", "SALES@example.test"), "sales", ">bill<", 2),
                (("--size", "1001"), "big", ">+carl<", 1), (("--stage", "1"), None, "<", 0),
                (("--stage", "3", "--from", "x@bad.test"), "junk", "*", 3)]
        for options, rule, action, stage in rows:
            answer = ask(server, *options, *noon)
            equal((answer["rule"], answer["action"], answer["stage"]), (rule, action, stage), (options, answer))
        equal(ask(server, "--at", "2026-11-23T23:30:00Z")["rule"], "night")
        why = ask(server, *noon)["why"]
        equal(why, ["line 14, Subject: a: true"])
        answer = ask(server, *noon, message="Subject: b\r\n\r\n" + "x" * 2000)
        equal((answer["rule"], answer["stage"]), ("big", 3), "a size that nobody declared is known at the end (Q-30)")
        true(ask(server, *noon, message="Subject: b\r\n\r\n")["why"][0].startswith("none of 5 rules holds"), "and none")
        told = server.cli("explain", "--from", "a@far.test", "--to", "anna@example.test", "--at", "2026-11-23T23:30:00Z").stdout
        true("SMTP rule 3 \"night\" holds: ~" in told, told)
        told = server.cli("explain", "--from", "a@far.test", "--to", "anna@example.test", *noon).stdout
        true("night" not in told, told)
        equal(sum(r["hits"] for r in server.json("rule", "smtp", "list")), 0, "a test is no hit")


def test_what_is_no_address_ends_no_server():
    odd = "Subject: one\r\nFrom: <a@-b->\r\nTo: <>, <@>, <a b@c>, <\xe9@x..y>, anna@example.test\r\n\r\nx\r\n"
    with Server() as server:
        fill(server, "2*no\nRcptTo: anna@*\n")
        for option, value in (("--from", "@"), ("--from", "a@-b-"), ("--to", ""), ("--to", "<>"), ("--to", "a b@c")):
            told = server.cli("rule", "smtp", "test", option, value, ok=False)
            equal((told.returncode, told.stderr.count("\n")), (1, 1), (option, value, told))
            true("no address" in told.stderr, told.stderr)
        answer = ask(server, message=odd)
        equal((answer["rule"], answer["recipient"]), ("no", "anna@example.test"), answer)
        pasted = server.json("rule", "smtp", "try", "--against", odd.replace("\r\n", "\n"))
        equal([r["rule"] for r in pasted], ["no"])


def test_a_draft_is_tried_against_what_came():
    with Server() as server:
        fill(server, "<all\nSubject: one\n")
        for subject in ("one", "two"):
            talk(server, "a@far.test", ["anna@example.test", "bill@example.test"], "Subject: %s\r\n\r\nx\r\n" % subject)
        rows = server.json("rule", "smtp", "try", "--draft", "*new\nSubject: two\nRcptTo: bill@*\n", "--number", "1")
        equal([(r["subject"], r["action"], r["before_action"], r["changed"], r["conditions"]) for r in rows],
              [("two", "*", "<", True, ["y", "y"]), ("one", "<", "<", False, ["n", "y"])])
        equal((rows[0]["from"], rows[0]["to"]), ("a@far.test", ["anna@example.test", "bill@example.test"]), "the envelope")
        one = server.json("rule", "smtp", "try", "--against", rows[1]["id"])
        equal([r["rule"] for r in one], ["all"])
        pasted = server.json("rule", "smtp", "try", "--against", "Subject: one\nFrom: x@y.test\n\nhello\n")
        equal([(r["id"], r["rule"], r["from"]) for r in pasted], [("pasted", "all", "x@y.test")])
        bad = server.cli("rule", "smtp", "try", "--draft", "nonsense\n", ok=False)
        true(bad.returncode == 1 and "line 1" in bad.stderr, bad.stderr)


def test_the_editor_is_opened_and_its_text_applied():
    with Server() as server:
        fill(server, "*no\nSubject: a\n")
        editor = os.path.join(server.dir, "editor.sh")
        with open(editor, "w") as f:
            f.write("#!/bin/sh\nsed -i 's/Subject: a/Subject: b/' \"$1\"\n")
        os.chmod(editor, 0o755)
        run = edit(server, editor)
        equal(run.returncode, 0, run.stderr)
        equal(server.cli("rule", "smtp", "show").stdout.strip(), "*no\nSubject: b")
        with open(editor, "w") as f:
            f.write("#!/bin/sh\necho nonsense >\"$1\"\n")
        run = edit(server, editor)
        equal(run.returncode, 1)
        true("line 1: stands before the first rule" in run.stderr, run.stderr)
        equal(server.cli("rule", "smtp", "show").stdout.strip(), "*no\nSubject: b")


def test_without_an_editor_nobody_waits():
    """An editor at no terminal would never end: it is not begun; one that is named reads nothing."""
    with Server() as server:
        fill(server, "*no\nSubject: a\n")
        for language in ("smtp", "download", "archive"):
            run = edit(server, "", language)
            equal(run.returncode, 2, run.stderr)
            for words in ("rule %s edit: there is no terminal" % language, "EDITOR", "rule %s apply FILE|-" % language):
                true(words in run.stderr, run.stderr)
        reader = os.path.join(server.dir, "reader.sh")
        with open(reader, "w") as f:
            f.write("#!/bin/sh\nread line && exit 0\nexit 1\n")
        os.chmod(reader, 0o755)
        run = edit(server, reader)
        true(run.returncode == 1 and "did not end well" in run.stderr, run.stderr)
        equal(server.cli("rule", "smtp", "show").stdout.strip(), "*no\nSubject: a")


def test_retention_rules_are_edited_Q_35():
    """rule archive edit: what the editor leaves is applied; what is refused is kept in its file."""
    with Server() as server:
        server.cli("rule", "archive", "apply", "-", stdin="7 from=x@bank.test\n")
        program = os.path.join(server.dir, "edit.sh")
        for word, left, status in (("9", "9 from=x@bank.test", 0), ("soon", "9 from=x@bank.test", 1)):
            with open(program, "w") as f:
                f.write("#!/bin/sh\nsed -i 's/^[0-9]*/%s/' \"$1\"\n" % word)
            os.chmod(program, 0o755)
            run = edit(server, program, "archive")
            equal(run.returncode, status, run.stderr)
            equal(server.cli("rule", "archive", "show").stdout.strip(), left)
        true("line 1: a line begins with the days" in run.stderr and "what you wrote is kept" in run.stderr, run.stderr)


def edit(server, editor, language="smtp"):
    """At no terminal, its standard input a pipe that never says anything."""
    build = os.path.join(os.path.dirname(server.program), "postroom")
    env = dict(os.environ, EDITOR=editor, VISUAL="")
    with subprocess.Popen([build, "-s", server.socket, "rule", language, "edit"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=env) as p:
        try:
            p.wait(60)
        except subprocess.TimeoutExpired:
            p.kill()
            raise
        return subprocess.CompletedProcess(p.args, p.returncode, p.stdout.read(), p.stderr.read())


if __name__ == "__main__":
    tests = [f for name, f in sorted(globals().items()) if name.startswith("test_")]
    if not shutil.which("swaks"):
        print("Bail out! swaks is not there")
        sys.exit(1)
    sys.exit(tap(tests))
