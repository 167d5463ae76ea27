#!/usr/bin/env python3
"""assistants.py - who gets a copy of a user's mail: assistants, size rules, forwarding, with real clients: TAP.

One server with a peer as its relay, which writes down what it is given and refuses who is called nobody.
"""
import os
import smtplib
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "harness"), HERE]
from lan_forward import Peer  # noqa: E402
from postroom import PASSWORD, Server, equal, tap, true, unverified, wait_for  # noqa: E402

TEXT = "From: %s\r\nTo: \"The  Boss\" <boss@example.test>,\r\n\tothers@far.test\r\nCc: team@far.test\r\nSubject: hi\r\n\r\nhello\r\n"
ROUTE = """outgoing: {{ routes: [ {{ name: isp, kind: relay, servers: ["127.0.0.1:{port}"], tls: none }} ] }}
"""
USERS = ("boss", "pa1", "pa2", "carl")


def site():
    relay = Peer()
    server = Server(extra=ROUTE.format(port=relay.port))
    return server, relay


def fill(server):
    server.add_user("postmaster", "--admin")
    for user in USERS:
        server.add_user(user)


def write(server, user, to, text=None):
    """USER writes to TO over submission."""
    with smtplib.SMTP("127.0.0.1", server.ports["submission"]) as c:
        c.starttls(context=unverified())
        c.login(user, PASSWORD)
        c.sendmail(user + "@example.test", to, text or TEXT % (user + "@example.test"))


def counts(server):
    return {user: len(server.fetch(user)) for user in USERS}


def all_sent(server):
    wait_for(lambda: not server.json("queue", "list"), "the queue is empty", 30)


def recipients(relay):
    return sorted(r.split("<")[1].rstrip(">") for mail in relay.got for r in mail["to"])


def test_pa_and_director_RTE_02_RTE_03_RTE_04_RTE_05():
    """Scenario 11: redirect to two assistants; mail of each of them, from outside, and a bounce to the director."""
    server, relay = site()
    with server:
        fill(server)
        server.cli("user", "set", "boss", "assistants=pa1;pa2@example.test", "assistant_redirect=yes")
        server.send("x@far.test", ["boss@example.test"], TEXT % "x@far.test")
        equal(counts(server), {"boss": 0, "pa1": 1, "pa2": 1, "carl": 0}, "RTE-04: from outside")
        for user in ("pa1", "pa2"):  # RTE-02: To and Cc byte for byte
            text = server.fetch(user)[0]
            for line in (TEXT.split("From: ")[1].split("%s\r\n")[1].split("Subject")[0],):
                true(line.encode() in text.replace(b"\n", b"\r\n").replace(b"\r\r\n", b"\r\n"), text)
            true(b"Return-Path: <x@far.test>" in text, "RTE-16")
        write(server, "pa1", ["boss@example.test"])
        equal(counts(server), {"boss": 1, "pa1": 1, "pa2": 1, "carl": 0}, "RTE-03: an assistant writes")
        write(server, "pa2", ["boss@example.test"])
        equal(counts(server), {"boss": 2, "pa1": 1, "pa2": 1, "carl": 0}, "RTE-03: and the other")
        write(server, "carl", ["boss@example.test"])
        equal(counts(server), {"boss": 2, "pa1": 2, "pa2": 2, "carl": 0}, "a colleague")
        told = server.cli("explain", "--from", "pa1@example.test", "--auth", "pa1", "--to", "boss@example.test").stdout
        true("the assistants of boss get nothing: one of them sends it" in told, told)
        # RTE-05: he writes to somebody, and what comes back is his
        write(server, "boss", ["lost@far.test"])
        wait_for(lambda: relay.got, "it left", 30)
        all_sent(server)
        server.send("", ["boss@example.test"], "From: Mail Delivery <mailer-daemon@far.test>\r\nSubject: failed\r\n\r\nno\r\n")
        equal(counts(server), {"boss": 3, "pa1": 2, "pa2": 2, "carl": 0}, "a report from elsewhere")


def test_a_bounce_of_our_own_reaches_the_director_RTE_05_Q_11():
    server = Server()
    with server:
        fill(server)
        server.cli("user", "set", "boss", "assistants=pa1", "assistant_redirect=yes")
        write(server, "boss", ["x@far.invalid"])
        for entry in server.json("queue", "list"):
            server.cli("queue", "bounce", entry["id"], "--yes")
        wait_for(lambda: server.fetch("boss"), "he is told", 30)
        equal(counts(server), {"boss": 1, "pa1": 0, "pa2": 0, "carl": 0})
        true(b"x@far.invalid" in server.fetch("boss")[0], server.fetch("boss")[0])


