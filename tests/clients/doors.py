#!/usr/bin/env python3
"""doors.py - who may connect and who may send, on a running server, from several loopback addresses: TAP.

What `access test` says of an address is compared with what happens to a client from there.
"""
import os
import smtplib
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
import postroom
from postroom import PASSWORD, Server, equal, tap, true, unverified, wait_for

ANSWER_S = 20


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
        if not c.line().startswith(("220", "+OK")):
            return {"connect": False} if service == "pop3" else {"connect": False, "send": False, "relay": False}
        if service == "pop3":
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
        for service in ("smtp", "submission", "pop3"):
            set_service(server, service, "access=" + text)
        for source in ("127.0.0.2", "127.0.0.3", "127.0.0.9"):
            rows = {r["service"]: r for r in server.json("access", "test", source)}
            for service in ("smtp", "submission", "pop3"):
                real = happens(server, service, source)
                said = {k: rows[service][k] for k in real}
                equal(said, real, "lines %r, %s from %s" % (text, service, source))
    for service in ("smtp", "submission", "pop3"):
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


def main():
    with Server() as server:
        for name in ("anna", "bert"):
            server.add_user(name)
        return tap([(n[5:].replace("_", " "), f) for n, f in sorted(globals().items()) if n.startswith("test_")], server)


if __name__ == "__main__":
    sys.exit(main())
