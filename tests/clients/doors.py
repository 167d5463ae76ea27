#!/usr/bin/env python3
"""doors.py - who may connect and who may send, on a running server, from several loopback addresses: TAP.

What `access test` says of an address is compared with what happens to a client from there.
"""
import base64
import os
import smtplib
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import postroom
from postroom import PASSWORD, Server, equal, tap, true, unverified, wait_for

ANSWER_S = 60


class Client:
    """A line protocol from a loopback address of our choice."""

    def __init__(self, server, service, source="127.0.0.1", port=None, host="127.0.0.1"):
        self.sock = socket.create_connection((host, port or server.ports[service]), ANSWER_S, (source, 0))
        self.sock.settimeout(ANSWER_S)
        self.file = self.sock.makefile("rb")

    def line(self):
        try:
            return self.file.readline().decode().rstrip("\r\n")
        except ConnectionError:
            return ""

    def say(self, text):
        """The last line of the answer to a command."""
        self.sock.sendall(text.encode() + b"\r\n")
        answer = self.line()
        while answer[3:4] == "-":
            answer = self.line()
        return answer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()


def set_service(server, name, *keys):
    server.cli("service", "set", name, *keys, "--yes")


def happens(server, service, source, user=None):
    """What a client from SOURCE is let do: connect, send to a user here, send elsewhere."""
    with Client(server, service, source) as c:
        if not c.line().startswith(("220", "+OK", "* OK")):
            return {"connect": False} if service in ("pop3", "imap") else {"connect": False, "send": False, "relay": False}
        if service in ("pop3", "imap"):
            return {"connect": True}
    smtp = smtplib.SMTP("127.0.0.1", server.ports[service], timeout=ANSWER_S, local_hostname="client.test",
                        source_address=(source, 0))
    try:
        if user:
            smtp.starttls(context=unverified())
            smtp.login(user, PASSWORD)
        smtp.ehlo_or_helo_if_needed()
        sender = "%s@example.test" % user if user else "stranger@elsewhere.test"
        sent = smtp.mail(sender)[0] == 250
        return {"connect": True, "send": sent and smtp.rcpt("anna@example.test")[0] == 250,
                "relay": sent and smtp.rcpt("x@elsewhere.test")[0] == 250}
    finally:
        smtp.close()


def test_acc_01_to_acc_06_access_test_agrees_with_a_connection(server):
    lines = ["", "127.0.0.2", "!127.0.0.2;127.0.0.0/8", "127.0.0.0 255.0.0.0;!127.0.0.2", "127.0.0.3 noauth;0.0.0.0 0.0.0.0",
             "!127.0.0.2 255.255.255.255;0.0.0.0/0", "127.0.0.2/31 noauth;127.0.0.8", "127.0.0.0/8 anna", "127.0.0.2 bert;127.0.0.3 anna"]
    for text in lines:
        for service in ("smtp", "submission", "pop3", "imap"):
            set_service(server, service, "access=" + text)
        for source in ("127.0.0.2", "127.0.0.3", "127.0.0.9"):
            rows = {r["service"]: r for r in server.json("access", "test", source)}
            for service in ("smtp", "submission", "pop3", "imap"):
                real = happens(server, service, source)
                said = {k: rows[service][k] for k in real}
                equal(said, real, "lines %r, %s from %s" % (text, service, source))
    for service in ("smtp", "submission", "pop3", "imap"):
        set_service(server, service, "access=")


def test_acc_04_smt_15_named_users_log_in_and_relay(server):
    set_service(server, "submission", "access=127.0.0.2 anna;127.0.0.3 bert")
    for source, user, may in (("127.0.0.2", "anna", True), ("127.0.0.2", "bert", False), ("127.0.0.3", "anna", False)):
        row = server.json("access", "test", source, "--service", "submission", "--user", user)[0]
        equal((row["login"], row["relay"]), (may, may), "access test %s %s" % (source, user))
        try:
            real = happens(server, "submission", source, user)["relay"]
        except smtplib.SMTPAuthenticationError:
            real = False
        equal(real, may, "%s from %s" % (user, source))
    set_service(server, "submission", "access=")