def test_forwarding_kept_ready_RTE_06_RTE_07_RTE_16_RTE_17_LST_09():
    """Scenario 12, its first part: an address that is kept and then ticked; and forwarding without a user."""
    server, relay = site()
    with server:
        fill(server)
        server.cli("user", "set", "boss", "forward_to=home@far.test;carl")
        server.send("x@far.test", ["boss@example.test"], TEXT % "x@far.test")
        equal((counts(server)["boss"], counts(server)["carl"]), (1, 0), "it is not ticked")
        server.cli("user", "set", "boss", "forward=yes")
        server.send("x@far.test", ["boss@example.test"], TEXT % "x@far.test")
        all_sent(server)
        equal((counts(server)["boss"], counts(server)["carl"]), (1, 1), "ticked: the box stays as it is")
        equal((relay.got[0]["from"].split(" ")[1], relay.got[0]["to"]), ("FROM:<x@far.test>", ["RCPT TO:<home@far.test>"]))
        true("To: \"The  Boss\" <boss@example.test>,\r\n\tothers@far.test\r\n" in relay.got[0]["text"], relay.got[0]["text"])
        server.cli("user", "set", "boss", "assistants=pa1", "assistant_redirect=yes")  # RTE-07
        server.send("x@far.test", ["boss@example.test"], TEXT % "x@far.test")
        equal(counts(server), {"boss": 1, "pa1": 1, "pa2": 0, "carl": 1})
        server.cli("maillist", "add", "gone", "--kind", "forwarding", "--member", "gone@new.test")
        server.send("x@far.test", ["gone@example.test"], TEXT % "x@far.test")
        all_sent(server)
        equal(recipients(relay), ["gone@new.test", "home@far.test"])
        r = server.cli("user", "show", "gone", ok=False)
        equal(r.returncode, 1, "no user exists")


