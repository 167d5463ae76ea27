#!/usr/bin/env python3
"""The command line against a real server: every form of contract.md section 3 that is built.

Users, mappings, messages, the queue, traces, explain, the log, services, sessions, the configuration,
backup, check, undo: exit statuses, --json shapes, filters, previews.
"""
import fcntl
import json
import mailbox
import os
import poplib
import pty
import re
import select
import signal
import socket
import smtplib
import ssl
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from control_server import BUILD, PATIENCE_S, Count, Link, Server, wait_until  # noqa: E402

PASSWORD = "Canary-7f3a pass"  # H66: never to be seen again


def tls():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def send(server, to, subject, sender="bo@example.net", text="hello\r\n", extra=""):
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=60) as smtp:
        smtp.ehlo("client.example.net")
        smtp.sendmail(sender, to, "From: Bo <%s>\r\nTo: %s\r\nSubject: %s\r\n%s\r\n%s"
                      % (sender, to, subject, extra, text))


def relay(server, to, user="anna"):
    """A submitted message for elsewhere: it waits in the queue."""
    with smtplib.SMTP("127.0.0.1", server.submission, timeout=60) as smtp:
        smtp.starttls(context=tls())
        smtp.login(user, PASSWORD)
        smtp.sendmail(user + "@example.test", to, "From: " + user + "@example.test\r\nTo: %s\r\n"
                      "Subject: out\r\n\r\nbye\r\n" % to)


def pop3_count(server, user):
    pop = poplib.POP3("127.0.0.1", server.pop3, timeout=60)
    pop.stls(context=tls())
    pop.user(user)
    pop.pass_(PASSWORD)
    count = pop.stat()[0]
    pop.quit()
    return count


