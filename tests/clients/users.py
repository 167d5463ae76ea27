#!/usr/bin/env python3
"""Users from the outside: what an administrator does to them, and what their mail programs then see (USR): TAP.

One server, real SMTP and POP3 clients, the command line.
"""
import csv
import io
import json
import os
import poplib
import pty
import select
import smtplib
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from postroom import BUILD, PASSWORD, PATIENCE_S, Server, equal, tap, true, unverified, wait_for  # noqa: E402

MESSAGE = "From: a@elsewhere.test\r\nSubject: %s\r\n\r\n%s\r\n"
COLUMNS = {"short": 2, "short with passwords": 3, "verbose": 13, "verbose with passwords": 14}
OPTIONS = {"short": (), "short with passwords": ("--passwords",), "verbose": ("--verbose",),
           "verbose with passwords": ("--verbose", "--passwords")}


def users(s):
    """Rows of `user list` by name, without the queue's."""
    return {u["name"]: u for u in s.json("user", "list") if u["name"] != "*OUTQUEUE"}


def refused(s, *words, stdin=PASSWORD + "\n", status=1):
    r = s.cli(*words, stdin=stdin, ok=False)
    equal(r.returncode, status, "status of postroom %s: %s" % (" ".join(words), r.stderr.strip()))
    return r.stderr + r.stdout


def deliver(s, user, subject="hi", text="hello", sender="a@elsewhere.test"):
    s.send(sender, ["%s@example.test" % user], MESSAGE % (subject, text))


def rcpt(s, address, sender="a@elsewhere.test"):
    with s.smtp() as c:
        c.ehlo()
        c.mail(sender)
        return c.rcpt(address)[0]


def submit(s, user, recipient, text="hello", password=PASSWORD):
    """The answer's code to a submitted message: of RCPT where it is refused, else of the end."""
    with s.smtp("submission") as c:
        c.starttls(context=unverified())
        c.login(user, password)
        c.mail("%s@example.test" % user)
        code = c.rcpt(recipient)[0]
        if code != 250:
            return code
        return c.data("From: %s@example.test\r\nSubject: out\r\n\r\n%s\r\n" % (user, text))[0]


def pop_refuses(s, user, password=PASSWORD):
    try:
        s.pop(user, password).quit()
    except poplib.error_proto:
        return True
    return False


def stat(s, user):
    p = s.pop(user)
    count = p.stat()[0]
    p.quit()
    return count


def subjects(s, user):
    found = s.fetch(user)
    return [line.decode() for m in found for line in m.split(b"\r\n") if line.startswith(b"Subject: ")]


def write(s, name, text):
    path = os.path.join(s.dir, name)
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(text)
    return path