def test_acc_08_changes_act_on_new_connections_at_once(server):
    with Client(server, "pop3", "127.0.0.2") as before, Client(server, "pop3s", "127.0.0.2") as other:
        true(before.line().startswith("+OK"), "greeted before the change")
        set_service(server, "pop3", "access=127.0.0.1")
        set_service(server, "pop3s", "access=127.0.0.1")
        with Client(server, "pop3", "127.0.0.2") as after, Client(server, "pop3s", "127.0.0.2") as tls:
            equal(after.line(), "-ERR Access denied")
            equal(after.line(), "", "and disconnected")
            equal(tls.line(), "", "under TLS without a word")
        true(before.say("CAPA").startswith("+OK"), "the one that was open goes on")
        other.sock.shutdown(socket.SHUT_RDWR)
    with Client(server, "pop3", "127.0.0.1") as c:
        true(c.line().startswith("+OK"), "the allowed one")
    wait_for(lambda: [r for r in server.json("log", "show", "--service", "pop3", "--filter", "text:127.0.0.2")
                      if "refused" in r["text"]], "logged")
    wait_for(lambda: [r for r in server.json("trace", "--limit", "50") if "Access denied" in str(r)
                      or "Access denied" in str(r.get("because"))], "in the trace")
    set_service(server, "pop3", "access=")
    set_service(server, "pop3s", "access=")


def test_acc_07_svc_04_lines_for_the_networks_of_this_machine(server):
    lines = [r["line"] for r in server.json("access", "lan")]
    true(lines[:2] == ["127.0.0.0/8", "::1"], lines)
    shown = server.cli("service", "lan", "pop3", "--noauth", "--dry-run").stdout
    true("127.0.0.0/8 noauth" in shown, shown)
    equal(server.json("access", "list", "pop3")[0]["line"], "(all others)", "a preview changes nothing")
    server.cli("service", "lan", "pop3", "--yes")
    equal([r["line"] for r in server.json("access", "list", "pop3")], lines + ["(all others)"])
    equal(server.json("access", "test", "203.0.113.77", "--service", "pop3")[0]["connect"], False)
    server.cli("undo", "--yes")
    equal(len(server.json("access", "list", "pop3")), 1, "undone")


def test_acc_01_a_bad_line_changes_nothing(server):
    before = open(server.config).read()
    for bad in ("access=rubbish", "access=192.0.2.0 255.0.255.0", "access=!192.0.2.0/24 noauth", "rubbish=1"):
        equal(server.cli("service", "set", "smtp", bad, "--yes", ok=False).returncode, 1, bad)
    equal(open(server.config).read(), before)
    equal(server.cli("config", "set", "services.smtp.access", '["192.0.2.0/24", "!192.0.2.7"]', "--yes").returncode, 0)
    equal([r["line"] for r in server.json("access", "list", "smtp")], ["192.0.2.0/24", "!192.0.2.7", "(all others)"])
    server.cli("undo", "--yes")


def test_smt_06_smt_07_what_is_odd_is_a_warning(server):
    equal(server.cli("config", "check").stdout.strip(), "all right: nothing is wrong with the configuration")
    set_service(server, "smtp", "access=0.0.0.0 0.0.0.0 noauth")
    rows = server.json("config", "check")
    true([r for r in rows if r["warning"] and "strangers" in r["what"] and r["line"] > 0], rows)
    equal(server.cli("config", "check").returncode, 0, "a warning is no fault")
    wait_for(lambda: [r for r in server.json("log", "show", "--service", "config") if "strangers" in r["text"]], "logged")
    server.cli("undo", "--yes")


def reachable(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), ANSWER_S).close()
        return True
    except OSError:
        return False