def test_size_rules_at_their_bounds_RTE_09_RTE_10():
    server, relay = site()
    with server:
        fill(server)
        server.cli("user", "set", "boss", "size_over_kb=20", "size_over_action=redirect", "size_over_to=big@far.test",
                   "size_under_kb=4", "size_under_action=copy", "size_under_to=carl")
        head = "From: x@far.test\r\nSubject: size\r\n\r\n"
        for size, want in ((4096, ("boss", "carl")), (4097, ("boss",)), (20479, ("boss",)), (20480, ("big",))):
            before, there = counts(server), len(relay.got)
            body = "x" * 70 + "\r\n"
            text = head + body * ((size - len(head)) // len(body))
            text += "y" * (size - len(text) - 2) + "\r\n" if size - len(text) > 2 else ""
            text = text if len(text) == size else text[:-2] + "z" * (size - len(text)) + "\r\n"
            equal(len(text), size)
            server.send("x@far.test", ["boss@example.test"], text)
            all_sent(server)
            now = counts(server)
            came = tuple(u for u in ("boss", "carl") if now[u] > before[u]) + (("big",) if len(relay.got) > there else ())
            equal(came, want, "%d bytes" % size)


def test_names_that_are_no_mailbox_are_refused_Q_10_RTE_01_RTE_11():
    with Server() as server:
        fill(server)
        server.cli("maillist", "add", "team", "--kind", "distribution", "--member", "pa1")
        server.cli("group", "add", "staff", "pa2")
        server.cli("mapping", "add", "sales", "pa1")
        for key in ("assistants", "forward_to", "size_over_to", "size_under_to"):
            for value, what in (("team", "team is a list"), ("staff@example.test", "staff@example.test is a group"),
                                ("pa1;sales", "sales is a mapping"), ("Everyone", "Everyone is a group"),
                                ("ListServer", "is the server itself"), ("a b", "is no address"),
                                ("SMTP:x@dom.test@:25", "is no address")):
                r = server.cli("user", "set", "boss", "%s=%s" % (key, value), ok=False)
                true(r.returncode == 1 and what in r.stderr and key in r.stderr, (key, value, r.stderr))
        server.cli("user", "set", "boss", "assistants=pa1;x@far.test;SMTP:y@dom.test@127.0.0.1:2525;nobody-yet")
        equal(server.json("user", "show", "boss")[0]["assistants"],
              ["pa1", "x@far.test", "SMTP:y@dom.test@127.0.0.1:2525", "nobody-yet"])


# Set-ups of explain's table: fields of users; the sender and who logged in; the recipients.
SETUPS = (
    ((), "x@far.test", None, ("boss",)),
    (("boss assistants=pa1;y@far.test",), "x@far.test", None, ("boss", "pa1")),
    (("boss assistants=pa1;pa2 assistant_redirect=yes", "pa1 forward=yes forward_to=carl"), "x@far.test", None, ("boss",)),
    (("boss assistants=pa1 assistant_redirect=yes",), "pa1@example.test", "pa1", ("boss", "carl")),
    (("boss assistants=pa1 assistant_redirect=yes forward=yes forward_to=carl",), "", None, ("boss",)),
    (("boss forward=yes forward_to=carl", "carl forward=yes forward_to=boss"), "x@far.test", None, ("boss", "carl")),
    (("boss forward=yes forward_to=carl", "carl forward=yes forward_to=boss"), "x@far.test", None, ("carl",)),
    (("boss size_under_kb=1 size_under_action=redirect size_under_to=pa2;z@far.test assistants=carl",), "carl@example.test",
     "carl", ("boss", "z@far.test")),
    (("boss size_over_kb=1 size_over_to=pa1",), "x@far.test", None, ("boss",)),
    (("boss forward=yes forward_to=team2;nobody", "pa1 receive_internet=no"), "x@far.test", None, ("boss", "sales")),
    (("boss forward=yes forward_to=pa1", "pa1 receive_internet=no"), "x@far.test", None, ("boss",)),
    (("boss forward=yes forward_to=pa1", "pa1 receive_internet=no"), "carl@example.test", "carl", ("boss",)),
    (("boss assistants=boss;pa1",), "x@far.test", None, ("all",)),
)
PLAIN = ("assistants=", "assistant_redirect=no", "forward=no", "forward_to=", "size_over_kb=0", "size_under_kb=0",
         "size_over_action=copy", "size_under_action=copy", "size_over_to=", "size_under_to=", "receive_internet=yes")


def predicted(server, sender, user, to, path):
    words = ["explain", "--from", sender or "<>", "--message", path]
    for address in to:
        words += ["--to", address]
    told = server.json(*(words + (["--auth", user] if user else [])))
    told = told[0] if isinstance(told, list) else told
    equal(told["reply"]["code"], 250, told)
    boxes = {name: 0 for name in USERS}
    for copy in told["copies"]:
        if copy["kind"] == "mailbox":
            boxes[copy["target"]] += 1
    return boxes, sorted(c["target"] for c in told["copies"] if c["kind"] == "remote"), told


def test_explain_agrees_with_the_delivery_RTE_10_RTE_15():
    server, relay = site()
    with server:
        fill(server)
        server.cli("maillist", "add", "all", "--kind", "distribution", "--member", "boss", "--member", "pa1", "--member", "w@far.test")
        server.cli("mapping", "add", "sales", "boss")
        path = os.path.join(server.dir, "message.eml")
        for fields, sender, user, names in SETUPS:
            for name in USERS:
                server.cli("user", "set", name, *PLAIN)
            for line in fields:
                server.cli("user", "set", *line.split(" "))
            text = "From: %s\r\nSubject: table\r\n\r\nhello\r\n" % (sender or "daemon@far.test")
            with open(path, "w", newline="") as f:
                f.write(text)
            to = [name if "@" in name else name + "@example.test" for name in names]
            boxes, remote, told = predicted(server, sender, user, to, path)
            before = counts(server)
            del relay.got[:]
            if user:
                write(server, user, to, text)
            else:
                server.send(sender, to, text)
            wait_for(lambda: len(recipients(relay)) >= len(remote), "all left: %s" % told, 30)
            all_sent(server)
            now = counts(server)
            equal({u: now[u] - before[u] for u in USERS}, boxes, "%s %s: %s" % (fields, names, told))
            equal(recipients(relay), remote, "%s %s: %s" % (fields, names, told))
            trace = server.cli("trace", "--limit", "1").stdout
            true(trace, "it has a trace")


def test_collected_mail_for_nobody_ADM_02_ADM_03_ADM_05_INM_07():
    extra = """collecting: { unknown: { do: error, to: carl, bounce: yes }, collectors: [ { name: box, server: pop.far.test,
  username: u, accepted: [example.test] } ] }
"""
    with Server(extra=extra) as server:
        fill(server)
        told = server.json("explain", "--from", "x@far.test", "--to", "boss@example.test", "--to", "no@example.test",
                           "--via", "pop3", "--collect", "box")
        told = told[0] if isinstance(told, list) else told
        equal(sorted((c["kind"], c["target"]) for c in told["copies"]),
              [("bounce", "no@example.test"), ("mailbox", "boss"), ("mailbox", "carl")], told)
        true(any("a letter with the mail attached" in c["because"] for c in told["copies"]), told)
        said = server.cli("config", "set", "collecting.unknown.do", "remote")
        true("one office of those that share a domain must not have remote" in said.stdout + said.stderr, (said.stdout, said.stderr))
        told = server.cli("explain", "--from", "x@far.test", "--to", "no@example.test", "--via", "pop3", "--collect", "box").stdout
        true("collecting.unknown.do is remote" in told, told)
        r = server.cli("explain", "--from", "x@far.test", "--to", "no@example.test")  # ADM-04
        true("550" in r.stdout, r.stdout)


def test_a_letter_to_a_group_of_users_USR_47():
    with Server() as server:
        fill(server)
        server.cli("group", "add", "staff", "pa1", "pa2")
        server.cli("maillist", "add", "team", "--kind", "distribution", "--member", "carl", "--member", "pa1")
        path = os.path.join(server.dir, "letter.txt")
        with open(path, "w") as f:
            f.write("Caf\u00e9 closes at five.\n.\n")
        said = server.cli("message", "send", "staff", "team", "boss", "--subject", "Caf\u00e9", "--message", path, "--dry-run").stdout
        true("staff" in said and "boss" in said, said)
        equal(sum(counts(server).values()), 0, "a preview sends nothing")
        said = server.cli("message", "send", "staff", "team", "boss", "--subject", "Caf\u00e9", "--message", path).stdout
        true("sent to 3 names" in said, said)
        equal(counts(server), {"boss": 1, "pa1": 1, "pa2": 1, "carl": 1}, "each once")
        text = server.fetch("pa1")[0].replace(b"\r", b"").decode()
        for part in ("From: postmaster@example.test\n", "To: staff@example.test, team@example.test, boss@example.test\n",
                     "Return-Path: <postmaster@example.test>", "Subject: =?utf-8?", "Caf\u00e9 closes at five.\n"):
            true(part in text, (part, text))
        true("Auto-Submitted" not in text, "a person writes")
        server.cli("message", "send", "Everyone", "--subject", "all", "--message", "-", stdin="to all of you\n")
        equal(counts(server), {"boss": 2, "pa1": 2, "pa2": 2, "carl": 2})
        for words, why in ((["nobody"], "no user, group or list is called nobody"), (["staff"], "there is no text")):
            extra = ["--text", "x"] if words == ["nobody"] else []
            r = server.cli("message", "send", *words, "--subject", "s", *extra, ok=False)
            true(r.returncode == 1 and why in r.stderr, (words, r.stderr))
        server.cli("user", "set", "boss", "forward=yes", "forward_to=carl")
        server.cli("message", "send", "boss", "--subject", "s", "--text", "and on")
        equal((counts(server)["boss"], counts(server)["carl"]), (2, 3), "it goes on as any letter does")


def test_the_messages_of_a_user_USR_37_USR_41():
    with Server() as server:
        fill(server)
        html = "From: x@far.test\r\nSubject: html\r\nContent-Type: text/html\r\n\r\n<p>Hello <b>you</b></p>\r\n"
        server.send("x@far.test", ["boss@example.test"], html)
        uid = server.json("message", "list", "boss")[0]["uid"]
        shown = server.json("message", "show", "boss", str(uid))
        shown = shown[0] if isinstance(shown, list) else shown
        true("<p>Hello <b>you</b></p>" in shown["body"], shown)  # USR-37: tags, not rendered text
        server.json("message", "list", "boss")  # USR-41: drawn, then one more comes, then it is emptied
        server.send("x@far.test", ["boss@example.test"], html)
        server.cli("message", "purge", "boss", "--folder", "INBOX", "--all", "--yes")
        equal(server.json("message", "list", "boss"), [])


def test_robots_and_postmaster_are_reached_ADM_13_ADM_14():
    with Server() as server:
        fill(server)
        server.cli("config", "set", "domains.local", '["example.test", "second.test"]')
        for i, name in enumerate(("postmaster@second.test", "listserver@example.test", "Mailer_Daemon@second.test")):
            server.send("x@far.test", [name], "From: x@far.test\r\nSubject: hi\r\n\r\n%s\r\n" % name)
            equal(len(server.fetch("postmaster")), i + 1, name)
        write(server, "carl", ["ListServer@second.test"])
        equal(len(server.fetch("postmaster")), 4)


if __name__ == "__main__":
    sys.exit(tap([f for n, f in globals().items() if n.startswith("test_")]))