def at_terminal(s, *words, answers):
    """Run a command at a terminal, give an answer whenever it asks; (status, what it said)."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(os.path.join(BUILD, "postroom"), ["postroom", "-s", s.socket, *words])
    said, asked, status = "", 0, None
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.05)[0]:
            try:
                data = os.read(fd, 4096)
            except OSError:
                data = b""
            if not data:
                break
            said += data.decode("utf-8", "replace")
        tail = said[asked:]
        for question in ("[y/N] ", "Password: ", "Once more: "):
            if question in tail and answers:
                os.write(fd, answers.pop(0).encode() + b"\n")
                asked = len(said)
                break
    os.close(fd)  # whoever still waits is hung up
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), said


# --- adding ---

def test_names(s):
    for name in ("", "x" * 33, "a b", "a@b", "*x", "Everyone", "No-one", "ADMINS", "Mailer_Daemon", "listserver", "anna"):
        refused(s, "user", "add", name, "--password-stdin", status=2 if name == "" else 1)
    s.add_user("a.b_c-1")
    s.add_user("y" * 32)
    refused(s, "user", "add", "A.B_C-1", "--password-stdin")
    s.cli("group", "add", "crew")
    true("already" in refused(s, "user", "add", "crew", "--password-stdin"), "USR-02 a group has the name")
    s.cli("group", "remove", "crew", "--yes")
    s.cli("user", "remove", "a.b_c-1", "y" * 32, "--yes")


def test_passwords(s):
    refused(s, "user", "add", "pw", "--password-stdin", stdin="four\n")
    refused(s, "user", "add", "pw", "--password-stdin", stdin="x" * 257 + "\n", status=2)
    for password in ("fiver", "p q r s t", "x" * 256):
        s.add_user("pw", password=password)
        s.pop("pw", password).quit()
        s.cli("user", "remove", "pw", "--yes")


def test_least_length(s):
    text = refused(s, "config", "set", "auth.min_length", "2")
    true("--yes" in text, "SEC-01 says how: %s" % text)
    equal(s.json("config", "get", "auth.min_length")[0]["value"], 5)
    s.cli("config", "set", "auth.min_length", "2", "--yes")
    s.add_user("tiny", password="ab")
    s.cli("config", "set", "auth.min_length", "3")
    s.cli("config", "set", "auth.min_length", "5")
    s.cli("user", "remove", "tiny", "--yes")
    status, said = at_terminal(s, "config", "set", "auth.min_length", "1", answers=["n"])
    equal((status, s.json("config", "get", "auth.min_length")[0]["value"]), (1, 5), said)
    status, said = at_terminal(s, "config", "set", "auth.min_length", "1", answers=["y"])
    equal((status, s.json("config", "get", "auth.min_length")[0]["value"]), (0, 1), said)
    s.cli("config", "set", "auth.min_length", "5")


def test_kinds(s):
    """A person, a role box, an autoresponder to be, a forwarder: all users with other settings."""
    kinds = {"person": (), "office": ("comment=shared by two",), "robot": ("protocols=none", "everyone=no"),
             "relay": ("forward_to=far@elsewhere.test", "forward=yes")}
    for name, keys in kinds.items():
        s.add_user(name)
        if keys:
            s.cli("user", "set", name, *keys)
    true(set(kinds) <= set(users(s)), users(s))
    equal(users(s)["relay"]["flags"], "f")
    true(pop_refuses(s, "robot"), "USR-22 no protocol at all")
    s.cli("user", "remove", *kinds, "--yes")


def test_comments(s):
    refused(s, "user", "set", "anna", "comment=" + "é" * 81)
    s.cli("user", "set", "anna", "comment=" + "é" * 80)
    s.cli("user", "set", "bert", "comment=aaa")
    order = [u["name"] for u in s.json("user", "list", "--sort", "comment") if u["name"] in ("anna", "bert")]
    equal(order, ["bert", "anna"], "USR-04 the comment is a key to sort by")
    s.cli("user", "set", "anna", "comment=")
    s.cli("user", "set", "bert", "comment=")


def test_welcome(s):
    s.cli("config", "set", "users.welcome_subject", "Hello {user} of {domain}")
    s.cli("config", "set", "users.welcome_text", "{user}@{domain} at {server}, {nothing} {user")
    s.add_user("new1", "--welcome")
    wait_for(lambda: stat(s, "new1") == 1, "USR-11 the welcome message")
    message = s.fetch("new1")[0]
    for line in (b"From: Mailer_Daemon@example.test", b"Subject: Hello new1 of example.test", b"Return-Path: <>",
                 b"Auto-Submitted: auto-generated", b"new1@example.test at mail.example.test, {nothing} {user\r\n"):
        true(line in message, "%r in %r" % (line, message))
    s.add_user("new2")
    s.add_user("new3", "--no-welcome")
    status, said = at_terminal(s, "user", "add", "new4", answers=[PASSWORD, PASSWORD])
    equal(status, 0, said)
    wait_for(lambda: stat(s, "new4") == 1, "USR-11 ticked by default at a terminal: %s" % said)
    status, said = at_terminal(s, "user", "add", "new5", "--no-welcome", answers=[PASSWORD, PASSWORD])
    equal([status] + [stat(s, u) for u in ("new2", "new3", "new5")], [0, 0, 0, 0], said)
    trace = s.json("trace", "--from", "<>", "--steps") or s.json("trace")
    true(any("new1" in json.dumps(t) for t in trace), "it left a trace")
    s.cli("user", "remove", "new1", "new2", "new3", "new4", "new5", "--yes")


def test_bulk(s):
    lines = ["# who, what, why", ""]
    for i in range(18):
        lines.append(('bulk%d secret-%d' if i % 3 else 'bulk%d "two words %d" Number %d')[:99] % ((i, i) if i % 3 else (i, i, i)))
    lines[7:7] = ["bad@name secret-x"]
    lines.append("bulkshort abc")
    path = write(s, "bulk.txt", "\n".join(lines) + "\n")
    r = s.cli("user", "bulk", path, "--dry-run")
    true("18 new" in r.stdout or "19 new" in r.stdout, r.stdout)
    true("bulk0" not in users(s), "USR-12 a preview adds nobody")
    r = s.cli("user", "bulk", path, "--welcome", ok=False)
    equal(r.returncode, 1, "USR-12 two bad lines: status")
    true("18 of 20 lines" in r.stdout and "2 skipped" in r.stdout, r.stdout)
    true("skipped line 8: " in r.stdout and "skipped line 22: " in r.stdout, r.stdout)
    equal(len([u for u in users(s) if u.startswith("bulk")]), 18, "USR-12 users made")
    equal(users(s)["bulk3"]["comment"], "Number 3")
    s.pop("bulk3", "two words 3").quit()
    s.pop("bulk4", "secret-4").quit()
    wait_for(lambda: s.pop("bulk4", "secret-4").stat()[0] == 1, "USR-46 a welcome in a bulk add")
    r = s.cli("user", "bulk", "-", stdin="bulk1 another-one\n", ok=False)
    true(r.returncode == 1 and "line 1: the name is in use" in r.stdout, r.stdout)
    true(pop_refuses(s, "bulk1", "another-one"), "USR-12 who is there keeps his password")
    with open("/proc/%d/cmdline" % s.process.pid, "rb") as f:
        true(b"secret" not in f.read(), "H66")
    s.cli("undo")
    true("bulk0" not in users(s), "one undo for all of it")
    equal(sorted(users(s)), ["anna", "bert", "postmaster"])


# --- the list ---

def test_list(s):
    deliver(s, "anna", text="x" * 3000)
    before = users(s)["anna"]
    uid = s.json("message", "list", "anna")[-1]["uid"]
    s.cli("message", "move", "anna", uid, "--to-folder", "Old")
    after = users(s)["anna"]
    equal((before["inbox"] - after["inbox"], before["size"] - after["size"]), (1, 0), "USR-05 count and size")
    s.cli("message", "remove", "anna", uid, "--folder", "Old")


def test_outqueue_row(s):
    submit(s, "anna", "far@elsewhere.test")
    status = s.json("status")[0]["queue"]
    for options in ((), ("--sort", "-size"), ("--sort", "name:desc"), ("--filter", "z"), ("--filter", "name:anna"),
                    ("--limit", "1")):
        rows = s.json("user", "list", *options)
        equal((rows[0]["name"], rows[0]["inbox"], rows[0]["size"]), ("*OUTQUEUE", status["count"], status["bytes"]),
              "USR-06 with %s" % (options,))
        equal([r["name"] for r in rows].count("*OUTQUEUE"), 1)
    equal(len(s.json("user", "list", "--limit", "1")), 2, "a limit counts users")
    r = s.cli("user", "remove", "--filter", "name:*", "--dry-run")
    true("OUTQUEUE" not in r.stdout, "it is nobody to be removed: %s" % r.stdout)
    s.cli("queue", "remove", *[q["id"] for q in s.json("queue", "list")], "--yes")


def test_filters(s):
    path = write(s, "many.csv", "".join('"many%04d",0\r\n' % i for i in range(1000)))
    s.cli("user", "import", path)
    began = time.monotonic()
    equal(len(s.json("user", "list", "--filter", "name:*any000*")), 11, "USR-07 wildcards")
    equal(len(s.json("user", "list", "--filter", "name:many00* size:0")), 101, "USR-07 two words")
    names = [u["name"] for u in s.json("user", "list", "--sort", "-name", "--filter", "name:many*")][1:]
    equal((len(names), names[0], names[-1]), (1000, "many0999", "many0000"), "USR-07 order")
    page = [u["name"] for u in s.json("user", "list", "--filter", "name:many*", "--after", "many0500", "--limit", "2")]
    equal(page, ["many0501", "many0502"], "USR-07 paging")
    true(time.monotonic() - began < PATIENCE_S, "USR-07 it does not crawl")
    s.cli("user", "remove", "--filter", "name:many*", "--yes")
    true(not any(u.startswith("many") for u in users(s)), "removed by a filter")


def test_marks(s):
    s.add_user("marked", "--admin")
    s.cli("user", "set", "marked", "forward_to=x@elsewhere.test", "forward=yes", "assistants=anna")
    equal(users(s)["marked"]["flags"], "afs", "USR-08")
    s.cli("config", "set", "lockout.apply_to_loopback", "yes")
    s.cli("config", "set", "lockout.attempts", "2")
    for _ in range(2):
        true(pop_refuses(s, "marked", "wrong password"), "wrong")
    equal(users(s)["marked"]["flags"], "afsL", "USR-08, USR-20 locked")
    true(pop_refuses(s, "marked"), "locked: the right one neither")
    s.cli("user", "unlock", "marked")
    equal(users(s)["marked"]["flags"], "afs", "USR-20 cleared")
    text = refused(s, "user", "set", "marked", "locked=yes")
    true("no field" in text, "USR-20 nobody can set it: %s" % text)
    s.cli("config", "set", "lockout.attempts", "5")
    s.cli("config", "set", "lockout.apply_to_loopback", "no")
    s.cli("user", "set", "marked", "admin=no")
    s.cli("user", "remove", "marked", "--yes")


def test_clear_and_recount(s):
    for i in range(3):
        deliver(s, "bert", "m%d" % i)
    s.cli("message", "remove", "bert", "--all", "--yes")
    equal(users(s)["bert"]["inbox"], 0, "USR-10 the inbox is cleared")
    r = s.cli("user", "recount", "bert", "anna")
    true("2 mailboxes counted, all was right" in r.stdout, r.stdout)
    true("not found" in refused(s, "user", "recount", "nobody"), "nobody has a mailbox")


# --- removing ---

def test_removal(s):
    s.add_user("gone")
    deliver(s, "gone", text="y" * 100)
    s.cli("mapping", "add", "old", "gone")
    r = s.cli("user", "remove", "gone", "--dry-run")
    true("gone has 1 message" in r.stdout and "old -> gone" in r.stdout, "USR-13 the preview: %s" % r.stdout)
    true("gone" in users(s), "a preview removes nobody")
    status, said = at_terminal(s, "user", "remove", "gone", answers=["y", "n"])
    true(status == 1 and "gone" in users(s), "USR-13 the second question: %s" % said)
    status, said = at_terminal(s, "user", "remove", "gone", answers=["y", "y"])
    true(status == 0 and "gone" not in users(s), "USR-13 two confirmations: %s" % said)
    equal(said.count("[y/N]"), 2, said)
    equal([rcpt(s, "gone@example.test"), rcpt(s, "old@example.test")], [550, 550], "USR-13 afterwards")
    true(pop_refuses(s, "gone"), "and no login")
    s.cli("undo")
    equal((rcpt(s, "gone@example.test"), rcpt(s, "old@example.test"), stat(s, "gone")), (250, 250, 1), "one undo for all")
    status, said = at_terminal(s, "mapping", "remove", "old", answers=["y"])
    s.cli("message", "remove", "gone", "--all", "--yes")
    status, said = at_terminal(s, "user", "remove", "gone", answers=["y"])
    equal((status, said.count("[y/N]")), (0, 1), "without mail one is enough: %s" % said)


def test_removal_refused(s):
    pop = s.pop("bert")
    text = refused(s, "user", "remove", "bert", "--yes")
    true("session s" in text and "pop3s" in text and "127.0.0.1" in text, "USR-14 the session is named: %s" % text)
    pop.quit()
    smtp = s.smtp("submission")
    smtp.starttls(context=unverified())
    smtp.login("bert", PASSWORD)
    text = refused(s, "user", "remove", "bert", "--yes")
    true("submission" in text, "USR-14 SMTP: %s" % text)
    smtp.quit()
    s.add_user("chief2", "--admin")
    link = Link(s)
    equal(link.call("auth", user="chief2", password=PASSWORD)["result"]["role"], "administrator")
    text = refused(s, "user", "remove", "chief2", "--yes")
    true("control" in text, "USR-14 a console: %s" % text)
    answer = link.call("user.remove", names=["chief2"])
    true("logged in with" in json.dumps(answer), "USR-14 the account one is logged in with: %s" % answer)
    for keys in ({"protocols": "pop3,smtp"}, {"enabled": "no"}, {"admin": "no"}):
        answer = link.call("user.set", name="chief2", keys=keys)
        true("your own account" in json.dumps(answer), "USR-22 his own console access: %s" % answer)
    link.close()
    wait_for(lambda: s.cli("user", "remove", "chief2", "--yes", ok=False).returncode == 0, "gone with the session")


def test_administrators(s):
    """USR-15: postmaster goes when another is Main Administrator; USR-19: errors go to him alone."""
    true("Main Administrator" in refused(s, "user", "remove", "postmaster", "--yes"), "USR-15")
    s.add_user("chief", "--admin")
    s.cli("config", "set", "main_administrator", "chief")
    r = s.cli("user", "remove", "postmaster", "--dry-run")
    true("mail to postmaster would go to the Main Administrator, chief" in r.stdout, r.stdout)
    r = s.cli("user", "remove", "postmaster", "--yes")
    true("mail to postmaster goes to the Main Administrator, chief" in r.stdout, r.stdout)
    deliver(s, "postmaster")
    equal(stat(s, "chief"), 1, "RFC 5321, 4.5.1")
    true("administrator" in refused(s, "user", "set", "chief", "admin=no"), "USR-15 the last one")
    s.cli("mapping", "add", "postmaster", "chief")
    s.cli("undo")
    s.cli("undo", s.json("undo", "list")[2]["id"])
    s.cli("config", "set", "main_administrator", "postmaster")
    s.cli("user", "remove", "chief", "--yes")
    true("postmaster" in users(s), users(s))


# --- permissions ---

def test_protocols(s):
    s.cli("user", "set", "anna", "protocols=imap,smtp,console,password,ldap")
    true(pop_refuses(s, "anna"), "USR-22 POP3 is off: PASS is refused")
    equal(submit(s, "anna", "bert@example.test"), 250, "USR-22 SMTP still works")
    s.cli("user", "set", "anna", "protocols=pop3,imap,console")
    s.pop("anna").quit()
    try:
        submit(s, "anna", "bert@example.test")
        raise AssertionError("USR-22 SMTP is off")
    except smtplib.SMTPAuthenticationError:
        pass
    link = Link(s)
    true("result" in link.call("auth", user="anna", password=PASSWORD), "USR-22 console is on")
    link.close()
    s.cli("user", "set", "anna", "protocols=pop3,smtp")
    link = Link(s)
    true("error" in link.call("auth", user="anna", password=PASSWORD), "USR-22 console is off")
    link.close()
    s.cli("user", "set", "anna", "protocols=all")


def test_one_password_for_both(s):
    """USR-17: one password serves mail and self-service; a separate Web password is not offered."""
    s.cli("user", "passwd", "anna", "--password-stdin", stdin="another one\n")
    link = Link(s)
    true("result" in link.call("auth", user="anna", password="another one"), "the console takes it")
    link.close()
    s.pop("anna", "another one").quit()
    s.cli("user", "passwd", "anna", "--password-stdin", stdin=PASSWORD + "\n")


def test_internet(s):
    s.cli("user", "set", "anna", "send_internet=no")
    true(submit(s, "anna", "far@elsewhere.test") >= 550, "USR-25 outside")
    equal(submit(s, "anna", "bert@example.test"), 250, "USR-25 a colleague")
    s.cli("user", "set", "anna", "send_internet=yes", "max_out_kb=100")
    true(submit(s, "anna", "far@elsewhere.test", "x" * 70 + ("\r\n" + "y" * 70) * 2100) >= 550, "USR-23 150 kB outside")
    equal(submit(s, "anna", "bert@example.test", "x" * 70 + ("\r\n" + "y" * 70) * 2100), 250, "USR-23 to a colleague")
    equal(submit(s, "anna", "far@elsewhere.test"), 250, "USR-23 a small one")
    s.cli("user", "set", "anna", "max_out_kb=0", "receive_internet=no")
    equal(rcpt(s, "anna@example.test"), 550, "USR-26 from outside")
    equal(submit(s, "bert", "anna@example.test"), 250, "USR-26 from a colleague")
    s.cli("user", "set", "anna", "receive_internet=yes", "monitor=yes")
    equal(users(s)["anna"]["flags"], "m", "USR-27")
    s.cli("user", "set", "anna", "monitor=no")
    for q in s.json("queue", "list"):
        s.cli("queue", "remove", q["id"])


def test_everyone(s):
    before = {u: stat(s, u) for u in ("anna", "bert")}
    s.cli("user", "set", "bert", "everyone=no")
    equal(submit(s, "anna", "Everyone@example.test"), 250)
    equal([stat(s, u) - before[u] for u in ("anna", "bert")], [1, 0], "USR-24")
    s.cli("user", "set", "bert", "everyone=yes")


def test_identities(s):
    def write_as(address):
        with s.smtp("submission") as c:
            c.starttls(context=unverified())
            c.login("anna", PASSWORD)
            return c.mail(address)[0]
    equal(write_as("anna@example.test"), 250, "USR-21 an empty list: his own address")
    equal(write_as("sales@example.test"), 553, "USR-21, H12 nobody else's")
    s.cli("user", "set", "anna", "identities=sales@example.test;Anna <anna@elsewhere.test>")
    equal([write_as(a) for a in ("sales@example.test", "Anna@Elsewhere.test", "anna@example.test", "x@example.test")],
          [250, 250, 250, 553], "USR-21 those of the list")
    s.cli("user", "set", "anna", "identities=")


def test_one_group(s):
    s.cli("group", "add", "one", "anna")
    s.cli("group", "add", "two", "anna")
    equal(users(s)["anna"]["group"], "two", "USR-18 at most one group")
    s.cli("user", "set", "anna", "group=none")
    equal(users(s)["anna"]["group"], "", "USR-18 none")
    s.cli("group", "remove", "one", "two", "--yes")


# --- CSV ---

def exported(s, *options):
    return s.cli("user", "export", *options).stdout


def test_layouts(s):
    s.cli("user", "set", "anna", "comment==1+1", "max_out_kb=7")
    for name, columns in COLUMNS.items():
        text = exported(s, "--csv", *OPTIONS[name])
        rows = list(csv.reader(io.StringIO(text)))
        equal({len(r) for r in rows}, {columns}, "USR-42 columns of %s" % name)
        equal(rows[0][0:2], ["anna", "0"], name)
        true(PASSWORD not in text and ("$argon2id$" in text) == ("passwords" in name), "USR-42, Q-54 %s" % name)
        titles = list(csv.reader(io.StringIO(exported(s, "--csv", "--titles", *OPTIONS[name]))))
        equal((len(titles[0]), titles[0][0], len(titles)), (columns, "User Id", len(rows) + 1), name)
        if "verbose" in name:
            true("\"'=1+1\"" in text, "H70: %s" % text)
            equal(rows[0][-1], "7")
    s.cli("user", "set", "anna", "comment=", "max_out_kb=0")


def test_import(s):
    s.cli("user", "set", "anna", "comment==1+1", "forward_to=x@elsewhere.test;y@elsewhere.test", "everyone=no")
    full = exported(s, "--titles", "--verbose", "--passwords")
    bare = exported(s, "--titles", "--verbose")
    path = write(s, "users.csv", "\ufeff" + full)
    keep = s.json("user", "show", "anna")[0]
    s.add_user("extra")
    s.cli("user", "set", "anna", "comment=other", "forward_to=", "everyone=yes")
    s.cli("user", "passwd", "anna", "--password-stdin", stdin="another one\n")
    r = s.cli("user", "import", path, "--replace", "--dry-run")
    true("0 new, 3 to be changed, 1 to be removed" in r.stdout and "would remove user extra" in r.stdout, r.stdout)
    status, said = at_terminal(s, "user", "import", path, "--replace", answers=["n"])
    equal((status, users(s)["anna"]["comment"], "extra" in users(s)), (1, "other", True), "USR-43 cancelled: %s" % said)
    r = s.cli("user", "import", path, "--replace")
    true("3 of 3 lines imported, 1 user removed" in r.stdout, r.stdout)
    have = s.json("user", "show", "anna")[0]
    equal([have[k] for k in ("comment", "forward_to", "everyone")], [keep[k] for k in ("comment", "forward_to", "everyone")])
    equal((have["comment"], "extra" in users(s)), ("=1+1", False), "USR-43 replaced")
    for user in ("anna", "bert", "postmaster"):
        s.pop(user).quit()  # USR-43 logins unchanged
    text = refused(s, "user", "import", write(s, "bad.csv", full + "anna,1,2\r\n"), "--replace")
    true("nothing was changed" in text, "USR-43 a bad line replaces nobody: %s" % text)
    s.cli("user", "import", write(s, "bare.csv", bare), "--replace")
    s.pop("anna").quit()  # USR-43 only the password column is missing: he keeps it
    short = exported(s, "--csv", "--passwords").replace('"bert",0', '"carla",0')
    r = s.cli("user", "import", write(s, "short.csv", short + "x,y,z\ncarlo,0,plain\n"), ok=False)
    true(r.returncode == 1 and "line 4: the password is too short" in r.stdout and "line 5: its password is not" in r.stdout, r.stdout)
    s.pop("carla").quit()  # the hash came with the line
    true("bert" in users(s), "USR-43 a merge removes nobody")
    text = refused(s, "user", "import", write(s, "bad.csv", '"User Id","Nonsense"\r\n"zoe","1"\r\n'))
    true("line 1" in text and "zoe" not in users(s), text)
    r = s.cli("user", "import", write(s, "admin.csv", '"postmaster",0\r\n'), ok=False)
    true(r.returncode == 1 and "Main Administrator" in r.stdout, "USR-15 by import: %s" % r.stdout)
    s.cli("user", "remove", "carla", "--yes")
    s.cli("user", "set", "anna", "comment=", "forward_to=", "everyone=yes")


def test_json_round_trip(s):
    lines = exported(s, "--passwords")
    s.cli("user", "set", "bert", "comment=later", "quota_mb=9")
    s.cli("user", "import", "-", stdin=lines)
    bert = s.json("user", "show", "bert")[0]
    equal((bert["comment"], bert["quota_mb"]), ("", 0), "the full form")
    s.pop("bert").quit()
    true("password_hash" not in exported(s), "H66 only where it is asked for")


def test_message_import(s):
    path = write(s, "one.eml", "From: x\n\nhello\0\n")
    r = s.cli("message", "import", "bert", path, ok=False)
    true(r.returncode == 1 and "0 messages imported, 1 skipped" in r.stdout and "NUL" in r.stdout, (r.returncode, r.stdout))
    r = s.cli("message", "import", "bert", write(s, "two.eml", "From: x\n\nhello\n"))
    true("1 message imported" in r.stdout, r.stdout)


def test_dry_run_checks_values(s):
    """What the real thing refuses its --dry-run does, too; nothing stays of it."""
    long = "x" * 10000
    s.cli("user", "add", "dora", "--password-stdin", stdin=PASSWORD + "\n")
    s.cli("group", "add", "dry")
    before = s.cli("user", "show", "dora", "--json").stdout
    for words, said in ((("user", "set", "dora", "quota_mb=zzz"), "quota_mb"), (("user", "set", "dora", "group=nogroup"), "no such group"),
                        (("user", "set", "nobodyx", "comment=x"), "no such user"), (("group", "set", "dry", "quota_mb=zz"), "quota_mb"),
                        (("rule", "prune", "add", "folder=INBOX", "age=zz"), "age"),
                        (("rule", "prune", "add", "--user", "nobodyx", "folder=INBOX", "age=1"), "no such user")):
        for options in ([], ["--dry-run"]):
            r = s.cli(*words, *options, ok=False)
            true(r.returncode == 1 and said in r.stderr, (words, options, r))
    true("would set" in s.cli("user", "set", "dora", "comment=fine", "--dry-run").stdout, "a good one")
    s.cli("rule", "prune", "add", "folder=INBOX", "age=3", "--dry-run")
    s.cli("group", "add", "dry2", "--dry-run")
    equal(s.cli("user", "show", "dora", "--json").stdout, before)
    equal([r["name"] for r in s.json("group", "list") if r["name"].startswith("dry")], ["dry"])
    equal(s.json("rule", "prune", "list"), [])
    for words in (("user", "set", "dora", long + "=1"), ("config", "get", long), ("mapping", "add", long, "dora"), ("archive", "show", long),
                  (long,), ("user", "list", "--" + long), ("user", "remove", long, "--yes")):
        r = s.cli(*words, ok=False)
        true(r.returncode and len(r.stdout + r.stderr) < 2100, "an error does not repeat 10 KB: %d" % len(r.stdout + r.stderr))


def test_no_password_seen(s):
    def log():
        with open(os.path.join(s.dir, "log", "main.log"), encoding="utf-8") as f:
            return f.read()
    wait_for(lambda: "users exported with their hashed passwords" in log(), "an export with passwords is on record")
    text = log()
    true(PASSWORD not in text and "secret-4" not in text and "$argon2id$" not in text, "H66 in the log")


class Link:
    """The control socket, spoken by hand."""

    def __init__(self, s):
        import socket
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(s.socket)
        self.file, self.id = self.sock.makefile("rb"), 0

    def call(self, method, **params):
        self.id += 1
        self.sock.sendall(json.dumps({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}).encode() + b"\n")
        while True:
            answer = json.loads(self.file.readline())
            if answer.get("id") == self.id:
                return answer

    def close(self):
        self.file.close()
        self.sock.close()


def main():
    with Server(extra="auth: { hash_memory: 8MB, hash_passes: 1 }\n") as s:
        s.add_user("postmaster", "--admin")
        s.add_user("anna")
        s.add_user("bert")
        return tap([
            ("USR-02, Q-01 names of users", test_names),
            ("USR-03, SEC-01 lengths of passwords", test_passwords),
            ("SEC-01 a least length under 3 is asked for again", test_least_length),
            ("USR-01 users of all kinds", test_kinds),
            ("USR-04 comments", test_comments),
            ("USR-11, USR-46 the welcome message", test_welcome),
            ("USR-12, Q-03 bulk add", test_bulk),
            ("USR-05 count of the inbox, size of the mailbox", test_list),
            ("USR-06 the queue's row", test_outqueue_row),
            ("USR-07 filter, order, pages of 1,000 users", test_filters),
            ("USR-08, USR-20 marks, locked among them", test_marks),
            ("USR-10 clear and recount", test_clear_and_recount),
            ("USR-13, Q-04 removal", test_removal),
            ("USR-14, USR-22 who cannot be removed", test_removal_refused),
            ("USR-15, USR-19 administrators", test_administrators),
            ("USR-17 one password", test_one_password_for_both),
            ("USR-18 one group", test_one_group),
            ("USR-21, H12 sender identities", test_identities),
            ("USR-22 protocols", test_protocols),
            ("USR-23, USR-25 to USR-27 the Internet, monitoring", test_internet),
            ("USR-24 Everyone", test_everyone),
            ("USR-42, H70 the four layouts", test_layouts),
            ("USR-43 import", test_import),
            ("CFG-05 the full form comes back", test_json_round_trip),
            ("message import tells what it skipped", test_message_import),
            ("H66 no password is seen", test_no_password_seen),
        ], s)


if __name__ == "__main__":
    sys.exit(main())