def test_svc_01_another_port_closes_the_old_one_and_disturbs_nobody(server):
    old, (new,) = server.ports["pop3"], postroom.free_ports(1)
    with Client(server, "smtp") as smtp, Client(server, "pop3") as pop:
        true(smtp.line().startswith("220") and pop.line().startswith("+OK"), "greeted")
        set_service(server, "pop3", "listen=127.0.0.1:%d" % new)
        wait_for(lambda: not reachable(old), "the old port is closed")
        with Client(server, "pop3", port=new) as c:
            true(c.line().startswith("+OK"), "the new one serves")
        true(smtp.say("NOOP").startswith("250") and pop.say("CAPA").startswith("+OK"), "open sessions go on")
    set_service(server, "pop3", "listen=127.0.0.1:%d" % old)
    wait_for(lambda: reachable(old) and not reachable(new), "and back")


def test_svc_03_a_service_answers_on_its_address_only(server):
    old, (port,) = server.ports["pop3"], postroom.free_ports(1, "0.0.0.0")
    set_service(server, "pop3", "listen=127.0.0.1:%d" % port)
    wait_for(lambda: reachable(port) and not reachable(port, "127.0.0.7"), "bound to 127.0.0.1")
    set_service(server, "pop3", "listen=*:%d" % port)
    wait_for(lambda: reachable(port) and reachable(port, "127.0.0.7"), "from an address to all of them, on the same port")
    set_service(server, "pop3", "listen=127.0.0.7:%d" % port)
    wait_for(lambda: not reachable(port) and reachable(port, "127.0.0.7"), "and from all to another")
    set_service(server, "pop3", "listen=127.0.0.1:%d" % old)


def test_svc_03_a_refused_change_of_port_gives_nothing_up(server):
    port = server.ports["pop3"]
    with socket.socket() as other:
        other.bind(("127.0.0.9", port))
        other.listen()
        r = server.cli("service", "set", "pop3", "listen=*:%d" % port, "--yes", ok=False)
        true(r.returncode == 1 and "in use" in r.stderr, r.stderr)
        with Client(server, "pop3") as c:
            true(c.line().startswith("+OK"), "the old one listens as before")
    r = server.cli("service", "set", "pop3", "listen=192.0.2.250:%d" % port, "--yes", ok=False)
    true(r.returncode == 1 and "192.0.2.250" in r.stderr, r.stderr)
    equal(server.json("config", "get", "services.pop3.listen")[0]["value"], ["127.0.0.1:%d" % port])


def test_svc_02_a_service_out_of_the_file_refuses(server):
    text = open(server.config).read()
    without = "\n".join(line for line in text.split("\n") if not line.startswith("  pop3s:"))
    open(server.config, "w").write(without)
    os.kill(server.process.pid, 1)
    wait_for(lambda: not reachable(server.ports["pop3s"]), "the port is closed")
    true(not [r for r in server.json("service", "list") if r["name"] == "pop3s"], "and not listed")
    open(server.config, "w").write(text)
    os.kill(server.process.pid, 1)
    wait_for(lambda: reachable(server.ports["pop3s"]), "open again")
    shown = server.cli("service", "stop", "smtp", "--dry-run").stdout
    true("no mail comes in" in shown and reachable(server.ports["smtp"]), "a warning, and no change: " + shown)
    true("no mail comes in" in server.cli("service", "stop", "smtp", "--yes").stdout, "said again")
    wait_for(lambda: not reachable(server.ports["smtp"]), "stopped")
    server.cli("service", "start", "smtp")
    wait_for(lambda: reachable(server.ports["smtp"]), "started")


def test_svc_03_an_absent_address_costs_its_service_alone(_):
    with Server(services=("smtp", "pop3")) as s:
        text = open(s.config).read()
        s.stop()
        open(s.config, "w").write(text.replace("  pop3: { listen: [\"127.0.0.1", "  pop3: { listen: [\"192.0.2.250"))
        s.start()
        wait_for(lambda: "192.0.2.250" in s.errors() and "services.pop3.listen" in s.errors(), "it says which")
        rows = {r["name"]: r["on"] for r in s.json("service", "list")}
        equal((rows["smtp"], rows["pop3"]), (True, False))
        equal(s.json("status")[0]["stopped"], ["pop3"])
        true(reachable(s.ports["smtp"]), "the other one runs")
        s.cli("config", "set", "limits.recipients", "500", "--yes")
        equal({r["name"]: r["on"] for r in s.json("service", "list")}["smtp"], True, "a reload is not refused for it")
        s.cli("service", "set", "pop3", "listen=127.0.0.1:%d" % s.ports["pop3"], "--yes")
        true(reachable(s.ports["pop3"]), "mended")