def test_users(c, s):
    st, out, err = s.run("user", "add", "postmaster", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    c.check("USR-19 first administrator", st == 0 and "Main Administrator" in out, (st, out, err))
    st, out, err = s.run("user", "add", "anna", "--quota", "20", "--comment", "Anna",
                         "--password-stdin", stdin=PASSWORD + "\n")
    c.check("USR-11 user add", st == 0, (st, out, err))
    rows = s.json("user", "list")
    c.check("USR-05 user list is one object a line",
            [r["name"] for r in rows] == ["*OUTQUEUE", "anna", "postmaster"] and rows[1]["quota_mb"] == 20, rows)
    c.check("user list flags an administrator", rows[2]["flags"] == "a", rows)
    rows = s.json("user", "list", "--sort", "name", "--limit", "1")
    c.check("--limit cuts", len(rows) == 2 and rows[1]["name"] == "anna", rows)
    rows = s.json("user", "list", "--filter", "name:post*")
    c.check("USR-07 --filter chooses", [r["name"] for r in rows] == ["*OUTQUEUE", "postmaster"], rows)
    rows = s.json("user", "list", "--after", "anna")
    c.check("--after goes on behind a key", [r["name"] for r in rows] == ["postmaster"], rows)
    user = s.json("user", "show", "anna")[0]
    c.check("user show has the keys of user set",
            user["comment"] == "Anna" and user["admin"] is False and user["protocols"][0] == "pop3", user)
    c.check("H66 user show tells no password", "hash" not in json.dumps(user).replace("has_password", ""))
    st, out, err = s.run("user", "set", "anna", "comment=Two words", "forward_to=bo@example.net;c@example.net")
    c.check("user set", st == 0, err)
    user = s.json("user", "show", "anna")[0]
    c.check("user set took both", user["comment"] == "Two words" and len(user["forward_to"]) == 2, user)
    st, out, err = s.run("undo")
    c.check("undo without an id takes back the last", st == 0, err)
    c.check("and says what and how it comes back", out.startswith("undone: user anna changed; postroom undo ")
            and out.endswith(" brings it back\n"), out)
    c.check("and it is as before", s.json("user", "show", "anna")[0]["comment"] == "Anna")
    for words, want, what in [
            (("user", "show", "nobody"), 1, "unknown user is 1"),
            (("user", "add", "anna", "--password-stdin"), 1, "USR-02 a taken name is 1"),
            (("user", "add", "Everyone", "--password-stdin"), 1, "Q-01 a reserved name is 1"),
            (("user", "add", "a@b", "--password-stdin"), 1, "USR-02 no @ in a name"),
            (("user", "add", "long", "--comment", "x" * 81, "--password-stdin"), 1, "USR-04 81 characters"),
            (("user", "set", "anna", "nonsense=1"), 1, "an unknown field is 1"),
            (("user", "set", "anna", "quota_mb=many"), 1, "a wrong value is 1"),
            (("user", "set", "postmaster", "admin=no"), 1, "USR-15 the Main Administrator stays"),
            (("user", "remove", "postmaster"), 1, "USR-15 and is not removed"),
            (("user", "frobnicate"), 2, "wrong usage is 2"),
            (("user", "add"), 2, "a missing word is 2")]:
        st, out, err = s.run(*words, stdin=PASSWORD + "\n")
        c.check(what, st == want, (st, out, err))
    st, out, err = s.run("user", "show", "nobody")
    c.check("an error is one line", err == "postroom: user show nobody: no such user\n", err)
    st, out, err = s.run("user", "add", "short", "--password-stdin", stdin="abc\n")
    c.check("SEC-01 a short password is refused", st == 1 and "short" in err, (st, err))
    st, out, err = s.run("user", "passwd", "anna", "--password-stdin", stdin=PASSWORD + "\n")
    c.check("user passwd", st == 0, err)
    st, out, err = s.run("user", "add", "carl", "--password-stdin", stdin=PASSWORD + "\n")
    st, out, err = s.run("user", "rename", "carl", "karl")
    c.check("user rename", st == 0 and "karl" in [r["name"] for r in s.json("user", "list")], err)
    s.run("mapping", "add", "choir", "karl")
    s.run("user", "set", "anna", "forward_to=karl@example.test;x@example.net", "assistants=karl")
    st, out, err = s.run("user", "rename", "karl", "carlo")
    c.check("user rename takes the mappings along", [r["target"] for r in s.json("mapping", "list")] == ["carlo"], out)
    c.check("and says so, and who still names the old name", "with 1 mapping" in out
            and "karl is still named by: anna (forward_to), anna (assistants)" in out, (st, out, err))
    st, out, err = s.run("undo")
    c.check("one undo for both", s.json("mapping", "list")[0]["target"] == "karl"
            and "karl" in [r["name"] for r in s.json("user", "list")], (out, err))
    s.run("mapping", "remove", "choir")
    s.run("user", "set", "anna", "forward_to=", "assistants=")
    st, out, err = s.run("user", "unlock", "karl")
    c.check("USR-20 user unlock", st == 0, err)
    st, out, err = s.run("user", "remove", "karl", "nobody")
    c.check("remove says what it skipped", st == 1 and "nobody" in out + err, (st, out, err))
    st, out, err = s.run("undo")
    c.check("USR-13 a removed user comes back", "karl" in [r["name"] for r in s.json("user", "list")], err)


def test_groups(c, s):
    st, _, err = s.run("group", "add", "sales", "anna", "karl")
    c.check("GRP-01 group add with members", st == 0, err)
    row = s.json("group", "list")[0]
    c.check("group list", row["name"] == "sales" and sorted(row["members"]) == ["anna", "karl"], row)
    c.check("USR-18 the user is in it", s.json("user", "show", "anna")[0]["group"] == "sales")
    st, _, err = s.run("group", "set", "sales", "send_internet=off", "force=yes", "comment=x")
    c.check("GRP-02 group set", st == 0 and s.json("group", "show", "sales")[0]["send_internet"] == "off", err)
    st, _, err = s.run("group", "add", "anna")
    c.check("GRP-01 a user's name is taken", st == 1, err)
    st, _, err = s.run("group", "remove", "sales")
    c.check("GRP-09 group remove", st == 0 and s.json("user", "show", "anna")[0]["group"] == "", err)


def test_mappings(c, s):
    st, _, err = s.run("mapping", "add", "office", "anna", "--comment", "team")
    c.check("MAP-01 mapping add", st == 0, err)
    s.run("mapping", "add", "office", "karl")
    s.run("mapping", "add", "~@example.test", "postmaster")
    got = s.json("mapping", "test", "office@example.test")[0]
    c.check("MAP-04 mapping test unites the targets", sorted(got["targets"]) == ["anna", "karl"], got)
    c.check("mapping test names what matched", got["matched"][:1] == ["office"] and got["reasons"], got)
    got = s.json("mapping", "test", "whoever@example.test")[0]
    c.check("MAP-05 the rest goes to ~@", got["targets"] == ["postmaster"], got)
    st, _, err = s.run("mapping", "set", "office", "karl", "when=smtp", "comment=later")
    rows = s.json("mapping", "list", "--filter", "target:karl")
    c.check("mapping set", st == 0 and rows[0]["when"] == "smtp" and rows[0]["comment"] == "later", (err, rows))
    st, _, err = s.run("mapping", "add", "two words@x", "anna")
    c.check("MAP-02 a bad pattern is refused", st == 1, err)
    path = os.path.join(s.dir, "map.csv")
    st, out, err = s.run("mapping", "export", "--out", path)
    text = open(path, encoding="utf-8").read() if st == 0 else ""
    c.check("MAP-16 mapping export", "office,anna" in text, (st, err, text))
    with open(path, "w", encoding="utf-8") as f:
        f.write(text + "nonsense\nsupport,anna\n")
    st, out, err = s.run("mapping", "import", path, "--replace", "--skip-bad")
    rows = s.json("mapping", "list")
    c.check("MAP-15 mapping import --replace", st == 1 and len(rows) == 4, (st, out, err, rows))
    c.check("MAP-15 names the bad line", "line 4: is not address,target" in out, (out, err))
    c.check("MAP-15 counts what came in and what not", out.startswith("4 of 5 lines imported, 1 skipped;"), out)
    for what, junk in (("NUL", b"x,anna\na\0b,anna\n"), ("invalid UTF-8", b"x,anna\n\xff\xfe,anna\n")):
        with open(path, "wb") as f:
            f.write(junk)
        for area in ("mapping", "user"):
            st, out, err = s.run(area, "import", path)
            c.check("%s import refuses a file with %s whole" % (area, what), st == 1 and "line 2" in err, (st, out, err))
    c.check("and took none of it", s.json("mapping", "list") == rows)
    with open(path, "w", encoding="utf-8") as f:
        f.write("office,anna,never\nempty,\n")
    st, out, err = s.run("mapping", "import", path)
    c.check("MAP-15 each bad line is named", st == 1 and "line 1: the third" in out and "line 2: has no target" in out
            and out.startswith("0 of 2 lines imported, 2 skipped"), (st, out, err))
    with open(path, "w", encoding="utf-8") as f:
        f.write("lena,Long-enough 1 pass,Lena\nanna,Long-enough 1 pass\n")
    st, out, err = s.run("user", "import", path)
    c.check("user import counts and names", st == 1 and out.startswith("1 of 2 lines imported, 1 skipped;")
            and "skipped line 2: the name is in use" in out, (st, out, err))
    s.run("user", "remove", "lena")
    for name in (".ab", "a..b", "ab."):
        st, out, err = s.run("user", "add", name, "--password-stdin", stdin=PASSWORD + "\n")
        c.check("USR-02 a name that is no dot-string: %s" % name, st == 1 and "beside another" in err, (st, err))
    st, _, err = s.run("mapping", "remove", "office")
    c.check("mapping remove takes all of an address",
            st == 0 and [r["address"] for r in s.json("mapping", "list")].count("office") == 0, err)
    s.run("undo")
    c.check("undo brings both back",
            [r["address"] for r in s.json("mapping", "list")].count("office") == 2)
    s.run("mapping", "remove", "~@example.test", "postmaster")


MIXED = "\r\n".join((
    "--b",
    "Content-Type: text/html; charset=iso-8859-1",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    "<p>Gr=FC=DFe</p><script>no</script>&lt;b&gt;",
    "--b",
    "Content-Type: image/png; name=\"../../etc/x=1B.png\"",
    "Content-Transfer-Encoding: base64",
    "",
    "UE5HIQ==",
    "--b--",
    ""))


def show_parts(c, s):
    """Text decoded, parts named without paths, one of them taken out (H72)."""
    send(s, "karl@example.test", "parts", text=MIXED, extra="Content-Type: multipart/mixed; boundary=b\r\n")
    c.check("mail with parts arrives", wait_until(lambda: s.json("message", "list", "karl")))
    m = s.json("message", "show", "karl", "1")[0]
    c.check("message show decodes HTML to text", m["text"] == "Gr\u00fc\u00dfe\n\n<b>\n", m)
    c.check("H72 message show lists parts, names without paths",
            [p.split(" ")[:2] for p in m["parts"]] == [["-", "multipart/mixed"], ["1", "text/html"], ["2", "image/png"]]
            and m["parts"][2].endswith(" base64 x=1B.png"), m["parts"])
    out = os.path.join(s.dir, "part")
    st, _, err = s.run("message", "show", "karl", "1", "--part", "2", "--out", out)
    c.check("message show --part --out is one part, decoded", st == 0 and open(out, "rb").read() == b"PNG!", err)
    st, _, err = s.run("message", "show", "karl", "1", "--part", "2")
    c.check("a part wants a file, and is not another one's text", st == 1 and "--out FILE" in err, (st, err))
    st, _, err = s.run("message", "show", "karl", "1", "--part", "3", "--out", out)
    c.check("a part that is not there is refused", st == 1 and "no such part" in err, err)
    s.run("message", "purge", "karl", "1", "--folder", "INBOX", "--yes")


def test_messages(c, s):
    for i in range(5):
        send(s, "anna@example.test", "mail %d" % i)
    c.check("mail arrives", wait_until(lambda: len(s.json("message", "list", "anna")) == 5))
    rows = s.json("message", "list", "anna")
    c.check("message list --json", rows[0]["uid"] == 1 and rows[0]["subject"] == "mail 0"
            and "Bo" in rows[0]["from"] and rows[0]["held"] is False and rows[0]["size"] > 50, rows[0])
    m = s.json("message", "show", "anna", "1")[0]
    c.check("message show", "Subject: mail 0" in m["header"] and m["body"].startswith("hello"), m)
    out = os.path.join(s.dir, "one.eml")
    st, _, err = s.run("message", "show", "anna", "1", "--out", out)
    c.check("message show --out is the whole", st == 0 and open(out, "rb").read().endswith(b"\r\n\r\nhello\r\n"), err)
    show_parts(c, s)
    st, _, err = s.run("message", "hold", "anna", "1", "2")
    c.check("USR-39 hold hides from POP3", st == 0 and pop3_count(s, "anna") == 3, err)
    rows = s.json("message", "list", "anna")
    c.check("USR-38 held is shown", [r["held"] for r in rows] == [True, True, False, False, False], rows)
    s.run("message", "release", "anna", "1", "2")
    c.check("USR-39 release shows again", pop3_count(s, "anna") == 5)
    # to a client of IMAP they are new ones: their uids are (RFC 9051, 2.3.1.1)
    c.check("released messages are new", [r["uid"] for r in s.json("message", "list", "anna")] == [3, 4, 5, 6, 7])
    st, _, err = s.run("message", "copy", "anna", "6", "--to-user", "karl")
    c.check("USR-40 message copy", st == 0 and len(s.json("message", "list", "karl")) == 1, err)
    st, _, err = s.run("message", "move", "anna", "7", "--to-user", "karl", "--to-folder", "Old")
    c.check("USR-40 message move", st == 0 and len(s.json("message", "list", "karl", "--folder", "Old")) == 1
            and len(s.json("message", "list", "anna")) == 4, err)
    st, out, err = s.run("message", "remove", "anna", "3", "4")
    c.check("message remove", st == 0 and len(s.json("message", "list", "anna")) == 2, (out, err))
    rows = s.json("message", "bin", "anna")
    c.check("message bin", len(rows) == 2 and rows[0]["folder"] == "INBOX"
            and rows[0]["until"] > rows[0]["removed"], rows)
    st, _, err = s.run("message", "restore", "anna", rows[0]["id"])
    c.check("message restore", st == 0 and len(s.json("message", "list", "anna")) == 3, err)
    st, _, err = s.run("message", "purge", "anna", rows[1]["id"], "--yes")
    c.check("message purge", st == 0 and s.json("message", "bin", "anna") == [], err)
    st, out, err = s.run("message", "remove", "anna", "--filter", "subject:mail", "--dry-run")
    c.check("--dry-run changes nothing", st == 0 and len(s.json("message", "list", "anna")) == 3, (st, out, err))
    st, out, err = s.run("message", "remove", "anna", "--filter", "subject:mail")
    c.check("--filter in a pipe wants --yes", st != 0 and len(s.json("message", "list", "anna")) == 3, (st, out, err))
    st, out, err = s.run("message", "remove", "anna", "--filter", "subject:mail", "--yes")
    c.check("--filter --yes removes", st == 0 and s.json("message", "list", "anna") == [], (st, out, err))
    st, _, err = s.run("message", "hold", "anna", "99")
    c.check("an unknown uid is 1", st == 1, (st, err))


def uidl(s, user):
    pop = poplib.POP3("127.0.0.1", s.pop3, timeout=60)
    pop.stls(context=tls())
    pop.user(user)
    pop.pass_(PASSWORD)
    ids = sorted(line.split()[1] for line in pop.uidl()[1])
    pop.quit()
    return ids


def test_ways_back(c, s):
    """What is done to messages can be undone, and the POP3 unique ids stay (H27)."""
    for i in range(4):
        send(s, "anna@example.test", "way %d" % i)
    wait_until(lambda: len(s.json("message", "list", "anna")) == 4)
    ids = uidl(s, "anna")
    uids = [str(r["uid"]) for r in s.json("message", "list", "anna")]
    st, out, err = s.run("message", "hold", "anna", uids[0])
    c.check("a held message is said so", st == 0 and out.startswith("message anna %s held; postroom undo " % uids[0]),
            (out, err))
    s.run("undo")
    c.check("undo of hold", len(uidl(s, "anna")) == 4)
    uids = [str(r["uid"]) for r in s.json("message", "list", "anna")]
    inbox = [u for u in s.json("user", "list") if u["name"] == "anna"][0]
    before = s.json("status")[0]["mailboxes"]
    st, out, err = s.run("message", "remove", "anna", *uids[:3])
    after = [u for u in s.json("user", "list") if u["name"] == "anna"][0]
    now = s.json("status")[0]["mailboxes"]
    c.check("the bin is not counted as messages", after["inbox"] == 1 and now["messages"] == before["messages"] - 3
            and now["held"] == before["held"], (after, before, now))
    c.check("RCY-02 nor as bytes", after["size"] < inbox["size"] and now["bytes"] < before["bytes"], (inbox, after))
    c.check("the bin is no folder of POP3", uidl(s, "anna") == ids[3:] or len(uidl(s, "anna")) == 1)
    bin_ids = [r["id"] for r in s.json("message", "bin", "anna")]
    s.run("message", "restore", "anna", bin_ids[0])
    c.check("message restore", len(uidl(s, "anna")) == 2)
    s.run("undo")
    c.check("undo of restore", len(uidl(s, "anna")) == 1)
    st, out, err = s.run("undo")
    c.check("H27 undo of remove keeps the unique ids", st == 1 or uidl(s, "anna") == ids, (st, out, err))
    if st == 1:  # the restored one lies in the bin under another id by now: bring them back by hand
        c.check("a clash names the message", "messages " in err, err)
        s.run("message", "restore", "anna", *[r["id"] for r in s.json("message", "bin", "anna")])
    c.check("H27 unique ids survive the bin", uidl(s, "anna") == ids, (ids, uidl(s, "anna")))
    uid = str(s.json("message", "list", "anna")[0]["uid"])
    s.run("message", "move", "anna", uid, "--to-user", "karl", "--to-folder", "Aside")
    c.check("moved to another user", len(s.json("message", "list", "karl", "--folder", "Aside")) == 1)
    st, out, err = s.run("undo")
    c.check("H27 undo of move", st == 0 and uidl(s, "anna") == ids
            and not s.json("message", "list", "karl", "--folder", "Aside"), (out, err))
    st, out, err = s.run("undo", json.loads(s.run("undo", "list", "--json")[1].splitlines()[0])["id"])
    c.check("and undo of that", st == 0 and out.startswith("done again: message anna %s moved" % uid), (out, err))
    s.run("undo", json.loads(s.run("undo", "list", "--json")[1].splitlines()[0])["id"])
    st, out, err = s.run("message", "remove", "anna", "--all", "--yes")
    c.check("all go", st == 0 and s.json("message", "list", "anna") == [], (out, err))


def test_bin_expires(c, _):
    """What lies in a bin longer than users.bin_keep goes by itself, and cannot be undone any more."""
    s = Server(extra="testing: { clock: yes }\n")
    try:
        s.start()
        s.run("user", "add", "postmaster", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
        for i in range(3):
            send(s, "postmaster@example.test", "old %d" % i)
        s.run("message", "remove", "postmaster", "1", "2")
        s.run("clock", "advance", "29d")
        time.sleep(0.5)
        c.check("before its time the bin keeps", len(s.json("message", "bin", "postmaster")) == 2)
        s.run("clock", "advance", "2d")
        c.check("users.bin_keep empties the bin", wait_until(lambda: s.json("message", "bin", "postmaster") == []))
        c.check("and that alone", len(s.json("message", "list", "postmaster")) == 1)
        st, _, err = s.run("undo")
        c.check("then undo passes over the clash and names the message", st == 1 and "messages 2" in err, err)
        c.check("the server ends with 0", s.stop() == 0, s.errors[-3:])
    finally:
        s.close()


def test_show(c, s):
    """A message is read line by line, and nothing in it moves the cursor (H70)."""
    send(s, "anna@example.test", "to be read", text="line one\r\n\x1b[2Jline two\r\n\r\nthe end\r\n")
    uid = str([r["uid"] for r in s.json("message", "list", "anna") if r["subject"] == "to be read"][0])
    st, out, err = s.run("message", "show", "anna", uid)
    lines = out.split("\n")
    c.check("message show has a line for a line", st == 0 and "Subject: to be read" in lines and "line one" in lines
            and "the end" in lines and "\\r\\n" not in out, (st, out, err))
    c.check("H70 and cleans each", "\x1b" not in out and any("[2Jline two" in line for line in lines), out)
    c.check("a folded header keeps its place", "\\t" not in out, out)
    shown = s.json("message", "show", "anna", uid)[0]
    c.check("--json has it as it is", shown["body"].endswith("\r\n\r\nthe end\r\n"), shown)


def test_words(c, s):
    """Wrong usage is 2, an answer is never empty, and a hint never names what was done already."""
    for words in (("user", "list", "--sort", "nope"), ("user", "list", "--sort", "-nope"),
                  ("user", "list", "--columns", "nope")):
        st, out, err = s.run(*words)
        c.check("%s is wrong usage" % " ".join(words[2:]), st == 2 and "nope" in err, (st, out, err))
    for words in (("log", "tail"), ("log", "show")):
        st, out, err = s.run(*words, "--service", "nope")
        c.check("%s of no such service names those there are" % " ".join(words),
                st == 2 and all("|%s|" % name in err for name in ("pop3", "rules", "search")), (st, out, err))
    for sort in ("name", "-name", "size:desc"):
        st, out, err = s.run("user", "list", "--sort", sort)
        c.check("--sort %s" % sort, st == 0, (st, err))
    st, out, err = s.run("config", "check")
    c.check("config check says that all is right", st == 0 and out.startswith("all right"), (st, out, err))
    st, out, err = s.run("check")
    c.check("and so does check", st == 0 and out.startswith("all right"), (st, out, err))
    done = subprocess.run([os.path.join(BUILD, "postroomd"), "--check-store", "-c", s.conf], capture_output=True,
                          text=True, timeout=60, check=False)
    c.check("and postroomd --check-store", done.returncode == 0 and done.stdout.startswith("all right"), done)
    st, out, err = s.run("user", "add", "empty", "--password-stdin", stdin="\n")
    c.check("no hint to what was done", st == 2 and "use --password-stdin" not in err, (st, err))
    st, out, err = s.run("user", "set", "anna", "quota_mb=99999999")
    c.check("a quota's range is told", st == 1 and "at most 1048576" in err, (st, err))
    st, out, err = s.run("config", "get", "limits.message_size")
    c.check("config get writes a size as the file does", st == 0 and out.strip().endswith("MB"), (st, out, err))
    c.check("and --json as a number", isinstance(s.json("config", "get", "limits.message_size")[0]["value"], int))


def test_undo_chain(c, s):
    """undo without an id goes on to the change before, past those that later ones stand upon."""
    for i in range(3):
        send(s, "anna@example.test", "chain %d" % i)
    uids = [str(r["uid"]) for r in s.json("message", "list", "anna") if "chain" in r["subject"]]
    s.run("user", "set", "anna", "comment=before the chain")
    s.run("message", "remove", "anna", *uids)
    ids = [r["id"] for r in s.json("message", "bin", "anna") if "chain" in r["subject"]]
    s.run("message", "restore", "anna", ids[0])
    said = [s.run("undo") for _ in range(3)]
    c.check("undo goes down the chain", said[0][0] == said[1][0] == 0 and said[0][1] != said[1][1], said)
    uid = str(s.json("message", "list", "anna")[0]["uid"])
    for words in (("user", "set", "postmaster", "comment=can be undone"),
                  ("message", "copy", "anna", uid, "--to-user", "postmaster")):
        st, out, err = s.run(*words)
        c.check("done: " + words[1], st == 0, (st, out, err))
    st, out, err = s.run("undo")
    c.check("undo does not take an older change for one without a way back", st == 1 and "has no way back" in err, (st, out, err))
    st, out, err = s.run("undo", re.search(r"\(undo (\d+)\)", err).group(1))
    c.check("but does when it is named", st == 0 and "postmaster" in out, (st, out, err))
    st, out, err = s.run("undo", "")
    c.check("an empty word is wrong usage, not a word left out", st == 2 and "ID: is empty" in err, (st, out, err))
    st, out, err = s.run("user", "show", "")
    c.check("of any command", st == 2, (st, out, err))


def test_import(c, s):
    eml = os.path.join(s.dir, "one.eml")
    with open(eml, "wb") as f:
        f.write(b"From: a@example.net\nDate: Tue, 3 Mar 2020 10:00:00 +0000\nSubject: one\n\nbody\n")
    st, out, err = s.run("message", "import", "karl", eml, "--folder", "Eml")
    rows = s.json("message", "list", "karl", "--folder", "Eml") if st == 0 else []
    c.check("import an .eml keeps its date", len(rows) == 1 and rows[0]["date"].startswith("2020-03-03"), (st, err, rows))
    mbox = os.path.join(s.dir, "box")
    with open(mbox, "wb") as f:
        for i in range(100):
            f.write(b"From x@example.net Tue Mar  3 10:00:00 2020\nFrom: x@example.net\nStatus: RO\n"
                    b"Date: Tue, 3 Mar 2020 10:00:00 +0000\nSubject: m%d\n\n>From here\n\n" % i)
        f.write(b"From x@example.net Tue Mar  3 10:00:00 2020\nSubject: bad\n\nzero \0 byte\n\n")
    st, out, err = s.run("message", "import", "karl", mbox, "--folder", "Box")
    rows = s.json("message", "list", "karl", "--folder", "Box") if st == 1 else []
    c.check("import an mbox", "100 messages imported, 1 skipped" in out and len(rows) == 100 and rows[99]["subject"] == "m99", (st, out, err, len(rows)))
    c.check("import keeps flags", rows and "\\Seen" in rows[0]["flags"], rows[:1])
    c.check("import names the bad one", "NUL" in out + err, (out, err))
    body = s.json("message", "show", "karl", "1", "--folder", "Box")[0]["body"] if rows else ""
    c.check("import undoes >From", body.startswith("From here"), body)
    box = mailbox.Maildir(os.path.join(s.dir, "md"))
    message = mailbox.MaildirMessage(b"From: x@example.net\nSubject: md\n\nhi\n")
    message.set_subdir("cur")
    message.set_flags("FS")
    box.add(message)
    big = b"Subject: big\n\n" + (b"0123456789abcdef" * 63 + b"\n") * 3000
    box.add(mailbox.MaildirMessage(big))
    st, out, err = s.run("message", "import", "karl", os.path.join(s.dir, "md"), "--folder", "Md")
    rows = sorted(s.json("message", "list", "karl", "--folder", "Md"), key=lambda r: r["size"]) if st == 0 else []
    c.check("import a maildir with flags", len(rows) == 2 and set(rows[0]["flags"]) == {"\\Seen", "\\Flagged"},
            (st, out, err, rows))
    out_file = os.path.join(s.dir, "big.eml")
    if len(rows) == 2:
        s.run("message", "show", "karl", str(rows[1]["uid"]), "--folder", "Md", "--out", out_file)
        c.check("a large one is whole", open(out_file, "rb").read().replace(b"\r\n", b"\n") == big)
    new = os.path.join(s.dir, "md", "new")
    os.mkfifo(os.path.join(new, "1.fifo"))  # nobody ever writes into it
    os.symlink(eml, os.path.join(new, "2.link"))
    os.mkdir(os.path.join(new, "3.folder"))
    st, out, err = s.run("message", "import", "karl", os.path.join(s.dir, "md"), "--folder", "Fifo")
    said = out + err
    c.check("import leaves out what is no file, and says why",
            "1.fifo" in said and "no regular file" in said and "2.link" in said and "3.folder" in said, (st, said))
    rows = s.json("message", "list", "karl", "--folder", "Fifo")
    c.check("import goes on past a FIFO", len(rows) == 2, rows)


def test_queue(c, s):
    for i in range(3):
        relay(s, "far%d@example.net" % i)
    rows = s.json("queue", "list")
    c.check("what was not tried has no error and no time", all(
        r["last_error"] == "" and r["next_try"] is None and r["tries"] == 0 for r in rows), rows)
    shown = s.json("queue", "show", rows[0]["id"])[0]["recipients"][0]
    c.check("and says what it waits for", shown["reason"] == "no route is configured: it waits (outgoing.routes)" and shown["next_try"] is None, shown)
    c.check("queue list --json", len(rows) == 3 and rows[0]["sender"] == "anna@example.test"
            and rows[0]["recipients"] == ["far0@example.net"] and rows[0]["state"] in ("active", "deferred"), rows)
    one = rows[0]["id"]
    show = s.json("queue", "show", one)[0]
    c.check("queue show", show["recipients"][0]["address"] == "far0@example.net", show)
    m = s.json("queue", "message", one)[0]
    c.check("queue message", "From:" in m["header"] and m["id"] == one and m["body"] and not m["truncated"], m)
    out = os.path.join(s.dir, "waiting.eml")
    st, _, err = s.run("queue", "message", one, "--out", out)
    c.check("queue message --out is the whole", st == 0 and open(out, "rb").read().decode().endswith(m["body"]), err)
    st, _, err = s.run("queue", "message", "100")
    c.check("queue message of nothing", st == 1 and "message in the queue" in err, (st, err))
    st, _, err = s.run("queue", "hold", one)
    c.check("queue hold", st == 0 and s.json("queue", "list", "--filter", "state:held")[0]["id"] == one, err)
    c.check("status counts it", s.json("status")[0]["queue"]["held"] == 1)
    st, _, err = s.run("queue", "retry", one)
    c.check("a held message is not retried", st == 1, (st, err))
    s.run("queue", "release", one)
    st, _, err = s.run("queue", "retry", one)
    c.check("queue release and retry", st == 0 and s.json("status")[0]["queue"]["held"] == 0, err)
    st, _, err = s.run("queue", "redirect", one, "to=near@example.net")
    c.check("queue redirect", st == 0 and s.json("queue", "list", "--filter", "to:near")[0]["id"] == one, err)
    st, _, err = s.run("queue", "remove", "--all")
    c.check("queue remove --all wants --yes in a pipe", st == 2 and "--yes" in err, (st, err))
    st, _, err = s.run("queue", "hold", "--filter", "size>1")
    c.check("and so does each --filter", st == 2 and "--yes" in err, (st, err))
    st, _, err = s.run("queue", "hold", "--all")
    c.check("queue hold --all wants none: it can be undone", st == 0 and s.json("status")[0]["queue"]["held"] == 3, err)
    s.run("undo")
    c.check("undo of --all", s.json("status")[0]["queue"]["held"] == 0)
    st, _, err = s.run("queue", "remove", one)
    c.check("queue remove goes to the bin", st == 0 and len(s.json("queue", "list")) == 2, err)
    s.run("undo")
    c.check("undo brings it back", len(s.json("queue", "list")) == 3)
    st, _, err = s.run("queue", "hold", "ZZZZZ")
    c.check("an unknown id is 1", st == 1, (st, err))


def test_trace(c, s):
    got = s.json("trace", "--to", "anna@example.test")
    c.check("H88 trace by recipient", len(got) >= 5 and got[0]["id"], got[:1])
    c.check("trace says why", got and "anna" in got[0]["because"], got[:1])
    c.check("because of a success is where it went", got and got[0]["because"].startswith("place: anna"), got[:1])
    c.check("a list of traces has no steps", got and got[0]["steps"] is None, got[:1])
    got = s.json("trace", "--to", "anna@example.test", "--steps", "--limit", "1")
    c.check("unless they are asked for", len(got[0]["steps"]) > 2, got)
    st, out, err = s.run("trace", "--limit", "3")
    c.check("a trace is one line a message", st == 0 and len(out.splitlines()) == 4, out)
    send(s, "anna@example.test", "has an id\r\nMessage-ID: <given@example.net>")
    got = s.json("trace", "<given@example.net>")
    c.check("trace by Message-ID shows it", len(got) == 1 and got[0]["message_id"] == "<given@example.net>", got)
    got = s.json("trace", "--to", "anna@example.test")
    one = s.json("trace", got[0]["id"]) if got else []
    c.check("trace by id", one and len(one[0]["steps"]) > 2, one)
    try:
        send(s, "nobody-at-all@example.test", "refused")
    except smtplib.SMTPRecipientsRefused:
        pass
    send(s, "anna@example.test", "a commit to ride with")
    got = s.json("trace", "--to", "nobody-at-all@example.test")
    c.check("H88 a refused recipient is traced", got and "550" in got[0]["result"], got)
    st, _, err = s.run("trace", "ZZZZZZ")
    c.check("an unknown trace is 1", st == 1, (st, err))
    got = s.json("trace", "--since", "1h", "--limit", "2")
    c.check("trace --since --limit", len(got) == 2, got)
    got = s.json("explain", "--from", "x@example.net", "--to", "anna@example.test", "--to", "far@example.org")[0]
    c.check("explain: a stranger", got["reply"]["code"] == 250 and got["copies"][0]["target"] == "anna"
            and got["refused"][0]["code"] == 550, got)
    got = s.json("explain", "--from", "anna@example.test", "--to", "far@example.org", "--auth", "anna")[0]
    c.check("explain: a user", [x["kind"] for x in got["copies"]] == ["remote"], got)
    c.check("explain says what was asked", got["asked"]["auth"] == "anna" and got["asked"]["via"] == "submission"
            and got["asked"]["to"] == ["far@example.org"], got)
    st, out, err = s.run("explain", "--from", "x@example.net", "--to", "anna@example.test")
    lines = out.splitlines()
    c.check("explain in lines", st == 0 and lines[0] == "From        x@example.net" and "   1. limits: " in out
            and "  for anna@example.test" in lines and lines[-1].startswith("Reply       250 "), out)
    st, out, err = s.run("user", "set", "anna", "size_over_action=x")
    c.check("a value that no field takes: what it takes is told", st == 1 and "one of copy, redirect" in err, err)
    st, out, err = s.run("mapping", "test", "nobody-at-all@example.test")
    c.check("mapping test in lines", st == 0 and "Targets     none" in out and "Reply       550 " in out, out)
    eml = os.path.join(s.dir, "explain.eml")
    with open(eml, "wb") as f:
        f.write(b"".join(b"Received: x\n" for _ in range(60)) + b"Subject: loop\n\nx\n")
    got = s.json("explain", "--from", "x@example.net", "--to", "anna@example.test", "--message", eml)[0]
    c.check("explain --message sees the header", got["reply"]["code"] == 554 and got["reply"]["stage"] == "data"
            and got["copies"] == [] and got["more"] == 0, got)
    for text, size in ((b"Subject: x\n\n1\n2\n", 20), (b"Subject: x\r\n\r\n1\r\n2\r\n", 20), (b"Subject: x\n\n1\r\n2", 20)):
        with open(eml, "wb") as f:
            f.write(text)
        got = s.json("explain", "--from", "x@example.net", "--to", "anna@example.test", "--message", eml)[0]
        c.check("Q-69 explain has the size as stored of %r" % text, got["asked"]["size"] == size, got)


class Terminal:
    """A command on a terminal of 80 by 24; what it wrote so far."""

    def __init__(self, s, *words):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            env = dict(os.environ, TERM="xterm", LC_ALL="C.UTF-8")
            program = os.path.join(BUILD, "postroom")
            os.execve(program, [program, "-s", s.sock, *words], env)
        self.text = ""

    def saw(self, want, seconds=PATIENCE_S):
        end = time.monotonic() + seconds
        while want not in self.text and time.monotonic() < end:
            if not select.select([self.fd], [], [], 0.1)[0]:
                continue
            try:
                got = os.read(self.fd, 65536)
            except OSError:
                break
            if not got:
                break
            self.text += got.decode("utf-8", "replace").replace("\r\n", "\n")
        found = want in self.text
        self.text = self.text.split(want, 1)[1] if found else self.text
        return found

    def end(self, seconds=PATIENCE_S):
        """^C: the exit status, or None where it does not end."""
        os.write(self.fd, b"\3")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.saw("\0never", 0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        return None


def test_terminal(c, s):
    for words, want, what in [(("group", "list"), "no groups\n", "an empty list says so on a terminal"),
                              (("config", "check"), "nothing is wrong with the configuration\n", "config check says so"),
                              (("queue", "list", "--filter", "to:nowhere"), "nothing fits the filter\n", "an empty choice too"),
                              (("status",), "Mailboxes  3 users, ", "status is a summary")]:
        t = Terminal(s, *words)
        c.check(what, t.saw(want), t.text)
        t.end()
    st, out, _ = s.run("group", "list", "--json")
    c.check("and nothing in JSON", st == 0 and out == "", out)
    t = Terminal(s, "trace")
    t.saw("\0never")  # all of it, until it ends
    c.check("a list fits 80 columns", t.text and max(len(line) for line in t.text.split("\n")) <= 80, t.text)
    t.end()
    t = Terminal(s, "log", "tail", "--lines", "1", "--follow")
    t.saw("\n")
    send(s, "karl@example.test", "followed")
    c.check("log tail --follow goes on", t.saw("accepted from="), t.text)
    c.check("^C ends it", t.end() == 0)
    t = Terminal(s, "status", "--watch")
    c.check("status --watch: the live view", t.saw("Sessions   ") and t.saw("-- activity"), t.text)
    send(s, "karl@example.test", "live")
    c.check("STS-01 it shows what happens", t.saw("accepted from="), t.text)
    s.stop()
    c.check("it says that the server is gone", t.saw("NO SERVER ANSWERS"), t.text)
    s.start()
    c.check("and finds it again", t.saw("Postroom 0"), t.text)
    c.check("^C leaves it", t.end() == 0)


def test_server(c, s):
    st = s.json("status")[0]
    c.check("status --json", st["version"] and st["mailboxes"]["users"] == 3 and st["mailboxes"]["messages"] > 100
            and st["queue"]["count"] == 3 and "last_connect" in st and st["store"]["commits"] > 0, st)
    rows = s.json("service", "list")
    c.check("service list", {"smtp", "pop3"} <= {r["name"] for r in rows}, rows)
    st, out, err = s.run("service", "stop", "pop3")
    c.check("SVC-02 service stop says the way back and what stops with it", out == "service pop3 stopped; the way back is: "
            "postroom service start pop3; until then nobody collects mail by POP3\n", out)
    off = [r for r in s.json("service", "list") if r["name"] == "pop3"][0]["on"]
    c.check("service stop", st == 0 and off is False, err)
    st, _, err = s.run("status", "--check")
    c.check("status --check names a service that is stopped", st == 1 and "pop3" in err and "stopped" in err, (st, err))
    status = s.json("status")[0]
    c.check("status names it too", status["stopped"] == ["pop3"], status)
    st, _, err = s.run("service", "start", "pop3")
    c.check("service start", st == 0 and pop3_count(s, "anna") >= 0, err)
    st, _, err = s.run("service", "stop", "nonsense")
    c.check("an unknown service is 1", st == 1, err)
    smtp = smtplib.SMTP("127.0.0.1", s.submission, timeout=60)
    smtp.starttls(context=tls())
    smtp.login("anna", PASSWORD)
    row = [r for r in s.json("session", "list") if r["service"] == "submission"]
    c.check("session list shows user, TLS and what it does", row and row[0]["user"] == "anna"
            and row[0]["tls"].startswith("TLSv1.") and row[0]["peer"] == "127.0.0.1", row)
    row = [r for r in s.json("session", "list") if r["service"] == "control"]
    c.check("and what a console asks", row and row[-1]["doing"] == "session.list", row)
    smtp.close()
    smtp = smtplib.SMTP("127.0.0.1", s.smtp, timeout=60)
    smtp.ehlo("client.example.net")
    ids = [r["id"] for r in s.json("session", "list") if r["service"] == "smtp"]
    st, _, err = s.run("session", "end", ids[0])
    c.check("session list and end", st == 0 and wait_until(
        lambda: not [r for r in s.json("session", "list") if r["service"] == "smtp"]), err)
    smtp.close()
    rows = s.json("log", "tail", "--lines", "5")
    c.check("log tail", 0 < len(rows) <= 5 and rows[0]["level"], rows)
    rows = s.json("log", "show", "--service", "security")
    c.check("LOG-05 log show --service security", rows and all(r["service"] == "security" for r in rows), rows[:2])
    st, out, err = s.run("check")
    c.check("check finds nothing", st == 0, (st, out, err))


def test_config(c, s):
    c.check("config get", s.json("config", "get", "log.level")[0]["value"] == "debug")
    rows = s.json("config", "show", "--filter", "key:smtp")
    c.check("config show --filter", rows and all("smtp" in r["key"] for r in rows), rows[:2])
    st, _, err = s.run("config", "set", "limits.recipients", "777")
    text = open(s.conf, encoding="utf-8").read()
    c.check("CFG-02 config set keeps comments", st == 0 and "# kept by every edit" in text and "777" in text, (err, text))
    c.check("config set is in force", s.json("config", "get", "limits.recipients")[0]["value"] == 777)
    st, _, err = s.run("config", "set", "limits.recipients", "many")
    c.check("CFG-01 a bad value is refused", st == 1 and "limits.recipients" in err, (st, err))
    st, _, err = s.run("config", "set", "no.such.key", "1")
    c.check("an unknown key is 1", st == 1, (st, err))
    rows = s.json("config", "history")
    c.check("config history", len(rows) == 1 and rows[0]["who"], rows)
    st, out, err = s.run("config", "diff", rows[0]["id"])
    c.check("config diff", st == 0 and "+" in out and "777" in out, (st, out, err))
    st, _, err = s.run("config", "undo")
    c.check("config undo", st == 0 and s.json("config", "get", "limits.recipients")[0]["value"] == 1000, err)
    rows = s.json("config", "history")
    c.check("config history says what was undone", [r["undone"] for r in rows] == [False, True], rows)
    s.run("config", "set", "limits.recipients", "777")
    before = open(s.conf, encoding="utf-8").read()
    st, out, err = s.run("config", "set", "limits.recipients", "778", "--dry-run")
    c.check("TUI-05 a preview of config set shows what differs and changes nothing", st == 0 and "778" in out
            and open(s.conf, encoding="utf-8").read() == before, (st, out, err))
    st, out, err = s.run("config", "set", "limits.recipients", "many", "--dry-run")
    c.check("and checks it", st == 1 and "limits.recipients" in err, (st, out, err))
    st, _, err = s.run("config", "unset", "limits.recipients")
    c.check("config unset goes back to the default", st == 0
            and s.json("config", "get", "limits.recipients")[0]["default"] is True, err)
    st, _, err = s.run("config", "unset", "limits.recipients")
    c.check("what the file does not give cannot be unset", st == 1 and "does not give" in err, (st, err))
    st, _, err = s.run("undo")
    c.check("undo of config unset", st == 0 and s.json("config", "get", "limits.recipients")[0]["value"] == 777, err)
    s.run("config", "unset", "limits.recipients")
    st, _, err = s.run("config", "set", "domains.local", '["example.test", "example.org"]')
    c.check("lists are given as JSON", st == 0 and
            s.json("config", "get", "domains.local")[0]["value"] == ["example.test", "example.org"], err)
    st, _, err = s.run("undo")
    c.check("undo takes back a change of the file", st == 0 and
            s.json("config", "get", "domains.local")[0]["value"] == ["example.test"], err)
    st, _, err = s.run("config", "check")
    c.check("config check", st == 0, err)
    test_config_change(c, s)
    test_config_refused(c, s)
    bad = os.path.join(s.dir, "bad.yaml")
    with open(bad, "w", encoding="utf-8") as f:
        f.write("hostname: a\nnonsense: 1\nlog: { level: loud }\n")
    st, out, err = s.run("config", "check", bad)
    c.check("config check names every fault", st == 1 and "nonsense" in out + err and "level" in out + err,
            (st, out, err))


def test_config_change(c, s):
    """Several settings are one step, checked together, and one undo."""
    def value(key):
        return s.json("config", "get", key)[0]["text"]
    before = value("log.keep"), value("queue.bin_keep")
    st, out, err = s.run("config", "change", "log.keep=7", "queue.bin_keep=20m", "--dry-run")
    c.check("config change is shown as a difference", st == 0 and "would set log.keep, queue.bin_keep" in out
            and "20m" in out, (out, err))
    c.check("--dry-run sets nothing", (value("log.keep"), value("queue.bin_keep")) == before, out)
    st, out, err = s.run("config", "change", "log.keep=7", "queue.bin_keep=nope")
    c.check("one bad value refuses all", st == 1 and "queue.bin_keep" in err and value("log.keep") == before[0], err)
    st, out, err = s.run("config", "change", "log.keep=7", "queue.bin_keep=20m")
    c.check("config change sets both", st == 0 and (value("log.keep"), value("queue.bin_keep")) == ("7", "20m"),
            (out, err))
    s.run("undo")
    c.check("one undo takes both back", (value("log.keep"), value("queue.bin_keep")) == before)


def test_config_refused(c, s):
    """What the server does not take is neither in the file nor in the history (H61)."""
    plain, rows = open(s.conf, encoding="utf-8").read(), s.json("config", "history")
    changes = len(s.json("undo", "list"))
    before = plain + "tls: {{ certificate: {0}/store/tls/cert.pem, key: {0}/store/tls/key.pem }}\n".format(s.dir)
    with open(s.conf, "w", encoding="utf-8") as f:
        f.write(before)
    s.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "cert.pem" in str(s.json("config", "get", "tls.certificate")[0]["value"]))
    for value in ("/nope", s.conf):
        st, _, err = s.run("config", "set", "tls.certificate", value)
        c.check("H61 a certificate that cannot be had is refused, and why",
                st == 1 and "certificate" in err and "the file is as it was" in err, (st, err))
    st, _, err = s.run("config", "set", "services.pop3.listen", '["192.0.2.1:110"]')
    c.check("H61 an address that cannot be had is refused", st == 1 and "192.0.2.1:110" in err, (st, err))
    c.check("the file is as it was", open(s.conf, encoding="utf-8").read() == before)
    c.check("no change is kept", s.json("config", "history") == rows and len(s.json("undo", "list")) == changes)
    c.check("status has no fault of a reload", "reload_fault" not in s.json("status")[0])
    st, _, err = s.run("config", "set", "limits.recipients", "999")
    c.check("the next change is taken", st == 0 and s.run("undo")[0] == 0, (st, err))
    before = plain
    with open(s.conf, "w", encoding="utf-8") as f:
        f.write(before + "tls: { certificate: %s/none.pem, key: %s }\n" % (s.dir, s.conf))
    st, out, err = s.run("config", "check")
    c.check("config check looks at the certificate", st == 1 and "none.pem" in out + err, (st, out, err))
    with open(s.conf, "w", encoding="utf-8") as f:
        f.write(before + "loops: [\n")
    st, _, err = s.run("config", "set", "limits.recipients", "999")
    c.check("a broken file is called broken, with its line",
            st == 1 and "by hand" not in err and "line %d" % (before.count("\n") + 2) in err, (st, err))
    os.rename(s.conf, s.conf + ".away")
    st, _, err = s.run("config", "set", "limits.recipients", "999")
    c.check("a missing file is called missing", st == 1 and "missing" in err, (st, err))
    with open(s.conf, "w", encoding="utf-8") as f:
        f.write(before)
    os.chmod(s.conf, 0o666)
    st, _, err = s.run("config", "set", "limits.recipients", "999")
    c.check("a file that others may write is called that", st == 1 and "by hand" not in err, (st, err))
    os.chmod(s.conf, 0o600)


def test_consoles(c, s):
    """Over limits.consoles the client says so, and the server has not gone."""
    st, _, err = s.run("config", "set", "limits.consoles", "2")
    c.check("limits.consoles is set", st == 0 and wait_until(
        lambda: s.json("config", "get", "limits.consoles")[0]["value"] == 2), (st, err))
    held = []

    def hold():
        """One more that is in: who asked before may not have gone yet."""
        one = Link(s.sock)
        try:
            one.call("hello")
        except (OSError, EOFError, ValueError):
            one.close()
            return False
        held.append(one)
        return True
    c.check("two consoles", wait_until(hold) and wait_until(hold))
    st, _, err = s.run("user", "list")
    c.check("too many consoles are called that", st == 1 and "too many consoles" in err and "limits.consoles" in err,
            (st, err))
    for one in held:
        one.close()
    c.check("then it goes again", wait_until(lambda: s.run("config", "undo")[0] == 0))


def test_backup(c, s):
    folder = os.path.join(s.dir, "backup")
    os.mkdir(folder)
    st, out, err = s.run("backup", folder)
    c.check("H52 backup", st == 0 and os.path.getsize(os.path.join(folder, "data.mdb")) > 0, (st, out, err))
    st, out, err = s.run("backup", folder)
    c.check("H52 a backup is not written over", st == 1, (st, out, err))
    path = os.path.join(s.dir, "users.jsonl")
    st, out, err = s.run("user", "export", "--out", path)
    lines = open(path, encoding="utf-8").read().splitlines() if st == 0 else []
    c.check("CFG-05 user export", len(lines) == 3 and json.loads(lines[0])["name"] == "anna", (st, err, lines))
    with open(path, "w", encoding="utf-8") as f:
        f.write(lines[0].replace('"anna"', '"dora"') + "\nnot json {\nemil," + PASSWORD + ",by CSV\n")
    st, out, err = s.run("user", "import", path)
    names = [r["name"] for r in s.json("user", "list")]
    c.check("USR-12 user import takes the good lines", st == 1 and "dora" in names and "emil" in names,
            (st, out, err, names))
    c.check("and names the bad one", "line 2" in out + err, (out, err))
    s.run("undo")
    c.check("undo of an import", "dora" not in [r["name"] for r in s.json("user", "list")])


def test_end(c, s):
    st, _, err = s.run("user", "remove", "karl", "--read-only")
    c.check("--read-only gives up rights", st == 4, (st, err))
    text = ""
    for folder, _, names in os.walk(os.path.join(s.dir, "log")):
        for name in names:
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
                text += f.read()
    c.check("H66 no password in the logs", "Canary-7f3a" not in text + "\n".join(s.errors))
    replies = "".join(s.run(*w, "--json")[1] for w in (("user", "list"), ("undo", "list"), ("config", "show"),
                                                      ("trace",), ("user", "show", "anna")))
    c.check("H66 no password in replies", "Canary-7f3a" not in replies and "$argon2" not in replies)
    c.check("SIGTERM ends with 0", s.stop() == 0, s.errors[-3:])
    st, _, err = s.run("status")
    c.check("no server is 3, and says how to start one", st == 3 and "start one with" in err, (st, err))


def main():
    c = Count()
    s = Server()
    try:
        s.start()
        for test in (test_users, test_groups, test_mappings, test_messages, test_ways_back, test_bin_expires,
                     test_show, test_words, test_undo_chain, test_import, test_queue,
                     test_trace, test_server, test_config, test_terminal, test_consoles, test_backup,
                         test_end):
            try:
                test(c, s)
            except Exception as error:  # a test that breaks off has failed
                c.check(test.__name__, False, error)
    finally:
        s.close()
    return c.end()


if __name__ == "__main__":
    time.tzset()
    sys.exit(main())
