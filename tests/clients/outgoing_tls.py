#!/usr/bin/env python3
"""outgoing_tls.py - mail leaves under TLS and with an account, and servers that break off. TAP."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))
from name_server import NameServer  # noqa: E402
from outgoing_site import TEXT, certificate, queue, relay, site, submit, trace_text, wait_deferred, wait_empty  # noqa: E402
from postroom import BUILD, PASSWORD, Server, equal, tap, true  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402


# ---- one relay ----

def test_H36_cold_messages_are_read_by_a_worker_and_come_whole():
    """As if no page of the store were in memory: a worker reads ahead, for DATA and for BDAT."""
    big = "Subject: big\r\n\r\n" + "".join("%08d of a long body that fills many pieces\r\n" % i for i in range(40000))
    for ehlo in (("PIPELINING",), ("CHUNKING",)):
        with SmtpSink(ehlo=ehlo) as sink, \
                Server(extra=relay(sink), env={"LD_PRELOAD": os.path.join(BUILD, "faults", "cold.so")}) as server:
            server.add_user("anna")
            for _ in range(3):
                submit(server, ["bo@elsewhere.test"], big)
            wait_empty(server)
            equal([mail.data.endswith(big.encode()) for mail in sink.mails], [True] * 3, "whole")
            true(server.json("status")[0]["counters"]["cold_reads"] >= 3, "by a worker")


# ---- accounts ----

def test_scram_and_cram_md5_to_a_server_like_ours_OUT_06():
    """Two Postrooms: one relays to the other, which keeps keys of SCRAM, or a secret for CRAM-MD5, and offers PLAIN, too."""
    for rules, best in (("auth: { scram: yes }\n", "SCRAM-SHA-256"), ("auth: { recoverable: yes }\n", "CRAM-MD5")):
        with Server(extra=rules) as far:
            far.cli("config", "set", "log.protocols", '["submission"]')
            far.add_user("anna")
            secret = PASSWORD
            if best == "CRAM-MD5":
                secret = far.json("user", "legacy", "anna", "cram-md5", "on")[0]["secret"]
            with site(relay(far.ports["submission"], username="anna", password="'%s'" % secret, tls="required")) as server:
                server.add_user("anna")
                submit(server, ["cy@elsewhere.test"])
                wait_empty(server)
            equal([(q["user"], q["via"]) for q in queue(far)], [("anna", "submission")], best)
            log = far.cli("log", "show").stdout
            true("AUTH " + best in log, best + log[-600:])
            true(secret not in log, "H66")


def test_auth_OUT_06():
    for mechanisms, expected in (("PLAIN LOGIN", "PLAIN"), ("LOGIN", "LOGIN"), ("CRAM-MD5 PLAIN", "CRAM-MD5")):
        accounts = {"u": "p w"}
        with SmtpSink(accounts=accounts, mechanisms=mechanisms, auth_in_clear=True) as sink, \
                site(relay(sink, username="u", password="'p w'", tls="none")) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            wait_empty(server)
            equal((sink.mails[0].session.user, sink.mails[0].session.mechanism), ("u", expected))


def test_a_wrong_password_defers_OUT_06():
    with SmtpSink(accounts={"u": "p"}, auth_in_clear=True) as sink, \
            site(relay(sink, username="u", password="secret-not-p", tls="none")) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        row = wait_deferred(server)[0]
        true("535" in row["last_error"], row["last_error"])
        equal(sink.mails, [])
        everything = server.cli("log", "show").stdout + str(server.json("queue", "show", row["id"]))
        true("secret-not-p" not in everything + trace_text(server, row["id"]), "H66: the password is nowhere")


def test_no_password_in_clear_H66():
    """Without TLS the account is not shown to anybody, unless the route says so."""
    with SmtpSink(accounts={"u": "p"}, auth_in_clear=True) as sink, \
            site(relay(sink, username="u", password="p")) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        wait_deferred(server)
        true(not any("AUTH" in line for s in sink.sessions for line in s.lines), "no AUTH was begun")


# ---- TLS (H68) ----

def test_tls_opportunistic_and_required_H68():
    with Server(extra="") as folder:
        cert = certificate(folder.dir, "localhost")
        with SmtpSink(tls=cert) as sink, site(relay(sink)) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            wait_empty(server)
            true(sink.mails[0].session.tls, "STARTTLS where it is offered")
            steps = trace_text(server, server.json("trace")[0]["id"])
            true("TLSv1.2" in steps and "not verified" in steps, steps)
        with SmtpSink() as clear, site(relay(clear, tls="required")) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            row = wait_deferred(server)[0]
            equal(clear.mails, [], "required never falls back")
            true("TLS" in row["last_error"], row["last_error"])
        with SmtpSink(tls=cert) as sink, site(relay(sink, tls="required")) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            wait_empty(server)
            true(sink.mails[0].session.tls, "an unverified one is enough for `required`")


def test_tls_verified_and_implicit_H68():
    with Server(extra="") as folder:
        good, wrong = certificate(folder.dir, "localhost"), certificate(folder.dir, "other.test")
        roots = os.path.join(folder.dir, "roots.pem")
        with open(roots, "w") as f:
            f.write(open(good[0]).read() + open(wrong[0]).read())
        for cert, mode, implicit, taken in ((good, "verified", False, True), (wrong, "verified", False, False),
                                            (good, "implicit", True, True), (wrong, "implicit", True, False)):
            with SmtpSink(tls=cert, implicit=implicit) as sink:
                extra = relay(sink, tls=mode).replace("127.0.0.1:", "localhost:")
                with NameServer({"localhost": "127.0.0.1"}) as dns:
                    with TlsServer(roots, extra + "dns: { servers: ['%s'] }\n" % dns.address) as server:
                        server.add_user("anna")
                        submit(server, ["bo@elsewhere.test"])
                        if taken:
                            wait_empty(server)
                            steps = trace_text(server, server.json("trace")[0]["id"])
                            true(", verified" in steps, steps)
                        else:
                            row = wait_deferred(server)[0]
                            equal(sink.mails, [], "CVE-2025-27809: a wrong name is refused")
                            true("TLS failed" in row["last_error"], row["last_error"])


class TlsServer(Server):
    def __init__(self, roots, extra):
        self.roots = roots
        super().__init__(extra=extra)

    def write_config(self):
        super().write_config()
        with open(self.config) as f:
            text = f.read().replace("cert.pem, key:", "cert.pem, ca: %s, key:" % self.roots)
        with open(self.config, "w") as f:
            f.write(text)


def test_a_broken_tls_falls_back_only_where_it_may_H68():
    with SmtpSink(ehlo=("STARTTLS",), replies={"STARTTLS": "220 go, but there is nothing"}) as sink:
        with site(relay(sink)) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            wait_empty(server)
            steps = trace_text(server, server.json("trace")[0]["id"])
            true("in clear, for its TLS failed" in steps, steps)
    with SmtpSink(ehlo=("STARTTLS",), replies={"STARTTLS": "220 go, but there is nothing"}) as sink:
        with site(relay(sink, tls="required")) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            wait_deferred(server)
            equal(sink.mails, [])


def test_injected_lines_before_tls_H3():
    def greet(session):
        session.say("220 sink.test")
        session.line()
        session.say("250-sink.test\r\n250 STARTTLS")
        session.line()
        session.sock.sendall(b"220 go\r\n250 sink.test\r\n250 fine\r\n250 fine\r\n354 go\r\n")
        session.line()

    with SmtpSink(greeting=greet) as sink, site(relay(sink, tls="required")) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        row = wait_deferred(server)[0]
        true("MAIL FROM" not in str([s.lines for s in sink.sessions]), "nothing of it was believed")
        true(row["last_error"], "and it says why")


# ---- verdicts ----

def test_4xx_at_each_step_defers_H19():
    for step in ("MAIL", "RCPT", "DATA", "end"):
        replies = {} if step == "end" else {step: "450 4.3.0 not now"}
        on_end = (lambda mail: "452 4.3.1 full") if step == "end" else None
        with SmtpSink(replies=replies, on_end=on_end) as sink, site(relay(sink)) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            row = wait_deferred(server)[0]
            true(" 45" in row["last_error"], row["last_error"])
            equal(sink.mails, [])


def test_a_lost_connection_at_each_step_defers_H19():
    for step in ("EHLO", "MAIL", "RCPT", "DATA", "end"):
        replies = {} if step == "end" else {step: ""}
        on_end = (lambda mail: None) if step == "end" else None
        with SmtpSink(replies=replies, on_end=on_end) as sink, site(relay(sink)) as server:
            server.add_user("anna")
            submit(server, ["bo@elsewhere.test"])
            row = wait_deferred(server)[0]
            true("closed the connection" in row["last_error"] or "broke" in row["last_error"], row["last_error"])


def test_a_reply_without_end_H19():
    def greet(session):
        try:
            for _ in range(100000):
                session.sock.sendall(b"220-for ever\r\n" * 50)
        except OSError:
            pass

    with SmtpSink(greeting=greet) as sink, site(relay(sink)) as server:
        server.add_user("anna")
        submit(server, ["bo@elsewhere.test"])
        wait_deferred(server)
        true(len(sink.sessions) >= 1, "it was asked")


# ---- many ----

def test_connections_are_reused_H37():
    with SmtpSink() as sink, site(relay(sink, max_connections=3)) as server:
        server.add_user("anna")
        with server.smtp("submissions") as c:
            c.login("anna", PASSWORD)
            for i in range(100):
                c.sendmail("anna@example.test", ["bo%d@elsewhere.test" % i], TEXT)
        wait_empty(server)
        equal(len(sink.mails), 100)
        equal(len({m.recipients[0] for m in sink.mails}), 100, "each once")
        true(len(sink.sessions) < 50, "%d connections" % len(sink.sessions))


if __name__ == "__main__":
    sys.exit(tap([(n[5:].replace("_", " "), f) for n, f in list(globals().items()) if n.startswith("test_")]))