def test_svc_03_a_port_in_use_ends_the_start(_):
    with Server(services=("smtp", "pop3")) as s:
        s.stop()
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", s.ports["pop3"]))
            other.listen()
            s.start(ready=False)
            equal(s.process.wait(postroom.START_S), 1)
            true("in use" in s.errors() and "services.pop3.listen" in s.errors(), s.errors())


def main_log(server):
    with open(os.path.join(server.dir, "log", "main.log"), errors="replace") as f:
        return f.read()


def smtp_log(server):
    return [line for line in main_log(server).split("\n") if " smtp " in line]


def test_log_03_smt_18_the_smtp_log_has_each_refusal_and_no_secret(server):
    server.cli("config", "set", "log.protocols", '["smtp", "submission", "pop3"]', "--yes")
    with Client(server, "smtp") as c:
        c.line()
        c.say("EHLO client.test")
        c.say("MAIL FROM:<bo@elsewhere.test>")
        texts = [c.say("RCPT TO:<%s>" % to) for to in ("x@elsewhere.test", "nobody@example.test", "a%b@example.test")]
        texts.append(c.say("MAIL FROM:<bo@elsewhere.test> SIZE=99999999999"))
        c.say("RSET")
        texts.append(c.say("MAIL FROM:<bo@elsewhere.test> SIZE=99999999999"))
    true(len(set(texts)) == len(texts), "each refusal has its own text: %r" % texts)
    wait_for(lambda: all(any(t in line for line in smtp_log(server)) for t in texts), "and is in the log: %r" % texts)
    smtp = server.smtp("submission")
    smtp.starttls(context=unverified())
    smtp.login("anna", PASSWORD)
    smtp.sendmail("anna@example.test", ["anna@example.test"], b"Subject: hidden\r\n\r\nbody-of-mine\r\n")
    smtp.quit()
    server.pop("anna", tls=False).quit()
    wait_for(lambda: any("AUTH" in t and "***" in t for t in smtp_log(server)), "the login, masked")
    wait_for(lambda: 'line="USER anna"' in main_log(server) and "line=PASS secret=***" in main_log(server), "POP3 too")
    text = main_log(server)
    true("body-of-mine" not in text and "Subject: hidden" not in text, "no message in it")
    for secret in (PASSWORD, base64.b64encode(b"\0anna\0" + PASSWORD.encode()).decode()):
        true(secret not in text, "no secret in it (H66)")
    server.cli("config", "set", "log.protocols", "[]", "--yes")


def test_pop_06_smt_05_people_who_collect_are_counted_and_may_send(server):
    server.cli("config", "set", "smtp.pop_before_smtp", "1", "--yes")
    before = server.json("status")[0]["people_checked"]
    equal(server.json("access", "test", "127.0.0.1", "--service", "smtp")[0]["relay"],
          happens(server, "smtp", "127.0.0.1")["relay"], "as things are")
    equal(happens(server, "smtp", "127.0.0.5")["relay"], False, "nobody collected from there")
    for _ in range(2):
        server.pop("bert").quit()
    true(server.json("status")[0]["people_checked"] in (before, before + 1), "one person counts once")
    true(server.json("status")[0]["people_checked"] >= 1, "and counts")
    equal(happens(server, "smtp", "127.0.0.1"), {"connect": True, "send": True, "relay": True})
    equal(server.json("access", "test", "127.0.0.1", "--service", "smtp")[0]["relay"], True)
    equal(happens(server, "smtp", "127.0.0.5")["relay"], False, "still nobody")
    server.cli("config", "set", "smtp.pop_before_smtp", "0", "--yes")


def octets(server, user):
    """Of each message: what LIST says, what RETR sends without its stuffing, and the body; STAT agrees."""
    p = server.pop(user)
    listed = [int(line.split()[1]) for line in p.list()[1]]
    raw = [b"".join(line + b"\r\n" for line in p.retr(n + 1)[1]) for n in range(len(listed))]
    tops = [b"".join(line + b"\r\n" for line in p.top(n + 1, 9999)[1]) for n in range(len(listed))]
    equal(p.stat()[1], sum(listed), "STAT")
    equal(tops, raw, "TOP of all lines")
    p.quit()
    equal([len(r) for r in raw], listed, "octets of LIST and RETR")
    return [r.split(b"\r\n\r\n", 1)[1] if b"\r\n\r\n" in r else None for r in raw]


def test_pop_03_blank_lines_at_the_end_are_not_sent_and_octets_agree(server):
    server.add_user("trimmed")
    bodies = [b"a\r\n", b"a\r\n\r\n\r\nb\r\n\r\n\r\n\r\n", b"\r\n\r\n\r\n", b"", b".\r\n..\r\n\r\n", b"x" * 70 + b"\r\n" * 1000,
              b"z\r\n" * 3000 + b"\r\n" * 3, b" \r\n\r\n"]
    bodies += [(b"y" * 98 + b"\r\n") * 40 + b"y" * n + b"\r\n\r\n\r\n" for n in range(68, 80)]  # about the end of a piece
    for body in bodies:
        server.send("bo@elsewhere.test", ["trimmed@example.test"], b"Subject: s\r\n\r\n" + body)
    equal(octets(server, "trimmed"), bodies, "as they came")
    server.cli("config", "set", "pop3.trim_blank_lines", "yes", "--yes")
    want = [body.rstrip(b"\r\n") + b"\r\n" if body.strip(b"\r\n") else b"" for body in bodies]
    equal(octets(server, "trimmed"), want, "trimmed")
    server.cli("config", "set", "pop3.trim_blank_lines", "no", "--yes")
    equal(octets(server, "trimmed"), bodies, "nothing is lost")


def test_svc_06_the_words_of_hostname(server):
    for name, greeting in (("IPAddress", "220 [127.0.0.1] ESMTP"), ("domain", "220 example.test ESMTP"), ("mail.example.test", "220 mail.example.test")):
        server.cli("config", "set", "hostname", name, "--yes")
        with Client(server, "smtp") as c:
            true(c.line().startswith(greeting), name)
        server.send("a@elsewhere.test", ["bert@example.test"], "Subject: from %s\r\n\r\nx\r\n" % name)
        true(("by " + greeting[4:].split()[0]).encode() in server.fetch("bert")[-1], "Received of " + name)


def test_svc_08_silent_clients_stall_nobody(server):
    """200 idle sockets, a third of them in the middle of a command: others are answered as always."""
    socks = []
    try:
        for i in range(200):
            service = ("smtp", "submission", "pop3")[i % 3]
            socks.append(Client(server, service, "127.0.%d.%d" % (1 + i // 100, 1 + i % 100)))
            if i % 3 == 0:
                socks[-1].sock.sendall(b"EHLO hal")
        server.send("a@elsewhere.test", ["anna@example.test"], "Subject: idle\r\n\r\nhello\r\n")
        true(any(b"Subject: idle" in m for m in server.fetch("anna")), "mail in and out")
        wait_for(lambda: len(server.json("session", "list")) >= 200, "they are there")
    finally:
        for c in socks:
            c.__exit__()


# --- H3, H4: what comes before our go-ahead ---

PLAIN = base64.b64encode(b"\0anna\0" + PASSWORD.encode()).decode()
EVIL = "MAIL FROM:<evil@elsewhere.test>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\nSubject: injected\r\n\r\nx\r\n.\r\nNOOP\r\n"
SMTP_TURNS = {  # what is asked, after which commands
    "STARTTLS": [], "STARTTLS after a recipient": ["MAIL FROM:<bo@elsewhere.test>", "RCPT TO:<anna@example.test>"],
    "AUTH PLAIN": [], "AUTH PLAIN " + PLAIN: [], "AUTH LOGIN": [], "AUTH CRAM-MD5": [], "AUTH NONSENSE": [],
    "DATA": ["MAIL FROM:<bo@elsewhere.test>", "RCPT TO:<anna@example.test>"], "DATA without a recipient": ["MAIL FROM:<bo@elsewhere.test>"],
    "DATA out of turn": []}
SMTP_INJECTED = ("NOOP\r\n", EVIL, "EHLO evil.test\r\n" + EVIL, "QUIT\r\n", "AUTH PLAIN " + PLAIN + "\r\n" + EVIL, "\r\n", "x",
                 "Subject: injected\r\n\r\nx\r\n.\r\n", PLAIN + "\r\n" + EVIL)
POP_TURNS = ("STLS", "AUTH PLAIN", "AUTH PLAIN " + PLAIN, "AUTH LOGIN", "AUTH NONSENSE")
POP_INJECTED = ("USER anna\r\nPASS " + PASSWORD + "\r\nDELE 1\r\nQUIT\r\n", "CAPA\r\n", "QUIT\r\n", PLAIN + "\r\nDELE 1\r\nQUIT\r\n", "\r\n", "x")


def after_injection(server, service, before, command, injected):
    """All that comes in answer to COMMAND and what travels with it, until the connection ends."""
    with Client(server, service) as c:
        c.line()
        for line in before:
            true(c.say(line)[:1] in "2+", line)
        try:
            c.sock.sendall((command + "\r\n" + injected).encode())
            return [line.decode().rstrip() for line in c.file.readlines()]
        except ConnectionError:
            return []


def test_h3_h4_nothing_sent_before_the_go_ahead_is_acted_on(server):
    set_service(server, "submission", "access=127.0.0.1/32")
    server.send("bo@elsewhere.test", ["anna@example.test"], "Subject: kept\r\n\r\nx\r\n")
    before, tried = len(server.fetch("anna")), 0
    for access in ("", "127.0.0.1 noauth"):
        set_service(server, "smtp", "access=" + access)
        for turn, commands in SMTP_TURNS.items():
            for injected in SMTP_INJECTED:
                command = turn.split(" after")[0].split(" without")[0].split(" out of")[0]
                replies = after_injection(server, "smtp", ["EHLO client.test"] + commands, command, injected)
                tried += 1
                true(len(replies) <= 1 and all(r[:3] in ("220", "554", "501") for r in replies),
                     "%s, then %r: %r" % (turn, injected[:30], replies))
    for command in POP_TURNS:
        for injected in POP_INJECTED:
            replies = after_injection(server, "pop3", [], command, injected)
            tried += 1
            true(len(replies) <= 1 and not any("messages" in r for r in replies) and
                 all(r.startswith("-ERR") or "Begin TLS" in r for r in replies), "%s, then %r: %r" % (command, injected[:30], replies))
    set_service(server, "smtp", "access=")
    set_service(server, "submission", "access=")
    equal(len(server.fetch("anna")), before, "no message came or went after %d tries" % tried)


def test_h3_after_the_handshake_what_was_said_before_is_forgotten(server):
    set_service(server, "smtp", "access=127.0.0.1 noauth")
    with server.smtp() as s:
        s.ehlo()
        equal(s.docmd("STARTTLS")[0], 220)
        s.sock = unverified().wrap_socket(s.sock)
        s.file = None
        equal(s.docmd("MAIL FROM:<anna@example.test>")[0], 503, "no EHLO")
        s.ehlo()
        true(not s.has_extn("starttls") and s.has_extn("auth"), "capabilities anew")
        equal(s.login("anna", PASSWORD)[0], 235)
    set_service(server, "smtp", "access=")
    with Client(server, "pop3") as c:
        c.line()
        c.say("USER anna")
        true(c.say("STLS").startswith("+OK"), "STLS")
        c.sock = unverified().wrap_socket(c.sock)
        c.file = c.sock.makefile("rb")
        true(c.say("PASS " + PASSWORD).startswith("-ERR"), "the name is forgotten")


def main():
    with Server() as server:
        for name in ("anna", "bert"):
            server.add_user(name)
        return tap([(n[5:].replace("_", " "), f) for n, f in sorted(globals().items()) if n.startswith("test_")], server)


if __name__ == "__main__":
    sys.exit(main())
